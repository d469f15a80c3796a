//! The list of cases that pass, which only grows: a rule a line, its tests as numbers and ranges (`920100: 1-3 5`).

use std::{collections::BTreeSet, fs, path::PathBuf};

use super::cases::CaseId;

pub fn file() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/crs/passing.txt"))
}

pub fn read() -> BTreeSet<CaseId> {
    parse(&fs::read_to_string(file()).unwrap_or_default())
}

/// Adds what passes now; nothing is ever taken away.
pub fn extend(passing: &BTreeSet<CaseId>) {
    let all: BTreeSet<CaseId> = read().union(passing).copied().collect();
    fs::write(file(), write(&all)).unwrap();
}

fn parse(text: &str) -> BTreeSet<CaseId> {
    let mut ids = BTreeSet::new();
    for line in text.lines() {
        let (rule, tests) = line.split_once(": ").unwrap();
        let rule = rule.parse().unwrap();
        for range in tests.split(' ') {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last): (u64, u64) = (first.parse().unwrap(), last.parse().unwrap());
            ids.extend((first..=last).map(|test| CaseId { rule, test }));
        }
    }
    ids
}

fn write(ids: &BTreeSet<CaseId>) -> String {
    let mut text = String::new();
    let mut ids = ids.iter().peekable();
    let mut rule = None;
    while let Some(first) = ids.next() {
        let mut last = first.test;
        while let Some(next) = ids.next_if(|it| it.rule == first.rule && it.test == last + 1) {
            last = next.test;
        }
        if rule == Some(first.rule) {
            text.push(' ');
        } else {
            let end = if rule.is_none() { "" } else { "\n" };
            text.push_str(&format!("{end}{}: ", first.rule));
            rule = Some(first.rule);
        }
        if last == first.test {
            text.push_str(&first.test.to_string());
        } else {
            text.push_str(&format!("{}-{last}", first.test));
        }
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
        let ids = parse(text);
        assert_eq!(ids.len(), 5);
        assert!(ids.contains(&CaseId { rule: 911_100, test: 2 }));
        assert!(!ids.contains(&CaseId { rule: 911_100, test: 4 }));
        assert_eq!(write(&ids), text);
        assert!(parse("").is_empty() && write(&BTreeSet::new()).is_empty());
    }
}
