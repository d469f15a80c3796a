//! The texts of an XML document: character data, attribute values, comments and processing instructions.
//!
//! A document type declaration is refused, whatever is in it: entities are how XML reads files, calls servers and
//! grows without bound (CWE-611, CWE-776), and no API needs one.

use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};
use thiserror::Error;

use crate::limits::{LimitExceeded, Limits};

/// Why an XML document is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum XmlError {
    /// A bound on bodies.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The document has a document type declaration.
    #[error("document type declaration")]
    Doctype,
    /// A reference to an entity that XML itself does not define.
    #[error("reference to an undefined entity")]
    Entity,
    /// The document is not well-formed there; the number is the byte where reading stopped.
    #[error("not well-formed near byte {0}")]
    Malformed(u64),
}

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'d> {
    /// Character data of the element, CDATA sections and references included.
    Text,
    /// The value of the attribute of that name.
    Attribute(&'d str),
    /// A comment or a processing instruction.
    Aside,
}

/// A text in a document. Names are without their prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'d> {
    /// What it is.
    pub part: Part<'d>,
    /// The element it stands in; empty outside of the root.
    pub element: &'d str,
    /// The element around that one.
    pub parent: &'d str,
    /// The text, references resolved.
    pub text: &'d str,
}

/// Calls `visit` for each text that is not blank, in order. Linear in the document's length; texts before a fault have
/// been visited.
///
/// # Errors
/// The first place where the document is not well-formed, has what is refused, or exceeds a limit.
pub fn texts(document: &str, limits: &Limits, visit: &mut dyn FnMut(Text<'_>)) -> Result<(), XmlError> {
    let document = document.trim_start_matches('\u{feff}').trim();
    let mut walk = Walk { limits, names: Names::default(), text: String::new(), values: 0, roots: 0, visit };
    let mut reader = Reader::from_str(document);
    loop {
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(_) => return Err(XmlError::Malformed(reader.error_position())),
        };
        let at = reader.buffer_position();
        match event {
            Event::Start(start) => walk.start(&start, at)?,
            Event::Empty(start) => {
                walk.start(&start, at)?;
                walk.end();
            }
            Event::End(_) => {
                walk.flush();
                walk.end();
            }
            Event::Text(text) => walk.push(&text.xml_content(XmlVersion::Implicit1_0), at)?,
            Event::CData(text) => walk.push(&text.xml_content(XmlVersion::Implicit1_0), at)?,
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => walk.push(character.encode_utf8(&mut [0; 4]), at)?,
                Ok(None) => {
                    walk.push(resolve_predefined_entity(&reference).ok_or(XmlError::Entity)?, at)?;
                }
                Err(_) => return Err(XmlError::Malformed(at)),
            },
            Event::Comment(text) => walk.aside(&text)?,
            Event::PI(text) => walk.aside(&text)?,
            Event::Decl(_) => {}
            Event::DocType(_) => return Err(XmlError::Doctype),
            Event::Eof => break,
        }
    }
    if walk.names.depth() == 0 && walk.roots == 1 {
        Ok(())
    } else {
        Err(XmlError::Malformed(document.len() as u64))
    }
}

struct Walk<'w> {
    limits: &'w Limits,
    names: Names,
    /// Character data since the last tag.
    text: String,
    values: u32,
    roots: u32,
    visit: &'w mut dyn FnMut(Text<'_>),
}

impl Walk<'_> {
    fn start(&mut self, start: &BytesStart<'_>, at: u64) -> Result<(), XmlError> {
        self.flush();
        if self.names.depth() == 0 {
            self.roots += 1;
        }
        if self.names.depth() >= self.limits.depth_max as usize {
            return Err(LimitExceeded::Depth(self.limits.depth_max).into());
        }
        self.names.push(start.local_name().as_ref());
        self.count()?;
        // Duplicates are looked for quadratically, and do no harm here: each value is visited.
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| XmlError::Malformed(at))?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| XmlError::Entity)?;
            self.check_length(value.len())?;
            self.count()?;
            let name = attribute.key.local_name();
            self.visit(Part::Attribute(name.as_ref()), &value);
        }
        Ok(())
    }

    fn end(&mut self) {
        self.names.pop();
    }

    fn push(&mut self, text: &str, at: u64) -> Result<(), XmlError> {
        if self.names.depth() == 0 {
            // Only blanks may stand outside of the root.
            return if text.trim().is_empty() { Ok(()) } else { Err(XmlError::Malformed(at)) };
        }
        self.check_length(self.text.len() + text.len())?;
        self.text.push_str(text);
        Ok(())
    }

    fn aside(&mut self, text: &str) -> Result<(), XmlError> {
        self.count()?;
        self.visit(Part::Aside, text);
        Ok(())
    }

    /// Hands on the character data before a tag.
    fn flush(&mut self) {
        let mut text = std::mem::take(&mut self.text);
        if !text.trim().is_empty() {
            self.visit(Part::Text, &text);
        }
        text.clear();
        self.text = text;
    }

    fn visit(&mut self, part: Part<'_>, text: &str) {
        (self.visit)(Text { part, element: self.names.last(0), parent: self.names.last(1), text });
    }

    fn count(&mut self) -> Result<(), XmlError> {
        self.values += 1;
        let max = self.limits.values_max;
        if self.values > max { Err(LimitExceeded::Values(max).into()) } else { Ok(()) }
    }

    fn check_length(&self, length: usize) -> Result<(), XmlError> {
        let max = self.limits.string_bytes_max;
        if length > max as usize { Err(LimitExceeded::StringBytes(max).into()) } else { Ok(()) }
    }
}

