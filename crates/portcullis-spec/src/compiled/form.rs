//! Forms, urlencoded and multipart: fields made into one object of the types its schema names.

use std::{borrow::Cow, collections::HashMap};

use bytes::Bytes;
use http::HeaderMap;
use portcullis_core::verdict::Place;
use portcullis_leaves::{
    Limits, Tree, json,
    media::{MediaRange, MediaType},
    multipart::{self, Part},
};

use super::{
    Refusal,
    body::{explained, malformed},
};
use crate::{
    model::{MediaTypeObject, Style},
    parameters::{
        draft::{Draft, Reading},
        fields::{Field, Match, Notation, fields},
        shape::Shape,
        style::Form,
    },
    schema::{Entry, SchemaSet},
    violation::Violation,
};

/// A form of one operation.
#[derive(Debug)]
pub(super) struct FormBody {
    entry: Entry,
    shape: Shape,
    /// Properties with an encoding of their own.
    written: HashMap<Box<str>, Written>,
}

/// How a property is written.
#[derive(Debug)]
struct Written {
    style: Option<Style>,
    explode: bool,
    media: Vec<MediaRange>,
    json: bool,
}

impl FormBody {
    pub(super) fn compile(media: &MediaTypeObject, shape: Shape, entry: Entry) -> Self {
        let written = media.encoding.iter().map(|(name, encoding)| {
            let json =
                encoding.content_types.iter().any(|it| MediaType::parse(it).is_ok_and(|it| it.is_json()));
            let media = encoding.content_types.iter().filter_map(|it| MediaRange::parse(it).ok()).collect();
            (name.as_str().into(), Written { style: encoding.style, explode: encoding.explode, media, json })
        });
        let written = written.collect();
        Self { entry, shape, written }
    }

    /// Checks `application/x-www-form-urlencoded` (WHATWG URL §5.1).
    pub(super) fn check_fields(
        &self,
        schemas: &SchemaSet,
        limits: &Limits,
        body: &[u8],
    ) -> Result<Tree, Refusal> {
        let text = std::str::from_utf8(body).map_err(|_| malformed("is no form: not UTF-8"))?;
        let fields_max = usize::try_from(limits.fields_max).unwrap_or(usize::MAX);
        let mut order: Vec<Cow<'_, str>> = Vec::new();
        let mut owned: HashMap<Cow<'_, str>, Vec<(Match, Field<'_>)>> = HashMap::new();
        for (count, field) in fields(text).enumerate() {
            if count >= fields_max {
                return Err(malformed(format!("is a form of more than {fields_max} fields")));
            }
            let field = field.map_err(|error| malformed(format!("is no form: {error}")))?;
            let (owner, how) = self.owner(&field.name);
            let mine = owned.entry(owner.clone()).or_default();
            if mine.is_empty() {
                order.push(owner);
            }
            mine.push((how, field));
        }
        let mut members = Vec::with_capacity(order.len());
        for name in order {
            let mine = owned.get(&name).map(Vec::as_slice).unwrap_or_default();
            let mine: Vec<(Match, &Field<'_>)> = mine.iter().map(|(how, field)| (*how, field)).collect();
            let draft = self.property(&name, &mine, limits)?;
            members.push((name, draft));
        }
        self.judge(schemas, limits, &Draft::Members(members))
    }

