//! GraphQL over HTTP: a POST with the document, its variables and its name; data and errors told apart.

use std::{fmt::Write as _, sync::Arc};

use serde_json::{Map, Value, json};

use super::{Answer, Outcome, Received, Request, Uncomposable, draft::Draft, meaning};
use crate::{
    call::{Call, Edit},
    identity::Session,
    model::{GraphQlRoot, Wire},
};

/// How deep a literal may nest.
const LITERAL_DEPTH_MAX: usize = 32;
/// Errors looked at in one answer.
const ERRORS_MAX: usize = 50;

/// Composes a call of a field.
pub(super) fn compose(wire: &Wire, call: &Call, session: &Session) -> Result<Request, Uncomposable> {
    let Wire::GraphQl { path, root, field, selection, arguments } = wire else {
        return Err(Uncomposable::UnknownOperation);
    };
    let mut draft = Draft::new("POST", path.as_str());
    draft.set_header("accept", "application/json, application/graphql-response+json;q=0.9");
    draft.set_header("content-type", "application/json");
    let (document, variables) = document(*root, field, selection, arguments, call)?;
    draft.body =
        json!({"query": document, "variables": variables, "operationName": field}).to_string().into();
    for edit in &call.edits {
        if let Edit::GraphQlDocument(other) = edit {
            // A variable that the document does not declare is an error to strict servers.
            let named: Map<String, Value> = variables
                .iter()
                .filter(|(name, _)| declares(other, name))
                .map(|(a, b)| (a.clone(), b.clone()))
                .collect();
            draft.body = json!({"query": other, "variables": named}).to_string().into();
        }
    }
    draft.present(session);
    call.edits.iter().for_each(|edit| draft.edit(edit, session));
    draft.finish()
}

fn declares(document: &str, variable: &str) -> bool {
    document.match_indices(&format!("${variable}")).any(|(at, found)| {
        let rest = document.get(at + found.len()..).unwrap_or_default();
        !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_')
    })
}

/// The document of one field and its variables.
fn document(
    root: GraphQlRoot,
    field: &str,
    selection: &str,
    arguments: &[(String, String)],
    call: &Call,
) -> Result<(String, Map<String, Value>), Uncomposable> {
    let empty = Map::new();
    let values = match &call.body {
        None | Some(Value::Null) => &empty,
        Some(Value::Object(values)) => values,
        Some(_) => return Err(Uncomposable::Value("arguments are an object by name".to_owned())),
    };
    let (mut declared, mut given) = (Vec::new(), Vec::new());
    let mut variables = Map::new();
    for (name, value) in values {
        if let Some((_, of)) = arguments.iter().find(|(own, _)| own == name) {
            declared.push(format!("${name}: {of}"));
            given.push(format!("{name}: ${name}"));
            variables.insert(name.clone(), value.clone());
        } else if is_name(name) {
            // An argument that the schema does not have has no type to declare a variable of.
            let mut literal = String::new();
            write_literal(value, &mut literal, 0)?;
            given.push(format!("{name}: {literal}"));
        } else {
            return Err(Uncomposable::Value(format!("`{name}` cannot be the name of an argument")));
        }
    }
    let word = match root {
        GraphQlRoot::Query => "query",
        GraphQlRoot::Mutation => "mutation",
    };
    let list =
        |items: Vec<String>| if items.is_empty() { String::new() } else { format!("({})", items.join(", ")) };
    let space = if selection.is_empty() { "" } else { " " };
    Ok((
        format!("{word} {field}{} {{ {field}{}{space}{selection} }}", list(declared), list(given)),
        variables,
    ))
}

fn is_name(text: &str) -> bool {
    text.bytes().next().is_some_and(|first| !first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn write_literal(value: &Value, into: &mut String, depth: usize) -> Result<(), Uncomposable> {
    if depth > LITERAL_DEPTH_MAX {
        return Err(Uncomposable::Value("the value is too deep for a literal".to_owned()));
    }
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            // JSON's scalars are written alike; writing to a string cannot fail.
            let _ = write!(into, "{value}");
        }
        Value::Array(items) => {
            into.push('[');
            for item in items {
                write_literal(item, into, depth + 1)?;
                into.push(' ');
            }
            into.push(']');
        }
        Value::Object(members) => {
            into.push('{');
            for (name, member) in members {
                if !is_name(name) {
                    return Err(Uncomposable::Value(format!(
                        "`{name}` cannot be the name of an input field"
                    )));
                }
                let _ = write!(into, "{name}: ");
                write_literal(member, into, depth + 1)?;
                into.push(' ');
            }
            into.push('}');
        }
    }
    Ok(())
}

