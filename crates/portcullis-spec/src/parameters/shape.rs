//! What a schema says about the types of a value, so that text can be read as one.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::schema::definition;

/// Types a value may have. Everything allowed where a schema says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Types(u8);

impl Types {
    pub(crate) const NULL: Self = Self(1);
    pub(crate) const BOOLEAN: Self = Self(2);
    pub(crate) const NUMBER: Self = Self(4);
    pub(crate) const STRING: Self = Self(8);
    pub(crate) const ARRAY: Self = Self(16);
    pub(crate) const OBJECT: Self = Self(32);
    pub(crate) const ANY: Self = Self(63);
    const NONE: Self = Self(0);

    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether it names no other types.
    pub(crate) fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn named(name: &str) -> Self {
        match name {
            "null" => Self::NULL,
            "boolean" => Self::BOOLEAN,
            "integer" | "number" => Self::NUMBER,
            "string" => Self::STRING,
            "array" => Self::ARRAY,
            "object" => Self::OBJECT,
            _ => Self::ANY,
        }
    }

    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(_) => Self::NUMBER,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        }
    }
}

/// The types of a value and of what it holds.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// Of the value itself.
    pub(crate) types: Types,
    /// Of an array's elements; `None` where nothing is said.
    pub(crate) items: Option<Box<Shape>>,
    /// Of an object's members.
    pub(crate) properties: Vec<(Box<str>, Shape)>,
    /// Of members not named.
    pub(crate) additional: Option<Box<Shape>>,
    /// Whether a string is opaque content (`format: binary`).
    pub(crate) binary: bool,
    /// Whether nothing is said of the value but its type: all of that type are alike.
    pub(crate) bare: bool,
}

/// Levels of a value that text can be read into; what lies deeper stays text.
const DEPTH_MAX: usize = 6;

impl Shape {
    pub(crate) const ANY: Self = Self {
        types: Types::ANY,
        items: None,
        properties: Vec::new(),
        additional: None,
        binary: false,
        bare: true,
    };

    /// The shape of a definition of a bundled document.
    pub(crate) fn of<'a>(name: &'a str, definitions: &'a Map<String, Value>) -> Self {
        let mut reader = Reader { definitions, open: HashSet::from([name]), left: SCHEMAS_MAX };
        definitions.get(name).map_or(Self::ANY, |schema| reader.read(schema, DEPTH_MAX))
    }

    /// The shape of a member.
    pub(crate) fn property(&self, name: &str) -> Option<&Self> {
        self.properties
            .iter()
            .find(|(it, _)| &**it == name)
            .map(|(_, shape)| shape)
            .or(self.additional.as_deref())
    }

    /// The shape of an element.
    pub(crate) fn item(&self) -> &Self {
        const ANY: &Shape = &Shape::ANY;
        self.items.as_deref().unwrap_or(ANY)
    }

    /// Whether arrays are what is meant, not merely not excluded.
    pub(crate) fn is_array(&self) -> bool {
        self.types.has(Types::ARRAY) && self.types != Types::ANY
    }

    /// Whether objects are what is meant, not merely not excluded.
    pub(crate) fn is_object(&self) -> bool {
        self.types.has(Types::OBJECT) && (self.types != Types::ANY || !self.properties.is_empty())
    }

    /// Whether neither arrays nor objects are allowed.
    pub(crate) fn is_scalar(&self) -> bool {
        !self.types.has(Types::ARRAY) && !self.types.has(Types::OBJECT)
    }

    /// Both hold.
    fn and(mut self, other: Self) -> Self {
        self.types = self.types.and(other.types);
        self.items = self.items.or(other.items);
        self.additional = self.additional.or(other.additional);
        self.binary |= other.binary;
        self.bare &= other.bare;
        self.merge_properties(other.properties);
        self
    }

    /// One of them holds.
    fn or(mut self, other: Self) -> Self {
        self.types = self.types.or(other.types);
        self.items = self.items.or(other.items);
        self.additional = self.additional.or(other.additional);
        self.binary |= other.binary;
        self.bare &= other.bare;
        for (name, shape) in other.properties {
            match self.properties.iter_mut().find(|(it, _)| *it == name) {
                Some((_, mine)) => mine.types = mine.types.or(shape.types),
                None => self.properties.push((name, shape)),
            }
        }
        self
    }

    fn merge_properties(&mut self, others: Vec<(Box<str>, Self)>) {
        for (name, shape) in others {
            match self.properties.iter_mut().find(|(it, _)| *it == name) {
                Some((_, mine)) => mine.types = mine.types.and(shape.types),
                None => self.properties.push((name, shape)),
            }
        }
    }
}

