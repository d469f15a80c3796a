//! Bodies that no parser reads: required ones, and those under a range of media types.

use super::*;

fn under(range: &str, schema: &str, required: bool) -> Arc<CompiledOperation> {
    let yaml = format!(
        "
    post:
      requestBody:
        required: {required}
        content:
          '{range}': {schema}
      responses: {{'200': {{description: ok}}}}
"
    );
    operation("/x", &yaml, CompileOptions::default())
}

/// What becomes of a request with these fields when the gate does as it is told: reads the body, or only the head.
fn sent(operation: &CompiledOperation, fields: &[(&str, &str)], bytes: &[u8]) -> String {
    let fields = headers(fields);
    let checked = if operation.wants_request_body(&fields) {
        operation.check_request_body(&fields, &Bytes::copy_from_slice(bytes)).map(|_| "read")
    } else {
        operation.check_unread_body(&fields).map(|()| "unread")
    };
    match checked {
        Ok(how) => how.to_owned(),
        Err(Refusal::UnsupportedMediaType(violation)) => format!("415 {}", violation.keyword),
        Err(Refusal::Malformed(violation)) => format!("400 {}", violation.keyword),
        Err(Refusal::Invalid(violations)) => format!("422 {}", violations[0].keyword),
    }
}

#[test]
fn a_required_body_must_be_there_whatever_its_media_type() {
    for media in ["application/octet-stream", "text/csv", "text/plain", "application/x-unknown", "image/png"]
    {
        for schema in ["{}", "{schema: {type: string, format: binary}}"] {
            let required = under(media, schema, true);
            let optional = under(media, schema, false);
            let kind = ("content-type", media);
            for absent in [
                &[kind, ("content-length", "0")][..],
                &[kind, ("content-length", "00")],
                &[kind, ("transfer-encoding", "chunked")],
                // HTTP/2 says nothing.
                &[kind],
                &[],
            ] {
                assert_eq!(sent(&required, absent, b""), "422 missing_body", "{media} {schema} {absent:?}");
                assert!(!sent(&optional, absent, b"").starts_with("4"), "{media} {schema} {absent:?}");
            }
            assert!(!sent(&required, &[kind, ("transfer-encoding", "chunked")], b"a").starts_with("4"));
        }
    }
}

#[test]
fn opaque_content_of_a_known_length_is_not_held_back() {
    let operation = under("application/octet-stream", "{}", true);
    let fields = [("content-type", "application/octet-stream"), ("content-length", "9000000")];
    assert_eq!(sent(&operation, &fields, b""), "unread");
}

#[test]
fn no_media_type_gets_around_a_schema_that_stands_under_a_range() {
    let object = "{schema: {type: object, required: [a], properties: {a: {type: integer}}}}";
    let untyped = "{schema: {required: [a]}}";
    let referred = "{schema: {allOf: [{properties: {a: {type: integer}}}, {required: [a]}]}}";
    for range in ["*/*", "*", "application/*"] {
        for schema in [object, untyped, referred] {
            let operation = under(range, schema, true);
            let post = |media: &str, bytes: &str| {
                sent(&operation, &[("content-type", media), ("content-length", "9")], bytes.as_bytes())
            };
            for media in
                ["application/json", "application/hal+json", "Application/X-JSON", "application/json;v=1"]
            {
                assert_eq!(post(media, "{\"a\": 1}"), "read", "{range} {schema} {media}");
                assert!(post(media, "{\"b\": 1}").starts_with("422"), "{range} {schema} {media}");
            }
            for media in ["application/octet-stream", "application/xml", "application/x-unknown"] {
                assert_eq!(post(media, "{\"a\": 1}"), "415 media_type", "{range} {schema} {media}");
            }
        }
    }
    let operation = under("*/*", object, true);
    for media in ["text/html", "text/csv", "image/png", "multipart/mixed; boundary=b"] {
        assert_eq!(sent(&operation, &[("content-type", media)], b"{}"), "415 media_type", "{media}");
    }
    assert_eq!(sent(&operation, &[("content-type", "text/plain")], b"{}"), "422 type");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(sent(&operation, &form, b"a=1"), "read");
    assert_eq!(sent(&operation, &form, b"b=1"), "422 required");
}

#[test]
fn the_reason_names_the_range_and_what_came() {
    let operation = under("*/*", "{schema: {type: object}}", true);
    assert_eq!(
        body(&operation, "application/octet-stream", "x"),
        "415 body : media_type: is of a media type that cannot be held to the schema of `*/*` [application/octet-stream]"
    );
}

#[test]
fn a_type_declared_by_its_name_goes_before_the_range() {
    let yaml = "
    post:
      requestBody:
        content:
          '*/*': {schema: {type: object}}
          application/octet-stream: {schema: {type: string, format: binary}}
          image/*: {}
      responses: {'200': {description: ok}}
";
    let operation = operation("/x", yaml, CompileOptions::default());
    for media in ["application/octet-stream", "image/png"] {
        assert_eq!(sent(&operation, &[("content-type", media), ("content-length", "2")], b"x"), "unread");
    }
    assert_eq!(sent(&operation, &[("content-type", "video/mp4")], b"x"), "415 media_type");
}

#[test]
fn a_range_whose_schema_says_nothing_takes_anything() {
    for schema in [
        "{}",
        "{schema: {}}",
        "{schema: {description: whatever}}",
        "{schema: true}",
        "{schema: {type: string, format: binary}}",
        "{schema: {type: string, format: binary, maxLength: 9}}",
        "{schema: {type: string}}",
        "{schema: {oneOf: [{type: object}, {type: string, format: binary}]}}",
    ] {
        for range in ["*/*", "image/*"] {
            let operation = under(range, schema, false);
            let fields = [("content-type", "image/png"), ("content-encoding", "gzip")];
            assert_eq!(sent(&operation, &fields[..1], b"\xff\x00"), "unread", "{range} {schema}");
            assert_eq!(sent(&operation, &fields, b"\xff\x00"), "unread", "{range} {schema}");
        }
    }
}

#[test]
fn text_under_a_range_is_held_to_what_is_said_of_text() {
    let operation = under("*/*", "{schema: {type: string, pattern: '^[a-z]+$'}}", false);
    for media in ["application/x-unknown", "text/html", "text/plain"] {
        let post = |bytes: &[u8]| sent(&operation, &[("content-type", media)], bytes);
        assert_eq!(post(b"abc"), "read", "{media}");
        assert_eq!(post(b"<script>"), "422 pattern", "{media}");
        assert_eq!(post(b"\xff"), "400 unparsable", "{media}");
    }
}
