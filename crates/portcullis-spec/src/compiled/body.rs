//! Request bodies.

use bytes::Bytes;
use http::HeaderMap;
use portcullis_core::verdict::Place;
use portcullis_leaves::{
    Limits, Tree, json,
    media::{MediaRange, MediaType, most_specific},
    text,
};

use super::{
    BodyTree, Refusal,
    form::FormBody,
    media::{Reads, Said, Unread, content_type, is_coded, is_range, may_be_form},
};
use crate::{
    model::{MediaTypeObject, RequestBody},
    parameters::value::Prepared,
    schema::{Entry, SchemaSet},
    violation::Violation,
};

/// The body of one operation.
#[derive(Debug)]
pub(super) struct Body {
    required: bool,
    ranges: Vec<MediaRange>,
    contents: Vec<Content>,
    /// What it may be, for messages.
    expected: Box<str>,
}

/// The body in one media type.
#[derive(Debug)]
struct Content {
    entry: Option<Entry>,
    form: Option<FormBody>,
    unread: Unread,
}

impl Body {
    /// The media types and ranges it may have, as the document writes them.
    pub(super) fn media(&self) -> impl Iterator<Item = String> {
        self.ranges.iter().map(ToString::to_string)
    }

    /// Compiles a body; `None` when a schema of it is broken.
    pub(super) fn compile(body: &RequestBody, prepared: &Prepared, schemas: &SchemaSet) -> Option<Self> {
        let mut compiled = Self {
            required: body.required,
            ranges: Vec::new(),
            contents: Vec::new(),
            expected: Box::default(),
        };
        let mut expected = Vec::new();
        for media in &body.content {
            // A range that is none matches nothing; the reader of documents has reported it.
            let Ok(range) = MediaRange::parse(&media.range) else { continue };
            compiled.ranges.push(range);
            compiled.contents.push(Content::compile(media, prepared, schemas)?);
            expected.push(format!("`{}`", media.range));
        }
        compiled.expected = expected.join(", ").into();
        Some(compiled)
    }

    /// Whether a body with this head is read to be checked.
    pub(super) fn is_read(&self, headers: &HeaderMap) -> bool {
        // What has no declared media type, or comes without one, may still turn out to be empty.
        self.content(headers).map_or(true, |(media, content)| {
            Reads::of(&media) != Reads::Opaque
                || content.unread != Unread::Passes
                // Chunks may add up to nothing, and HTTP/2 need not say a length.
                || (self.required && !is_sized(headers))
        })
    }

    /// Checks all that can be without reading.
    pub(super) fn check_head(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if is_announced(headers) { self.content(headers).map(|_| ()) } else { self.check_empty() }
    }

    fn check_empty(&self) -> Result<(), Refusal> {
        if self.required {
            return Err(Refusal::Invalid(vec![whole("missing_body", "a body is required and missing")]));
        }
        Ok(())
    }

    pub(super) fn check(
        &self,
        schemas: &SchemaSet,
        limits: &Limits,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<BodyTree, Refusal> {
        if body.is_empty() {
            return self.check_empty().map(|()| BodyTree::Absent);
        }
        let (media, content) = self.content(headers)?;
        let reads = Reads::of(&media);
        let passes = reads == Reads::Opaque && content.unread == Unread::Passes;
        if is_coded(headers) && !passes {
            return Err(unsupported("content_coding", "has a content coding, and must be read"));
        }
        let tree = match reads {
            Reads::Json => {
                let tree = json::parse(body.clone(), limits).map_err(|error| {
                    let at = Place::Body(error.pointer.clone());
                    Refusal::Malformed(Box::new(Violation::new(
                        "unparsable",
                        at,
                        format!("is no JSON: {error}"),
                    )))
                })?;
                let Some(entry) = &content.entry else { return Ok(BodyTree::Tree(tree)) };
                return judge(schemas, entry, tree);
            }
            Reads::Form => match &content.form {
                Some(form) => return form.check_fields(schemas, limits, body).map(BodyTree::Tree),
                None => return Ok(BodyTree::Opaque),
            },
            Reads::Multipart => match &content.form {
                Some(form) => return form.check_parts(schemas, limits, headers, body).map(BodyTree::Tree),
                None => return Ok(BodyTree::Opaque),
            },
            Reads::Opaque if passes => return Ok(BodyTree::Opaque),
            Reads::Text | Reads::Opaque => {
                let text = text::parse(body).map_err(|error| malformed(error.to_string()))?;
                Tree::from_text(text, limits).map_err(|error| malformed(error.to_string()))?
            }
        };
        match &content.entry {
            // XML and the like are described by schemas of what they would be as JSON.
            Some(entry) if media.is("text/plain") || content.unread == Unread::AsText => {
                judge(schemas, entry, tree)
            }
            Some(_) | None => Ok(BodyTree::Tree(tree)),
        }
    }

    /// The declared content for what the head says.
    fn content<'a>(&self, headers: &'a HeaderMap) -> Result<(MediaType<'a>, &Content), Refusal> {
        let media = match content_type(headers) {
            Said::Type(media) => media,
            Said::Nothing => return Err(unsupported("media_type", "comes without a `Content-Type`")),
            Said::Nonsense(why) => return Err(unsupported("media_type", why)),
        };
        if media.has_foreign_charset() {
            return Err(unsupported("charset", "is in another charset than UTF-8"));
        }
        let declared = most_specific(&self.ranges, &media)
            .and_then(|index| Some((self.ranges.get(index)?, self.contents.get(index)?)));
        match declared {
            Some((range, content)) if content.unread == Unread::Refused && !is_judged(&media) => {
                let message = format!("is of a media type that cannot be held to the schema of `{range}`");
                let said = format!("{}/{}", media.main(), media.subtype());
                Err(Refusal::UnsupportedMediaType(Box::new(whole("media_type", message).seen("", &said))))
            }
            Some((_, content)) => Ok((media, content)),
            None => {
                let said = format!("{}/{}", media.main(), media.subtype());
                let violation =
                    whole("media_type", format!("is not one of the declared media types: {}", self.expected));
                Err(Refusal::UnsupportedMediaType(Box::new(violation.seen("", &said))))
            }
        }
    }
}

