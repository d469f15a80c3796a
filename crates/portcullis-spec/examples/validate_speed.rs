//! Parses and validates order documents of 2 KiB and 51 KiB, and says what one costs:
//! `cargo run --release -p portcullis-spec --example validate_speed`. Given paths of API descriptions, it loads and
//! compiles each instead and says what it takes in memory (Linux: `VmHWM` and `VmRSS` of this process).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement stops where it fails, and prints"
)]

use std::{fs, hint::black_box, time::Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use portcullis_leaves::{Limits, json};
use portcullis_spec::{
    compiled::{CompileOptions, CompiledDocument},
    openapi::{self, LoadOptions, MemorySource},
};

const DOCUMENT: &str = r##"
openapi: 3.1.0
info: {title: orders, version: "1"}
paths:
  /orders:
    post:
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}
      responses: {"200": {description: ok}}
components:
  schemas:
    Order:
      type: object
      required: [id, customer, currency, placed, lines]
      additionalProperties: false
      properties:
        id: {type: string, format: uuid}
        customer: {type: string, minLength: 1, maxLength: 64}
        currency: {enum: [EUR, USD, GBP]}
        placed: {type: string, format: date-time}
        express: {type: boolean}
        lines: {type: array, minItems: 1, items: {$ref: "#/components/schemas/Line"}}
    Line:
      type: object
      required: [sku, quantity, price]
      additionalProperties: false
      properties:
        sku: {type: string, pattern: "^[A-Z]{3}-[0-9]{4}$"}
        title: {type: string, maxLength: 200}
        quantity: {type: integer, format: int32, minimum: 1, maximum: 1000}
        price: {type: number, minimum: 0}
        tags: {type: array, maxItems: 8, items: {type: string, maxLength: 32}}
"##;

fn main() {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    if paths.is_empty() {
        bodies();
    } else {
        for path in paths {
            document(&path);
        }
    }
}

fn bodies() {
    let source = MemorySource::default().with("orders.yaml", DOCUMENT);
    let document = openapi::load("orders.yaml", &source, &LoadOptions::default()).unwrap();
    let compiled = CompiledDocument::compile(document, CompileOptions::default());
    let operation = &compiled.operations[0];
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    println!("{:>8} {:>12} {:>14} {:>16}", "bytes", "parse µs", "and judge µs", "judge alone µs");
    // As near as whole lines come to 2,048 and 52,224 bytes; `cargo xtask bench json` has the same numbers.
    for lines in [18, 471] {
        let body = Bytes::from(order(lines));
        operation.check_request_body(&headers, &body).unwrap();
        let parse = median(|| drop(black_box(json::parse(body.clone(), &Limits::default()))));
        let both = median(|| drop(black_box(operation.check_request_body(&headers, &body))));
        println!("{:>8} {parse:>12.2} {both:>14.2} {:>16.2}", body.len(), both - parse);
    }
}

fn order(lines: usize) -> String {
    let line = |index: usize| {
        format!(
            r#"{{"sku":"ABC-{:04}","title":"A thing of some use, number {index}","quantity":{},"price":{}.50,"tags":["red","large"]}}"#,
            index % 10_000,
            index % 9 + 1,
            index % 100
        )
    };
    let lines: Vec<String> = (0..lines).map(line).collect();
    format!(
        r#"{{"id":"6ba7b810-9dad-11d1-80b4-00c04fd430c8","customer":"Ada","currency":"EUR","placed":"2026-11-21T10:00:00Z","express":false,"lines":[{}]}}"#,
        lines.join(",")
    )
}

/// The median of 21 rounds, in microseconds of processor time a call (Linux: what the scheduler counted; elsewhere
/// wall time), because other work on the machine would show in wall time.
fn median(mut call: impl FnMut()) -> f64 {
    const CALLS: u32 = 1_000;
    let mut rounds: Vec<f64> = (0..21)
        .map(|_| {
            let start = Instant::now();
            let before = processor_nanos();
            for _ in 0..CALLS {
                call();
            }
            let nanos = match (before, processor_nanos()) {
                (Some(before), Some(after)) => after - before,
                _ => start.elapsed().as_nanos() as f64,
            };
            nanos / 1e3 / f64::from(CALLS)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

fn processor_nanos() -> Option<f64> {
    fs::read_to_string("/proc/self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

fn document(path: &str) {
    let source = MemorySource::default().with("api", fs::read(path).unwrap());
    let start = Instant::now();
    let document = openapi::load("api", &source, &LoadOptions::default()).unwrap();
    drop(source);
    let (loaded, peak_loaded) = (start.elapsed(), memory("VmHWM:"));
    let start = Instant::now();
    let compiled = CompiledDocument::compile(document, CompileOptions::default());
    println!(
        "{path}: {} operations, {} diagnostics; load {loaded:.1?} (peak {peak_loaded}), compile {:.1?}; resident {}, peak {}",
        compiled.operations.len(),
        compiled.diagnostics.len(),
        start.elapsed(),
        memory("VmRSS:"),
        memory("VmHWM:"),
    );
}

fn memory(line: &str) -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|it| it.strip_prefix(line)).unwrap_or("unknown").trim().to_owned()
}
