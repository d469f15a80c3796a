//! The rule loader never panics, and every diagnostic points into the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_seclang::load;
use portcullis_seclang::source::{NoFiles, Source};

fuzz_target!(|text: &[u8]| {
    let lines = text.split(|byte| *byte == b'\n').count();
    let found = match load(&[Source::new("rules.conf", text)], &NoFiles) {
        Ok(rules) => rules.notes,
        Err(diagnostics) => diagnostics,
    };
    for diagnostic in found {
        assert!(diagnostic.line >= 1 && diagnostic.line as usize <= lines, "{diagnostic}");
    }
});
