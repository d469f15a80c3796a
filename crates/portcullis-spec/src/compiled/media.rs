//! Which bodies the gate reads, by media type.

use http::HeaderMap;
use portcullis_leaves::media::{MediaRange, MediaType, MediaTypeError};

use crate::parameters::shape::{Shape, Types};

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

/// What becomes of a body in a media type that is not read, or read only as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is accepted: it was declared by its very name, or nothing that could be checked is said of it.
    Passes,
    /// It is held to the schema as one string.
    AsText,
    /// It cannot be held to the schema, so it is refused: a range is for all types that the schema fits, and whoever
    /// names another type must not get around the schema.
    Refused,
}

impl Unread {
    /// What a schema of this shape asks under a range (RFC 9110 §12.5.1).
    pub(super) fn under_range(shape: &Shape) -> Self {
        if !shape.types.has(Types::STRING) {
            Self::Refused
        } else if shape.binary || shape.bare {
            Self::Passes
        } else if shape.types.within(Types::STRING.or(Types::NULL)) {
            Self::AsText
        } else {
            Self::Refused
        }
    }
}

/// Whether it is a range of media types and not one of them.
pub(super) fn is_range(range: &str) -> bool {
    MediaRange::parse(range).is_ok_and(|it| it.specificity() < 2)
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
