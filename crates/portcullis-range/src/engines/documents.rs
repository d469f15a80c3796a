//! A small document store's matcher, which honours query operators when it is given objects.

use regex::Regex;
use serde_json::Value;

use super::expression::{Scope, evaluate, holds};

/// The longest pattern that is compiled, in bytes.
const PATTERN_MAX: usize = 500;

/// Conditions within one another.
const DEPTH_MAX: u32 = 8;

/// Whether a document meets a filter.
pub(crate) fn matches(document: &Value, filter: &Value, scope_of: &Scope<'_>) -> bool {
    meets(document, filter, scope_of, 0)
}

fn meets(document: &Value, filter: &Value, scope: &Scope<'_>, depth: u32) -> bool {
    let Some(conditions) = filter.as_object().filter(|_| depth < DEPTH_MAX) else { return false };
    conditions.iter().all(|(name, wanted)| match name.as_str() {
        "$or" => wanted.as_array().into_iter().flatten().any(|it| meets(document, it, scope, depth + 1)),
        "$and" => wanted.as_array().into_iter().flatten().all(|it| meets(document, it, scope, depth + 1)),
        "$where" => wanted.as_str().is_some_and(|text| passes(document, text, scope)),
        _ => field_meets(document.get(name), wanted),
    })
}

/// Whether a document passes an expression over `this`.
pub(crate) fn passes(document: &Value, expression: &str, scope: &Scope<'_>) -> bool {
    let variable = |name: &str| {
        name.strip_prefix("this.").and_then(|it| document.get(it)).cloned().unwrap_or(Value::Null)
    };
    let mut own = Scope::new(&variable);
    own.sleep_left = scope.sleep_left.clone();
    let text = expression.split("//").next().unwrap_or_default().trim().trim_end_matches(';');
    let text = text.strip_prefix("return ").unwrap_or(text);
    let result = evaluate(text, &own).is_some_and(|it| holds(&it));
    scope.sleep_left.set(own.sleep_left.get());
    result
}

fn field_meets(value: Option<&Value>, wanted: &Value) -> bool {
    let Some(operators) = wanted.as_object() else { return value == Some(wanted) };
    operators.iter().all(|(operator, operand)| match operator.as_str() {
        "$eq" => value == Some(operand),
        "$ne" => value != Some(operand),
        "$in" => operand.as_array().into_iter().flatten().any(|it| value == Some(it)),
        "$nin" => !operand.as_array().into_iter().flatten().any(|it| value == Some(it)),
        "$exists" => value.is_some() == holds(operand),
        "$regex" => {
            let pattern = operand.as_str().filter(|it| it.len() <= PATTERN_MAX);
            let pattern = pattern.and_then(|it| Regex::new(it).ok());
            pattern.is_some_and(|it| value.and_then(Value::as_str).is_some_and(|text| it.is_match(text)))
        }
        "$gt" | "$gte" | "$lt" | "$lte" => {
            let order = match (value, operand) {
                (Some(Value::String(one)), Value::String(two)) => Some(one.cmp(two)),
                (Some(Value::Number(one)), Value::Number(two)) => {
                    one.as_f64().zip(two.as_f64()).and_then(|(one, two)| one.partial_cmp(&two))
                }
                _ => None,
            };
            order.is_some_and(|it| match operator.as_str() {
                "$gt" => it.is_gt(),
                "$gte" => it.is_ge(),
                "$lt" => it.is_lt(),
                _ => it.is_le(),
            })
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn honours_operators() {
        let document = json!({"name": "keeper", "age": 40});
        let check = |filter: Value| matches(&document, &filter, &Scope::new(&|_| Value::Null));
        assert!(check(json!({"name": "keeper", "age": {"$gt": 30}})));
        assert!(check(json!({"name": {"$ne": null}})) && check(json!({"name": {"$regex": "^k"}})));
        assert!(check(json!({"$or": [{"age": 1}, {"age": 40}]})));
        assert!(check(json!({"$where": "this.name == 'x' || '1'=='1' // rest"})));
        assert!(
            !check(json!({"name": "other"}))
                && !check(json!({"name": {"$unknown": 1}}))
                && !check(json!("x"))
        );
    }
}
