//! A phase: its rules in order.

use crate::engine::{Context, Desk, Shared, judge};
use crate::syntax::{AllowScope, EngineMode};

/// Runs the rules of a phase, 1 to 5, until one interrupts or lets through.
pub(crate) fn run_phase(shared: &Shared, desk: &mut Desk, number: u8) {
    let Desk { values, state, room, memory } = desk;
    let context = Context { program: &shared.program, ports: &shared.ports, values, phase: number };
    if context.mode(state) == EngineMode::Off {
        return;
    }
    match state.allowed {
        Some(AllowScope::Transaction) if number < 5 => return,
        Some(AllowScope::Request) if number <= 2 => return,
        _ => state.allowed = None,
    }
    let Some(phase) = shared.program.phases.get(usize::from(number) - 1) else { return };
    let hits = phase.batch.scan(&context, memory);
    let mut plain = phase.plain.iter().copied().peekable();
    let mut found = hits.by_step();
    let mut next = 0;
    loop {
        // Of both kinds of rules, the one that comes first; those before `next` were jumped over.
        while plain.next_if(|step| *step < next).is_some() {}
        let hit = found.peek_from(next);
        let (step, hits) = match (plain.peek().copied(), hit) {
            (Some(step), Some((hit, _))) if step < hit => (step, None),
            (_, Some((hit, hits))) => (hit, Some(hits)),
            (Some(step), None) => (step, None),
            (None, None) => break,
        };
        next = step + 1;
        let Some(rule) = phase.steps.get(step as usize).copied() else { break };
        if state.removed.contains(rule as usize) || !judge::judge(&context, state, room, rule, hits) {
            continue;
        }
        if state.intervention.is_some() && number < 5 || state.allowed.is_some() {
            break;
        }
        if context.mode(state) == EngineMode::Off {
            break;
        }
        if let Some(to) = shared.program.rules.get(rule as usize).and_then(|rule| rule.skip_to) {
            next = to;
        }
    }
    memory.keep(hits);
}
