//! `SecDefaultAction`: what rules of a phase do unless they say otherwise.

use super::actions::{Choice, Sorted, sort};
use crate::diagnostic::{Level, Report};
use crate::rules::Disruption;
use crate::source::{Located, Place};
use crate::syntax::{Action, Phase};

/// The defaults of the five phases.
pub(crate) type Defaults = [PhaseDefault; 5];

/// The defaults of one phase.
#[derive(Debug, Default)]
pub(crate) struct PhaseDefault {
    /// What `block` means; nothing happens when nothing is said.
    pub(crate) disruption: Option<Disruption>,
    /// Everything else.
    pub(crate) actions: Sorted,
    place: Option<Place>,
}

/// The defaults of a phase.
pub(crate) const fn of(defaults: &Defaults, phase: Phase) -> &PhaseDefault {
    let [one, two, three, four, five] = defaults;
    match phase {
        Phase::RequestHeaders => one,
        Phase::RequestBody => two,
        Phase::ResponseHeaders => three,
        Phase::ResponseBody => four,
        Phase::Logging => five,
    }
}

/// Checks and sorts all `SecDefaultAction`s.
pub(crate) fn defaults(directives: &[Located<Vec<Located<Action>>>], report: &mut Report) -> Defaults {
    let mut defaults = Defaults::default();
    for Located { value, place } in directives {
        unsuitable(value, report);
        let sorted = sort(value);
        let Some(phase) = &sorted.phase else {
            report.push(
                Level::Error,
                *place,
                b"SecDefaultAction",
                "a default needs a phase".to_owned(),
                "add `phase:2`",
            );
            continue;
        };
        let disruption = match &sorted.disruption {
            Some(Located { value: Choice::Own(disruption), .. }) => disruption.clone(),
            _ => {
                let message = "a default needs a disruptive action";
                report.push(
                    Level::Error,
                    *place,
                    b"SecDefaultAction",
                    message.to_owned(),
                    "add `pass` or `deny`",
                );
                continue;
            }
        };
        let index = usize::from(phase.value.number()).saturating_sub(1);
        let Some(slot) = defaults.get_mut(index) else { continue };
        if let Some(first) = slot.place {
            let message = format!(
                "phase {} has its default already, at {}",
                phase.value.number(),
                report.describe(first)
            );
            report.push(Level::Error, *place, b"SecDefaultAction", message, "");
            continue;
        }
        *slot = PhaseDefault { disruption: Some(disruption), actions: sorted, place: Some(*place) };
    }
    defaults
}

/// Reports actions that say something about one rule only.
fn unsuitable(actions: &[Located<Action>], report: &mut Report) {
    for Located { value, place } in actions {
        let name = match value {
            Action::Id(_) => "id",
            Action::Chain => "chain",
            Action::Skip(_) => "skip",
            Action::SkipAfter(_) => "skipAfter",
            Action::Block => "block",
            Action::Msg(_) => "msg",
            Action::LogData(_) => "logdata",
            Action::Severity(_) => "severity",
            Action::Rev(_) => "rev",
            Action::Ver(_) => "ver",
            Action::Maturity(_) => "maturity",
            Action::Accuracy(_) => "accuracy",
            Action::Xmlns { .. } => "xmlns",
            Action::Transformation(crate::transformations::Transformation::None) => "t:none",
            _ => continue,
        };
        report.push(Level::Error, *place, name.as_bytes(), format!("`{name}` cannot be a default"), "");
    }
}
