//! The loop that the decoders share: copy what is plain, hand the rest to a step.

use std::borrow::Cow;

/// Rewrites `value`: plain stretches are copied up to the next place that `find` names, where `step` writes what it makes
/// of the bytes there and answers with the rest.
///
/// `step` must consume at least one byte. Every byte is then looked at once by `find` and once by `step`, so that the
/// whole is linear when both are.
pub(super) fn rewrite<'a>(
    value: &'a [u8],
    find: impl Fn(&[u8]) -> Option<usize>,
    mut step: impl FnMut(&'a [u8], &mut Vec<u8>) -> &'a [u8],
) -> Cow<'a, [u8]> {
    if find(value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((plain, here)) = find(rest).and_then(|at| rest.split_at_checked(at)) {
        out.extend_from_slice(plain);
        rest = step(here, &mut out);
    }
    out.extend_from_slice(rest);
    settle(value, out)
}

/// Keeps the original when the rewritten bytes are the same.
pub(super) fn settle(value: &[u8], out: Vec<u8>) -> Cow<'_, [u8]> {
    if out == value { Cow::Borrowed(value) } else { Cow::Owned(out) }
}

/// Maps each byte; allocates only when one changes.
pub(super) fn map_bytes(value: &[u8], map: impl Fn(u8) -> u8) -> Cow<'_, [u8]> {
    if value.iter().all(|byte| map(*byte) == *byte) {
        return Cow::Borrowed(value);
    }
    Cow::Owned(value.iter().map(|byte| map(*byte)).collect())
}

/// Drops the bytes that `dropped` names; allocates only when there is one.
pub(super) fn drop_bytes(value: &[u8], dropped: impl Fn(u8) -> bool) -> Cow<'_, [u8]> {
    if !value.iter().any(|byte| dropped(*byte)) {
        return Cow::Borrowed(value);
    }
    Cow::Owned(value.iter().copied().filter(|byte| !dropped(*byte)).collect())
}
