//! A call as a check thinks of it: an operation, values for its slots, somebody's credentials, and what is done to the
//! bytes on purpose. How it becomes bytes is the [`crate::wire`] room's matter.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{OperationIndex, Place};

/// Who calls: an index into the identities of a scan; clones made on the way have higher numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IdentityId(pub u32);

/// Nobody: no credential is presented.
pub const ANONYMOUS: IdentityId = IdentityId(0);

/// One call to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What is called; `None` for a bare request, whose method, path and fields are all in [`Call::edits`].
    pub operation: Option<OperationIndex>,
    /// Whose credentials it carries.
    pub by: IdentityId,
    /// Values of parameters; a parameter that is not here is left out.
    pub parameters: BTreeMap<Place, Value>,
    /// The body as JSON, whatever it is written as; for GraphQL the arguments, for gRPC the message.
    pub body: Option<Value>,
    /// The media type of the body; `None`: the operation's first that can be written.
    pub media: Option<Arc<str>>,
    /// What is done to the request after it was composed, in order.
    pub edits: Vec<Edit>,
}

/// A change to the composed request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Edit {
    /// Another method.
    Method(String),
    /// Another target (path and query, sent as it stands).
    Target(String),
    /// More text at the end of the target.
    AppendTarget(String),
    /// A header field set, whatever there was.
    SetHeader(String, String),
    /// A header field added beside what there is.
    AddHeader(String, String),
    /// All fields of that name removed.
    RemoveHeader(String),
    /// Other bytes as the body, as they stand.
    RawBody(Vec<u8>),
    /// What stands as the caller's credential is replaced: the token, key or password, wherever it is carried.
    Credential(Credential),
    /// The GraphQL document is replaced; arguments stay as variables where it still names them.
    GraphQlDocument(String),
    /// The gRPC message or SOAP envelope is sent this many times over, to exceed a bound.
    Repeat(u32),
}

/// What is presented in place of a caller's own credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Credential {
    /// Nothing at all.
    None,
    /// This text where the token, key or password stands.
    Text(String),
    /// `Authorization` with this whole value.
    Authorization(String),
}

impl Call {
    /// An empty call of an operation.
    pub fn of(operation: OperationIndex, by: IdentityId) -> Self {
        Self {
            operation: Some(operation),
            by,
            parameters: BTreeMap::new(),
            body: None,
            media: None,
            edits: Vec::new(),
        }
    }

    /// A bare request: a method and a target (path with query, from the root of the server).
    pub fn bare(method: &str, target: &str, by: IdentityId) -> Self {
        Self {
            operation: None,
            by,
            parameters: BTreeMap::new(),
            body: None,
            media: None,
            edits: vec![Edit::Method(method.to_owned()), Edit::Target(target.to_owned())],
        }
    }

    /// The same by somebody else.
    #[must_use]
    pub fn by(mut self, by: IdentityId) -> Self {
        self.by = by;
        self
    }

    /// The same with a further edit.
    #[must_use]
    pub fn edited(mut self, edit: Edit) -> Self {
        self.edits.push(edit);
        self
    }

    /// The same with a value at a place; missing objects of the body on the way are made, and a list's missing item is
    /// appended. A place that cannot be reached (a scalar on the way) leaves the call as it is.
    #[must_use]
    pub fn with(mut self, place: &Place, value: Value) -> Self {
        self.set(place, value);
        self
    }

    /// Sets the value at a place, as [`Call::with`] does.
    pub fn set(&mut self, place: &Place, value: Value) {
        match place {
            Place::Body(pointer) => set_at(self.body.get_or_insert(Value::Null), pointer, value),
            Place::Path(_) | Place::Query(_) | Place::Header(_) | Place::Cookie(_) => {
                self.parameters.insert(place.clone(), value);
            }
        }
    }

    /// Takes the value at a place away.
    #[must_use]
    pub fn without(mut self, place: &Place) -> Self {
        match place {
            Place::Body(pointer) if pointer.is_empty() => self.body = None,
            Place::Body(pointer) => {
                let (parent, last) = pointer.rsplit_once('/').unwrap_or_default();
                let last = unescape(last);
                match self.body.as_mut().and_then(|body| body.pointer_mut(parent)) {
                    Some(Value::Object(members)) => {
                        members.shift_remove(&last);
                    }
                    Some(Value::Array(items)) => {
                        if let Some(at) = last.parse::<usize>().ok().filter(|at| *at < items.len()) {
                            items.remove(at);
                        }
                    }
                    _ => {}
                }
            }
            Place::Path(_) | Place::Query(_) | Place::Header(_) | Place::Cookie(_) => {
                self.parameters.remove(place);
            }
        }
        self
    }

    /// The value at a place.
    pub fn value(&self, place: &Place) -> Option<&Value> {
        match place {
            Place::Body(pointer) => self.body.as_ref()?.pointer(pointer),
            Place::Path(_) | Place::Query(_) | Place::Header(_) | Place::Cookie(_) => {
                self.parameters.get(place)
            }
        }
    }
}

/// A token of a JSON pointer as a key (RFC 6901 §4).
pub fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// A key as a token of a JSON pointer (RFC 6901 §3).
pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn set_at(root: &mut Value, pointer: &str, value: Value) {
    let mut at = root;
    for token in pointer.split('/').skip(1) {
        let token = unescape(token);
        if at.is_null() {
            *at = Value::Object(serde_json::Map::new());
        }
        at = match at {
            Value::Object(members) => members.entry(token).or_insert(Value::Null),
            Value::Array(items) => {
                let Ok(index) = token.parse::<usize>() else { return };
                if index >= items.len() {
                    items.push(Value::Null);
                }
                let last = items.len().saturating_sub(1);
                let Some(item) = items.get_mut(index.min(last)) else { return };
                item
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return,
        };
    }
    *at = value;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sets_and_takes_values_deep_in_a_body() {
        let call = Call::of(OperationIndex(0), ANONYMOUS)
            .with(&Place::Body("/user/names".into()), json!(["a"]))
            .with(&Place::Body("/user/names/1".into()), json!("b"))
            .with(&Place::Query("q".into()), json!(1));
        assert_eq!(call.body, Some(json!({"user": {"names": ["a", "b"]}})));
        assert_eq!(call.value(&Place::Body("/user/names/1".into())), Some(&json!("b")));
        let call = call.without(&Place::Body("/user/names/0".into())).without(&Place::Query("q".into()));
        assert_eq!(call.body, Some(json!({"user": {"names": ["b"]}})));
        assert!(call.parameters.is_empty());
    }

    #[test]
    fn leaves_a_call_alone_whose_body_has_a_scalar_on_the_way() {
        let call = Call::of(OperationIndex(0), ANONYMOUS).with(&Place::Body(String::new().into()), json!(7));
        assert_eq!(call.clone().with(&Place::Body("/a/b".into()), json!(1)), call);
    }
}
