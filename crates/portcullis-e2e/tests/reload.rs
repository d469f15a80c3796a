//! Changing the configuration of a running gate: by file, by signal, by command; for good and for bad.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

#[path = "reload/weaker.rs"]
mod weaker;

use std::time::Duration;

use http::Method;
use portcullis_e2e::{Caller, Gate, HeldUpstream, SHOP, Upstream, text};
use serde_json::Value;

fn config(upstream: &str, api: &str) -> String {
    format!(
        "
listen: 127.0.0.1:0
admin: {{ address: 127.0.0.1:0 }}
tls: off
apis:
  shop:
    spec: shop.yaml
    upstream: {upstream}
    auth: anonymous
{api}"
    )
}

/// A change that clients see: the operation is refused.
const CLOSED: &str = "    operations: { listOrders: { deny: true } }";

/// Waits until the gate says of itself what is wanted.
async fn until(gate: &Gate, wanted: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..400 {
        let status = gate.status();
        if wanted(&status) {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("never: {}\n{}", gate.status(), gate.log());
}

async fn metric(gate: &Gate, line: &str) -> u64 {
    let text = Caller::of(gate.admin()).get("/metrics").await.text();
    let found =
        text.lines().find_map(|it| it.strip_prefix(line)).unwrap_or_else(|| panic!("no {line} in\n{text}"));
    found.trim().parse().expect("a number")
}

#[tokio::test]
async fn a_changed_file_is_noticed() {
    let upstream = Upstream::agreeable().await;
    let gate = Gate::new(&config(&upstream.url(), "")).file("shop.yaml", SHOP).start().await;
    let mut caller = Caller::of(gate.address());
    assert_eq!(caller.get("/orders").await.status, 200, "{}", gate.log());

    gate.write("portcullis.yaml", config(&upstream.url(), CLOSED));
    until(&gate, |it| it["generation"] == 2).await;
    assert_eq!(caller.get("/orders").await.status, 403);

    // A specification is part of the configuration.
    gate.write("shop.yaml", SHOP.replace("/orders:", "/purchases:"));
    until(&gate, |it| it["generation"] == 3).await;
    assert_eq!(caller.get("/orders").await.status, 404);

    // Editors that write in place are noticed too.
    std::fs::write(gate.folder().join("shop.yaml"), SHOP).expect("a file can be written");
    std::fs::write(gate.folder().join("portcullis.yaml"), config(&upstream.url(), ""))
        .expect("a file can be written");
    until(&gate, |it| it["generation"].as_u64() >= Some(4) && it["last_rejected"].is_null()).await;
    assert_eq!(
        portcullis_e2e::until_status(200, || async { Caller::of(gate.address()).get("/orders").await })
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_hangup_reads_the_configuration_again() {
    let upstream = Upstream::agreeable().await;
    let builder = Gate::new(&config(&upstream.url(), "")).file("shop.yaml", SHOP).argument("--no-watch");
    let gate = builder.start().await;
    let mut caller = Caller::of(gate.address());
    assert_eq!(caller.get("/orders").await.status, 200, "{}", gate.log());
    gate.write("portcullis.yaml", config(&upstream.url(), CLOSED));
    assert_eq!(caller.get("/orders").await.status, 200, "nobody watches");
    gate.signal("HUP");
    until(&gate, |it| it["generation"] == 2).await;
    assert_eq!(caller.get("/orders").await.status, 403);
}

#[tokio::test]
async fn a_bad_file_changes_nothing_and_says_why() {
    let upstream = Upstream::agreeable().await;
    let good = config(&upstream.url(), "");
    let gate = Gate::new(&good).file("shop.yaml", SHOP).argument("--no-watch").start().await;
    let mut caller = Caller::of(gate.address());
    // What is wrong, as what is written into which file, and what the gate must say of it.
    let closed_and = |more: &str| config(&upstream.url(), &format!("{CLOSED}\n{more}"));
    let bad = [
        ("portcullis.yaml", closed_and("    limit: many"), "many"),
        ("portcullis.yaml", closed_and("    colour: blue"), "colour"),
        ("portcullis.yaml", closed_and("    listener: nowhere"), "nowhere"),
        ("portcullis.yaml", "apis: [".to_owned(), "portcullis.yaml"),
        ("portcullis.yaml", good.replace("shop.yaml", "absent.yaml"), "absent.yaml"),
        ("shop.yaml", "openapi: 3.1.0\npaths: {".to_owned(), "shop.yaml"),
        ("shop.yaml", "swagger: '9.9'\npaths: {}".to_owned(), "shop.yaml"),
    ];
    let count = bad.len() as u64;
    for (number, (file, content, why)) in bad.into_iter().enumerate() {
        gate.write(file, content);
        // The three ways say the same; the last is the one that anybody can call.
        match number % 2 {
            0 => {
                gate.signal("HUP");
                until(&gate, |it| it["last_rejected"].as_str().is_some_and(|it| it.contains(why))).await;
            }
            _ => {
                let output = gate.reload();
                assert_eq!(output.code, 78, "{file} {why}: {output:?}");
                assert!(output.stderr.contains(why), "{why}: {}", output.stderr);
            }
        }
        let status = gate.status();
        assert_eq!(status["generation"], 1);
        assert!(status["last_rejected"].as_str().is_some_and(|it| it.contains(why)), "{why}: {status}");
        let told = gate.command(&["status"]).stdout;
        assert!(told.contains("LAST RELOAD REFUSED") && told.contains(why), "{told}");
        let log = gate.log();
        assert!(log.contains("the new configuration is refused") && log.contains(why), "{log}");
        assert_eq!(caller.get("/orders").await.status, 200, "{file} {why}");
        gate.write("portcullis.yaml", &good);
        gate.write("shop.yaml", SHOP);
    }
    let reloads = "portcullis_config_reloads_total";
    assert_eq!(metric(&gate, &format!("{reloads}{{result=\"rejected\"}}")).await, count);
    assert_eq!(metric(&gate, &format!("{reloads}{{result=\"ok\"}}")).await, 1, "the start");

    gate.reload_well();
    let status = gate.status();
    assert_eq!((&status["generation"], &status["last_rejected"]), (&2.into(), &Value::Null));
    assert_eq!(metric(&gate, &format!("{reloads}{{result=\"ok\"}}")).await, 2);
    assert!(!gate.command(&["status"]).stdout.contains("REFUSED"));
}

#[tokio::test]
async fn counters_locks_and_connections_survive() {
    let upstream = Upstream::answering(|request| {
        let status = if request.target == "/login" { 401 } else { 200 };
        text(status, "application/json", "{}")
    })
    .await;
    let api = "    limit: [8/h per ip]
    operations: { login: { login: { attempts: [2/h per username], username_field: /username } } }";
    let gate =
        Gate::new(&config(&upstream.url(), api)).file("shop.yaml", SHOP).argument("--no-watch").start().await;
    let mut caller = Caller::of(gate.address());
    let ada = r#"{"username":"ada","password":"guess"}"#;
    for wanted in [401, 401, 429] {
        assert_eq!(caller.send(Method::POST, "/login", ada).await.status, wanted, "{}", gate.log());
    }
    for generation in 2..=4 {
        gate.write(
            "portcullis.yaml",
            config(&upstream.url(), &format!("{api}\n    size: {{ body: {generation}MiB }}")),
        );
        gate.reload_well();
        assert_eq!(gate.status()["generation"], generation);
        assert_eq!(
            caller.send(Method::POST, "/login", ada).await.status,
            429,
            "whoever is locked out stays so"
        );
    }
    assert_eq!(upstream.seen_count(), 2);
    // Six calls were counted by the rate, two are left, whichever guard refused them.
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(caller.get("/orders").await.status);
    }
    assert_eq!(statuses.first(), Some(&200));
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    assert_eq!(gate.status()["connections"], 1, "it was one connection all along");
}

#[tokio::test]
async fn a_call_under_way_ends_as_it_began() {
    let upstream = HeldUpstream::start().await;
    let gate =
        Gate::new(&config(&upstream.url(), "")).file("shop.yaml", SHOP).argument("--no-watch").start().await;
    let address = gate.address();
    let call = tokio::spawn(async move {
        let mut caller = Caller::of(address);
        let first = caller.get("/orders").await.status;
        (first, caller.get("/orders").await.status)
    });
    upstream.arrived(1).await;
    gate.write("portcullis.yaml", config(&upstream.url(), CLOSED));
    gate.reload_well();
    upstream.release(1);
    assert_eq!(call.await.expect("a caller"), (200, 403), "{}", gate.log());
    assert_eq!(upstream.arrivals(), 1);
}
