//! XML bodies: what the XPaths of the rules select, and the leaves as arguments where that is asked for.
//!
//! Well-formedness as far as quick-xml checks it, plus one root. Any DOCTYPE is refused, so no entity but the five of
//! XML itself exists. What was read before a fault stays visible to the rules.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

use crate::bodies::xpath::{Name, Progress, XPath};
use crate::values::{ARGS_STRUCTURED, List, Span, Values};

/// How much a body may hold, and what is wanted of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The XPaths of the rules; each fills its list.
    pub(crate) xpaths: &'a [XPath],
    /// Whether elements with text alone become arguments.
    pub(crate) leaves: bool,
    /// Elements within each other.
    pub(crate) depth_max: usize,
    /// Arguments.
    pub(crate) arguments_max: usize,
}

/// Why a body is no good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("not well formed at byte {at}: {reason}")]
    Malformed { at: u64, reason: String },
    #[error("a document type declaration is not accepted")]
    Doctype,
    #[error("elements are nested too deep")]
    Depth,
    #[error("more arguments than the limit allows")]
    Arguments,
    #[error("what the rules select is too much in sum")]
    Selected,
}

/// What the rules select may grow to this multiple of the body: `//*` over deep nesting would be quadratic otherwise.
const SELECTED_PER_BODY_BYTE: usize = 16;
/// What any body may give in sum.
const SELECTED_FREE: usize = 1 << 20;

struct Element {
    /// Where its text begins within all the text.
    text_start: usize,
    /// Bytes of the argument's path that belong to what is outside of it.
    path_length: usize,
    has_children: bool,
}

struct Reading<'a> {
    values: &'a mut Values,
    wanted: Wanted<'a>,
    text: Vec<u8>,
    open: Vec<Element>,
    /// For each open element the progress of each XPath, one after the other.
    progress: Vec<Progress>,
    path: Vec<u8>,
    selected_left: usize,
    arguments: usize,
    bytes: u64,
    seen_root: bool,
}

/// Reads a body; the sum of the bytes of names and values of arguments, and the fault that ended the reading, if any.
pub(crate) fn parse(values: &mut Values, body: &[u8], wanted: Wanted<'_>) -> (u64, Result<(), Fault>) {
    let (text, valid) = decode(body);
    let mut reading = Reading {
        values,
        wanted,
        text: Vec::new(),
        open: Vec::new(),
        progress: vec![Progress::DOCUMENT; wanted.xpaths.len()],
        path: b"xml".to_vec(),
        selected_left: SELECTED_FREE + body.len().saturating_mul(SELECTED_PER_BODY_BYTE),
        arguments: 0,
        bytes: 0,
        seen_root: false,
    };
    let result = reading.document(&text).and(valid);
    // What stays open after a fault counts as far as it was read.
    while !reading.open.is_empty() && reading.close().is_ok() {}
    (reading.bytes, result)
}

