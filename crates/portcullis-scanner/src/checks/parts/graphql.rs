//! A GraphQL endpoint as such: documents of any kind sent to it, and what came back told apart.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use crate::{
    call::{ANONYMOUS, Call, Edit, IdentityId},
    check::Target,
    identity::Role,
    model::{Effect, GraphQlRoot, Model, OperationIndex, Wire, graphql::NEEDS_ARGUMENTS},
    script::{Flow, Script},
    wire::{Answer, Outcome},
    world::{Good, World},
};

/// One target for each endpoint: a server's variant that is the endpoint's path.
pub fn targets(world: &World) -> Vec<Target> {
    let mut paths: Vec<&str> = Vec::new();
    for (_, operation) in world.model.all() {
        if let Wire::GraphQl { path, .. } = &operation.wire
            && !paths.contains(&path.as_str())
        {
            paths.push(path);
        }
    }
    paths.into_iter().map(Target::server).collect()
}

/// An endpoint.
pub struct Endpoint<'w> {
    /// What is known.
    pub world: &'w World,
    /// Its path.
    pub path: &'w str,
    /// Any operation that is served there.
    pub operation: OperationIndex,
    /// Who asks: an ordinary user where there is one.
    pub by: IdentityId,
}

impl<'w> Endpoint<'w> {
    /// The endpoint of a target of [`targets`]; the trial is skipped where it is none.
    ///
    /// # Errors
    /// The target is no endpoint.
    pub fn of(world: &'w World, target: &'w Target, script: &Script<'_>) -> Flow<Self> {
        let found = world.model.all().find(
            |(_, operation)| matches!(&operation.wire, Wire::GraphQl { path, .. } if *path == target.variant),
        );
        match found {
            Some((operation, _)) => {
                let by = world.who(Role::A).map_or(ANONYMOUS, |it| it.id);
                Ok(Self { world, path: &target.variant, operation, by })
            }
            None => script.skip("no GraphQL endpoint"),
        }
    }

    /// The call of a document.
    pub fn call(&self, document: &str) -> Call {
        self.call_with(&json!({"query": document}))
    }

    /// The call of a whole JSON body.
    pub fn call_with(&self, body: &Value) -> Call {
        Call::of(self.operation, self.by).edited(Edit::RawBody(body.to_string().into_bytes()))
    }

    /// Sends a document.
    ///
    /// # Errors
    /// It has no answer yet.
    pub fn ask(&self, script: &mut Script<'_>, document: &str) -> Flow<(usize, Arc<Answer>)> {
        script.send(self.call(document))
    }

    /// The call of a field under these other names with the arguments of a known call; with a selection of the caller's
    /// where it gives one.
    pub fn call_aliased(
        &self,
        wire: &Wire,
        call: &Call,
        names: &[String],
        selection: Option<&str>,
    ) -> Option<Call> {
        let document = aliased(wire, call, names, selection)?;
        let variables = call.body.clone().unwrap_or_else(|| json!({}));
        Some(self.call_with(&json!({"query": document, "variables": variables})))
    }

    /// Queries of this endpoint that read and were answered well, the smallest answer first.
    pub fn reads(&self) -> Vec<(OperationIndex, &'w Wire, &'w Good)> {
        let mut reads: Vec<_> = self
            .world
            .reached()
            .filter(|(_, operation, _)| operation.effect == Effect::Reads)
            .filter(|(_, operation, _)| {
                matches!(&operation.wire, Wire::GraphQl { path, root: GraphQlRoot::Query, .. } if path == self.path)
            })
            .map(|(index, operation, good)| (index, &operation.wire, good))
            .collect();
        reads.sort_by_key(|(index, _, good)| (good.answer.body.len(), *index));
        reads
    }
}

/// The document of a field under these other names, its arguments as variables. `None` where the operation is no field.
fn aliased(wire: &Wire, call: &Call, names: &[String], selection: Option<&str>) -> Option<String> {
    let Wire::GraphQl { root, field, selection: own, arguments, .. } = wire else { return None };
    let given = call.body.as_ref().and_then(Value::as_object);
    let used: Vec<&(String, String)> =
        arguments.iter().filter(|(name, _)| given.is_some_and(|it| it.contains_key(name))).collect();
    let declared: Vec<String> = used.iter().map(|(name, of)| format!("${name}: {of}")).collect();
    let passed: Vec<String> = used.iter().map(|(name, _)| format!("{name}: ${name}")).collect();
    let list =
        |items: &[String]| if items.is_empty() { String::new() } else { format!("({})", items.join(", ")) };
    let word = match root {
        GraphQlRoot::Query => "query",
        GraphQlRoot::Mutation => "mutation",
    };
    let selection = selection.unwrap_or(own);
    let fields: Vec<String> =
        names.iter().map(|name| format!("{name}: {field}{} {selection}", list(&passed))).collect();
    Some(format!("{word} {} {{ {} }}", list(&declared), fields.join(" ")))
}

/// Fresh names.
pub fn names(script: &mut Script<'_>, count: usize) -> Vec<String> {
    let stem = script.word(8);
    (0..count).map(|at| format!("{stem}{at}")).collect()
}

/// The whole body as JSON.
pub fn body(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or(Value::Null)
}

/// `data` of the body, where it is an object.
pub fn data(answer: &Answer) -> Option<Value> {
    body(answer).get("data").filter(|it| it.is_object()).cloned()
}

/// Messages of errors, lower case.
pub fn errors(answer: &Answer) -> Vec<String> {
    let body = body(answer);
    let list = body.get("errors").and_then(Value::as_array).cloned().unwrap_or_default();
    list.iter().filter_map(|it| Some(it.get("message")?.as_str()?.to_lowercase())).collect()
}

