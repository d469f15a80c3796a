//! Small descriptions in, operations as text out.

mod faults;
mod files;
mod operations;
mod schemas;
mod shown;

use std::fmt::Write as _;

use super::{LoadOptions, MemorySource, load};
use crate::model::{Document, MediaTypeObject, Parameter, SecurityRequirement};

/// The outcome of reading one YAML text.
fn check(text: &str) -> String {
    check_files(&MemorySource::default().with("openapi.yaml", text))
}

/// The outcome of reading `openapi.yaml`.
fn check_files(source: &MemorySource) -> String {
    match load("openapi.yaml", source, &LoadOptions::default()) {
        Ok(document) => render(&document),
        Err(error) => error.to_string(),
    }
}

/// The operation `POST /x` of an OpenAPI 3.0 document with that body schema and these components: its bundles.
fn check_schema(version: &str, schemas: &str) -> String {
    let indented = schemas.replace('\n', "\n    ");
    check(&format!(
        "openapi: {version}\npaths:\n  /x:\n    post:\n      requestBody:\n        content:\n          \
         application/json: {{schema: {{$ref: '#/components/schemas/X'}}}}\n      responses: {{}}\n\
         components:\n  schemas:\n    {indented}\n"
    ))
    .replace("POST /x `POST /x` at ``\n  body: application/json /$defs/X\n", "")
}

fn render(document: &Document) -> String {
    let mut text = String::new();
    for operation in &document.operations {
        let bases: Vec<String> = operation.base_paths.iter().map(|it| format!("`{it}`")).collect();
        write!(text, "{} {} `{}` at {}", operation.method, operation.path, operation.id, bases.join(", "))
            .unwrap();
        if !operation.tags.is_empty() {
            write!(text, " tags {}", operation.tags.join(", ")).unwrap();
        }
        text.push_str(if operation.deprecated { " deprecated\n" } else { "\n" });
        for it in &operation.parameters {
            writeln!(text, "  {}", parameter(it)).unwrap();
        }
        if let Some(body) = &operation.body {
            let required = if body.required { " required" } else { "" };
            writeln!(text, "  body{required}: {}", content(&body.content)).unwrap();
        }
        for response in &operation.responses {
            writeln!(text, "  {:?}: {}", response.status, content(&response.content)).unwrap();
            for it in &response.headers {
                writeln!(text, "    {}", parameter(it)).unwrap();
            }
        }
        let all = |all: &Vec<SecurityRequirement>| {
            let all: Vec<String> =
                all.iter().map(|it| format!("{}[{}]", it.scheme, it.scopes.join(" "))).collect();
            if all.is_empty() { "anonymous".to_owned() } else { all.join(" and ") }
        };
        if !operation.security.is_empty() {
            let any: Vec<String> = operation.security.iter().map(all).collect();
            writeln!(text, "  security {}", any.join(" or ")).unwrap();
        }
    }
    let responses = document.response_schemas["$defs"].as_object().unwrap();
    for (name, schema) in document.request_schemas["$defs"].as_object().unwrap() {
        writeln!(text, "{name} = {schema}").unwrap();
        let other = &responses[name];
        if other != schema {
            writeln!(text, "  in responses = {other}").unwrap();
        }
    }
    for (name, scheme) in &document.security_schemes {
        writeln!(text, "{name}: {scheme:?}").unwrap();
    }
    for diagnostic in &document.diagnostics {
        writeln!(text, "{diagnostic}").unwrap();
    }
    text
}

fn parameter(it: &Parameter) -> String {
    let Parameter {
        name,
        location,
        required,
        style,
        explode,
        allow_reserved,
        allow_empty_value,
        schema,
        content,
    } = it;
    let mut text = format!("{location:?} {name}{} {style:?}", if *required { "" } else { "?" });
    for (flag, word) in [(explode, "explode"), (allow_reserved, "reserved"), (allow_empty_value, "empty")] {
        if *flag {
            write!(text, " {word}").unwrap();
        }
    }
    if let Some(schema) = schema {
        write!(text, " {schema}").unwrap();
    }
    if let Some(content) = content {
        write!(text, " as {content}").unwrap();
    }
    text
}

fn content(content: &[MediaTypeObject]) -> String {
    let one = |it: &MediaTypeObject| {
        let mut text = it.range.clone();
        if let Some(schema) = &it.schema {
            write!(text, " {schema}").unwrap();
        }
        for (property, encoding) in &it.encoding {
            write!(text, " {property}: {:?} {:?}", encoding.content_types, encoding.style).unwrap();
            if encoding.explode {
                text.push_str(" explode");
            }
        }
        text
    };
    content.iter().map(one).collect::<Vec<_>>().join(", ")
}