/// The body as UTF-8: as it is, from UTF-16 by its mark, or from ISO 8859-1 where it declares that.
fn decode(body: &[u8]) -> (Cow<'_, str>, Result<(), Fault>) {
    let units = |from: fn([u8; 2]) -> u16| {
        let pairs = body.chunks_exact(2).filter_map(|pair| Some(from(pair.try_into().ok()?)));
        char::decode_utf16(pairs).map(|each| each.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>()
    };
    if body.starts_with(&[0xff, 0xfe]) {
        return (Cow::Owned(units(u16::from_le_bytes)), Ok(()));
    }
    if body.starts_with(&[0xfe, 0xff]) {
        return (Cow::Owned(units(u16::from_be_bytes)), Ok(()));
    }
    match std::str::from_utf8(body) {
        Ok(text) => (Cow::Borrowed(text), Ok(())),
        Err(error) => {
            let head = body.get(..body.len().min(200)).unwrap_or_default().to_ascii_lowercase();
            let declaration = memchr::memchr(b'>', &head).and_then(|end| head.get(..end)).unwrap_or_default();
            if memchr::memmem::find(declaration, b"iso-8859-1").is_some() {
                return (Cow::Owned(body.iter().map(|byte| char::from(*byte)).collect()), Ok(()));
            }
            let valid = body.get(..error.valid_up_to()).and_then(|text| std::str::from_utf8(text).ok());
            let fault =
                Fault::Malformed { at: error.valid_up_to() as u64, reason: "invalid UTF-8".to_owned() };
            (Cow::Borrowed(valid.unwrap_or_default()), Err(fault))
        }
    }
}

impl Reading<'_> {
    fn document(&mut self, text: &str) -> Result<(), Fault> {
        let mut reader = NsReader::from_str(text);
        reader.config_mut().check_comments = true;
        loop {
            let event = reader.read_event().map_err(|error| malformed(&reader, error.to_string()))?;
            match event {
                Event::Start(start) => {
                    self.enter(&reader, &start)?;
                }
                Event::Empty(start) => {
                    self.enter(&reader, &start)?;
                    self.close()?;
                }
                Event::End(_) => self.close()?,
                Event::Text(text) => self.text(&reader, text.xml10_content().as_bytes())?,
                Event::CData(text) => self.text(&reader, text.xml10_content().as_bytes())?,
                Event::GeneralRef(reference) => {
                    let character = reference
                        .resolve_char_ref()
                        .map_err(|error| malformed(&reader, error.to_string()))?;
                    let mut room = [0; 4];
                    match character {
                        Some(character) => self.text(&reader, character.encode_utf8(&mut room).as_bytes())?,
                        None => {
                            let name = reference.xml10_content();
                            let known = resolve_predefined_entity(&name)
                                .ok_or_else(|| malformed(&reader, "unknown entity".to_owned()))?;
                            self.text(&reader, known.as_bytes())?;
                        }
                    }
                }
                Event::DocType(_) => return Err(Fault::Doctype),
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
                Event::Eof if self.open.is_empty() && self.seen_root => return Ok(()),
                Event::Eof => return Err(malformed(&reader, "premature end".to_owned())),
            }
        }
    }

    fn enter(&mut self, reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<(), Fault> {
        if self.open.is_empty() && self.seen_root {
            return Err(malformed(reader, "a second root element".to_owned()));
        }
        self.seen_root = true;
        if self.open.len() >= self.wanted.depth_max {
            return Err(Fault::Depth);
        }
        if let Some(parent) = self.open.last_mut() {
            parent.has_children = true;
        }
        let path_length = self.path.len();
        let (namespace, local) = reader.resolver().resolve_element(start.name());
        let name = Name { namespace: uri(&namespace), local: local.as_ref().as_bytes() };
        if self.wanted.leaves {
            self.path.push(b'.');
            self.path.extend_from_slice(local.as_ref().as_bytes());
        }
        self.open.push(Element { text_start: self.text.len(), path_length, has_children: false });
        let above = self.progress.len() - self.wanted.xpaths.len();
        for (index, xpath) in self.wanted.xpaths.iter().enumerate() {
            let before = self.progress.get(above + index).copied().unwrap_or(Progress::DOCUMENT);
            self.progress.push(xpath.enter(before, name));
        }
        self.attributes(reader, start)
    }

    fn attributes(&mut self, reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<(), Fault> {
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| malformed(reader, error.to_string()))?;
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let value = attribute
                .normalized_value(XmlVersion::Explicit1_0)
                .map_err(|error| malformed(reader, error.to_string()))?;
            let (namespace, local) = reader.resolver().resolve_attribute(attribute.key);
            let name = Name { namespace: uri(&namespace), local: local.as_ref().as_bytes() };
            let first = self.progress.len() - self.wanted.xpaths.len();
            for (index, xpath) in self.wanted.xpaths.iter().enumerate() {
                let here = self.progress.get(first + index).copied().unwrap_or(Progress::DOCUMENT);
                if xpath.takes_attribute(here, name) {
                    self.selected_left =
                        self.selected_left.checked_sub(value.len()).ok_or(Fault::Selected)?;
                    let span = self.values.store(value.as_bytes());
                    self.values.add(List::of_xpath(index as u16), Span::default(), span);
                }
            }
        }
        Ok(())
    }

    fn text(&mut self, reader: &NsReader<&[u8]>, text: &[u8]) -> Result<(), Fault> {
        if self.open.is_empty() {
            let is_blank = text.trim_ascii().is_empty();
            return if is_blank {
                Ok(())
            } else {
                Err(malformed(reader, "text outside of the root".to_owned()))
            };
        }
        self.text.extend_from_slice(text);
        let first = self.progress.len() - self.wanted.xpaths.len();
        for (index, xpath) in self.wanted.xpaths.iter().enumerate() {
            let here = self.progress.get(first + index).copied().unwrap_or(Progress::DOCUMENT);
            if xpath.takes_text(here) {
                self.selected_left = self.selected_left.checked_sub(text.len()).ok_or(Fault::Selected)?;
                let span = self.values.store(text);
                self.values.add(List::of_xpath(index as u16), Span::default(), span);
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Fault> {
        let Some(element) = self.open.pop() else { return Ok(()) };
        let text = self.text.get(element.text_start..).unwrap_or_default();
        let first = self.progress.len() - self.wanted.xpaths.len();
        for (index, xpath) in self.wanted.xpaths.iter().enumerate() {
            let here = self.progress.get(first + index).copied().unwrap_or(Progress::DOCUMENT);
            if xpath.takes_content(here) {
                self.selected_left = self.selected_left.checked_sub(text.len()).ok_or(Fault::Selected)?;
                let span = self.values.store(text);
                self.values.add(List::of_xpath(index as u16), Span::default(), span);
            }
        }
        self.progress.truncate(first);
        if self.wanted.leaves && !element.has_children {
            if self.arguments == self.wanted.arguments_max {
                return Err(Fault::Arguments);
            }
            self.arguments += 1;
            let bytes = self.path.len() + text.len();
            self.selected_left = self.selected_left.checked_sub(bytes).ok_or(Fault::Selected)?;
            self.bytes += bytes as u64;
            let name = self.values.store(&self.path);
            let value = self.values.store(text);
            self.values.add(ARGS_STRUCTURED, name, value);
        }
        self.path.truncate(element.path_length);
        Ok(())
    }
}

fn uri<'a>(namespace: &'a ResolveResult<'a>) -> &'a [u8] {
    match namespace {
        ResolveResult::Bound(namespace) => namespace.0.as_bytes(),
        ResolveResult::Unbound | ResolveResult::Unknown(_) => b"",
    }
}

fn malformed(reader: &NsReader<&[u8]>, reason: String) -> Fault {
    Fault::Malformed { at: reader.error_position(), reason }
}

#[cfg(test)]
#[path = "xml_tests.rs"]
mod tests;
