//! Forms, urlencoded and multipart: fields made into one object of the types its schema names.

use std::{borrow::Cow, collections::HashMap};

use bytes::Bytes;
use http::HeaderMap;
use portcullis_core::verdict::Place;
use portcullis_leaves::{
    Kind, Limits, Tree, json,
    media::{MediaRange, MediaType, is_foreign},
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
        shape::{Shape, Types},
        style::{Coding, Form},
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
    /// Whether a part of it may come without a media type, which makes it text (RFC 7578 §4.4).
    untyped: bool,
}

impl FormBody {
    pub(super) fn compile(media: &MediaTypeObject, shape: Shape, entry: Entry) -> Self {
        let written = media.encoding.iter().map(|(name, encoding)| {
            let json =
                encoding.content_types.iter().any(|it| MediaType::parse(it).is_ok_and(|it| it.is_json()));
            let untyped = json
                || encoding.content_types.is_empty()
                || encoding.content_types.iter().any(|it| it.starts_with("text/") || it.starts_with('*'));
            let media = encoding.content_types.iter().filter_map(|it| MediaRange::parse(it).ok()).collect();
            let (style, explode) = (encoding.style, encoding.explode);
            (name.as_str().into(), Written { style, explode, media, json, untyped })
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
        // Every encoder of forms escapes it (WHATWG URL §1.3), and some receivers take it for `&`.
        if text.contains(';') {
            return Err(malformed("is no form: has a `;` that is not encoded"));
        }
        let fields_max = usize::try_from(limits.fields_max).unwrap_or(usize::MAX);
        let mut order: Vec<Cow<'_, str>> = Vec::new();
        let mut owned: HashMap<Cow<'_, str>, Vec<(Match, Field<'_>)>> = HashMap::new();
        for (count, field) in fields(text).enumerate() {
            if count >= fields_max {
                return Err(malformed(format!("is a form of more than {fields_max} fields")));
            }
            let field = field.map_err(|error| malformed(format!("is no form: {error}")))?;
            let (owner, how) = self.owner(&field.name);
            if how == Match::Whole {
                self.refuse_alias(&field.name)?;
            }
            check_charset(&field.name, || Coding::Query.decode(field.value).unwrap_or_default())?;
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

    /// Refuses the name of a place within a declared property that has no such places: `role[]` is `role` to many
    /// receivers, and to a schema a field that nobody declared.
    fn refuse_alias(&self, name: &str) -> Result<(), Refusal> {
        let declared = |name: &str| self.shape.properties.iter().any(|(it, _)| **it == *name);
        match name.split_once('[') {
            Some((outer, _)) if declared(outer) && !declared(name) => {
                let place = Place::Body(format!("/{outer}").into());
                let message = "is named with brackets, which it is not described with";
                Err(Refusal::Invalid(vec![Violation::new("notation", place, message)]))
            }
            Some(_) | None => Ok(()),
        }
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
        // Of a whole and a place within it, one overrides the other, and receivers differ in which.
        let mixed = !whole && fields.iter().any(|(how, _)| *how == Match::Whole);
        let twice = fields.len() > 1 && whole && self.shape.property(name).is_some();
        if (twice || mixed) && form != Form::Array {
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
            let name = self.part_owner(&part.name);
            self.refuse_alias(name)?;
            let content = parsed.content(part);
            check_charset(name, || String::from_utf8_lossy(&content))?;
            let shape = self.shape.property(name).unwrap_or(ANY);
            let array = shape.is_array();
            let item = if array { shape.item() } else { shape };
            let draft = self.part(part, name, (item, array), content.clone(), limits)?;
            match members.iter_mut().find(|(it, _)| **it == *name) {
                Some((_, Draft::List(list))) if array => list.push(draft),
                // Twice the same name is refused by the tree.
                Some(_) | None if array => members.push((Cow::Borrowed(name), as_list(draft))),
                Some(_) | None => members.push((Cow::Borrowed(name), draft)),
            }
        }
        self.judge(schemas, limits, &Draft::Members(members))
    }

    /// The property a part belongs to: the one of its name, or the array that it names an element of.
    fn part_owner<'a>(&self, name: &'a str) -> &'a str {
        let element = name.strip_suffix(']').and_then(|it| it.split_once('['));
        match element {
            Some((outer, index))
                if index.bytes().all(|it| it.is_ascii_digit())
                    && !self.shape.properties.iter().any(|(it, _)| **it == *name)
                    && self.shape.property(outer).is_some_and(Shape::is_array) =>
            {
                outer
            }
            Some(_) | None => name,
        }
    }

    fn part(
        &self,
        part: &Part,
        name: &str,
        (shape, array): (&Shape, bool),
        content: Bytes,
        limits: &Limits,
    ) -> Result<Draft<'static>, Refusal> {
        let place = || Place::Body(format!("/{name}").into());
        let written = self.written.get(name);
        let refuse =
            |message: String| Refusal::Malformed(Box::new(Violation::new("unparsable", place(), message)));
        let media = part.content_type.as_deref().map(MediaType::parse).transpose();
        let media = media.map_err(|error| refuse(format!("has no usable media type: {error}")))?;
        if media.is_some_and(|it| it.has_foreign_charset()) {
            return Err(refuse("is in another charset than UTF-8".to_owned()));
        }
        if let Some(written) = written {
            let fits = match &media {
                Some(media) => written.media.is_empty() || written.media.iter().any(|it| it.matches(media)),
                None => written.untyped,
            };
            if !fits {
                let message = "is not in one of the media types declared for it";
                return Err(Refusal::Invalid(vec![Violation::new("media_type", place(), message)]));
            }
        }
        let json = match &media {
            Some(media) => media.is_json(),
            None => written.is_some_and(|it| it.json) || (shape.is_object() && part.filename.is_none()),
        };
        // Where text is described, most receivers read text, whatever the part says of itself.
        let text = shape.is_scalar() && !written.is_some_and(|it| it.json);
        if json && (array || !text) {
            let tree = json::parse(content.clone(), limits)
                .map_err(|error| refuse(format!("is no JSON: {error}")))?;
            if !text || tree.root().kind() == Kind::Array {
                return Ok(Draft::Tree(Box::new(tree)));
            }
        }
        let file = part.filename.is_some();
        if shape.bare && (shape.binary || (file && shape.types.has(Types::STRING))) {
            // Any content will do: that it is there is all that the schema asks.
            return Ok(Draft::Text(Cow::Borrowed("")));
        }
        if shape.binary {
            // Its length can be asked for, in bytes.
            return Ok(Draft::Text(Cow::Owned(" ".repeat(content.len()))));
        }
        match std::str::from_utf8(&content) {
            Ok(text) => Ok(Draft::Text(Cow::Owned(text.to_owned()))),
            // A file name must not take a field out of its schema.
            Err(_) if file => Ok(Draft::Text(Cow::Owned(String::from_utf8_lossy(&content).into_owned()))),
            Err(_) => Err(refuse("is not UTF-8 text".to_owned())),
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

/// A field that says which charset the others are in (RFC 7578 §4.6): receivers that heed it must not read anything
/// else than was judged.
fn check_charset<'a>(name: &str, value: impl FnOnce() -> Cow<'a, str>) -> Result<(), Refusal> {
    if name == "_charset_" && is_foreign(&value()) {
        return Err(malformed("is a form in another charset than UTF-8"));
    }
    Ok(())
}

/// The first of several parts of one name; a JSON array in one part is the whole.
fn as_list(draft: Draft<'_>) -> Draft<'_> {
    match draft {
        Draft::Tree(tree) if tree.root().kind() == Kind::Array => Draft::Tree(tree),
        draft => Draft::List(vec![draft]),
    }
}
