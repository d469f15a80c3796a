//! What guards and the gateway need from outside, as traits whose implementations the binary introduces.

use std::{net::IpAddr, sync::Arc};

use crate::{
    clock::Timestamp,
    event::{Event, Tally},
    limit::{Allowance, CounterKey, Permit, Quota, Rate},
    principal::Principal,
};

/// Counts calls. Bounded in memory: under a flood of distinct keys the least recently used are forgotten.
pub trait Counters: Send + Sync {
    /// Takes `cost` cells of a rate (GCRA). A refused call takes nothing.
    fn rate(&self, key: CounterKey, rate: &Rate, cost: u32, now: Timestamp) -> Allowance;

    /// Spends `cost` of a calendar quota. A refused call spends nothing.
    fn quota(&self, key: CounterKey, quota: &Quota, cost: u64, now: Timestamp) -> Allowance;

    /// Takes one of `places_max` concurrent places; `None` when all are taken.
    fn concurrency(&self, key: CounterKey, places_max: u32, now: Timestamp) -> Option<Permit>;

    /// The keyed hash that makes a [`CounterKey`] of a limit's stable name and its subject; the key is random
    /// for each installation, so that nobody outside can aim at a collision.
    fn key(&self, limit: &str, subject: &[u8]) -> CounterKey;
}

/// Knows who is shut out for a while.
pub trait Bans: Send + Sync {
    /// When the ban of this address ends; `None` when it is not banned.
    fn address(&self, ip: IpAddr, now: Timestamp) -> Option<Timestamp>;

    /// When the ban of this principal ends; `None` when it is not banned.
    fn principal(&self, id: &str, now: Timestamp) -> Option<Timestamp>;
}

/// Knows the API keys, by the SHA-256 of the presented text. Answers from memory.
pub trait Keys: Send + Sync {
    /// The principal a key stands for; `None` for an unknown, revoked or expired key.
    fn find(&self, sha256: &[u8; 32], now: Timestamp) -> Option<Arc<Principal>>;
}

/// Takes the record of an exchange. Never blocks: what cannot be queued is dropped and counted.
pub trait Recorder: Send + Sync {
    /// Hands one event over.
    fn record(&self, event: Event);

    /// Whether a call that was served with nothing to remark is recorded as well, and not [counted](Self::count) alone.
    fn keeps_served(&self) -> bool {
        true
    }

    /// Counts a call that is not recorded.
    fn count(&self, _tally: Tally) {}
}
