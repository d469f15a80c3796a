//! Events, keys and logs for the tests of this crate.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use portcullis_core::{
    clock::Timestamp,
    event::{Event, Outcome, Protocol},
    id::ReferenceId,
    verdict::{Denial, Reason, RuleId, Severity},
};
use portcullis_events::{
    chain::Body,
    log::{Log, Policy},
    segment,
    sign::SigningKey,
};

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

pub(crate) fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32]).unwrap()
}

pub(crate) fn later(secs: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(secs))
}

pub(crate) fn event(n: u64, outcome: Outcome) -> Event {
    let at = NOW.plus(Duration::from_millis(n));
    let random = n.to_be_bytes();
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&random);
    let mut reasons = Vec::new();
    if let Outcome::Denied(_) = outcome {
        let rule = RuleId::new("limits/rate_exceeded");
        reasons.push(Reason::new(rule, Severity::Low, "more calls than the limit allows"));
    }
    Event {
        id: ReferenceId::new(at, bytes),
        at,
        took_micros: 1_500,
        upstream_micros: Some(900),
        listener: "main".into(),
        client: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        protocol: Protocol::Http11,
        tls: true,
        host: "api.example.com".into(),
        method: "GET".into(),
        path: format!("/v1/orders/{n}").into(),
        api: Some("orders".into()),
        operation: Some("getOrder".into()),
        template: Some("/v1/orders/{id}".into()),
        principal: None,
        outcome,
        status: match outcome {
            Outcome::Denied(denial) => denial.status(),
            _ => 200,
        },
        reasons,
        request_bytes: 0,
        response_bytes: 100,
        upstream: Some(Arc::from("http://10.0.0.1:8000")),
        trace: None,
    }
}

pub(crate) fn served(n: u64) -> Event {
    event(n, Outcome::Served)
}

pub(crate) fn denied(n: u64) -> Event {
    event(n, Outcome::Denied(Denial::TooManyRequests { retry_after_secs: 1 }))
}

pub(crate) fn policy() -> Policy {
    Policy { segment_bytes_max: 8_000, checkpoint_records: 10, ..Policy::default() }
}

/// A log of `count` events in several files, cleanly ended.
pub(crate) fn write(directory: &Path, policy: Policy, count: u64) {
    let mut log = Log::open(directory, policy, key(), NOW).unwrap();
    append(&mut log, 0..count);
    log.close(later(60)).unwrap();
}

pub(crate) fn append(log: &mut Log, numbers: std::ops::Range<u64>) {
    for n in numbers {
        let event = if n % 7 == 3 { denied(n) } else { served(n) };
        log.append(&Body::Event(&event), NOW.plus(Duration::from_millis(n))).unwrap();
        log.turn(NOW.plus(Duration::from_millis(n))).unwrap();
    }
}

pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    segment::list(directory).unwrap().into_iter().map(|it| it.path).collect()
}

pub(crate) fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

pub(crate) fn put_lines(path: &Path, lines: &[String]) {
    std::fs::write(path, lines.iter().flat_map(|line| [line, "\n"]).collect::<String>()).unwrap();
}
