//! `application/x-www-form-urlencoded` bodies and queries (WHATWG URL §5.1), strictly.

use std::ops::Range;

use thiserror::Error;

use crate::{
    limits::{LENGTH_MAX, LimitExceeded, Limits},
    percent::{Plus, decode_into},
};

/// What is wrong with a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FormError {
    /// A bound on bodies.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// A `%` without two hexadecimal digits: receivers differ in whether they keep it.
    #[error("invalid percent sequence at byte {0}")]
    InvalidPercent(usize),
    /// A name or value that is not UTF-8 once decoded; the number is its field's place, from 0.
    #[error("invalid UTF-8 in field {0}")]
    InvalidUtf8(usize),
}

/// The decoded fields of a form in order, repeated names included.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    text: String,
    /// Where each name and the value after it lie in the text.
    places: Vec<(Range<u32>, Range<u32>)>,
}

/// Parses a form body, or a query without its `?`. `a` reads as `a=`, empty fields (`&&`) are none.
///
/// # Errors
/// See [`FormError`].
pub fn parse(body: &[u8], limits: &Limits) -> Result<Fields, FormError> {
    if body.len() > LENGTH_MAX {
        return Err(LimitExceeded::Length(LENGTH_MAX).into());
    }
    let mut decoded = Vec::with_capacity(body.len());
    let mut places = Vec::new();
    let mut start = 0;
    while start < body.len() {
        let rest = body.get(start..).unwrap_or_default();
        let field = rest.get(..memchr::memchr(b'&', rest).unwrap_or(rest.len())).unwrap_or_default();
        if !field.is_empty() {
            if places.len() >= limits.fields_max as usize {
                return Err(LimitExceeded::Fields(limits.fields_max).into());
            }
            let (name, value, value_start) = match memchr::memchr(b'=', field) {
                Some(at) => (field.get(..at), field.get(at + 1..), start + at + 1),
                None => (Some(field), None, start),
            };
            let name = part(name.unwrap_or_default(), start, &mut decoded)?;
            let value = part(value.unwrap_or_default(), value_start, &mut decoded)?;
            if value.len() > limits.string_bytes_max as usize {
                return Err(LimitExceeded::StringBytes(limits.string_bytes_max).into());
            }
            if name.len() > limits.name_bytes_max as usize {
                return Err(LimitExceeded::NameBytes(limits.name_bytes_max).into());
            }
            places.push((name, value));
        }
        start += field.len() + 1;
    }
    let text = match String::from_utf8(decoded) {
        Ok(text) => text,
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let field = places.iter().position(|(_, value)| valid < value.end as usize);
            return Err(FormError::InvalidUtf8(field.unwrap_or_default()));
        }
    };
    // Two fields must not complete each other's characters: each must be UTF-8 by itself.
    let whole = |range: &Range<u32>| text.get(range.start as usize..range.end as usize).is_some();
    match places.iter().position(|(name, value)| !whole(name) || !whole(value)) {
        Some(field) => Err(FormError::InvalidUtf8(field)),
        None => Ok(Fields { text, places }),
    }
}

/// Decodes a name or value that begins at `offset` of the body; where it then lies.
fn part(coded: &[u8], offset: usize, decoded: &mut Vec<u8>) -> Result<Range<u32>, FormError> {
    let start = decoded.len();
    decode_into(coded, Plus::Space, decoded).map_err(|place| FormError::InvalidPercent(offset + place))?;
    Ok(start as u32..decoded.len() as u32)
}

impl Fields {
    /// Name and value of each field, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        self.places.iter().map(|(name, value)| (self.text(name), self.text(value)))
    }

    /// The values of all fields of that name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + Clone {
        self.iter().filter(move |field| field.0 == name).map(|field| field.1)
    }

    /// The number of fields.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn text(&self, range: &Range<u32>) -> &str {
        self.text.get(range.start as usize..range.end as usize).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(body: &str) -> Result<Vec<(String, String)>, FormError> {
        let fields = parse(body.as_bytes(), &Limits { fields_max: 4, ..Limits::default() })?;
        Ok(fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    #[test]
    fn keeps_order_and_repeated_names() {
        let fields = parse(b"a=1&b=2&a=3+4%21&&c&=d", &Limits::default()).unwrap();
        let all: Vec<_> = fields.iter().collect();
        assert_eq!(all, [("a", "1"), ("b", "2"), ("a", "3 4!"), ("c", ""), ("", "d")]);
        assert_eq!(fields.all("a").collect::<Vec<_>>(), ["1", "3 4!"]);
        assert_eq!(check("").unwrap(), []);
        assert_eq!(check("a=b=c").unwrap(), [("a".to_owned(), "b=c".to_owned())]);
        assert_eq!(check("a=%00").unwrap(), [("a".to_owned(), "\0".to_owned())]);
    }

    #[test]
    fn refuses_what_receivers_read_differently() {
        assert_eq!(check("a=1&b=%zz"), Err(FormError::InvalidPercent(6)));
        assert_eq!(check("a%2"), Err(FormError::InvalidPercent(1)));
        assert_eq!(check("x=1&a=%ff"), Err(FormError::InvalidUtf8(1)));
    }

    #[test]
    fn a_character_does_not_span_two_fields() {
        assert_eq!(check("a=%C3&%A9=b"), Err(FormError::InvalidUtf8(0)));
    }

    #[test]
    fn counts_a_repeated_field_each_time() {
        assert_eq!(check("a&a&a&a&a"), Err(FormError::Limit(LimitExceeded::Fields(4))));
        assert_eq!(check("a&a&a&a&").map(|fields| fields.len()), Ok(4));
    }

    proptest! {
        #[test]
        fn never_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&body, &Limits::default());
        }

        #[test]
        fn reads_back_what_was_encoded(fields in proptest::collection::vec((".{0,8}", ".{0,8}"), 0..8)) {
            let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
            let body: Vec<_> =
                fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
            let parsed = parse(body.join("&").as_bytes(), &Limits::default()).unwrap();
            let read: Vec<_> = parsed.iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
            prop_assert_eq!(read, fields);
        }
    }
}
