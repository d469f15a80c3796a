//! The regression suite of the OWASP Core Rule Set, run against this engine in process: cases are read ([`cases`]), written
//! out as the bytes a client sends ([`client`]), read as a lenient HTTP server reads them ([`front`]), judged and answered
//! ([`exchange`]), and the outcome is held against what the case expects ([`expect`]).

pub mod backend;
pub mod cases;
pub mod client;
pub mod exchange;
pub mod expect;
pub mod front;
pub mod overrides;
pub mod ratchet;
pub mod rules;
pub mod run;

use std::path::PathBuf;

/// The folder of the rule set and its suite (`PORTCULLIS_SHARED`, or `../shared` beside the checkout); `None`, said
/// visibly, where there is none.
pub fn folder() -> Option<PathBuf> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let shared = std::env::var_os("PORTCULLIS_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let folder = shared.join("crs");
    if folder.join("regression/tests").is_dir() {
        return Some(folder);
    }
    println!("skipped: no rule set at {} (set PORTCULLIS_SHARED)", folder.display());
    None
}
