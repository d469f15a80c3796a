//! A generated document: as many operations as asked for, five to a resource, each resource with a schema of its own.

use std::fmt::Write as _;

/// An OpenAPI 3.1 document in YAML; another `version` makes it another document.
pub(crate) fn document(operations: usize, version: usize) -> String {
    let resources = operations / 5;
    let mut text = format!("openapi: 3.1.0\ninfo: {{ title: Large, version: '{version}' }}\npaths:\n");
    for number in 0..resources {
        let schema = format!("{{ $ref: '#/components/schemas/Thing{number}' }}");
        let json = |schema: &str| format!("content: {{ application/json: {{ schema: {schema} }} }}");
        let (one, many) = (json(&schema), json(&format!("{{ type: array, items: {schema} }}")));
        write!(
            text,
            "  /resource{number}:
    get:
      operationId: list{number}
      parameters: [{{ name: limit, in: query, schema: {{ type: integer, minimum: 1, maximum: 100 }} }}]
      responses: {{ '200': {{ description: all, {many} }} }}
    post:
      operationId: create{number}
      requestBody: {{ required: true, {one} }}
      responses: {{ '201': {{ description: made, {one} }} }}
  /resource{number}/{{id}}:
    parameters: [{{ name: id, in: path, required: true, schema: {{ type: integer }} }}]
    get: {{ operationId: get{number}, responses: {{ '200': {{ description: one, {one} }} }} }}
    put:
      operationId: replace{number}
      requestBody: {{ required: true, {one} }}
      responses: {{ '200': {{ description: one, {one} }} }}
    delete: {{ operationId: delete{number}, responses: {{ '204': {{ description: gone }} }} }}
"
        )
        .expect("text can be written");
    }
    text.push_str("components:\n  schemas:\n");
    for number in 0..resources {
        write!(
            text,
            "    Thing{number}:
      type: object
      required: [name, state]
      properties:
        name: {{ type: string, minLength: 1, maxLength: 64 }}
        state: {{ enum: [new, open, closed] }}
        count: {{ type: integer, format: int32, minimum: 0 }}
        owner: {{ type: [string, 'null'], format: uuid }}
        tags: {{ type: array, maxItems: 8, items: {{ type: string }} }}
        parent: {{ $ref: '#/components/schemas/Thing{}' }}
",
            (number + 1) % resources
        )
        .expect("text can be written");
    }
    text
}
