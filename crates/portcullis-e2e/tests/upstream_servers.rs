//! Several servers behind one name: the dead are passed by, the sick are taken out and taken back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use http::Method;
use portcullis_e2e::{Caller, Gate, SHOP, Upstream, nobody, text};

async fn gate(servers: &str, more: &str) -> Gate {
    let config = format!(
        "
admin: {{ address: 127.0.0.1:0 }}
listen: 127.0.0.1:0
tls: off
upstreams:
  shop: {{ servers: [{servers}], {more} }}
apis:
  shop: {{ spec: shop.yaml, upstream: shop, auth: anonymous }}
"
    );
    Gate::new(&config).file("shop.yaml", SHOP).start().await
}

#[tokio::test]
async fn one_dead_server_of_two_costs_no_call() {
    let alive = Upstream::agreeable().await;
    let gate = gate(
        &format!("\"http://{}\", \"{}\"", nobody().await, alive.url()),
        "balance: round_robin, retry: { budget: 100%, backoff: 1ms..2ms }",
    )
    .await;
    let mut caller = Caller::of(gate.address());
    for number in 0..20 {
        // A connection that was never made carried nothing: even an order may be tried elsewhere.
        let (method, body) =
            if number % 2 == 0 { (Method::GET, "") } else { (Method::POST, r#"{"item":"tea"}"#) };
        let answer = caller.send(method.clone(), "/orders", body).await;
        assert_eq!(answer.status, 200, "{number} {method}: {answer:?}\n{:#?}", gate.events(1).await.last());
    }
    assert_eq!(alive.seen().len(), 20);
    let events = gate.events(20).await;
    assert!(events.iter().all(|event| event["outcome"] == "served" && event["upstream"] == alive.url()));
}

#[tokio::test]
async fn a_health_check_takes_a_server_out_and_back() {
    let health = Arc::new(AtomicU16::new(200));
    let told = Arc::clone(&health);
    let sick = Upstream::answering(move |request| {
        let status = if request.target == "/healthz" { told.load(Ordering::Relaxed) } else { 200 };
        text(status, "application/json", "{}")
    })
    .await;
    let well = Upstream::agreeable().await;
    let gate = gate(
        &format!("\"{}\", \"{}\"", sick.url(), well.url()),
        "balance: round_robin, health: { path: /healthz, every: 50ms, unhealthy_after: 2, healthy_after: 2 }",
    )
    .await;
    let mut caller = Caller::of(gate.address());
    let calls = |upstream: &Upstream| upstream.seen().iter().filter(|it| it.target == "/orders").count();
    for _ in 0..10 {
        assert_eq!(caller.get("/orders").await.status, 200);
    }
    assert_eq!((calls(&sick), calls(&well)), (5, 5));

    health.store(503, Ordering::Relaxed);
    until_healthy(&gate, &sick.url(), false).await;
    for _ in 0..10 {
        assert_eq!(caller.get("/orders").await.status, 200);
    }
    assert_eq!((calls(&sick), calls(&well)), (5, 15), "a sick server gets no calls");

    health.store(200, Ordering::Relaxed);
    until_healthy(&gate, &sick.url(), true).await;
    for _ in 0..10 {
        assert_eq!(caller.get("/orders").await.status, 200);
    }
    assert_eq!((calls(&sick), calls(&well)), (10, 20), "and gets its share again");
}

#[tokio::test]
async fn with_every_server_sick_a_call_is_a_503_with_its_reason() {
    let sick = Upstream::answering(|_| text(503, "text/plain", "not now")).await;
    let gate = gate(
        &format!("\"{}\"", sick.url()),
        "health: { path: /healthz, every: 50ms, unhealthy_after: 1, healthy_after: 1 }",
    )
    .await;
    until_healthy(&gate, &sick.url(), false).await;
    let answer = Caller::of(gate.address()).get("/orders").await;
    let event = gate.assert_refused(&answer, 503, "upstream/no_server").await;
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(event["outcome"]["upstream_failed"], "no_server");
    assert!(sick.seen().iter().all(|request| request.target == "/healthz"), "no call reached it");
}

async fn until_healthy(gate: &Gate, server: &str, healthy: bool) {
    for _ in 0..200 {
        let status = gate.status();
        let servers = status["upstreams"].as_array().expect("status has upstreams");
        if servers.iter().any(|it| it["server"] == server && it["healthy"] == healthy) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{server} never became healthy: {healthy}\n{:#}", gate.status());
}
