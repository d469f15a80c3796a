//! Values that a schema allows, as an ordinary client would send them: by example and default first, then by type,
//! format, pattern and name.

use rand_chacha::{ChaCha8Rng, rand_core::RngCore as _};
use serde_json::{Map, Value, json};

use super::pattern;

/// Objects in objects, at most; deeper ones are left out where they are optional, empty where not.
const DEPTH_MAX: usize = 6;

/// How much is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// What is required.
    Required,
    /// Everything.
    All,
}

/// Makes values.
pub struct Generator<'a> {
    /// What `$ref`s point into: [`crate::model::Model::schemas`].
    pub schemas: &'a Value,
    /// Chance.
    pub chance: &'a mut ChaCha8Rng,
    /// How much is filled in.
    pub fill: Fill,
}

impl Generator<'_> {
    /// A value for a slot of this name.
    pub fn value(&mut self, schema: &Value, name: &str) -> Value {
        self.at(schema, name, 0)
    }

    fn at(&mut self, schema: &Value, name: &str, depth: usize) -> Value {
        let merged = resolved(self.schemas, schema);
        for key in ["const", "example", "default"] {
            if let Some(value) = merged.get(key).filter(|value| !value.is_null()) {
                return value.clone();
            }
        }
        for key in ["examples", "enum"] {
            if let Some(value) =
                merged.get(key).and_then(Value::as_array).and_then(|all| all.iter().find(|it| !it.is_null()))
            {
                return value.clone();
            }
        }
        for key in ["oneOf", "anyOf"] {
            let alternatives = merged.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
            let chosen =
                alternatives.iter().find(|it| it.get("type").and_then(Value::as_str) != Some("null"));
            if let Some(chosen) = chosen.filter(|_| depth < DEPTH_MAX) {
                let mut whole = merged.clone();
                whole.remove(key);
                merge(&mut whole, &resolved(self.schemas, chosen));
                return self.at(&Value::Object(whole), name, depth + 1);
            }
        }
        match type_of(&merged) {
            "object" => self.object(&merged, depth),
            "array" => self.array(&merged, name, depth),
            "integer" => json!(self.integer(&merged, name)),
            "number" => {
                let whole = self.integer(&merged, name);
                if merged.contains_key("multipleOf") { json!(whole) } else { json!(whole as f64 + 0.5) }
            }
            "boolean" => Value::Bool(true),
            "null" => Value::Null,
            _ => Value::String(self.text(&merged, name)),
        }
    }

    fn object(&mut self, schema: &Map<String, Value>, depth: usize) -> Value {
        let mut members = Map::new();
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            let needed = required.contains(&name.as_str());
            let read_only = resolved(self.schemas, property).get("readOnly") == Some(&Value::Bool(true));
            if (needed || (self.fill == Fill::All && depth < 3 && !read_only)) && depth < DEPTH_MAX {
                members.insert(name.clone(), self.at(property, name, depth + 1));
            }
        }
        for name in required {
            if !members.contains_key(name) {
                members.insert(name.to_owned(), Value::String(self.word(8)));
            }
        }
        Value::Object(members)
    }

    fn array(&mut self, schema: &Map<String, Value>, name: &str, depth: usize) -> Value {
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1).clamp(1, 16);
        let anything = json!({"type": "string"});
        let items = schema.get("items").unwrap_or(&anything);
        if depth >= DEPTH_MAX {
            return json!([]);
        }
        Value::Array((0..least).map(|_| self.at(items, name, depth + 1)).collect())
    }

    fn integer(&mut self, schema: &Map<String, Value>, name: &str) -> i64 {
        let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
        let least = bound("minimum").or(bound("exclusiveMinimum").map(|it| it + 1.0));
        let most = bound("maximum").or(bound("exclusiveMaximum").map(|it| it - 1.0));
        let usual: f64 = match name.to_ascii_lowercase().as_str() {
            name if name.contains("page") || name.contains("offset") || name == "quantity" => 1.0,
            name if name.contains("limit") || name.contains("size") => 10.0,
            name if name.contains("year") => 2024.0,
            name if name.ends_with("id") => 1.0,
            _ => 3.0,
        };
        let step = schema.get("multipleOf").and_then(Value::as_f64).filter(|it| *it >= 1.0).unwrap_or(1.0);
        let value = usual.max(least.unwrap_or(f64::MIN)).min(most.unwrap_or(f64::MAX));
        ((value / step).ceil() * step) as i64
    }

    fn text(&mut self, schema: &Map<String, Value>, name: &str) -> String {
        if let Some(text) =
            schema.get("pattern").and_then(Value::as_str).and_then(|it| pattern::matching(it, self.chance))
        {
            return text;
        }
        let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
        let text = match format {
            "date-time" => "2024-05-17T10:20:30Z".to_owned(),
            "date" => "2024-05-17".to_owned(),
            "time" => "10:20:30Z".to_owned(),
            "duration" => "P1D".to_owned(),
            "uuid" => self.uuid(),
            "email" | "idn-email" => format!("{}@example.com", self.word(10)),
            "uri" | "url" | "iri" | "uri-reference" => format!("https://example.com/{}", self.word(6)),
            "hostname" => "example.com".to_owned(),
            "ipv4" => "192.0.2.7".to_owned(),
            "ipv6" => "2001:db8::7".to_owned(),
            "byte" => "cG9ydGN1bGxpcw==".to_owned(),
            "password" => self.password(),
            _ => self.by_name(name),
        };
        let length =
            |key: &str| schema.get(key).and_then(Value::as_u64).and_then(|it| usize::try_from(it).ok());
        let (least, most) =
            (length("minLength").unwrap_or(0).min(4_096), length("maxLength").unwrap_or(usize::MAX));
        let mut text: String = text.chars().take(most).collect();
        while text.chars().count() < least {
            text.push('a');
        }
        text
    }

    fn by_name(&mut self, name: &str) -> String {
        let lower = name.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        if has(&["email", "e_mail"]) {
            format!("{}@example.com", self.word(10))
        } else if has(&["password", "passwd", "secret", "pwd"]) {
            self.password()
        } else if has(&["phone", "mobile", "tel"]) {
            "+12025550143".to_owned()
        } else if has(&["url", "uri", "link", "webhook", "callback", "website"]) {
            format!("https://example.com/{}", self.word(6))
        } else if has(&["uuid", "guid"]) {
            self.uuid()
        } else if has(&["date", "_at", "time"]) {
            "2024-05-17".to_owned()
        } else if has(&["country"]) {
            "DE".to_owned()
        } else if has(&["currency"]) {
            "EUR".to_owned()
        } else if has(&["zip", "postal", "postcode"]) {
            "10115".to_owned()
        } else if has(&["lang", "locale"]) {
            "en".to_owned()
        } else if lower.ends_with("id") {
            "1".to_owned()
        } else {
            self.word(10)
        }
    }

    fn password(&mut self) -> String {
        // Upper and lower case, digits and a mark: what most rules for passwords ask for.
        format!("Aa1!{}", self.word(12))
    }

    fn word(&mut self, letters: usize) -> String {
        (0..letters).map(|_| char::from(b'a' + (self.chance.next_u64() % 26) as u8)).collect()
    }

    fn uuid(&mut self) -> String {
        let (high, low) = (self.chance.next_u64(), self.chance.next_u64());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | ((low >> 48) & 0x3fff),
            low & 0xffff_ffff_ffff
        )
    }
}