impl Content {
    fn compile(media: &MediaTypeObject, prepared: &Prepared, schemas: &SchemaSet) -> Option<Self> {
        let Some(schema) = &media.schema else {
            return Some(Self { entry: None, form: None, unread: Unread::Passes });
        };
        let entry = schemas.entry(schema)?;
        let unread = match is_range(&media.range) {
            true => Unread::under_range(&prepared.shape(schema)),
            false => Unread::Passes,
        };
        let form = may_be_form(&media.range)
            .then(|| FormBody::compile(media, prepared.shape(schema), entry.clone()));
        Some(Self { entry: Some(entry), form, unread })
    }
}

/// Judges a tree against a schema.
pub(super) fn judge(schemas: &SchemaSet, entry: &Entry, tree: Tree) -> Result<BodyTree, Refusal> {
    if schemas.is_valid(entry, tree.root()) {
        return Ok(BodyTree::Tree(tree));
    }
    Err(Refusal::Invalid(explained(schemas, entry, &tree)))
}

/// What an invalid tree breaks; never empty.
pub(super) fn explained(schemas: &SchemaSet, entry: &Entry, tree: &Tree) -> Vec<Violation> {
    let mut violations = schemas.explain(entry, tree);
    if violations.is_empty() {
        violations.push(whole("schema", "is not valid"));
    }
    violations
}

/// Whether bodies of this type are held to a schema whatever range it stands under.
fn is_judged(media: &MediaType<'_>) -> bool {
    match Reads::of(media) {
        Reads::Json | Reads::Form | Reads::Multipart => true,
        Reads::Text => media.is("text/plain"),
        Reads::Opaque => false,
    }
}

/// Whether the head says that a body follows (RFC 9112 §6); HTTP/2 need not say.
pub(super) fn is_announced(headers: &HeaderMap) -> bool {
    headers.contains_key(http::header::TRANSFER_ENCODING) || is_sized(headers)
}

/// Whether the head says how long the body is, and that it is not empty.
fn is_sized(headers: &HeaderMap) -> bool {
    headers
        .get(http::header::CONTENT_LENGTH)
        .is_some_and(|length| length.as_bytes().iter().any(|byte| (b'1'..=b'9').contains(byte)))
}

/// A body nobody declared.
pub(super) fn undeclared() -> Violation {
    whole("undeclared_body", "the operation takes no body")
}

/// A violation of the body as a whole.
pub(super) fn whole(keyword: &'static str, message: impl Into<String>) -> Violation {
    Violation::new(keyword, Place::Body(Box::default()), message)
}

/// Not what its media type says.
pub(super) fn malformed(message: impl Into<String>) -> Refusal {
    Refusal::Malformed(Box::new(whole("unparsable", message)))
}

fn unsupported(keyword: &'static str, message: &'static str) -> Refusal {
    Refusal::UnsupportedMediaType(Box::new(whole(keyword, message)))
}
