//! JSON that refuses an object naming a member twice: which of the two counts differs from parser to parser, and a
//! forger lives from such differences (RFC 8259 §4, RFC 7519 §4).

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};

/// The words by which a repeated member is told from other mistakes.
const REPEATED: &str = "repeated member";

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as near as an IEEE double comes.
    Number(f64),
    /// A string.
    String(Box<str>),
    /// An array.
    Array(Vec<Json>),
    /// An object in the order of the text; every name occurs once.
    Object(Vec<(Box<str>, Json)>),
}

/// Why a text is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonFault {
    /// Not JSON (RFC 8259), or nested deeper than 128.
    Malformed,
    /// An object names a member twice.
    MemberRepeated,
}

impl Json {
    /// Reads a text.
    ///
    /// # Errors
    /// When it is not exactly one JSON value, or names a member twice.
    pub fn parse(text: &[u8]) -> Result<Self, JsonFault> {
        serde_json::from_slice(text).map_err(|error| {
            if error.to_string().starts_with(REPEATED) {
                JsonFault::MemberRepeated
            } else {
                JsonFault::Malformed
            }
        })
    }

    /// The member of an object.
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(it, _)| &**it == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The items of an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "claims are dates; 2^53 seconds are enough")]
    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "claims are dates; 2^53 seconds are enough")]
    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members: Vec<(Box<str>, Json)> = Vec::new();
        let mut names = hashbrown::HashSet::new();
        while let Some(name) = map.next_key::<Box<str>>()? {
            if !names.insert(name.clone()) {
                return Err(de::Error::custom(REPEATED));
            }
            members.push((name, map.next_value()?));
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_repeated_members_at_any_depth() {
        for (text, expected) in [
            (r#"{"a":1,"b":[{"c":null,"d":"x"}]}"#, None),
            (r#"{"a":1,"a":1}"#, Some(JsonFault::MemberRepeated)),
            (r#"{"a":1,"\u0061":2}"#, Some(JsonFault::MemberRepeated)),
            (r#"{"a":[{"b":{"c":1,"c":2}}]}"#, Some(JsonFault::MemberRepeated)),
            (r#"{"a":1} "#, None),
            (r#"{"a":1}x"#, Some(JsonFault::Malformed)),
            ("\u{feff}{}", Some(JsonFault::Malformed)),
            (r#"{"a":"\ud800"}"#, Some(JsonFault::Malformed)),
            ("", Some(JsonFault::Malformed)),
            ("repeated member", Some(JsonFault::Malformed)),
        ] {
            assert_eq!(Json::parse(text.as_bytes()).err(), expected, "{text}");
        }
        assert_eq!(Json::parse("[".repeat(10_000).as_bytes()), Err(JsonFault::Malformed));
        assert_eq!(Json::parse(b"\"\xff\""), Err(JsonFault::Malformed));
    }
}
