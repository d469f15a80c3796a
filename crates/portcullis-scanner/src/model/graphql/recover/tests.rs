//! A schema is recovered from suggestions, within its bounds.

use serde_json::json;

use super::*;
use crate::model::graphql::sdl;

/// A server without introspection that complains as `graphql-js` does: it knows the documents that are asked here, a
/// field or argument a line.
struct Server {
    schema: Schema,
    silent: bool,
}

impl Server {
    fn new(sdl: &str) -> Self {
        Self { schema: sdl::parse(sdl).unwrap(), silent: false }
    }

    fn answer(&self, document: &str) -> Value {
        let mut errors: Vec<Value> = Vec::new();
        let mut say = |line: usize, message: String| {
            errors.push(json!({"message": message, "locations": [{"line": line + 1, "column": 1}]}));
        };
        let mut lines = document.lines();
        let mut head = lines.next().unwrap().split_whitespace();
        let mut at = match head.next().unwrap() {
            "query" => self.schema.query.clone(),
            _ => self.schema.mutation.clone(),
        };
        for word in head.filter(|it| *it != "{" && !SENTINELS.contains(it)) {
            let of = at.as_deref().unwrap();
            at = self.schema.fields(of).iter().find(|it| it.name == word).map(|it| it.of.name().to_owned());
        }
        let Some(of) = at else {
            return json!({"errors": [{"message": "Schema is not configured for this."}]});
        };
        say(0, format!("Cannot query field \"{}\" on type \"{of}\".", SENTINELS[0]));
        let mut inside: Option<&Field> = None;
        let mut member_of: Option<String> = None;
        for (number, line) in lines.enumerate().map(|(at, line)| (at + 1, line)) {
            let name: String = line.chars().take_while(|it| it.is_alphanumeric()).collect();
            if let Some(rest) = line.strip_suffix(": {") {
                let (field, argument) = rest.split_once('(').unwrap();
                inside = self.schema.fields(&of).iter().find(|it| it.name == field);
                let argument = inside.unwrap().arguments.iter().find(|it| it.name == argument).unwrap();
                member_of = Some(argument.of.name().to_owned());
            } else if line.ends_with('(') {
                inside = self.schema.fields(&of).iter().find(|it| it.name == name);
            } else if line.starts_with(')') || line.starts_with("})") {
                inside = None;
                member_of = None;
            } else if let Some(input) = &member_of {
                let Some(Type::Input(members)) = self.schema.types.get(input) else { panic!() };
                match members.iter().find(|it| it.name == name) {
                    Some(member) => {
                        say(number, format!("Expected value of type \"{}\", found {ODD}.", member.of))
                    }
                    None => say(number, format!("Field \"{name}\" is not defined by type \"{input}\".")),
                }
                for missing in members.iter().filter(|it| it.is_required()) {
                    say(
                        1,
                        format!(
                            "Field \"{input}.{}\" of required type \"{}\" was not provided.",
                            missing.name, missing.of
                        ),
                    );
                }
            } else if let Some(field) = inside {
                match field.arguments.iter().find(|it| it.name == name) {
                    None => {
                        say(number, format!("Unknown argument \"{name}\" on field \"{of}.{}\".", field.name))
                    }
                    Some(argument) => match self.schema.types.get(argument.of.name()) {
                        Some(Type::Input(_)) => {
                            let input = argument.of.name();
                            say(
                                number,
                                format!("Field \"{}\" is not defined by type \"{input}\".", SENTINELS[0]),
                            );
                        }
                        _ => say(number, format!("Expected value of type \"{}\", found {ODD}.", argument.of)),
                    },
                }
            } else {
                let last = document.lines().count() - 1 == number;
                self.field(&of, &name, line.contains('{') && !last, number, &mut say);
            }
        }
        if self.silent {
            return json!({"errors": [{"message": "Bad request"}]});
        }
        json!({"errors": errors})
    }

