//! Swagger 2.0 and OpenAPI 3: what `portcullis-spec` reads, with what descriptions show beside, into a model.

mod answers;
mod bodies;
mod examples;
mod links;
mod schemas;

use std::sync::Arc;

use portcullis_spec::{
    model::{
        Diagnostic, Document, Operation as Described, Parameter, ParameterLocation, SecurityScheme,
        Style as SpecStyle,
    },
    openapi::{self, LoadError, LoadOptions, Source},
    shown::{Shown, ShownOperation},
};
use serde_json::Value;

use super::{
    Line, Model, Note, Operation, Place, Requirement, Scheme, Slot, Style, Wire, effect, kind, server, slots,
};

/// Words kept of one operation.
const WORDS_MAX: usize = 64;
/// Examples kept of one slot.
const EXAMPLES_MAX: usize = 10;

/// Reads a description. `base` is the URL it came from, if any: what relative servers are resolved against.
///
/// # Errors
/// Only when there is no description to speak of; everything else becomes a note.
pub fn read(
    name: &str,
    source: &dyn Source,
    options: &LoadOptions,
    base: Option<&str>,
) -> Result<Model, LoadError> {
    let options = LoadOptions { keep_examples: true, ..options.clone() };
    let (document, shown) = openapi::load_with_shown(name, source, &options)?;
    Ok(model_of(&document, &shown, base))
}

fn model_of(document: &Document, shown: &Shown, base: Option<&str>) -> Model {
    let mut model = Model {
        title: document.title.clone(),
        schemas: schemas::bundle(document),
        notes: document.diagnostics.iter().map(note).collect(),
        ..Model::default()
    };
    server::resolve_all(&shown.servers, base, &mut model);
    for (name, scheme) in &document.security_schemes {
        let words = shown.schemes.get(name).map_or("", String::as_str);
        model.schemes.insert(name.clone(), scheme_of(scheme, words));
    }
    let nothing = ShownOperation::default();
    for described in &document.operations {
        let key = (described.method.clone(), described.path.clone());
        let shown = shown.operations.get(&key).unwrap_or(&nothing);
        let operation = operation(&mut model, described, shown);
        if let Some(position) = shown.position {
            let line = Line { file: shown.file.clone(), line: position.line, column: position.column };
            model.lines.insert(Arc::clone(&operation.id), line);
        }
        model.operations.push(operation);
    }
    links::resolve(&mut model, document, shown);
    model
}

fn note(diagnostic: &Diagnostic) -> Note {
    let Diagnostic { file, pointer, position, message, hint: _, operation, severity: _ } = diagnostic;
    let place = match position {
        Some(position) => format!("{file}:{}:{}", position.line, position.column),
        None => format!("{file}#{pointer}"),
    };
    let text = match operation {
        Some(operation) => format!("{message} (`{operation}`)"),
        None => message.clone(),
    };
    Note { place, text }
}

fn scheme_of(scheme: &SecurityScheme, words: &str) -> Scheme {
    match scheme {
        // Before OpenAPI 3 there was no other way to say it.
        SecurityScheme::ApiKey { location: ParameterLocation::Header, name }
            if name.eq_ignore_ascii_case("authorization")
                && words.to_ascii_lowercase().contains("bearer") =>
        {
            Scheme::Bearer
        }
        SecurityScheme::ApiKey { location, name } => Scheme::Key(place(*location, name)),
        SecurityScheme::Http { scheme, .. } => match scheme.as_str() {
            "bearer" => Scheme::Bearer,
            "basic" => Scheme::Basic,
            other => Scheme::Other(format!("HTTP {other}")),
        },
        // Whoever has a token of theirs presents it so (RFC 6750 §2.1).
        SecurityScheme::OAuth2 { .. } | SecurityScheme::OpenIdConnect { .. } => Scheme::Bearer,
        SecurityScheme::MutualTls => Scheme::Other("mutual TLS".to_owned()),
    }
}

fn place(location: ParameterLocation, name: &str) -> Place {
    match location {
        ParameterLocation::Query => Place::Query(name.into()),
        ParameterLocation::Path => Place::Path(name.into()),
        ParameterLocation::Header => Place::Header(name.to_ascii_lowercase().into()),
        ParameterLocation::Cookie => Place::Cookie(name.into()),
    }
}

fn operation(model: &mut Model, described: &Described, shown: &ShownOperation) -> Operation {
    let base = described.base_paths.first().map_or("", String::as_str);
    let path = format!("{base}{}", described.path);
    let id: Arc<str> = format!("{} {path}", described.method).into();
    let parameters = described.parameters.iter().map(|it| slot(model, it, shown)).collect();
    let body = bodies::body(model, described, shown, &id);
    let mut operation = Operation {
        name: if described.id == *id { String::new() } else { described.id.clone() },
        effect: effect::of_rest(&described.method, &described.path, &described.id),
        wire: Wire::Rest { method: described.method.clone(), path },
        parameters,
        body,
        answers: answers::answers(model, &described.responses),
        security: security(described),
        examples: Vec::new(),
        links: Vec::new(),
        words: words(described, shown),
        deprecated: described.deprecated,
        id,
    };
    operation.examples = examples::calls(&operation, shown);
    operation
}

fn slot(model: &Model, parameter: &Parameter, shown: &ShownOperation) -> Slot {
    let place = place(parameter.location, &parameter.name);
    let schema = match &parameter.schema {
        Some(it) => schemas::request(it),
        None => Value::Bool(true),
    };
    let own = |it: &&portcullis_spec::shown::ShownParameter| {
        it.location == parameter.location && it.name.eq_ignore_ascii_case(&parameter.name)
    };
    let mut values: Vec<Value> = Vec::new();
    let given = shown.parameters.iter().filter(own).map(|it| it.value.clone());
    for value in given.chain(slots::shown_by(model, &schema)) {
        if values.len() < EXAMPLES_MAX && !values.contains(&value) {
            values.push(value);
        }
    }
    Slot {
        place,
        kind: kind::of(model, &schema),
        required: parameter.required,
        style: Style {
            name: style(parameter.style).to_owned(),
            explode: parameter.explode,
            content: parameter.content.clone(),
        },
        schema,
        examples: values,
    }
}

/// The name that OpenAPI has for a style.
fn style(style: SpecStyle) -> &'static str {
    match style {
        SpecStyle::Form => "form",
        SpecStyle::Simple => "simple",
        SpecStyle::Label => "label",
        SpecStyle::Matrix => "matrix",
        SpecStyle::SpaceDelimited => "spaceDelimited",
        SpecStyle::PipeDelimited => "pipeDelimited",
        SpecStyle::DeepObject => "deepObject",
        SpecStyle::Tsv => "tsv",
    }
}

fn security(described: &Described) -> Option<Vec<Vec<Requirement>>> {
    if described.security.is_empty() {
        return None;
    }
    let requirement = |it: &portcullis_spec::model::SecurityRequirement| Requirement {
        scheme: it.scheme.clone(),
        scopes: it.scopes.clone(),
    };
    Some(described.security.iter().map(|all| all.iter().map(requirement).collect()).collect())
}

fn words(described: &Described, shown: &ShownOperation) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let texts = described.tags.iter().map(String::as_str).chain([
        described.id.as_str(),
        &shown.summary,
        &shown.description,
    ]);
    for word in texts.flat_map(effect::words) {
        if words.len() >= WORDS_MAX {
            break;
        }
        if word.len() > 2 && !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

#[cfg(test)]
mod tests;
