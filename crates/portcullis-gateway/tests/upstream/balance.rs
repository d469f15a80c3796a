//! Calls are spread by weight and load, and kept away from servers that fail.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use portcullis_core::event::UpstreamFault;
use portcullis_gateway::upstream::{Balance, EjectionSettings, Health, HealthSettings, RetryCause, Upstream};
use tokio::io::AsyncWriteExt;

use crate::stage::{OK, build, dead, get, get_text, read_request, serve, serve_text, settings, text};

const BROKEN: &str = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";

async fn answered_by(upstream: &Upstream, calls: usize) -> BTreeMap<Arc<str>, usize> {
    let mut counts = BTreeMap::new();
    for _ in 0..calls {
        let answer = get(upstream, "/").await.expect("an answer");
        *counts.entry(Arc::clone(&answer.server)).or_default() += 1;
        text(answer.response.into_body()).await.expect("a whole body");
    }
    counts
}

#[tokio::test]
async fn round_robin_heeds_weights() {
    let (a, counts_a) = serve_text(OK).await;
    let (b, counts_b) = serve_text(OK).await;
    let mut settings = settings(&[a, b]);
    settings.servers[0].weight = 3;
    let upstream = build(settings);
    answered_by(&upstream, 40).await;
    assert_eq!((counts_a.requests(), counts_b.requests()), (30, 10));
}

#[tokio::test]
async fn a_server_of_weight_zero_gets_nothing() {
    let (a, counts_a) = serve_text(OK).await;
    let (b, counts_b) = serve_text(OK).await;
    let mut settings = settings(&[a, b]);
    settings.servers[0].weight = 0;
    let upstream = build(settings);
    answered_by(&upstream, 10).await;
    assert_eq!((counts_a.requests(), counts_b.requests()), (0, 10));
}

#[tokio::test]
async fn least_requests_avoids_the_busy_server() {
    let busy = serve(|_, mut stream| async move {
        read_request(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let (free, counts) = serve_text(OK).await;
    let mut settings = settings(&[busy, free]);
    settings.balance = Balance::LeastRequests;
    let upstream = build(settings);
    // Calls pile up on the busy server until both are equally loaded at most; all others go to the free one.
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let upstream = Arc::clone(&upstream);
            tokio::spawn(async move { get_text(&upstream, "/").await })
        })
        .collect();
    let settled = || {
        let status = upstream.status();
        status[1].in_flight == 0 && counts.requests() + status[0].in_flight as usize == 50
    };
    while !settled() {
        tokio::task::yield_now().await;
    }
    let late_before = upstream.status()[0].in_flight;
    let mut late = 0;
    while late < 20 {
        assert_eq!(get_text(&upstream, "/").await, "ok");
        late += 1;
    }
    assert_eq!(upstream.status()[0].in_flight, late_before);
    calls.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn goes_on_to_another_server_when_one_is_dead() {
    let (alive, counts) = serve_text(OK).await;
    let mut settings = settings(&[dead().await, alive]);
    settings.retry.attempts = 1;
    settings.retry.on = vec![RetryCause::Connect];
    let upstream = build(settings);
    answered_by(&upstream, 10).await;
    assert_eq!(counts.requests(), 10);
}

#[tokio::test]
async fn ejects_a_failing_server_and_takes_it_back() {
    let is_broken = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&is_broken);
    let shaky = serve(move |_, mut stream| {
        let is_broken = Arc::clone(&is_broken);
        async move {
            while read_request(&mut stream).await.is_some() {
                let answer = if is_broken.load(Ordering::SeqCst) { BROKEN } else { OK };
                stream.write_all(answer.as_bytes()).await.expect("an open connection");
            }
        }
    })
    .await;
    let (good, _) = serve_text(OK).await;
    let mut settings = settings(&[shaky, good]);
    settings.ejection = Some(EjectionSettings { failures_max: 3, eject_for: Duration::from_millis(300) });
    let upstream = build(settings);
    let by_shaky = |counts: &BTreeMap<Arc<str>, usize>| {
        counts.iter().find(|(name, _)| name.ends_with(&shaky.port().to_string())).map_or(0, |it| *it.1)
    };
    assert_eq!(by_shaky(&answered_by(&upstream, 20).await), 3);
    assert!(upstream.status()[0].ejected_for.is_some());
    switch.store(false, Ordering::SeqCst);
    while upstream.status()[0].ejected_for.is_some() {
        tokio::task::yield_now().await;
    }
    assert_eq!(by_shaky(&answered_by(&upstream, 20).await), 10);
}

#[tokio::test]
async fn ejects_at_most_half_of_the_servers() {
    let (a, counts_a) = serve_text(BROKEN).await;
    let (b, counts_b) = serve_text(BROKEN).await;
    let mut settings = settings(&[a, b]);
    settings.ejection = Some(EjectionSettings { failures_max: 2, eject_for: Duration::from_secs(60) });
    let upstream = build(settings);
    answered_by(&upstream, 30).await;
    assert_eq!(upstream.status().iter().filter(|server| server.ejected_for.is_some()).count(), 1);
    assert_eq!(counts_a.requests() + counts_b.requests(), 30);
}

#[tokio::test]
async fn never_ejects_the_only_server() {
    let (address, _) = serve_text(BROKEN).await;
    let mut settings = settings(&[address]);
    settings.ejection = Some(EjectionSettings { failures_max: 1, eject_for: Duration::from_secs(60) });
    let upstream = build(settings);
    answered_by(&upstream, 5).await;
}

#[tokio::test]
async fn checks_find_a_sick_server_and_its_recovery() {
    let is_sick = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&is_sick);
    let address = serve(move |_, mut stream| {
        let is_sick = Arc::clone(&is_sick);
        async move {
            while let Some(request) = read_request(&mut stream).await {
                let sick = is_sick.load(Ordering::SeqCst) && request.starts_with("GET /healthz ");
                let answer = if sick { BROKEN } else { OK };
                stream.write_all(answer.as_bytes()).await.expect("an open connection");
            }
        }
    })
    .await;
    let mut settings = settings(&[address]);
    let mut health = HealthSettings::of("/healthz");
    health.every = Duration::from_millis(5);
    health.unhealthy_after = 2;
    settings.health = Some(health);
    let upstream = build(settings);
    assert_eq!(upstream.status()[0].health, Health::Unchecked);
    upstream.start_checks(&tokio::runtime::Handle::current());
    while upstream.status()[0].health != Health::Unhealthy {
        tokio::task::yield_now().await;
    }
    let failure = get(&upstream, "/").await.expect_err("nobody is healthy");
    assert_eq!(failure.fault, UpstreamFault::NoServer);
    switch.store(false, Ordering::SeqCst);
    while upstream.status()[0].health != Health::Healthy {
        tokio::task::yield_now().await;
    }
    assert_eq!(get_text(&upstream, "/").await, "ok");
}
