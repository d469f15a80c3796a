//! A list of cases as a file that people compare: a rule a line, its tests as numbers and ranges (`920100: 1-3 5`).

use std::{collections::BTreeSet, fmt::Write as _};

use crate::cases::CaseId;

/// Tests of one rule that a range may span; more is a slip of the pen.
const RANGE_MAX: u64 = 100_000;

/// Reads a list; `Err` is the first line that is none.
///
/// # Errors
/// The line that is not understood.
pub fn parse(text: &str) -> Result<BTreeSet<CaseId>, String> {
    let mut ids = BTreeSet::new();
    for line in text.lines() {
        ids.extend(parse_line(line).ok_or_else(|| line.to_owned())?);
    }
    Ok(ids)
}

fn parse_line(line: &str) -> Option<Vec<CaseId>> {
    let (rule, tests) = line.split_once(": ")?;
    let rule = rule.parse().ok()?;
    let mut ids = Vec::new();
    for range in tests.split(' ') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        if last.checked_sub(first)? > RANGE_MAX {
            return None;
        }
        ids.extend((first..=last).map(|test| CaseId { rule, test }));
    }
    Some(ids)
}

/// Writes a list.
#[must_use]
pub fn write(ids: &BTreeSet<CaseId>) -> String {
    let mut text = String::new();
    let mut ids = ids.iter().peekable();
    let mut rule = None;
    while let Some(first) = ids.next() {
        let mut last = first.test;
        while let Some(next) = ids.next_if(|it| it.rule == first.rule && Some(it.test) == last.checked_add(1))
        {
            last = next.test;
        }
        if rule == Some(first.rule) {
            text.push(' ');
        } else {
            let end = if rule.is_none() { "" } else { "\n" };
            let _infallible = write!(text, "{end}{}: ", first.rule);
            rule = Some(first.rule);
        }
        let _infallible = match last {
            last if last == first.test => write!(text, "{last}"),
            last => write!(text, "{}-{last}", first.test),
        };
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let text = "911100: 1-3 5\n920100: 2\n";
        let ids = parse(text).unwrap();
        assert_eq!(ids.len(), 5);
        assert!(ids.contains(&CaseId { rule: 911_100, test: 2 }));
        assert!(!ids.contains(&CaseId { rule: 911_100, test: 4 }));
        assert_eq!(write(&ids), text);
        assert!(parse("").unwrap().is_empty() && write(&BTreeSet::new()).is_empty());
    }

    #[test]
    fn names_the_line_that_is_no_list() {
        for line in ["911100", "x: 1", "1: 3-1", "1: 1-", "1: 0-99999999999"] {
            assert_eq!(parse(&format!("1: 1\n{line}\n")), Err(line.to_owned()));
        }
    }
}
