//! Deserialization of untrusted data (CWE-502).
//!
//! Each format has a beginning that nothing else has, and the chains that make it dangerous have names. A serialized
//! array of PHP or a session of Rails is data; an object in it is the application's code on the sender's terms.

mod binary;
mod names;
mod php;

use super::{Detector, xxe};
use crate::{
    class::Class,
    hit::{Hit, Hits},
    leaf::Field,
    view::View,
};

/// Finds serialized objects and the names of classes that run what they read.
pub(super) struct Deserialization;

impl Detector for Deserialization {
    fn class(&self) -> Class {
        Class::Deserialization
    }

    fn literals(&self) -> &'static [&'static str] {
        &[
            "ro0ab",
            "aced0005",
            "aaeaaad",
            "gasv",
            "o:",
            "c:",
            "a:",
            "s:",
            "_$$nd_func",
            "!!",
            "!ruby/",
            "!php/",
            "@type",
            "@class",
            "java.",
            "javax.",
            "com.sun",
            "org.apache",
            "com.alibaba",
            "org.springframework",
            "jdbcrowset",
            "templatesimpl",
            "objectdataprovider",
            "xmldecoder",
            "processbuilder",
            "gem::",
            "system\n",
            "subprocess",
            "builtin",
            "posix",
            "ysoserial",
            "o:1",
            "o:2",
            "o:3",
            "o:4",
            "o:5",
            "o:6",
            "o:7",
            "o:8",
            "o:9",
            "o:+",
            "c:1",
            "c:2",
            "c:3",
            "c:4",
            "c:5",
            "c:6",
            "c:7",
            "c:8",
            "c:9",
            "c:+",
            "a:1",
            "a:2",
            "a:3",
            "a:4",
            "a:5",
            "a:6",
            "a:7",
            "a:8",
            "a:9",
            "a:+",
            "s:1",
            "s:2",
            "s:3",
            "s:4",
            "s:5",
            "s:6",
            "s:7",
            "s:8",
            "s:9",
            "s:+",
            "system.diagnostics",
            "system.windows",
            "windowsidentity",
            "com.mchange",
            "ch.qos",
            "org.hibernate",
            "marshalsec",
            "java.util",
            "invokertransformer",
            "oracle.",
            "org.codehaus",
            "sun.",
            "wddx",
            "com.caucho",
            "com.zaxxer",
            "br.com",
            "psy\\",
            "monolog\\",
            "guzzlehttp\\",
            "illuminate\\",
            "phpunit\\",
            "__construct",
            "yii\\",
            "\u{5}sr",
            "<void ",
            "<object class",
            "<sorted-set",
            "<tree-map",
            "<dynamic-proxy",
            "<unserializable",
            "tag:yaml",
            "typeconfuse",
            "activitysurrogate",
            "jndi",
            "inet4address",
            "cnt\n",
            "\u{1}\0\0\0",
            "\u{4}\u{8}",
            "org.jboss",
        ]
    }

    fn inspect(&self, view: &View<'_>, hits: &mut Hits) {
        let found = binary::find(view).or_else(|| php::find(view.lower)).or_else(|| names::find(view));
        let Some(found) = found else { return };
        let score = match view.leaf.field {
            // A body that is XML as a whole is read as such, however it looks.
            _ if xxe::is_document(view) => found.strength,
            Field::Code => found.strength.min(2),
            Field::Prose | Field::Markup | Field::Query => {
                found.strength.min(if view.text.len() > 200 { 3 } else { 6 })
            }
            _ => found.strength,
        };
        let span = found.at..(found.at + found.length).min(view.text.len());
        hits.push(Hit { class: Class::Deserialization, rule: found.rule, score, span, why: found.why });
    }
}

/// What was recognised.
struct Found {
    rule: &'static str,
    strength: u8,
    at: usize,
    length: usize,
    why: &'static str,
}

#[cfg(test)]
#[path = "deserialization/tests.rs"]
mod tests;
