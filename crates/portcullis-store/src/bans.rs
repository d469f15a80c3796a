//! Who is shut out, and until when: answered from memory, kept on disk by the [keeper](crate::keeper).
//!
//! An IPv6 address stands for its /64, since whoever has one address of it has them all; an IPv4-mapped address
//! for the IPv4 address in it.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use hashbrown::{HashMap, HashSet};
use portcullis_core::{clock::Timestamp, ports::Bans};

/// Bans held at once. When a further one comes, those that ended go first, then those that would end soonest.
pub const BANS_MAX: usize = 100_000;

/// Who can be shut out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A client address; for IPv6, its whole /64.
    Address(IpAddr),
    /// A principal, by [`portcullis_core::principal::Principal::id`].
    Principal(Arc<str>),
}

impl Subject {
    /// The form under which it is held: the /64 of an IPv6 address, the IPv4 address of a mapped one.
    pub fn canonical(self) -> Self {
        match self {
            Self::Address(ip) => Self::Address(network(ip)),
            Self::Principal(id) => Self::Principal(id),
        }
    }
}

/// One ban.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Who.
    pub subject: Subject,
    /// Until when; [`FOREVER`] for a ban without end.
    pub until: Timestamp,
    /// Since when.
    pub since: Timestamp,
    /// Why, in the operator's or the detector's words.
    pub why: Arc<str>,
}

/// The end of a ban that has none.
pub const FOREVER: Timestamp = Timestamp::from_micros(i64::MAX.unsigned_abs());

/// The bans of one process.
#[derive(Default)]
pub struct ProcessBans {
    held: RwLock<Held>,
    /// How many bans there are, so that the common case costs one load and no lock.
    count: AtomicUsize,
    /// Subjects whose row on disk is out of date.
    changed: Mutex<HashSet<Subject>>,
}

#[derive(Default)]
struct Held {
    addresses: HashMap<IpAddr, Ban>,
    principals: HashMap<Arc<str>, Ban>,
}

impl ProcessBans {
    /// Shuts somebody out. A ban that is there already is replaced, whether it would end sooner or later.
    pub fn add(&self, ban: Ban, now: Timestamp) {
        let ban = Ban { subject: ban.subject.canonical(), until: ban.until.min(FOREVER), ..ban };
        let subject = ban.subject.clone();
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let dropped = if held.len() >= BANS_MAX { held.make_room(now) } else { Vec::new() };
        held.insert(ban);
        self.count.store(held.len(), Ordering::Release);
        drop(held);
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        changed.insert(subject);
        changed.extend(dropped);
    }

    /// Lets somebody in again; the ban that was lifted, or `None` when there was none.
    pub fn remove(&self, subject: &Subject) -> Option<Ban> {
        let subject = subject.clone().canonical();
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let ban = held.remove(&subject)?;
        self.count.store(held.len(), Ordering::Release);
        drop(held);
        self.changed.lock().unwrap_or_else(PoisonError::into_inner).insert(subject);
        Some(ban)
    }

    /// The bans in force, those ending soonest first.
    pub fn list(&self, now: Timestamp) -> Vec<Ban> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let mut bans: Vec<Ban> = held.all().filter(|ban| ban.until > now).cloned().collect();
        drop(held);
        bans.sort_by_key(|ban| ban.until);
        bans
    }

    /// How many bans are held, some of which may have ended.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Forgets the bans that have ended.
    pub(crate) fn forget_ended(&self, now: Timestamp) {
        if self.count() == 0 {
            return;
        }
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let ended = held.drop_where(|ban| ban.until <= now);
        self.count.store(held.len(), Ordering::Release);
        drop(held);
        self.changed.lock().unwrap_or_else(PoisonError::into_inner).extend(ended);
    }

    /// What changed since the last call: a subject with its ban, or without one that was lifted.
    pub(crate) fn take_changed(&self) -> Vec<(Subject, Option<Ban>)> {
        let changed = std::mem::take(&mut *self.changed.lock().unwrap_or_else(PoisonError::into_inner));
        if changed.is_empty() {
            return Vec::new();
        }
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        changed
            .into_iter()
            .map(|subject| (held.find(&subject).cloned(), subject))
            .map(|(b, s)| (s, b))
            .collect()
    }

    /// Says that these changes could not be written after all.
    pub(crate) fn put_back(&self, changes: Vec<(Subject, Option<Ban>)>) {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        changed.extend(changes.into_iter().map(|(subject, _)| subject));
    }

    /// Takes up a ban from disk.
    pub(crate) fn restore(&self, ban: Ban) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if held.len() < BANS_MAX {
            held.insert(ban);
            self.count.store(held.len(), Ordering::Release);
        }
    }
}

impl Bans for ProcessBans {
    fn address(&self, ip: IpAddr, now: Timestamp) -> Option<Timestamp> {
        if self.count() == 0 {
            return None;
        }
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.addresses.get(&network(ip)).map(|ban| ban.until).filter(|until| *until > now)
    }

    fn principal(&self, id: &str, now: Timestamp) -> Option<Timestamp> {
        if self.count() == 0 {
            return None;
        }
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.principals.get(id).map(|ban| ban.until).filter(|until| *until > now)
    }
}

