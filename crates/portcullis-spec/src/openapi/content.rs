//! Bodies of OpenAPI 3: request bodies, answers and their media types.

use std::collections::BTreeMap;

use super::{
    node::{Node, kind},
    reader::Reader,
};
use crate::model::{
    Encoding, MediaTypeObject, ParameterLocation, RequestBody, Response, SpecVersion, StatusPattern, Style,
};

impl<'a> Reader<'a> {
    /// `requestBody` of an operation.
    pub(super) fn request_body(&mut self, operation: &Node<'a>) -> Option<RequestBody> {
        let declared = operation.get("requestBody")?;
        let node = self.follow(&declared)?;
        if !node.value.is_object() {
            self.lose(&node, format!("a request body must be an object, not {}", kind(node.value)), None);
            return None;
        }
        if node.get("content").is_none() {
            self.warn(&node, "a request body without `content`: every body is refused");
        }
        Some(RequestBody { required: self.flag(&node, "required"), content: self.content(&node) })
    }

    /// `responses` of an operation.
    pub(super) fn responses(&mut self, operation: &Node<'a>, root: &Node<'a>) -> Vec<Response> {
        let Some(declared) = operation.get("responses") else {
            return Vec::new();
        };
        let mut responses = Vec::new();
        for (key, node) in declared.members() {
            if key.starts_with("x-") {
                continue;
            }
            let Some(status) = status(key) else {
                self.warn(&node, format!("`{key}` is no status: the answer is not known"));
                continue;
            };
            let Some(node) = self.follow(&node) else { continue };
            let content = if self.version == SpecVersion::Swagger2 {
                self.swagger_response_content(&node, operation, root)
            } else {
                self.content(&node)
            };
            responses.push(Response { status, headers: self.headers(&node), content });
        }
        responses
    }

    fn content(&mut self, owner: &Node<'a>) -> Vec<MediaTypeObject> {
        let Some(content) = owner.get("content") else {
            return Vec::new();
        };
        if !content.value.is_object() {
            self.lose(&content, format!("`content` must be an object, not {}", kind(content.value)), None);
            return Vec::new();
        }
        let mut media_types: Vec<MediaTypeObject> = Vec::new();
        for (range, node) in content.members() {
            let range = media_range(range);
            if !range.contains('/') && range != "*" {
                self.warn(&node, format!("`{range}` is no media type"));
                continue;
            }
            let schema = node.get("schema").map(|schema| self.schema(&schema));
            if let Some(known) = media_types.iter_mut().find(|it| it.range == range) {
                // They differ by parameters, which nothing here looks at.
                if known.schema != schema {
                    self.warn(&node, format!("media type `{range}` is declared twice: either is accepted"));
                    known.schema = self.either(known.schema.as_ref(), schema.as_ref());
                }
                continue;
            }
            let encoding = self.encodings(&node);
            media_types.push(MediaTypeObject { range, schema, encoding });
        }
        media_types
    }

    fn encodings(&mut self, media: &Node<'a>) -> BTreeMap<String, Encoding> {
        let Some(declared) = media.get("encoding") else {
            return BTreeMap::new();
        };
        let mut encodings = BTreeMap::new();
        for (property, node) in declared.members() {
            let style = self.style(&node, ParameterLocation::Query);
            let content_types = match node.text("contentType") {
                Some(list) => list.split(',').map(media_range).filter(|it| !it.is_empty()).collect(),
                None => Vec::new(),
            };
            let encoding = Encoding {
                content_types,
                style,
                explode: self.flag_or(&node, "explode", matches!(style, None | Some(Style::Form))),
                allow_reserved: self.flag(&node, "allowReserved"),
                headers: self.headers(&node),
            };
            encodings.insert(property.to_owned(), encoding);
        }
        encodings
    }
}

fn status(key: &str) -> Option<StatusPattern> {
    if key.eq_ignore_ascii_case("default") {
        return Some(StatusPattern::Default);
    }
    match key.as_bytes() {
        [digit @ b'1'..=b'5', b'X' | b'x', b'X' | b'x'] => Some(StatusPattern::Range(digit - b'0')),
        [b'1'..=b'9', b'0'..=b'9', b'0'..=b'9'] => key.parse().ok().map(StatusPattern::Exact),
        _ => None,
    }
}

/// A media type or range without its parameters, lower case.
pub(super) fn media_range(text: &str) -> String {
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
