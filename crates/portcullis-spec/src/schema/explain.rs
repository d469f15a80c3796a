//! Why a value failed, gathered once it has: never on the path of a valid one.

use std::borrow::Cow;

use jsonschema::{
    JsonType, ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind},
};
use portcullis_core::verdict::Place;
use portcullis_leaves::Value as Leaf;
use serde_json::Value;

use super::node::{Tape, TapeNode};
use crate::violation::{VIOLATIONS_MAX, Violation, cut, excerpt};

/// Values in a tape up to which all errors are gathered. `jsonschema` gathers without a bound, and a body that is
/// wrong in every element must not cost many times its size; of a larger one only the first error is told.
const VALUES_MAX: usize = 2_000;

pub(super) fn explain(validator: &Validator<Tape>, entry: &str, value: Leaf<'_>) -> Vec<Violation> {
    let root = TapeNode::Entry(entry, value);
    let told = |error: &ValidationError<'_>| violation(error, value, entry);
    if value.leaves().take(VALUES_MAX).count() < VALUES_MAX {
        let errors: Vec<_> = validator.iter_errors(root).collect();
        // A member that failed its schema counts as not evaluated: that is an echo, not a second fault.
        let echo = |error: &ValidationError<'_>| {
            use ValidationErrorKind::{UnevaluatedItems, UnevaluatedProperties};
            matches!(error.kind(), UnevaluatedItems { .. } | UnevaluatedProperties { .. })
        };
        let only_echoes = errors.iter().all(echo);
        errors.iter().filter(|error| only_echoes || !echo(error)).take(VIOLATIONS_MAX).map(told).collect()
    } else {
        validator.validate(root).err().iter().map(told).collect()
    }
}

fn violation(error: &ValidationError<'_>, root: Leaf<'_>, entry: &str) -> Violation {
    let pointer = within(error.instance_path().as_str(), entry);
    let seen = root.tree().resolve(pointer).map(|value| excerpt(pointer, value)).unwrap_or_default();
    Violation {
        keyword: Cow::Owned(error.kind().keyword().to_owned()),
        place: Place::Body(pointer.into()),
        schema: error.schema_path().as_str().into(),
        message: message(error.kind(), pointer, entry),
        excerpt: seen,
    }
}

/// The pointer into the value, without the object that was put around it.
fn within<'a>(path: &'a str, entry: &str) -> &'a str {
    path.strip_prefix('/').and_then(|it| it.strip_prefix(entry)).unwrap_or(path)
}

/// What is wrong, in words. Values of the message never appear, names of its fields only cut.
fn message(kind: &ValidationErrorKind, pointer: &str, entry: &str) -> String {
    use ValidationErrorKind as Kind;
    match kind {
        Kind::AdditionalItems { limit } => format!("has more than {limit} items"),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            format!(
                "has {} the schema does not know: {}",
                plural(unexpected.len(), "a field", "fields"),
                names(unexpected)
            )
        }
        Kind::UnevaluatedItems { .. } => "has items the schema does not know".to_owned(),
        Kind::AnyOf { context } => alternatives("any alternative of `anyOf`", context, pointer, entry),
        Kind::OneOfNotValid { context } => {
            alternatives("any alternative of `oneOf`", context, pointer, entry)
        }
        Kind::OneOfMultipleValid { .. } => "satisfies more than one alternative of `oneOf`".to_owned(),
        Kind::Constant { expected_value } => format!("must be `{}`", short(expected_value)),
        Kind::Contains => "has no item, or too many, of the kind `contains` asks for".to_owned(),
        Kind::ContentEncoding { content_encoding } => format!("is not encoded as `{content_encoding}`"),
        Kind::ContentMediaType { content_media_type } => format!("does not hold `{content_media_type}`"),
        Kind::Enum { options } => format!("is none of the values allowed: {}", options_short(options)),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {}", short(limit)),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {}", short(limit)),
        Kind::FalseSchema => "is not allowed here".to_owned(),
        Kind::Format { format } => format!("is not in the format `{format}`"),
        Kind::FromUtf8 { .. } => "does not decode to text".to_owned(),
        Kind::MaxItems { limit } => format!("has more than {}", counted(*limit, "item")),
        Kind::MinItems { limit } => format!("has fewer than {}", counted(*limit, "item")),
        Kind::Maximum { limit } => format!("must be at most {}", short(limit)),
        Kind::Minimum { limit } => format!("must be at least {}", short(limit)),
        Kind::MaxLength { limit } => format!("is longer than {}", counted(*limit, "character")),
        Kind::MinLength { limit } => format!("is shorter than {}", counted(*limit, "character")),
        Kind::MaxProperties { limit } => format!("has more than {}", counted(*limit, "field")),
        Kind::MinProperties { limit } => format!("has fewer than {}", counted(*limit, "field")),
        Kind::MultipleOf { multiple_of } => format!("is no multiple of {multiple_of}"),
        Kind::Not { .. } => "is what `not` forbids".to_owned(),
        Kind::Pattern { pattern } => format!("does not match the pattern `{}`", cut(pattern)),
        Kind::PropertyNames { error } => {
            format!("has a field whose name is wrong: the name {}", message(error.kind(), pointer, entry))
        }
        Kind::Required { property } => {
            format!("lacks the required field `{}`", cut(property.as_str().unwrap_or("?")))
        }
        Kind::Type { kind } => format!("must be {}", types(kind)),
        Kind::UniqueItems => "has an item twice".to_owned(),
        Kind::BacktrackLimitExceeded { .. } | Kind::RegexEngineFailure { .. } => {
            "could not be matched against its pattern".to_owned()
        }
        Kind::Referencing(_) => "is described by a schema that cannot be resolved".to_owned(),
        Kind::Custom { message, .. } => message.clone(),
    }
}