    /// The property a field belongs to: the one of its name, or of its name before the first bracket where that is
    /// an object or array.
    fn owner<'a>(&self, name: &str) -> (Cow<'a, str>, Match) {
        if !self.shape.properties.iter().any(|(it, _)| **it == *name)
            && name.ends_with(']')
            && let Some((outer, _)) = name.split_once('[')
            && self.shape.property(outer).is_some_and(|it| it.is_object() || it.is_array())
        {
            return (Cow::Owned(outer.to_owned()), Match::Within);
        }
        (Cow::Owned(name.to_owned()), Match::Whole)
    }

    fn property<'a>(
        &self,
        name: &str,
        fields: &[(Match, &Field<'a>)],
        limits: &Limits,
    ) -> Result<Draft<'a>, Refusal> {
        const ANY: &Shape = &Shape::ANY;
        let shape = self.shape.property(name).unwrap_or(ANY);
        let written = self.written.get(name);
        let style = written.and_then(|it| it.style);
        let notation = Notation {
            name: name.into(),
            style: style.unwrap_or(Style::Form),
            explode: style.is_none() || written.is_none_or(|it| it.explode),
            form: Form::of(shape),
        };
        // An object without a style of its own is written as JSON (OpenAPI 3.1 §4.8.15.1.1), as is what says so.
        let json = written.is_some_and(|it| it.json) || (style.is_none() && notation.form == Form::Object);
        let form = if json { Form::Scalar } else { notation.form };
        let whole = fields.iter().all(|(how, _)| *how == Match::Whole);
        let refuse = |message: String| {
            Refusal::Malformed(Box::new(Violation::new(
                "unparsable",
                Place::Body(format!("/{name}").into()),
                message,
            )))
        };
        if fields.len() > 1 && whole && form != Form::Array && self.shape.property(name).is_some() {
            let place = Place::Body(format!("/{name}").into());
            let message = "comes more than once and is no array";
            return Err(Refusal::Invalid(vec![Violation::new("repeated_parameter", place, message)]));
        }
        // A field nobody declared: what comes twice is shown as a list to the schema, which decides.
        let form = if fields.len() > 1 && whole { Form::Array } else { form };
        let draft = notation.draft(fields, form, shape).map_err(|error| refuse(error.to_string()))?;
        match draft {
            Draft::Text(text) if json && whole => {
                json::parse(Bytes::copy_from_slice(text.as_bytes()), limits)
                    .map(|tree| Draft::Tree(Box::new(tree)))
                    .map_err(|error| refuse(format!("is no JSON: {error}")))
            }
            draft => Ok(draft),
        }
    }

    /// Checks `multipart/form-data` (RFC 7578).
    pub(super) fn check_parts(
        &self,
        schemas: &SchemaSet,
        limits: &Limits,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<Tree, Refusal> {
        let said =
            headers.get(http::header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
        let parsed =
            multipart::boundary(said).and_then(|boundary| multipart::parse(body.clone(), &boundary, limits));
        let parsed = parsed.map_err(|error| malformed(format!("is no multipart form: {error}")))?;
        let mut members: Vec<(Cow<'_, str>, Draft<'_>)> = Vec::with_capacity(parsed.parts().len());
        for part in parsed.parts() {
            const ANY: &Shape = &Shape::ANY;
            let shape = self.shape.property(&part.name).unwrap_or(ANY);
            let array = shape.is_array();
            let draft =
                self.part(part, if array { shape.item() } else { shape }, parsed.content(part), limits)?;
            match members.iter_mut().find(|(name, _)| **name == *part.name) {
                Some((_, Draft::List(list))) if array => list.push(draft),
                // Twice the same name is refused by the tree.
                Some(_) | None if array => members.push((Cow::Borrowed(&part.name), as_list(draft))),
                Some(_) | None => members.push((Cow::Borrowed(&part.name), draft)),
            }
        }
        self.judge(schemas, limits, &Draft::Members(members))
    }

    fn part(
        &self,
        part: &Part,
        shape: &Shape,
        content: Bytes,
        limits: &Limits,
    ) -> Result<Draft<'static>, Refusal> {
        let place = || Place::Body(format!("/{}", part.name).into());
        let written = self.written.get(part.name.as_str());
        let media = part.content_type.as_deref().map(MediaType::parse);
        let media = match media {
            None => None,
            Some(Ok(media)) => Some(media),
            Some(Err(error)) => {
                let violation =
                    Violation::new("unparsable", place(), format!("has no usable media type: {error}"));
                return Err(Refusal::Malformed(Box::new(violation)));
            }
        };
        if let (Some(media), Some(written)) = (&media, written)
            && !written.media.is_empty()
            && !written.media.iter().any(|range| range.matches(media))
        {
            let violation =
                Violation::new("media_type", place(), "is not in one of the media types declared for it");
            return Err(Refusal::Invalid(vec![violation]));
        }
        let json = match &media {
            Some(media) => media.is_json(),
            None => written.is_some_and(|it| it.json) || (shape.is_object() && part.filename.is_none()),
        };
        if json {
            let tree = json::parse(content, limits).map_err(|error| {
                Refusal::Malformed(Box::new(Violation::new(
                    "unparsable",
                    place(),
                    format!("is no JSON: {error}"),
                )))
            })?;
            return Ok(Draft::Tree(Box::new(tree)));
        }
        // Content of a file is opaque: that it is there is all that a schema can ask.
        if shape.binary || part.filename.is_some() {
            return Ok(Draft::Text(Cow::Borrowed("")));
        }
        match std::str::from_utf8(&content) {
            Ok(text) => Ok(Draft::Text(Cow::Owned(text.to_owned()))),
            Err(_) => {
                let violation = Violation::new("unparsable", place(), "is not UTF-8 text");
                Err(Refusal::Malformed(Box::new(violation)))
            }
        }
    }

    /// Judges the form as an object, reading its fields as types first and as text after.
    fn judge(&self, schemas: &SchemaSet, limits: &Limits, draft: &Draft<'_>) -> Result<Tree, Refusal> {
        let build = |reading| {
            draft
                .build(&self.shape, reading, limits)
                .map_err(|error| malformed(format!("is no usable form: {error}")))
        };
        let typed = build(Reading::Typed)?;
        if schemas.is_valid(&self.entry, typed.root()) {
            return Ok(typed);
        }
        let text = build(Reading::Text)?;
        if schemas.is_valid(&self.entry, text.root()) {
            return Ok(text);
        }
        Err(Refusal::Invalid(explained(schemas, &self.entry, &typed)))
    }
}

/// The first of several parts of one name; a JSON array in one part is the whole.
fn as_list(draft: Draft<'_>) -> Draft<'_> {
    match draft {
        Draft::Tree(tree) if tree.root().kind() == portcullis_leaves::Kind::Array => Draft::Tree(tree),
        draft => Draft::List(vec![draft]),
    }
}
