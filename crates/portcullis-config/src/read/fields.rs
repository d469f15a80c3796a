//! The keys of one mapping: each is taken by name, and what nobody took is a mistake.

use super::{Read, Reader, suggest};
use crate::{
    codes::{self, Code},
    source::Span,
    yaml::{self, Entry, Node},
};

/// A key that other programs have and this language leaves out for a reason: the code that says why, and a message.
pub(crate) type Refused = (&'static str, &'static Code, &'static str);

/// A mapping being read.
pub(crate) struct Fields<'n> {
    /// Where to point when a key is missing.
    pub(crate) span: Span,
    entries: &'n [Entry],
    known: Vec<&'static str>,
    later: &'static [&'static str],
    refused: &'static [Refused],
    whole: bool,
}

impl<'n> Fields<'n> {
    /// Opens a mapping; nothing at all counts as an empty one.
    pub(crate) fn open(node: &'n Node, reader: &mut Reader<'_>) -> Option<Self> {
        let entries: &[Entry] = match &node.value {
            yaml::Value::Map(entries) => entries,
            yaml::Value::Null => &[],
            yaml::Value::Scalar(_) | yaml::Value::List(_) => return reader.wrong_type(node, "a mapping"),
        };
        Some(Self { span: node.span, entries, known: Vec::new(), later: &[], refused: &[], whole: true })
    }

    /// Adds keys that the language knows and this version refuses.
    pub(crate) fn later(&mut self, keys: &'static [&'static str]) {
        self.later = keys;
    }

    /// Adds keys that are refused for a reason of their own.
    pub(crate) fn refuse(&mut self, keys: &'static [Refused]) {
        self.refused = keys;
    }

    /// The entry of a key.
    pub(crate) fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Where the key stands, or else the mapping.
    pub(crate) fn place(&self, key: &str) -> Span {
        self.entry(key).map_or(self.span, |entry| entry.key_span)
    }

    /// Takes a key. After a mistake in its value the key counts as absent, so that reading can go on.
    /// `None` when there is no value to go on with; the mistake has been noted then.
    pub(crate) fn take<T: Read>(
        &mut self,
        key: &'static str,
        default: Option<&'static str>,
        reader: &mut Reader<'_>,
    ) -> Option<T> {
        self.known.push(key);
        if let Some(entry) = self.entry(key) {
            reader.path.push(key.to_owned());
            let value = T::read_at(entry.key_span, &entry.value, reader);
            reader.path.pop();
            if value.is_some() {
                return value;
            }
            self.whole = false;
        } else if default.is_none() && T::REQUIRED {
            // What a later version would put in its place is refused anyway, and would not miss it.
            if !self.entries.iter().any(|entry| self.later.contains(&entry.key.as_str())) {
                reader.note(&codes::MISSING_KEY, self.span, format!("`{key}` is missing"));
            }
            return None;
        }
        match default {
            Some(text) => T::read(&written_default(text, self.span), reader),
            None => T::absent(),
        }
    }

    /// Whether every key taken so far was read without a mistake.
    pub(crate) fn whole(&self) -> bool {
        self.whole
    }

    /// Notes the keys that nobody took.
    pub(crate) fn finish(self, reader: &mut Reader<'_>) {
        for entry in self.entries {
            let key = entry.key.as_str();
            if self.known.contains(&key) {
                continue;
            }
            if self.later.contains(&key) {
                let message = format!("`{key}` is not supported yet");
                reader.advise(&codes::NOT_YET, entry.key_span, message, "remove it: nothing would act on it");
                continue;
            }
            if let Some((_, code, message)) = self.refused.iter().find(|(refused, ..)| *refused == key) {
                reader.note(code, entry.key_span, *message);
                continue;
            }
            let message = format!("`{key}` is not known here");
            let hint = suggest::suggestion(key, self.known.iter().copied()).unwrap_or_else(|| {
                let mut known: Vec<_> = self.known.iter().map(|it| format!("`{it}`")).collect();
                known.sort_unstable();
                format!("known here: {}", known.join(", "))
            });
            reader.advise(&codes::UNKNOWN_KEY, entry.key_span, message, hint);
        }
    }
}

/// A default is written in the language itself, so that the reference shows what is read.
pub(crate) fn written_default(text: &str, span: Span) -> Node {
    let (node, _) = yaml::parse(text, span.file);
    node.unwrap_or(Node { span, value: yaml::Value::Null }).moved_to(span)
}
