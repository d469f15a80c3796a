//! `$ref`s followed to the node they mean.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    files::{self, Files},
    node::{Node, unescape},
};

/// References to references followed before giving up; a description written by people has two or three.
const HOPS_MAX: usize = 32;

/// Why a reference leads nowhere.
pub(super) struct Dangling {
    pub(super) message: String,
    pub(super) hint: Option<&'static str>,
}

impl Dangling {
    fn new(message: String) -> Self {
        Self { message, hint: None }
    }
}

/// The text of a node's `$ref`, where it is one.
pub(super) fn reference<'a>(node: &Node<'a>) -> Option<&'a str> {
    node.text("$ref")
}

/// The node itself, or the first in its chain of references that is none.
pub(super) fn follow<'a>(files: &'a Files, node: &Node<'a>) -> Result<Node<'a>, Dangling> {
    let mut at = node.clone();
    for _ in 0..HOPS_MAX {
        let Some(text) = reference(&at) else {
            return Ok(at);
        };
        at = target(files, at.file, text, HOPS_MAX)?;
    }
    Err(Dangling::new("`$ref`s refer to one another in a circle".to_owned()))
}

/// The node that `text`, written in `file`, names.
pub(super) fn target<'a>(
    files: &'a Files,
    file: usize,
    text: &str,
    hops: usize,
) -> Result<Node<'a>, Dangling> {
    let hops = hops
        .checked_sub(1)
        .ok_or_else(|| Dangling::new("`$ref`s refer to one another in a circle".to_owned()))?;
    let unresolved = || Dangling::new(format!("`$ref` to `{text}`, which does not exist"));
    let here = files.all.get(file).ok_or_else(unresolved)?;
    // `$id` first: it may look like a URL, and is no network address then.
    let (path, fragment) = files::split(text);
    if let Some(pointer) = here.anchors.get(path).filter(|_| !path.is_empty()) {
        let whole = format!("{pointer}{}", decode(fragment.unwrap_or_default()));
        return walk(files, file, &whole, hops).ok_or_else(unresolved);
    }
    let index = if path.is_empty() {
        file
    } else if files::is_remote(path) {
        return Err(Dangling {
            message: format!("`$ref` to `{text}`: nothing is fetched by network"),
            hint: Some("save the document beside this one and refer to it by a relative path"),
        });
    } else {
        match files.named(&files::join(&here.name, path)) {
            Ok((index, _)) => index,
            Err(missing) if missing.message.is_empty() => return Err(unresolved()),
            Err(missing) => {
                let mut message = format!("`$ref` to `{text}`: {}", missing.message);
                if let Some(position) = missing.position {
                    message.push_str(&format!(" (line {}, column {})", position.line, position.column));
                }
                return Err(Dangling::new(message));
            }
        }
    };
    let fragment = fragment.unwrap_or_default();
    if !fragment.is_empty() && !fragment.starts_with('/') && !fragment.starts_with('%') {
        let anchor = format!("#{fragment}");
        let pointer = files.all.get(index).and_then(|it| it.anchors.get(&anchor)).ok_or_else(unresolved)?;
        return walk(files, index, pointer, hops).ok_or_else(unresolved);
    }
    walk(files, index, &decode(fragment), hops)
        // A `%` in a key that was not escaped.
        .or_else(|| walk(files, index, fragment, hops))
        .ok_or_else(unresolved)
}

fn decode(fragment: &str) -> Cow<'_, str> {
    percent_encoding::percent_decode_str(fragment).decode_utf8_lossy()
}

/// The node at a pointer; references on the way are followed.
fn walk<'a>(files: &'a Files, file: usize, pointer: &str, hops: usize) -> Option<Node<'a>> {
    let mut at = Node { file, pointer: String::new(), value: &files.all.get(file)?.value };
    for token in pointer.split('/').skip(1) {
        let key = unescape(token);
        let next = step(&at, &key).or_else(|| {
            let text = reference(&at)?;
            step(&target(files, at.file, text, hops).ok()?, &key)
        });
        at = next?;
    }
    Some(at)
}

fn step<'a>(at: &Node<'a>, key: &str) -> Option<Node<'a>> {
    match at.value {
        Value::Object(members) => members.get(key).map(|value| at.child(key, value)),
        Value::Array(items) => items.get(key.parse::<usize>().ok()?).map(|value| at.child(key, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}
