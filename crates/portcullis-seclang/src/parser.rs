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

/// The directives of all sources in order; what an `Include` names stands in its place.
///
/// Errors lie in the report; the directives that are answered beside them are good on their own, so that the resolver
/// can go on and report what it finds.
pub(crate) fn parse(sources: &[Source], files: &dyn Files, report: &mut Report) -> Vec<Located<Directive>> {
    let mut reader = include::Reader::new(files, report);
    for source in sources {
        reader.read(&source.name, &source.text);
    }
    reader.finish()
}
