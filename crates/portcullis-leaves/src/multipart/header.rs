//! The header block of a part.

use std::ops::Range;

use memchr::memmem;

use super::{MultipartError, Part};
use crate::{
    limits::{LimitExceeded, Limits},
    media::{Parameters, is_blank, is_token},
};

/// A header block that was read.
pub(super) struct Head {
    /// Bytes of it, with the blank line.
    pub(super) length: usize,
    name: String,
    filename: Option<String>,
    content_type: Option<String>,
    headers: Vec<(String, String)>,
}

impl Head {
    /// The part that it is the head of.
    pub(super) fn part(self, content: Range<usize>) -> Part {
        let Self { length: _, name, filename, content_type, headers } = self;
        Part { name, filename, content_type, headers, content }
    }
}

/// Reads the header block at the beginning of `rest`, which belongs to the part of that `number`.
pub(super) fn read(rest: &[u8], number: usize, limits: &Limits) -> Result<Head, MultipartError> {
    let max = limits.part_header_bytes_max as usize;
    let window = rest.get(..rest.len().min(max.saturating_add(4))).unwrap_or_default();
    let Some(end) = memmem::find(window, b"\r\n\r\n") else {
        let too_long = rest.len() > window.len();
        return Err(match too_long {
            true => LimitExceeded::PartHeaderBytes(limits.part_header_bytes_max).into(),
            false => MultipartError::Header(number),
        });
    };
    let block = window.get(..end).and_then(|block| std::str::from_utf8(block).ok());
    let block = block.ok_or(MultipartError::Header(number))?;
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in block.split("\r\n") {
        let (name, value) = line.split_once(':').ok_or(MultipartError::Header(number))?;
        // A leading blank would be folding; a bare CR or LF is taken for a line end by some receivers, and a line that
        // begins like a delimiter for one.
        if !is_token(name)
            || name.starts_with("--")
            || value.bytes().any(|byte| matches!(byte, 0..=8 | 10..=31 | 127))
        {
            return Err(MultipartError::Header(number));
        }
        let name = name.to_ascii_lowercase();
        // Few fields: the block is bounded to kilobytes, and repeated ones end the loop.
        if headers.len() >= FIELDS_MAX {
            return Err(MultipartError::Header(number));
        }
        if headers.iter().any(|(known, _)| *known == name) {
            return Err(MultipartError::RepeatedHeader(number));
        }
        headers.push((name, value.trim_matches(is_blank).to_owned()));
    }
    let value = |name: &str| headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str());
    let same_bytes = ["7bit", "8bit", "binary"];
    if let Some(encoding) = value("content-transfer-encoding")
        && !same_bytes.iter().any(|known| encoding.eq_ignore_ascii_case(known))
    {
        return Err(MultipartError::TransferEncoding(number));
    }
    let disposition = value("content-disposition").and_then(disposition);
    let (name, filename) = disposition.ok_or(MultipartError::Disposition(number))?;
    let content_type = value("content-type").map(str::to_owned);
    Ok(Head { length: end + 4, name, filename, content_type, headers })
}

/// Header fields of one part. Real clients send two or three.
const FIELDS_MAX: usize = 16;

/// Name and file name of a `form-data; name="…"; filename="…"`; `None` when it is anything else.
fn disposition(text: &str) -> Option<(String, Option<String>)> {
    let (kind, parameters) = text.split_at(text.find(';')?);
    if !kind.trim_end_matches(is_blank).eq_ignore_ascii_case("form-data") {
        return None;
    }
    let mut name = None;
    let mut filename = None;
    for parameter in (Parameters { rest: parameters }) {
        let (key, value) = parameter.ok()?;
        // Some receivers take a backslash for an escape, others for itself.
        if value.contains('\\') {
            return None;
        }
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        let slot = match key {
            key if key.eq_ignore_ascii_case("name") => &mut name,
            key if key.eq_ignore_ascii_case("filename") => &mut filename,
            // `filename*` must not be sent (RFC 7578 §4.2), and nothing else is defined.
            _ => return None,
        };
        if slot.replace(value.to_owned()).is_some() {
            return None;
        }
    }
    Some((name?, filename))
}
