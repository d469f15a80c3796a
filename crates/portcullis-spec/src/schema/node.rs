//! The parse tape as `jsonschema` reads it: no second representation of a body is ever built.

use std::borrow::Cow;

use jsonschema::{
    JsonType,
    json::{Array, Json, JsonNumber, Node, NodeIdentity, Object},
};
use portcullis_leaves::{Elements, Kind, Members, Number, Value};

use super::equality::{are_unique, equals_json};

/// The representation's name: instances are [`Value`]s of a tape.
pub(crate) struct Tape;

impl Json for Tape {
    type Node<'a> = TapeNode<'a>;
    type PreparedKey = Box<str>;
    /// A lookup compares names from the first on, so one pass over the members beats a few lookups.
    const KEYS_PER_LOOKUP: usize = 8;
    type StringBuffer = ();

    fn prepare_key(key: &str) -> Box<str> {
        key.into()
    }

    fn with_string_node<T>((): &mut (), string: &str, f: impl FnOnce(TapeNode<'_>) -> T) -> T {
        f(TapeNode::Name(string))
    }
}

/// One instance value.
#[derive(Clone, Copy)]
pub(crate) enum TapeNode<'a> {
    /// A value of the tape.
    Value(Value<'a>),
    /// A member's name, as `propertyNames` asks for it.
    Name(&'a str),
    /// An object of one member around a root: the way into one schema of a shared document.
    Entry(&'a str, Value<'a>),
}

impl<'a> Node<'a, Tape> for TapeNode<'a> {
    type Object = TapeObject<'a>;
    type Array = TapeArray<'a>;
    type Number = TapeNumber<'a>;

    fn as_object(&self) -> Option<TapeObject<'a>> {
        match *self {
            Self::Value(value) if value.kind() == Kind::Object => Some(TapeObject::Real(value)),
            Self::Entry(name, root) => Some(TapeObject::Entry(name, root)),
            Self::Value(_) | Self::Name(_) => None,
        }
    }

    fn as_array(&self) -> Option<TapeArray<'a>> {
        match *self {
            Self::Value(value) if value.kind() == Kind::Array => Some(TapeArray(value)),
            Self::Value(_) | Self::Name(_) | Self::Entry(..) => None,
        }
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        match *self {
            Self::Value(value) => value.as_str().map(Cow::Borrowed),
            Self::Name(name) => Some(Cow::Borrowed(name)),
            Self::Entry(..) => None,
        }
    }

    fn as_number(&self) -> Option<TapeNumber<'a>> {
        match *self {
            Self::Value(value) => value.number().map(TapeNumber),
            Self::Name(_) | Self::Entry(..) => None,
        }
    }

    fn as_boolean(&self) -> Option<bool> {
        match *self {
            Self::Value(value) => value.as_bool(),
            Self::Name(_) | Self::Entry(..) => None,
        }
    }

    fn is_null(&self) -> bool {
        matches!(self, Self::Value(value) if value.kind() == Kind::Null)
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Value(value) if value.kind() == Kind::Number)
    }

    fn is_string(&self) -> bool {
        match self {
            Self::Value(value) => value.kind() == Kind::String,
            Self::Name(_) => true,
            Self::Entry(..) => false,
        }
    }

    fn json_type(&self) -> JsonType {
        match self {
            Self::Value(value) => match value.kind() {
                Kind::Null => JsonType::Null,
                Kind::Bool => JsonType::Boolean,
                Kind::Number => JsonType::Number,
                Kind::String => JsonType::String,
                Kind::Array => JsonType::Array,
                Kind::Object => JsonType::Object,
            },
            Self::Name(_) => JsonType::String,
            Self::Entry(..) => JsonType::Object,
        }
    }

    fn string_length(&self) -> Option<u64> {
        let text = match *self {
            Self::Value(value) => value.as_str()?,
            Self::Name(name) => name,
            Self::Entry(..) => return None,
        };
        // Continuation bytes are the only ones that begin no code point; the loop vectorises.
        Some(text.bytes().map(|byte| u64::from(byte.cast_signed() >= -0x40)).sum())
    }

    fn equals_value(&self, expected: &serde_json::Value) -> bool {
        match *self {
            Self::Value(value) => equals_json(value, expected),
            Self::Name(name) => expected.as_str() == Some(name),
            Self::Entry(..) => false,
        }
    }

    /// Errors carry places, which are looked up in the tape. All that `jsonschema` copies an instance for is to
    /// put it into an error, and a copy in each of them would let one bad body take a multiple of its size.
    fn to_value(&self) -> Cow<'a, serde_json::Value> {
        Cow::Borrowed(&serde_json::Value::Null)
    }

    fn identity(&self) -> Option<NodeIdentity> {
        // One validation sees one tape, so the index alone names a value; 1 and 2 are no addresses of names.
        Some(match self {
            Self::Value(value) => NodeIdentity::tagged(1, value.index()),
            Self::Name(name) => NodeIdentity::new(name.as_ptr().addr()),
            Self::Entry(..) => NodeIdentity::tagged(2, 0),
        })
    }
}

