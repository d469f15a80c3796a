//! A value with its place, and JSON pointers (RFC 6901).

use std::borrow::Cow;

use serde_json::Value;

/// A value of one of the files read, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    /// The index of the file.
    pub(super) file: usize,
    /// The pointer in that file.
    pub(super) pointer: String,
    /// The value.
    pub(super) value: &'a Value,
}

impl<'a> Node<'a> {
    /// The member of that name; an explicit null is as good as none.
    pub(super) fn get(&self, key: &str) -> Option<Node<'a>> {
        match self.value.as_object()?.get(key) {
            None | Some(Value::Null) => None,
            Some(value) => Some(self.child(key, value)),
        }
    }

    /// The member of that name as text.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.value.as_object()?.get(key)?.as_str()
    }

    /// The members of an object; nothing for other values.
    pub(super) fn members(&self) -> impl Iterator<Item = (&'a str, Node<'a>)> + use<'a, '_> {
        self.value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.as_str(), self.child(key, value)))
    }

    /// The items of an array; nothing for other values.
    pub(super) fn items(&self) -> impl Iterator<Item = Node<'a>> + use<'a, '_> {
        self.value.as_array().into_iter().flatten().enumerate().map(|(index, value)| Node {
            file: self.file,
            pointer: format!("{}/{index}", self.pointer),
            value,
        })
    }

    /// The one identity a value has, however it was come by: files never move while a document is read.
    pub(super) fn address(&self) -> usize {
        std::ptr::from_ref(self.value).addr()
    }

    pub(super) fn child(&self, key: &str, value: &'a Value) -> Node<'a> {
        let mut pointer = String::with_capacity(self.pointer.len() + key.len() + 3);
        pointer.push_str(&self.pointer);
        pointer.push('/');
        pointer.push_str(&escape(key));
        Node { file: self.file, pointer, value }
    }
}

/// A key as a token of a pointer.
pub(super) fn escape(key: &str) -> Cow<'_, str> {
    if key.contains(['~', '/']) {
        Cow::Owned(key.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(key)
    }
}

/// A token of a pointer as a key.
pub(super) fn unescape(token: &str) -> Cow<'_, str> {
    if token.contains('~') {
        Cow::Owned(token.replace("~1", "/").replace("~0", "~"))
    } else {
        Cow::Borrowed(token)
    }
}

/// What kind of value it is, for messages.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
