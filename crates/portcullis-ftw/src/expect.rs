//! Whether what happened is what the case expects.

use std::collections::BTreeSet;

use crate::cases::{Output, Pattern};

/// What came of one stage.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The status of the answer; `None` where what came back is no HTTP.
    pub status: Option<u16>,
    /// The rules that were logged, in order.
    pub ids: Vec<u64>,
    /// The log, a line a match.
    pub lines: Vec<Vec<u8>>,
    /// The answer's body; empty where a rule stopped the exchange.
    pub body: Vec<u8>,
}

/// All that differs from what is expected; nothing where the stage passes.
#[must_use]
pub fn differences(expected: &Output, outcome: &Outcome) -> Vec<String> {
    // An answer that is none ends the matter: nothing of the log is asked for then.
    if expected.expect_error {
        let differs = outcome.status.is_some();
        return differs.then(|| "answered, though no answer is expected".to_owned()).into_iter().collect();
    }
    let mut differences = Vec::new();
    if outcome.status.is_none() {
        differences.push("no answer".to_owned());
    }
    if let Some(status) = expected.status
        && outcome.status != Some(status)
    {
        let seen = outcome.status.map_or_else(|| "no status".to_owned(), |it| format!("status {it}"));
        differences.push(format!("{seen} instead of {status}"));
    }
    for id in expected.log.expect_ids.iter().filter(|id| !outcome.ids.contains(id)) {
        differences.push(format!("{id} is missing"));
    }
    for id in expected.log.no_expect_ids.iter().filter(|id| outcome.ids.contains(id)) {
        differences.push(format!("{id} is too much"));
    }
    if expected.isolated {
        let others = outcome.ids.iter().filter(|id| !expected.log.expect_ids.contains(id));
        let others: BTreeSet<&u64> = others.collect();
        differences.extend(others.iter().map(|id| format!("{id} matched too, though it must be alone")));
    }
    if let Some(text) = expected.response_contains.as_ref().filter(|it| !holds(&outcome.body, it.as_bytes()))
    {
        differences.push(format!("the answer does not contain `{text}`"));
    }
    let is_found = |pattern: &&Pattern| outcome.lines.iter().any(|line| pattern.0.is_match(line));
    for pattern in expected.patterns().filter(|it| !is_found(it)) {
        differences.push(format!("nothing like `{}`", pattern.0));
    }
    for pattern in expected.unwanted_patterns().filter(is_found) {
        differences.push(format!("something like `{}`", pattern.0));
    }
    differences
}

fn holds(body: &[u8], text: &[u8]) -> bool {
    text.is_empty() || body.windows(text.len()).any(|window| window == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expected: &str, status: Option<u16>, ids: &[u64], line: &str, differences_seen: &[&str]) {
        let expected: Output = serde_saphyr::from_str(expected).unwrap();
        let outcome = Outcome {
            status,
            ids: ids.to_owned(),
            lines: vec![line.as_bytes().to_owned()],
            body: line.as_bytes().to_owned(),
        };
        assert_eq!(differences(&expected, &outcome), differences_seen);
    }

    #[test]
    fn holds_an_outcome_against_every_expectation() {
        let ids = "log: {expect_ids: [1, 2], no_expect_ids: [3]}";
        check(ids, Some(200), &[1, 2, 4], "", &[]);
        check(ids, Some(200), &[1, 3], "", &["2 is missing", "3 is too much"]);
        check("status: 400", Some(200), &[], "", &["status 200 instead of 400"]);
        check("log: {match_regex: 'a.c'}", Some(200), &[], "xabcx", &[]);
        check("log: {match_regex: 'a.d'}", Some(200), &[], "xabcx", &["nothing like `a.d`"]);
        check("log: {no_match_regex: 'a.c'}", Some(200), &[], "xabcx", &["something like `a.c`"]);
        check("expect_error: true", Some(200), &[], "", &["answered, though no answer is expected"]);
        check("expect_error: true", None, &[], "", &[]);
        check("log_contains: 'a.c'", Some(200), &[], "abc", &[]);
        check("no_log_contains: 'a.c'", Some(200), &[], "abc", &["something like `a.c`"]);
        check("response_contains: bc", Some(200), &[], "abc", &[]);
        check("response_contains: bd", Some(200), &[], "abc", &["the answer does not contain `bd`"]);
        let alone = "{isolated: true, log: {expect_ids: [1]}}";
        check(alone, Some(200), &[1, 1], "", &[]);
        check(alone, Some(200), &[1, 2, 2], "", &["2 matched too, though it must be alone"]);
        check("log: {expect_ids: [1]}", None, &[1], "", &["no answer"]);
    }
}
