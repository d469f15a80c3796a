//! Calls at the same time: places are taken, refused, and given back however a call ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use portcullis_e2e::{Answer, Caller, Gate, HeldUpstream, SHOP, until_status};
use tokio::task::JoinHandle;

async fn gate(upstream: &HeldUpstream, limit: &str) -> Gate {
    let config = format!(
        "
listen: 127.0.0.1:0
admin: {{ address: 127.0.0.1:0 }}
tls: off
identity: {{ providers: {{ api_keys: {{ api_keys: {{}} }} }} }}
plans: {{ narrow: {{ concurrency: 1 }} }}
apis:
  shop: {{ spec: shop.yaml, upstream: \"{}\", auth: api_keys, limit: [{limit}] }}
",
        upstream.url()
    );
    Gate::new(&config).file("shop.yaml", SHOP).start().await
}

fn call(gate: &Gate, key: &str) -> JoinHandle<Answer> {
    let mut caller = Caller::of(gate.address()).with("x-api-key", key);
    tokio::spawn(async move { caller.get("/orders").await })
}

#[tokio::test]
async fn places_are_taken_and_given_back() {
    let upstream = HeldUpstream::start().await;
    let gate = gate(&upstream, "2 concurrent per consumer").await;
    let (key, other) = (gate.key("one", &[]), gate.key("two", &[]));
    let under_way = [call(&gate, &key), call(&gate, &key)];
    upstream.arrived(2).await;
    let refused = call(&gate, &key).await.expect("an answer");
    gate.assert_refused(&refused, 429, "limits/concurrency_exceeded").await;
    assert_eq!(refused.header("retry-after"), "1");
    let unconcerned = call(&gate, &other);
    upstream.arrived(3).await;

    upstream.release(3);
    for call in under_way {
        assert_eq!(call.await.expect("an answer").status, 200, "{}", gate.log());
    }
    assert_eq!(unconcerned.await.expect("an answer").status, 200);
    upstream.release(100);
    until_status(200, || async { call(&gate, &key).await.expect("an answer") }).await;
}

#[tokio::test]
async fn a_client_that_leaves_gives_its_place_back() {
    let upstream = HeldUpstream::start().await;
    let gate = gate(&upstream, "1 concurrent per consumer").await;
    let key = gate.key("one", &[]);
    let leaving = call(&gate, &key);
    upstream.arrived(1).await;
    assert_eq!(call(&gate, &key).await.expect("an answer").status, 429, "{}", gate.log());
    leaving.abort();
    let _gone = leaving.await;
    // The gate learns that the client has left while the upstream still thinks, not from an answer that comes back.
    let events = gate.events(2).await;
    let gone = events.iter().filter(|event| event["outcome"] == "client_gone").count();
    assert_eq!(gone, 1, "a client that left is on record: {events:#?}");
    upstream.release(100);
    until_status(200, || async { call(&gate, &key).await.expect("an answer") }).await;
}

#[tokio::test]
async fn places_of_a_plan_are_counted_for_each_consumer() {
    let upstream = HeldUpstream::start().await;
    let gate = gate(&upstream, "100 concurrent").await;
    let (key, twin) = (gate.key("one", &["--plan", "narrow"]), gate.key("two", &["--plan", "narrow"]));
    let first = call(&gate, &key);
    upstream.arrived(1).await;
    let refused = call(&gate, &key).await.expect("an answer");
    gate.assert_refused(&refused, 429, "limits/concurrency_exceeded").await;
    let second = call(&gate, &twin);
    upstream.arrived(2).await;
    upstream.release(2);
    assert_eq!(first.await.expect("an answer").status, 200, "{}", gate.log());
    assert_eq!(second.await.expect("an answer").status, 200);
    assert_eq!(upstream.arrivals(), 2);
}
