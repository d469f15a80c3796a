//! From a rule set to a program: names become numbers, text becomes compiled operators, rules that cannot run go away.

pub(crate) mod fold;
mod link;
mod names;

use std::collections::HashMap;
use std::sync::Arc;

use crate::batch::{self, Batch};
use crate::bit_set::BitSet;
use crate::diagnostic::{Diagnostic, Level};
use crate::operators::OutsideChecks;
use crate::ports::Ports;
use crate::program::{Disruption, Phase, Program, Rule, Tag};
use crate::rules::{Chain, Disruption as Written, Effect, Entry, RuleSet, Skip};
use crate::source::{Files, Place};
use crate::syntax::RuleSelection;

use fold::Fate;
use names::Names;

/// Status of a denial that names none.
const DENIED: u16 = 403;
/// Status of a redirect that names none.
const REDIRECTED: u16 = 302;

/// What compiling needs and gathers.
pub(crate) struct Compiler<'a> {
    pub(crate) rules: &'a RuleSet,
    pub(crate) files: &'a dyn Files,
    pub(crate) outside: Option<&'a dyn OutsideChecks>,
    pub(crate) has_collections: bool,
    pub(crate) names: Names,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Selections of `ctl:ruleRemove…`, resolved to rules once all have their numbers.
    pub(crate) removals: Vec<RuleSelection>,
    pub(crate) target_removals: Vec<(RuleSelection, crate::program::Target)>,
    pub(crate) operators: HashMap<OperatorKey, Arc<crate::operators::Operator>>,
}

/// What makes two operators the same: name, argument, and the directory that files are taken from.
pub(crate) type OperatorKey = (crate::syntax::OperatorName, Box<[u8]>, String);

/// Compiles a rule set.
///
/// # Errors
/// Everything that the rules ask for and cannot be had, each with its place.
pub(crate) fn compile(
    rules: &RuleSet,
    files: &dyn Files,
    ports: &Ports,
    host_variables: &[&str],
) -> Result<Program, Vec<Diagnostic>> {
    let mut compiler = Compiler {
        rules,
        files,
        outside: ports.outside.as_deref().map(|outside| outside as &dyn OutsideChecks),
        has_collections: ports.collections.is_some(),
        names: Names::new(),
        diagnostics: Vec::new(),
        removals: Vec::new(),
        target_removals: Vec::new(),
        operators: HashMap::new(),
    };
    let fates = fold::fates(rules, host_variables);
    let mut compiled = Vec::new();
    let mut phases: [Phase; 5] = Default::default();
    let mut selected = Selected::default();
    for ((entries, fates), phase) in rules.phases.iter().zip(&fates).zip(&mut phases) {
        compiler.phase(entries, fates, phase, &mut compiled, &mut selected);
    }
    if !compiler.diagnostics.is_empty() {
        return Err(compiler.diagnostics);
    }
    let removals = compiler.removals.iter().map(|selection| selected.resolve(selection)).collect();
    let target_removals = std::mem::take(&mut compiler.target_removals);
    let target_removals = target_removals
        .into_iter()
        .map(|(selection, target)| (selected.resolve(&selection), target))
        .collect();
    let mut matchers = batch::Matchers::default();
    for phase in &mut phases {
        phase.batch = Batch::new(&compiled, &phase.steps, &mut matchers);
        let batched = phase.batch.steps();
        phase.plain =
            (0..phase.steps.len() as u32).filter(|step| !batched.contains(*step as usize)).collect();
    }
    for phase in &mut phases {
        phase.batch.set_matchers(matchers.len());
    }
    let scanner = matchers.finish();
    let Names { tx_names, tx_index, xpaths, reads } = compiler.names;
    Ok(Program {
        settings: rules.settings.clone(),
        rules: compiled,
        phases,
        tx_names,
        tx_index,
        xpaths,
        scanner,
        removals,
        target_removals,
        reads,
    })
}

/// What selections of rules go by.
struct Facts {
    id: u64,
    tags: Vec<Box<[u8]>>,
    msg: Option<Box<[u8]>>,
}

/// The facts of each compiled rule.
#[derive(Default)]
struct Selected {
    rules: Vec<Facts>,
}

impl Selected {
    fn resolve(&self, selection: &RuleSelection) -> BitSet {
        let chosen = self.rules.iter().enumerate().filter(|(_, Facts { id, tags, msg })| match selection {
            RuleSelection::Ids(ranges) => ranges.iter().any(|range| range.contains(*id)),
            RuleSelection::Tag(tag) => tags.contains(tag),
            RuleSelection::Msg(text) => msg.as_ref() == Some(text),
        });
        chosen.map(|(number, _)| number).collect()
    }
}

