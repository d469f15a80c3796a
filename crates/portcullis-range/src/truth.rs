//! Reads `truth.toml`: which weakness sits where and which check must find it.

/// The file itself.
pub const TEXT: &str = include_str!("../truth.toml");

/// One `[[weakness]]` or `[[trap]]` of the file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `weakness` or `trap`.
    pub kind: String,
    fields: Vec<(String, String)>,
    /// Checks that may report the same slot.
    pub also: Vec<String>,
}

impl Entry {
    /// A field's text, empty where it is absent.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// All entries. The file is part of the crate, so that a line of another shape is a mistake of ours, which the
/// tests find; here it is passed over.
#[must_use]
pub fn entries() -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in TEXT.lines().map(str::trim).filter(|it| !it.is_empty() && !it.starts_with('#')) {
        if let Some(kind) = line.strip_prefix("[[").and_then(|it| it.strip_suffix("]]")) {
            entries.push(Entry { kind: kind.to_owned(), ..Entry::default() });
        } else if let (Some((key, value)), Some(entry)) = (line.split_once(" = "), entries.last_mut()) {
            let texts = value.trim_matches(['[', ']']).split(", ").map(|it| it.trim_matches('"').to_owned());
            if value.starts_with('[') {
                entry.also.extend(texts);
            } else {
                entry.fields.push((key.to_owned(), value.trim_matches('"').to_owned()));
            }
        }
    }
    entries
}

/// Whether the weakness with this id goes by that name of a check or catalogue code.
pub(crate) fn names(id: &str, name: &str) -> bool {
    entries()
        .iter()
        .any(|it| it.field("id") == id && [it.field("check"), it.field("catalogue")].contains(&name))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{rest, weakness::Weakness};

    #[test]
    fn every_weakness_has_its_entry_and_every_entry_its_weakness() {
        let told: Vec<String> =
            entries().iter().filter(|it| it.kind == "weakness").map(|it| it.field("id").to_owned()).collect();
        let known: Vec<&str> = Weakness::ALL.iter().map(|it| it.id()).collect();
        assert_eq!(told, known);
        assert_eq!(known.iter().collect::<BTreeSet<_>>().len(), known.len());
    }

    #[test]
    fn every_line_is_understood_and_every_field_is_there() {
        for line in TEXT.lines().filter(|it| !it.is_empty() && !it.starts_with('#')) {
            let pair = line.split_once(" = ").is_some_and(|(_, it)| it.ends_with('"') || it.ends_with(']'));
            assert!(pair || (line.starts_with("[[") && line.ends_with("]]")), "{line}");
        }
        for entry in entries() {
            let names: &[&str] = match entry.kind.as_str() {
                "weakness" => {
                    &["id", "check", "catalogue", "protocol", "operation", "slot", "owasp", "cwe", "title"]
                }
                "trap" => &["id", "operation", "title"],
                other => panic!("{other}"),
            };
            for name in names {
                assert!(!entry.field(name).is_empty(), "{name} of {}", entry.field("id"));
            }
        }
    }

    #[test]
    fn every_rest_operation_that_is_named_exists() {
        let routes = rest::routes();
        for entry in entries().iter().filter(|it| it.kind == "trap" || it.field("protocol") == "rest") {
            let operation = entry.field("operation");
            let known = routes.iter().any(|it| format!("{} {}", it.method, it.path) == operation);
            assert!(known || operation == "*", "{operation}");
        }
    }
}