/// The names of the open elements, one after the other in one text.
#[derive(Default)]
struct Names {
    text: String,
    starts: Vec<usize>,
}

impl Names {
    fn depth(&self) -> usize {
        self.starts.len()
    }

    fn push(&mut self, name: &str) {
        self.starts.push(self.text.len());
        self.text.push_str(name);
    }

    fn pop(&mut self) {
        if let Some(start) = self.starts.pop() {
            self.text.truncate(start);
        }
    }

    /// The innermost name, or the one so many levels out.
    fn last(&self, out: usize) -> &str {
        let mut starts = self.starts.iter().rev();
        let end = match out.checked_sub(1) {
            None => self.text.len(),
            Some(skip) => match starts.nth(skip) {
                Some(end) => *end,
                None => return "",
            },
        };
        starts.next().and_then(|start| self.text.get(*start..end)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(document: &str) -> Result<Vec<String>, XmlError> {
        let limits = Limits { depth_max: 3, string_bytes_max: 20, values_max: 12, ..Limits::default() };
        let mut found = Vec::new();
        texts(document, &limits, &mut |it| {
            let part = match it.part {
                Part::Text => String::new(),
                Part::Attribute(name) => format!("@{name}"),
                Part::Aside => "!".to_owned(),
            };
            found.push(format!("{}/{}{part}={}", it.parent, it.element, it.text));
        })?;
        Ok(found)
    }

    #[test]
    fn finds_texts_with_their_elements() {
        assert_eq!(
            check("<?xml version='1.0'?>\n<s:a xmlns:s='u'><b c=\"1 &lt; 2\">x &amp;<![CDATA[<y>]]>&#39;</b> <!-- z --></s:a>\n").unwrap(),
            ["/a@s=u", "a/b@c=1 < 2", "a/b=x &<y>'", "/a!= z "]
        );
        assert_eq!(check("<a/>").unwrap(), Vec::<String>::new());
        assert_eq!(check("<a>1<b>2</b>3</a>").unwrap(), ["/a=1", "a/b=2", "/a=3"]);
        assert_eq!(check("\u{feff}<a><?php x?></a>").unwrap(), ["/a!=php x"]);
    }

    #[test]
    fn refuses_declarations_and_unknown_entities() {
        assert_eq!(check("<!DOCTYPE a [<!ENTITY b SYSTEM 'c'>]><a>&b;</a>"), Err(XmlError::Doctype));
        assert_eq!(check("<!doctype a><a/>"), Err(XmlError::Doctype));
        assert_eq!(check("<a>&b;</a>"), Err(XmlError::Entity));
        assert_eq!(check("<a b='&c;'/>"), Err(XmlError::Entity));
    }

    #[test]
    fn refuses_what_is_not_well_formed() {
        for text in
            ["", "text", "<a>", "<a></b>", "<a/><b/>", "<a b=c/>", "<a/>text", "<a>&#xffffffff;</a>", "</a>"]
        {
            assert!(matches!(check(text), Err(XmlError::Malformed(_))), "{text}: {:?}", check(text));
        }
    }

    #[test]
    fn is_bounded() {
        assert_eq!(check("<a><b><c><d/></c></b></a>"), Err(XmlError::Limit(LimitExceeded::Depth(3))));
        let long = format!("<a>{}</a>", "x".repeat(21));
        assert_eq!(check(&long), Err(XmlError::Limit(LimitExceeded::StringBytes(20))));
        let many = format!("<a>{}</a>", "<b/>".repeat(12));
        assert_eq!(check(&many), Err(XmlError::Limit(LimitExceeded::Values(12))));
    }

    proptest! {
        #[test]
        fn never_panics(text in r#"[<>/a='"&#;!\[\]?CDAT-]{0,80}"#) {
            let _ = check(&text);
        }
    }
}
