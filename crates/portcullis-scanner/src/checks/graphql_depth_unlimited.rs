//! Documents may go round a circle of types without end.

use super::parts::graphql::{Endpoint, Types, complains_of, executed, limited, targets};
use crate::{
    call::Call,
    model::{Effect, GraphQlRoot, OperationIndex, Wire},
};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};
use serde_json::{Value, json};

/// The check.
pub(super) struct GraphqlDepthUnlimited;

static INFO: Info = Info {
    id: "graphql_depth_unlimited",
    title: "GraphQL documents may be nested without limit",
    section: Section::Security,
    severity: Severity::Medium,
    risk: Risk::Safe,
    phase: Phase::Flood,
    owasp: "API4:2023",
    cwe: 674,
    wfc: None,
    remedy: "Bound the depth of documents, and weigh lists within lists: each level of a circle multiplies what the one above it found.",
    oracle: "A document that goes 40 levels down a circle of the schema's own types, below an object that is not there or is left out so that nothing is multiplied, is let through; again with other values. With a field that nobody has at its bottom it is refused for that field, so its depth was looked at.",
    requests_max: 8,
};

impl Check for GraphqlDepthUnlimited {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        targets(world)
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let endpoint = Endpoint::of(world, target, script)?;
        let Some(descent) = Descent::find(&endpoint) else {
            return script.skip("no types of the schema form a circle below a query");
        };
        let absent = script.word(12);
        let value = absent_value(script);
        let (control, refused) = script.send(descent.call(&endpoint, value, LEVELS, &absent))?;
        if !complains_of(&refused, &absent) || limited(&refused) {
            return Ok(Verdict::Clean);
        }
        let mut exchanges = vec![(control, "control")];
        for part in ["probe", "confirmation"] {
            let value = absent_value(script);
            let (number, answer) = script.send(descent.call(&endpoint, value, LEVELS, "__typename"))?;
            if !executed(&answer) || limited(&answer) {
                return Ok(Verdict::Clean);
            }
            exchanges.push((number, part));
        }
        let mut proof = Proof::confirmed(
            format!("a document of {LEVELS} levels through `{}` was let through", descent.circle.join(".")),
            exchanges,
            Shield::Cost,
        );
        proof.operation = Some(descent.operation);
        Ok(Verdict::Found(vec![proof]))
    }
}

/// Deeper than any page goes.
const LEVELS: usize = 40;

/// A value that names nothing.
fn absent_value(script: &mut Script<'_>) -> (String, u64) {
    (script.word(14), script.between(1_000_000_000, 2_000_000_000))
}

/// A way down: a query, the fields in front of a circle of types, and the circle.
struct Descent {
    operation: OperationIndex,
    field: String,
    /// Arguments with their types, and whether one of them names the object.
    arguments: Vec<(String, String)>,
    names_one: bool,
    front: Vec<String>,
    circle: Vec<String>,
}

impl Descent {
    /// A query of one object by its name rather than one of many: below what is not there nothing is executed.
    fn find(endpoint: &Endpoint<'_>) -> Option<Self> {
        let types = Types::of(&endpoint.world.model);
        let mut found: Vec<Self> = Vec::new();
        for (index, operation) in endpoint.world.model.all() {
            let Wire::GraphQl { path, root: GraphQlRoot::Query, field, arguments, .. } = &operation.wire
            else {
                continue;
            };
            if path != endpoint.path || operation.effect != Effect::Reads {
                continue;
            }
            let Some(circle) = Types::answered(endpoint.world, index).and_then(|it| types.circle(&it)) else {
                continue;
            };
            let needed: Vec<(String, String)> =
                arguments.iter().filter(|(_, of)| of.ends_with('!')).cloned().collect();
            let named: Vec<(String, String)> = arguments
                .iter()
                .filter(|(name, of)| {
                    is_name(name) && matches!(of.trim_end_matches('!'), "ID" | "Int" | "String")
                })
                .take(1)
                .cloned()
                .collect();
            let names_one = !named.is_empty();
            let arguments = if names_one { named } else { Vec::new() };
            // Another argument that must be given cannot be made up.
            if needed.iter().any(|it| !arguments.contains(it)) {
                continue;
            }
            let (front, circle) = circle;
            found.push(Self { operation: index, field: field.clone(), arguments, names_one, front, circle });
        }
        found.sort_by_key(|it| (!it.names_one, it.operation));
        found.into_iter().next()
    }

