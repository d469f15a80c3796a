//! What judging a request costs: `firewall_speed RULES FILE…`, which `cargo xtask bench firewall` calls. Prints
//! `load MILLIS KIB`, and for each file of requests `NAME FRESH REPEATED VERDICTS`: microseconds of CPU a request, when each
//! is a new one and when it is always the same, and a digit for each of the first (1: refused). Linux only.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    dead_code,
    unreachable_pub,
    reason = "a measurement stops where it fails, and prints"
)]

#[path = "../tests/crs_rules/mod.rs"]
mod rules;

use std::{fs, net::SocketAddr, path::Path};

use portcullis_seclang::{Engine, Field, RequestHead, ResponseHead};
use rustix::time::{ClockId, clock_gettime};

/// Requests of each file that are judged before anything is measured.
const FIRST: usize = 4;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let rules = arguments.next().unwrap();
    let (before, start) = (memory_kib(), cpu_micros());
    let engine = rules::load(&rules, &fs::read(&rules).unwrap());
    println!("load {} {}", (cpu_micros() - start) / 1e3, memory_kib() - before);
    for path in arguments {
        let bytes = fs::read(&path).unwrap();
        let requests = requests(&bytes);
        let (first, rest) = requests.split_at(FIRST);
        let verdicts: String = first.iter().map(|it| if judge(&engine, it) { '1' } else { '0' }).collect();
        // What grows once (caches of the thread, buffers) is grown by a tenth of them.
        let (warming, measured) = rest.split_at(rest.len() / 10);
        measure(&engine, warming.iter());
        let fresh = measure(&engine, measured.iter());
        let repeated = measure(&engine, std::iter::repeat_n(&first[0], measured.len()));
        let name = Path::new(&path).file_name().unwrap().to_str().unwrap();
        println!("{name} {fresh:.3} {repeated:.3} {verdicts}");
    }
}

struct Request<'b> {
    line: &'b [u8],
    method: &'b [u8],
    target: &'b [u8],
    protocol: &'b [u8],
    fields: Vec<Field<'b>>,
    body: &'b [u8],
}

/// A line with a length, that many bytes, and so on.
fn requests(mut bytes: &[u8]) -> Vec<Request<'_>> {
    let mut requests = Vec::new();
    while let Some((length, rest)) = cut(bytes, b"\n") {
        let length: usize = str::from_utf8(length).unwrap().parse().unwrap();
        let (whole, rest) = rest.split_at(length);
        bytes = rest;
        let (head, body) = cut(whole, b"\r\n\r\n").unwrap();
        let mut lines = str::from_utf8(head).unwrap().split("\r\n");
        let line = lines.next().unwrap().as_bytes();
        let mut parts = line.split(|byte| *byte == b' ');
        requests.push(Request {
            line,
            method: parts.next().unwrap(),
            target: parts.next().unwrap(),
            protocol: parts.next().unwrap(),
            fields: lines.map(|it| cut(it.as_bytes(), b": ").unwrap()).collect(),
            body,
        });
    }
    requests
}

fn cut<'b>(bytes: &'b [u8], at: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let start = memchr::memmem::find(bytes, at)?;
    Some((&bytes[..start], &bytes[start + at.len()..]))
}

/// All five phases of one exchange; whether it was refused.
fn judge(engine: &Engine, request: &Request<'_>) -> bool {
    let mut transaction = engine.transaction();
    let head = RequestHead {
        line: request.line,
        method: request.method,
        uri: request.target,
        protocol: request.protocol,
        fields: &request.fields,
        client: SocketAddr::from(([192, 0, 2, 7], 50_000)),
        server: SocketAddr::from(([198, 51, 100, 1], 80)),
    };
    let fields: [Field<'_>; 2] = [(b"Content-Type", b"application/json"), (b"Content-Length", b"2")];
    let answer = ResponseHead { status: 200, protocol: b"HTTP/1.1", fields: &fields };
    let refused = transaction.request_head(&head).is_some()
        || transaction.request_body(request.body).is_some()
        || transaction.response_head(&answer).is_some()
        || (transaction.wants_response_body() && transaction.response_body(b"").is_some());
    transaction.finish();
    refused
}

fn measure<'b>(engine: &Engine, requests: impl ExactSizeIterator<Item = &'b Request<'b>>) -> f64 {
    let (start, number) = (cpu_micros(), requests.len());
    for request in requests {
        std::hint::black_box(judge(engine, request));
    }
    (cpu_micros() - start) / number as f64
}

/// CPU of this process.
fn cpu_micros() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

fn memory_kib() -> i64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}