/// An object of the tape, or the one around a root.
pub(crate) enum TapeObject<'a> {
    /// An object of the tape.
    Real(Value<'a>),
    /// See [`TapeNode::Entry`].
    Entry(&'a str, Value<'a>),
}

impl<'a> Object<'a, Tape> for TapeObject<'a> {
    type Node = TapeNode<'a>;
    type MemberName = &'a str;
    type MembersIter = TapeMembers<'a>;

    fn len(&self) -> usize {
        match self {
            Self::Real(value) => value.len(),
            Self::Entry(..) => 1,
        }
    }

    fn get(&self, key: &Box<str>) -> Option<TapeNode<'a>> {
        match *self {
            Self::Real(value) => value.get(key).map(TapeNode::Value),
            Self::Entry(name, root) => (name == &**key).then_some(TapeNode::Value(root)),
        }
    }

    fn members(&self) -> TapeMembers<'a> {
        match *self {
            Self::Real(value) => TapeMembers::Real(value.members()),
            Self::Entry(name, root) => TapeMembers::Entry(Some((name, root))),
        }
    }
}

/// The members of a [`TapeObject`].
pub(crate) enum TapeMembers<'a> {
    /// Of an object of the tape.
    Real(Members<'a>),
    /// The one member around a root.
    Entry(Option<(&'a str, Value<'a>)>),
}

impl<'a> Iterator for TapeMembers<'a> {
    type Item = (&'a str, TapeNode<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = match self {
            Self::Real(members) => members.next(),
            Self::Entry(member) => member.take(),
        }?;
        Some((name, TapeNode::Value(value)))
    }
}

/// An array of the tape.
pub(crate) struct TapeArray<'a>(Value<'a>);

impl<'a> Array<'a, Tape> for TapeArray<'a> {
    type Node = TapeNode<'a>;
    type ElementsIter = TapeElements<'a>;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn elements(&self) -> TapeElements<'a> {
        TapeElements(self.0.elements())
    }

    fn is_unique(&self) -> bool {
        are_unique(self.0)
    }
}

/// The elements of a [`TapeArray`].
pub(crate) struct TapeElements<'a>(Elements<'a>);

impl<'a> Iterator for TapeElements<'a> {
    type Item = TapeNode<'a>;

    fn next(&mut self) -> Option<TapeNode<'a>> {
        self.0.next().map(TapeNode::Value)
    }
}

/// A number of the tape, read from its literal.
pub(crate) struct TapeNumber<'a>(Number<'a>);

impl JsonNumber for TapeNumber<'_> {
    fn as_u64(&self) -> Option<u64> {
        self.0.as_u64()
    }

    fn as_i64(&self) -> Option<i64> {
        self.0.as_i64()
    }

    fn as_f64(&self) -> Option<f64> {
        const LEAST: f64 = -9_223_372_036_854_775_808.0;
        let number = self.0.as_f64().filter(|number| number.is_finite())?;
        // What lies just below the least `i64` is nearest to it, and must not pass for it.
        let below = number == LEAST && self.0.as_i64().is_none();
        Some(if below { number.next_down() } else { number })
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.0.as_str())
    }

    fn to_number(&self) -> Cow<'_, serde_json::Number> {
        Cow::Owned(json_number(self.0))
    }

    fn is_integer(&self) -> bool {
        self.0.is_integer()
    }

    fn is_written_as_integer(&self) -> bool {
        self.0.is_written_as_integer()
    }
}

fn json_number(number: Number<'_>) -> serde_json::Number {
    number.as_str().parse().unwrap_or_else(|_| {
        // Too large for a double: the largest one answers every bound as the true number would.
        let largest = if number.as_str().starts_with('-') { f64::MIN } else { f64::MAX };
        serde_json::Number::from_f64(largest).unwrap_or_else(|| 0.into())
    })
}
