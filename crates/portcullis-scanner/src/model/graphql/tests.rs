//! Schemas of GraphQL become operations.

use serde_json::json;

use super::*;
use crate::model::{Effect, Operation, Wire};

const SDL: &str = r#"
"""The schema."""
schema { query: Root mutation: Changes }
directive @auth(role: Role = USER) repeatable on FIELD_DEFINITION | OBJECT
enum Role { USER ADMIN @deprecated(reason: "old") }
scalar DateTime
interface Node { id: ID! }
type User implements Node & Named @auth(role: ADMIN) {
  id: ID! "The name" name: String email: String!, role: Role born: DateTime
  posts(first: Int = 10): [Post!]! secret(key: String!): String
}
type Post { id: ID! title: String author: User }
union Found = | User | Post
input NewUser { name: String! role: Role = USER tags: [String!] inner: NewUser }
type Root {
  "Finds a user"
  user(id: ID!): User
  search(text: String = "a\"b", at: DateTime): [Found]
  deleteAllPosts: Boolean @deprecated
  version: String
}
extend type Root { posts(limit: Int): [Post] }
type Changes { createUser(input: NewUser!, notify: Boolean = false): User! login(name: String!, password: String!): String }
# the end
"#;

fn operation<'m>(model: &'m Model, id: &str) -> &'m Operation {
    model.operations.iter().find(|it| &*it.id == id).unwrap()
}

fn selection(operation: &Operation) -> &str {
    let Wire::GraphQl { selection, .. } = &operation.wire else { panic!() };
    selection
}

#[test]
fn sdl_becomes_operations() {
    let model = from_sdl(SDL, "/graphql").unwrap();
    let ids: Vec<&str> = model.operations.iter().map(|it| &*it.id).collect();
    assert_eq!(
        ids,
        [
            "query user",
            "query search",
            "query deleteAllPosts",
            "query version",
            "query posts",
            "mutation createUser",
            "mutation login",
        ]
    );
    let user = operation(&model, "query user");
    assert_eq!(selection(user), "{ id name email role born posts { id title } }");
    assert_eq!(user.effect, Effect::Reads);
    assert!(user.words.contains(&"finds".to_owned()));
    let body = user.body.as_ref().unwrap();
    assert_eq!(body.schema["required"], json!(["id"]));
    assert!(body.required);
    assert_eq!(
        selection(operation(&model, "query search")),
        "{ __typename ... on User { id name email role born } ... on Post { id title } }"
    );
    assert_eq!(operation(&model, "query deleteAllPosts").effect, Effect::Deletes);
    assert!(operation(&model, "query deleteAllPosts").deprecated);
    assert_eq!(selection(operation(&model, "query version")), "");
    let create = operation(&model, "mutation createUser");
    assert_eq!(create.effect, Effect::Creates);
    assert_eq!(operation(&model, "mutation login").effect, Effect::Acts);
    let Wire::GraphQl { arguments, .. } = &create.wire else { panic!() };
    assert_eq!(arguments[0], ("input".to_owned(), "NewUser!".to_owned()));
    assert_eq!(
        create.body.as_ref().unwrap().schema["properties"]["input"],
        json!({"$ref": "#/$defs/input.NewUser"})
    );
    assert_eq!(
        model.schemas["$defs"]["input.NewUser"],
        json!({
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "role": {"$ref": "#/$defs/input.Role", "default": "USER"},
                "tags": {"type": "array", "items": {"type": "string"}},
                "inner": {"$ref": "#/$defs/input.NewUser"},
            },
            "required": ["name"],
            "additionalProperties": false,
        })
    );
    assert_eq!(
        model.schemas["$defs"]["answer.Post"]["properties"]["title"],
        json!({"type": ["string", "null"]})
    );
}

