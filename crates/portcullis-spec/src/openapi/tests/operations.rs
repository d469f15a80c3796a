//! What becomes of operations, parameters and bodies.

use super::check;

#[test]
fn fills_in_the_defaults_of_parameters() {
    insta::assert_snapshot!(check("
openapi: 3.0.3
info: {title: Pets, version: '1'}
servers: [{url: 'https://example.com/v1/'}]
paths:
  /pets/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: integer}}
      - {name: trace, in: header, schema: {type: string}}
    get:
      operationId: getPet
      tags: [pets]
      deprecated: true
      parameters:
        - {name: Trace, in: header, required: true, schema: {type: string, maxLength: 9}}
        - {name: Accept, in: header, schema: {type: string}}
        - {name: fields, in: query, schema: {type: array, items: {type: string}}}
        - {name: sort, in: query, style: pipeDelimited, schema: {type: array, items: {type: string}}}
        - {name: filter, in: query, style: deepObject, explode: true, allowReserved: true, schema: {type: object}}
        - {name: q, in: query, allowEmptyValue: true, content: {application/json: {schema: {type: object}}}}
        - {name: session, in: cookie, schema: {type: string}}
      responses: {}
"), @r###"
GET /pets/{id} `getPet` at `/v1` tags pets deprecated
  Header Trace Simple /$defs/-pets-id.get.parameters.0.schema
  Query fields? Form explode /$defs/-pets-id.get.parameters.2.schema
  Query sort? PipeDelimited /$defs/-pets-id.get.parameters.2.schema
  Query filter? DeepObject explode reserved /$defs/-pets-id.get.parameters.4.schema
  Query q? Form explode empty /$defs/-pets-id.get.parameters.4.schema as application/json
  Cookie session? Form explode /$defs/-pets-id.get.parameters.6.schema
  Path id Simple /$defs/-pets-id.parameters.0.schema
-pets-id.get.parameters.0.schema = {"type":"string","maxLength":9}
-pets-id.get.parameters.2.schema = {"type":"array","items":{"type":"string"}}
-pets-id.get.parameters.4.schema = {"type":"object"}
-pets-id.get.parameters.6.schema = {"type":"string"}
-pets-id.parameters.0.schema = {"type":"integer"}
"###);
}

