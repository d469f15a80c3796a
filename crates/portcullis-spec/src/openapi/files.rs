//! The files of one description: the root and all that its `$ref`s name, read once, before anything is made of them.

use std::{collections::VecDeque, io, sync::Arc};

use hashbrown::HashMap;
use serde_json::Value;

use super::{Limits, LoadError, Source, text};
use crate::model::Position;

/// One file, parsed.
pub(super) struct File {
    pub(super) name: Arc<str>,
    pub(super) text: String,
    pub(super) value: Value,
    /// `$id` and `$anchor` (as `#name`) to the pointer of the schema that carries them.
    pub(super) anchors: HashMap<String, String>,
}

/// Why a file that a `$ref` names is not there.
pub(super) struct Missing {
    pub(super) message: String,
    /// In that file.
    pub(super) position: Option<Position>,
}

/// All files; the root is the first.
pub(super) struct Files {
    pub(super) all: Vec<File>,
    by_name: HashMap<Arc<str>, Result<usize, Missing>>,
}

impl Files {
    /// Reads the root and, breadth first, every file named in it.
    pub(super) fn read(root: &str, source: &dyn Source, limits: &Limits) -> Result<Self, LoadError> {
        let mut files = Self { all: Vec::new(), by_name: HashMap::new() };
        let mut bytes_left = limits.total_bytes_max;
        let (text, value) = read_one(root, source, limits, &mut bytes_left).map_err(|fault| match fault {
            ReadFault::Io(error) => LoadError::Unreadable { file: root.to_owned(), source: error },
            ReadFault::Syntax(text::SyntaxError { position, message }) => {
                LoadError::Syntax { file: root.to_owned(), position, message }
            }
        })?;
        let home = directory(&join("", root)).to_owned();
        let mut wanted = VecDeque::new();
        files.add(root, text, value, &mut wanted);
        while let Some(name) = wanted.pop_front() {
            if files.by_name.contains_key(&*name) {
                continue;
            }
            if files.all.len() >= limits.files_max {
                let message = format!("more than {} files are named", limits.files_max);
                files.by_name.insert(name, Err(Missing { message, position: None }));
                continue;
            }
            if is_outside(&name, &home) && !source.permits(&name) {
                let message = "the file lies outside the directory of the description".to_owned();
                files.by_name.insert(name, Err(Missing { message, position: None }));
                continue;
            }
            match read_one(&name, source, limits, &mut bytes_left) {
                Ok((text, value)) => files.add(&name, text, value, &mut wanted),
                Err(ReadFault::Io(error)) => {
                    let message = format!("cannot read `{name}`: {error}");
                    files.by_name.insert(name, Err(Missing { message, position: None }));
                }
                Err(ReadFault::Syntax(text::SyntaxError { position, message })) => {
                    let message = format!("`{name}` cannot be parsed: {message}");
                    files.by_name.insert(name, Err(Missing { message, position }));
                }
            }
        }
        Ok(files)
    }

    /// The file of that name, or why it is not there.
    pub(super) fn named(&self, name: &str) -> Result<(usize, &File), &Missing> {
        static UNKNOWN: Missing = Missing { message: String::new(), position: None };
        match self.by_name.get(name) {
            Some(Ok(index)) => self.all.get(*index).map(|file| (*index, file)).ok_or(&UNKNOWN),
            Some(Err(missing)) => Err(missing),
            None => Err(&UNKNOWN),
        }
    }

    fn add(&mut self, name: &str, text: String, value: Value, wanted: &mut VecDeque<Arc<str>>) {
        let mut anchors = HashMap::new();
        survey(&value, &mut String::new(), name, &mut anchors, wanted);
        let name: Arc<str> = Arc::from(name);
        self.by_name.insert(Arc::clone(&name), Ok(self.all.len()));
        self.all.push(File { name, text, value, anchors });
    }
}

enum ReadFault {
    Io(io::Error),
    Syntax(text::SyntaxError),
}

