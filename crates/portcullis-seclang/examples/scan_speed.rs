//! Measures the scan against asking each operator in turn: microseconds a value for several kinds of values.
//!
//! `cargo run --release -p portcullis-seclang --example scan_speed -- RULES_DIR [PARANOIA_LEVEL] [VALUES_FILE]`: the rules
//! of the OWASP CRS, and a file of values, one a line, with `\xHH` for bytes that lines cannot hold. Both ways must find the
//! same; a difference is printed.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measurement reads the clock and prints"
)]

use std::collections::HashMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use portcullis_seclang::byte_set::ByteClasses;
use portcullis_seclang::operators::{Operator, OperatorPorts, RuleFiles};
use portcullis_seclang::scan::Scanner;
use portcullis_seclang::source::{Files, Source};

struct Disk(PathBuf);

impl Files for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(path).map_err(|error| error.to_string())
    }
    fn list(&self, _: &str) -> Result<Vec<String>, String> {
        Err("not here".into())
    }
}

impl RuleFiles for Disk {
    fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        std::fs::read(self.0.join(name)).map_err(|error| error.to_string())
    }
}

fn main() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("the folder of the rules is wanted")?);
    let level: u8 =
        arguments.next().map_or(Ok(1), |level| level.parse()).map_err(|_| "a level is a number")?;
    let before = resident_kib();
    let started = Instant::now();
    let operators = operators(&folder, level)?;
    let compiled = started.elapsed();
    let between = resident_kib();
    let values = arguments.next();
    let scanner = Scanner::new(&operators);
    println!(
        "{} operators compiled in {compiled:.0?}, scanner in {:.0?}; resident {} + {} KiB",
        operators.len(),
        started.elapsed() - compiled,
        between - before,
        resident_kib() - between,
    );
    println!("{}", scanner.outline());
    let attacks = match values {
        Some(file) => values_of(&std::fs::read(&file).map_err(|error| format!("{file}: {error}"))?),
        None => Vec::new(),
    };
    println!(
        "{:>12} {:>7} {:>8} {:>10} {:>10} {:>10} {:>8} {:>7}",
        "values", "count", "bytes", "scan us", "cand us", "each us", "ratio", "cands"
    );
    for (name, values) in kinds(attacks) {
        measure(name, &values, &operators, &scanner);
    }
    println!("resident at the end {} KiB", resident_kib());
    Ok(())
}

/// The distinct operators that rules up to the level put to request arguments.
fn operators(folder: &Path, level: u8) -> Result<Vec<Operator>, String> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(|error| error.to_string())?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "conf"))
        .collect();
    files.sort();
    let sources: Result<Vec<Source>, String> = files
        .iter()
        .map(|path| {
            Ok(Source::new(
                path.display().to_string(),
                std::fs::read(path).map_err(|error| error.to_string())?,
            ))
        })
        .collect();
    let disk = Disk(folder.to_path_buf());
    let rules = portcullis_seclang::load(&sources?, &disk)
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let mut distinct = HashMap::new();
    let mut all = Vec::new();
    for chain in rules.chains() {
        let tags: Vec<String> = chain.metadata.tags.iter().map(|tag| format!("{tag:?}")).collect();
        let above = (level + 1..=4)
            .any(|each| tags.iter().any(|tag| tag.contains(&format!("paranoia-level/{each}"))));
        let Some(condition) = chain.links.first().and_then(|link| link.condition.as_ref()) else { continue };
        let on_arguments =
            condition.targets.iter().any(|target| format!("{:?}", target.variable).starts_with("Args"));
        if above || !on_arguments || condition.negated_or_counted() {
            continue;
        }
        let key = (condition.operator.name, condition.operator.raw.clone());
        if distinct.insert(key, ()).is_none() {
            let ports = OperatorPorts { files: Some(&disk), outside: None };
            let compiled = Operator::compile_kind(condition.operator.name, &condition.operator.raw, ports);
            all.push(compiled.map_err(|error| error.to_string())?);
        }
    }
    Ok(all)
}

/// Conditions that are not about the text of values.
trait Plain {
    fn negated_or_counted(&self) -> bool;
}

impl Plain for portcullis_seclang::rules::Condition {
    fn negated_or_counted(&self) -> bool {
        self.operator.negated || matches!(self.operator.name.name(), "eq" | "lt" | "gt" | "le" | "ge")
    }
}

fn values_of(text: &[u8]) -> Vec<Vec<u8>> {
    let unescape = |line: &[u8]| {
        let mut out = Vec::new();
        let mut rest = line;
        loop {
            rest = match rest {
                [] => return out,
                [b'\\', b'x', high, low, tail @ ..] => {
                    let digits = [*high, *low];
                    let byte =
                        std::str::from_utf8(&digits).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok());
                    out.push(byte.unwrap_or(b'?'));
                    tail
                }
                [byte, tail @ ..] => {
                    out.push(*byte);
                    tail
                }
            };
        }
    };
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(unescape).collect()
}