#[test]
fn reads_bodies_and_answers() {
    insta::assert_snapshot!(check("
openapi: 3.1.0
paths:
  /upload:
    post:
      requestBody:
        required: true
        content:
          Multipart/Form-Data; boundary=x:
            schema: {type: object, properties: {meta: {type: object}, file: {type: string, format: binary}}}
            encoding:
              file: {contentType: 'image/PNG, image/jpeg'}
              meta: {style: deepObject, explode: true}
          text/*: {}
      responses:
        200:
          headers: {X-Rate: {required: true, schema: {type: integer}}, Content-Type: {schema: {type: string}}}
          content: {application/json: {schema: {type: boolean}}}
        4XX: {$ref: '#/components/responses/Problem'}
        default: {description: none}
        wrong: {}
components:
  responses:
    Problem: {content: {application/problem+json: {}}}
"), @r###"
POST /upload `POST /upload` at ``
  body required: multipart/form-data /$defs/-upload.post.requestBody.content.Multipart-Form-Data__boundary_x.schema file: ["image/png", "image/jpeg"] None explode meta: [] Some(DeepObject) explode, text/*
  Exact(200): application/json /$defs/-upload.post.responses.200.content.application-json.schema
    Header X-Rate Simple /$defs/-upload.post.responses.200.headers.X-Rate.schema
  Range(4): application/problem+json
  Default: 
-upload.post.requestBody.content.Multipart-Form-Data__boundary_x.schema = {"type":"object","properties":{"meta":{"type":"object"},"file":{"type":"string","format":"binary"}}}
-upload.post.responses.200.content.application-json.schema = {"type":"boolean"}
-upload.post.responses.200.headers.X-Rate.schema = {"type":"integer"}
warning: openapi.yaml:21:9#/paths/~1upload/post/responses/wrong: `wrong` is no status: the answer is not known (operation `POST /upload`)
"###);
}

#[test]
fn maps_swagger_parameters_and_bodies() {
    insta::assert_snapshot!(check("
swagger: 2.0
basePath: /api/
consumes: [application/json, application/xml]
produces: [application/json]
securityDefinitions: {basic: {type: basic}}
security: [{basic: []}]
paths:
  /pets:
    get:
      parameters:
        - {name: ids, in: query, type: array, items: {type: integer}, collectionFormat: multi}
        - {name: tags, in: query, type: array, items: {type: string}, collectionFormat: tsv}
        - {name: names, in: query, type: array, items: {type: string}, x-nullable: true}
        - {name: X-Mode, in: header, type: string, enum: [a, b], required: true}
      responses:
        200: {schema: {type: array, items: {$ref: '#/definitions/Pet'}}, headers: {X-Total: {type: integer}}}
    post:
      parameters: [{name: pet, in: body, required: true, schema: {$ref: '#/definitions/Pet'}}]
      responses: {201: {description: made}}
  /photo:
    post:
      parameters:
        - {name: caption, in: formData, type: string, required: true}
        - {name: labels, in: formData, type: array, items: {type: string}}
        - {name: file, in: formData, type: file}
      responses: {200: {schema: {type: file}}}
definitions:
  Pet: {type: object, required: [id], properties: {id: {type: integer, readOnly: true}}}
"), @r###"
GET /pets `GET /pets` at `/api`
  Query ids? Form explode /$defs/-pets.get.parameters.0
  Query tags? Tsv /$defs/-pets.get.parameters.1
  Query names? Form /$defs/-pets.get.parameters.2
  Header X-Mode Simple /$defs/-pets.get.parameters.3
  Exact(200): application/json /$defs/-pets.get.responses.200.schema
    Header X-Total? Simple /$defs/-pets.get.responses.200.headers.X-Total
  security basic[]
POST /pets `POST /pets` at `/api`
  body required: application/json /$defs/Pet, application/xml /$defs/Pet
  Exact(201): 
  security basic[]
POST /photo `POST /photo` at `/api`
  body required: multipart/form-data /$defs/-photo.post.form caption: [] Some(Form) labels: [] Some(Form)
  Exact(200): application/json
  security basic[]
-pets.get.parameters.0 = {"type":"array","items":{"type":"integer"}}
-pets.get.parameters.1 = {"type":"array","items":{"type":"string"}}
-pets.get.parameters.2 = {"type":["array","null"],"items":{"type":"string"}}
-pets.get.parameters.3 = {"type":"string","enum":["a","b"]}
Pet = {"type":"object","properties":{"id":{"type":"integer"}}}
  in responses = {"type":"object","required":["id"],"properties":{"id":{"type":"integer"}}}
-pets.get.responses.200.schema = {"type":"array","items":{"$ref":"#/$defs/Pet"}}
-pets.get.responses.200.headers.X-Total = {"type":"integer"}
-photo.post.parameters.0 = {"type":"string"}
-photo.post.parameters.2 = {}
-photo.post.form = {"type":"object","properties":{"caption":{"$ref":"#/$defs/-photo.post.parameters.0"},"labels":{"$ref":"#/$defs/-pets.get.parameters.1"},"file":{"$ref":"#/$defs/-photo.post.parameters.2"}},"required":["caption"]}
basic: Http { scheme: "basic", bearer_format: None }
"###);
}

#[test]
fn resolves_security_from_the_root() {
    insta::assert_snapshot!(check("
openapi: 3.0.0
security: [{key: []}, {oauth: [read], mtls: []}]
paths:
  /default: {get: {responses: {}}}
  /open: {get: {security: [], responses: {}}}
  /either: {get: {security: [{key: []}, {}], responses: {}}}
  /unknown: {get: {security: [{nobody: []}], responses: {}}}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
    mtls: {type: mutualTLS}
    bearer: {type: http, scheme: Bearer, bearerFormat: JWT}
    oauth: {type: oauth2, flows: {clientCredentials: {tokenUrl: 'https://id/token', scopes: {write: w, read: r}}}}
    odd: {type: magic}
"), @r###"
GET /default `GET /default` at ``
  security key[] or oauth[read] and mtls[]
GET /open `GET /open` at ``
  security anonymous
GET /either `GET /either` at ``
  security key[] or anonymous
GET /unknown `GET /unknown` at ``
  security nobody[]
bearer: Http { scheme: "bearer", bearer_format: Some("JWT") }
key: ApiKey { location: Header, name: "X-Key" }
mtls: MutualTls
oauth: OAuth2 { token_urls: ["https://id/token"], scopes: ["read", "write"] }
warning: openapi.yaml:15:5#/components/securitySchemes/odd: security scheme type `magic` is not known
warning: openapi.yaml:8:32#/paths/~1unknown/get/security/0/nobody: security scheme `nobody` is not declared: nobody can satisfy it (operation `GET /unknown`); declare it, or say in the configuration how callers prove who they are
"###);
}

#[test]
fn expands_servers_from_the_innermost_level() {
    insta::assert_snapshot!(check("
openapi: 3.0.0
servers:
  - url: 'https://{region}.example.com/{base}/v1'
    variables: {region: {default: eu}, base: {default: api, enum: [api, beta]}}
  - url: /api/v1
paths:
  /a: {get: {responses: {}}}
  /b: {servers: [{url: v2}], get: {responses: {}}, put: {servers: [{url: 'http://h'}], responses: {}}}
"), @r###"
GET /a `GET /a` at `/api/v1`, `/beta/v1`
GET /b `GET /b` at `/v2`
PUT /b `PUT /b` at ``
"###);
}

#[test]
fn serves_templates_that_cannot_be_told_apart_as_one() {
    insta::assert_snapshot!(check("
openapi: 3.0.0
paths:
  /cards/{filter}:
    get:
      operationId: byFilter
      security: [{key: [a]}]
      parameters: [{name: filter, in: path, required: true, schema: {type: string, enum: [open, closed]}}]
      responses: {200: {content: {application/json: {schema: {type: array}}}}}
  /cards/{id}:
    get:
      security: [{key: [b]}]
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}}
        - {name: deep, in: query, required: true, schema: {type: boolean}}
      responses: {200: {content: {application/json: {schema: {type: object}}}}}
    delete:
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses: {}
  /cards/{id}?action=move#really:
    delete:
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses: {}
components: {securitySchemes: {key: {type: openIdConnect, openIdConnectUrl: 'https://id'}}}
"), @r###"
GET /cards/{filter} `byFilter` at ``
  Path filter Simple /$defs/-cards-filter.get.parameters.0.schema.or
  Query deep? Form explode /$defs/-cards-id.get.parameters.1.schema
  Exact(200): application/json /$defs/-cards-filter.get.responses.200.content.application-json.schema.or
  security key[a] and key[b]
DELETE /cards/{id} `DELETE /cards/{id}` at ``
  Path id Simple /$defs/-cards-id.get.parameters.0.schema
  Query action? Form explode /$defs/fixed
-cards-filter.get.parameters.0.schema = {"type":"string","enum":["open","closed"]}
-cards-filter.get.responses.200.content.application-json.schema = {"type":"array"}
-cards-id.get.parameters.0.schema = {"type":"integer"}
-cards-id.get.parameters.1.schema = {"type":"boolean"}
-cards-id.get.responses.200.content.application-json.schema = {"type":"object"}
-cards-filter.get.parameters.0.schema.or = {"anyOf":[{"$ref":"#/$defs/-cards-filter.get.parameters.0.schema"},{"$ref":"#/$defs/-cards-id.get.parameters.0.schema"}]}
-cards-filter.get.responses.200.content.application-json.schema.or = {"anyOf":[{"$ref":"#/$defs/-cards-filter.get.responses.200.content.application-json.schema"},{"$ref":"#/$defs/-cards-id.get.responses.200.content.application-json.schema"}]}
fixed = {"type":"string","const":"move"}
key: OpenIdConnect { url: "https://id" }
warning: openapi.yaml:11:5#/paths/~1cards~1{id}/get: `/cards/{id}` matches the same paths as `/cards/{filter}`: the two are served as one (operation `GET /cards/{id}`)
warning: openapi.yaml:17:5#/paths/~1cards~1{id}/delete: `/cards/{id}` names its parameters otherwise than `/cards/{filter}` (operation `DELETE /cards/{id}`)
warning: openapi.yaml:21:5#/paths/~1cards~1{id}?action=move#really/delete: `/cards/{id}?action=move#really` names its parameters otherwise than `/cards/{filter}` (operation `DELETE /cards/{id}?action=move#really`)
warning: openapi.yaml:21:5#/paths/~1cards~1{id}?action=move#really/delete: `/cards/{id}?action=move#really` matches the same paths as `/cards/{id}`: the two are served as one (operation `DELETE /cards/{id}?action=move#really`)
"###);
}

#[test]
fn makes_operation_ids_unique_and_implies_path_parameters() {
    insta::assert_snapshot!(check("
openapi: 3.0.0
paths:
  /a/{id}: {get: {operationId: same, responses: {}}, put: {operationId: same, responses: {}}}
  x-internal: {get: {}}
"), @r###"
GET /a/{id} `same` at ``
  Path id Simple /$defs/text
PUT /a/{id} `PUT /a/{id}` at ``
  Path id Simple /$defs/text
text = {"type":"string"}
warning: openapi.yaml:4:13#/paths/~1a~1{id}/get: path parameter `id` is not declared: any text is accepted (operation `GET /a/{id}`); declare it under `parameters` with `in: path`
warning: openapi.yaml:4:54#/paths/~1a~1{id}/put: path parameter `id` is not declared: any text is accepted (operation `PUT /a/{id}`); declare it under `parameters` with `in: path`
warning: openapi.yaml:4:54#/paths/~1a~1{id}/put: operationId `same` is used twice: `PUT /a/{id}` is used here
"###);
}
