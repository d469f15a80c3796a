//! One parameter, header field or form property: how it is written and what it must be.

use std::{borrow::Cow, collections::HashMap};

use bytes::Bytes;
use portcullis_core::verdict::Place;
use portcullis_leaves::{Limits, json};
use serde_json::{Map, Value};

use super::{
    draft::{Draft, Reading},
    fields::Notation,
    plain::Plain,
    shape::{Shape, Types},
    style::{Coding, Form, StyleError, split},
};
use crate::{
    model::{Parameter, ParameterLocation, SchemaRef, Style},
    schema::{Entry, SchemaSet},
    violation::Violation,
};

/// What is read from schemas before they are compiled and dropped.
#[derive(Debug, Default)]
pub(crate) struct Prepared(HashMap<SchemaRef, (Option<Plain>, Shape)>);

impl Prepared {
    /// Reads one schema.
    pub(crate) fn read(&mut self, schema: &SchemaRef, definitions: &Map<String, Value>) {
        if !self.0.contains_key(schema) {
            let read = (Plain::of(schema.name(), definitions), Shape::of(schema.name(), definitions));
            self.0.insert(schema.clone(), read);
        }
    }

    /// The types of a schema.
    pub(crate) fn shape(&self, schema: &SchemaRef) -> Shape {
        self.0.get(schema).map_or(Shape::ANY, |(_, shape)| shape.clone())
    }

    fn plain(&self, schema: &SchemaRef) -> Option<Plain> {
        self.0.get(schema).and_then(|(plain, _)| plain.clone())
    }
}

/// A declared value.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) notation: Notation,
    pub(crate) shape: Shape,
    pub(crate) location: ParameterLocation,
    pub(crate) required: bool,
    allow_empty: bool,
    /// Decides most calls without building anything.
    plain: Option<Plain>,
    /// Whether the whole text is a JSON document of its own.
    json: bool,
    /// `None` accepts anything.
    entry: Option<Entry>,
}

/// Where values are judged.
#[derive(Clone, Copy)]
pub(crate) struct Judge<'a> {
    pub(crate) schemas: &'a SchemaSet,
    pub(crate) limits: &'a Limits,
}

impl Declared {
    /// Compiles a parameter; `None` when its schema is broken, which costs the operation.
    pub(crate) fn compile(parameter: &Parameter, prepared: &Prepared, schemas: &SchemaSet) -> Option<Self> {
        let entry = match &parameter.schema {
            Some(schema) => Some(schemas.entry(schema)?),
            None => None,
        };
        let shape = parameter.schema.as_ref().map_or(Shape::ANY, |schema| prepared.shape(schema));
        let content = parameter.content.as_deref();
        let json = content.is_some_and(|it| it == "application/json" || it.ends_with("+json"));
        let form = if content.is_some() { Form::Scalar } else { Form::of(&shape) };
        let wrapped = matches!(parameter.style, Style::Label | Style::Matrix);
        let plain = parameter.schema.as_ref().filter(|_| content.is_none() && !wrapped);
        Some(Self {
            notation: Notation {
                name: parameter.name.as_str().into(),
                style: parameter.style,
                explode: parameter.explode,
                form,
            },
            location: parameter.location,
            required: parameter.required,
            allow_empty: parameter.allow_empty_value,
            plain: plain.and_then(|schema| prepared.plain(schema)),
            json,
            // A document in another media type than JSON or plain text is not judged.
            entry: entry.filter(|_| content.is_none_or(|it| json || it == "text/plain")),
            shape,
        })
    }

    /// Where it stands.
    pub(crate) fn place(&self) -> Place {
        let name = self.notation.name.clone();
        match self.location {
            ParameterLocation::Query => Place::Query(name),
            ParameterLocation::Path => Place::PathParameter(name),
            ParameterLocation::Header => Place::Header(name.to_ascii_lowercase().into()),
            ParameterLocation::Cookie => Place::Cookie(name),
        }
    }

