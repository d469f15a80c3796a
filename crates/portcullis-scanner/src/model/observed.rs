//! A model from calls that were seen: recorded ones, and those somebody saved in a collection.

mod credentials;
mod operation;

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

pub use self::credentials::{carried_in_cookie, carried_in_header, carried_in_query};
pub use super::template::Segment;
use super::{
    Model, Scheme,
    template::{Path, Templated, templates},
};

/// Calls of one model; the rest is left out with a note.
pub(super) const CALLS_MAX: usize = 20_000;

/// A call that was seen. It holds no credential: only by which scheme it carried one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// What it was called, or empty.
    pub name: String,
    /// Words about it.
    pub words: Vec<String>,
    /// The method, upper case.
    pub method: String,
    /// The path.
    pub segments: Vec<Segment>,
    /// Query parameters, decoded.
    pub query: Vec<(String, String)>,
    /// Header fields that are no matter of transport, names lower case.
    pub headers: Vec<(String, String)>,
    /// Cookies that are no credential.
    pub cookies: Vec<(String, String)>,
    /// The body, with its media type.
    pub body: Option<(String, Value)>,
    /// What came back.
    pub answer: Option<Seen>,
    /// The schemes that it satisfied; empty: it was anonymous; `None`: nobody knows.
    pub presents: Option<Vec<Scheme>>,
}

/// An answer that was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The status.
    pub status: u16,
    /// The media type.
    pub media: String,
    /// The JSON, where it is.
    pub json: Option<Value>,
}

/// The model of some calls, in their order.
pub fn model(title: &str, calls: &[Observed]) -> Model {
    let mut model = Model { title: title.to_owned(), schemas: json!({"$defs": {}}), ..Model::default() };
    let calls = calls.get(..CALLS_MAX).unwrap_or(calls);
    let paths: Vec<Path<'_>> = calls
        .iter()
        .map(|it| Path {
            segments: &it.segments,
            looks: it.answer.as_ref().and_then(looks),
            method: &it.method,
        })
        .collect();
    let templated = templates(&paths);
    let mut order: Vec<(&str, &str)> = Vec::new();
    let mut groups: BTreeMap<(&str, &str), Vec<(&Observed, &Templated)>> = BTreeMap::new();
    for (call, templated) in calls.iter().zip(&templated) {
        let key = (call.method.as_str(), templated.template.as_str());
        let group = groups.entry(key).or_insert_with(|| {
            order.push(key);
            Vec::new()
        });
        group.push((call, templated));
    }
    for key in order {
        if let Some(group) = groups.get(&key) {
            let operation = operation::operation(&mut model, key.0, key.1, group);
            model.operations.push(operation);
        }
    }
    model
}

/// What an answer looks like, for telling resources apart; only good answers say anything.
fn looks(seen: &Seen) -> Option<String> {
    if !(200..300).contains(&seen.status) {
        return None;
    }
    let members = |value: &Value| match value {
        Value::Object(members) => {
            let mut names: Vec<&str> = members.keys().map(String::as_str).take(50).collect();
            names.sort_unstable();
            names.join(",")
        }
        other => super::kind::of_value(other).map_or(String::new(), |it| format!("{it:?}")),
    };
    Some(match &seen.json {
        Some(Value::Array(items)) => format!("[{}]", items.first().map(members).unwrap_or_default()),
        Some(value) => members(value),
        None => seen.media.clone(),
    })
}

/// The name of a scheme in the model, registered there.
pub(super) fn register(model: &mut Model, scheme: &Scheme) -> String {
    if let Some((name, _)) = model.schemes.iter().find(|(_, own)| *own == scheme) {
        return name.clone();
    }
    let name = match scheme {
        Scheme::Bearer => "bearer".to_owned(),
        Scheme::Basic => "basic".to_owned(),
        Scheme::UsernameToken => "usernameToken".to_owned(),
        Scheme::Key(place) => place.to_string(),
        Scheme::Other(name) => name.clone(),
    };
    model.schemes.insert(name.clone(), scheme.clone());
    name
}

/// An operation's id.
pub(super) fn id_of(method: &str, template: &str) -> Arc<str> {
    format!("{method} {template}").into()
}
