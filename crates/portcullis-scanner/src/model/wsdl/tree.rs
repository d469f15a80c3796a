//! XML as a small bounded tree with namespaces resolved. A document type declaration is refused, whatever is in it
//! (CWE-611, CWE-776).

use std::{collections::BTreeMap, sync::Arc};

use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};

/// Bytes of a document, at most.
const BYTES_MAX: usize = 8 << 20;
/// Elements, at most.
const ELEMENTS_MAX: usize = 200_000;
/// How deep elements may nest.
const DEPTH_MAX: usize = 64;
/// Attributes of one element, at most.
const ATTRIBUTES_MAX: usize = 200;

/// Why a document is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// It has a document type declaration.
    #[error("a document type declaration is refused")]
    Doctype,
    /// It refers to an entity that XML itself does not define.
    #[error("a reference to an undefined entity")]
    Entity,
    /// It is not well-formed near this byte.
    #[error("not well-formed near byte {0}")]
    Malformed(u64),
    /// It is larger, deeper or wider than is read.
    #[error("too large, too deep or too wide")]
    TooMuch,
}

/// An element.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Element {
    /// Its namespace; empty for none.
    pub(crate) namespace: String,
    /// Its local name.
    pub(crate) name: String,
    /// Attributes by namespace and local name, declarations of namespaces left out.
    pub(crate) attributes: Vec<(String, String, String)>,
    /// Elements in it, in order.
    pub(crate) children: Vec<Element>,
    /// Its character data, without its children's.
    pub(crate) text: String,
    /// Prefixes in force.
    scope: Arc<BTreeMap<String, String>>,
}

impl Element {
    /// An attribute without a namespace.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let own = self.attributes.iter().find(|(namespace, own, _)| namespace.is_empty() && own == name);
        own.map(|(_, _, value)| value.as_str())
    }

    /// An attribute that is a qualified name, resolved.
    pub(crate) fn qname(&self, name: &str) -> Option<(String, String)> {
        self.attribute(name).map(|it| self.resolve(it))
    }

    /// A qualified name in a value.
    pub(crate) fn resolve(&self, value: &str) -> (String, String) {
        let (prefix, local) = value.trim().split_once(':').unwrap_or(("", value.trim()));
        (self.scope.get(prefix).cloned().unwrap_or_default(), local.to_owned())
    }

    /// Children of this local name, whatever their namespace.
    pub(crate) fn children_named<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |it| it.name == name)
    }

    /// The first child of this local name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|it| it.name == name)
    }

    /// The element and all in it.
    pub(crate) fn descendants(&self) -> impl Iterator<Item = &Self> {
        let mut left = vec![self];
        std::iter::from_fn(move || {
            let next = left.pop()?;
            left.extend(next.children.iter().rev());
            Some(next)
        })
    }
}

/// The root element of a document.
pub(crate) fn parse(text: &str) -> Result<Element, TreeError> {
    if text.len() > BYTES_MAX {
        return Err(TreeError::TooMuch);
    }
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim());
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut elements = 0;
    loop {
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(_) => return Err(TreeError::Malformed(reader.error_position())),
        };
        let at = reader.buffer_position();
        match event {
            Event::Start(start) | Event::Empty(start)
                if elements >= ELEMENTS_MAX || open.len() >= DEPTH_MAX =>
            {
                drop(start);
                return Err(TreeError::TooMuch);
            }
            Event::Start(start) => {
                elements += 1;
                let scope = open.last().map(|it| Arc::clone(&it.scope)).unwrap_or_default();
                open.push(element(&start, scope, at)?);
            }
            Event::Empty(start) => {
                elements += 1;
                let scope = open.last().map(|it| Arc::clone(&it.scope)).unwrap_or_default();
                close(element(&start, scope, at)?, &mut open, &mut root, at)?;
            }
            Event::End(_) => {
                let done = open.pop().ok_or(TreeError::Malformed(at))?;
                close(done, &mut open, &mut root, at)?;
            }
            Event::Text(text) => push(&mut open, &text.xml_content(XmlVersion::Implicit1_0)),
            Event::CData(text) => push(&mut open, &text.xml_content(XmlVersion::Implicit1_0)),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => push(&mut open, character.encode_utf8(&mut [0; 4])),
                Ok(None) => push(&mut open, resolve_predefined_entity(&reference).ok_or(TreeError::Entity)?),
                Err(_) => return Err(TreeError::Malformed(at)),
            },
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            Event::DocType(_) => return Err(TreeError::Doctype),
            Event::Eof => break,
        }
    }
    if open.is_empty() {
        root.ok_or(TreeError::Malformed(text.len() as u64))
    } else {
        Err(TreeError::Malformed(text.len() as u64))
    }
}

