//! The cases as their files hold them (the schema of go-ftw, version 2). A key that is not known here is an error: what a
//! case asks for must not be passed over.

use std::{fmt, fs, path::Path};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

/// One case: stages in order, each an exchange of its own.
#[derive(Debug, Clone)]
pub struct Case {
    pub id: CaseId,
    pub stages: Vec<Stage>,
}

/// `920100-4`: the rule that is tested, and the number of the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CaseId {
    pub rule: u64,
    pub test: u64,
}

impl fmt::Display for CaseId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.rule, self.test)
    }
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
    test_id: u64,
    stages: Vec<Stage>,
    #[serde(default, rename = "desc")]
    _desc: IgnoredAny,
}

/// A request, and what must come of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    pub input: Input,
    pub output: Output,
}

/// What is sent: `encoded_request` as it is, or a request composed of the parts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    #[serde(rename = "dest_addr")]
    _dest_addr: Option<String>,
    #[serde(rename = "port")]
    _port: Option<u16>,
    pub method: Option<String>,
    pub uri: Option<String>,
    pub version: Option<String>,
    #[serde(default)]
    pub headers: Fields,
    pub data: Option<String>,
    pub autocomplete_headers: Option<bool>,
    pub encoded_request: Option<String>,
}

/// What is expected.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    pub status: Option<u16>,
    #[serde(default)]
    pub log: Log,
    #[serde(default)]
    pub retry_once: bool,
    #[serde(default)]
    pub expect_error: bool,
}

/// What the log must and must not hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    #[serde(default)]
    pub expect_ids: Vec<u64>,
    #[serde(default)]
    pub no_expect_ids: Vec<u64>,
    pub match_regex: Option<String>,
    pub no_match_regex: Option<String>,
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

/// All cases below a folder, in the order of their ids.
pub fn load(folder: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "yaml") {
                cases.extend(read(&path));
            }
        }
    }
    cases.sort_by_key(|case| case.id);
    cases
}

fn read(path: &Path) -> Vec<Case> {
    let text = fs::read_to_string(path).unwrap();
    // A file of comments alone holds no case.
    if text.lines().all(|line| line.trim().is_empty() || line.starts_with('#')) {
        return Vec::new();
    }
    let options = serde_saphyr::options! { with_snippet: false };
    let file: File = serde_saphyr::from_str_with_options(&text, options)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let rule = file.rule_id;
    file.tests
        .into_iter()
        .map(|test| Case { id: CaseId { rule, test: test.test_id }, stages: test.stages })
        .collect()
}
