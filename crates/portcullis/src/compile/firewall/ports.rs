//! What rules need of the world: the time, unique names, and collections that outlive a call.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use portcullis_core::clock::{Clock, Entropy};
use portcullis_seclang::{Collections, Ports, Stored, UniqueIds};

/// Instances kept of all collections; beyond, the ones that lapse first make room.
const INSTANCES_MAX: usize = 65_536;
/// Variables kept of one instance.
const VARIABLES_MAX: usize = 64;
/// Bytes kept of one value.
const VALUE_BYTES_MAX: usize = 1_024;
/// Seconds that a variable lives unless a rule says otherwise, as in ModSecurity.
const LIFE_SECS: u64 = 3_600;

/// What rules keep from call to call, and what tells them the time. It outlives every plan.
#[derive(Clone)]
pub(crate) struct RuleWorld {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    collections: Arc<InProcess>,
}

impl RuleWorld {
    /// With nothing kept yet.
    pub(crate) fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let collections = Arc::new(InProcess { clock: Arc::clone(&clock), kept: Mutex::default() });
        Self { clock, entropy, collections }
    }

    /// The ports of an engine.
    pub(super) fn ports(&self) -> Ports {
        Ports {
            clock: Arc::new(WallClock(Arc::clone(&self.clock))),
            ids: Arc::new(RandomIds(Arc::clone(&self.entropy))),
            collections: Some(Arc::clone(&self.collections) as _),
            outside: None,
        }
    }
}

struct WallClock(Arc<dyn Clock>);

impl portcullis_seclang::Clock for WallClock {
    fn unix_micros(&self) -> u64 {
        self.0.now().as_micros()
    }
}

struct RandomIds(Arc<dyn Entropy>);

impl UniqueIds for RandomIds {
    fn unique_id(&self) -> String {
        let mut bytes = [0; 12];
        self.0.fill(&mut bytes);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A collection and the key of one of its instances.
type InstanceId = (Box<str>, Box<[u8]>);

type Instance = Vec<Stored>;

/// Collections in this process: they last as long as it does.
struct InProcess {
    clock: Arc<dyn Clock>,
    kept: Mutex<HashMap<InstanceId, Instance>>,
}

impl InProcess {
    fn change<T>(&self, collection: &str, key: &[u8], change: impl FnOnce(&mut Instance, u64) -> T) -> T {
        let now = self.clock.now().as_secs();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let id = (Box::from(collection), Box::from(key));
        if kept.len() >= INSTANCES_MAX && !kept.contains_key(&id) {
            make_room(&mut kept, now);
        }
        let instance = kept.entry(id).or_default();
        instance.retain(|it| it.expires.is_none_or(|expires| expires > now));
        change(instance, now)
    }
}

/// Lets go of what has lapsed, and of a quarter if all of it is live: an attacker must not fill the memory.
fn make_room(kept: &mut HashMap<InstanceId, Instance>, now: u64) {
    kept.retain(|_, instance| instance.iter().any(|it| it.expires.is_none_or(|expires| expires > now)));
    if kept.len() < INSTANCES_MAX {
        return;
    }
    let last = |instance: &Instance| instance.iter().filter_map(|it| it.expires).max().unwrap_or(u64::MAX);
    let mut ends: Vec<u64> = kept.values().map(last).collect();
    ends.sort_unstable();
    let cut = ends.get(INSTANCES_MAX / 4).copied().unwrap_or_default();
    kept.retain(|_, instance| last(instance) > cut);
}

fn put(instance: &mut Instance, name: &[u8], value: Vec<u8>, now: u64) {
    let mut value = value;
    value.truncate(VALUE_BYTES_MAX);
    if let Some(known) = instance.iter_mut().find(|it| it.name == name) {
        known.value = value;
    } else if instance.len() < VARIABLES_MAX {
        instance.push(Stored { name: name.to_vec(), value, expires: Some(now + LIFE_SECS) });
    }
}

impl Collections for InProcess {
    fn load(&self, collection: &str, key: &[u8]) -> Vec<Stored> {
        self.change(collection, key, |instance, _| instance.clone())
    }

    fn add(&self, collection: &str, key: &[u8], name: &[u8], delta: i64) -> i64 {
        self.change(collection, key, |instance, now| {
            let known = instance.iter().find(|it| it.name == name);
            let value = known.and_then(|it| std::str::from_utf8(&it.value).ok()?.trim().parse().ok());
            let sum = value.unwrap_or(0_i64).saturating_add(delta);
            put(instance, name, sum.to_string().into_bytes(), now);
            sum
        })
    }

    fn set(&self, collection: &str, key: &[u8], name: &[u8], value: &[u8]) {
        self.change(collection, key, |instance, now| put(instance, name, value.to_vec(), now));
    }

    fn unset(&self, collection: &str, key: &[u8], name: &[u8]) {
        self.change(collection, key, |instance, _| instance.retain(|it| it.name != name));
    }

    fn expire(&self, collection: &str, key: &[u8], name: &[u8], secs: u64) {
        self.change(collection, key, |instance, now| {
            if let Some(known) = instance.iter_mut().find(|it| it.name == name) {
                known.expires = Some(now.saturating_add(secs));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::clock::{ManualClock, Timestamp};

    use super::*;

    fn collections(clock: &Arc<ManualClock>) -> InProcess {
        InProcess { clock: Arc::clone(clock) as _, kept: Mutex::default() }
    }

    #[test]
    fn variables_add_up_and_lapse() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_000)));
        let kept = collections(&clock);
        assert_eq!(kept.add("ip", b"192.0.2.1", b"hits", 2), 2);
        assert_eq!(kept.add("ip", b"192.0.2.1", b"hits", 3), 5);
        assert_eq!(kept.add("ip", b"192.0.2.2", b"hits", 1), 1);
        kept.expire("ip", b"192.0.2.1", b"hits", 10);
        assert_eq!(kept.load("ip", b"192.0.2.1").len(), 1);
        clock.advance(std::time::Duration::from_secs(11));
        assert_eq!(kept.load("ip", b"192.0.2.1"), []);
        assert_eq!(kept.add("ip", b"192.0.2.1", b"hits", 1), 1);
    }

    #[test]
    fn memory_is_bounded() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_000)));
        let kept = collections(&clock);
        for caller in 0..INSTANCES_MAX + 10 {
            kept.set("ip", &caller.to_be_bytes(), b"a", b"1");
        }
        for name in 0..VARIABLES_MAX + 10 {
            kept.set("ip", b"one", &name.to_be_bytes(), &[b'x'; 10_000]);
        }
        let one = kept.load("ip", b"one");
        assert_eq!(one.len(), VARIABLES_MAX);
        assert!(one.iter().all(|it| it.value.len() == VALUE_BYTES_MAX));
        assert!(kept.kept.lock().unwrap().len() <= INSTANCES_MAX);
    }
}
