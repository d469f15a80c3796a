//! The JSON parser never panics, accepts nothing that an independent parser refuses, and finds every leaf again by its
//! pointer.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use portcullis_leaves::{Limits, json};

fuzz_target!(|body: &[u8]| {
    let Ok(tree) = json::parse(Bytes::copy_from_slice(body), &Limits::default()) else { return };
    assert!(serde_json::from_slice::<serde_json::Value>(body).is_ok());
    for leaf in tree.root().leaves() {
        let pointer = leaf.pointer();
        let found = tree.resolve(&pointer).map(|value| value.index());
        assert_eq!(found, Some(leaf.index()), "{pointer}");
        if let Some(number) = leaf.number() {
            assert!(number.as_f64().is_some());
            let _ = number.is_integer();
        }
    }
});
