//! What judging a request costs natively: `attacks_speed FILE…`, which `cargo xtask bench firewall` calls. Prints for each
//! file of requests `NAME FRESH REPEATED VERDICTS`: microseconds of CPU a request, when each is a new one and when it is
//! always the same, and a digit for each of the first (1: an attack). Linux only.
//!
//! `attacks_speed once FILE…` judges each request once and measures nothing, for counting instructions outside.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a measurement stops where it fails, and prints"
)]

use std::{fs, path::Path};

use portcullis_attacks::{Inspector, Parts, Settings};
use rustix::time::{ClockId, clock_gettime};

/// Requests of each file that are judged before anything is measured.
const FIRST: usize = 4;

fn main() {
    let inspector = Inspector::new(&Settings::default());
    let mut paths: Vec<String> = std::env::args().skip(1).collect();
    if paths.first().is_some_and(|it| it == "once") {
        for path in paths.drain(..).skip(1) {
            let text = fs::read_to_string(&path).unwrap();
            for request in requests(&text) {
                std::hint::black_box(inspector.request(&request));
            }
        }
    }
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let requests = requests(&text);
        let (first, rest) = requests.split_at(FIRST);
        let verdict = |it: &Parts<'_>| if inspector.request(it).is_attack { '1' } else { '0' };
        let verdicts: String = first.iter().map(verdict).collect();
        let (warming, measured) = rest.split_at(rest.len() / 10);
        measure(&inspector, warming.iter());
        let fresh = measure(&inspector, measured.iter());
        let repeated = measure(&inspector, std::iter::repeat_n(&first[0], measured.len()));
        let name = Path::new(&path).file_name().unwrap().to_str().unwrap();
        println!("{name} {fresh:.3} {repeated:.3} {verdicts}");
    }
}

/// A line with a length, that many bytes, and so on. The fields are kept for the length of the process.
fn requests(mut text: &str) -> Vec<Parts<'_>> {
    let mut requests = Vec::new();
    while let Some((length, rest)) = text.split_once('\n') {
        let (whole, rest) = rest.split_at(length.parse().unwrap());
        text = rest;
        let (head, body) = whole.split_once("\r\n\r\n").unwrap();
        let mut lines = head.split("\r\n");
        let mut line = lines.next().unwrap().split(' ');
        let headers: Vec<(&str, &[u8])> = lines
            .map(|it| it.split_once(": ").unwrap())
            .map(|(name, value)| (name, value.as_bytes()))
            .collect();
        requests.push(Parts {
            method: line.next().unwrap(),
            target: line.next().unwrap(),
            headers: headers.leak(),
            body: body.as_bytes(),
        });
    }
    requests
}

fn measure<'p>(inspector: &Inspector, requests: impl ExactSizeIterator<Item = &'p Parts<'p>>) -> f64 {
    let (start, number) = (cpu_micros(), requests.len());
    for request in requests {
        std::hint::black_box(inspector.request(request));
    }
    (cpu_micros() - start) / number as f64
}

/// CPU of this process.
fn cpu_micros() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}
