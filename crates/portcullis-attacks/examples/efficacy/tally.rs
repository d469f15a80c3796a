//! Counting and printing.

use std::collections::BTreeMap;

use portcullis_attacks::Judgement;
use serde_json::{Map, Value, json};

use crate::corpus::Case;

/// How many cases are listed of each kind and file.
#[derive(Clone, Copy)]
pub(crate) struct Listing {
    pub(crate) misses: usize,
    pub(crate) refused: usize,
}

/// What became of the cases of one file.
pub(crate) struct Tally {
    file: String,
    attacks: usize,
    stopped: usize,
    benign: usize,
    refused: usize,
    /// By category: attacks and how many were stopped, benign calls and how many were refused.
    categories: BTreeMap<String, [usize; 4]>,
    misses: Vec<(u32, String)>,
    refusals: Vec<(u32, String)>,
}

impl Tally {
    pub(crate) fn new(file: String) -> Self {
        Self {
            file,
            attacks: 0,
            stopped: 0,
            benign: 0,
            refused: 0,
            categories: BTreeMap::new(),
            misses: Vec::new(),
            refusals: Vec::new(),
        }
    }

    pub(crate) fn count(&mut self, case: &Case, judgement: &Judgement) {
        let [attacks, stopped, benign, refused] = self.categories.entry(case.category.clone()).or_default();
        match (case.is_attack, judgement.is_attack) {
            (true, is_stopped) => {
                self.attacks += 1;
                *attacks += 1;
                if is_stopped {
                    self.stopped += 1;
                    *stopped += 1;
                } else {
                    self.misses.push((judgement.score, line(case, judgement)));
                }
            }
            (false, is_refused) => {
                self.benign += 1;
                *benign += 1;
                if is_refused {
                    self.refused += 1;
                    *refused += 1;
                    self.refusals.push((judgement.score, line(case, judgement)));
                }
            }
        }
    }
}

/// The contract of `cargo xtask efficacy --json`.
pub(crate) fn json(tallies: &[Tally]) -> Value {
    let files = tallies.iter().map(|it| {
        let counts =
            json!({ "attacks": it.attacks, "stopped": it.stopped, "benign": it.benign, "refused": it.refused });
        (it.file.clone(), counts)
    });
    Value::Object(files.collect::<Map<_, _>>())
}

pub(crate) fn print(tallies: &[Tally], listing: Listing) {
    for tally in tallies {
        let mut misses: Vec<_> = tally.misses.iter().collect();
        misses.sort_by_key(|it| it.0);
        for (score, line) in misses.iter().take(listing.misses) {
            println!("MISS {} [{score}] {line}", tally.file);
        }
        let mut refusals: Vec<_> = tally.refusals.iter().collect();
        refusals.sort_by_key(|it| std::cmp::Reverse(it.0));
        for (score, line) in refusals.iter().take(listing.refused) {
            println!("REFUSED {} [{score}] {line}", tally.file);
        }
    }
    println!(
        "\n{:<44} {:>8} {:>8} {:>7}   {:>7} {:>8} {:>7}",
        "corpus", "attacks", "stopped", "%", "benign", "refused", "%"
    );
    for tally in tallies {
        row(&tally.file, [tally.attacks, tally.stopped, tally.benign, tally.refused]);
        if tally.categories.len() > 1 {
            for (category, counts) in &tally.categories {
                row(&format!("  {category}"), *counts);
            }
        }
    }
}

fn row(name: &str, [attacks, stopped, benign, refused]: [usize; 4]) {
    let share = |part: usize, whole: usize| {
        if whole == 0 { String::new() } else { format!("{:.2}", 100.0 * part as f64 / whole as f64) }
    };
    println!(
        "{name:<44} {attacks:>8} {stopped:>8} {:>7}   {benign:>7} {refused:>8} {:>7}",
        share(stopped, attacks),
        share(refused, benign)
    );
}

/// A case on one line: what was found, and the request, decoded once and cut.
fn line(case: &Case, judgement: &Judgement) -> String {
    const FINDINGS: usize = 4;
    let findings: Vec<String> = judgement
        .findings
        .iter()
        .take(FINDINGS)
        .map(|it| {
            let layers: Vec<_> = it.layers.iter().map(|layer| layer.word()).collect();
            format!(
                "{}/{}={} {:?}:{}{}{} «{}»",
                it.class.word(),
                it.rule,
                it.score,
                it.at,
                it.place,
                if layers.is_empty() { "" } else { " after " },
                layers.join("+"),
                it.excerpt
            )
        })
        .collect();
    let headers: Vec<String> = case
        .headers
        .iter()
        .filter(|(name, value)| !is_ordinary(name) && !value.starts_with(b"Mozilla/5.0 ("))
        .map(|(name, value)| format!("{name}: {}", cut(&String::from_utf8_lossy(value), 200)))
        .collect();
    format!(
        "{} {} | {} | {} {} | {} | {}",
        case.id,
        case.category,
        findings.join("; "),
        case.method,
        cut(&decoded(case.target.as_bytes()), 300),
        headers.join(" ~ "),
        cut(&decoded(&case.body), 400)
    )
}

fn is_ordinary(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("sec-")
        || name.starts_with("accept")
        || matches!(name.as_str(), "host" | "connection" | "cache-control" | "pragma" | "authorization")
}

/// The beginning and the end of a text.
fn cut(text: &str, characters: usize) -> String {
    let count = text.chars().count();
    let shown: String = if count <= characters {
        text.to_owned()
    } else {
        let half = characters / 2;
        text.chars().take(half).chain("……".chars()).chain(text.chars().skip(count - half)).collect()
    };
    shown.escape_debug().to_string()
}

/// Percent-decoded once, for reading.
fn decoded(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let digits = after.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        match digits.and_then(|it| u8::from_str_radix(it, 16).ok()).filter(|_| *byte == b'%') {
            Some(decoded) => {
                bytes.push(decoded);
                rest = after.get(2..).unwrap_or_default();
            }
            None => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
