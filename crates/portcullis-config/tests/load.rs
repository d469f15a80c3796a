//! Text in, configuration or rendered diagnostics out.

use portcullis_config::{FromDisk, InMemory, load};
use portcullis_core::clock::Timestamp;

/// 2026-11-21.
const NOW: Timestamp = Timestamp::from_secs(1_795_219_200);

#[test]
fn the_quick_start_loads() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/config/quickstart.yaml");
    let loaded = load(path.as_ref(), &FromDisk, NOW);
    eprintln!("{:#?}", loaded.diagnostics);
    assert!(loaded.config.is_some());
    eprintln!("{:#?}", loaded.config);
    let _ = InMemory::default();
}