/// Whether a document was let through to be executed: it brought data, or errors that point at fields of it.
pub fn executed(answer: &Answer) -> bool {
    let body = body(answer);
    if body.get("data").is_some_and(Value::is_object) {
        return true;
    }
    let errors = body.get("errors").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    !errors.is_empty() && errors.iter().all(|it| it.get("path").is_some_and(|path| !path.is_null()))
}

/// Whether errors speak of a bound: the server limits what it was asked, however it says so.
pub fn limited(answer: &Answer) -> bool {
    const WORDS: [&str; 14] = [
        "limit",
        "depth",
        "complex",
        "cost",
        "too many",
        "too large",
        "too deep",
        "exceed",
        "maximum",
        "alias",
        "batch",
        "nest",
        "recurs",
        "budget",
    ];
    answer.outcome == Outcome::Limited
        || errors(answer).iter().any(|message| WORDS.iter().any(|word| message.contains(word)))
}

/// Object types of the answers by name: fields that are objects themselves, and fields that are leaves. Fields that need
/// arguments are left out.
pub struct Types {
    /// Field and type of what is an object.
    pub objects: BTreeMap<String, Vec<(String, String)>>,
    /// Leaves.
    pub leaves: BTreeMap<String, Vec<String>>,
}

impl Types {
    /// The types of a model's answers.
    pub fn of(model: &Model) -> Self {
        let mut types = Self { objects: BTreeMap::new(), leaves: BTreeMap::new() };
        let definitions = model.schemas.get("$defs").and_then(Value::as_object);
        for (name, definition) in definitions.into_iter().flatten() {
            let Some(fields) = definition.get("properties").and_then(Value::as_object) else { continue };
            for (field, of) in fields.iter().filter(|(_, of)| of.get(NEEDS_ARGUMENTS).is_none()) {
                match type_in(of) {
                    Some(inner) => {
                        let inner_definition = definitions.and_then(|it| it.get(&inner));
                        let is = |key: &str| inner_definition.is_some_and(|it| it.get(key).is_some());
                        if is("properties") {
                            types.objects.entry(name.clone()).or_default().push((field.clone(), inner));
                        } else if is("enum") {
                            types.leaves.entry(name.clone()).or_default().push(field.clone());
                        }
                    }
                    None => types.leaves.entry(name.clone()).or_default().push(field.clone()),
                }
            }
        }
        types
    }

    /// The type that an operation answers.
    pub fn answered(world: &World, index: OperationIndex) -> Option<String> {
        type_in(world.model.operation(index)?.answers.first()?.schema.as_ref()?)
    }

    /// The fields that lead from a type to another, at most so many; empty for the type itself.
    pub fn way(&self, from: &str, to: &str, fields_max: usize) -> Option<Vec<String>> {
        let mut reached: Vec<(&str, Vec<String>)> = vec![(from, Vec::new())];
        let mut at = 0;
        while let Some((name, way)) = reached.get(at).cloned() {
            if name == to {
                return Some(way);
            }
            at += 1;
            if way.len() == fields_max {
                continue;
            }
            for (field, inner) in self.objects.get(name).into_iter().flatten() {
                if !reached.iter().any(|(own, _)| own == inner) {
                    let mut longer = way.clone();
                    longer.push(field.clone());
                    reached.push((inner, longer));
                }
            }
        }
        None
    }

    /// A way from a type that comes back to where it has been: the fields in front of the circle, and those of it.
    pub fn circle(&self, from: &str) -> Option<(Vec<String>, Vec<String>)> {
        let mut reached: Vec<(&str, Vec<String>)> = vec![(from, Vec::new())];
        let mut at = 0;
        while let Some((name, way)) = reached.get(at).cloned() {
            at += 1;
            for (field, inner) in self.objects.get(name).into_iter().flatten() {
                if let Some(back) = self.way(inner, name, 4) {
                    let mut circle = vec![field.clone()];
                    circle.extend(back);
                    return Some((way, circle));
                }
                if way.len() < 4 && !reached.iter().any(|(own, _)| own == inner) {
                    let mut longer = way.clone();
                    longer.push(field.clone());
                    reached.push((inner, longer));
                }
            }
        }
        None
    }
}

/// The name of the type that a schema refers to, behind lists and null.
fn type_in(schema: &Value) -> Option<String> {
    let mut at = schema;
    for _ in 0..16 {
        if let Some(name) = at.get("$ref").and_then(Value::as_str) {
            return name.strip_prefix("#/$defs/").map(str::to_owned);
        }
        at = at.get("items").or_else(|| at.get("anyOf")?.as_array()?.first())?;
    }
    None
}

/// Whether errors complain of this name: the document was read down to it.
pub fn complains_of(answer: &Answer, name: &str) -> bool {
    data(answer).is_none() && errors(answer).iter().any(|it| it.contains(&name.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::graphql;

    #[test]
    fn finds_ways_and_circles() {
        let sdl = "type Query { a: [A!]! } type A { b: B n: Int only(x: Int!): B } type B { c: [C] } type C { b: B s: String }";
        let model = graphql::from_sdl(sdl, "/g").unwrap();
        let types = Types::of(&model);
        assert_eq!(types.way("answer.A", "answer.C", 3), Some(vec!["b".to_owned(), "c".to_owned()]));
        assert_eq!(types.way("answer.A", "answer.C", 1), None);
        assert_eq!(
            types.circle("answer.A"),
            Some((vec!["b".to_owned()], vec!["c".to_owned(), "b".to_owned()]))
        );
        assert_eq!(types.leaves["answer.A"], ["n"]);
        let world = World { model, ..World::default() };
        assert_eq!(Types::answered(&world, OperationIndex(0)).as_deref(), Some("answer.A"));
    }
}
