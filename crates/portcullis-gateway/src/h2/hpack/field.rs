//! One field of a header block.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

/// What a field says about the message itself (RFC 9113 §8.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pseudo {
    /// Of requests.
    Method,
    /// Of requests.
    Scheme,
    /// Of requests.
    Authority,
    /// Of requests.
    Path,
    /// Of answers.
    Status,
}

/// A field. Cloning it copies no bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// A pseudo-header field.
    Pseudo(Pseudo, Bytes),
    /// A header field.
    Plain(HeaderName, HeaderValue),
    /// One that no message can have: another pseudo-header field, a name in capitals, bytes that do not belong. The
    /// message is at fault and not the compression, whose table must go on holding it.
    Bad {
        /// Bytes of its name.
        name: usize,
        /// Bytes of its value.
        value: usize,
    },
}

impl Pseudo {
    fn named(name: &[u8]) -> Option<Self> {
        match name {
            b":method" => Some(Self::Method),
            b":scheme" => Some(Self::Scheme),
            b":authority" => Some(Self::Authority),
            b":path" => Some(Self::Path),
            b":status" => Some(Self::Status),
            _ => None,
        }
    }

    const fn name_len(self) -> usize {
        match self {
            Self::Method | Self::Scheme | Self::Status => 7,
            Self::Authority => 10,
            Self::Path => 5,
        }
    }
}

/// A name, taken from a table or read.
#[derive(Clone)]
pub(super) enum Name {
    Pseudo(Pseudo),
    Plain(HeaderName),
    Bad(usize),
}

impl Name {
    pub(super) fn read(name: &[u8]) -> Self {
        if name.first() == Some(&b':') {
            return Pseudo::named(name).map_or(Self::Bad(name.len()), Self::Pseudo);
        }
        // Refuses capitals, which RFC 9113 §8.2 forbids.
        HeaderName::from_lowercase(name).map_or(Self::Bad(name.len()), Self::Plain)
    }

    pub(super) fn with(self, value: Bytes) -> Field {
        let bytes = value.len();
        match self {
            Self::Pseudo(pseudo) => Field::Pseudo(pseudo, value),
            Self::Plain(name) if is_padded(&value) => Field::Bad { name: name.as_str().len(), value: bytes },
            Self::Plain(name) => match HeaderValue::from_maybe_shared(value) {
                Ok(value) => Field::Plain(name, value),
                Err(_) => Field::Bad { name: name.as_str().len(), value: bytes },
            },
            Self::Bad(name) => Field::Bad { name, value: bytes },
        }
    }
}

/// A value begins and ends without white space (RFC 9113 §8.2.1): HTTP/1 readers would see another one.
fn is_padded(value: &[u8]) -> bool {
    let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    is_space(value.first()) || is_space(value.last())
}

impl Field {
    pub(super) fn name(&self) -> Name {
        match self {
            Self::Pseudo(pseudo, _) => Name::Pseudo(*pseudo),
            Self::Plain(name, _) => Name::Plain(name.clone()),
            Self::Bad { name, .. } => Name::Bad(*name),
        }
    }

    /// What it counts for in a table or list (RFC 7541 §4.1, RFC 9113 §6.5.2).
    pub(crate) fn size(&self) -> usize {
        const OVERHEAD: usize = 32;
        OVERHEAD
            + match self {
                Self::Pseudo(pseudo, value) => pseudo.name_len() + value.len(),
                Self::Plain(name, value) => name.as_str().len() + value.len(),
                Self::Bad { name, value } => name + value,
            }
    }
}

/// A field of the static table.
pub(super) fn of_text(name: &'static str, value: &'static str) -> Field {
    Name::read(name.as_bytes()).with(Bytes::from_static(value.as_bytes()))
}
