//! The boundary that a `Content-Type` names.

use super::Flags;

const HEADER_BYTES_MAX: usize = 1024;

/// The boundary's bytes; oddities that can be read nevertheless go to the flags.
///
/// # Errors
/// What makes the boundary unusable.
pub(super) fn parse<'a>(header: &'a [u8], flags: &mut Flags) -> Result<&'a [u8], &'static str> {
    if header.len() > HEADER_BYTES_MAX {
        return Err("invalid boundary in Content-Type (length)");
    }
    let Some((media_type, rest)) = header.split_at_checked(b"multipart/form-data".len()) else {
        return Err("invalid media type");
    };
    if !media_type.eq_ignore_ascii_case(b"multipart/form-data") {
        return Err("invalid media type");
    }
    match parameters_named_boundary(header) {
        0 => return Err("boundary not found in Content-Type"),
        1 => {}
        _ => return Err("multiple boundary parameters in Content-Type"),
    }
    let at = memchr::memmem::find(rest, b"boundary").ok_or("invalid boundary in Content-Type (case)")?;
    let (before, parameter) = rest.split_at_checked(at).unwrap_or((rest, b""));
    let mut semicolons = 0;
    for byte in before.iter().filter(|byte| !byte.is_ascii_whitespace()) {
        if *byte != b';' || semicolons == 1 {
            return Err("invalid boundary in Content-Type (malformed)");
        }
        semicolons += 1;
    }
    flags.missing_semicolon |= semicolons == 0;
    let parameter = parameter.strip_prefix(b"boundary").unwrap_or_default();
    let equals = memchr::memchr(b'=', parameter).ok_or("invalid boundary in Content-Type (malformed)")?;
    let (gap, value) = parameter.split_at_checked(equals).unwrap_or((parameter, b""));
    if !gap.trim_ascii().is_empty() {
        return Err("invalid boundary in Content-Type (parameter name)");
    }
    flags.boundary_whitespace |= !gap.is_empty();
    let value = value.get(1..).unwrap_or_default();
    flags.boundary_whitespace |= value.first().is_some_and(u8::is_ascii_whitespace);
    let boundary = match value {
        [b'"', inner @ .., b'"'] => {
            flags.boundary_quoted = true;
            inner
        }
        [b'"', ..] | [.., b'"'] => return Err("invalid boundary in Content-Type (quote)"),
        plain => plain,
    };
    checked(boundary)
}

fn checked(boundary: &[u8]) -> Result<&[u8], &'static str> {
    if boundary.is_empty() {
        return Err("invalid boundary in Content-Type (empty)");
    }
    if parameters_named_boundary(boundary) != 0 {
        return Err("invalid boundary in Content-Type (content)");
    }
    if has_valid_characters(boundary) {
        return Ok(boundary);
    }
    // Some clients append a charset, which RFC 2046 does not know; the boundary before it is good.
    let end = memchr::memchr(b';', boundary).unwrap_or(boundary.len());
    let boundary = boundary.get(..end).unwrap_or_default();
    if boundary.is_empty() || !has_valid_characters(boundary) {
        return Err("invalid boundary in Content-Type (characters)");
    }
    Ok(boundary)
}

/// RFC 2046, section 5.1.1.
fn has_valid_characters(boundary: &[u8]) -> bool {
    !boundary.ends_with(b" ")
        && boundary.iter().all(|byte| byte.is_ascii_alphanumeric() || b" '()+_,-./:=?".contains(byte))
}

/// How often a parameter `boundary` seems to be set, in any case.
fn parameters_named_boundary(text: &[u8]) -> usize {
    let lower = text.to_ascii_lowercase();
    memchr::memmem::find_iter(&lower, b"boundary")
        .filter(|at| lower.get(*at..).is_some_and(|rest| rest.contains(&b'=')))
        .count()
}