    fn call(&self, endpoint: &Endpoint<'_>, value: (String, u64), levels: usize, bottom: &str) -> Call {
        let ways: Vec<&String> = self.front.iter().chain(self.circle.iter().cycle()).take(levels).collect();
        let mut inner = String::new();
        for (at, field) in ways.iter().enumerate() {
            inner.push_str(field);
            // What lists many would be multiplied at each level: it is left out when it comes to executing.
            inner.push_str(if at == 0 && !self.names_one { " @include(if: $deep) { " } else { " { " });
        }
        inner.push_str(bottom);
        inner.push_str(&" }".repeat(ways.len()));
        let mut declared: Vec<String> =
            self.arguments.iter().map(|(name, of)| format!("${name}: {of}")).collect();
        let passed: Vec<String> = self.arguments.iter().map(|(name, _)| format!("{name}: ${name}")).collect();
        let mut variables = json!({});
        for (name, of) in &self.arguments {
            let value = if of.starts_with("Int") { json!(value.1) } else { Value::from(value.0.clone()) };
            if let Some(members) = variables.as_object_mut() {
                members.insert(name.clone(), value);
            }
        }
        if !self.names_one {
            declared.push("$deep: Boolean!".to_owned());
            if let Some(members) = variables.as_object_mut() {
                members.insert("deep".to_owned(), json!(false));
            }
        }
        let given = if passed.is_empty() { String::new() } else { format!("({})", passed.join(", ")) };
        let declared = if declared.is_empty() { String::new() } else { format!("({})", declared.join(", ")) };
        let document = format!("query {declared} {{ {}{given} {{ __typename {inner} }} }}", self.field);
        endpoint.call_with(&json!({"query": document, "variables": variables}))
    }
}

/// Whether an argument names one object.
fn is_name(name: &str) -> bool {
    let name = name.to_lowercase();
    name == "id"
        || name.ends_with("id")
        || matches!(name.as_str(), "name" | "slug" | "key" | "uuid" | "username" | "title" | "code")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer},
        wire::Answer,
    };

    fn stage() -> Stage {
        let sdl = "type Query { user(id: ID!): User } type User { posts: [Post] } type Post { author: User }";
        let mut stage = Stage::new().field("query user", Effect::Reads, json!({"name": "ann"}));
        let model = crate::model::graphql::from_sdl(sdl, "/graphql").unwrap();
        stage.world.model.operations = model.operations;
        stage.world.model.schemas = model.schemas;
        stage
    }

    fn check(serve: impl FnMut(&Ask) -> Answer) -> usize {
        let stage = stage();
        Fake::new(&stage.world, serve).confirmed(&GraphqlDepthUnlimited)
    }

    fn document(ask: &Ask) -> String {
        ask.body["query"].as_str().unwrap_or_default().to_owned()
    }

    #[test]
    fn finds_depth_only_where_it_is_not_limited() {
        let serve = |ask: &Ask, most: usize| {
            let document = document(ask);
            let depth = document.matches('{').count();
            let bottom = document.split(['{', '}']).nth(depth).unwrap_or_default().trim().to_owned();
            if depth > most {
                return answer(400, json!({"errors": [{"message": "query is too deep"}]}));
            }
            if bottom != "__typename" {
                return answer(400, json!({"errors": [{"message": format!("Cannot query field {bottom}")}]}));
            }
            assert!(ask.body["variables"]["id"].is_string());
            answer(200, json!({"data": {"user": Value::Null}}))
        };
        assert_eq!(check(|ask| serve(ask, 1_000)), 1);
        assert_eq!(check(|ask| serve(ask, 10)), 0);
        assert_eq!(check(|_| answer(400, json!({"errors": [{"message": "no"}]}))), 0);
    }
}
