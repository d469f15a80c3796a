//! XML external entities, entity expansion, inclusion (CWE-611, CWE-776, CWE-827).
//!
//! An API's XML declares no entities: what declares one means it. HTML's document type is let be.

use memchr::memmem;

use super::Detector;
use crate::{
    class::Class,
    hit::{Hit, Hits},
    leaf::{Field, Where},
    view::View,
};

/// Finds declarations of entities, external document types and inclusions.
pub(super) struct Xxe;

impl Detector for Xxe {
    fn class(&self) -> Class {
        Class::Xxe
    }

    fn literals(&self) -> &'static [&'static str] {
        &[
            "<!entity",
            "<!doctype",
            "xinclude",
            "<xi:",
            "+adwaiq",
            "<!element",
            "<!attlist",
            "<!notation",
            "<?xml-stylesheet",
            "xop:include",
            "<\0!\0d\0",
        ]
    }

    fn inspect(&self, view: &View<'_>, hits: &mut Hits) {
        let found = entities(view.lower)
            .or_else(|| document_type(view.lower))
            .or_else(|| inclusion(view.lower))
            .or_else(|| hidden_charset(view.lower))
            .or_else(|| declaration(view.lower));
        let Some((rule, strength, at, why)) = found else { return };
        let score = match view.leaf.field {
            // A body that is XML as a whole is read as such, however it looks.
            _ if is_document(view) => strength,
            Field::Code => strength.min(4),
            Field::Prose | Field::Markup if strength < 10 => strength.min(3),
            Field::Prose | Field::Markup | Field::Query if is_quoted_in_text(view.lower, at) => {
                strength.min(5)
            }
            _ => strength,
        };
        let end = (at + SPAN_BYTES).min(view.text.len());
        hits.push(Hit { class: Class::Xxe, rule, score, span: at..end, why });
    }
}

/// Whether a value is a whole XML body, or a part of one that is XML as a whole.
pub(super) fn is_document(view: &View<'_>) -> bool {
    let text = view.leaf.value.trim_ascii_start();
    let begins = |start: &[u8]| text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
    view.leaf.at == Where::Body
        && if view.leaf.name.is_empty() { begins(b"<") } else { begins(b"<?xml") || begins(b"<soap") }
}

type Found = (&'static str, u8, usize, &'static str);

/// How much of a declaration is shown.
const SPAN_BYTES: usize = 64;

/// Declarations read in one document; a bomb needs far fewer.
const DECLARATIONS_MAX: usize = 64;

/// The longest declaration read.
const DECLARATION_BYTES_MAX: usize = 512;

fn is_quoted_in_text(lower: &[u8], at: usize) -> bool {
    lower.get(..at).is_some_and(|before| {
        before.split(u8::is_ascii_whitespace).filter(|word| word.len() > 1).take(12).count() >= 12
    })
}

/// `<!ENTITY name SYSTEM "…">`, `<!ENTITY % name "…">`, and entities made of entities.
fn entities(lower: &[u8]) -> Option<Found> {
    let mut nested = 0;
    let mut first = None;
    for at in memmem::find_iter(lower, b"<!entity").take(DECLARATIONS_MAX) {
        first.get_or_insert(at);
        let rest = lower.get(at + 8..).unwrap_or_default();
        let rest = rest.get(..DECLARATION_BYTES_MAX).unwrap_or(rest);
        let declaration = rest.split(|byte| *byte == b'>').next().unwrap_or_default();
        let mut words = declaration.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
        let is_parameter = words.next() == Some(b"%");
        if is_parameter {
            words.next();
        }
        // Names may be glued to what follows: `x SYSTEM"file:…"`.
        if declaration.windows(6).any(|six| six == b"system" || six == b"public") {
            return Some(("external_entity", 10, at, "an entity whose text comes from a file or an address"));
        }
        if is_parameter {
            return Some((
                "parameter_entity",
                10,
                at,
                "a parameter entity, which only builds other entities",
            ));
        }
        let references = declaration.iter().filter(|byte| **byte == b'&').count();
        nested += usize::from(references >= 2);
        if nested >= 2 || references >= 16 {
            return Some(("entity_bomb", 10, at, "entities made of entities, which expand without end"));
        }
    }
    first.map(|at| ("declared_entity", 8, at, "a document that declares entities of its own"))
}

/// A document type from elsewhere, unless it is one of HTML's or SVG's public ones.
fn document_type(lower: &[u8]) -> Option<Found> {
    let at = memmem::find(lower, b"<!doctype")?;
    let rest = lower.get(at + 9..).unwrap_or_default();
    let rest = rest.get(..DECLARATION_BYTES_MAX).unwrap_or(rest);
    let head = rest.split(|byte| matches!(byte, b'>' | b'[')).next().unwrap_or_default();
    let name =
        head.split(|byte| byte.is_ascii_whitespace()).find(|word| !word.is_empty()).unwrap_or_default();
    if name == b"html" || memmem::find(head, b"-//w3c//").is_some() {
        return None;
    }
    if memmem::find(head, b"system").is_some() || memmem::find(head, b"public").is_some() {
        return Some(("external_document_type", 10, at, "a document type that is fetched from elsewhere"));
    }
    None
}

/// XInclude needs no document type (W3C XInclude 1.0).
fn inclusion(lower: &[u8]) -> Option<Found> {
    let why = "an inclusion of another document or file";
    if let Some(at) = memmem::find(lower, b"/xinclude") {
        return Some(("xml_inclusion", 10, at.saturating_sub(24), why));
    }
    if let Some(at) = memmem::find(lower, b"<xi:include") {
        return Some(("xml_inclusion", 10, at, why));
    }
    // MTOM refers to its own parts, `cid:`; what refers elsewhere has it fetched (W3C XOP §2.1).
    if let Some(at) = memmem::find(lower, b"xop:include") {
        let rest = lower.get(at..).unwrap_or_default();
        let element = rest.split(|byte| *byte == b'>').next().unwrap_or_default();
        let element = element.get(..DECLARATION_BYTES_MAX).unwrap_or(element);
        let is_elsewhere =
            memmem::find(element, b"href").is_some() && memmem::find(element, b"cid:").is_none();
        if is_elsewhere {
            return Some(("xml_inclusion", 10, at, why));
        }
    }
    let at = memmem::find(lower, b"<?xml-stylesheet")?;
    let rest = lower.get(at..).unwrap_or_default();
    let rest = rest.get(..DECLARATION_BYTES_MAX).unwrap_or(rest);
    let is_remote = memmem::find(rest, b"://").is_some() || memmem::find(rest, b"file:").is_some();
    is_remote.then_some(("xml_inclusion", 7, at, why))
}

/// A document type in UTF-7 or UTF-16, which a filter of bytes does not see.
fn hidden_charset(lower: &[u8]) -> Option<Found> {
    let why = "a document type in a character set that hides it";
    if let Some(at) = memmem::find(lower, b"+adwaiq-").or_else(|| memmem::find(lower, b"+adwaiqbe")) {
        return Some(("hidden_document_type", 10, at, why));
    }
    let at = memmem::find(lower, b"<\0!\0d\0o\0c\0t\0")?;
    Some(("hidden_document_type", 10, at, why))
}

/// Declarations that by themselves only shape a document.
fn declaration(lower: &[u8]) -> Option<Found> {
    let find = |text: &[u8]| memmem::find(lower, text);
    let at = find(b"<!element").or_else(|| find(b"<!attlist")).or_else(|| find(b"<!notation"))?;
    Some(("declared_element", 6, at, "a document that declares its own elements"))
}

#[cfg(test)]
#[path = "xxe/tests.rs"]
mod tests;
