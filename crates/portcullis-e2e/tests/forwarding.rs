//! What crosses the gate in a request's head: whose words count, what is taken off, and what is put on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use http::Method;
use portcullis_e2e::{Caller, Gate, SHOP, Upstream};

async fn gate(upstream: &Upstream, listener: &str, api: &str) -> Gate {
    let config = format!(
        "
admin: {{ address: 127.0.0.1:0 }}
listeners: {{ main: {{ address: 127.0.0.1:0, tls: off, {listener} }} }}
identity: {{ providers: {{ api_keys: {{ api_keys: {{}} }} }} }}
apis:
  shop:
    spec: shop.yaml
    upstream: \"{}\"
    auth: [api_keys, anonymous]
{api}",
        upstream.url()
    );
    Gate::new(&config).file("shop.yaml", SHOP).start().await
}

#[tokio::test]
async fn forwarded_for_counts_from_trusted_proxies_alone() {
    for (listener, client) in
        [("", "127.0.0.1"), ("trusted_proxies: [127.0.0.0/8, 10.0.0.0/8]", "203.0.113.9")]
    {
        let upstream = Upstream::agreeable().await;
        let gate = gate(&upstream, listener, "").await;
        let headers = [
            ("x-forwarded-for", "198.51.100.1, 203.0.113.9, 10.1.2.3"),
            ("x-forwarded-proto", "https"),
            ("forwarded", "for=198.51.100.1"),
            ("x-real-ip", "198.51.100.1"),
        ];
        let answer = Caller::of(gate.address()).call(Method::GET, "/orders", &headers, "").await;
        assert_eq!(answer.status, 200);
        assert_eq!(gate.events(1).await[0]["client"], client, "{listener}");
        let seen = upstream.seen().remove(0).headers;
        let told = seen["x-forwarded-for"].to_str().unwrap();
        assert!(told.ends_with("127.0.0.1"), "{told}");
        if listener.is_empty() {
            assert_eq!(told, "127.0.0.1", "a stranger's word is not passed on");
            assert_eq!(seen["x-forwarded-proto"], "http");
            assert!(!seen.contains_key("x-real-ip") && !seen.contains_key("forwarded"), "{seen:?}");
        }
    }
}

#[tokio::test]
async fn nobody_names_himself() {
    let upstream = Upstream::agreeable().await;
    let api = "    identity_headers: { X-Shop-User: principal.id }\n";
    let gate = gate(&upstream, "", api).await;
    let key = gate.key("frontend", &[]);
    let forged = [
        ("x-shop-user", "root"),
        ("X_Shop_User", "root"),
        ("x-portcullis-identity", "root"),
        ("connection", "x-shop-user, x-forwarded-for"),
    ];
    let mut caller = Caller::of(gate.address());
    assert_eq!(caller.call(Method::GET, "/orders", &forged, "").await.status, 200);
    let mut with_key = Caller::of(gate.address()).with("x-api-key", &key);
    assert_eq!(with_key.call(Method::GET, "/orders", &forged, "").await.status, 200);
    let seen = upstream.seen();
    for request in &seen {
        let values: Vec<_> = request.headers.values().filter(|value| value.as_bytes() == b"root").collect();
        assert!(values.is_empty(), "{:?}", request.headers);
        assert!(request.headers.contains_key("x-forwarded-for"), "a nominated field is not lost");
    }
    assert!(!seen[0].headers.contains_key("x-shop-user"));
    assert_eq!(seen[1].headers["x-shop-user"], "frontend", "{:?}", seen[1].headers);
}

#[tokio::test]
async fn fields_are_set_and_removed_and_connections_kept() {
    let upstream = Upstream::answering(|_| {
        let mut answer = portcullis_e2e::text(200, "application/json", "{}");
        answer.headers_mut().insert("x-inner", "1".parse().unwrap());
        answer
    })
    .await;
    let api = "    headers:
      request: { set: { X-Gate: inner }, remove: [X-Debug] }
      response: { set: { Cache-Control: no-store }, remove: [X-Inner] }
";
    let gate = gate(&upstream, "", api).await;
    let mut caller = Caller::of(gate.address()).with("x-debug", "1").with("x-gate", "forged");
    for _ in 0..5 {
        let answer = caller.get("/orders").await;
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(!answer.headers.contains_key("x-inner"));
    }
    for request in upstream.seen() {
        assert_eq!(request.headers["x-gate"], "inner");
        assert!(!request.headers.contains_key("x-debug"), "{:?}", request.headers);
        for hop in ["connection", "keep-alive", "proxy-connection", "te", "upgrade"] {
            assert!(!request.headers.contains_key(hop), "{hop} in {:?}", request.headers);
        }
    }
    let status = gate.status();
    assert_eq!(status["connections"], 1, "five calls, one connection: {status:#}");
}

#[tokio::test]
async fn a_call_can_be_followed_by_its_reference_and_its_trace() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "", "").await;
    let mut caller = Caller::of(gate.address());
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [("traceparent", parent), ("x-request-id", "forged")];
    let answer = caller.call(Method::GET, "/orders", &headers, "").await;
    let event = gate.only_event_of(answer.header("x-request-id")).await;
    let seen = upstream.seen().remove(0).headers;
    assert_eq!(
        seen["x-request-id"],
        answer.header("x-request-id"),
        "one reference for client, record and upstream"
    );
    let sent = seen["traceparent"].to_str().unwrap().split('-').map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(sent.len(), 4, "{sent:?}");
    assert_eq!(event["trace"], sent[1].as_str());
    assert_ne!(sent[2], "b7ad6b7169203331", "the gate is a span of its own");
    let answer = caller.call(Method::GET, "/orders", &[("traceparent", "nonsense")], "").await;
    assert_eq!(answer.status, 200);
    let sent = upstream.seen().remove(1).headers["traceparent"].to_str().unwrap().to_owned();
    assert_eq!(sent.len(), 55, "nonsense is replaced: {sent}");
}
