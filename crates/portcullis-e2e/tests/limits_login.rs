//! Guessing passwords at an operation of the API itself: failures are counted by user name and by address.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use http::Method;
use portcullis_e2e::{Answer, Caller, Gate, SHOP, Upstream, text};

/// A shop whose only password is `right`.
async fn shop() -> Upstream {
    Upstream::answering(|request| {
        let body = String::from_utf8_lossy(&request.body);
        let status = if body.contains(r#""password":"right""#) { 200 } else { 401 };
        text(status, "application/json", "{}")
    })
    .await
}

async fn gate(upstream: &Upstream, attempts: &str) -> Gate {
    let config = format!(
        "
admin: {{ address: 127.0.0.1:0 }}
listeners:
  main: {{ address: \"127.0.0.1:0\", tls: off, trusted_proxies: [127.0.0.0/8] }}
apis:
  shop:
    spec: shop.yaml
    upstream: {}
    auth: anonymous
    operations:
      login: {{ login: {{ attempts: [{attempts}], username_field: /username }} }}
",
        upstream.url()
    );
    Gate::new(&config).file("shop.yaml", SHOP).start().await
}

async fn login(gate: &Gate, from: &str, name: &str, password: &str) -> Answer {
    let body = serde_json::json!({ "username": name, "password": password }).to_string();
    Caller::of(gate.address()).with("x-forwarded-for", from).send(Method::POST, "/login", &body).await
}

#[tokio::test]
async fn a_user_name_has_few_failures_whatever_the_address() {
    let upstream = shop().await;
    let gate = gate(&upstream, "3/h per username").await;
    for address in 1..=3 {
        let answer = login(&gate, &format!("203.0.113.{address}"), "ada", "wrong").await;
        assert_eq!(answer.status, 401, "{}\n{}", answer.text(), gate.log());
    }
    let refused = login(&gate, "203.0.113.4", "ada", "right").await;
    gate.assert_refused(&refused, 429, "login_attempts/username_spent").await;
    assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|secs| (60..=1_200).contains(&secs)));
    for spelling in ["ADA", " ada "] {
        assert_eq!(login(&gate, "203.0.113.4", spelling, "right").await.status, 429, "{spelling}");
    }
    assert_eq!(login(&gate, "203.0.113.4", "grace", "right").await.status, 200, "others are not concerned");
    assert_eq!(upstream.seen().len(), 4, "the upstream is spared");
    gate.assert_nowhere(r#""password":"#);
}

#[tokio::test]
async fn an_address_has_few_failures_whatever_the_user_name() {
    let upstream = shop().await;
    let gate = gate(&upstream, "4/h per ip").await;
    for user in 0..4 {
        assert_eq!(
            login(&gate, "203.0.113.1", &format!("user{user}"), "wrong").await.status,
            401,
            "{}",
            gate.log()
        );
    }
    let refused = login(&gate, "203.0.113.1", "ada", "right").await;
    gate.assert_refused(&refused, 429, "login_attempts/address_spent").await;
    assert_eq!(login(&gate, "203.0.113.2", "ada", "right").await.status, 200);
}

#[tokio::test]
async fn successes_are_free() {
    let upstream = shop().await;
    let gate = gate(&upstream, "2/h per username, 2/h per ip").await;
    for _ in 0..6 {
        let answer = login(&gate, "203.0.113.1", "ada", "right").await;
        assert_eq!(answer.status, 200, "{}\n{}", answer.text(), gate.log());
    }
    assert_eq!(login(&gate, "203.0.113.1", "ada", "wrong").await.status, 401);
    assert_eq!(login(&gate, "203.0.113.1", "ada", "right").await.status, 200, "one failure is left");
    assert_eq!(login(&gate, "203.0.113.1", "ada", "wrong").await.status, 401);
    assert_eq!(login(&gate, "203.0.113.1", "ada", "right").await.status, 429, "a success gives nothing back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_at_the_same_time_are_no_way_around() {
    let upstream = shop().await;
    let gate = gate(&upstream, "3/h per username").await;
    let address = gate.address();
    let guesses: Vec<_> = (0..30)
        .map(|guess| {
            tokio::spawn(async move {
                let body = format!(r#"{{"username":"ada","password":"guess {guess}"}}"#);
                Caller::of(address).send(Method::POST, "/login", &body).await.status
            })
        })
        .collect();
    let mut failed = 0;
    for guess in guesses {
        failed += usize::from(guess.await.expect("an answer") == 401);
    }
    assert!((1..=3).contains(&failed), "{failed} guesses were answered\n{}", gate.log());
    assert_eq!(upstream.seen().len(), failed);
}