    fn field(&self, of: &str, name: &str, selects: bool, line: usize, say: &mut dyn FnMut(usize, String)) {
        let fields = self.schema.fields(of);
        let Some(field) = fields.iter().find(|it| it.name == name) else {
            let near = fields
                .iter()
                .find(|it| it.name.len() > 3 && name.len() > 3 && it.name.get(..4) == name.get(..4));
            let more = near.map(|it| format!(" Did you mean \"{}\"?", it.name)).unwrap_or_default();
            say(line, format!("Cannot query field \"{name}\" on type \"{of}\".{more}"));
            return;
        };
        for argument in field.arguments.iter().filter(|it| it.is_required()) {
            say(
                line,
                format!(
                    "Field \"{name}\" argument \"{}\" of type \"{}\" is required, but it was not provided.",
                    argument.name, argument.of
                ),
            );
        }
        let is_object = matches!(self.schema.types.get(field.of.name()), Some(Type::Object(_)));
        match (is_object, selects) {
            (true, false) => say(
                line,
                format!("Field \"{name}\" of type \"{}\" must have a selection of subfields.", field.of),
            ),
            (true, true) => {
                say(line, format!("Cannot query field \"{}\" on type \"{}\".", SENTINELS[0], field.of.name()))
            }
            (false, true) => say(
                line,
                format!(
                    "Field \"{name}\" must not have a selection since type \"{}\" has no subfields.",
                    field.of
                ),
            ),
            (false, false) => {}
        }
    }

    fn recover(&self) -> (Result<Box<Model>, GraphQlError>, usize) {
        let mut answers = Vec::new();
        loop {
            match next(&answers, "/graphql") {
                Step::Done(model) => return (model, answers.len()),
                Step::Ask(document) => {
                    assert!(document.contains(SENTINELS[0]) && document.ends_with('}'));
                    answers.push(self.answer(&document));
                }
            }
            assert!(answers.len() <= REQUESTS_MAX);
        }
    }
}

const SDL: &str = "
type Query { user(id: ID!): User users(limit: Int): [User!]! systemHealthReport: String }
type User { id: ID! name: String orders: [Order] }
type Order { id: ID! total: Float! user: User }
input UserInput { name: String! email: String }
type Mutation { createUser(input: UserInput!): User login(username: String!, password: String!): String }
";

#[test]
fn recovers_what_words_and_suggestions_find() {
    let (model, asked) = Server::new(SDL).recover();
    let model = model.unwrap();
    let ids: BTreeSet<&str> = model.operations.iter().map(|it| &*it.id).collect();
    let expected =
        ["mutation createUser", "mutation login", "query systemHealthReport", "query user", "query users"];
    assert_eq!(ids.into_iter().collect::<Vec<_>>(), expected);
    let whole = super::super::from_sdl(SDL, "/graphql").unwrap();
    for own in &model.operations {
        let other = whole.operations.iter().find(|it| it.id == own.id).unwrap();
        let crate::model::Wire::GraphQl { arguments: a, .. } = &own.wire else { panic!() };
        let crate::model::Wire::GraphQl { arguments: b, .. } = &other.wire else { panic!() };
        let sorted = |list: &[(String, String)]| list.iter().cloned().collect::<BTreeSet<_>>();
        assert_eq!(sorted(a), sorted(b), "{}", own.id);
    }
    assert_eq!(model.schemas["$defs"]["input.UserInput"]["required"], json!(["name"]));
    assert!(model.schemas["$defs"]["answer.Order"]["properties"]["total"].is_object());
    assert!(model.notes[0].text.contains("recovered"));
    assert!(asked < 60, "{asked}");
}

#[test]
fn a_server_that_says_nothing_yields_nothing() {
    let (model, asked) = Server { silent: true, ..Server::new(SDL) }.recover();
    assert!(matches!(model, Err(GraphQlError::NoOperations)));
    assert!(asked <= 12, "{asked}");
}
