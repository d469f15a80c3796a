//! Limits that outlive something: a reload, a restart; and those of one listener only.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use portcullis_e2e::{Caller, Gate, GateBuilder, SHOP, Upstream};

fn config(upstream: &Upstream, top: &str, api: &str) -> String {
    format!(
        "
listen: 127.0.0.1:0
admin: {{ address: 127.0.0.1:0 }}
tls: off
{top}
identity: {{ providers: {{ api_keys: {{ api_keys: {{}} }} }} }}
apis:
  shop:
    spec: shop.yaml
    upstream: {}
    auth: [api_keys, anonymous]
{api}",
        upstream.url()
    )
}

fn gate(config: &str) -> GateBuilder {
    Gate::new(config).file("shop.yaml", SHOP)
}

async fn statuses(caller: &mut Caller, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(caller.get("/orders").await.status);
    }
    statuses
}

#[tokio::test]
async fn a_quota_survives_a_restart() {
    let upstream = Upstream::agreeable().await;
    let kept = tempfile::tempdir().expect("a folder");
    let data = format!("data: {}", kept.path().display());
    let config = config(&upstream, &data, "    limit: [5/month per consumer]");
    let mut first = gate(&config).start().await;
    let key = first.key("frontend", &[]);
    let mut caller = Caller::of(first.address()).with("x-api-key", &key);
    assert_eq!(statuses(&mut caller, 3).await, [200; 3], "{}", first.log());
    drop(caller);
    first.signal("TERM");
    assert_eq!(first.ended().await, 0, "{}", first.log());

    let second = gate(&config).start().await;
    let mut caller = Caller::of(second.address()).with("x-api-key", &key);
    let answer = caller.get("/orders").await;
    assert_eq!(answer.status, 200, "{}", second.log());
    assert!(answer.header("ratelimit").contains("r=1;"), "{}", answer.header("ratelimit"));
    assert_eq!(statuses(&mut caller, 2).await, [200, 429]);
    let refused = caller.get("/orders").await;
    second.assert_refused(&refused, 429, "limits/quota_exceeded").await;
    assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|secs| secs >= 1));
}

#[tokio::test]
async fn a_reload_forgets_nothing() {
    let upstream = Upstream::agreeable().await;
    let api = "    limit: [3/h per consumer]";
    let gate = gate(&config(&upstream, "", api)).start().await;
    let key = gate.key("frontend", &[]);
    let mut caller = Caller::of(gate.address()).with("x-api-key", &key);
    assert_eq!(statuses(&mut caller, 2).await, [200; 2], "{}", gate.log());
    let changed = format!("{api}\n    size: {{ body: 2MiB }}");
    gate.write("portcullis.yaml", config(&upstream, "", &changed));
    gate.reload_well();
    assert_eq!(statuses(&mut caller, 2).await, [200, 429], "the connection and its count live on");

    // A bad file changes nothing, limits included.
    gate.write("portcullis.yaml", config(&upstream, "", "    limit: [many per consumer]"));
    let refused = gate.reload();
    assert_ne!(refused.code, 0);
    assert!(format!("{}{}", refused.stdout, refused.stderr).contains("many per consumer"));
    assert_eq!(statuses(&mut caller, 1).await, [429]);

    // A changed limit is a new one and begins anew.
    gate.write("portcullis.yaml", config(&upstream, "", "    limit: [2/h per consumer]"));
    gate.reload_well();
    assert_eq!(statuses(&mut caller, 3).await, [200, 200, 429]);
}

#[tokio::test]
async fn listeners_have_limits_of_their_own() {
    let upstream = Upstream::agreeable().await;
    let config = format!(
        "
admin: {{ address: 127.0.0.1:0 }}
listeners:
  public: {{ address: \"127.0.0.1:0\", tls: off, limit: [2/h per ip] }}
  inside: {{ address: \"127.0.0.1:0\", tls: off, limit: [4/h per ip] }}
apis:
  shop: {{ spec: shop.yaml, upstream: \"{}\", auth: anonymous }}
",
        upstream.url()
    );
    let gate = gate(&config).start().await;
    let mut public = Caller::of(gate.listener("public"));
    assert_eq!(statuses(&mut public, 3).await, [200, 200, 429], "{}", gate.log());
    let mut inside = Caller::of(gate.listener("inside"));
    assert_eq!(statuses(&mut inside, 5).await, [200, 200, 200, 200, 429]);
    let events = gate.events(8).await;
    assert_eq!(events[2]["listener"], "public");
    assert_eq!(events[7]["listener"], "inside");
}

#[tokio::test]
async fn a_plan_has_rate_and_quota() {
    let upstream = Upstream::agreeable().await;
    let top = "plans: { small: { rate: 100/s, quota: 2/month }, large: { quota: 4/month } }
consumers: { known: { plan: large } }";
    let gate = gate(&config(&upstream, top, "")).start().await;
    let small = gate.key("small", &["--plan", "small"]);
    let mut caller = Caller::of(gate.address()).with("x-api-key", &small);
    assert_eq!(statuses(&mut caller, 3).await, [200, 200, 429], "{}", gate.log());
    let refused = caller.get("/orders").await;
    gate.assert_refused(&refused, 429, "limits/quota_exceeded").await;
    // The plan of a key that names none is that of its consumer.
    let known = gate.key("known", &[]);
    let mut caller = Caller::of(gate.address()).with("x-api-key", &known);
    assert_eq!(statuses(&mut caller, 5).await, [200, 200, 200, 200, 429]);
}
