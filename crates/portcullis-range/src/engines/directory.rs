//! A directory of staff: LDAP filters (RFC 4515) and XPath predicates over the same few people.

use serde_json::{Value, json};

use super::expression::{Scope, evaluate, holds};

/// Filters within one another.
const DEPTH_MAX: u32 = 16;

/// The people.
pub(crate) fn people() -> Vec<Value> {
    vec![
        json!({"objectClass": "person", "uid": "ines", "cn": "Ines Dahl", "badge": "1001", "password": "salt-and-wind"}),
        json!({"objectClass": "person", "uid": "olaf", "cn": "Olaf Berg", "badge": "1002", "password": "north-star-9"}),
        json!({"objectClass": "person", "uid": "mats", "cn": "Mats Vik", "badge": "1003", "password": "deep-harbour"}),
        json!({"objectClass": "service", "uid": "backup", "cn": "Backup Agent", "badge": "9001", "password": "agent"}),
    ]
}

/// The people whom a filter takes; what follows the first whole filter is ignored, as lax servers do.
pub(crate) fn search(filter: &str) -> Result<Vec<Value>, &'static str> {
    let mut found = Vec::new();
    for person in people() {
        if filtered(&person, filter.trim_start(), 0).ok_or("bad search filter")?.0 {
            found.push(person);
        }
    }
    Ok(found)
}

/// The filter's verdict and what follows it.
fn filtered<'a>(person: &Value, text: &'a str, depth: u32) -> Option<(bool, &'a str)> {
    let inner = text.strip_prefix('(').filter(|_| depth < DEPTH_MAX)?;
    let operator = inner.chars().next()?;
    if !matches!(operator, '&' | '|' | '!') {
        let (item, rest) = inner.split_once(')')?;
        let (name, pattern) = item.split_once('=')?;
        return Some((fits(person.get(name.trim()), pattern), rest));
    }
    let mut rest = inner.get(1..)?;
    let (mut all, mut any) = (true, false);
    while !rest.starts_with(')') {
        let (verdict, after) = filtered(person, rest, depth + 1)?;
        all &= verdict;
        any |= verdict;
        rest = after;
    }
    let verdict = match operator {
        '&' => all,
        '|' => any,
        _ => !any,
    };
    Some((verdict, rest.get(1..)?))
}

fn fits(value: Option<&Value>, pattern: &str) -> bool {
    let Some(value) = value.and_then(Value::as_str).map(str::to_lowercase) else { return false };
    let parts: Vec<String> = pattern.split('*').map(|it| unescape(it).to_lowercase()).collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return false };
    if parts.len() == 1 {
        return value == *first;
    }
    let Some(mut rest) = value.strip_prefix(first.as_str()) else { return false };
    for part in parts.iter().skip(1).take(parts.len() - 2) {
        let Some((_, after)) = rest.split_once(part.as_str()) else { return part.is_empty() };
        rest = after;
    }
    rest.ends_with(last.as_str())
}

/// Escapes a value for a filter (RFC 4515, section 3).
pub(crate) fn escape(value: &str) -> String {
    let mut out = String::new();
    for character in value.chars() {
        match character {
            '*' => out.push_str("\\2a"),
            '(' => out.push_str("\\28"),
            ')' => out.push_str("\\29"),
            '\\' => out.push_str("\\5c"),
            '\0' => out.push_str("\\00"),
            other => out.push(other),
        }
    }
    out
}

fn unescape(value: &str) -> String {
    let mut out = value.to_owned();
    for (code, text) in [("\\2a", "*"), ("\\28", "("), ("\\29", ")"), ("\\00", "\0"), ("\\5c", "\\")] {
        out = out.replace(code, text);
    }
    out
}

/// The people for whom an XPath predicate over child elements holds.
pub(crate) fn select(predicate: &str) -> Result<Vec<Value>, &'static str> {
    let mut found = Vec::new();
    for person in people() {
        let variable = |name: &str| person.get(name).cloned().unwrap_or(Value::Null);
        let verdict = evaluate(predicate, &Scope::new(&variable)).ok_or("invalid predicate")?;
        if holds(&verdict) {
            found.push(person.clone());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters() {
        let count = |filter: &str| search(filter).map(|it| it.len());
        assert_eq!(count("(&(objectClass=person)(cn=*a*))"), Ok(3));
        assert_eq!(count("(|(uid=ines)(uid=olaf))"), Ok(2));
        assert_eq!(count("(!(objectClass=person))"), Ok(1));
        assert_eq!(count("(cn=*)"), Ok(4));
        assert_eq!(count("(uid=ines)(rest"), Ok(1));
        assert_eq!(count(&format!("(cn={})", escape("*)(uid=*"))), Ok(0));
        assert!(count("(cn=a").is_err() && count("").is_err() && count(&"(&".repeat(500)).is_err());
    }

    #[test]
    fn selects() {
        assert_eq!(select("badge='1001'").map(|it| it.len()), Ok(1));
        assert_eq!(select("badge='x' or '1'='1'").map(|it| it.len()), Ok(4));
        assert!(select("badge='x").is_err());
    }
}