/// A generator that is the same each time: what is measured must not depend on the day.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }
    fn text(&mut self, length: usize, alphabet: &[u8]) -> Vec<u8> {
        let count = alphabet.len().max(1) as u64;
        (0..length).filter_map(|_| alphabet.get((self.next() % count) as usize).copied()).collect()
    }
    fn word(&mut self) -> &'static str {
        const WORDS: [&str; 24] = [
            "invoice",
            "the",
            "of",
            "customer",
            "status",
            "and",
            "order",
            "please",
            "delivered",
            "to",
            "address",
            "in",
            "payment",
            "for",
            "is",
            "account",
            "limit",
            "with",
            "created",
            "at",
            "name",
            "region",
            "value",
            "update",
        ];
        WORDS.get((self.next() % 24) as usize).copied().unwrap_or("")
    }
}

fn kinds(attacks: Vec<Vec<u8>>) -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let mut chance = Chance(7);
    let hex = b"0123456789abcdef";
    let words = (0..2000).map(|_| chance.word().as_bytes().to_vec()).collect();
    let uuids =
        (0..500).map(|_| [8, 4, 4, 4, 12].map(|length| chance.text(length, hex)).join(&b'-')).collect();
    let agents = (0..200)
        .map(|number| {
            format!(
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{number}.0.0.0 Safari/537.36"
            )
            .into_bytes()
        })
        .collect();
    let prose = (0..500)
        .map(|_| {
            let words: Vec<&str> = (0..14).map(|_| chance.word()).collect();
            format!("{}, {}.", words.join(" "), chance.word()).into_bytes()
        })
        .collect();
    let ascii: Vec<u8> = (0x20..0x7f).collect();
    let random = (0..500).map(|_| chance.text(122, &ascii)).collect();
    let bytes: Vec<u8> = (0..=255).collect();
    let noise = (0..300).map(|_| chance.text(122, &bytes)).collect();
    let marks = (0..100).map(|_| chance.text(1024, b"'\"();|&$`<>=/\\ .-*or1select")).collect();
    vec![
        ("word", words),
        ("uuid", uuids),
        ("agent", agents),
        ("prose", prose),
        ("ascii-122", random),
        ("bytes-122", noise),
        ("marks-1024", marks),
        ("attacks", attacks),
    ]
}

fn measure(name: &str, values: &[Vec<u8>], operators: &[Operator], scanner: &Scanner) {
    if values.is_empty() {
        return;
    }
    let wanted = vec![u64::MAX; scanner.words()];
    let mut found = vec![0u64; scanner.words()];
    let mut candidates = 0u32;
    let mut tally: HashMap<usize, u32> = HashMap::new();
    for value in values {
        let classes = ByteClasses::of_value(value);
        scanner.narrow(value, classes, &wanted, &mut found);
        candidates += found.iter().map(|word| word.count_ones()).sum::<u32>();
        let maybe = found.clone();
        scanner.matches(value, classes, &wanted, &mut found);
        for (number, operator) in operators.iter().enumerate() {
            let bit =
                |words: &[u64]| words.get(number / 64).is_some_and(|word| word & (1 << (number % 64)) != 0);
            if bit(&found) != operator.matches(value) {
                println!("DIFFERENCE: operator {number} on {}", value.escape_ascii());
            }
            if bit(&maybe) && !bit(&found) {
                *tally.entry(number).or_default() += 1;
            }
        }
    }
    let scan = time(values, |value| {
        scanner.matches(value, ByteClasses::of_value(value), &wanted, &mut found);
        black_box(&found);
    });
    let narrow = time(values, |value| {
        scanner.narrow(value, ByteClasses::of_value(value), &wanted, &mut found);
        black_box(&found);
    });
    let each = time(values, |value| {
        for operator in operators {
            black_box(operator.matches(value));
        }
    });
    let bytes = values.iter().map(Vec::len).sum::<usize>() / values.len();
    println!(
        "{name:>12} {:>7} {bytes:>8} {scan:>10.3} {narrow:>10.3} {each:>10.3} {:>7.1}x {:>7.2}",
        values.len(),
        each / scan,
        f64::from(candidates) / values.len() as f64,
    );
    let mut costly: Vec<(f64, usize, u32)> = tally
        .into_iter()
        .filter_map(|(number, count)| {
            let operator = operators.get(number)?;
            let asked = time(values, |value| {
                black_box(operator.matches(value));
            });
            Some((asked * f64::from(count) / values.len() as f64, number, count))
        })
        .collect();
    costly.sort_by(|one, other| other.0.total_cmp(&one.0));
    for (cost, number, count) in costly.iter().take(5) {
        if let Some(operator) = operators.get(*number) {
            println!("{cost:>14.3} us a value in vain, {count} times, by {number}: {}", operator.outline());
        }
    }
}

/// Microseconds a value, the best of five rounds.
fn time(values: &[Vec<u8>], mut judge: impl FnMut(&[u8])) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..5 {
        let started = Instant::now();
        for value in values {
            judge(value);
        }
        best = best.min(started.elapsed().as_secs_f64() * 1e6 / values.len() as f64);
    }
    best
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_ascii_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}
