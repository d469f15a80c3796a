//! What a hostile value costs grows with its length and no faster: instructions counted by valgrind, which the test starts
//! on itself, through the whole engine with the OWASP Core Rule Set.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "a test stops where it fails, and tells what it does"
)]

#[path = "crs_rules/mod.rs"]
mod rules;

use std::{fs, hint::black_box, net::SocketAddr, path::PathBuf, process::Command};

use portcullis_seclang::{Engine, Field, RequestHead};

/// Values of each length that are judged: new ones, after as many that fill what fills once.
const VALUES: usize = 4;

/// Bytes of the values.
const LENGTHS: [usize; 3] = [1024, 2048, 4096];

const RULES: &str = "
SecRuleEngine On
SecRequestBodyAccess On
";

/// What a length may cost over proportion: caches fill, and a few costs do not depend on the length at all.
const OVER_PROPORTION: f64 = 1.3;

#[test]
fn a_hostile_value_costs_in_proportion_to_its_length() {
    let Some(_) = folder() else { return };
    if !Command::new("valgrind").arg("--version").output().is_ok_and(|it| it.status.success()) {
        println!("skipped: valgrind is not installed");
        return;
    }
    let scratch = std::env::temp_dir().join(format!("portcullis-growth-{}", std::process::id()));
    fs::create_dir_all(&scratch).unwrap();
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .args(["--toggle-collect=growth::counted", "--dump-after=growth::counted"])
        .arg(format!("--callgrind-out-file={}/counts", scratch.display()))
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "judges_values_of_three_lengths", "--test-threads=1"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let counts: Vec<f64> = (1..=3).map(|at| total(&scratch.join(format!("counts.{at}")))).collect();
    fs::remove_dir_all(&scratch).unwrap();
    println!("instructions for {VALUES} values of 1, 2 and 4 KiB: {counts:?}");
    let [one, two, four] = counts[..] else { panic!("{counts:?}") };
    assert!(one > 10_000.0, "{counts:?}");
    assert!(two / one < 2.0 * OVER_PROPORTION, "{counts:?}");
    assert!(four / one < 4.0 * OVER_PROPORTION, "{counts:?}");
}

/// The sum that callgrind writes at the end of a dump.
fn total(path: &PathBuf) -> f64 {
    let text = fs::read_to_string(path).unwrap();
    let line = text.lines().find_map(|it| it.strip_prefix("totals:")).unwrap();
    line.trim().parse().unwrap()
}

#[test]
#[ignore = "the test above starts it under valgrind"]
fn judges_values_of_three_lengths() {
    let Some(crs) = folder() else { return };
    let at = crs.display();
    let text = format!("{RULES}Include {at}/crs-setup.conf\nInclude {at}/rules/*.conf\n");
    let engine = rules::load("growth.conf", text.as_bytes());
    for bytes in LENGTHS {
        judge(&engine, bytes, 0);
    }
    for bytes in LENGTHS {
        counted(&engine, bytes);
    }
}

/// What valgrind counts, call by call. What comes after the call in it keeps that from being a jump, whose end valgrind
/// would not see.
#[inline(never)]
fn counted(engine: &Engine, bytes: usize) {
    black_box(judge(engine, bytes, VALUES));
}

/// Judges values made of what many rules look for, none of it whole, each in a form of its own.
fn judge(engine: &Engine, bytes: usize, first: usize) -> usize {
    const BEGINNINGS: &[&str] = &[
        "sel", "select ", "uni", "union ", "<scr", "<svg", "onload", "javascr", "../", "/etc", "exec", "sys",
        "${", "{{", "<?", "java.", "cmd", "sle", "' o", "\" a", "eval", "file:", "and ", "char", "0x", "`",
        "$(", "| ", ";", "curl", "wget", "proc", "<a ", "=\"", "--", "/*", "@@",
    ];
    let mut matches = 0;
    for number in first..first + VALUES {
        let mut body = b"note=".to_vec();
        let mut draw = number * 7919 + 13;
        while body.len() < bytes {
            draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            body.extend_from_slice(BEGINNINGS[(draw >> 33) % BEGINNINGS.len()].as_bytes());
        }
        body.truncate(bytes);
        let length = body.len().to_string();
        let fields: [Field<'_>; 4] = [
            (b"Host", b"shop.example.com"),
            (b"User-Agent", b"shop-app/5.12"),
            (b"Content-Type", b"application/x-www-form-urlencoded"),
            (b"Content-Length", length.as_bytes()),
        ];
        let head = RequestHead {
            line: b"POST /api/notes HTTP/1.1",
            method: b"POST",
            uri: b"/api/notes",
            protocol: b"HTTP/1.1",
            fields: &fields,
            client: SocketAddr::from(([192, 0, 2, 7], 50_000)),
            server: SocketAddr::from(([198, 51, 100, 1], 80)),
        };
        let mut transaction = engine.transaction();
        assert!(transaction.request_head(&head).is_none());
        assert!(transaction.request_body(&body).is_some(), "not hostile enough: nothing matched");
        transaction.finish();
        matches += transaction.matches().len();
    }
    matches
}

fn folder() -> Option<PathBuf> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let shared = std::env::var_os("PORTCULLIS_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let folder = shared.join("crs");
    if folder.join("rules").is_dir() {
        return Some(folder);
    }
    println!("skipped: no rule set at {} (set PORTCULLIS_SHARED)", folder.display());
    None
}
