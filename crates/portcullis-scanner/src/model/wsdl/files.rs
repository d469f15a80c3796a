//! The files of a WSDL: the root and all that it imports or includes, read once.

use std::collections::VecDeque;

use portcullis_spec::openapi::Source;

use super::{
    ByName, Name, WSDL, WsdlError,
    tree::{self, Element},
};
use crate::model::Note;

/// Files of one description, at most.
const FILES_MAX: usize = 200;
/// The namespace of XML Schema.
pub(super) const XSD: &str = "http://www.w3.org/2001/XMLSchema";

/// All files, the root first.
pub(super) struct Files {
    roots: Vec<Element>,
    pub(super) notes: Vec<Note>,
}

impl Files {
    /// Reads the root and, breadth first, what it names. Only what cannot be read of the root is an error.
    pub(super) fn read(root: &str, source: &dyn Source) -> Result<Self, WsdlError> {
        let mut files = Self { roots: Vec::new(), notes: Vec::new() };
        let mut wanted = VecDeque::from([root.to_owned()]);
        let mut seen = vec![root.to_owned()];
        while let Some(name) = wanted.pop_front() {
            let element = match read_one(&name, source) {
                Ok(element) => element,
                Err(error) if files.roots.is_empty() => return Err(error),
                Err(error) => {
                    files.notes.push(Note { place: name, text: error.to_string() });
                    continue;
                }
            };
            if files.roots.is_empty() && (element.namespace != WSDL || element.name != "definitions") {
                return Err(WsdlError::NoDefinitions(name));
            }
            for it in element.descendants() {
                let location = match (it.namespace.as_str(), it.name.as_str()) {
                    (WSDL, "import") => it.attribute("location"),
                    (XSD, "import" | "include" | "redefine") => it.attribute("schemaLocation"),
                    _ => None,
                };
                let Some(location) = location else { continue };
                let Some(path) = join(&name, location) else {
                    let text = format!("`{location}` is not fetched");
                    files.notes.push(Note { place: name.clone(), text });
                    continue;
                };
                if !seen.contains(&path) && seen.len() < FILES_MAX {
                    seen.push(path.clone());
                    wanted.push_back(path);
                }
            }
            files.roots.push(element);
        }
        Ok(files)
    }

    /// The `definitions` elements.
    pub(super) fn definitions(&self) -> impl Iterator<Item = &Element> {
        self.roots.iter().filter(|it| it.namespace == WSDL && it.name == "definitions")
    }

    /// The name of the first service, or of the definitions.
    pub(super) fn title(&self) -> String {
        let service = self.definitions().find_map(|it| it.child("service")?.attribute("name"));
        service
            .or_else(|| self.definitions().find_map(|it| it.attribute("name")))
            .unwrap_or_default()
            .to_owned()
    }

    /// The schemas: of files of their own, and inline.
    pub(super) fn schemas(&self) -> Vec<&Element> {
        self.roots
            .iter()
            .flat_map(Element::descendants)
            .filter(|it| it.namespace == XSD && it.name == "schema")
            .collect()
    }

    /// A binding, port type or message by name. A name without a namespace that fits is taken by its local name: dirty
    /// files leave the prefix out.
    pub(super) fn global(&self, kind: &str, name: &Name) -> Option<&Element> {
        let mut by_name = ByName::new();
        for definitions in self.definitions() {
            let namespace = definitions.attribute("targetNamespace").unwrap_or_default();
            for it in definitions.children.iter().filter(|it| it.name == kind && it.namespace == WSDL) {
                by_name
                    .entry((namespace, it.attribute("name").unwrap_or_default()))
                    .or_insert((it, definitions));
            }
        }
        let exact = by_name.get(&(name.0.as_str(), name.1.as_str()));
        let found =
            exact.or_else(|| by_name.iter().find(|((_, local), _)| *local == name.1).map(|(_, it)| it));
        found.map(|(it, _)| *it)
    }
}

fn read_one(name: &str, source: &dyn Source) -> Result<Element, WsdlError> {
    let file = name.to_owned();
    let bytes =
        source.read(name).map_err(|it| WsdlError::Unreadable { file: file.clone(), why: it.to_string() })?;
    let text = String::from_utf8_lossy(&bytes);
    tree::parse(&text).map_err(|source| WsdlError::Xml { file, source })
}

/// A location against the file that names it; `None` for what is a URL or lies outside of the root's directory.
fn join(file: &str, location: &str) -> Option<String> {
    if location.contains("://") || location.starts_with('/') || location.contains('\\') {
        return None;
    }
    let base = file.rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut parts: Vec<&str> = base.split('/').filter(|it| !it.is_empty()).collect();
    for part in location.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    Some(if file.starts_with('/') { format!("/{path}") } else { path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_locations_and_refuses_addresses() {
        assert_eq!(join("a/b.wsdl", "c.xsd").as_deref(), Some("a/c.xsd"));
        assert_eq!(join("/x/a/b.wsdl", "../c.xsd").as_deref(), Some("/x/c.xsd"));
        assert_eq!(join("b.wsdl", "../c.xsd"), None);
        assert_eq!(join("b.wsdl", "http://h/c.xsd"), None);
        assert_eq!(join("b.wsdl", "/etc/passwd"), None);
    }
}
