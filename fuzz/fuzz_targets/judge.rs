//! Judging never panics, whatever comes as a query, cookies and a body of any media type; what is accepted once is
//! accepted again.
#![no_main]

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Version};
use libfuzzer_sys::fuzz_target;
use portcullis_core::context::Request;
use portcullis_spec::{
    compiled::{CompileOptions, CompiledDocument, CompiledOperation},
    openapi::{self, LoadOptions, MemorySource},
};

const DOCUMENT: &str = r##"
openapi: 3.1.0
info: {title: t, version: "1"}
paths:
  /x:
    post:
      parameters:
        - {name: a, in: query, schema: {type: integer, maximum: 9}}
        - {name: b, in: query, explode: false, schema: {type: array, items: {type: [string, number]}}}
        - {name: c, in: query, style: deepObject, schema: {type: object, properties: {x: {type: array}}}}
        - {name: d, in: query, content: {application/json: {schema: {type: object}}}}
        - {name: e, in: cookie, schema: {type: boolean}}
      requestBody:
        required: true
        content:
          "*/*":
            schema: &s
              type: object
              properties:
                a: {type: integer, format: int64}
                b: {type: array, uniqueItems: true, items: {type: [string, object, number]}}
                c: {type: object, properties: {x: {type: string, pattern: "^[a-z]+$"}}}
                d: {type: string, format: binary, maxLength: 4}
              patternProperties: {"^x-": {type: string, format: date-time}}
          multipart/form-data: {schema: *s, encoding: {c: {contentType: application/json}}}
      responses: {"200": {description: ok}}
"##;

static OPERATION: LazyLock<Arc<CompiledOperation>> = LazyLock::new(|| {
    let source = MemorySource::default().with("x.yaml", DOCUMENT);
    let document =
        openapi::load("x.yaml", &source, &LoadOptions::default()).expect("the document above is sound");
    let compiled = CompiledDocument::compile(document, CompileOptions::default());
    Arc::clone(compiled.operations.first().expect("it has one operation"))
});

const MEDIA: [&str; 5] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "text/plain",
    "application/octet-stream",
];

fuzz_target!(|input: (u8, &str, &[u8], &[u8])| {
    let (media, query, cookies, body) = input;
    let mut headers = HeaderMap::new();
    let media = MEDIA[usize::from(media) % MEDIA.len()];
    headers.insert("content-type", HeaderValue::from_static(media));
    if let Ok(cookies) = HeaderValue::from_bytes(cookies) {
        headers.insert("cookie", cookies);
    }
    let body = Bytes::copy_from_slice(body);
    let first = OPERATION.check_request_body(&headers, &body).is_ok();
    assert_eq!(first, OPERATION.check_request_body(&headers, &body).is_ok());
    assert!(!first || !body.is_empty());
    let request = Request {
        method: Method::POST,
        version: Version::HTTP_11,
        host: "x".into(),
        path: "/x".into(),
        query: Some(query.into()),
        headers,
        path_parameters: Default::default(),
        body: None,
        parsed: None,
    };
    if let Err(violations) = OPERATION.check_parameters(&request) {
        assert!(!violations.is_empty());
    }
});
