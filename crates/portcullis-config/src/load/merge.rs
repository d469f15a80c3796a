//! Merges documents by name.

use std::collections::HashMap;

use super::include::remark;
use crate::{
    codes,
    diagnostic::Diagnostic,
    source::Sources,
    yaml::{Entry, Node, Value},
};

/// Mappings whose members are definitions by name; `""` is the document itself. In all others a key belongs to one
/// document alone.
const BY_NAME: [&str; 8] =
    ["", "listeners", "identity", "identity.providers", "consumers", "plans", "upstreams", "apis"];

/// Up to this many keys are looked for one by one.
const SMALL: usize = 16;

/// One document out of all; `None` when there is none.
pub(super) fn merge(trees: Vec<Node>, sources: &Sources, diagnostics: &mut Vec<Diagnostic>) -> Option<Node> {
    let mut trees = trees.into_iter();
    let mut root = trees.next()?;
    for tree in trees {
        merge_into("", &mut root, tree, sources, diagnostics);
    }
    Some(root)
}

fn merge_into(path: &str, into: &mut Node, from: Node, sources: &Sources, diagnostics: &mut Vec<Diagnostic>) {
    let span = from.span;
    let entries = match from.value {
        Value::Map(entries) => entries,
        Value::Null => return,
        Value::Scalar(_) | Value::List(_) => {
            let message = "expected a mapping".to_owned();
            diagnostics.push(remark(&codes::WRONG_TYPE, message, Some(span), sources));
            return;
        }
    };
    if let Value::Null = into.value {
        into.value = Value::Map(Vec::new());
    }
    // A main document of the wrong shape is noted when it is read.
    let Value::Map(known) = &mut into.value else { return };
    // Thousands of small documents must not index all that came before them each time.
    let index = entries.len() > SMALL;
    let places: HashMap<String, usize> = match index {
        true => known.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at)).collect(),
        false => HashMap::new(),
    };
    for entry in entries {
        // The version and the list of includes stand in each document for itself.
        if path.is_empty() && entry.key == "include" {
            continue;
        }
        let place = match index {
            true => places.get(&entry.key).copied(),
            false => known.iter().position(|it| it.key == entry.key),
        };
        let Some(first) = place.and_then(|at| known.get_mut(at)) else {
            known.push(entry);
            continue;
        };
        let inner = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
        if BY_NAME.contains(&inner.as_str()) {
            merge_into(&inner, &mut first.value, entry.value, sources, diagnostics);
        } else if !(inner == "version" && first.value.scalar() == entry.value.scalar()) {
            diagnostics.push(twice(&inner, first, &entry, sources));
        }
    }
}

/// A remark that names both places.
pub(super) fn twice(path: &str, first: &Entry, second: &Entry, sources: &Sources) -> Diagnostic {
    let place = sources.origin(first.key_span);
    let hint = Some(format!("it is also defined at {place}; remove or rename one of the two"));
    let also = Some((first.key_span, place, "first defined here"));
    let it = remark(&codes::NAME_TWICE, format!("`{path}` is defined twice"), Some(second.key_span), sources);
    Diagnostic { hint, also, ..it }
}