fn read_one(
    name: &str,
    source: &dyn Source,
    limits: &Limits,
    bytes_left: &mut usize,
) -> Result<(String, Value), ReadFault> {
    let bytes = source.read(name).map_err(ReadFault::Io)?;
    let too_large = |bound: usize| {
        ReadFault::Io(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {bound} bytes")))
    };
    if bytes.len() > limits.file_bytes_max {
        return Err(too_large(limits.file_bytes_max));
    }
    *bytes_left = bytes_left.checked_sub(bytes.len()).ok_or_else(|| too_large(limits.total_bytes_max))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = 1 + memchr::memchr_iter(b'\n', error.as_bytes().get(..valid).unwrap_or_default()).count();
        ReadFault::Syntax(text::SyntaxError {
            position: Some(Position { line, column: 1 }),
            message: "not UTF-8".to_owned(),
        })
    })?;
    let value = text::parse(name, &text, limits).map_err(ReadFault::Syntax)?;
    Ok((text, value))
}

/// Notes every file a `$ref` names, and every anchor. A `$ref` in an example is noted too; a file missing costs
/// only what really refers to it.
fn survey(
    value: &Value,
    pointer: &mut String,
    file: &str,
    anchors: &mut HashMap<String, String>,
    wanted: &mut VecDeque<Arc<str>>,
) {
    let length = pointer.len();
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match (key.as_str(), member) {
                    ("$ref", Value::String(reference)) => {
                        let (path, _) = split(reference);
                        if !path.is_empty() && !is_remote(path) {
                            wanted.push_back(Arc::from(join(file, path)));
                        }
                    }
                    ("$id", Value::String(id)) => drop(anchors.insert(id.clone(), pointer.clone())),
                    ("$anchor" | "$dynamicAnchor", Value::String(anchor)) => {
                        anchors.insert(format!("#{anchor}"), pointer.clone());
                    }
                    (key, Value::Object(_) | Value::Array(_)) => {
                        pointer.push('/');
                        pointer.push_str(&super::node::escape(key));
                        survey(member, pointer, file, anchors, wanted);
                        pointer.truncate(length);
                    }
                    _ => {}
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer.push('/');
                pointer.push_str(&index.to_string());
                survey(item, pointer, file, anchors, wanted);
                pointer.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A reference's file and fragment; the fragment is `None` where there is no `#`.
pub(super) fn split(reference: &str) -> (&str, Option<&str>) {
    match reference.split_once('#') {
        Some((path, fragment)) => (path, Some(fragment)),
        None => (reference, None),
    }
}

/// Whether the file part of a reference is a URL (RFC 3986 §3.1) rather than a relative path.
pub(super) fn is_remote(path: &str) -> bool {
    if path.starts_with("//") {
        return true;
    }
    path.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() > 1
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    })
}

/// The path a relative reference means, seen from the file it stands in. `..` that cannot be resolved stays in front.
pub(super) fn join(file: &str, path: &str) -> String {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let whole =
        if decoded.starts_with('/') { decoded.into_owned() } else { format!("{}{decoded}", directory(file)) };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "." => {}
            "" if !parts.is_empty() => {}
            ".." => match parts.last() {
                Some(&("" | "..")) | None => parts.push(".."),
                Some(_) => drop(parts.pop()),
            },
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Whether a path leads out of a directory. Both are joined already: `..` can only stand in front.
fn is_outside(path: &str, directory: &str) -> bool {
    if directory.is_empty() {
        path.starts_with('/') || path.starts_with("../")
    } else {
        !path.starts_with(directory)
    }
}

/// The directory of a file, with its trailing `/`; empty for a bare name.
fn directory(file: &str) -> &str {
    file.rfind('/').and_then(|slash| file.get(..=slash)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_relative_paths() {
        for (file, path, joined) in [
            ("openapi.yaml", "pets.yaml", "pets.yaml"),
            ("a/openapi.yaml", "./pets.yaml", "a/pets.yaml"),
            ("a/b/openapi.yaml", "../pets.yaml", "a/pets.yaml"),
            ("openapi.yaml", "../pets.yaml", "../pets.yaml"),
            ("a/openapi.yaml", "../../../x", "../../x"),
            ("/etc/a/o.yaml", "b/../../x", "/etc/x"),
            ("a/o.yaml", "/etc/passwd", "/etc/passwd"),
            ("o.yaml", "my%20pets.yaml", "my pets.yaml"),
        ] {
            assert_eq!(join(file, path), joined, "{path} from {file}");
        }
    }

    #[test]
    fn knows_urls_from_paths() {
        assert!(is_remote("https://example.com/a.yaml"));
        assert!(is_remote("//example.com/a.yaml"));
        assert!(is_remote("urn:x:y"));
        assert!(!is_remote("a/b.yaml"));
        assert!(!is_remote("c:/b.yaml"));
    }
}
