//! The cases as their files hold them (the schema of go-ftw, versions 2 and 3). A key that is not known here is an error:
//! what a case asks for must not be passed over.

use std::{collections::BTreeMap, fmt, sync::Arc};

use regex::bytes::Regex;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};

use crate::{backend::Answer, client::base64};

/// One case: stages in order, each an exchange of its own.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name.
    pub id: CaseId,
    /// The file that holds it.
    pub file: Arc<str>,
    /// What its author says of it.
    pub description: Option<String>,
    /// The exchanges; at least one. A stage that lists several `uris` stands here once for each.
    pub stages: Vec<Stage>,
}

/// `920100-4`: the rule that is tested, and the number of the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseId {
    /// The rule.
    pub rule: u64,
    /// The test of it.
    pub test: u64,
}

impl fmt::Display for CaseId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.rule, self.test)
    }
}

/// Why a file of cases cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct Mistake {
    /// Line, from 1.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
    /// What is wrong there.
    pub message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rule_id: u64,
    tests: Vec<Test>,
    #[serde(default, rename = "meta")]
    _meta: IgnoredAny,
    #[serde(default, rename = "author")]
    _author: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Test {
    test_id: Option<u64>,
    #[serde(deserialize_with = "at_least_one")]
    stages: Vec<WrittenStage>,
    desc: Option<String>,
    #[serde(default, rename = "test_title")]
    _title: IgnoredAny,
    #[serde(default, rename = "tags")]
    _tags: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenStage {
    #[serde(default, rename = "description")]
    _description: IgnoredAny,
    input: WrittenInput,
    output: Output,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenInput {
    #[serde(default, rename = "dest_addr")]
    _dest_addr: IgnoredAny,
    #[serde(default, rename = "port")]
    _port: IgnoredAny,
    #[serde(default, rename = "protocol")]
    _protocol: IgnoredAny,
    method: Option<String>,
    uri: Option<String>,
    #[serde(default)]
    uris: Vec<String>,
    version: Option<String>,
    #[serde(default)]
    headers: Fields,
    data: Option<String>,
    #[serde(default, deserialize_with = "encoded")]
    encoded_data: Option<Vec<u8>>,
    autocomplete_headers: Option<bool>,
    stop_magic: Option<bool>,
    #[serde(default, deserialize_with = "encoded")]
    encoded_request: Option<Vec<u8>>,
    response: Option<WrittenAnswer>,
    #[serde(default, rename = "follow_redirect", deserialize_with = "only_off")]
    _follow_redirect: (),
    #[serde(default, rename = "save_cookie", deserialize_with = "only_off")]
    _save_cookie: (),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAnswer {
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    #[serde(default, deserialize_with = "encoded")]
    encoded_body: Option<Vec<u8>>,
    #[serde(default, rename = "log_message")]
    _log_message: IgnoredAny,
}

/// A request, and what must come of it.
#[derive(Debug, Clone)]
pub struct Stage {
    /// What is sent.
    pub input: Input,
    /// What is answered, where the case says it.
    pub answer: Option<Answer>,
    /// What is expected.
    pub output: Output,
}

/// What is sent: `encoded_request` as it is, or a request composed of the parts.
#[derive(Debug, Clone)]
pub struct Input {
    /// `GET` unless said.
    pub method: Option<String>,
    /// The request target, `/` unless said.
    pub uri: Option<String>,
    /// `HTTP/1.1` unless said.
    pub version: Option<String>,
    /// The header fields.
    pub headers: Fields,
    /// The body.
    pub data: Option<Vec<u8>>,
    /// Whether the body goes out as it is, and no form of it is encoded.
    pub is_verbatim: bool,
    /// Whether the fields that a body and a connection need are added.
    pub autocomplete_headers: bool,
    /// The whole request.
    pub encoded_request: Option<Vec<u8>>,
}

/// What is expected.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// The status of the answer.
    pub status: Option<u16>,
    /// What the answer's body holds.
    pub response_contains: Option<String>,
    /// What the log must and must not hold.
    #[serde(default)]
    pub log: Log,
    /// The old name of `log.match_regex`.
    pub log_contains: Option<Pattern>,
    /// The old name of `log.no_match_regex`.
    pub no_log_contains: Option<Pattern>,
    /// Whether a failure may be made good by a second attempt.
    #[serde(default)]
    pub retry_once: bool,
    /// Whether no answer is expected.
    #[serde(default)]
    pub expect_error: bool,
    /// Whether no rule but the expected ones may match.
    #[serde(default)]
    pub isolated: bool,
}

/// What the log must and must not hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Rules that must match.
    #[serde(default)]
    pub expect_ids: Vec<u64>,
    /// Rules that must not.
    #[serde(default)]
    pub no_expect_ids: Vec<u64>,
    /// What some line must look like.
    pub match_regex: Option<Pattern>,
    /// What no line may look like.
    pub no_match_regex: Option<Pattern>,
}

impl Output {
    /// Whether it expects nothing at all, so that no outcome could fail.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let ids = self.log.expect_ids.len() + self.log.no_expect_ids.len();
        ids == 0
            && self.patterns().next().is_none()
            && self.unwanted_patterns().next().is_none()
            && self.status.is_none()
            && self.response_contains.is_none()
            && !self.expect_error
    }

    /// What some line must look like, by its new and its old name.
    pub fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.log.match_regex.iter().chain(&self.log_contains)
    }

    /// What no line may look like, by its new and its old name.
    pub fn unwanted_patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.log.no_match_regex.iter().chain(&self.no_log_contains)
    }
}

