//! The detectors, one file a class of attack. The list here is the registry.

mod code;
mod crlf;
mod deserialization;
mod fingerprint;
mod graphql;
mod ldap;
mod nosql;
mod path;
mod prototype;
mod script;
mod shell;
mod smuggling;
mod sql;
mod ssrf;
mod template;
#[cfg(test)]
mod trial;
mod xpath;
mod xxe;

use crate::{class::Class, hit::Hits, view::View};

/// Reads a value as the language it guards.
pub trait Detector: Send + Sync {
    /// The class of attack it finds.
    fn class(&self) -> Class;

    /// Lower-case literals of which at least one must occur in a view for [`Detector::inspect`] to be worth calling.
    /// All detectors' literals are searched in one pass. Prefer two bytes and more; a single rare byte is allowed.
    fn literals(&self) -> &'static [&'static str];

    /// Adds what it recognises in the view. Linear in the view's length; never panics.
    fn inspect(&self, view: &View<'_>, hits: &mut Hits);
}

/// Every detector, in the order of [`Class`].
pub fn all() -> &'static [&'static dyn Detector] {
    // One a line, so that a new one is one line.
    &[
        &sql::Sql,
        &nosql::Nosql,
        &shell::Shell,
        &script::Script,
        &path::Path,
        &template::Template,
        &code::Code,
        &deserialization::Deserialization,
        &xxe::Xxe,
        &ssrf::Ssrf,
        &ldap::Ldap,
        &xpath::Xpath,
        &crlf::Crlf,
        &prototype::Prototype,
        &graphql::Graphql,
        &fingerprint::Fingerprint,
        &smuggling::Smuggling,
    ]
}
