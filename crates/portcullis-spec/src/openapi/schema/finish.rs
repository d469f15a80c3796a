//! From definitions to bundles: circles broken, operations with unusable schemas dropped, the rest in two directions.

use serde_json::{Map, Value};

use super::{DEFS, direction::Direction};
use crate::{
    model::{DISCRIMINATOR, MediaTypeObject, Operation, Parameter, SchemaRef},
    openapi::reader::Reader,
};

/// A reference from one definition to another.
struct Edge {
    to: usize,
    /// Whether it speaks of the same value, and not of a part of it.
    in_place: bool,
}

impl<'a> Reader<'a> {
    /// The operations whose schemas can be used, with the bundles for requests and responses.
    pub(in crate::openapi) fn finish_schemas(
        &mut self,
        operations: Vec<Operation>,
    ) -> (Vec<Operation>, Value, Value) {
        self.drain();
        self.untie();
        let edges: Vec<Vec<Edge>> = self.schemas.definitions.iter().map(|it| self.edges(&it.value)).collect();
        self.spoil_circles(&edges);
        let cause = self.causes(&edges);
        let mut kept = Vec::with_capacity(operations.len());
        let mut reached = vec![false; edges.len()];
        for operation in operations {
            let roots: Vec<usize> = schema_refs(&operation)
                .into_iter()
                .filter_map(|it| self.schemas.by_name.get(it.name()).copied())
                .collect();
            let mut broken: Vec<usize> =
                roots.iter().filter_map(|it| cause.get(*it).copied().flatten()).collect();
            broken.sort_unstable();
            broken.dedup();
            if broken.is_empty() {
                reach(&roots, &edges, &mut reached);
                kept.push(operation);
            } else {
                self.drop_operation(&operation, &broken);
            }
        }
        let request = self.bundle("readOnly", &reached);
        let response = self.bundle("writeOnly", &reached);
        (kept, request, response)
    }

    fn drop_operation(&mut self, operation: &Operation, broken: &[usize]) {
        let faults: Vec<_> = broken
            .iter()
            .filter_map(|it| self.schemas.definitions.get(*it))
            .flat_map(|it| it.faults.iter().cloned())
            .collect();
        for mut fault in faults {
            fault.operation = Some(format!("{} {}", operation.method, operation.path));
            self.push_fault(fault);
        }
    }

    fn bundle(&self, foreign: &'static str, reached: &[bool]) -> Value {
        let options = self.options;
        let wrong = if foreign == "readOnly" {
            options.read_only_in_requests
        } else {
            options.write_only_in_responses
        };
        let definitions = &self.schemas.definitions;
        let direction = Direction { foreign, wrong, definitions, by_name: &self.schemas.by_name };
        let entries: Map<String, Value> = definitions
            .iter()
            .zip(reached)
            .filter(|(_, reached)| **reached)
            .map(|(it, _)| (it.name.to_string(), direction.of(&it.value)))
            .collect();
        let mut bundle = Map::new();
        bundle.insert("$schema".to_owned(), Value::from("https://json-schema.org/draft/2020-12/schema"));
        bundle.insert("$defs".to_owned(), Value::Object(entries));
        Value::Object(bundle)
    }

    fn edges(&self, value: &Value) -> Vec<Edge> {
        let mut edges = Vec::new();
        self.collect_edges(value, true, &mut edges);
        edges
    }

    fn collect_edges(&self, value: &Value, in_place: bool, edges: &mut Vec<Edge>) {
        let Value::Object(members) = value else { return };
        for (key, member) in members {
            match (key.as_str(), member) {
                ("$ref", Value::String(text)) => self.push_edge(text, in_place, edges),
                (DISCRIMINATOR, discriminator) => {
                    let mapping = discriminator.get("mapping").and_then(Value::as_object);
                    for text in mapping.into_iter().flatten().filter_map(|(_, it)| it.as_str()) {
                        self.push_edge(text, in_place, edges);
                    }
                }
                ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => {
                    schemas.iter().for_each(|it| self.collect_edges(it, in_place, edges));
                }
                ("not" | "if" | "then" | "else", schema) => self.collect_edges(schema, in_place, edges),
                ("dependentSchemas", Value::Object(schemas)) => {
                    schemas.iter().for_each(|(_, it)| self.collect_edges(it, in_place, edges));
                }
                ("properties" | "patternProperties", Value::Object(schemas)) => {
                    schemas.iter().for_each(|(_, it)| self.collect_edges(it, false, edges));
                }
                ("prefixItems", Value::Array(schemas)) => {
                    schemas.iter().for_each(|it| self.collect_edges(it, false, edges));
                }
                (
                    "items"
                    | "additionalProperties"
                    | "contains"
                    | "propertyNames"
                    | "unevaluatedItems"
                    | "unevaluatedProperties",
                    schema,
                ) => self.collect_edges(schema, false, edges),
                _ => {}
            }
        }
    }

