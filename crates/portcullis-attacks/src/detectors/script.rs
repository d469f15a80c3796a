//! Cross-site scripting (CWE-79): markup and script that a browser would run.
//!
//! A value may land in text, in an attribute, in a URL, inside a script string. So each mark is judged by itself,
//! wherever it stands: a tag that runs or loads something, an attribute that handles an event, a URL that is code,
//! JavaScript that calls what only exploits call from the middle of a value.

mod document;
mod handlers;
mod idioms;
mod letterless;
mod stripped;
mod tags;
mod urls;

use super::{
    Detector,
    code::{cursor, strongest::Strongest},
};
use crate::{class::Class, hit::Hits, view::View};

/// Finds what a browser would run.
pub(crate) struct Script;

impl Detector for Script {
    fn class(&self) -> Class {
        Class::Script
    }

    fn literals(&self) -> &'static [&'static str] {
        &[
            "<",
            "=",
            "script",
            "](",
            "['",
            "[\"",
            "u00",
            "msgbox",
            ".source",
            "java",
            ")(",
            "`",
            "[]",
            "data:",
            "+adw-",
            "alert",
            "confirm",
            "prompt",
            "eval",
            "function",
            "settimeout",
            "setinterval",
            "constructor",
            "fetch",
            "document",
            "window",
            "cookie",
            "location",
            "import(",
            "innerhtml",
            "fromcharcode",
            "atob",
        ]
    }

    fn inspect(&self, view: &View<'_>, hits: &mut Hits) {
        let mut strongest = Strongest::of(Class::Script, view);
        let lower = view.lower;
        if memchr::memchr(b'<', lower).is_some() {
            tags::look(view, &mut strongest);
        }
        if !strongest.is_certain() && memchr::memchr(b'=', lower).is_some() {
            handlers::look(lower, &mut strongest);
        }
        if !strongest.is_certain() && memchr::memchr(b':', lower).is_some() {
            urls::look(view, &mut strongest);
        }
        if !strongest.is_certain() {
            idioms::look(lower, &mut strongest);
        }
        if !strongest.is_certain() {
            stripped::look(view, &mut strongest);
        }
        if let Some(start) = cursor::find(lower, b"+adw-", 0) {
            strongest.offer(
                "utf7_markup",
                10,
                start..start + 5,
                "markup hidden in UTF-7, which old browsers guess",
            );
        }
        strongest.report(hits);
    }
}

#[cfg(test)]
mod tests;
