//! The API that most tests stand in front of: a small shop.

/// An OpenAPI document with five operations and no security of its own: `listOrders`, `createOrder`, `getOrder`,
/// `deleteOrder` and `login`.
pub const SHOP: &str = r#"
openapi: 3.1.0
info: { title: Shop, version: "1" }
paths:
  /orders:
    get:
      operationId: listOrders
      parameters:
        - { name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 100 } }
      responses: { "200": { description: orders } }
    post:
      operationId: createOrder
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [item]
              properties: { item: { type: string }, count: { type: integer } }
      responses: { "200": { description: an order } }
  /orders/{id}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: integer } }
    get: { operationId: getOrder, responses: { "200": { description: an order } } }
    delete: { operationId: deleteOrder, responses: { "200": { description: gone } } }
  /login:
    post:
      operationId: login
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [username, password]
              properties: { username: { type: string }, password: { type: string } }
      responses: { "200": { description: welcome }, "401": { description: no } }
"#;
