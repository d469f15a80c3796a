//! Which language an input is written in.

use super::*;

#[test]
fn the_text_itself_tells_its_language() {
    for (name, text, expected) in [
        ("a", "openapi: 3.0.0\npaths: {}", Language::OpenApi),
        ("a", "\u{feff}{\"swagger\": \"2.0\"}", Language::OpenApi),
        ("a.yaml", "{openapi: 3.0.0, paths: {}}", Language::OpenApi),
        ("a", "# c\n\"openapi\": '3.1.0'", Language::OpenApi),
        ("a", "info: {}\npaths:\n  /x: {}", Language::OpenApi),
        ("a", "type Query { a: Int }", Language::GraphQlSdl),
        ("a", "\"\"\"doc\"\"\"\nschema { query: Q }", Language::GraphQlSdl),
        ("a", r#"{"data": {"__schema": {}}}"#, Language::GraphQlIntrospection),
        ("a", r#"{"__schema": {}}"#, Language::GraphQlIntrospection),
        ("a", "<?xml version='1.0'?><wsdl:definitions/>", Language::Wsdl),
        ("a", "syntax = \"proto3\";", Language::Proto),
        ("a", "\n\u{3}a.p", Language::Descriptors),
        ("a", r#"{"info": {}, "item": []}"#, Language::Postman),
        ("a", r#"{"log": {"entries": []}}"#, Language::Har),
    ] {
        assert_eq!(language(name, text.as_bytes()).unwrap(), expected, "{text}");
    }
    assert_eq!(language("a", b"\n\xff\xfe").unwrap(), Language::Descriptors);
}

fn error(name: &str, bytes: &[u8]) -> String {
    read(name, bytes, None).unwrap_err().to_string()
}

#[test]
fn what_is_nothing_known_is_refused_with_what_was_tried() {
    insta::assert_snapshot!(
        [
            error("a.json", b""),
            error("a.json", b"{}"),
            error("a.json", b"{\"a\":\n ]"),
            error("a.har", b"{\"log\": }"),
            error("a.txt", b"hello"),
            error("a.xml", b"<html/>"),
            error("a.bin", b"\xff\xff"),
            error("a.json", br#"{"openapi": "9.9"}"#),
            error("a.json", br#"{"openapi": "3.0.0", "paths": {"/a": {}, "/a": {}}}"#),
            error("a.json", br#"{"log": {}}"#),
        ]
        .join("\n"),
        @r###"
    `a.json` is no description that is known: it is empty
    `a.json` is no description that is known: its top has none of `openapi`, `swagger` (OpenAPI), `__schema` or `data.__schema` (GraphQL introspection), `log` (HAR), `item` (Postman)
    `a.json` is taken for JSON: line 2, column 2: expected value
    `a.har` is taken for a HAR file: line 1, column 9: expected value
    `a.txt` is no description that is known: no `openapi` or `swagger` key at its top (OpenAPI), no `type` or `schema` definition (GraphQL), no `syntax` (protobuf), no JSON (Postman, HAR, introspection), no XML (WSDL)
    `a.xml` is no description that is known: it is XML without the `definitions` of WSDL 1.1
    `a.bin` is no description that is known: it is not UTF-8, and no protobuf descriptor set, which begins with the byte 0x0a
    `a.json` is not an OpenAPI document: version `9.9` is not known (Swagger 2.0, OpenAPI 3.0 and 3.1 are)
    `a.json`, line 1, column 45, cannot be parsed: duplicate key `/a`
    `a.json` is taken for a HAR file: `/log/entries`: must be an array
    "###
    );
    let large = vec![b' '; INPUT_BYTES_MAX + 1];
    assert_eq!(error("a.json", &large), format!("`a.json` is larger than {INPUT_BYTES_MAX} bytes"));
}

#[test]
fn no_bytes_make_it_panic() {
    let texts: [&[u8]; 6] = [
        br#"{"openapi": "3.0.0", "paths": {"/a/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "schema": {"$ref": "https://example.com/x"}}], "responses": {}}}}}"#,
        br#"{"info": {"name": "n"}, "item": [{"name": "f", "item": [{"request": {"url": {"raw": "{{a}}/x/:id?b=1"}, "body": {"mode": "raw", "raw": "{\"a\": {{b}}}"}}, "response": [{"code": 200}]}]}]}"#,
        br#"{"log": {"entries": [{"request": {"method": "POST", "url": "http://h/a/1?b=%ff", "headers": [{"name": "Cookie", "value": "sid=1; b"}], "postData": {"mimeType": "a/b", "text": "x"}}, "response": {"status": 200, "content": {"text": "!", "encoding": "base64"}}}]}}"#,
        b"openapi: 3.0.0\npaths:\n  /a: {get: {responses: {200: {description: x}}}}",
        b"swagger: '2.0'\npaths: {/a: {post: {parameters: [{in: body, name: b, schema: {$ref: '#/definitions/A'}}]}}}\ndefinitions: {A: {properties: {a: {$ref: '#/definitions/A'}}}}",
        b"type Query { a: Int }",
    ];
    for text in texts {
        for at in 0..text.len() {
            // Cut short, and with one byte changed: only what it comes to may differ.
            let _ = read("a", &text[..at], Some("http://h/"));
            let mut changed = text.to_vec();
            changed[at] ^= 0x15;
            let _ = read("a", &changed, None);
        }
    }
}
