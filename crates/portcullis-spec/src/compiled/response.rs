//! Answers.

use bytes::Bytes;
use http::HeaderMap;
use portcullis_core::verdict::Place;
use portcullis_leaves::{
    Limits, json,
    media::{MediaRange, most_specific},
};

use super::{
    NotJudged, ResponseVerdict,
    body::explained,
    media::{Reads, Said, content_type, is_coded},
};
use crate::{
    model::{MediaTypeObject, Response, StatusPattern},
    parameters::{
        check_header,
        value::{Declared, Judge, Prepared},
    },
    schema::{Entry, SchemaSet},
    violation::{VIOLATIONS_MAX, Violation},
};

/// The answers of one operation.
#[derive(Debug)]
pub(super) struct Responses(Vec<(StatusPattern, Answer)>);

/// One declared answer.
#[derive(Debug)]
struct Answer {
    headers: Vec<Declared>,
    ranges: Vec<MediaRange>,
    /// By range; `None` judges nothing.
    entries: Vec<Option<Entry>>,
}

impl Responses {
    /// Compiles the answers. One with a broken schema is not judged there.
    pub(super) fn compile(responses: &[Response], prepared: &Prepared, schemas: &SchemaSet) -> Self {
        let answers = responses.iter().map(|response| {
            let headers =
                response.headers.iter().filter_map(|it| Declared::compile(it, prepared, schemas)).collect();
            let (ranges, entries) = response.content.iter().filter_map(|it| content(it, schemas)).unzip();
            (response.status, Answer { headers, ranges, entries })
        });
        Self(answers.collect())
    }

    pub(super) fn wants_body(&self, status: u16, headers: &HeaderMap) -> bool {
        if has_no_body(status) {
            return false;
        }
        let Some(answer) = self.answer(status) else { return false };
        let Said::Type(media) = content_type(headers) else { return false };
        Reads::of(&media) == Reads::Json
            && !is_coded(headers)
            && most_specific(&answer.ranges, &media)
                .and_then(|it| answer.entries.get(it))
                .is_some_and(Option::is_some)
    }

    pub(super) fn check(
        &self,
        schemas: &SchemaSet,
        limits: &Limits,
        status: u16,
        headers: &HeaderMap,
        body: Option<&Bytes>,
    ) -> ResponseVerdict {
        let Some(answer) = self.answer(status) else { return ResponseVerdict::NotJudged(NotJudged::Status) };
        let mut found = Vec::new();
        for declared in &answer.headers {
            check_header(declared, Judge { schemas, limits }, headers, &mut found);
        }
        for violation in &mut found {
            if let Place::Header(name) = &mut violation.place {
                violation.place = Place::ResponseHeader(std::mem::take(name));
            }
        }
        let body = body.filter(|body| !has_no_body(status) && !body.is_empty());
        let unjudged = match body {
            Some(body) => answer.check_body(schemas, limits, headers, body, &mut found),
            None => None,
        };
        found.truncate(VIOLATIONS_MAX);
        match unjudged {
            _ if !found.is_empty() => ResponseVerdict::Violations(found),
            Some(why) => ResponseVerdict::NotJudged(why),
            None => ResponseVerdict::Conforms,
        }
    }

    /// The answer declared for a status: itself, its class, or the default (OpenAPI 3.1 §4.8.16.1).
    fn answer(&self, status: u16) -> Option<&Answer> {
        let find = |wanted| self.0.iter().find(|(pattern, _)| *pattern == wanted).map(|(_, answer)| answer);
        find(StatusPattern::Exact(status))
            .or_else(|| find(StatusPattern::Range(u8::try_from(status / 100).ok()?)))
            .or_else(|| find(StatusPattern::Default))
    }
}

impl Answer {
    fn check_body(
        &self,
        schemas: &SchemaSet,
        limits: &Limits,
        headers: &HeaderMap,
        body: &Bytes,
        found: &mut Vec<Violation>,
    ) -> Option<NotJudged> {
        let Said::Type(media) = content_type(headers) else { return Some(NotJudged::MediaType) };
        let Some(entry) = most_specific(&self.ranges, &media).and_then(|index| self.entries.get(index))
        else {
            return Some(NotJudged::MediaType);
        };
        let entry = entry.as_ref().filter(|_| Reads::of(&media) == Reads::Json)?;
        if is_coded(headers) {
            return Some(NotJudged::Coding);
        }
        match json::parse(body.clone(), limits) {
            Err(error) => {
                let at = Place::ResponseBody(error.pointer.clone());
                found.push(Violation::new("unparsable", at, format!("is no JSON: {error}")));
            }
            Ok(tree) if schemas.is_valid(entry, tree.root()) => {}
            Ok(tree) => found.extend(explained(schemas, entry, &tree).into_iter().map(|mut violation| {
                if let Place::Body(pointer) = &mut violation.place {
                    violation.place = Place::ResponseBody(std::mem::take(pointer));
                }
                violation
            })),
        }
        None
    }
}

/// Statuses whose answers have no body (RFC 9110 §6.4.1).
const fn has_no_body(status: u16) -> bool {
    matches!(status, 100..=199 | 204 | 304)
}

fn content(media: &MediaTypeObject, schemas: &SchemaSet) -> Option<(MediaRange, Option<Entry>)> {
    let range = MediaRange::parse(&media.range).ok()?;
    Some((range, media.schema.as_ref().and_then(|schema| schemas.entry(schema))))
}
