//! What the OWASP CRS, as it is released, stops and refuses: `crs_efficacy CRS CORPORA`, which `cargo xtask efficacy` calls
//! for the columns beside the native detectors. Prints `{"FILE": {"pl1": {"stopped", "refused"}, …}}`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    unreachable_pub,
    reason = "a measurement stops where it fails, and prints"
)]

#[path = "../tests/crs_rules/mod.rs"]
mod rules;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use portcullis_seclang::{Engine, Field, RequestHead};
use serde_json::{Map, Value, json};

/// Before the rule set: bodies are read, by the parser that their media type asks for.
const BASE: &str = r#"
SecRuleEngine On
SecRequestBodyAccess On
SecRule REQUEST_HEADERS:Content-Type "@rx ^(?:application|text)/(?:[a-z0-9.+-]+\+)?xml" "id:100,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "@rx ^application/(?:[a-z0-9.+-]+\+)?json" "id:101,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
"#;

fn main() {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let (crs, corpora) = (arguments.next().unwrap(), arguments.next().unwrap());
    let engines: Vec<Engine> = (1..=4).map(|paranoia| engine(&crs, paranoia)).collect();
    let mut files: Vec<PathBuf> =
        fs::read_dir(&corpora).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut tallies = Map::new();
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let is_traffic = !name.starts_with("conf-") && !name.starts_with("discovery-");
        if !is_traffic || file.extension().is_none_or(|it| it != "jsonl") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let mut counts = [[0_u32; 2]; 4];
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let case: Value = serde_json::from_str(line).unwrap();
            let is_benign = usize::from(case["label"] != "attack");
            for (engine, count) in engines.iter().zip(&mut counts) {
                if let Some(count) = count.get_mut(is_benign) {
                    *count += u32::from(is_refused(engine, &case));
                }
            }
        }
        let levels = counts.iter().enumerate().map(|(level, [stopped, refused])| {
            (format!("pl{}", level + 1), json!({ "stopped": stopped, "refused": refused }))
        });
        tallies.insert(name.to_owned(), Value::Object(levels.collect()));
    }
    println!("{}", Value::Object(tallies));
}

fn engine(crs: &Path, paranoia: u8) -> Engine {
    let at = fs::canonicalize(crs).unwrap();
    let at = at.display();
    let text = format!(
        "{BASE}
Include {at}/crs-setup.conf
SecAction \"id:900000,phase:1,pass,t:none,nolog,setvar:tx.blocking_paranoia_level={paranoia},setvar:tx.detection_paranoia_level={paranoia}\"
Include {at}/rules/*.conf
"
    );
    rules::load("efficacy.conf", text.as_bytes())
}

fn is_refused(engine: &Engine, case: &Value) -> bool {
    let text = |name: &str| case[name].as_str().unwrap_or_default();
    let body = match (text("body"), text("body_b64")) {
        ("", coded) => STANDARD.decode(coded).unwrap(),
        (body, _) => body.as_bytes().to_vec(),
    };
    let length = body.len().to_string();
    let pairs = case["headers"].as_array().unwrap().iter();
    let mut fields: Vec<Field<'_>> = pairs
        .map(|pair| (pair[0].as_str().unwrap().as_bytes(), pair[1].as_str().unwrap().as_bytes()))
        .collect();
    if !body.is_empty() {
        fields.push((b"Content-Length", length.as_bytes()));
    }
    let mut transaction = engine.transaction();
    let head = RequestHead {
        line: b"",
        method: text("method").as_bytes(),
        uri: text("path").as_bytes(),
        protocol: b"HTTP/1.1",
        fields: &fields,
        client: SocketAddr::from(([192, 0, 2, 7], 50_000)),
        server: SocketAddr::from(([198, 51, 100, 1], 80)),
    };
    transaction.request_head(&head).is_some() || transaction.request_body(&body).is_some()
}