/// Names the error of the alternative that came closest: the one that failed deepest, then with fewest errors.
/// One that failed by its type or tag at the value itself was not meant.
fn alternatives(
    which: &str,
    context: &[Vec<ValidationError<'static>>],
    pointer: &str,
    entry: &str,
) -> String {
    let closest = context.iter().filter(|errors| !errors.is_empty()).min_by_key(|errors| {
        let unmeant = errors.iter().any(|error| {
            let at = within(error.instance_path().as_str(), entry);
            let below = at.strip_prefix(pointer).unwrap_or(at);
            match error.kind() {
                ValidationErrorKind::Type { .. } => below.is_empty(),
                ValidationErrorKind::Constant { .. } => true,
                ValidationErrorKind::Enum { .. } => below.matches('/').count() <= 1,
                _ => false,
            }
        });
        (unmeant, errors.len())
    });
    let Some(error) = closest.and_then(|errors| errors.first()) else {
        return format!("does not satisfy {which}");
    };
    let at = within(error.instance_path().as_str(), entry);
    let below = at.strip_prefix(pointer).unwrap_or(at);
    let why = message(error.kind(), at, entry);
    if below.is_empty() {
        format!("does not satisfy {which}; the closest: it {why}")
    } else {
        format!("does not satisfy {which}; the closest: `{}` {why}", cut(below))
    }
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => with_article(*one).to_owned(),
        TypeKind::Multiple(several) => several.iter().map(with_article).collect::<Vec<_>>().join(" or "),
    }
}

fn with_article(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Array => "an array",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "an integer",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "an object",
        JsonType::String => "a string",
    }
}

/// A value of the schema, which is the operator's own.
fn short(value: &Value) -> Box<str> {
    match value {
        Value::String(text) => cut(text),
        other => cut(&other.to_string()),
    }
}

fn options_short(options: &Value) -> String {
    const SHOWN_MAX: usize = 8;
    let Some(options) = options.as_array() else { return format!("`{}`", short(options)) };
    let mut shown: Vec<String> =
        options.iter().take(SHOWN_MAX).map(|it| format!("`{}`", short(it))).collect();
    if options.len() > SHOWN_MAX {
        shown.push(format!("… ({} in all)", options.len()));
    }
    shown.join(", ")
}

fn names(unexpected: &[String]) -> String {
    const SHOWN_MAX: usize = 3;
    let mut shown: Vec<String> =
        unexpected.iter().take(SHOWN_MAX).map(|it| format!("`{}`", cut(it))).collect();
    if unexpected.len() > SHOWN_MAX {
        shown.push("…".to_owned());
    }
    shown.join(", ")
}

fn plural(count: usize, one: &'static str, more: &'static str) -> &'static str {
    if count == 1 { one } else { more }
}

fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
