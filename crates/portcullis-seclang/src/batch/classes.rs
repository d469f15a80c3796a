//! Classes of values: the same rules look at all values of a class.

use std::collections::HashMap;

use crate::batch::Batch;
use crate::batch::plan::Plan;
use crate::batch::verdicts::Verdicts;
use crate::bit_set::BitSet;

/// Classes kept. Names decide about classes, and names come from outside: beyond this all is forgotten.
const CLASSES_MAX: usize = 512;
/// Names whose class is kept.
const NAMES_MAX: usize = 4096;
/// Longer names are looked at anew each time.
const NAME_BYTES_MAX: usize = 128;

/// Names to classes, lower case.
type ByName = HashMap<Box<[u8]>, u32>;

/// The classes met so far.
#[derive(Debug, Default)]
pub(crate) struct Classes {
    plans: Vec<Plan>,
    by_units: HashMap<(u8, BitSet), u32>,
    /// By phase and place.
    by_name: HashMap<(u8, u32), ByName>,
    names: usize,
    /// The class of names that no unit speaks of, one behind the other by phase, then place.
    others: [Vec<Option<u32>>; 6],
}

impl Classes {
    /// The class of values of that name at a place.
    pub(super) fn of(&mut self, batch: &Batch, phase: u8, place: usize, name: &[u8]) -> u32 {
        let is_known = batch.places.get(place).is_some_and(|place| place.knows(name));
        let others = self.others.get(usize::from(phase)).and_then(|places| places.get(place));
        if let (false, Some(Some(class))) = (is_known, others) {
            return *class;
        }
        let key = (phase, place as u32);
        let lower;
        let name = if name.iter().any(u8::is_ascii_uppercase) {
            lower = name.to_ascii_lowercase();
            &lower
        } else {
            name
        };
        if let Some(class) = self.by_name.get(&key).and_then(|names| names.get(name)) {
            return *class;
        }
        let units = batch.units_for(place, name);
        let class = match self.by_units.get(&(phase, units.clone())) {
            Some(class) => *class,
            None => {
                let class = self.plans.len() as u32;
                self.plans.push(Plan::new(&batch.units, &units, batch.matchers));
                self.by_units.insert((phase, units), class);
                class
            }
        };
        if !is_known {
            if let Some(places) = self.others.get_mut(usize::from(phase)) {
                places.resize(places.len().max(place + 1), None);
                if let Some(other) = places.get_mut(place) {
                    *other = Some(class);
                }
            }
        } else if name.len() <= NAME_BYTES_MAX {
            self.by_name.entry(key).or_default().insert(name.into(), class);
            self.names += 1;
        }
        class
    }

    pub(super) fn plan(&self, class: u32) -> Option<&Plan> {
        self.plans.get(class as usize)
    }

    /// Forgets everything once there is too much of it.
    pub(super) fn bound(&mut self, verdicts: &mut Verdicts) {
        if self.plans.len() > CLASSES_MAX {
            *self = Classes::default();
            verdicts.clear();
        } else if self.names > NAMES_MAX {
            self.by_name.clear();
            self.names = 0;
        }
    }
}
