//! Which bodies the gate reads, by media type.

use http::HeaderMap;
use portcullis_leaves::media::{MediaRange, MediaType, MediaTypeError};

/// How a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// As JSON.
    Json,
    /// As `application/x-www-form-urlencoded`.
    Form,
    /// As `multipart/form-data`.
    Multipart,
    /// As text.
    Text,
    /// Not at all.
    Opaque,
}

impl Reads {
    pub(super) fn of(media: &MediaType<'_>) -> Self {
        if media.is_json() {
            Self::Json
        } else if media.is("application/x-www-form-urlencoded") {
            Self::Form
        } else if media.is("multipart/form-data") {
            Self::Multipart
        } else if media.main().eq_ignore_ascii_case("text") {
            Self::Text
        } else {
            Self::Opaque
        }
    }
}

/// Whether a declared range covers forms.
pub(super) fn may_be_form(range: &str) -> bool {
    covers(range, "application/x-www-form-urlencoded") || covers(range, "multipart/form-data")
}

/// Whether a declared range covers JSON.
pub(super) fn may_be_json(range: &str) -> bool {
    covers(range, "application/json") || MediaType::parse(range).is_ok_and(|it| it.is_json())
}

fn covers(range: &str, essence: &str) -> bool {
    MediaRange::parse(range)
        .is_ok_and(|range| MediaType::parse(essence).is_ok_and(|media| range.matches(&media)))
}

/// What the head of a message says about its body's type.
pub(super) enum Said<'a> {
    /// Nothing.
    Nothing,
    /// Two things, or something that is no media type.
    Nonsense(&'static str),
    /// A media type.
    Type(MediaType<'a>),
}

pub(super) fn content_type(headers: &HeaderMap) -> Said<'_> {
    let mut lines = headers.get_all(http::header::CONTENT_TYPE).iter();
    match (lines.next(), lines.next()) {
        (None, _) => Said::Nothing,
        (Some(_), Some(_)) => Said::Nonsense("`Content-Type` comes more than once"),
        (Some(line), None) => {
            match line.to_str().map_err(|_| MediaTypeError::Essence).and_then(MediaType::parse) {
                Ok(media) => Said::Type(media),
                Err(_) => Said::Nonsense("`Content-Type` is no media type"),
            }
        }
    }
}

/// Whether the body has a content coding (RFC 9110 §8.4) other than `identity`.
pub(super) fn is_coded(headers: &HeaderMap) -> bool {
    headers
        .get_all(http::header::CONTENT_ENCODING)
        .iter()
        .any(|line| !line.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity") && !line.is_empty())
}