/// A regular expression over one line of the log.
#[derive(Debug, Clone)]
pub struct Pattern(pub Regex);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Regex::new(&text)
            .map(Self)
            .map_err(|_| D::Error::custom(format!("`{text}` is no regular expression")))
    }
}

/// Header fields in the order of the file, their values as they are written there.
#[derive(Debug, Clone, Default)]
pub struct Fields(pub Vec<(String, String)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a mapping of header fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// The cases of one file, in its order. A file of comments alone holds none.
///
/// # Errors
/// The first thing that is no YAML, or does not follow the schema.
pub fn parse(file: &Arc<str>, text: &str) -> Result<Vec<Case>, Mistake> {
    if text.lines().all(|line| line.trim().is_empty() || line.starts_with('#')) {
        return Ok(Vec::new());
    }
    let options = serde_saphyr::options! { with_snippet: false };
    let written: File = serde_saphyr::from_str_with_options(text, options).map_err(|it| mistake(&it))?;
    let rule = written.rule_id;
    let numbered = (1..).zip(written.tests);
    let cases = numbered.map(|(position, test)| Case {
        id: CaseId { rule, test: test.test_id.unwrap_or(position) },
        file: Arc::clone(file),
        description: test.desc,
        stages: test.stages.into_iter().flat_map(stages).collect(),
    });
    Ok(cases.collect())
}

fn mistake(error: &serde_saphyr::Error) -> Mistake {
    let error = error.without_snippet();
    let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
    let whole = error.to_string();
    // The place stands in front already.
    let message = whole.split(" at line ").next().unwrap_or(&whole);
    let message =
        message.replace("invalid u64", "expected a number").replace("invalid u16", "expected a status");
    Mistake { line, column, message }
}

/// The stages that one written stage stands for: as many as it lists targets.
fn stages(written: WrittenStage) -> Vec<Stage> {
    let WrittenStage { input, output, .. } = written;
    let uris: Vec<Option<String>> =
        if input.uris.is_empty() { vec![input.uri] } else { input.uris.into_iter().map(Some).collect() };
    let stage = Stage {
        input: Input {
            method: input.method,
            uri: None,
            version: input.version,
            headers: input.headers,
            is_verbatim: input.encoded_data.is_some(),
            data: input.encoded_data.or(input.data.map(String::into_bytes)),
            autocomplete_headers: input.autocomplete_headers.unwrap_or(!input.stop_magic.unwrap_or(false)),
            encoded_request: input.encoded_request,
        },
        answer: input.response.map(|it| {
            let body = it.encoded_body.or(it.body.map(String::into_bytes)).unwrap_or_default();
            Answer::new(it.status.unwrap_or(200), it.headers.into_iter().collect(), body)
        }),
        output,
    };
    let with = |uri: Option<String>| Stage { input: Input { uri, ..stage.input.clone() }, ..stage.clone() };
    uris.into_iter().map(with).collect()
}

fn at_least_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<WrittenStage>, D::Error> {
    let stages = Vec::deserialize(deserializer)?;
    if stages.is_empty() {
        return Err(D::Error::custom("a test needs at least one stage"));
    }
    Ok(stages)
}

fn encoded<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|it| base64(&it).ok_or_else(|| D::Error::custom("this is no base64"))).transpose()
}

