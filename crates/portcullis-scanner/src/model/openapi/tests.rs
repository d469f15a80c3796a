//! Descriptions become operations, the broken ones too.

use portcullis_spec::openapi::MemorySource;
use serde_json::json;

use super::*;
use crate::model::{Effect, Kind, Link};

fn model(text: &str) -> Model {
    let source = MemorySource::default().with("o.yaml", text);
    read("o.yaml", &source, &LoadOptions::default(), Some("http://127.0.0.1:5000/openapi.json")).unwrap()
}

const USERS: &str = r##"
openapi: 3.0.1
info: {title: Users, version: "1"}
servers: [{url: /api/v1}]
security: [{token: []}]
paths:
  /users:
    post:
      operationId: addUser
      tags: [people]
      summary: Registers a new user
      security: []
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: "#/components/schemas/User"}
            examples:
              ann: {value: {name: ann, age: 30}}
              bob: {value: {name: bob}}
      responses:
        "201":
          description: made
          headers: {Location: {required: true, schema: {type: string}}}
          content:
            application/json:
              schema: {$ref: "#/components/schemas/User"}
              examples: {ann: {value: {id: 7, name: ann}}}
          links:
            it: {operationId: oneUser, parameters: {path.user_id: "$response.body#/id"}}
            lost: {operationId: nobody}
  /users/{user_id}:
    get:
      operationId: oneUser
      parameters:
        - {name: user_id, in: path, required: true, schema: {type: integer, example: 42}}
        - {name: fields, in: query, schema: {type: array, items: {type: string}}, explode: false}
      responses: {"200": {description: ok}}
components:
  securitySchemes:
    token: {type: http, scheme: bearer}
    key: {type: apiKey, in: header, name: X-Key}
  schemas:
    User:
      type: object
      required: [id, name]
      properties:
        id: {type: integer, readOnly: true}
        name: {type: string, default: nobody}
        age: {type: integer}
        friends: {type: array, items: {$ref: "#/components/schemas/User"}}
"##;

#[test]
fn reads_operations_with_all_that_is_said_and_shown() {
    let model = model(USERS);
    assert_eq!(model.title, "Users");
    assert_eq!(model.servers, ["http://127.0.0.1:5000"]);
    assert_eq!(model.schemes["token"], Scheme::Bearer);
    assert_eq!(model.schemes["key"], Scheme::Key(Place::Header("x-key".into())));
    let [add, one] = model.operations.as_slice() else { panic!("{:?}", model.operations) };
    assert_eq!((&*add.id, &*add.name, add.effect), ("POST /api/v1/users", "addUser", Effect::Creates));
    assert_eq!(add.security, Some(vec![vec![]]));
    assert!(add.words.iter().any(|it| it == "registers"));
    assert_eq!(add.answers[0].headers, [("location".to_owned(), true)]);
    assert_eq!(add.body.as_ref().unwrap().schema, json!({"$ref": "#/$defs/in.User"}));
    assert_eq!(add.answers[0].schema, Some(json!({"$ref": "#/$defs/out.User"})));
    assert_eq!(model.schemas["$defs"]["in.User"]["required"], json!(["name"]));
    assert_eq!(model.schemas["$defs"]["out.User"]["required"], json!(["id", "name"]));
    assert_eq!(
        model.schemas["$defs"]["out.User"]["properties"]["friends"]["items"]["$ref"],
        "#/$defs/out.User"
    );
    let [ann, bob] = add.examples.as_slice() else { panic!("{:?}", add.examples) };
    assert_eq!(ann.body, Some(json!({"name": "ann", "age": 30})));
    assert_eq!(ann.answer, Some((201, json!({"id": 7, "name": "ann"}))));
    assert_eq!(bob.body, Some(json!({"name": "bob"})));
    assert_eq!(
        add.links,
        [Link {
            from: "/id".to_owned(),
            operation: "GET /api/v1/users/{user_id}".into(),
            slot: Place::Path("user_id".into()),
        }]
    );
    assert!(model.notes.iter().any(|it| it.text.contains("`nobody`")));
    assert_eq!(one.effect, Effect::Reads);
    assert_eq!(one.security.as_ref().unwrap()[0][0].scheme, "token");
    assert_eq!(one.parameters[0].examples, [json!(42)]);
    assert_eq!(one.parameters[0].kind, Kind::Integer);
    assert_eq!((one.parameters[1].style.name.as_str(), one.parameters[1].style.explode), ("form", false));
    assert_eq!(model.lines["POST /api/v1/users"].line, 8);
    let slots: Vec<_> = slots::leaf_slots(&model, add).iter().map(|it| it.place.to_string()).collect();
    assert_eq!(slots, ["body:/id", "body:/name", "body:/age"]);
}

#[test]
fn swagger_files_forms_and_tokens_are_understood() {
    let model = model(
        r#"
swagger: "2.0"
host: api.example.com
basePath: /v2
schemes: [https, http]
securityDefinitions:
  jwt: {type: apiKey, in: header, name: Authorization, description: "Bearer TOKEN"}
paths:
  /pets/{id}/photo:
    post:
      consumes: [multipart/form-data]
      parameters:
        - {name: id, in: path, required: true, type: integer, format: int64}
        - {name: photo, in: formData, type: file, required: true}
        - {name: tags, in: formData, type: array, items: {type: string}, collectionFormat: csv}
        - {name: sort, in: query, type: string, enum: [up, down]}
      responses: {200: {description: ok, schema: {type: object}, examples: {application/json: {code: 1}}}}
"#,
    );
    assert_eq!(model.servers, ["https://api.example.com", "http://api.example.com"]);
    assert_eq!(model.schemes["jwt"], Scheme::Bearer);
    let operation = &model.operations[0];
    assert_eq!(&*operation.id, "POST /v2/pets/{id}/photo");
    let body = operation.body.as_ref().unwrap();
    assert_eq!(body.media, ["multipart/form-data"]);
    assert_eq!(body.schema[crate::model::ENCODING]["tags"], json!({"style": "form", "explode": false}));
    let kinds: Vec<_> =
        slots::leaf_slots(&model, operation).iter().map(|it| (it.place.to_string(), it.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("path:id".to_owned(), Kind::Integer),
            ("query:sort".to_owned(), Kind::Text),
            ("body:/photo".to_owned(), Kind::File),
            ("body:/tags/0".to_owned(), Kind::Text),
        ]
    );
    assert_eq!(operation.parameters[1].examples, [json!("up"), json!("down")]);
}

#[test]
fn dirty_descriptions_are_repaired_with_a_note() {
    let model = model(
        r##"
openapi: 3.0.0
paths:
  /a/{x}: {get: {responses: {"200": {$ref: "https://example.com/o.yaml#/x"}}}}
  /b/{x}: {get: {responses: {}}}
  /c: {post: {requestBody: {content: {application/json: {schema: {type: Int, enum: []}}}}, responses: {}}}
"##,
    );
    let ids: Vec<_> = model.operations.iter().map(|it| &*it.id).collect();
    assert_eq!(ids, ["GET /b/{x}", "POST /c"]);
    assert!(model.notes.iter().any(|it| it.text.contains("nothing is fetched")), "{:?}", model.notes);
    assert!(model.notes.iter().all(|it| it.place.starts_with("o.yaml:")), "{:?}", model.notes);
}
