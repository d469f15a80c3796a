//! XML bodies: character data, attribute values and comments are values; the markup itself is looked at for what
//! parsers make of it, and for markup that is none of the API's.

use portcullis_leaves::{
    Limits,
    xml::{self, Part, XmlError},
};

use crate::{
    class::Class,
    inspector::{Judging, Spot},
    leaf::Where,
    place::Place,
};

/// What the names in a document say it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Vocabulary {
    /// Names of some API.
    Own,
    /// Names that browsers act on: the document may be meant for one.
    Page,
}

impl Judging<'_> {
    /// Looks at a document; `false` when the body is none, of which the texts before the fault have been looked at.
    pub(crate) fn xml(&mut self, body: &[u8]) -> bool {
        let markup = [Class::Xxe, Class::Deserialization, Class::Fingerprint, Class::Template];
        let only = markup.map(|class| self.inspector.of_class(class));
        let only = only
            .into_iter()
            .reduce(|set, other| set.with(other))
            .unwrap_or_else(|| self.inspector.of_class(Class::Xxe));
        self.value(&Spot { only, ..Spot::named(Where::Body, "") }, body);
        let Ok(document) = std::str::from_utf8(body) else { return false };
        let mut vocabulary = Vocabulary::Own;
        let read = xml::texts(document, &Limits::default(), &mut |it| {
            let name = match it.part {
                Part::Attribute(name) => name,
                Part::Text | Part::Aside => it.element,
            };
            if is_of_pages(it.element, it.part) {
                vocabulary = Vocabulary::Page;
            }
            let parent = if matches!(it.part, Part::Attribute(_)) { it.element } else { it.parent };
            let spot = Spot { parent, place: Place::Name(name), ..Spot::named(Where::Body, name) };
            self.value(&spot, it.text.as_bytes());
        });
        match read {
            Ok(()) if vocabulary == Vocabulary::Page => {
                let only = self.inspector.of_class(Class::Script);
                self.value(&Spot { only, ..Spot::named(Where::Body, "") }, body);
                true
            }
            Ok(()) => true,
            // The declaration has been looked at with the markup.
            Err(XmlError::Doctype | XmlError::Entity | XmlError::Limit(_) | XmlError::Malformed(_)) => false,
        }
    }
}

/// Whether a browser would act on an element or attribute of that name.
fn is_of_pages(element: &str, part: Part<'_>) -> bool {
    const ELEMENTS: [&str; 10] =
        ["script", "iframe", "object", "embed", "img", "svg", "body", "html", "video", "audio"];
    let is_element = ELEMENTS.iter().any(|it| it.eq_ignore_ascii_case(element));
    let is_handler = match part {
        Part::Attribute(name) => {
            name.get(..2).is_some_and(|it| it.eq_ignore_ascii_case("on")) && name.len() > 4
        }
        Part::Text | Part::Aside => false,
    };
    is_element || is_handler
}