/// Reads an answer: `json` is the field's own data; errors stay in the body.
pub(super) fn read(wire: &Wire, request: Arc<Request>, received: Received) -> Answer {
    let Received { status, headers, body, truncated, micros, fault } = received;
    let whole: Option<Value> = if truncated { None } else { serde_json::from_slice(&body).ok() };
    let (field, root) = match wire {
        Wire::GraphQl { field, root, .. } => (field.as_str(), *root),
        Wire::Rest { .. } | Wire::Grpc { .. } | Wire::Soap { .. } => ("", GraphQlRoot::Query),
    };
    let data = whole.as_ref().and_then(|it| it.get("data")).filter(|it| !it.is_null());
    let own = data.map(|data| data.get(field).unwrap_or(data));
    let errors: &[Value] =
        whole.as_ref().and_then(|it| it.get("errors")).and_then(Value::as_array).map_or(&[], Vec::as_slice);
    let by_status = Outcome::of_status(status);
    let outcome = match own {
        _ if status == 0 => Outcome::Unreached,
        Some(own) if !own.is_null() => by_status,
        Some(_) | None if !errors.is_empty() => of_errors(errors, by_status),
        // A query that answers null and no error found nothing; a mutation did what it had to.
        Some(_) if by_status == Outcome::Done && root == GraphQlRoot::Query => Outcome::Absent,
        Some(_) => by_status,
        None if by_status == Outcome::Done && whole.as_ref().is_none_or(|it| !it.is_array()) => {
            Outcome::Refused
        }
        None => by_status,
    };
    let json = own.filter(|it| !it.is_null() || errors.is_empty()).cloned();
    Answer { request, status, headers, body, truncated, json, outcome, micros, fault }
}

/// What errors without data mean: by code, by status, by words; the first that tells.
fn of_errors(errors: &[Value], by_status: Outcome) -> Outcome {
    let errors = errors.get(..errors.len().min(ERRORS_MAX)).unwrap_or_default();
    let by_code = errors.iter().find_map(|error| {
        let code =
            error.pointer("/extensions/code").or_else(|| error.pointer("/extensions/classification"))?;
        of_code(code.as_str()?)
    });
    if let Some(outcome) = by_code {
        return outcome;
    }
    if matches!(by_status, Outcome::Unauthenticated | Outcome::Forbidden | Outcome::Limited | Outcome::Broken)
    {
        return by_status;
    }
    // An error that points at no field of the data comes from before execution: the document is wrong.
    let executed = |error: &&Value| error.get("path").is_some_and(|it| !it.is_null());
    let told = errors.iter().filter(executed).find_map(|error| meaning::of(error.get("message")?.as_str()?));
    let told = told.or_else(|| {
        let outcome = errors.iter().find_map(|error| meaning::of(error.get("message")?.as_str()?))?;
        matches!(outcome, Outcome::Unauthenticated | Outcome::Forbidden | Outcome::Limited).then_some(outcome)
    });
    told.unwrap_or(Outcome::Refused)
}

