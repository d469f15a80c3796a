//! Texts within binary bodies: protobuf messages, serialized objects, files.

/// Shorter runs are chance.
const RUN_BYTES_MIN: usize = 6;

/// How much of a body says whether it is binary.
const PROBE_BYTES: usize = 1024;

/// Whether a body has bytes that no text has.
pub(crate) fn is_binary(body: &[u8]) -> bool {
    let probe = body.get(..PROBE_BYTES.min(body.len())).unwrap_or_default();
    probe.iter().any(is_binary_byte)
}

/// The runs of text in it.
pub(crate) fn texts(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split(is_binary_byte).filter(|run| run.len() >= RUN_BYTES_MIN)
}

fn is_binary_byte(byte: &u8) -> bool {
    matches!(byte, 0..=8 | 0xe..=0x1f | 0x7f)
}