#[test]
fn schemas_compile_and_judge_answers() {
    let model = from_sdl(SDL, "/graphql").unwrap();
    let of = |id: &str| {
        let mut schema = operation(&model, id).answers[0].schema.clone().unwrap();
        schema.as_object_mut().unwrap().insert("$defs".to_owned(), model.schemas["$defs"].clone());
        jsonschema::validator_for(&schema).unwrap()
    };
    let posts = of("query posts");
    assert!(posts.is_valid(&json!([{"id": "1", "title": null, "author": {"id": 3, "email": "a"}}])));
    assert!(posts.is_valid(&json!(null)));
    assert!(!posts.is_valid(&json!([{"id": "1", "title": 7}])));
    assert!(!of("mutation createUser").is_valid(&json!(null)));
}

#[test]
fn an_introspection_says_the_same_as_its_sdl() {
    let ref_of = |kind: &str, name: &str| json!({"kind": kind, "name": name});
    let non_null = |inner: Value| json!({"kind": "NON_NULL", "name": null, "ofType": inner});
    let answer = json!({"data": {"__schema": {
    "queryType": {"name": "Query"}, "mutationType": null,
    "types": [
        {"kind": "OBJECT", "name": "Query", "fields": [
            {"name": "user", "description": null, "isDeprecated": false,
             "args": [{"name": "id", "defaultValue": null, "type": non_null(ref_of("SCALAR", "ID"))},
                      {"name": "role", "defaultValue": "USER", "type": ref_of("ENUM", "Role")}],
             "type": ref_of("OBJECT", "User")}]},
        {"kind": "OBJECT", "name": "User", "fields": [
            {"name": "id", "args": [], "type": non_null(ref_of("SCALAR", "ID"))},
            {"name": "tags", "args": [], "type": {"kind": "LIST", "ofType": non_null(ref_of("SCALAR", "String"))}}]},
        {"kind": "ENUM", "name": "Role", "enumValues": [{"name": "USER"}]},
        {"kind": "OBJECT", "name": "__Schema", "fields": []},
    ]}}});
    let read = introspection::read(&answer).unwrap();
    let sdl = sdl::parse(
        "type Query { user(id: ID!, role: Role = USER): User } type User { id: ID! tags: [String!] } enum Role { USER }",
    );
    assert_eq!(read, sdl.unwrap());
    assert_eq!(from_introspection(&answer["data"], "/g").unwrap().operations.len(), 1);
    assert!(matches!(from_introspection(&json!({"errors": []}), "/g"), Err(GraphQlError::NoSchema)));
}

#[test]
fn bad_sdl_is_refused_with_its_place() {
    for (text, line, column) in [
        ("type Query {\n  a: }", 2, 6),
        ("type Query { a String }", 1, 16),
        ("type Query { a(b: Int = ): Int }", 1, 25),
        ("type Query { a: \"x\n }", 1, 17),
        ("query { a }", 1, 7),
        ("type Query ~", 1, 12),
    ] {
        let error = sdl::parse(text).unwrap_err();
        assert_eq!((error.line, error.column), (line, column), "{text}: {error}");
    }
    assert!(sdl::parse(&format!("type Query {{ a: {} }}", "[".repeat(10_000))).is_err());
    assert!(sdl::parse(&format!("input Q {{ a: A = {} }}", "[".repeat(10_000))).is_err());
    assert!(matches!(from_sdl("scalar A", "/"), Err(GraphQlError::NoOperations)));
    assert!(!looks_like_sdl("<html>") && looks_like_sdl(SDL));
}

#[test]
fn types_that_hold_each_other_end() {
    let sdl = "type Query { a: A } type A { b: B only(x: Int!): Int } type B { a: A c: C } type C { d: D } type D { e: String }";
    let model = from_sdl(sdl, "/").unwrap();
    assert_eq!(selection(&model.operations[0]), "{ b { c { __typename } } }");
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in "[a-z{}()\\[\\]:!=|&@\"# \n.$0-9-]{0,200}") {
        let _ = sdl::parse(&text);
        let _ = sdl::parse(&format!("type Query {{ {text}"));
    }
}