    fn push_edge(&self, text: &str, in_place: bool, edges: &mut Vec<Edge>) {
        let known = text.strip_prefix(DEFS).and_then(|name| self.schemas.by_name.get(name));
        edges.extend(known.map(|to| Edge { to: *to, in_place }));
    }

    /// A schema that leads back to itself without going deeper into the value can never be decided.
    fn spoil_circles(&mut self, edges: &[Vec<Edge>]) {
        #[derive(Clone, Copy, PartialEq)]
        enum State {
            New,
            Open,
            Done,
        }
        let mut states = vec![State::New; edges.len()];
        let mut circular = Vec::new();
        for start in 0..edges.len() {
            // A definition and the next of its edges to follow.
            let mut stack: Vec<(usize, usize)> = Vec::new();
            if states.get(start) == Some(&State::New) {
                stack.push((start, 0));
            }
            while let Some((at, next)) = stack.pop() {
                if let Some(state) = states.get_mut(at) {
                    *state = State::Open;
                }
                match edges.get(at).and_then(|it| it.get(next)) {
                    Some(edge) => {
                        stack.push((at, next + 1));
                        match states.get(edge.to) {
                            Some(State::New) if edge.in_place => stack.push((edge.to, 0)),
                            Some(State::Open) if edge.in_place => circular.push(edge.to),
                            _ => {}
                        }
                    }
                    None => {
                        if let Some(state) = states.get_mut(at) {
                            *state = State::Done;
                        }
                    }
                }
            }
        }
        circular.sort_unstable();
        circular.dedup();
        for index in circular {
            let Some(it) = self.schemas.definitions.get_mut(index) else { continue };
            it.faults.push(crate::openapi::reader::Fault {
                severity: crate::model::DiagnosticSeverity::Error,
                file: it.file,
                pointer: it.pointer.clone(),
                message:
                    "the schema refers back to itself without going deeper: nothing could ever be checked"
                        .to_owned(),
                hint: Some("an `allOf` of a base must not lead back to the base's own `oneOf`".to_owned()),
                operation: None,
            });
        }
    }

    /// For every definition, the unusable one that it needs, itself included.
    fn causes(&self, edges: &[Vec<Edge>]) -> Vec<Option<usize>> {
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); edges.len()];
        for (from, edges) in edges.iter().enumerate() {
            for edge in edges {
                if let Some(users) = users.get_mut(edge.to) {
                    users.push(from);
                }
            }
        }
        let mut cause = vec![None; edges.len()];
        for (index, definition) in self.schemas.definitions.iter().enumerate() {
            if definition.faults.is_empty() {
                continue;
            }
            let mut stack = vec![index];
            while let Some(at) = stack.pop() {
                let Some(slot @ None) = cause.get_mut(at) else { continue };
                *slot = Some(index);
                stack.extend(users.get(at).into_iter().flatten());
            }
        }
        cause
    }
}

/// Marks everything that the roots lead to.
fn reach(roots: &[usize], edges: &[Vec<Edge>], reached: &mut [bool]) {
    let mut stack = roots.to_vec();
    while let Some(at) = stack.pop() {
        let Some(slot @ false) = reached.get_mut(at) else { continue };
        *slot = true;
        stack.extend(edges.get(at).into_iter().flatten().map(|it| it.to));
    }
}

/// Every schema an operation mentions.
fn schema_refs(operation: &Operation) -> Vec<&SchemaRef> {
    fn of_parameters(parameters: &[Parameter]) -> impl Iterator<Item = &SchemaRef> {
        parameters.iter().filter_map(|it| it.schema.as_ref())
    }
    fn of_content(content: &[MediaTypeObject]) -> impl Iterator<Item = &SchemaRef> {
        content.iter().flat_map(|media| {
            let encodings = media.encoding.values().flat_map(|it| of_parameters(&it.headers));
            media.schema.iter().chain(encodings)
        })
    }
    let body = operation.body.iter().flat_map(|it| of_content(&it.content));
    let responses =
        operation.responses.iter().flat_map(|it| of_parameters(&it.headers).chain(of_content(&it.content)));
    of_parameters(&operation.parameters).chain(body).chain(responses).collect()
}
