//! One definition for one direction: what the other side writes is not required here.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use serde_json::{Map, Value};

use super::{DEFS, Definition};
use crate::openapi::WrongDirection;

/// Schemas looked at to learn whose one property is, or what one object is composed of.
const STEPS_MAX: usize = 256;

/// A direction of messages, and the definitions its schemas refer to.
pub(super) struct Direction<'d> {
    /// `readOnly` for requests, `writeOnly` for responses.
    pub(super) foreign: &'static str,
    pub(super) wrong: WrongDirection,
    pub(super) definitions: &'d [Definition],
    pub(super) by_name: &'d HashMap<Arc<str>, usize>,
}

impl<'d> Direction<'d> {
    /// The schema for this direction.
    pub(super) fn of(&self, schema: &'d Value) -> Value {
        self.schema(schema, &HashSet::new())
    }

    /// `foreign` are the properties that a surrounding composition says belong to the other side.
    fn schema(&self, schema: &'d Value, foreign: &HashSet<&'d str>) -> Value {
        let Value::Object(members) = schema else {
            return schema.clone();
        };
        let mut known;
        let foreign = if members.contains_key("required") || members.contains_key("allOf") {
            known = foreign.clone();
            self.gather(members, &mut { STEPS_MAX }, &mut known);
            &known
        } else {
            foreign
        };
        let none = HashSet::new();
        let mut out = Map::new();
        for (key, value) in members {
            let value = match (key.as_str(), value) {
                ("readOnly" | "writeOnly", _) => continue,
                ("required", Value::Array(names)) => {
                    let kept: Vec<Value> = names
                        .iter()
                        .filter(|it| it.as_str().is_none_or(|name| !foreign.contains(name)))
                        .cloned()
                        .collect();
                    if kept.is_empty() {
                        continue;
                    }
                    Value::Array(kept)
                }
                ("properties", Value::Object(properties)) => Value::Object(
                    properties
                        .iter()
                        .map(|(name, property)| (name.clone(), self.property(property)))
                        .collect(),
                ),
                ("patternProperties" | "dependentSchemas", Value::Object(schemas)) => Value::Object(
                    schemas.iter().map(|(name, it)| (name.clone(), self.schema(it, &none))).collect(),
                ),
                // These speak of the same object.
                ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => {
                    Value::Array(schemas.iter().map(|it| self.schema(it, foreign)).collect())
                }
                ("prefixItems", Value::Array(schemas)) => {
                    Value::Array(schemas.iter().map(|it| self.schema(it, &none)).collect())
                }
                (
                    "items"
                    | "additionalProperties"
                    | "not"
                    | "if"
                    | "then"
                    | "else"
                    | "contains"
                    | "propertyNames"
                    | "unevaluatedItems"
                    | "unevaluatedProperties",
                    schema,
                ) => self.schema(schema, &none),
                (_, value) => value.clone(),
            };
            out.insert(key.clone(), value);
        }
        Value::Object(out)
    }

    fn property(&self, property: &'d Value) -> Value {
        if self.wrong == WrongDirection::Refuse && self.is_foreign(property, &mut { STEPS_MAX }) {
            return Value::Bool(false);
        }
        self.schema(property, &HashSet::new())
    }

    /// The foreign properties of an object schema and all it is composed of.
    fn gather(&self, members: &'d Map<String, Value>, steps: &mut usize, found: &mut HashSet<&'d str>) {
        let Some(left) = steps.checked_sub(1) else { return };
        *steps = left;
        for (name, property) in members.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if self.is_foreign(property, &mut { STEPS_MAX }) {
                found.insert(name.as_str());
            }
        }
        for part in members.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            if let Value::Object(part) = part {
                self.gather(part, steps, found);
            }
        }
        if let Some(Value::Object(target)) = members.get("$ref").and_then(|it| self.target(it)) {
            self.gather(target, steps, found);
        }
    }

    /// Whether the schema is marked as the other side's, itself or in what it refers to.
    fn is_foreign(&self, schema: &'d Value, steps: &mut usize) -> bool {
        let (Value::Object(members), Some(left)) = (schema, steps.checked_sub(1)) else {
            return false;
        };
        *steps = left;
        if members.get(self.foreign) == Some(&Value::Bool(true)) {
            return true;
        }
        if let Some(target) = members.get("$ref").and_then(|it| self.target(it))
            && self.is_foreign(target, steps)
        {
            return true;
        }
        let mut parts = members.get("allOf").and_then(Value::as_array).into_iter().flatten();
        parts.any(|it| self.is_foreign(it, steps))
    }

    fn target(&self, reference: &Value) -> Option<&'d Value> {
        let name = reference.as_str()?.strip_prefix(DEFS)?;
        self.definitions.get(*self.by_name.get(name)?).map(|it| &it.value)
    }
}
