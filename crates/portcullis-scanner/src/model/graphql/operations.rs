//! A schema's fields as operations.

use serde_json::{Map, Value, json};

use super::{
    GraphQlError,
    schema::{Field, Schema},
    selection,
    types::{self, Way},
};
use crate::model::{Body, DeclaredAnswer, Effect, GraphQlRoot, Model, Note, Operation, Wire, verbs};

/// Operations of one schema, at most.
const OPERATIONS_MAX: usize = 5_000;

/// The model of a schema that is served at a path.
pub(super) fn model(schema: &Schema, path: &str) -> Result<Model, GraphQlError> {
    let mut definitions = Map::new();
    types::definitions(schema, Way::In, &mut definitions);
    types::definitions(schema, Way::Out, &mut definitions);
    let mut model = Model {
        title: "GraphQL".to_owned(),
        schemas: json!({"$defs": definitions}),
        notes: schema.notes.clone(),
        ..Model::default()
    };
    for (root, name) in [(GraphQlRoot::Query, &schema.query), (GraphQlRoot::Mutation, &schema.mutation)] {
        for field in name.iter().flat_map(|name| schema.fields(name)) {
            if model.operations.len() == OPERATIONS_MAX {
                let text = format!("only the first {OPERATIONS_MAX} fields are used");
                model.notes.push(Note { place: String::new(), text });
                return Ok(model);
            }
            model.operations.push(operation(schema, root, field, path));
        }
    }
    if model.operations.is_empty() { Err(GraphQlError::NoOperations) } else { Ok(model) }
}

fn operation(schema: &Schema, root: GraphQlRoot, field: &Field, path: &str) -> Operation {
    let word = match root {
        GraphQlRoot::Query => "query",
        GraphQlRoot::Mutation => "mutation",
    };
    Operation {
        id: format!("{word} {}", field.name).into(),
        name: field.name.clone(),
        wire: Wire::GraphQl {
            path: path.to_owned(),
            root,
            field: field.name.clone(),
            selection: selection::of(schema, field.of.name()),
            arguments: field.arguments.iter().map(|it| (it.name.clone(), it.of.to_string())).collect(),
        },
        effect: effect(root, &field.name),
        parameters: Vec::new(),
        body: (!field.arguments.is_empty()).then(|| body(schema, field)),
        answers: vec![DeclaredAnswer {
            status: "200".to_owned(),
            media: vec!["application/json".to_owned()],
            schema: Some(types::used(schema, &field.of, Way::Out)),
            headers: Vec::new(),
        }],
        security: None,
        examples: Vec::new(),
        links: Vec::new(),
        words: verbs::words(&field.name)
            .into_iter()
            .chain(field.description.split_whitespace().take(40).map(str::to_lowercase))
            .collect(),
        deprecated: field.deprecated,
    }
}

fn body(schema: &Schema, field: &Field) -> Body {
    let mut properties = Map::new();
    for argument in &field.arguments {
        let mut own = types::used(schema, &argument.of, Way::In);
        if let (Some(default), Some(members)) = (&argument.default, own.as_object_mut()) {
            members.insert("default".to_owned(), default.clone());
        }
        properties.insert(argument.name.clone(), own);
    }
    let required: Vec<&str> =
        field.arguments.iter().filter(|it| it.is_required()).map(|it| it.name.as_str()).collect();
    let is_required = !required.is_empty();
    Body {
        media: vec!["application/json".to_owned()],
        schema: json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false}),
        required: is_required,
        examples: Vec::<Value>::new(),
    }
}

/// A query reads unless its name says otherwise; a mutation never only reads. Nouns that are verbs elsewhere (`post`,
/// `store`, `place`) name what a query reads.
fn effect(root: GraphQlRoot, name: &str) -> Effect {
    const PLAIN: [&str; 8] = ["create", "add", "update", "edit", "modify", "register", "insert", "upload"];
    match (root, verbs::effect(name)) {
        (GraphQlRoot::Query, Some(Effect::Deletes)) => Effect::Deletes,
        (GraphQlRoot::Query, Some(named)) => {
            let words = verbs::words(name);
            let is_plain = words.len() > 1 && words.first().is_some_and(|it| PLAIN.contains(&it.as_str()));
            if is_plain { named } else { Effect::Reads }
        }
        (GraphQlRoot::Query, None) => Effect::Reads,
        (GraphQlRoot::Mutation, None | Some(Effect::Reads)) => Effect::Acts,
        (GraphQlRoot::Mutation, Some(named)) => named,
    }
}