/// Keywords that say something of numbers only.
const BOUNDS: [&str; 5] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];

/// Schemas looked at for one shape; beyond that, text stays text.
const SCHEMAS_MAX: usize = 10_000;

struct Reader<'a> {
    definitions: &'a Map<String, Value>,
    /// Definitions being read: a cycle ends at the first repetition.
    open: HashSet<&'a str>,
    left: usize,
}

impl<'a> Reader<'a> {
    fn read(&mut self, schema: &'a Value, depth: usize) -> Shape {
        let (Value::Object(map), Some(below), Some(left)) =
            (schema, depth.checked_sub(1), self.left.checked_sub(1))
        else {
            return Shape { bare: *schema != Value::Bool(false), ..Shape::ANY };
        };
        self.left = left;
        let mut shape = self.own(map, below);
        if let Some(name) = map.get("$ref").and_then(Value::as_str).and_then(definition)
            && self.open.insert(name)
        {
            if let Some(target) = self.definitions.get(name) {
                shape = shape.and(self.read(target, depth));
            }
            self.open.remove(name);
        }
        for part in map.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            shape = shape.and(self.read(part, depth));
        }
        for keyword in ["anyOf", "oneOf"] {
            let alternatives = map.get(keyword).and_then(Value::as_array).into_iter().flatten();
            let either = alternatives.map(|it| self.read(it, depth)).reduce(Shape::or);
            if let Some(either) = either {
                shape = shape.and(either);
            }
        }
        shape
    }

    /// What the schema's own keywords say.
    fn own(&mut self, map: &'a Map<String, Value>, below: usize) -> Shape {
        let types = match (map.get("type"), map.get("enum"), map.get("const")) {
            (Some(Value::String(one)), ..) => Types::named(one),
            (Some(Value::Array(several)), ..) => {
                several.iter().filter_map(Value::as_str).map(Types::named).fold(Types::NONE, Types::or)
            }
            (_, Some(Value::Array(values)), _) => values.iter().map(Types::of).fold(Types::NONE, Types::or),
            (.., Some(value)) => Types::of(value),
            _ if map.contains_key("items") => Types::ARRAY,
            _ if map.contains_key("properties") => Types::OBJECT,
            // Bounds on numbers mean nothing to text: read as text, every value would hold.
            _ if BOUNDS.iter().any(|it| map.contains_key(*it)) => Types::NUMBER,
            _ => Types::ANY,
        };
        let properties = map.get("properties").and_then(Value::as_object).into_iter().flatten();
        let properties = properties.map(|(name, it)| (name.as_str().into(), self.read(it, below))).collect();
        let mut one = |keyword: &str| {
            map.get(keyword).filter(|it| it.is_object()).map(|it| Box::new(self.read(it, below)))
        };
        Shape {
            types,
            items: one("items"),
            additional: one("additionalProperties"),
            properties,
            binary: matches!(map.get("format").and_then(Value::as_str), Some("binary" | "file")),
            bare: map.keys().all(|it| matches!(it.as_str(), "type" | "format" | "$ref" | "allOf"))
                && map.get("format").is_none_or(|it| it == "binary" || it == "file"),
        }
    }
}
