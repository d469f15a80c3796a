//! The table of routes: one line serves an operation, guards it and describes it.

use std::{future::Future, pin::Pin};

use serde_json::{Value, json};

use super::{call::Cx, reply::Reply};
use crate::weakness::Weakness;

/// An answer that is still to come.
pub(crate) type Later = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// How an operation is carried out.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    /// At once.
    Now(fn(&Cx) -> Reply),
    /// May take long or block: runs where blocking is allowed.
    Heavy(fn(&Cx) -> Reply),
    /// Waits for the network or the clock.
    Later(fn(Cx) -> Later),
}

/// Who may call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Public,
    User,
    Admin,
    ApiKey,
}

/// One parameter of an operation.
pub(crate) struct Param {
    pub(crate) place: &'static str,
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    pub(crate) schema: Value,
    pub(crate) example: Value,
}

/// What an operation takes as body.
pub(crate) struct Body {
    pub(crate) media_type: &'static str,
    pub(crate) schema: Value,
    pub(crate) example: Value,
}

/// One operation.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) access: Access,
    pub(crate) params: Vec<Param>,
    pub(crate) body: Option<Body>,
    pub(crate) answers: Vec<(u16, &'static str, Value)>,
    pub(crate) documented: bool,
    /// With one of these on, what is sent is not checked against the schema.
    pub(crate) lenient: Vec<Weakness>,
    /// With this on, nobody asks who calls.
    pub(crate) open_to_all: Option<Weakness>,
    /// With this on, any user may do what is an administrator's.
    pub(crate) open_to_users: Option<Weakness>,
    pub(crate) handler: Handler,
}

fn unset(_: &Cx) -> Reply {
    Reply::problem(501, "not implemented")
}

impl Route {
    pub(crate) fn new(
        method: &'static str,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
    ) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            access: Access::Public,
            params: Vec::new(),
            body: None,
            answers: Vec::new(),
            documented: true,
            lenient: Vec::new(),
            open_to_all: None,
            open_to_users: None,
            handler: Handler::Now(unset),
        }
    }

    pub(crate) fn get(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new("GET", path, id, summary)
    }

    pub(crate) fn post(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new("POST", path, id, summary)
    }

    /// For callers with a bearer token.
    pub(crate) fn user(mut self) -> Self {
        self.access = Access::User;
        self
    }

    /// For administrators.
    pub(crate) fn admin(mut self) -> Self {
        self.access = Access::Admin;
        self
    }

    /// For callers with an API key.
    pub(crate) fn api_key(mut self) -> Self {
        self.access = Access::ApiKey;
        self
    }

    /// Not in the specification.
    pub(crate) fn hidden(mut self) -> Self {
        self.documented = false;
        self
    }

    pub(crate) fn param(
        mut self,
        place: &'static str,
        name: &'static str,
        schema: Value,
        example: Value,
    ) -> Self {
        self.params.push(Param { place, name, required: place == "path", schema, example });
        self
    }

    pub(crate) fn query(self, name: &'static str, schema: Value, example: Value) -> Self {
        self.param("query", name, schema, example)
    }

    /// The last parameter must be sent.
    pub(crate) fn required(mut self) -> Self {
        if let Some(last) = self.params.last_mut() {
            last.required = true;
        }
        self
    }

    /// A JSON body.
    pub(crate) fn body(self, schema: Value, example: Value) -> Self {
        self.body_of("application/json", schema, example)
    }

    pub(crate) fn body_of(mut self, media_type: &'static str, schema: Value, example: Value) -> Self {
        self.body = Some(Body { media_type, schema, example });
        self
    }

    /// A JSON answer.
    pub(crate) fn answers(self, status: u16, schema: Value) -> Self {
        self.answers_of(status, "application/json", schema)
    }

    /// An answer of another kind; an empty media type means no content.
    pub(crate) fn answers_of(mut self, status: u16, media_type: &'static str, schema: Value) -> Self {
        self.answers.push((status, media_type, schema));
        self
    }

    pub(crate) fn lenient(mut self, weaknesses: &[Weakness]) -> Self {
        self.lenient.extend_from_slice(weaknesses);
        self
    }

    pub(crate) fn open_to_all(mut self, weakness: Weakness) -> Self {
        self.open_to_all = Some(weakness);
        self
    }

    pub(crate) fn open_to_users(mut self, weakness: Weakness) -> Self {
        self.open_to_users = Some(weakness);
        self
    }

    pub(crate) fn now(mut self, handler: fn(&Cx) -> Reply) -> Self {
        self.handler = Handler::Now(handler);
        self
    }

    pub(crate) fn heavy(mut self, handler: fn(&Cx) -> Reply) -> Self {
        self.handler = Handler::Heavy(handler);
        self
    }

    pub(crate) fn later(mut self, handler: fn(Cx) -> Later) -> Self {
        self.handler = Handler::Later(handler);
        self
    }

    /// The parameters of the path if this template takes these segments. `{name...}` takes all that remain.
    pub(crate) fn matches(&self, segments: &[String]) -> Option<Vec<(&'static str, String)>> {
        let mut params = Vec::new();
        let mut rest = segments.iter();
        for part in self.path.split('/').skip(1) {
            if let Some(name) = part.strip_prefix('{').and_then(|it| it.strip_suffix("...}")) {
                let tail: Vec<&str> = rest.by_ref().map(String::as_str).collect();
                params.push((name, tail.join("/")));
                return (!tail.is_empty()).then_some(params);
            }
            let segment = rest.next()?;
            match part.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
                Some(_) if segment.is_empty() => return None,
                Some(name) => params.push((name, segment.clone())),
                None if part == segment => {}
                None => return None,
            }
        }
        rest.next().is_none().then_some(params)
    }
}

/// An object with these properties, all of them required.
pub(crate) fn object(properties: Value) -> Value {
    let names: Vec<&String> = properties.as_object().into_iter().flat_map(|it| it.keys()).collect();
    json!({"type": "object", "required": names, "properties": properties})
}

/// An object with these properties, of which the named ones are required.
pub(crate) fn object_with(required: &[&str], properties: Value) -> Value {
    json!({"type": "object", "required": required, "properties": properties})
}

/// An array of these.
pub(crate) fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

/// A text of at most so many characters.
pub(crate) fn text(max: u32) -> Value {
    json!({"type": "string", "maxLength": max})
}

/// A text that is not empty.
pub(crate) fn some_text(max: u32) -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": max})
}

/// An integer of at least 1 that fits 32 bits.
pub(crate) fn count() -> Value {
    json!({"type": "integer", "minimum": 1, "maximum": i32::MAX})
}
