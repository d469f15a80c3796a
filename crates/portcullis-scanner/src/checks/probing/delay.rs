//! Delays: asked for, and seen or not, each beside a control of its own.

use super::Aim;
use crate::{
    oracle::slope,
    script::{Flow, Script},
    world::World,
};

/// Whether delays asked for by a payload are obeyed: the exchanges that show it. `payload` writes a delay in
/// milliseconds, 0 for the control. One fast answer is enough to see that they are not, so most slots cost one call.
pub(crate) fn obeyed(
    world: &World,
    aim: &Aim<'_>,
    script: &mut Script<'_>,
    payload: &dyn Fn(u32) -> String,
) -> Flow<Option<Vec<(usize, &'static str)>>> {
    let [short, middle, long] = world.bounds.delays;
    let (_, answer) = aim.send(script, payload(middle))?;
    if answer.micros < u64::from(middle) * 900 {
        return Ok(None);
    }
    let mut exchanges = Vec::new();
    // Twice over: each pass must show a slope of its own, with delays that are not those of the other.
    for pass in 0..2_u32 {
        let mut points = Vec::new();
        for delay in [short, long, middle] {
            let delay = delay + pass * (delay / 4);
            let (control, quick) = aim.send(script, payload(0))?;
            let (probe, slow) = aim.send(script, payload(delay))?;
            if slow.micros < u64::from(delay) * 900 {
                return Ok(None);
            }
            points.push((0.0, 0.0));
            points.push((f64::from(delay), (slow.micros as f64 - quick.micros as f64) / 1_000.0));
            if delay == long || pass == 1 {
                let part = if pass == 0 { "probe" } else { "confirmation" };
                exchanges.extend([(control, "control"), (probe, part)]);
            }
        }
        if !slope(&points).is_some_and(|slope| slope.obeyed()) {
            return Ok(None);
        }
    }
    exchanges.truncate(4);
    Ok(Some(exchanges))
}