impl Compiler<'_> {
    fn phase(
        &mut self,
        entries: &[Entry],
        fates: &[Fate],
        phase: &mut Phase,
        compiled: &mut Vec<Rule>,
        selected: &mut Selected,
    ) {
        // Where each entry continues among the live steps, for jumps.
        let mut step_of_entry = Vec::with_capacity(entries.len() + 1);
        let mut jumps = Vec::new();
        for (index, (entry, fate)) in entries.iter().zip(fates).enumerate() {
            step_of_entry.push(phase.steps.len() as u32);
            let Entry::Chain(chain) = entry else { continue };
            if *fate == Fate::Dead {
                self.check_dead(chain);
                continue;
            }
            let number = compiled.len() as u32;
            if let Some(skip) = &chain.skip {
                jumps.push((number, index, skip));
            }
            phase.steps.push(number);
            compiled.push(self.rule(chain, *fate));
            selected.rules.push(selection_facts(chain));
        }
        let end = phase.steps.len() as u32;
        step_of_entry.push(end);
        for (number, index, skip) in jumps {
            let to = jump(entries, index, skip).and_then(|to| step_of_entry.get(to)).copied().unwrap_or(end);
            if let Some(rule) = compiled.get_mut(number as usize) {
                rule.skip_to = Some(to);
            }
        }
    }

    fn rule(&mut self, chain: &Chain, fate: Fate) -> Rule {
        let disruption = match &chain.disruption {
            Written::Pass => Disruption::Pass,
            Written::Deny => Disruption::Deny,
            Written::Drop => Disruption::Drop,
            Written::Redirect(location) => Disruption::Redirect(self.template(location)),
            Written::Allow(scope) => Disruption::Allow(*scope),
        };
        let default_status = if matches!(disruption, Disruption::Redirect(_)) { REDIRECTED } else { DENIED };
        let tags = chain.metadata.tags.iter().map(|tag| match tag.as_literal() {
            Some(text) => Tag::Text(Arc::from(text)),
            None => Tag::Template(self.template(tag)),
        });
        let tags = tags.collect();
        let is_infrastructure = is_infrastructure(chain);
        let links = chain.links.iter().map(|link| self.link(link, fate == Fate::Always)).collect();
        Rule {
            id: chain.id,
            disruption,
            status: chain.status.unwrap_or(default_status),
            log: chain.log,
            is_infrastructure,
            skip_to: None,
            tags,
            severity: chain.metadata.severity.map(|severity| severity as u8),
            rev: chain.metadata.rev.clone().unwrap_or_default(),
            links,
        }
    }

    /// Reports what is wrong with a rule that never runs: it is wrong none the less.
    fn check_dead(&mut self, chain: &Chain) {
        for condition in chain.links.iter().filter_map(|link| link.condition.as_ref()) {
            self.check_operator(&condition.operator);
        }
    }

    pub(crate) fn error(&mut self, place: Place, message: String, text: &[u8]) {
        const TEXT_BYTES: usize = 80;
        self.diagnostics.push(Diagnostic {
            level: Level::Error,
            file: Arc::from(self.rules.file_name(place.file)),
            line: place.line,
            column: place.column,
            message,
            text: String::from_utf8_lossy(text.get(..TEXT_BYTES).unwrap_or(text)).into_owned(),
            hint: None,
        });
    }
}

/// Whether a chain is machinery of its rule set: it looks at `TX` alone, which earlier rules have filled. What adds to a
/// score finds something all the same, though it looks at what other rules have counted.
fn is_infrastructure(chain: &Chain) -> bool {
    let conditions = || chain.links.iter().filter_map(|link| link.condition.as_ref());
    let looks_at_tx =
        conditions().all(|it| it.targets.iter().all(|target| target.variable == crate::syntax::Variable::Tx));
    let mut effects = chain.links.iter().flat_map(|link| &link.effects);
    looks_at_tx
        && !effects.any(|effect| {
            matches!(&effect.value, Effect::SetVar(it) if matches!(it.change, crate::syntax::Change::Add(_)))
        })
}

fn selection_facts(chain: &Chain) -> Facts {
    let tags = chain.metadata.tags.iter().filter_map(|tag| tag.as_literal().map(Box::from)).collect();
    let msg = chain.links.iter().find_map(|link| link.msg.as_ref());
    Facts { id: chain.id, tags, msg: msg.and_then(|msg| msg.as_literal()).map(Box::from) }
}

/// The entry where a jump from `index` goes on; `None` is the end of the phase.
fn jump(entries: &[Entry], index: usize, skip: &Skip) -> Option<usize> {
    match skip {
        Skip::Rules(count) => {
            let mut left = *count;
            let rest = entries.iter().enumerate().skip(index + 1);
            for (at, entry) in rest {
                if let Entry::Chain(_) = entry {
                    if left == 0 {
                        return Some(at);
                    }
                    left -= 1;
                }
            }
            None
        }
        Skip::After(label) => {
            let mut rest = entries.iter().enumerate().skip(index + 1);
            let found = rest.find(|(_, entry)| match entry {
                Entry::Marker(marker) => marker == label,
                Entry::Chain(chain) => chain.id.to_string().as_bytes() == &**label,
            });
            found.map(|(at, _)| at + 1)
        }
    }
}
