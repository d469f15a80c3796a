//! The xxe detector on attacks, on what looks like one and is none, and on any bytes.

use super::Xxe;
use crate::{
    detectors::trial::{Trial, is_linear, lets_pass, never_panics, refuses},
    leaf::{Field, Where},
};

#[test]
fn entities_and_document_types() {
    refuses(
        &Xxe,
        "external_entity",
        &[
            "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///x\">]><a>&x;</a>",
            "<!DOCTYPE a [<!ENTITY % x PUBLIC \"t\" \"http://evil.example/e.dtd\">%x;]>",
            "<!ENTITY\nx\nSYSTEM'x'>",
        ],
    );
    refuses(&Xxe, "parameter_entity", &["<!DOCTYPE a [<!ENTITY % x \"y\">]>"]);
    refuses(&Xxe, "external_document_type", &["<!DOCTYPE a SYSTEM \"http://evil.example/e.dtd\"><a/>"]);
    let bomb = "<!DOCTYPE a [<!ENTITY a \"x\"><!ENTITY b \"&a;&a;\"><!ENTITY c \"&b;&b;\">]>";
    refuses(&Xxe, "entity_bomb", &[bomb]);
    refuses(
        &Xxe,
        "xml_inclusion",
        &["<a xmlns:xi=\"http://www.w3.org/2001/XInclude\"><xi:include href=\"x\"/></a>"],
    );
    refuses(&Xxe, "xml_inclusion", &["<inc:a xmlns:xop=\"x\"><xop:Include href=\"file:///x\"/></inc:a>"]);
    refuses(&Xxe, "hidden_document_type", &["+ADwAIQ-DOCTYPE foo+AFs", "<\0!\0D\0O\0C\0T\0Y\0P\0E\0"]);
}

#[test]
fn plain_documents_pass() {
    lets_pass(
        &Xxe,
        &[
            "<!DOCTYPE html><html></html>",
            "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\">",
            "<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\">",
            "<?xml version=\"1.0\"?><a>the entity system</a>",
            "an <!ELEMENT in a text",
            "<xop:Include href=\"cid:part1@example.com\"/>",
        ],
    );
}

#[test]
fn a_body_of_xml_is_no_code() {
    let body = "<?xml version=\"1.0\"?>\n<!DOCTYPE a [\n<!ENTITY x SYSTEM \"file:///x\">\n]>\n<a>&x;</a>";
    let trial = Trial::new(body).at(Where::Body).field(Field::Code);
    assert_eq!(trial.name("").score(&Xxe), 10);
    let snippet = format!("An example:\n{body}");
    let trial = Trial::new(&snippet).at(Where::Body).field(Field::Code);
    assert_eq!(trial.name("snippet").score(&Xxe), 4);
}

const FRAGMENTS: &[&str] = &[
    "<!DOCTYPE ",
    "<!ENTITY ",
    "% ",
    "x ",
    "SYSTEM ",
    "PUBLIC ",
    "\"",
    ">",
    "[",
    "]",
    "&a;",
    "<xi:include ",
    "/XInclude",
    "<!ELEMENT ",
    "+ADwAIQ-",
    "html",
    "-//W3C//",
    "<?xml-stylesheet ",
    "://",
    "<\0!\0d\0o\0",
];

#[test]
fn any_value_is_read() {
    never_panics(&Xxe, FRAGMENTS);
}

#[test]
fn long_values_are_read_once() {
    is_linear(&Xxe, FRAGMENTS);
}
