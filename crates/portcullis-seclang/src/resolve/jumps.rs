//! Tells the phases apart and checks where rules jump to.

use std::collections::HashSet;
use std::sync::Arc;

use super::build::{Built, Step};
use crate::diagnostic::{Level, Report, shown};
use crate::rules::{Chain, Entry, Skip};
use crate::syntax::Phase;

/// What runs in each phase, in order. A marker stands in every phase; behind a rule that another jumps to by number, a
/// marker of that number is put. Removed rules are gone.
pub(crate) fn phases(steps: Vec<Step>, report: &mut Report) -> [Vec<Entry>; 5] {
    let bad = unknown_targets(&steps, report);
    let jumped: HashSet<Arc<[u8]>> =
        steps.iter().filter_map(jump_of).map(|(_, name)| Arc::clone(name)).collect();
    let mut phases: [Vec<Entry>; 5] = Default::default();
    for step in steps {
        match step {
            Step::Marker(name) => {
                phases.iter_mut().for_each(|entries| entries.push(Entry::Marker(Arc::clone(&name))))
            }
            Step::Chain(built) => {
                let Built { chain, is_removed, .. } = *built;
                let Some(entries) = phases.get_mut(usize::from(chain.phase.number()).saturating_sub(1))
                else {
                    continue;
                };
                let number: Arc<[u8]> = Arc::from(chain.id.to_string().into_bytes());
                if !is_removed && !bad.contains(&chain.id) {
                    entries.push(Entry::Chain(Box::new(chain)));
                }
                if jumped.contains(&number) {
                    entries.push(Entry::Marker(number));
                }
            }
        }
    }
    phases
}

fn jump_of(step: &Step) -> Option<(&Built, &Arc<[u8]>)> {
    match step {
        Step::Chain(built) if !built.is_removed => match &built.chain.skip {
            Some(Skip::After(name)) => Some((built, name)),
            Some(Skip::Rules(_)) | None => None,
        },
        Step::Chain(_) | Step::Marker(_) => None,
    }
}

/// Reports jumps to what does not come later in the same phase. Goes backwards, so that it has seen what comes later.
fn unknown_targets(steps: &[Step], report: &mut Report) -> HashSet<u64> {
    let mut later: HashSet<(Option<Phase>, Vec<u8>)> = HashSet::new();
    let mut bad = HashSet::new();
    for step in steps.iter().rev() {
        if let Some((built, name)) = jump_of(step) {
            let is_known = later.contains(&(None, name.to_vec()))
                || later.contains(&(Some(built.chain.phase), name.to_vec()));
            if !is_known {
                let message = format!("no marker `{}` comes later", shown(name));
                report.push(
                    Level::Error,
                    built.skip_place,
                    name,
                    message,
                    "`skipAfter` jumps forward, to a `SecMarker` or the number of a rule of the same phase",
                );
                bad.insert(built.chain.id);
            }
        }
        match step {
            Step::Marker(name) => later.insert((None, name.to_vec())),
            Step::Chain(built) => later.insert((Some(built.chain.phase), number(&built.chain))),
        };
    }
    bad
}

fn number(chain: &Chain) -> Vec<u8> {
    chain.id.to_string().into_bytes()
}
