//! An exchange for the tests of the guards about identity.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, atomic::AtomicU32},
    time::Duration,
};

use http::{HeaderMap, Method, Version};
use portcullis_core::{
    clock::{Entropy, Timestamp},
    context::{Client, Context, Notes, Request},
    id::ReferenceId,
    limit::{Allowance, CounterKey, Permit, Quota, Rate},
    ports::Counters,
};

/// The moment of every such exchange.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A GET from a documentation address over cleartext with those fields.
pub(crate) fn context(fields: &[(&'static str, &str)]) -> Context {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, value.parse().unwrap());
    }
    Context {
        now: NOW,
        reference: ReferenceId::new(NOW, [0; 10]),
        client: Client {
            listener: "public".into(),
            peer: "192.0.2.1:4000".parse().unwrap(),
            ip: "192.0.2.1".parse().unwrap(),
            tls: None,
        },
        operation: None,
        request: Request {
            method: Method::GET,
            version: Version::HTTP_11,
            host: "api.example".into(),
            path: "/".into(),
            query: None,
            headers,
            path_parameters: Default::default(),
            body: None,
            parsed: None,
        },
        response: None,
        notes: Notes::default(),
    }
}

/// Not random at all.
pub(crate) struct Seed(pub(crate) u8);

impl Entropy for Seed {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0);
    }
}

/// Counters of a few keys, by the textbook.
#[derive(Default)]
pub(crate) struct FewCounters {
    arrivals: Mutex<HashMap<CounterKey, Timestamp>>,
    places: Mutex<HashMap<CounterKey, Arc<AtomicU32>>>,
}

impl Counters for FewCounters {
    fn rate(&self, key: CounterKey, rate: &Rate, cost: u32, now: Timestamp) -> Allowance {
        let mut arrivals = self.arrivals.lock().unwrap();
        let arrival = arrivals.entry(key).or_insert(now);
        *arrival = (*arrival).max(now);
        let cell = rate.period / rate.count;
        let tolerance = cell * rate.burst;
        let after = arrival.plus(cell * cost);
        let allowed = after.since(now) <= tolerance;
        if allowed {
            *arrival = after;
        }
        let behind = arrival.since(now);
        Allowance {
            allowed,
            remaining: u64::try_from((tolerance - behind).as_nanos() / cell.as_nanos()).unwrap(),
            reset: behind,
            retry_after: Duration::ZERO,
        }
    }

    fn quota(&self, _: CounterKey, _: &Quota, _: u64, _: Timestamp) -> Allowance {
        panic!("no quotas here")
    }

    fn concurrency(&self, key: CounterKey, places_max: u32, _: Timestamp) -> Option<Permit> {
        Permit::take(self.places.lock().unwrap().entry(key).or_default(), places_max)
    }

    fn key(&self, limit: &str, subject: &[u8]) -> CounterKey {
        let text = format!("{limit}\0{}", String::from_utf8_lossy(subject));
        let mut key = 0xcbf2_9ce4_8422_2325_u128;
        for byte in text.bytes().chain(subject.iter().copied()) {
            key = (key ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
        CounterKey(key)
    }
}
