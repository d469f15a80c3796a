//! Rates: who is counted, what clients are told, and that a burst is exact.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use portcullis_e2e::{Answer, Caller, Gate, SHOP, Upstream, until_status};

async fn gate(upstream: &Upstream, api: &str) -> Gate {
    let config = format!(
        "
admin: {{ address: 127.0.0.1:0 }}
listeners:
  main:
    address: 127.0.0.1:0
    tls: off
    trusted_proxies: [127.0.0.0/8]
identity: {{ providers: {{ api_keys: {{ api_keys: {{}} }} }} }}
apis:
  shop:
    spec: shop.yaml
    upstream: {}
    auth: [api_keys, anonymous]
{api}",
        upstream.url()
    );
    Gate::new(&config).file("shop.yaml", SHOP).start().await
}

/// The statuses of `count` calls, one after the other.
async fn statuses(caller: &mut Caller, target: &str, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(caller.get(target).await.status);
    }
    statuses
}

fn retry_after(answer: &Answer) -> u64 {
    answer.header("retry-after").parse().unwrap_or_else(|_| panic!("no seconds in {:?}", answer.headers))
}

#[tokio::test]
async fn clients_are_told_how_they_stand() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "    limit: [3/h per consumer]").await;
    let key = gate.key("frontend", &[]);
    let mut caller = Caller::of(gate.address()).with("x-api-key", &key);
    for left in [2, 1, 0] {
        let answer = caller.get("/orders").await;
        assert_eq!(answer.status, 200, "{}\n{}", answer.text(), gate.log());
        assert_eq!(answer.header("ratelimit-policy"), r#""3/h per consumer";q=3;w=3600"#);
        let state = answer.header("ratelimit");
        assert!(state.starts_with(&format!(r#""3/h per consumer";r={left};t="#)), "{state}");
    }
    let refused = caller.get("/orders").await;
    let event = gate.assert_refused(&refused, 429, "limits/rate_exceeded").await;
    assert_eq!(event["principal"]["id"], "frontend");
    assert!(
        (1_100..=1_200).contains(&retry_after(&refused)),
        "a third of an hour: {}",
        retry_after(&refused)
    );
    assert!(refused.header("ratelimit").contains("r=0"), "{}", refused.header("ratelimit"));
    assert_eq!(upstream.seen().len(), 3, "what is refused never reaches the upstream");
    assert!(
        upstream.seen().iter().all(|request| !request.headers.contains_key("x-api-key")),
        "keys stay at the gate"
    );
}

#[tokio::test]
async fn consumers_are_counted_apart_and_those_without_a_name_by_address() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "    limit: [2/h per consumer]").await;
    for name in ["one", "two"] {
        let mut caller = Caller::of(gate.address()).with("x-api-key", &gate.key(name, &[]));
        assert_eq!(statuses(&mut caller, "/orders", 3).await, [200, 200, 429], "{name}\n{}", gate.log());
    }
    for address in ["203.0.113.1", "203.0.113.2"] {
        let mut caller = Caller::of(gate.address()).with("x-forwarded-for", address);
        assert_eq!(statuses(&mut caller, "/orders", 3).await, [200, 200, 429], "{address}");
    }
    // Two keys of one owner are one consumer.
    let first = gate.key("first", &["--owner", "shared"]);
    let second = gate.key("second", &["--owner", "shared"]);
    let mut caller = Caller::of(gate.address()).with("x-api-key", &first);
    assert_eq!(statuses(&mut caller, "/orders", 2).await, [200, 200]);
    let mut caller = Caller::of(gate.address()).with("x-api-key", &second);
    assert_eq!(statuses(&mut caller, "/orders", 1).await, [429]);
}

#[tokio::test]
async fn addresses_are_counted_apart_and_ipv6_by_network() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "    limit: [2/h per ip]").await;
    for (address, expected) in [
        ("203.0.113.1", [200, 200, 429]),
        ("203.0.113.2", [200, 200, 429]),
        ("2001:db8:0:1::1", [200, 200, 429]),
        ("2001:db8:0:1:ffff::2", [429, 429, 429]),
        ("2001:db8:0:2::1", [200, 200, 429]),
    ] {
        let mut caller = Caller::of(gate.address()).with("x-forwarded-for", address);
        assert_eq!(statuses(&mut caller, "/orders", 3).await, expected, "{address}\n{}", gate.log());
    }
    // What a client adds in front of the proxy's word does not make it somebody else.
    for spoofed in 0..3 {
        let chain = format!("198.51.100.{spoofed}, 203.0.113.1");
        let mut caller = Caller::of(gate.address()).with("x-forwarded-for", &chain);
        assert_eq!(caller.get("/orders").await.status, 429, "{chain}");
    }
    let events = gate.events(18).await;
    assert_eq!(events[0]["client"], "203.0.113.1");
}

