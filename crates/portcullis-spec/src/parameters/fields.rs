//! Queries and forms: fields `name=value`, still encoded, brought to the parameters or properties they belong to.

use std::borrow::Cow;

use portcullis_leaves::percent::{self, Plus};

use super::{
    draft::Draft,
    shape::Shape,
    style::{Coding, Form, StyleError, split},
};
use crate::model::Style;

/// One field.
#[derive(Clone, Debug)]
pub(crate) struct Field<'a> {
    /// The name, decoded.
    pub(crate) name: Cow<'a, str>,
    /// The value as it came.
    pub(crate) value: &'a str,
}

/// The fields of a query or form; empty ones (`&&`) are none. An `Err` is a name that cannot be decoded.
pub(crate) fn fields(text: &str) -> impl Iterator<Item = Result<Field<'_>, percent::PercentError>> {
    text.split('&').filter(|field| !field.is_empty()).map(|field| {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        percent::decode(name, Plus::Space).map(|name| Field { name, value })
    })
}

/// How fields make up one value.
#[derive(Clone, Debug)]
pub(crate) struct Notation {
    pub(crate) name: Box<str>,
    pub(crate) style: Style,
    pub(crate) explode: bool,
    pub(crate) form: Form,
}

/// How a field's name names a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    /// It is the name.
    Whole,
    /// It is a place within: `name[a]`.
    Within,
    /// It is a member of an object whose members stand alone.
    Member,
}

impl Notation {
    /// Whether, and how, a field of this name belongs to the value.
    pub(crate) fn matches(&self, name: &str, shape: &Shape) -> Option<Match> {
        if self.style == Style::DeepObject {
            let within = name
                .strip_prefix(&*self.name)
                .is_some_and(|rest| rest.starts_with('[') && rest.ends_with(']'));
            return within.then_some(Match::Within);
        }
        if self.form == Form::Object && self.explode {
            return shape.property(name).is_some().then_some(Match::Member);
        }
        (name == &*self.name).then_some(Match::Whole)
    }

    /// Makes a draft of the fields that belong to the value, in order; at least one.
    pub(crate) fn draft<'a>(
        &self,
        fields: &[(Match, &Field<'a>)],
        form: Form,
        shape: &Shape,
    ) -> Result<Draft<'a>, StyleError> {
        let decoded = |field: &Field<'a>| Coding::Query.decode(field.value).map(Draft::Text);
        match (fields, form) {
            ([(Match::Within, _), ..], _) => deep(fields, self.name.len(), shape),
            ([(Match::Member, _), ..], _) => {
                let members = fields.iter().map(|(_, field)| Ok((field.name.clone(), decoded(field)?)));
                members.collect::<Result<_, _>>().map(Draft::Members)
            }
            (fields, Form::Array) if self.explode => {
                fields.iter().map(|(_, field)| decoded(field)).collect::<Result<_, _>>().map(Draft::List)
            }
            // A list that is written in one field and comes in several: a reader of any of them splits it.
            (fields, Form::Array) if fields.len() > 1 => {
                let mut list = Vec::new();
                for (_, field) in fields {
                    match split(field.value, &self.name, self.style, false, form, Coding::Query)? {
                        Draft::List(pieces) => list.extend(pieces),
                        other => list.push(other),
                    }
                }
                Ok(Draft::List(list))
            }
            ([(_, field), ..], form) => {
                split(field.value, &self.name, self.style, self.explode, form, Coding::Query)
            }
            ([], _) => Ok(Draft::Text(Cow::Borrowed(""))),
        }
    }
}

/// Levels of `name[a][b]`; deeper ones are refused by leaving the rest in the name.
const DEPTH_MAX: usize = 8;

/// Fields of the form `name[a]=1` in one value: each is brought to its place by looking along its siblings, so many
/// thousands would take seconds (CWE-407).
const WITHIN_MAX: usize = 5_000;

/// `name[a][b]=1`: objects by name, arrays where every name is empty or a number.
fn deep<'a>(fields: &[(Match, &Field<'a>)], skip: usize, shape: &Shape) -> Result<Draft<'a>, StyleError> {
    if fields.len() > WITHIN_MAX {
        return Err(StyleError::TooMany(WITHIN_MAX));
    }
    let mut root = Vec::new();
    for (_, field) in fields {
        let path = field.name.get(skip..).unwrap_or_default();
        let path = path.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(path);
        let path: Vec<&str> = path.splitn(DEPTH_MAX, "][").collect();
        insert(&mut root, &path, Coding::Query.decode(field.value)?);
    }
    Ok(lists(root, shape))
}

fn insert<'a>(members: &mut Vec<(Cow<'a, str>, Draft<'a>)>, path: &[&str], value: Cow<'a, str>) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        members.push((Cow::Owned((*first).to_owned()), Draft::Text(value)));
        return;
    }
    // An empty name (`a[][b]`) begins a new element each time it would repeat a member; as the standard knows no
    // such notation, each stands alone.
    let known = members
        .iter_mut()
        .find(|(name, it)| name == first && !first.is_empty() && matches!(it, Draft::Members(_)));
    match known {
        Some((_, Draft::Members(inner))) => insert(inner, rest, value),
        _ => {
            let mut inner = Vec::new();
            insert(&mut inner, rest, value);
            members.push((Cow::Owned((*first).to_owned()), Draft::Members(inner)));
        }
    }
}

/// Turns objects whose names are all empty or numbers into arrays, unless an object is meant.
fn lists<'a>(members: Vec<(Cow<'a, str>, Draft<'a>)>, shape: &Shape) -> Draft<'a> {
    const ANY: &Shape = &Shape::ANY;
    let listed = !shape.is_object()
        && !members.is_empty()
        && members.iter().all(|(name, _)| name.bytes().all(|byte| byte.is_ascii_digit()));
    let members = members.into_iter().map(|(name, member)| {
        let below = if listed { shape.item() } else { shape.property(&name).unwrap_or(ANY) };
        match member {
            Draft::Members(inner) => (name, lists(inner, below)),
            other => (name, other),
        }
    });
    if listed {
        Draft::List(members.map(|(_, member)| member).collect())
    } else {
        Draft::Members(members.collect())
    }
}
