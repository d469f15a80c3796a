//! Text into a tree: JSON and YAML, bounded, duplicate keys refused, positions of syntax errors kept.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::Limits;
use crate::model::Position;

/// A text that is neither JSON nor YAML, or larger than allowed.
pub(super) struct SyntaxError {
    pub(super) position: Option<Position>,
    pub(super) message: String,
}

/// Whether a text is to be read as JSON: YAML accepts it too, but slower and with other error messages.
pub(super) fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

/// Reads the text as JSON where it begins like it, else as YAML 1.2.
///
/// # Errors
/// With a position for syntax errors, duplicate keys, and what breaks a limit.
pub(super) fn parse(name: &str, text: &str, limits: &Limits) -> Result<Value, SyntaxError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !is_json(text) {
        return parse_yaml(text, limits);
    }
    match parse_json(text, limits) {
        // A YAML document may begin with a flow mapping.
        Err(error) if !name.ends_with(".json") => {
            // Of the two errors, the one that was met later is about the text and not about the notation.
            parse_yaml(text, limits)
                .map_err(|other| if other.position > error.position { other } else { error })
        }
        outcome => outcome,
    }
}

fn parse_json(text: &str, limits: &Limits) -> Result<Value, SyntaxError> {
    let nodes = Cell::new(limits.nodes_max);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let tree = Tree { nodes: &nodes, depth: limits.depth_max };
    tree.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value)).map_err(
        |error| {
            let whole = error.to_string();
            let message =
                whole.rfind(" at line ").and_then(|end| whole.get(..end)).unwrap_or(&whole).to_owned();
            let position =
                (error.line() > 0).then(|| Position { line: error.line(), column: error.column() });
            SyntaxError { position, message }
        },
    )
}

fn parse_yaml(text: &str, limits: &Limits) -> Result<Value, SyntaxError> {
    let nodes = Cell::new(limits.nodes_max);
    let options = serde_saphyr::options! {
        // `required: [x, y]` names two properties, and `on`, `no`, `1_000`, `0755` are what they look like.
        strict_booleans: true,
        underscored_numbers_as_strings: true,
        leading_zero_numbers_as_strings: true,
        emit_comments: false,
        with_snippet: false,
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::AsString,
        budget: serde_saphyr::budget! {
            max_events: limits.nodes_max.saturating_mul(3),
            max_nodes: limits.nodes_max,
            max_depth: limits.depth_max,
            max_documents: 1,
            simple_key_max_lookahead: 4096,
            // Hand-written documents share examples and fragments by alias much more than configurations do;
            // what they expand to counts as nodes.
            enforce_alias_anchor_ratio: false,
        },
    };
    serde_saphyr::with_deserializer_from_str_with_options(text, options, |deserializer| {
        Tree { nodes: &nodes, depth: limits.depth_max }.deserialize(deserializer)
    })
    .map_err(|error| {
        let error = error.without_snippet();
        let position = error.location().map(|at| Position {
            line: usize::try_from(at.line()).unwrap_or(usize::MAX),
            column: usize::try_from(at.column()).unwrap_or(usize::MAX),
        });
        let whole = error.to_string();
        // What the library says about its own options is nothing to an operator.
        let end = [" at line ", ", set DuplicateKeyPolicy"].iter().filter_map(|it| whole.find(it)).min();
        let message = match end.and_then(|end| whole.get(..end)).unwrap_or(&whole) {
            it if it.starts_with("budget breached: Depth") => "nested too deeply".to_owned(),
            it if it.starts_with("budget breached:") => format!("too many values in one file ({it})"),
            it => it.to_owned(),
        };
        SyntaxError { position, message }
    })
}

/// Reads one node and all under it, counting down what is left of both bounds.
#[derive(Clone, Copy)]
struct Tree<'n> {
    nodes: &'n Cell<usize>,
    depth: usize,
}

impl Tree<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth, ..self }),
            None => Err(E::custom("nested too deeply")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.nodes.get().checked_sub(1) {
            Some(left) => self.nodes.set(left),
            None => return Err(D::Error::custom("too many values in one file")),
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Value, E> {
        #[expect(clippy::cast_precision_loss, reason = "what JSON readers do with such a number")]
        self.visit_f64(value as f64)
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Value, E> {
        #[expect(clippy::cast_precision_loss, reason = "what JSON readers do with such a number")]
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut members = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if members.contains_key(&key) {
                return Err(A::Error::custom(format_args!("duplicate key `{key}`")));
            }
            let value = access.next_value_seed(inner)?;
            members.insert(key, value);
        }
        Ok(Value::Object(members))
    }
}