impl Held {
    fn len(&self) -> usize {
        self.addresses.len() + self.principals.len()
    }

    fn all(&self) -> impl Iterator<Item = &Ban> {
        self.addresses.values().chain(self.principals.values())
    }

    fn find(&self, subject: &Subject) -> Option<&Ban> {
        match subject {
            Subject::Address(ip) => self.addresses.get(ip),
            Subject::Principal(id) => self.principals.get(id),
        }
    }

    fn insert(&mut self, ban: Ban) {
        match &ban.subject {
            Subject::Address(ip) => self.addresses.insert(*ip, ban),
            Subject::Principal(id) => self.principals.insert(Arc::clone(id), ban),
        };
    }

    fn remove(&mut self, subject: &Subject) -> Option<Ban> {
        match subject {
            Subject::Address(ip) => self.addresses.remove(ip),
            Subject::Principal(id) => self.principals.remove(id),
        }
    }

    fn drop_where(&mut self, gone: impl Fn(&Ban) -> bool) -> Vec<Subject> {
        let addresses = self.addresses.extract_if(|_, ban| gone(ban)).map(|(_, ban)| ban.subject);
        let mut dropped: Vec<Subject> = addresses.collect();
        dropped.extend(self.principals.extract_if(|_, ban| gone(ban)).map(|(_, ban)| ban.subject));
        dropped
    }

    /// Drops a sixteenth at once, so that a flood of bans pays for the search once in thousands.
    fn make_room(&mut self, now: Timestamp) -> Vec<Subject> {
        let mut dropped = self.drop_where(|ban| ban.until <= now);
        if self.len() >= BANS_MAX {
            let mut ends: Vec<Timestamp> = self.all().map(|ban| ban.until).collect();
            let (_, cut, _) = ends.select_nth_unstable(BANS_MAX / 16);
            let cut = *cut;
            dropped.extend(self.drop_where(|ban| ban.until < cut));
        }
        if self.len() >= BANS_MAX {
            // All end at the same moment: any of them may go.
            let any = self.all().next().map(|ban| ban.subject.clone());
            if let Some(any) = any {
                self.remove(&any);
                dropped.push(any);
            }
        }
        dropped
    }
}

/// The network that a ban of this address covers.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(ip),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn ban(subject: Subject, secs: u64) -> Ban {
        Ban { subject, until: Timestamp::from_secs(NOW.as_secs() + secs), since: NOW, why: "test".into() }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_ban_holds_until_its_end() {
        let bans = ProcessBans::default();
        assert_eq!(bans.address(ip("192.0.2.1"), NOW), None);
        bans.add(ban(Subject::Address(ip("192.0.2.1")), 60), NOW);
        bans.add(ban(Subject::Principal("mallory".into()), 30), NOW);
        let end = Timestamp::from_secs(NOW.as_secs() + 60);
        assert_eq!(bans.address(ip("::ffff:192.0.2.1"), NOW), Some(end));
        assert_eq!(bans.address(ip("192.0.2.2"), NOW), None);
        assert_eq!(bans.address(ip("192.0.2.1"), end), None);
        assert!(bans.principal("mallory", NOW).is_some());
        assert!(bans.principal("alice", NOW).is_none());
        assert_eq!(bans.list(NOW).len(), 2);
        assert!(bans.remove(&Subject::Principal("mallory".into())).is_some());
        assert!(bans.remove(&Subject::Principal("mallory".into())).is_none());
        assert!(bans.principal("mallory", NOW).is_none());
        bans.forget_ended(end);
        assert_eq!(bans.count(), 0);
    }

    #[test]
    fn an_ipv6_address_is_banned_with_its_64() {
        let bans = ProcessBans::default();
        bans.add(ban(Subject::Address(ip("2001:db8:1:2:3::4")), 60), NOW);
        assert!(bans.address(ip("2001:db8:1:2:ffff::1"), NOW).is_some());
        assert!(bans.address(ip("2001:db8:1:3::1"), NOW).is_none());
        assert!(bans.remove(&Subject::Address(ip("2001:db8:1:2::99"))).is_some());
    }

    #[test]
    fn when_full_those_ending_soonest_make_room() {
        let bans = ProcessBans::default();
        bans.add(Ban { until: FOREVER, ..ban(Subject::Principal("mallory".into()), 0) }, NOW);
        for n in 0..u32::try_from(BANS_MAX).unwrap() + 500 {
            bans.add(ban(Subject::Address(std::net::Ipv4Addr::from_bits(n).into()), 60 + u64::from(n)), NOW);
        }
        assert!(bans.count() <= BANS_MAX);
        assert!(bans.principal("mallory", NOW).is_some());
        assert!(bans.address(ip("0.0.0.0"), NOW).is_none());
        let last = u32::try_from(BANS_MAX).unwrap() + 499;
        assert!(bans.address(std::net::Ipv4Addr::from_bits(last).into(), NOW).is_some());
        // And all of one end.
        let bans = ProcessBans::default();
        for n in 0..u32::try_from(BANS_MAX).unwrap() + 20 {
            bans.add(ban(Subject::Address(std::net::Ipv4Addr::from_bits(n).into()), 60), NOW);
        }
        assert!(bans.count() <= BANS_MAX);
    }
}