#[tokio::test]
async fn limits_of_operations_are_their_own() {
    let upstream = Upstream::agreeable().await;
    let api = "    operations:
      listOrders: { limit: 1/h per ip }
      getOrder: { limit: [3/h per ip] }
";
    let gate = gate(&upstream, api).await;
    let mut caller = Caller::of(gate.address());
    assert_eq!(statuses(&mut caller, "/orders", 2).await, [200, 429], "{}", gate.log());
    let mut answers = Vec::new();
    for id in 1..=4 {
        answers.push(caller.get(&format!("/orders/{id}")).await.status);
    }
    assert_eq!(answers, [200, 200, 200, 429], "one operation, whatever the id");
}

#[tokio::test]
async fn a_limit_per_operation_counts_each_operation_apart() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "    limit: [2/h per operation]").await;
    let mut caller = Caller::of(gate.address());
    assert_eq!(statuses(&mut caller, "/orders", 3).await, [200, 200, 429], "{}", gate.log());
    assert_eq!(statuses(&mut caller, "/orders/1", 3).await, [200, 200, 429]);
}

#[tokio::test]
async fn roles_are_counted_apart_and_some_limits_are_for_the_anonymous() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "    limit: [3/h per role, 1/h per ip when anonymous]").await;
    let clerks = [gate.key("a", &["--role", "clerk"]), gate.key("b", &["--role", "clerk"])];
    let mut first = Caller::of(gate.address()).with("x-api-key", &clerks[0]);
    let mut second = Caller::of(gate.address()).with("x-api-key", &clerks[1]);
    assert_eq!(statuses(&mut first, "/orders", 2).await, [200, 200], "{}", gate.log());
    assert_eq!(statuses(&mut second, "/orders", 2).await, [200, 429], "the role is shared");
    let manager = gate.key("c", &["--role", "manager"]);
    let mut manager = Caller::of(gate.address()).with("x-api-key", &manager);
    assert_eq!(statuses(&mut manager, "/orders", 3).await, [200, 200, 200]);
    let mut nobody = Caller::of(gate.address());
    assert_eq!(statuses(&mut nobody, "/orders", 2).await, [200, 429]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_is_exact_under_parallel_calls() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "    limit: [1/h burst 25 per consumer]").await;
    let key = gate.key("eager", &[]);
    let calls: Vec<_> = (0..80)
        .map(|_| {
            let mut caller = Caller::of(gate.address()).with("x-api-key", &key);
            tokio::spawn(async move { caller.get("/orders").await.status })
        })
        .collect();
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.expect("an answer"));
    }
    let passed = statuses.iter().filter(|status| **status == 200).count();
    let limited = statuses.iter().filter(|status| **status == 429).count();
    assert_eq!((passed, limited), (25, 55), "{statuses:?}\n{}", gate.log());
    assert_eq!(upstream.seen().len(), 25);
}

#[tokio::test]
async fn a_spent_rate_comes_back() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "    limit: [1/2s per ip]").await;
    let mut caller = Caller::of(gate.address());
    assert_eq!(caller.get("/orders").await.status, 200);
    let refused = caller.get("/orders").await;
    assert_eq!(refused.status, 429, "{}", gate.log());
    assert!((1..=2).contains(&retry_after(&refused)));
    until_status(200, || {
        let mut caller = Caller::of(gate.address());
        async move { caller.get("/orders").await }
    })
    .await;
}

#[tokio::test]
async fn a_limit_on_report_lets_pass_and_remarks() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "    limit: [1/h per ip]\n    mode: report").await;
    let mut caller = Caller::of(gate.address());
    assert_eq!(statuses(&mut caller, "/orders", 3).await, [200, 200, 200], "{}", gate.log());
    let events = gate.events(3).await;
    assert_eq!(portcullis_e2e::rules(&events[0]), Vec::<&str>::new());
    assert_eq!(portcullis_e2e::rules(&events[2]), ["limits/rate_exceeded"]);
    assert_eq!(events[2]["reasons"][0]["reported_only"], true);
}
