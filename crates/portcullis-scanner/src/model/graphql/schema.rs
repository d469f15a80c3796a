//! A GraphQL schema, bare: what is needed to ask and to understand answers (GraphQL October 2021 §3).

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

use crate::model::Note;

/// A schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Schema {
    /// The type that queries begin at.
    pub query: Option<String>,
    /// The type that mutations begin at.
    pub mutation: Option<String>,
    /// Types by name, built-in scalars left out.
    pub types: BTreeMap<String, Type>,
    /// What was left out or guessed.
    pub notes: Vec<Note>,
}

/// A named type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    /// A scalar of the server's own.
    Scalar,
    /// An object or interface.
    Object(Vec<Field>),
    /// One of several objects.
    Union(Vec<String>),
    /// One of several names.
    Enum(Vec<String>),
    /// An object that is an argument.
    Input(Vec<Argument>),
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub name: String,
    pub arguments: Vec<Argument>,
    pub of: TypeRef,
    pub description: String,
    pub deprecated: bool,
}

/// An argument, or a field of an input object.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Argument {
    pub name: String,
    pub of: TypeRef,
    /// Its default as JSON; names of enumerations are strings.
    pub default: Option<Value>,
}

/// A type where it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TypeRef {
    Named(String),
    List(Box<TypeRef>),
    NonNull(Box<TypeRef>),
}

/// How deep lists of lists may go.
pub(super) const WRAPPERS_MAX: usize = 8;

impl TypeRef {
    /// The name at the bottom.
    pub(super) fn name(&self) -> &str {
        let mut at = self;
        loop {
            match at {
                Self::Named(name) => return name,
                Self::List(inner) | Self::NonNull(inner) => at = inner,
            }
        }
    }

    /// A type as it is written: `[User!]!`. `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut text = text.trim();
        let mut wrappers = Vec::new();
        while wrappers.len() <= 2 * WRAPPERS_MAX {
            if let Some(inner) = text.strip_suffix('!') {
                wrappers.push(Self::NonNull as fn(Box<Self>) -> Self);
                text = inner.trim();
            } else if let Some(inner) = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
                wrappers.push(Self::List as fn(Box<Self>) -> Self);
                text = inner.trim();
            } else {
                break;
            }
        }
        is_name(text).then(|| {
            wrappers.into_iter().rev().fold(Self::Named(text.to_owned()), |inner, wrap| wrap(Box::new(inner)))
        })
    }
}

/// Whether a text is a name (§2.1.9).
pub(super) fn is_name(text: &str) -> bool {
    text.bytes().next().is_some_and(|first| !first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl fmt::Display for TypeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::List(inner) => write!(f, "[{inner}]"),
            Self::NonNull(inner) => write!(f, "{inner}!"),
        }
    }
}

impl Argument {
    /// Whether a call without it is wrong.
    pub(super) fn is_required(&self) -> bool {
        matches!(self.of, TypeRef::NonNull(_)) && self.default.is_none()
    }
}

impl Field {
    /// Whether it can be asked for without arguments.
    pub(super) fn is_free(&self) -> bool {
        !self.arguments.iter().any(Argument::is_required)
    }
}

impl Schema {
    /// The fields of an object type.
    pub(super) fn fields(&self, name: &str) -> &[Field] {
        match self.types.get(name) {
            Some(Type::Object(fields)) => fields,
            Some(Type::Scalar | Type::Union(_) | Type::Enum(_) | Type::Input(_)) | None => &[],
        }
    }
}
