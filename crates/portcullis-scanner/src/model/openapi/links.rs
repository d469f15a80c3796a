//! `links`: a part of an answer that feeds a slot of another operation.

use std::sync::Arc;

use portcullis_spec::{
    model::Document,
    shown::{Shown, ShownLink},
};

use crate::model::{Link, Model, Note, Operation, Place};

/// Resolves every link; one that leads nowhere becomes a note.
pub(super) fn resolve(model: &mut Model, document: &Document, shown: &Shown) {
    let mut found: Vec<(usize, Link)> = Vec::new();
    let mut notes: Vec<Note> = Vec::new();
    for (at, described) in document.operations.iter().enumerate() {
        let key = (described.method.clone(), described.path.clone());
        for link in shown.operations.get(&key).into_iter().flat_map(|it| &it.links) {
            let Some(target) = target(model, document, link) else {
                let name =
                    if link.operation_id.is_empty() { &link.operation_ref } else { &link.operation_id };
                let text = format!("a link to `{name}` leads to no operation of this description");
                notes.push(Note { place: described.pointer.clone(), text });
                continue;
            };
            let fed =
                link.parameters.iter().filter_map(|(name, from)| Some((slot(target, name)?, pointer(from)?)));
            let body = pointer(&link.body).map(|from| (Place::Body(String::new().into()), from));
            for (slot, from) in fed.chain(body) {
                found.push((at, Link { from, operation: Arc::clone(&target.id), slot }));
            }
        }
    }
    for (at, link) in found {
        if let Some(operation) = model.operations.get_mut(at).filter(|it| !it.links.contains(&link)) {
            operation.links.push(link);
        }
    }
    model.notes.extend(notes);
}

/// Operations of model and document have the same positions.
fn target<'m>(model: &'m Model, document: &Document, link: &ShownLink) -> Option<&'m Operation> {
    let at = if link.operation_id.is_empty() {
        let pointer = link.operation_ref.split_once('#')?.1;
        let decoded = percent_encoding::percent_decode_str(pointer).decode_utf8_lossy();
        document.operations.iter().position(|it| it.pointer == pointer || it.pointer == *decoded)?
    } else {
        document.operations.iter().position(|it| it.id == link.operation_id)?
    };
    model.operations.get(at)
}

/// `id`, `path.id`, `query.q`.
fn slot(operation: &Operation, name: &str) -> Option<Place> {
    let places = || operation.parameters.iter().map(|it| &it.place);
    let (kind, rest) = name.split_once('.').unwrap_or(("", name));
    let qualified = places().find(|it| {
        it.name() == rest
            && matches!(
                (kind, it),
                ("path", Place::Path(_))
                    | ("query", Place::Query(_))
                    | ("header", Place::Header(_))
                    | ("cookie", Place::Cookie(_))
            )
    });
    qualified.or_else(|| places().find(|it| it.name() == name)).cloned()
}

/// The pointer of an expression on the answer's body (OpenAPI 3.1 §4.8.20.4).
fn pointer(expression: &str) -> Option<String> {
    let expression = expression.strip_prefix('{').and_then(|it| it.strip_suffix('}')).unwrap_or(expression);
    let rest = expression.strip_prefix("$response.body")?;
    match rest.strip_prefix('#') {
        Some(pointer) => Some(pointer.to_owned()),
        None => rest.is_empty().then(String::new),
    }
}
