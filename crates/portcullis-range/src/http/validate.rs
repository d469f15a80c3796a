//! What a well-made service does before it does anything: hold a call against its own specification.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{call::Cx, route::Route};

/// Compiled schemas by operation and slot.
pub(crate) struct Validators(HashMap<(&'static str, &'static str), jsonschema::Validator>);

impl Validators {
    /// Compiles every schema of the table.
    ///
    /// # Errors
    /// Names the operation whose schema is none.
    pub(crate) fn new(routes: &[Route]) -> Result<Self, String> {
        let mut compiled = HashMap::new();
        for route in routes {
            let body = route.body.iter().map(|it| ("body", &it.schema));
            for (slot, schema) in route.params.iter().map(|it| (it.name, &it.schema)).chain(body) {
                let validator = jsonschema::options()
                    .should_validate_formats(true)
                    .build(schema)
                    .map_err(|error| format!("{}: {slot}: {error}", route.id))?;
                compiled.insert((route.id, slot), validator);
            }
        }
        Ok(Self(compiled))
    }

    /// The first thing that is wrong with the call, if anything is.
    pub(crate) fn fault(&self, route: &Route, cx: &Cx) -> Option<String> {
        for param in &route.params {
            let sent = match param.place {
                "path" => Some(cx.path(param.name)),
                "query" => {
                    if cx.call.query.iter().filter(|(name, _)| name == param.name).count() > 1 {
                        return Some(format!("parameter `{}` is sent twice", param.name));
                    }
                    cx.query(param.name)
                }
                _ => cx.call.header(param.name),
            };
            match sent {
                Some(text) if !self.valid(route.id, param.name, &typed(text, &param.schema)) => {
                    return Some(format!("parameter `{}` is not as specified", param.name));
                }
                None if param.required => return Some(format!("parameter `{}` is missing", param.name)),
                _ => {}
            }
        }
        let body = route.body.as_ref()?;
        let json = body.media_type.ends_with("json") || body.media_type.ends_with("urlencoded");
        if json && !self.valid(route.id, "body", &cx.json) {
            return Some("the body is not as specified".to_owned());
        }
        None
    }

    fn valid(&self, operation: &'static str, slot: &'static str, value: &Value) -> bool {
        self.0.get(&(operation, slot)).is_none_or(|it| it.is_valid(value))
    }
}

/// A parameter's text in the type that its schema names; text that is not of the type stays text and so fails.
fn typed(text: &str, schema: &Value) -> Value {
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") => text.parse::<i64>().map_or_else(|_| json!(text), |it| json!(it)),
        Some("number") => text.parse::<f64>().map_or_else(|_| json!(text), |it| json!(it)),
        Some("boolean") => text.parse::<bool>().map_or_else(|_| json!(text), |it| json!(it)),
        _ => json!(text),
    }
}
