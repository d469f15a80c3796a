//! References within and between files.

use super::{check, check_files};
use crate::openapi::MemorySource;

#[test]
fn reads_several_files_in_both_notations() {
    let source = MemorySource::default()
        .with("openapi.yaml", "
openapi: 3.0.0
paths:
  /pets: {$ref: 'paths/pets.yaml'}
")
        .with("paths/pets.yaml", "
get:
  parameters: [{$ref: '../shared.json#/limit'}]
  responses: {200: {content: {application/json: {schema: {type: array, items: {$ref: '../shared.json#/Pet~0a~1b%20c'}}}}}}
")
        .with("shared.json", r##"{"limit": {"name": "limit", "in": "query", "schema": {"type": "integer"}},
            "Pet~a/b c": {"type": "object", "properties": {"mother": {"$ref": "#/Pet~0a~1b c"}}}}"##);
    insta::assert_snapshot!(check_files(&source), @r###"
GET /pets `GET /pets` at ``
  Query limit? Form explode /$defs/shared.limit.schema
  Exact(200): application/json /$defs/pets.get.responses.200.content.application-json.schema
shared.limit.schema = {"type":"integer"}
shared.Pet_a-b_c = {"type":"object","properties":{"mother":{"$ref":"#/$defs/shared.Pet_a-b_c"}}}
pets.get.responses.200.content.application-json.schema = {"type":"array","items":{"$ref":"#/$defs/shared.Pet_a-b_c"}}
"###);
}

#[test]
fn refuses_files_elsewhere_and_the_network() {
    let source = MemorySource::default()
        .with(
            "openapi.yaml",
            "
openapi: 3.0.0
paths:
  /a: {get: {parameters: [{$ref: '../secret.yaml'}], responses: {}}}
  /b: {get: {parameters: [{$ref: '/etc/passwd'}], responses: {}}}
  /c: {get: {parameters: [{$ref: 'https://example.com/p.yaml'}], responses: {}}}
  /d: {get: {parameters: [{$ref: 'missing.yaml#/x'}], responses: {}}}
  /e: {get: {parameters: [{$ref: 'broken.yaml'}], responses: {}}}
",
        )
        .with("../secret.yaml", "{name: a, in: query}")
        .with("/etc/passwd", "{name: a, in: query}")
        .with("broken.yaml", "a: [1\nb: 2");
    insta::assert_snapshot!(check_files(&source), @r###"
error: openapi.yaml:4:27#/paths/~1a/get/parameters/0: `$ref` to `../secret.yaml`: the file lies outside the directory of the description (operation `GET /a`)
error: openapi.yaml:5:27#/paths/~1b/get/parameters/0: `$ref` to `/etc/passwd`: the file lies outside the directory of the description (operation `GET /b`)
error: openapi.yaml:6:27#/paths/~1c/get/parameters/0: `$ref` to `https://example.com/p.yaml`: nothing is fetched by network (operation `GET /c`); save the document beside this one and refer to it by a relative path
error: openapi.yaml:7:27#/paths/~1d/get/parameters/0: `$ref` to `missing.yaml#/x`: cannot read `missing.yaml`: entity not found (operation `GET /d`)
error: openapi.yaml:8:27#/paths/~1e/get/parameters/0: `$ref` to `broken.yaml`: `broken.yaml` cannot be parsed: illegal placement of ':' indicator (line 2, column 2) (operation `GET /e`)
"###);
}

#[test]
fn follows_references_into_odd_places_and_out_of_circles() {
    insta::assert_snapshot!(check("
openapi: 3.0.0
paths:
  /x:
    get:
      parameters: [{$ref: '#/components/parameters/P'}]
      responses: {200: {$ref: '#/components/responses/R'}}
    put:
      responses: {200: {content: {application/json: {schema: {$ref: '#/paths/~1x/get/responses/200/content/text~1plain/schema'}}}}}
    post: {parameters: [{$ref: '#/components/parameters/A'}], responses: {}}
    patch: {requestBody: {content: {a/b: {schema: {$ref: '#/components/schemas/Loop'}}}}, responses: {}}
components:
  parameters:
    P: {$ref: '#/components/parameters/Q'}
    Q: {name: q, in: query, schema: {type: string}}
    A: {$ref: '#/components/parameters/B'}
    B: {$ref: '#/components/parameters/A'}
  responses: {R: {content: {text/plain: {schema: {type: string, maxLength: 7}}}}}
  schemas: {Loop: {$ref: '#/components/schemas/Loop'}}
"), @r###"
GET /x `GET /x` at ``
  Query q? Form explode /$defs/parameters.Q.schema
  Exact(200): text/plain /$defs/responses.R.content.text-plain.schema
PUT /x `PUT /x` at ``
  Exact(200): application/json /$defs/responses.R.content.text-plain.schema
parameters.Q.schema = {"type":"string"}
responses.R.content.text-plain.schema = {"type":"string","maxLength":7}
error: openapi.yaml:10:25#/paths/~1x/post/parameters/0: `$ref`s refer to one another in a circle (operation `POST /x`)
error: openapi.yaml:11:43#/paths/~1x/patch/requestBody/content/a~1b/schema: the schema refers to itself and nothing else (operation `PATCH /x`)
"###);
}
