//! Classes of values: the same rules look at all values of a class.

use hashbrown::HashMap;

use crate::batch::plan::Plan;
use crate::batch::verdicts::Verdicts;
use crate::batch::{Batch, Named};
use crate::bit_set::BitSet;

/// Classes kept. Names decide about classes, and names come from outside: beyond this all is forgotten.
const CLASSES_MAX: usize = 512;
/// Names whose class is kept.
const NAMES_MAX: usize = 4096;
/// Longer names are looked at anew each time.
const NAME_BYTES_MAX: usize = 128;

/// The classes met so far.
#[derive(Debug, Default)]
pub(crate) struct Classes {
    plans: Vec<Plan>,
    by_units: HashMap<(u8, BitSet), u32>,
    /// By phase, then place.
    places: [Vec<PlaceClasses>; 6],
    names: usize,
}

/// The classes of the values of one place.
#[derive(Debug, Default)]
struct PlaceClasses {
    /// Of names that no unit speaks of.
    other: Option<u32>,
    /// Of the names that units speak of, by number.
    known: Vec<Option<u32>>,
    /// Where units go by patterns, of names met, lower case.
    by_name: HashMap<Box<[u8]>, u32>,
}

impl Classes {
    /// The class of values of that name at a place.
    pub(super) fn of(&mut self, batch: &Batch, phase: u8, place: usize, name: &[u8]) -> u32 {
        let named = batch.places.get(place).map_or(Named::Other, |place| place.named(name));
        let classes = self.places.get(usize::from(phase)).and_then(|places| places.get(place));
        let lower;
        let mut name = name;
        let met = match named {
            Named::Other => classes.and_then(|classes| classes.other),
            Named::Known(number) => classes.and_then(|classes| classes.known.get(number).copied().flatten()),
            Named::ByPattern => {
                if name.iter().any(u8::is_ascii_uppercase) {
                    lower = name.to_ascii_lowercase();
                    name = &lower;
                }
                classes.and_then(|classes| classes.by_name.get(name).copied())
            }
        };
        met.unwrap_or_else(|| self.meet(batch, phase, place, &named, name))
    }

    /// The same for a name not met before.
    fn meet(&mut self, batch: &Batch, phase: u8, place: usize, named: &Named, name: &[u8]) -> u32 {
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
        let Some(places) = self.places.get_mut(usize::from(phase)) else { return class };
        if places.len() <= place {
            places.resize_with(place + 1, PlaceClasses::default);
        }
        let Some(classes) = places.get_mut(place) else { return class };
        match named {
            Named::Other => classes.other = Some(class),
            Named::Known(number) => {
                if classes.known.len() <= *number {
                    classes.known.resize(number + 1, None);
                }
                if let Some(known) = classes.known.get_mut(*number) {
                    *known = Some(class);
                }
            }
            Named::ByPattern if name.len() <= NAME_BYTES_MAX => {
                classes.by_name.insert(name.into(), class);
                self.names += 1;
            }
            Named::ByPattern => {}
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
            for classes in self.places.iter_mut().flatten() {
                classes.by_name.clear();
            }
            self.names = 0;
        }
    }
}
