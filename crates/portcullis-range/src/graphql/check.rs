//! What a query must be before it is carried out: true to the schema, and within bounds unless nobody minds.

use std::collections::HashMap;

use super::{
    parse::{Document, Field, Selection},
    schema::{bare, fields, nearest},
};
use crate::{http::call::Cx, weakness::Weakness as W};

/// Selection sets within one another that a careful service carries out.
const DEPTH_MAX: usize = 8;

/// Fields of one document that a careful service carries out, fragments counted where they are used.
const FIELDS_MAX: usize = 200;

/// How often a careful service carries out one root field under different names.
const ALIASES_MAX: usize = 10;

/// Directives that a careful service reads.
const DIRECTIVES_MAX: usize = 20;

/// Expansions after which even the careless twin gives up, so that the range stays up.
const EXPANSIONS_MAX: usize = 200_000;

/// What is wrong with a document.
pub(crate) enum Fault {
    /// The client's mistake, to be told in `errors`.
    Told(String),
    /// The executor fell over.
    Fatal,
}

/// Walks an operation.
pub(crate) struct Walk<'a> {
    cx: &'a Cx,
    document: &'a Document,
    fields: usize,
    directives: usize,
    expansions: usize,
    depth: usize,
    root: HashMap<String, usize>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(cx: &'a Cx, document: &'a Document) -> Self {
        Self { cx, document, fields: 0, directives: 0, expansions: 0, depth: 0, root: HashMap::new() }
    }

    /// The first fault of an operation.
    pub(crate) fn fault(mut self, kind: &str, selections: &[Selection]) -> Option<Fault> {
        let root = if kind == "mutation" { "Mutation" } else { "Query" };
        if let Err(fault) = self.set(root, selections, 1, &mut Vec::new()) {
            return Some(fault);
        }
        let over = |weakness, found: usize, bound: usize, what: &str| {
            (found > bound && !self.cx.on(weakness))
                .then(|| Fault::Told(format!("the query has too many {what}")))
        };
        let aliases = self.root.values().copied().max().unwrap_or_default();
        over(W::GraphqlDepth, self.depth, DEPTH_MAX, "levels")
            .or_else(|| over(W::GraphqlAlias, aliases, ALIASES_MAX, "aliases"))
            .or_else(|| over(W::GraphqlDirective, self.directives, DIRECTIVES_MAX, "directives"))
            .or_else(|| {
                let open =
                    [W::GraphqlAlias, W::GraphqlDepth, W::GraphqlCost].into_iter().any(|it| self.cx.on(it));
                (self.fields > FIELDS_MAX && !open)
                    .then(|| Fault::Told("the query has too many fields".to_owned()))
            })
    }

    fn set(
        &mut self,
        kind: &str,
        selections: &[Selection],
        depth: usize,
        within: &mut Vec<String>,
    ) -> Result<(), Fault> {
        self.depth = self.depth.max(depth);
        for selection in selections {
            self.expansions += 1;
            if self.expansions > EXPANSIONS_MAX {
                return Err(Fault::Fatal);
            }
            match selection {
                Selection::Field(field) => self.field(kind, field, depth, within)?,
                Selection::Inline(selections) => self.set(kind, selections, depth, within)?,
                Selection::Spread(name) => {
                    if within.contains(name) && !self.cx.on(W::GraphqlCircular) {
                        return Err(Fault::Told(format!("Cannot spread fragment \"{name}\" within itself.")));
                    }
                    // A reader that does not look for circles goes round until it falls over.
                    if within.len() > 100 {
                        return Err(Fault::Fatal);
                    }
                    let fragment = self.document.fragments.iter().find(|(it, _)| it == name);
                    let Some((_, selections)) = fragment else {
                        return Err(Fault::Told(format!("Unknown fragment \"{name}\".")));
                    };
                    within.push(name.clone());
                    self.set(kind, selections, depth, within)?;
                    within.pop();
                }
            }
        }
        Ok(())
    }

    fn field(
        &mut self,
        kind: &str,
        field: &Field,
        depth: usize,
        within: &mut Vec<String>,
    ) -> Result<(), Fault> {
        self.fields += 1;
        self.directives += field.directives;
        if depth == 1 {
            *self.root.entry(field.name.clone()).or_default() += 1;
        }
        if field.name.starts_with("__") {
            let open = field.name == "__typename" || self.cx.on(W::GraphqlIntrospection);
            return if open { Ok(()) } else { Err(Fault::Told("introspection is not allowed".to_owned())) };
        }
        let known = fields(kind).unwrap_or_default();
        let Some(declared) = known.iter().find(|it| it.name == field.name) else {
            let near = nearest(&field.name, known.iter().map(|it| it.name))
                .filter(|_| self.cx.on(W::GraphqlSuggestions));
            let hint = near.map(|it| format!(" Did you mean \"{it}\"?")).unwrap_or_default();
            return Err(Fault::Told(format!(
                "Cannot query field \"{}\" on type \"{kind}\".{hint}",
                field.name
            )));
        };
        for name in field.arguments.keys() {
            if !declared.arguments.iter().any(|(it, _)| it == name) {
                return Err(Fault::Told(format!(
                    "Unknown argument \"{name}\" on field \"{kind}.{}\".",
                    field.name
                )));
            }
        }
        for (name, wanted) in declared.arguments {
            let sent = field.arguments.get(*name).filter(|it| !it.is_null());
            let fits = match (sent, bare(wanted)) {
                (None, _) => !wanted.ends_with('!'),
                (Some(value), "Int") => value.is_i64(),
                (Some(value), "ID") => value.is_string() || value.is_i64(),
                (Some(value), _) => value.is_string(),
            };
            if !fits {
                return Err(Fault::Told(format!(
                    "Argument \"{name}\" of type \"{wanted}\" is missing or of another type."
                )));
            }
        }
        let inner = bare(declared.kind);
        match (fields(inner).is_some(), field.selections.is_empty()) {
            (true, true) => Err(Fault::Told(format!(
                "Field \"{}\" of type \"{}\" must have a selection of subfields.",
                field.name, declared.kind
            ))),
            (false, false) => Err(Fault::Told(format!(
                "Field \"{}\" must not have a selection since type \"{}\" has no subfields.",
                field.name, declared.kind
            ))),
            _ => self.set(inner, &field.selections, depth + 1, within),
        }
    }
}
