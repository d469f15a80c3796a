//! The multipart parser never panics; its parts lie within the body, in order, and none holds a delimiter.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use portcullis_leaves::{Limits, multipart};

fuzz_target!(|input: (&str, &[u8])| {
    let (content_type, body) = input;
    let _ = multipart::boundary(content_type);
    let Ok(parsed) = multipart::parse(Bytes::copy_from_slice(body), "b", &Limits::default()) else { return };
    let mut end = 0;
    for part in parsed.parts() {
        assert!(end <= part.content.start && part.content.end <= body.len());
        end = part.content.end;
        let content = parsed.content(part);
        assert!(!content.windows(4).any(|window| window == b"\n--b" || window == b"\r--b"));
    }
});