/// The schema with `$ref` followed and `allOf` merged in; at most sixteen steps deep, so that a cycle ends.
pub fn resolved(schemas: &Value, schema: &Value) -> Map<String, Value> {
    let mut whole = Map::new();
    resolve_into(schemas, schema, &mut whole, 0);
    whole
}

fn resolve_into(schemas: &Value, schema: &Value, whole: &mut Map<String, Value>, depth: usize) {
    let Some(members) = schema.as_object().filter(|_| depth < 16) else { return };
    if let Some(target) = members.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix('#'))
        && let Some(target) = schemas.pointer(target)
    {
        resolve_into(schemas, target, whole, depth + 1);
    }
    for part in members.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        resolve_into(schemas, part, whole, depth + 1);
    }
    let own: Map<String, Value> = members
        .iter()
        .filter(|(key, _)| *key != "$ref" && *key != "allOf")
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    merge(whole, &own);
}

fn merge(whole: &mut Map<String, Value>, more: &Map<String, Value>) {
    for (key, value) in more {
        match (whole.get_mut(key), value) {
            (Some(Value::Object(have)), Value::Object(add)) if key == "properties" => {
                for (name, property) in add {
                    have.insert(name.clone(), property.clone());
                }
            }
            (Some(Value::Array(have)), Value::Array(add)) if key == "required" => {
                for name in add {
                    if !have.contains(name) {
                        have.push(name.clone());
                    }
                }
            }
            _ => {
                whole.insert(key.clone(), value.clone());
            }
        }
    }
}

/// The type of a resolved schema, guessed from its keywords where it does not say.
pub fn type_of(schema: &Map<String, Value>) -> &str {
    match schema.get("type") {
        Some(Value::String(name)) => name,
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).find(|it| *it != "null").unwrap_or("null")
        }
        _ if schema.contains_key("properties") || schema.contains_key("required") => "object",
        _ if schema.contains_key("items") => "array",
        _ if schema.contains_key("minimum") || schema.contains_key("maximum") => "number",
        _ => "string",
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng as _;

    use super::*;

    fn made(schemas: Value, schema: Value, name: &str, fill: Fill) -> Value {
        let mut chance = ChaCha8Rng::seed_from_u64(7);
        Generator { schemas: &schemas, chance: &mut chance, fill }.value(&schema, name)
    }

    #[test]
    fn makes_what_the_schema_allows() {
        for schema in [
            json!({"type": "integer", "minimum": 40, "maximum": 50, "multipleOf": 7}),
            json!({"type": "string", "minLength": 20, "maxLength": 22}),
            json!({"type": "string", "pattern": "^[A-Z]{3}-[0-9]{2,4}$"}),
            json!({"type": "string", "format": "uuid"}),
            json!({"type": ["null", "array"], "items": {"enum": ["a"]}, "minItems": 3}),
            json!({"oneOf": [{"type": "null"}, {"type": "object", "required": ["x"]}]}),
            json!({"allOf": [{"properties": {"a": {"type": "boolean"}}}, {"required": ["a"]}], "type": "object"}),
        ] {
            let value = made(json!({}), schema.clone(), "x", Fill::All);
            let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
            assert!(validator.is_valid(&value), "{value} for {schema}");
        }
    }

    #[test]
    fn ends_in_a_cyclic_schema() {
        let schemas = json!({"$defs": {"Node": {"type": "object", "required": ["next"],
            "properties": {"next": {"$ref": "#/$defs/Node"}}}, "Self": {"$ref": "#/$defs/Self"}}});
        assert!(made(schemas.clone(), json!({"$ref": "#/$defs/Node"}), "x", Fill::All).is_object());
        assert!(made(schemas, json!({"$ref": "#/$defs/Self"}), "x", Fill::All).is_string());
    }

    #[test]
    fn leaves_out_what_is_not_required() {
        let schema =
            json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}, "b": {}}});
        assert_eq!(made(json!({}), schema.clone(), "x", Fill::Required), json!({"a": 3}));
        assert!(made(json!({}), schema, "x", Fill::All).get("b").is_some());
    }
}