/// Codes that servers of this kind agree on (Apollo's, and `graphql-java`'s classifications).
fn of_code(code: &str) -> Option<Outcome> {
    match code.to_ascii_uppercase().as_str() {
        "UNAUTHENTICATED" | "UNAUTHORIZED" | "AUTH_NOT_AUTHENTICATED" | "INVALID-JWT" | "INVALID_TOKEN" => {
            Some(Outcome::Unauthenticated)
        }
        "FORBIDDEN" | "ACCESS_DENIED" | "ACCESS-DENIED" | "PERMISSION_DENIED" | "AUTH_NOT_AUTHORIZED" => {
            Some(Outcome::Forbidden)
        }
        "NOT_FOUND" | "NOTFOUND" => Some(Outcome::Absent),
        "RATE_LIMITED" | "TOO_MANY_REQUESTS" | "RATE_LIMIT_EXCEEDED" | "THROTTLED" => Some(Outcome::Limited),
        "INTERNAL_SERVER_ERROR" | "INTERNAL_ERROR" | "INTERNAL" | "EXECUTIONABORTED" => Some(Outcome::Broken),
        "BAD_USER_INPUT"
        | "GRAPHQL_VALIDATION_FAILED"
        | "GRAPHQL_PARSE_FAILED"
        | "BAD_REQUEST"
        | "VALIDATION-FAILED"
        | "VALIDATIONERROR"
        | "INVALIDSYNTAX"
        | "PERSISTED_QUERY_NOT_FOUND" => Some(Outcome::Refused),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        call::ANONYMOUS,
        model::{OperationIndex, Place},
    };

    fn wire() -> Wire {
        Wire::GraphQl {
            path: "/graphql".to_owned(),
            root: GraphQlRoot::Query,
            field: "user".to_owned(),
            selection: "{ name }".to_owned(),
            arguments: vec![("id".to_owned(), "ID!".to_owned())],
        }
    }

    fn body_of(call: &Call) -> Value {
        serde_json::from_slice(&compose(&wire(), call, &Session::default()).unwrap().body).unwrap()
    }

    #[test]
    fn composes_arguments_as_variables_and_unknown_ones_as_literals() {
        let call = Call::of(OperationIndex(0), ANONYMOUS)
            .with(&Place::Body("/id".into()), json!("7"))
            .with(&Place::Body("/extra".into()), json!({"a": [1, "x\""]}));
        let body = body_of(&call);
        assert_eq!(
            body["query"],
            r#"query user($id: ID!) { user(id: $id, extra: {a: [1 "x\"" ] }) { name } }"#
        );
        assert_eq!(body["variables"], json!({"id": "7"}));
        let bad = Call::of(OperationIndex(0), ANONYMOUS).with(&Place::Body("/a-b".into()), json!(1));
        assert!(matches!(compose(&wire(), &bad, &Session::default()), Err(Uncomposable::Value(_))));
    }

    #[test]
    fn another_document_keeps_the_variables_that_it_names() {
        let call = Call::of(OperationIndex(0), ANONYMOUS).with(&Place::Body("/id".into()), json!("7"));
        let named = "query($id: ID!) { a: user(id: $id) { name } }";
        assert_eq!(
            body_of(&call.clone().edited(Edit::GraphQlDocument(named.to_owned())))["variables"],
            json!({"id": "7"})
        );
        let other = "query($idle: ID) { __typename }";
        assert_eq!(body_of(&call.edited(Edit::GraphQlDocument(other.to_owned())))["variables"], json!({}));
    }

    fn outcome(status: u16, body: Value) -> (Outcome, Option<Value>) {
        let request = Arc::new(Request {
            method: "POST".to_owned(),
            target: "/".to_owned(),
            headers: Vec::new(),
            body: bytes::Bytes::new(),
            http2: false,
        });
        let received = Received { status, body: body.to_string().into(), ..Received::default() };
        let answer = read(&wire(), request, received);
        (answer.outcome, answer.json)
    }

    #[test]
    fn tells_data_from_errors() {
        let errors = |message: &str, more: Value| {
            let mut error = json!({"message": message});
            error.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({"data": null, "errors": [error]})
        };
        assert_eq!(
            outcome(200, json!({"data": {"user": {"name": "a"}}})),
            (Outcome::Done, Some(json!({"name": "a"})))
        );
        assert_eq!(outcome(200, json!({"data": {"other": 1}})), (Outcome::Done, Some(json!({"other": 1}))));
        assert_eq!(outcome(200, json!({"data": {"user": null}})).0, Outcome::Absent);
        let code = json!({"extensions": {"code": "UNAUTHENTICATED"}});
        assert_eq!(outcome(200, errors("x", code)), (Outcome::Unauthenticated, None));
        assert_eq!(outcome(200, errors("Order not found", json!({"path": ["user"]}))).0, Outcome::Absent);
        // Without a path it is the document that is wrong, whatever the words.
        assert_eq!(outcome(400, errors("Field `a` does not exist", json!({}))).0, Outcome::Refused);
        assert_eq!(outcome(200, errors("Not authorized", json!({}))).0, Outcome::Forbidden);
        assert_eq!(outcome(500, errors("x", json!({}))).0, Outcome::Broken);
        assert_eq!(outcome(403, json!("no")).0, Outcome::Forbidden);
        assert_eq!(outcome(200, json!({"user": 1})).0, Outcome::Refused);
        assert_eq!(outcome(0, json!(null)).0, Outcome::Unreached);
    }
}
