//! Whether the time that an answer takes grows faster than the input, beside a control that grows as well.

use std::sync::Arc;

use crate::{
    call::Call,
    script::{Flow, Script},
    wire::{Answer, Outcome},
};

/// Below this many microseconds nothing is concluded from time.
const TELLING_MICROS: u64 = 40_000;

/// How the input grows: four sizes, each costlier than the one before by `factor` at least where the fault is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Four sizes, ascending.
    pub(crate) steps: [usize; 4],
    /// What each step multiplies the time by, at least.
    pub(crate) factor: f64,
}

/// Whether answers take out of proportion longer as the probe grows: the exchanges that show it. The control has the same
/// sizes and no reason to take longer. Two calls where the third size is no slower than its control.
pub(crate) fn grows(
    script: &mut Script<'_>,
    sizes: Sizes,
    probe: &dyn Fn(usize, &mut Script<'_>) -> Call,
    control: &dyn Fn(usize, &mut Script<'_>) -> Call,
) -> Flow<Option<Vec<(usize, &'static str)>>> {
    let [_, _, third, last] = sizes.steps;
    let (_, slow) = ask(script, probe, third)?;
    let (_, quick) = ask(script, control, third)?;
    if !told(&slow) || !told(&quick) || slow.micros < 4_000 || slow.micros < quick.micros.saturating_mul(4) {
        return Ok(None);
    }
    let mut exchanges = Vec::new();
    for pass in 0..2 {
        let mut times = Vec::with_capacity(4);
        let mut beside_all = 0;
        for size in sizes.steps {
            let (number, slow) = ask(script, probe, size)?;
            let (beside, quick) = ask(script, control, size)?;
            if !told(&slow) || !told(&quick) {
                return Ok(None);
            }
            beside_all = quick.micros.max(beside_all);
            times.push(slow.micros.saturating_sub(quick.micros).max(1));
            if size == last || (pass == 0 && size == third) {
                exchanges.extend([
                    (number, if pass == 0 { "probe" } else { "confirmation" }),
                    (beside, "control"),
                ]);
            }
        }
        // The first step is lost in noise often enough: the two behind it must hold.
        let steps = times.windows(2).skip(1);
        let grown = steps.clone().count() == 2
            && steps.clone().all(|pair| match pair {
                [before, after] => *after as f64 >= *before as f64 * sizes.factor,
                _ => false,
            });
        // Nothing grew beside it: where controls are slow now and then, so may the probes be by chance.
        let longest = times.last().copied().unwrap_or_default();
        if !grown || longest < TELLING_MICROS || beside_all > longest / 4 {
            return Ok(None);
        }
    }
    Ok(Some(exchanges))
}

fn ask(
    script: &mut Script<'_>,
    make: &dyn Fn(usize, &mut Script<'_>) -> Call,
    size: usize,
) -> Flow<(usize, Arc<Answer>)> {
    let call = make(size, script);
    script.send(call)
}

fn told(answer: &Answer) -> bool {
    !matches!(answer.outcome, Outcome::Unreached | Outcome::Limited)
}