    /// Checks one text that holds the whole value.
    pub(crate) fn check_text(
        &self,
        judge: Judge<'_>,
        text: &str,
        coding: Coding,
        found: &mut Vec<Violation>,
    ) {
        if let Some(plain) = &self.plain
            && coding.decode(text).is_ok_and(|text| plain.accepts(&text))
        {
            return;
        }
        let notation = &self.notation;
        let draft = |form| split(text, &notation.name, notation.style, notation.explode, form, coding);
        self.check(judge, text, &draft, found);
    }

    /// Checks a value that `draft` reads in a given form; `text` is what was seen of it.
    pub(crate) fn check<'a>(
        &self,
        judge: Judge<'_>,
        text: &str,
        draft: &dyn Fn(Form) -> Result<Draft<'a>, StyleError>,
        found: &mut Vec<Violation>,
    ) {
        if text.is_empty() && self.allow_empty {
            return;
        }
        let name = &*self.notation.name;
        let mut explained = None;
        for (form, reading) in self.readings() {
            let draft = match draft(form) {
                Ok(draft) => draft,
                Err(error) => {
                    let violation = Violation::new(style_word(error), self.place(), error.to_string());
                    explained.get_or_insert_with(|| vec![violation.seen(name, text)]);
                    continue;
                }
            };
            match self.judge(judge, &draft, reading) {
                Ok(()) => return,
                Err(violations) => {
                    explained.get_or_insert_with(|| {
                        violations.into_iter().map(|it| self.placed(it, text)).collect()
                    });
                }
            }
        }
        found.extend(explained.into_iter().flatten());
    }

    /// How the value may be read, likeliest first.
    fn readings(&self) -> impl Iterator<Item = (Form, Reading)> {
        let form = self.notation.form;
        let scalar = form.or_scalar(&self.shape).then_some(Form::Scalar);
        let either = self.shape.types.has(Types::STRING) && self.shape.types != Types::STRING
            || self.shape.item().types.has(Types::STRING);
        // A schema that takes text and numbers may mean either by the same characters.
        let readings = if either { &[Reading::Typed, Reading::Text][..] } else { &[Reading::Typed] };
        [Some(form), scalar]
            .into_iter()
            .flatten()
            .flat_map(move |form| readings.iter().map(move |it| (form, *it)))
    }

    fn judge(&self, judge: Judge<'_>, draft: &Draft<'_>, reading: Reading) -> Result<(), Vec<Violation>> {
        let Some(entry) = &self.entry else { return Ok(()) };
        let tree = match draft {
            Draft::Text(text) if self.json => {
                json::parse(Bytes::copy_from_slice(text.as_bytes()), judge.limits).map_err(|error| {
                    vec![Violation::new("unparsable", self.place(), format!("is no JSON: {error}"))]
                })
            }
            draft => draft.build(&self.shape, reading, judge.limits).map_err(|error| {
                vec![Violation::new("unreadable", self.place(), format!("cannot be read: {error}"))]
            }),
        }?;
        if judge.schemas.is_valid(entry, tree.root()) {
            return Ok(());
        }
        let violations = judge.schemas.explain(entry, &tree);
        if violations.is_empty() {
            Err(vec![Violation::new("schema", self.place(), "is not valid")])
        } else {
            Err(violations)
        }
    }

    /// Brings a violation found in the value to the place of the parameter.
    fn placed(&self, mut violation: Violation, text: &str) -> Violation {
        let place = std::mem::replace(&mut violation.place, self.place());
        match place {
            Place::Body(pointer) if !pointer.is_empty() => {
                violation.message = format!("at `{pointer}`: {}", violation.message);
                violation
            }
            _ => violation.seen(&self.notation.name, &Cow::Borrowed(text)),
        }
    }
}

fn style_word(error: StyleError) -> &'static str {
    match error {
        StyleError::Percent(_) => "percent_encoding",
        StyleError::Prefix(_) | StyleError::Odd => "style",
        StyleError::TooMany(_) => "too_many_fields",
    }
}
