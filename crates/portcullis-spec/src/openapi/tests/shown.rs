//! What a description shows beside what it says.

use serde_json::json;

use crate::openapi::{LoadOptions, MemorySource, load, load_with_shown};

const TEXT: &str = r##"
openapi: 3.0.0
servers: [{url: "https://{env}.example.com/v1", variables: {env: {default: api}}}]
paths:
  /a/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}, example: 7}]
    post:
      summary: Makes one
      requestBody:
        content:
          application/json:
            schema: {$ref: "#/components/schemas/A"}
            examples: {one: {$ref: "#/components/examples/One"}, far: {externalValue: "https://x/y"}}
      responses:
        200:
          description: ok
          links: {next: {operationId: other, parameters: {id: "$response.body#/id"}}}
components:
  examples: {One: {value: {n: 1}}}
  schemas: {A: {type: object, example: {n: 2}, properties: {n: {type: integer, default: 3}}}}
"##;

#[test]
fn examples_links_words_and_lines_are_given_beside() {
    let source = MemorySource::default().with("o.yaml", TEXT);
    let (_, shown) = load_with_shown("o.yaml", &source, &LoadOptions::default()).unwrap();
    assert_eq!(shown.servers, ["https://api.example.com/v1"]);
    let operation = &shown.operations[&("POST".to_owned(), "/a/{id}".to_owned())];
    assert_eq!(operation.summary, "Makes one");
    assert_eq!(operation.parameters[0].value, json!(7));
    let bodies: Vec<_> = operation.bodies.iter().map(|it| (it.example.as_str(), &it.value)).collect();
    assert_eq!(bodies, [("one", &json!({"n": 1}))]);
    assert_eq!(operation.links[0].parameters, [("id".to_owned(), "$response.body#/id".to_owned())]);
    assert_eq!((operation.file.as_str(), operation.position.unwrap().line), ("o.yaml", 7));
}

#[test]
fn schemas_keep_examples_only_where_asked() {
    let source = MemorySource::default().with("o.yaml", TEXT);
    let plain = load("o.yaml", &source, &LoadOptions::default()).unwrap();
    assert_eq!(
        plain.request_schemas["$defs"]["A"],
        json!({"type": "object", "properties": {"n": {"type": "integer"}}})
    );
    let options = LoadOptions { keep_examples: true, ..LoadOptions::default() };
    let kept = load("o.yaml", &source, &options).unwrap();
    assert_eq!(
        kept.request_schemas["$defs"]["A"],
        json!({"type": "object", "properties": {"n": {"type": "integer", "default": 3}}, "examples": [{"n": 2}]})
    );
}
