//! Text between its notation and its types: what a style took apart, before a schema says what it is.

use std::borrow::Cow;

use portcullis_leaves::{BuildError, Limits, Tree, TreeBuilder};

use super::shape::{Shape, Types};

/// A value whose scalars are still text.
#[derive(Debug)]
pub(crate) enum Draft<'a> {
    /// A scalar.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Draft<'a>>),
    /// An object; names as they came, repeated ones included.
    Members(Vec<(Cow<'a, str>, Draft<'a>)>),
    /// Already parsed: a JSON part of a form.
    Tree(Box<Tree>),
}

/// How a scalar is read that a schema allows to be text or something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// As a number, truth value or null, if it looks like one.
    Typed,
    /// As text.
    Text,
}

impl Draft<'_> {
    /// Builds the tree that a schema can judge.
    ///
    /// # Errors
    /// A limit is exceeded, or a member comes twice.
    pub(crate) fn build(&self, shape: &Shape, reading: Reading, limits: &Limits) -> Result<Tree, BuildError> {
        let mut builder = TreeBuilder::new(limits);
        self.write(shape, reading, &mut builder)?;
        builder.finish()
    }

    fn write(&self, shape: &Shape, reading: Reading, builder: &mut TreeBuilder) -> Result<(), BuildError> {
        match self {
            Self::Text(text) => scalar(text, shape.types, reading, builder),
            Self::List(elements) => {
                builder.begin_array()?;
                for element in elements {
                    element.write(shape.item(), reading, builder)?;
                }
                builder.end()
            }
            Self::Members(members) => {
                const ANY: &Shape = &Shape::ANY;
                builder.begin_object()?;
                for (name, member) in members {
                    builder.name(name)?;
                    member.write(shape.property(name).unwrap_or(ANY), reading, builder)?;
                }
                builder.end()
            }
            Self::Tree(tree) => copy(tree.root(), builder),
        }
    }
}

fn scalar(text: &str, types: Types, reading: Reading, builder: &mut TreeBuilder) -> Result<(), BuildError> {
    if types == Types::ANY || (reading == Reading::Text && types.has(Types::STRING)) {
        return builder.string(text);
    }
    if types.has(Types::NUMBER) && is_number(text) {
        return builder.number(text);
    }
    if types.has(Types::BOOLEAN) {
        match text {
            "true" => return builder.bool(true),
            "false" => return builder.bool(false),
            _ => {}
        }
    }
    if types.has(Types::NULL) && (text == "null" || (text.is_empty() && !types.has(Types::STRING))) {
        return builder.null();
    }
    builder.string(text)
}

/// The grammar of RFC 8259 §6. No `+`, no leading zeros, no hexadecimal: upstreams disagree about those.
pub(crate) fn is_number(text: &str) -> bool {
    fn digits(bytes: &[u8]) -> Option<&[u8]> {
        let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 { None } else { bytes.get(count..) }
    }
    let bytes = text.as_bytes();
    let bytes = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let whole = match bytes {
        [b'0', rest @ ..] => Some(rest),
        other => digits(other),
    };
    let fraction = whole.and_then(|rest| match rest {
        [b'.', rest @ ..] => digits(rest),
        rest => Some(rest),
    });
    let exponent = fraction.and_then(|rest| match rest {
        [b'e' | b'E', b'+' | b'-', rest @ ..] | [b'e' | b'E', rest @ ..] => digits(rest),
        rest => Some(rest),
    });
    exponent.is_some_and(<[u8]>::is_empty)
}

fn copy(value: portcullis_leaves::Value<'_>, builder: &mut TreeBuilder) -> Result<(), BuildError> {
    use portcullis_leaves::Kind;
    match value.kind() {
        Kind::Null => builder.null(),
        Kind::Bool => builder.bool(value.as_bool().unwrap_or_default()),
        Kind::Number => builder.number(value.number().map_or("0", |number| number.as_str())),
        Kind::String => builder.string(value.as_str().unwrap_or_default()),
        Kind::Array => {
            builder.begin_array()?;
            for element in value.elements() {
                copy(element, builder)?;
            }
            builder.end()
        }
        Kind::Object => {
            builder.begin_object()?;
            for (name, member) in value.members() {
                builder.name(name)?;
                copy(member, builder)?;
            }
            builder.end()
        }
    }
}
