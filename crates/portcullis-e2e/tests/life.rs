//! The life of a gate: it drains when told to end, and comes back from a sudden death with its record whole.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use std::{io::Write as _, path::Path, time::Duration};

use portcullis_e2e::{Caller, Gate, HeldUpstream, SHOP, Upstream};
use tokio::net::TcpStream;

async fn gate(upstream: &str, data: &Path) -> Gate {
    let config = format!(
        "
admin: {{ address: 127.0.0.1:0 }}
listen: 127.0.0.1:0
tls: off
data: {}
apis:
  shop: {{ spec: shop.yaml, upstream: \"{upstream}\", auth: anonymous }}
",
        data.display()
    );
    Gate::new(&config).file("shop.yaml", SHOP).start().await
}

#[tokio::test]
async fn a_drain_ends_open_calls_well_and_takes_no_new_ones() {
    let data = tempfile::tempdir().unwrap();
    let upstream = HeldUpstream::start().await;
    let mut gate = gate(&upstream.url(), data.path()).await;
    let address = gate.address();
    let open = tokio::spawn(async move { Caller::of(address).get("/orders").await });
    upstream.arrived(1).await;
    // An idle connection must not hold the end up.
    let _idle = TcpStream::connect(address).await.unwrap();
    gate.signal("TERM");
    let mut refused = false;
    for _ in 0..100 {
        refused = TcpStream::connect(address).await.is_err();
        if refused {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(refused, "a draining gate takes no connection\n{}", gate.log());
    assert!(!open.is_finished(), "the open call is still under way");
    upstream.release(1);
    assert_eq!(open.await.unwrap().status, 200);
    assert_eq!(gate.ended().await, 0, "{}", gate.log());
    let events = gate.events(1).await;
    assert_eq!((events.len(), &events[0]["outcome"]), (1, &serde_json::json!("served")));
    assert_eq!(gate.command(&["audit", "verify"]).code, 0);
    assert_eq!(gate.command(&["status"]).code, 69);
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let data = tempfile::tempdir().unwrap();
    let upstream = HeldUpstream::start().await;
    let mut gate = gate(&upstream.url(), data.path()).await;
    let address = gate.address();
    let open = tokio::spawn(async move {
        Caller::of(address).try_call(http::Method::GET, "/orders", &[], "").await.is_err()
    });
    upstream.arrived(1).await;
    gate.signal("TERM");
    while !gate.log().contains("draining") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    gate.signal("TERM");
    assert_eq!(gate.ended().await, 0, "{}", gate.log());
    assert!(open.await.unwrap(), "the open call was cut");
    assert_eq!(gate.command(&["audit", "verify"]).code, 0);
    assert_eq!(gate.events(1).await.len(), 1, "what was cut is on record too");
}

#[tokio::test]
async fn after_a_sudden_death_the_record_is_sound_and_goes_on() {
    let data = tempfile::tempdir().unwrap();
    let upstream = Upstream::agreeable().await;
    let mut first = gate(&upstream.url(), data.path()).await;
    let mut caller = Caller::of(first.address());
    for _ in 0..50 {
        assert_eq!(caller.get("/orders").await.status, 200);
    }
    first.events(50).await;
    first.signal("KILL");
    first.ended().await;
    // The machine went down in the middle of a line.
    let record = std::fs::read_dir(data.path().join("record")).unwrap().map(|entry| entry.unwrap().path());
    let last = record.filter(|path| path.extension().is_some_and(|it| it == "jsonl")).max().unwrap();
    let mut file = std::fs::OpenOptions::new().append(true).open(last).unwrap();
    file.write_all(br#"{"seq":9999,"prev":"0000"#).unwrap();
    drop(file);

    let second = gate(&upstream.url(), data.path()).await;
    let mut caller = Caller::of(second.address());
    for _ in 0..5 {
        assert_eq!(caller.get("/orders").await.status, 200);
    }
    assert_eq!(
        second.events(55).await.len(),
        55,
        "nothing that was written is lost, nothing is written twice"
    );
    let verified = second.command(&["audit", "verify"]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    assert!(verified.stdout.contains("set aside"), "the torn end is told of: {}", verified.stdout);
}
