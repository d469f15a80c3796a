//! From rule text to the syntax tree. Every error of every source is reported; nothing is skipped.

mod actions;
mod collections;
mod context;
mod ctl;
mod directive;
mod ids;
mod include;
mod lines;
mod operator;
mod piece;
mod settings;
mod suggestion;
mod targets;
mod template;
mod words;

use crate::diagnostic::Report;
use crate::source::{Files, Located, Source};
use crate::syntax::Directive;

/// What a line gave.
#[derive(Debug)]
pub(crate) enum Item {
    /// A directive.
    Directive(Directive),
    /// A rule that was reported. It stays in its place, so that the rules chained to it are not taken for others.
    BrokenRule {
        /// Whether rules are chained to it.
        goes_on: bool,
    },
}

/// The directives of all sources in order; what an `Include` names stands in its place.
///
/// Errors lie in the report; the directives that are answered beside them are good on their own, so that the resolver
/// can go on and report what it finds.
pub(crate) fn parse(sources: &[Source], files: &dyn Files, report: &mut Report) -> Vec<Located<Item>> {
    let mut reader = include::Reader::new(files, report);
    for source in sources {
        reader.read(&source.name, &source.text);
    }
    reader.finish()
}
