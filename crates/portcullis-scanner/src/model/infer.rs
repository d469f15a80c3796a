//! JSON Schema from values that were seen: what they have in common, and no more than that.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// Values inside one another; what is deeper may be anything.
const DEPTH_MAX: usize = 32;
/// Members of one object; more of them are keys of a map, not names.
const MEMBERS_MAX: usize = 200;
/// Items looked at of one list.
const ITEMS_MAX: usize = 100;

/// The schema of all these values.
pub fn schema<'v>(values: impl IntoIterator<Item = &'v Value>) -> Value {
    let mut shape = Shape::default();
    for value in values {
        shape.add(value, DEPTH_MAX);
    }
    shape.schema()
}

/// The schema of texts that stand in a path, query, form or header field: what they would be as values.
pub fn schema_of_texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Value {
    let values: Vec<Value> = texts.into_iter().map(value_of_text).collect();
    schema(&values)
}

/// A text as the value it is written like. A number that would not be written back the same (`007`) stays a text.
pub fn value_of_text(text: &str) -> Value {
    let number = serde_json::from_str::<serde_json::Number>(text).ok();
    match number.filter(|it| it.to_string() == text) {
        Some(number) => Value::Number(number),
        None => match text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::from(text),
        },
    }
}

/// What was seen at one place.
#[derive(Default)]
struct Shape {
    types: BTreeSet<&'static str>,
    /// Formats that every text so far has; `None` before the first.
    formats: Option<BTreeSet<&'static str>>,
    objects: usize,
    members: BTreeMap<String, (usize, Shape)>,
    /// Names in the order first seen.
    order: Vec<String>,
    items: Option<Box<Shape>>,
    /// Too many members to be names, or too deep to look: anything.
    open: bool,
}

impl Shape {
    fn add(&mut self, value: &Value, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else {
            self.open = true;
            return;
        };
        self.types.insert(match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        });
        match value {
            Value::String(text) => {
                let has: BTreeSet<_> =
                    FORMATS.iter().filter(|(_, test)| test(text)).map(|(name, _)| *name).collect();
                self.formats = Some(match self.formats.take() {
                    Some(all) => all.intersection(&has).copied().collect(),
                    None => has,
                });
            }
            Value::Array(items) => {
                let inner = self.items.get_or_insert_with(Box::default);
                items.iter().take(ITEMS_MAX).for_each(|it| inner.add(it, depth));
            }
            Value::Object(members) => {
                self.objects += 1;
                for (name, member) in members {
                    if !self.members.contains_key(name) {
                        if self.members.len() >= MEMBERS_MAX {
                            self.open = true;
                            break;
                        }
                        self.order.push(name.clone());
                    }
                    let (count, shape) = self.members.entry(name.clone()).or_default();
                    *count += 1;
                    shape.add(member, depth);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn schema(&self) -> Value {
        let mut types = self.types.clone();
        if types.contains("number") {
            types.remove("integer");
        }
        let types: Vec<&str> = types.into_iter().collect();
        let mut out = Map::new();
        match types.as_slice() {
            // Nothing but null was seen: nobody knows what else it may be.
            [] | ["null"] => return Value::Bool(true),
            [one] => drop(out.insert("type".to_owned(), Value::from(*one))),
            many => drop(out.insert("type".to_owned(), Value::from(many.to_vec()))),
        }
        let format =
            self.formats.as_ref().and_then(|all| FORMATS.iter().find(|(name, _)| all.contains(name)));
        if let Some((format, _)) = format {
            out.insert("format".to_owned(), Value::from(*format));
        }
        if self.objects > 0 && !self.open {
            let properties: Map<String, Value> = self
                .order
                .iter()
                .filter_map(|name| Some((name.clone(), self.members.get(name)?.1.schema())))
                .collect();
            let always =
                |name: &&String| self.members.get(*name).is_some_and(|(count, _)| *count == self.objects);
            let required: Vec<&String> = self.order.iter().filter(always).collect();
            out.insert("properties".to_owned(), Value::Object(properties));
            if !required.is_empty() {
                out.insert("required".to_owned(), json!(required));
            }
        }
        if let Some(items) = &self.items {
            out.insert("items".to_owned(), items.schema());
        }
        Value::Object(out)
    }
}

type Test = fn(&str) -> bool;

/// The narrowest first.
const FORMATS: [(&str, Test); 6] = [
    ("uuid", is_uuid),
    ("date-time", is_date_time),
    ("date", is_date),
    ("email", is_email),
    ("ipv4", |text| text.parse::<std::net::Ipv4Addr>().is_ok()),
    ("uri", |text| {
        ["http://", "https://"].iter().any(|it| text.starts_with(it)) && !text.contains(char::is_whitespace)
    }),
];

/// RFC 9562 §4, in text.
pub(super) fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// RFC 3339 `full-date`.
pub(super) fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

fn is_date_time(text: &str) -> bool {
    text.len() >= 19 && text.parse::<jiff::Timestamp>().is_ok()
}

pub(super) fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.split_once('@') else { return false };
    !name.is_empty()
        && domain.contains('.')
        && !text.contains(|it: char| it.is_whitespace() || it == '/' || it == ':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_all_values_have_in_common() {
        for (values, expected) in [
            (json!([1, 2]), json!({"type": "integer"})),
            (json!([1, 2.5, null]), json!({"type": ["null", "number"]})),
            (json!(["a@b.example", "c@d.example"]), json!({"type": "string", "format": "email"})),
            (json!(["a@b.example", "c"]), json!({"type": "string"})),
            (json!(["2026-01-02"]), json!({"type": "string", "format": "date"})),
            (json!(["2026-01-02T03:04:05Z"]), json!({"type": "string", "format": "date-time"})),
            (json!(["6fa459ea-ee8a-3ca4-894e-db77e160355e"]), json!({"type": "string", "format": "uuid"})),
            (json!([null]), json!(true)),
            (json!([]), json!(true)),
            (
                json!([{"a": 1, "b": [1]}, {"a": 2, "b": ["x"], "c": null}]),
                json!({"type": "object", "required": ["a", "b"], "properties": {
                    "a": {"type": "integer"},
                    "b": {"type": "array", "items": {"type": ["integer", "string"]}},
                    "c": true}}),
            ),
        ] {
            assert_eq!(schema(values.as_array().unwrap()), expected, "{values}");
        }
    }

    #[test]
    fn an_object_of_countless_members_is_a_map() {
        let members: Map<String, Value> = (0..300).map(|it| (format!("k{it}"), json!(it))).collect();
        assert_eq!(schema([&Value::Object(members)]), json!({"type": "object"}));
    }

    #[test]
    fn every_value_seen_fits_its_schema() {
        let values = json!([{"a": [[1], []]}, {"a": null}, {"b": {"c": "2026-01-02"}}, 7, "x"]);
        let schema = schema(values.as_array().unwrap());
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        for value in values.as_array().unwrap() {
            assert!(validator.is_valid(value), "{value} against {schema}");
        }
    }

    #[test]
    fn a_deep_value_ends() {
        let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
        assert!(schema([&deep]).to_string().len() < 2_000);
    }

    #[test]
    fn texts_are_what_they_are_written_like() {
        assert_eq!(value_of_text("12"), json!(12));
        assert_eq!(value_of_text("007"), json!("007"));
        assert_eq!(value_of_text("1.5"), json!(1.5));
        assert_eq!(value_of_text("true"), json!(true));
        assert_eq!(schema_of_texts(["1", "x"]), json!({"type": ["integer", "string"]}));
    }
}
