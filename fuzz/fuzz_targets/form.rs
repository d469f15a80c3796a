//! The form parser never panics, and what it decodes is never longer than what it read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_leaves::{Limits, form};

fuzz_target!(|body: &[u8]| {
    let Ok(fields) = form::parse(body, &Limits::default()) else { return };
    let decoded: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
    assert!(decoded <= body.len());
});