fn push(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn close(done: Element, open: &mut [Element], root: &mut Option<Element>, at: u64) -> Result<(), TreeError> {
    match open.last_mut() {
        Some(parent) => parent.children.push(done),
        None if root.is_some() => return Err(TreeError::Malformed(at)),
        None => *root = Some(done),
    }
    Ok(())
}

fn element(
    start: &BytesStart<'_>,
    mut scope: Arc<BTreeMap<String, String>>,
    at: u64,
) -> Result<Element, TreeError> {
    let mut raw = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| TreeError::Malformed(at))?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| TreeError::Entity)?;
        let key = attribute.key.as_ref().to_owned();
        if raw.len() == ATTRIBUTES_MAX {
            return Err(TreeError::TooMuch);
        }
        match key.strip_prefix("xmlns:").or_else(|| (key == "xmlns").then_some("")) {
            Some(prefix) => drop(Arc::make_mut(&mut scope).insert(prefix.to_owned(), value.into_owned())),
            None => raw.push((key, value.into_owned())),
        }
    }
    let split = |name: &str| match name.split_once(':') {
        Some((prefix, local)) => (Some(prefix.to_owned()), local.to_owned()),
        None => (None, name.to_owned()),
    };
    let found = |prefix: &str| scope.get(prefix).cloned().unwrap_or_default();
    let (prefix, name) = split(start.name().as_ref());
    let attributes = raw.into_iter().map(|(key, value)| {
        // An attribute without a prefix is in no namespace.
        let (prefix, name) = split(&key);
        (prefix.map(|it| found(&it)).unwrap_or_default(), name, value)
    });
    Ok(Element {
        namespace: found(prefix.as_deref().unwrap_or_default()),
        name,
        attributes: attributes.collect(),
        children: Vec::new(),
        text: String::new(),
        scope: Arc::clone(&scope),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_namespaces_of_elements_attributes_and_values() {
        let root =
            parse(r#"<a xmlns="u:d" xmlns:p="u:p" p:x="1" y="p:n"><p:b>t&amp;<![CDATA[<]]>&#65;</p:b></a>"#)
                .unwrap();
        assert_eq!((root.namespace.as_str(), root.name.as_str()), ("u:d", "a"));
        assert_eq!(root.qname("y"), Some(("u:p".to_owned(), "n".to_owned())));
        assert_eq!(root.attributes[0], ("u:p".to_owned(), "x".to_owned(), "1".to_owned()));
        let b = root.child("b").unwrap();
        assert_eq!((b.namespace.as_str(), b.text.as_str()), ("u:p", "t&<A"));
    }

    #[test]
    fn refuses_declarations_entities_depth_and_what_is_not_well_formed() {
        assert_eq!(parse("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"), Err(TreeError::Doctype));
        assert_eq!(parse("<a>&e;</a>"), Err(TreeError::Entity));
        assert_eq!(parse(&"<a>".repeat(100)), Err(TreeError::TooMuch));
        for bad in ["", "<a>", "<a></b>", "<a/><b/>", "text", "<a"] {
            assert!(matches!(parse(bad), Err(TreeError::Malformed(_))), "{bad}");
        }
    }
}
