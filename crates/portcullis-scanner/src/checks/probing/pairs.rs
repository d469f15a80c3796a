//! Pairs of values: one that must mean what the good value means if a language reads it, and one that must not. A
//! service that takes both for text tells nothing apart; one that reads them tells them apart each time.

use std::sync::Arc;

use serde_json::Value;

use super::Aim;
use crate::{
    oracle::Mask,
    script::{Flow, Script},
    wire::{Answer, Outcome},
};

/// Rounds with fresh values that must all agree. A service that fails one call in seven by chance passes one round by
/// chance in seven, five of them once in 16,807, and its true halves must not fail meanwhile.
const ROUNDS: usize = 5;

/// Two values for a slot.
pub(crate) struct Pair {
    /// Means the same as the good value to the language.
    pub(crate) same: Value,
    /// Means something else to it.
    pub(crate) other: Value,
}

impl Pair {
    /// Two texts.
    pub(crate) fn of(same: impl Into<Value>, other: impl Into<Value>) -> Self {
        Self { same: same.into(), other: other.into() }
    }
}

/// Whether pairs are told apart, every round; the exchanges that show it. `pair` makes fresh values for each round. The
/// first answer to a `same` value, already seen to look good, need not be given: it is asked again.
pub(crate) fn told_apart(
    aim: &Aim<'_>,
    script: &mut Script<'_>,
    pair: &dyn Fn(&mut Script<'_>) -> Pair,
) -> Flow<Option<Vec<(usize, &'static str)>>> {
    // The cheapest refutation first: a service that ignores the slot gives the same answer to the other half.
    let first = pair(script);
    let (_, other) = aim.send(script, first.other.clone())?;
    if !telling(&other) || aim.looks_good(&other, &written(&first.other)) {
        return Ok(None);
    }
    let baseline = aim.baseline(script)?;
    let mut exchanges: Vec<(usize, &'static str)> =
        baseline.numbers.iter().take(1).map(|number| (*number, "baseline")).collect();
    for round in 0..ROUNDS {
        let pair = pair(script);
        let (number, same) = aim.send(script, pair.same.clone())?;
        if !good(aim, &same, &pair.same, &baseline.mask, &baseline.answer) {
            return Ok(None);
        }
        let (control, other) = aim.send(script, pair.other.clone())?;
        if !telling(&other) || good(aim, &other, &pair.other, &baseline.mask, &baseline.answer) {
            return Ok(None);
        }
        if round < 2 {
            let part = if round == 0 { "probe" } else { "confirmation" };
            exchanges.extend([(number, part), (control, "control")]);
        }
    }
    Ok(Some(exchanges))
}

fn good(aim: &Aim<'_>, answer: &Answer, sent: &Value, mask: &Mask, now: &Arc<Answer>) -> bool {
    let sent = written(sent);
    aim.is_good(answer, &sent, mask) || aim.alike((answer, &sent), (now, aim.value()), mask)
}

/// Whether anything can be told from the answer at all.
fn telling(answer: &Answer) -> bool {
    !matches!(answer.outcome, Outcome::Unreached | Outcome::Limited)
}

/// A value as it would be repeated.
fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
