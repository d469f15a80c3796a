//! From the syntax tree to a rule set: chains closed, defaults applied, rules updated and removed, jumps checked.
//!
//! As in ModSecurity v3, `SecDefaultAction`, `SecRuleUpdate…` and `SecRuleRemove…` hold for the whole set, wherever they
//! stand; settings are read in order and the last one counts.

mod actions;
mod build;
mod chains;
mod defaults;
mod exceptions;
mod jumps;
mod settings;

use crate::diagnostic::{Diagnostic, Level, Report};
use crate::parser;
use crate::rules::RuleSet;
use crate::source::{Files, Source};

/// Loads rules: parses all sources in order, follows their includes, and checks the whole.
///
/// The host may put text of its own before and behind a rule set by handing in further sources. Data files of operators
/// (`@pmFromFile`) are not read here but when the set is compiled; [`crate::source::relative_to`] says where they lie.
///
/// # Errors
/// Every error of every source, with the warnings and notes, in the order of the text.
pub fn load(sources: &[Source], files: &dyn Files) -> Result<RuleSet, Vec<Diagnostic>> {
    let mut report = Report::default();
    let directives = parser::parse(sources, files, &mut report);
    let mut collected = chains::collect(directives, &mut report);
    exceptions::update_actions(&mut collected, &mut report);
    let defaults = defaults::defaults(&collected.defaults, &mut report);
    let mut steps = build::steps(&collected, &defaults, &mut report);
    exceptions::update_targets(&collected, &mut steps, &mut report);
    exceptions::remove(&collected, &mut steps, &mut report);
    let phases = jumps::phases(steps, &mut report);
    let settings = settings::settings(collected.settings);
    let (files, diagnostics) = report.finish();
    if diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error) {
        return Err(diagnostics);
    }
    Ok(RuleSet { settings, phases, files, notes: diagnostics })
}
