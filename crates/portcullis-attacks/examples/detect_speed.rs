//! Time of native detection on benign values, and its growth on hostile ones.
//!
//!     cargo run --release -p portcullis-attacks --example detect_speed [-- once]
//!
//! With `once`, the 2 KB JSON is judged a thousand times and nothing is timed, for counting instructions outside.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a measurement prints, times itself, and stops when it cannot go on"
)]

use std::{fmt::Write as _, hint::black_box, time::Instant};

use portcullis_attacks::{Inspector, Parts, Settings};
use portcullis_leaves::{Limits, Tree};

const ROUNDS: usize = 31;

fn main() {
    let inspector = Inspector::new(&Settings::default());
    if std::env::args().nth(1).is_some_and(|it| it == "once") {
        let tree = Tree::from_json(orders(14), &Limits::default()).expect("valid");
        for _ in 0..1_000 {
            let mut judging = inspector.judge(&|_| true);
            judging.tree(black_box(&tree), &|_| false);
            black_box(judging.finish());
        }
        return;
    }
    println!("{:<34} {:>8} {:>8} {:>12}", "what", "bytes", "leaves", "micros");
    for lines in [14, 350] {
        let document = orders(lines);
        let tree = Tree::from_json(document.clone(), &Limits::default()).expect("valid");
        let micros = time(&|| {
            let mut judging = inspector.judge(&|_| true);
            judging.tree(black_box(&tree), &|_| false);
            black_box(judging.finish());
        });
        row("benign JSON, already parsed", document.len(), tree.root().leaves().count(), micros);
    }
    let headers: &[(&str, &[u8])] = &[
        (
            "user-agent",
            b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0",
        ),
        ("accept", b"application/json, text/plain, */*"),
        ("accept-language", b"en-GB,en;q=0.9"),
        ("referer", b"https://shop.example/orders?page=2&sort=date"),
        ("x-request-id", b"6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
    ];
    let target =
        "/api/v1/orders/8412/lines?page=2&per_page=50&sort=created_at&q=blue+shoes&lang=en&fields=id,name";
    let head = Parts { method: "GET", target, headers, body: b"" };
    row("benign GET, head", target.len(), 0, time(&|| drop(black_box(inspector.request(black_box(&head))))));
    for (name, unit) in HOSTILE {
        for size in [1 << 10, 1 << 13] {
            let body = unit.repeat(size / unit.len());
            let parts = Parts {
                method: "POST",
                target: "/",
                headers: &[("content-type", b"text/plain")],
                body: body.as_bytes(),
            };
            let micros = time(&|| drop(black_box(inspector.request(black_box(&parts)))));
            row(name, body.len(), 1, micros);
        }
    }
}

/// Values that make as much work as they can.
const HOSTILE: [(&str, &str); 12] = [
    ("hostile: quotes", "'"),
    ("hostile: percent", "%25"),
    ("hostile: backslashes", "\\u005c"),
    ("hostile: entities", "&amp;"),
    ("hostile: sql", "' or 1=1 union select "),
    ("hostile: shell", ";$(id)|`cat /etc/passwd`&&"),
    ("hostile: tags", "<a href=javascript:"),
    ("hostile: templates", "{{${#{"),
    ("hostile: dots", "../"),
    ("hostile: brackets", "([{"),
    ("hostile: commas", "a,"),
    ("hostile: slashes", "/*"),
];

fn row(name: &str, bytes: usize, leaves: usize, micros: f64) {
    println!("{name:<34} {bytes:>8} {leaves:>8} {micros:>12.2}");
}

/// Microseconds a call. Wall time of a busy loop; the median over many short rounds drops what others took.
fn time(call: &dyn Fn()) -> f64 {
    let start = Instant::now();
    call();
    let calls = (2_000_000 / start.elapsed().as_nanos().max(1)).clamp(1, 2_000) as usize;
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            (0..calls).for_each(|_| call());
            start.elapsed().as_nanos() as f64 / calls as f64 / 1_000.0
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds.get(ROUNDS / 2).copied().unwrap_or_default()
}

/// An order with so many lines: six values each.
fn orders(lines: usize) -> String {
    let mut text = String::from("{\"customer\":\"Ada Lovelace\",\"currency\":\"EUR\",\"lines\":[");
    for line in 0..lines {
        let comma = if line == 0 { "" } else { "," };
        let _ = write!(
            text,
            "{comma}{{\"sku\":\"ABC-{line:04}\",\"title\":\"A thing of some use, number {line}\",\"quantity\":{},\"price\":{}.50,\"tags\":[\"red\",\"large\"],\"note\":\"leave at the door\"}}",
            line % 9 + 1,
            line % 100
        );
    }
    text.push_str("]}");
    text
}