/// What a stage may ask of a client that remembers earlier stages, which none here does.
fn only_off<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    match bool::deserialize(deserializer)? {
        false => Ok(()),
        true => Err(D::Error::custom("stages that build on an earlier answer are not supported")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
rule_id: 1001
tests:
  - desc: a form
    stages:
      - input: { method: POST, uris: [/a, /b], headers: { B: b, A: a }, encoded_data: 'AAE=', stop_magic: true }
        output: { status: 403, log: { expect_ids: [1001], match_regex: 'id \"1001\"' }, isolated: true }
  - test_id: 7
    stages:
      - input: { encoded_request: 'R0VUIC8=', response: { status: 500, body: oops } }
        output: { no_log_contains: 'x', response_contains: oops }
";

    fn parsed(text: &str) -> Result<Vec<Case>, Mistake> {
        parse(&"cases.yaml".into(), text)
    }

    #[test]
    fn reads_every_part_of_a_case() {
        let cases = parsed(GOOD).unwrap();
        let names: Vec<String> = cases.iter().map(|it| it.id.to_string()).collect();
        assert_eq!(names, ["1001-1", "1001-7"]);
        let [first, second] = &cases[..] else { panic!("{cases:?}") };
        assert_eq!(first.description.as_deref(), Some("a form"));
        let targets: Vec<_> = first.stages.iter().map(|it| it.input.uri.as_deref()).collect();
        assert_eq!(targets, [Some("/a"), Some("/b")]);
        let input = &first.stages[1].input;
        assert_eq!(input.headers.0, [("B".into(), "b".into()), ("A".into(), "a".into())]);
        assert_eq!(input.data.as_deref(), Some(&[0, 1][..]));
        assert!(input.is_verbatim && !input.autocomplete_headers);
        let output = &first.stages[0].output;
        assert_eq!((output.status, output.isolated), (Some(403), true));
        assert_eq!((output.patterns().count(), output.unwanted_patterns().count()), (1, 0));
        let stage = &second.stages[0];
        assert_eq!(stage.input.encoded_request.as_deref(), Some(&b"GET /"[..]));
        let answer = stage.answer.as_ref().unwrap();
        assert_eq!((answer.status, &answer.body[..]), (500, &b"oops"[..]));
        assert_eq!(stage.output.unwanted_patterns().count(), 1);
        assert!(!stage.output.is_empty() && Output::default().is_empty());
    }

    #[test]
    fn a_file_of_comments_holds_no_case() {
        assert!(parsed("# nothing\n\n").unwrap().is_empty());
    }

    #[test]
    fn says_where_a_file_is_wrong() {
        for (from, to, line, told) in [
            ("desc: a form", "dsc: a form", 4, "dsc"),
            ("expect_ids: [1001]", "expect_ids: [x]", 7, "expected a number"),
            ("'AAE='", "'AAE'", 6, "no base64"),
            ("match_regex: 'id \"1001\"'", "match_regex: '('", 7, "no regular expression"),
            ("stop_magic: true", "save_cookie: true", 6, "earlier answer"),
            ("rule_id: 1001", "rule: 1001", 2, "rule"),
            ("tests:", "tests: [", 1, ""),
        ] {
            let mistake = parsed(&GOOD.replace(from, to)).unwrap_err();
            assert!(mistake.message.contains(told), "{to}: {mistake}");
            assert!(!mistake.message.contains(" at line "), "{mistake}");
            assert!(mistake.line >= line, "{to}: {mistake}");
        }
        let none = parsed("rule_id: 1\ntests: [{ stages: [] }]").unwrap_err();
        assert!(none.message.contains("at least one stage"), "{none}");
    }
}
