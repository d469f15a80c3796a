//! Broken descriptions of every kind: each costs what it must, and says where.

use super::check;
use crate::openapi::{Limits, LoadOptions, MemorySource, load};

#[test]
fn names_the_place_of_a_syntax_error() {
    insta::assert_snapshot!(check("openapi: 3.0.0\npaths: [\n"), @r###"`openapi.yaml`, line 2, column 8, cannot be parsed: unclosed bracket '['"###);
    insta::assert_snapshot!(check("{\"openapi\": \"3.0.0\",\n \"paths\": {]}"), @r###"`openapi.yaml`, line 2, column 12, cannot be parsed: key must be a string"###);
    insta::assert_snapshot!(check("openapi: 3.0.0\npaths: {}\npaths: {}\n"), @r###"`openapi.yaml`, line 3, column 1, cannot be parsed: duplicate mapping key: paths"###);
}

#[test]
fn tells_what_is_no_description() {
    insta::assert_snapshot!(check(""), @r###"`openapi.yaml` is not an OpenAPI document: its root must be an object, not null"###);
    insta::assert_snapshot!(check("[]"), @r###"`openapi.yaml` is not an OpenAPI document: its root must be an object, not an array"###);
    insta::assert_snapshot!(check("title: x"), @r###"`openapi.yaml` is not an OpenAPI document: neither `openapi` nor `swagger` names a version"###);
    insta::assert_snapshot!(check("openapi: 4.0.0"), @r###"`openapi.yaml` is not an OpenAPI document: version `4.0.0` is not known (Swagger 2.0, OpenAPI 3.0 and 3.1 are)"###);
    insta::assert_snapshot!(check("swagger: 1.2"), @r###"`openapi.yaml` is not an OpenAPI document: version `1.2` is not known (Swagger 2.0, OpenAPI 3.0 and 3.1 are)"###);
}

#[test]
fn costs_the_operation_and_no_other() {
    insta::assert_snapshot!(check("
openapi: 3.0.0
paths:
  /good: {get: {responses: {}}}
  bad: {get: {responses: {}}}
  /bad/{x: {get: {responses: {}}}
  /text: nothing
  /a: {get: nothing, put: {responses: {}}}
  /b: {get: {parameters: [{name: x}], responses: {}}}
  /c: {get: {parameters: [{name: x, in: body}], responses: {}}}
  /d: {get: {parameters: {x: 1}, responses: {}}}
  /e: {get: {parameters: [{in: query}, 7], responses: {}}}
  /f: {post: {requestBody: {content: {a/b: {schema: {properties: {x: {$ref: '#/nowhere'}}}}}}, responses: {}}}
  /g: {post: {requestBody: {content: {a/b: {schema: {items: word}}}}, responses: {}}}
  /h: {post: {requestBody: {content: {a/b: {schema: {$ref: '#/components/schemas/Endless'}}}}, responses: {}}}
  /i: {post: {requestBody: {content: [1]}, responses: {}}}
components: {schemas: {Endless: {anyOf: [{type: string}, {$ref: '#/components/schemas/Endless'}]}}}
"), @r###"
GET /good `GET /good` at ``
PUT /a `PUT /a` at ``
error: openapi.yaml:5:3#/paths/bad: a path must begin with `/` (operation `bad`)
error: openapi.yaml:6:3#/paths/~1bad~1{x: `{` without `}` (operation `/bad/{x`)
error: openapi.yaml:7:3#/paths/~1text: a path item must be an object, not a string (operation `/text`)
error: openapi.yaml:8:8#/paths/~1a/get: an operation must be an object, not a string (operation `GET /a`)
error: openapi.yaml:9:27#/paths/~1b/get/parameters/0: parameter `x` needs an `in` (operation `GET /b`)
error: openapi.yaml:10:27#/paths/~1c/get/parameters/0: `in: body` and `in: formData` are Swagger 2.0 (operation `GET /c`); use `requestBody`
error: openapi.yaml:11:14#/paths/~1d/get/parameters: `parameters` must be an array, not an object (operation `GET /d`)
error: openapi.yaml:12:27#/paths/~1e/get/parameters/0: a parameter needs a `name` (operation `GET /e`)
error: openapi.yaml:12:40#/paths/~1e/get/parameters/1: a parameter must be an object, not a number (operation `GET /e`)
error: openapi.yaml:16:29#/paths/~1i/post/requestBody/content: `content` must be an object, not an array (operation `POST /i`)
error: openapi.yaml:13:67#/paths/~1f/post/requestBody/content/a~1b/schema/properties/x: `$ref` to `#/nowhere`, which does not exist (operation `POST /f`)
error: openapi.yaml:14:54#/paths/~1g/post/requestBody/content/a~1b/schema/items: a schema must be an object, not a string (operation `POST /g`)
error: openapi.yaml:17:24#/components/schemas/Endless: the schema refers back to itself without going deeper: nothing could ever be checked (operation `POST /h`); an `allOf` of a base must not lead back to the base's own `oneOf`
"###);
}

#[test]
fn bounds_size_depth_and_number() {
    let text = "{openapi: 3.0.0, paths: {/a: {get: {responses: {}}}}}";
    let with = |limits: Limits| {
        let options = LoadOptions { limits, ..LoadOptions::default() };
        let source = MemorySource::default().with("o.yaml", text);
        load("o.yaml", &source, &options).map(|_| ()).map_err(|it| match std::error::Error::source(&it) {
            Some(source) => format!("{it}: {source}"),
            None => it.to_string(),
        })
    };
    assert_eq!(with(Limits::default()), Ok(()));
    insta::assert_snapshot!(with(Limits { file_bytes_max: 10, ..Limits::default() }).unwrap_err(), @r###"cannot read `o.yaml`: larger than 10 bytes"###);
    insta::assert_snapshot!(with(Limits { depth_max: 3, ..Limits::default() }).unwrap_err(), @r###"`o.yaml`, line 1, column 36, cannot be parsed: nested too deeply"###);
    insta::assert_snapshot!(with(Limits { nodes_max: 5, ..Limits::default() }).unwrap_err(), @r###"`o.yaml`, line 1, column 26, cannot be parsed: too many values in one file (budget breached: Nodes { nodes: 6 })"###);
}

#[test]
fn an_alias_bomb_is_a_bounded_error() {
    let mut text = String::from("openapi: 3.0.0\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let below = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![below; 10].join(", ")));
    }
    assert!(check(&text).contains("cannot be parsed"));
}

#[test]
fn reads_yaml_words_as_they_look() {
    insta::assert_snapshot!(check("
openapi: 3.0.0
paths:
  /a:
    get:
      parameters:
        - {name: on, in: query, schema: {type: string, enum: [on, off, yes, no, y, 1_000, 0755, 2020-01-01]}}
      responses: {200: {content: {application/json: {schema: {required: [y, n]}}}}}
"), @r###"
GET /a `GET /a` at ``
  Query on? Form explode /$defs/-a.get.parameters.0.schema
  Exact(200): application/json /$defs/-a.get.responses.200.content.application-json.schema
-a.get.parameters.0.schema = {"type":"string","enum":["on","off","yes","no","y","1_000","0755","2020-01-01"]}
-a.get.responses.200.content.application-json.schema = {"required":["y","n"]}
"###);
}

/// A description with one of everything, in both notations' worth of shapes.
const EVERYTHING: &str = "
openapi: 3.0.3
info: {title: t}
servers: [{url: 'https://{h}/{b}', variables: {h: {default: x}, b: {default: y, enum: [y, z]}}}]
security: [{key: []}]
paths:
  /a/{id}:
    parameters: [{$ref: '#/components/parameters/Id'}]
    post:
      operationId: a
      tags: [t]
      parameters: [{name: q, in: query, style: form, explode: false, schema: {type: array, items: {type: string}}}]
      requestBody:
        required: true
        content:
          multipart/form-data:
            schema: {$ref: '#/components/schemas/Pet'}
            encoding: {f: {contentType: text/plain, headers: {X-A: {schema: {type: string}}}}}
      responses:
        200: {headers: {X-B: {schema: {type: integer}}}, content: {application/json: {schema: {$ref: '#/components/schemas/Any'}}}}
  /a/{other}: {post: {responses: {}}}
components:
  parameters: {Id: {name: id, in: path, required: true, schema: {type: integer}}}
  securitySchemes: {key: {type: oauth2, flows: {password: {tokenUrl: u, scopes: {s: d}}}}}
  schemas:
    Pet:
      type: object
      required: [kind]
      discriminator: {propertyName: kind, mapping: {c: Cat}}
      properties: {kind: {type: string, enum: [a], pattern: a, nullable: true, readOnly: true}, n: {minimum: 1, exclusiveMinimum: true}}
      additionalProperties: {not: {type: string}}
      dependentRequired: {a: [b]}
      dependencies: {c: [d], e: {type: object}}
    Cat: {allOf: [{$ref: '#/components/schemas/Pet'}, {minProperties: 1}]}
    Any: {oneOf: [{$ref: '#/components/schemas/Cat'}, {items: {type: string}}], discriminator: {propertyName: kind}}
";

#[test]
fn any_node_may_be_nonsense() {
    let nonsense =
        ["null", "true", "7", "word", "[]", "{}", "[x, 1]", "{x: 1}", "{$ref: '#'}", "{$ref: '#/paths'}"];
    let whole: serde_json::Value = serde_saphyr::from_str(EVERYTHING).unwrap();
    let mut pointers = Vec::new();
    gather_pointers(&whole, String::new(), &mut pointers);
    assert!(pointers.len() > 100);
    // A value of an enumeration is a value, whatever it looks like.
    for pointer in pointers.iter().filter(|it| !it.contains("/enum/")) {
        for nonsense in nonsense {
            let mut changed = whole.clone();
            *changed.pointer_mut(pointer).unwrap() = serde_saphyr::from_str(nonsense).unwrap();
            let source = MemorySource::default().with("o.json", changed.to_string());
            // Whatever comes of it, it comes without a panic, is JSON Schema 2020-12, and every reference in it leads somewhere.
            let Ok(document) = load("o.json", &source, &LoadOptions::default()) else { continue };
            let valid = jsonschema::draft202012::meta::validate(&document.request_schemas);
            assert!(valid.is_ok(), "{nonsense} at {pointer}: {valid:?}");
            let bundle = document.request_schemas.to_string();
            for reference in bundle.split("\"$ref\":\"#").skip(1) {
                let target = reference.split('"').next().unwrap();
                assert!(
                    document.request_schemas.pointer(target).is_some(),
                    "{target} with {nonsense} at {pointer}"
                );
            }
        }
    }
}

fn gather_pointers(value: &serde_json::Value, at: String, found: &mut Vec<String>) {
    let children: Vec<(String, &serde_json::Value)> = match value {
        serde_json::Value::Object(it) => {
            it.iter().map(|(key, it)| (crate::openapi::node::escape(key).into_owned(), it)).collect()
        }
        serde_json::Value::Array(it) => {
            it.iter().enumerate().map(|(index, it)| (index.to_string(), it)).collect()
        }
        _ => Vec::new(),
    };
    for (key, child) in children {
        gather_pointers(child, format!("{at}/{key}"), found);
    }
    found.push(at);
}
