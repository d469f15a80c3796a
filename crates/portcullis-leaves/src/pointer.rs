//! JSON pointers (RFC 6901).

use crate::value::{Kind, Value};

/// The pointer from `root` to the value of that index.
pub(crate) fn to(root: Value<'_>, target: u32) -> String {
    let mut pointer = String::new();
    let mut at = root;
    while at.index() < target && target < at.end() {
        let inside = |value: &Value<'_>| target < value.end();
        let next = match at.kind() {
            Kind::Object => match at.members().find(|(_, value)| inside(value)) {
                Some((name, value)) => {
                    push_name(&mut pointer, name);
                    Some(value)
                }
                None => None,
            },
            Kind::Array => match at.elements().enumerate().find(|(_, value)| inside(value)) {
                Some((place, value)) => {
                    push_index(&mut pointer, place);
                    Some(value)
                }
                None => None,
            },
            Kind::Null | Kind::Bool | Kind::Number | Kind::String => None,
        };
        match next {
            Some(value) => at = value,
            None => break,
        }
    }
    pointer
}

/// The value that `pointer` names below `root`. Indices are decimal without leading zeros; `-` names nothing.
pub(crate) fn resolve<'t>(root: Value<'t>, pointer: &str) -> Option<Value<'t>> {
    if pointer.is_empty() {
        return Some(root);
    }
    let mut at = root;
    for token in pointer.strip_prefix('/')?.split('/') {
        at = match at.kind() {
            Kind::Object if !token.contains('~') => at.get(token)?,
            Kind::Object => at.get(&unescape(token)?)?,
            Kind::Array => at.elements().nth(index(token)?)?,
            Kind::Null | Kind::Bool | Kind::Number | Kind::String => return None,
        };
    }
    Some(at)
}

/// Appends a member's name as a reference token.
pub(crate) fn push_name(pointer: &mut String, name: &str) {
    pointer.push('/');
    for character in name.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// Appends an array index as a reference token.
pub(crate) fn push_index(pointer: &mut String, index: usize) {
    pointer.push('/');
    pointer.push_str(&index.to_string());
}

fn unescape(token: &str) -> Option<String> {
    let mut name = String::with_capacity(token.len());
    let mut characters = token.chars();
    while let Some(character) = characters.next() {
        match character {
            '~' => match characters.next()? {
                '0' => name.push('~'),
                '1' => name.push('/'),
                _ => return None,
            },
            other => name.push(other),
        }
    }
    Some(name)
}

fn index(token: &str) -> Option<usize> {
    let canonical = token == "0" || !token.starts_with(['0', '+']);
    if canonical { token.parse().ok() } else { None }
}
