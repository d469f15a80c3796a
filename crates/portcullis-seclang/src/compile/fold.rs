//! Which rules can run at all, and which match whenever they run: conditions on `TX` that are known at load are decided
//! there. Rule sets lean on it: defaults for what the operator left unsaid, paranoia levels that jump over whole groups.
//!
//! An abstract run: all phases in order with what is known of each `TX` variable. Where a condition is open, both outcomes
//! are followed and what they disagree on is unknown from there on. Rules that `ctl:ruleRemove…` may take away count as
//! run and as not run; rules that a jump leaps over are gone unless some removal takes the jump away and leaves them.

mod knowledge;
mod truth;

use crate::bit_set::BitSet;
use crate::rules::{Chain, Disruption, Effect, Entry, RuleSet};
use crate::syntax::{AllowScope, Collection, Ctl, RuleSelection};

use knowledge::Knowledge;
use truth::Truth;

/// What is known of a rule before any request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It never runs, or never matches.
    Dead,
    /// Its conditions hold whenever it runs.
    Always,
    /// Known only when it runs.
    Open,
}

/// The fate of each entry of each phase. Nothing is known of the variables that the host sets.
pub(crate) fn fates(rules: &RuleSet, host_variables: &[&str]) -> [Vec<Fate>; 5] {
    let mut fold = Fold { removers: Vec::new(), after_allow: None, after_denial: None };
    let mut before = Knowledge::new(host_variables);
    let mut fates: [Vec<Fate>; 5] = Default::default();
    for (number, (entries, fates)) in rules.phases.iter().zip(&mut fates).enumerate() {
        before.join_option(fold.after_allow.as_ref());
        if number == 4 {
            before.join_option(fold.after_denial.as_ref());
        }
        before = fold.phase(entries, before, fates);
    }
    fates
}

/// How a point of a phase is reached.
#[derive(Clone)]
struct Reached {
    known: Knowledge,
    /// Removals of which one must have happened; empty where the point is reached without any.
    under: BitSet,
}

struct Fold<'a> {
    /// Selections of the `ctl:ruleRemove…` seen so far, in rules that can run.
    removers: Vec<&'a RuleSelection>,
    /// What holds where an `allow` may have cut a phase short.
    after_allow: Option<Knowledge>,
    /// What holds where a denial may have ended the exchange.
    after_denial: Option<Knowledge>,
}

impl<'a> Fold<'a> {
    fn phase(&mut self, entries: &'a [Entry], before: Knowledge, fates: &mut Vec<Fate>) -> Knowledge {
        let mut waiting: Vec<(usize, Reached)> = Vec::new();
        let mut here = Some(Reached { known: before, under: BitSet::default() });
        for (index, entry) in entries.iter().enumerate() {
            here = arrive(here, &mut waiting, index);
            let (Some(reached), Entry::Chain(chain)) = (here.as_mut(), entry) else {
                fates.push(if here.is_some() { Fate::Open } else { Fate::Dead });
                continue;
            };
            let mask = self.removal_mask(chain);
            if !reached.under.is_empty() && reached.under.is_subset(&mask) {
                fates.push(Fate::Dead);
                continue;
            }
            let truth = truth::of(chain, &reached.known);
            fates.push(fate(chain, truth));
            if truth == Truth::Never {
                continue;
            }
            self.note_removers(chain);
            let certain = truth == Truth::Always && mask.is_empty() && reached.under.is_empty();
            let skipped_over = reached.known.clone();
            apply(chain, truth, certain, &mut reached.known);
            self.note_ends(chain, &reached.known);
            let Some(skip) = &chain.skip else { continue };
            let to = super::jump(entries, index, skip).unwrap_or(entries.len());
            waiting.push((to, reached.clone()));
            if truth == Truth::Always {
                // What follows is leapt over, unless a removal takes the jump away.
                let mut under = mask;
                under.union(&reached.under);
                here = (!under.is_empty()).then_some(Reached { known: skipped_over, under });
            }
        }
        let end = arrive(here, &mut waiting, usize::MAX);
        end.map(|reached| reached.known).unwrap_or_default()
    }

    /// Which removals seen so far would take the chain away.
    fn removal_mask(&self, chain: &Chain) -> BitSet {
        let selects = |selection: &RuleSelection| match selection {
            RuleSelection::Ids(ranges) => ranges.iter().any(|range| range.contains(chain.id)),
            RuleSelection::Tag(tag) => {
                chain.metadata.tags.iter().any(|each| each.as_literal() == Some(&**tag))
            }
            RuleSelection::Msg(text) => {
                let msg = chain.links.iter().find_map(|link| link.msg.as_ref());
                msg.and_then(|msg| msg.as_literal()) == Some(&**text)
            }
        };
        self.removers.iter().enumerate().filter(|(_, each)| selects(each)).map(|(number, _)| number).collect()
    }

    fn note_removers(&mut self, chain: &'a Chain) {
        for effect in chain.links.iter().flat_map(|link| &link.effects) {
            if let Effect::Ctl(Ctl::RuleRemove(selection)) = &effect.value {
                self.removers.push(selection);
            }
        }
    }

    fn note_ends(&mut self, chain: &Chain, known: &Knowledge) {
        let places: &mut [&mut Option<Knowledge>] = match chain.disruption {
            Disruption::Pass => return,
            Disruption::Allow(AllowScope::Transaction | AllowScope::Phase | AllowScope::Request) => {
                &mut [&mut self.after_allow, &mut self.after_denial]
            }
            Disruption::Deny | Disruption::Drop | Disruption::Redirect(_) => &mut [&mut self.after_denial],
        };
        for place in places {
            match place {
                Some(joined) => joined.join(known),
                None => **place = Some(known.clone()),
            }
        }
    }
}

/// Joins the jumps that arrive at an entry to what falls through to it.
fn arrive(here: Option<Reached>, waiting: &mut Vec<(usize, Reached)>, index: usize) -> Option<Reached> {
    let mut here = here;
    let mut still = Vec::new();
    for (to, reached) in waiting.drain(..) {
        if to > index && index != usize::MAX {
            still.push((to, reached));
            continue;
        }
        here = Some(match here {
            None => reached,
            Some(mut here) => {
                here.known.join(&reached.known);
                if here.under.is_empty() || reached.under.is_empty() {
                    here.under = BitSet::default();
                } else {
                    here.under.union(&reached.under);
                }
                here
            }
        });
    }
    *waiting = still;
    here
}

/// What becomes of a chain whose truth is known. One that matches always loses its conditions, so nothing of it may look at
/// what matched.
fn fate(chain: &Chain, truth: Truth) -> Fate {
    match truth {
        Truth::Never => Fate::Dead,
        Truth::Always if !chain.log && !truth::looks_at_match(chain) => Fate::Always,
        Truth::Always | Truth::Open => Fate::Open,
    }
}

/// What a chain does to what is known.
fn apply(chain: &Chain, truth: Truth, certain: bool, known: &mut Knowledge) {
    let set_vars =
        chain.links.iter().flat_map(|link| &link.effects).filter_map(|effect| match &effect.value {
            Effect::SetVar(set_var) if set_var.collection == Collection::Tx => Some(set_var),
            _ => None,
        });
    if truth == Truth::Always && certain {
        for set_var in set_vars {
            known.set(set_var);
        }
        return;
    }
    // It may happen not at all, once or, where several values match, often.
    for set_var in set_vars {
        known.may_set(set_var);
    }
}
