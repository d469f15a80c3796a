//! CPU time of parsing, beside `serde_json::Value`. Ratios count, not times: both run in turns in one process.
//!
//!     cargo run --release -p portcullis-leaves --example parse_speed
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a measurement prints, times itself, and stops when it cannot go on"
)]

use std::{fmt::Write as _, hint::black_box, time::Instant};

use bytes::Bytes;
use portcullis_leaves::{Limits, json};

const ROUNDS: usize = 31;

fn main() {
    println!("{:<24} {:>8} {:>10} {:>12} {:>7}", "document", "bytes", "leaves ns", "serde_json ns", "ratio");
    for (name, document) in [
        ("orders, 1 KiB", orders(7)),
        ("orders, 2 KiB", orders(14)),
        ("orders, 51 KiB", orders(360)),
        ("with escapes, 2 KiB", escaped(24)),
        ("indented, 51 KiB", indented(200)),
        ("999 members", wide(999)),
        ("numbers, 51 KiB", numbers(7_400)),
        ("one string, 51 KiB", format!("\"{}\"", "x".repeat(51 << 10))),
    ] {
        let body = Bytes::from(document.into_bytes());
        let limits = Limits::default();
        let calls = (2_000_000 / body.len()).clamp(20, 4_000);
        let mut own = Vec::new();
        let mut other = Vec::new();
        for _ in 0..ROUNDS {
            own.push(time(calls, || {
                black_box(json::parse(black_box(body.clone()), &limits).expect("valid"));
            }));
            other.push(time(calls, || {
                black_box(serde_json::from_slice::<serde_json::Value>(black_box(&body)).expect("valid"));
            }));
        }
        let (own, other) = (median(own), median(other));
        println!("{name:<24} {:>8} {own:>10.0} {other:>12.0} {:>6.2}x", body.len(), other / own);
    }
}

/// Nanoseconds a call. Wall time of a busy loop; the median over many short rounds drops what others took.
fn time(calls: usize, mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        call();
    }
    start.elapsed().as_nanos() as f64 / calls as f64
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn orders(lines: usize) -> String {
    let mut text = String::from(
        r#"{"id":"9f1c2c52-73a0-4ffd-9a5c-0d9f2b1f6a11","customer":"Ada Lovelace","open":true,"lines":["#,
    );
    for line in 0..lines {
        let comma = if line == 0 { "" } else { "," };
        let _ = write!(
            text,
            r#"{comma}{{"sku":"AB-{line:05}","title":"a thing of some length","quantity":{line},"price":{line}.95,"tags":["new","sale"],"note":null}}"#
        );
    }
    text.push_str("]}");
    text
}

fn escaped(lines: usize) -> String {
    let lines: Vec<_> = (0..lines)
        .map(|line| format!(r#""line {line}:\n\tsays \"hello\" to caf\u00e9 and more besides, at length""#))
        .collect();
    format!("[{}]", lines.join(","))
}

fn indented(lines: usize) -> String {
    let lines: Vec<_> = (0..lines)
        .map(|line| format!("    {{\n        \"id\": {line},\n        \"name\": \"number {line}\",\n        \"place\": {{\n            \"row\": 1.5,\n            \"column\": {line},\n            \"within\": [\n                1,\n                2\n            ]\n        }}\n    }}"))
        .collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

fn wide(members: usize) -> String {
    let members: Vec<_> =
        (0..members).map(|member| format!(r#""member-{member}-of-many":{member}"#)).collect();
    format!("{{{}}}", members.join(","))
}

fn numbers(count: usize) -> String {
    let numbers: Vec<_> = (0..count).map(|number| format!("{}.5", number * 37 % 10_000)).collect();
    format!("[{}]", numbers.join(","))
}
