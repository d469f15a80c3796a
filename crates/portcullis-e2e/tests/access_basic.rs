//! User names and passwords: checked against argon2id, throttled, and never written down.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a failure here is a failed test"
)]

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use portcullis_e2e::{Caller, Gate, SHOP, Upstream, binary, until_status};

const PASSWORD: &str = "correct horse battery";
/// Of [`PASSWORD`], at a cost that a test can pay often.
const CHEAP: &str =
    "$argon2id$v=19$m=1024,t=1,p=1$XH0jkpzaAqQYIxbJIfHpaA$bfAzk1xUaVZx9KPFQv+f1MKdoXEkLtem/06YVM9xQGc";

fn config(upstream: &Upstream, api: &str) -> String {
    format!(
        "
listen: 127.0.0.1:0
admin: {{ address: 127.0.0.1:0 }}
tls: off
identity: {{ providers: {{ staff: {{ basic: {{ users: file:users, realm: shop }} }} }} }}
apis:
  shop:
    spec: shop.yaml
    upstream: {}
    auth: staff
{api}",
        upstream.url()
    )
}

async fn gate(upstream: &Upstream, api: &str) -> Gate {
    let users = format!("# the staff\nada:{CHEAP}:manager,clerk\ngrace:{CHEAP}\n");
    Gate::new(&config(upstream, api)).file("shop.yaml", SHOP).file("users", users).start().await
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

fn hash_password(password: &str) -> String {
    let mut child = Command::new(binary())
        .args(["keys", "hash-password"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary can be started");
    let mut input = child.stdin.take().expect("an input");
    writeln!(input, "{password}").expect("a password can be given");
    drop(input);
    let output = child.wait_with_output().expect("an output");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}

#[tokio::test]
async fn the_right_password_opens_the_gate() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "    operations: { deleteOrder: { roles: [manager] } }").await;
    for (name, target, method, status) in [
        ("ada", "/orders", http::Method::GET, 200),
        ("ada", "/orders/1", http::Method::DELETE, 200),
        ("grace", "/orders", http::Method::GET, 200),
        ("grace", "/orders/1", http::Method::DELETE, 403),
    ] {
        let mut caller = Caller::of(gate.address()).with("authorization", &basic(name, PASSWORD));
        let answer = caller.call(method, target, &[], "").await;
        assert_eq!(answer.status, status, "{name} {target}: {}\n{}", answer.text(), gate.log());
    }
    assert!(
        upstream.seen().iter().all(|request| !request.headers.contains_key("authorization")),
        "passwords stay at the gate"
    );
    let events = gate.events(4).await;
    assert_eq!(events[0]["principal"]["id"], "ada");
    assert_eq!(events[0]["principal"]["mechanism"], "basic");
    gate.assert_nowhere(PASSWORD);
    gate.assert_nowhere(&STANDARD.encode(format!("ada:{PASSWORD}")));
}

#[tokio::test]
async fn wrong_passwords_and_unknown_users_look_the_same() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "").await;
    let mut titles = Vec::new();
    for (credential, rule) in [
        (basic("ada", "wrong password"), "auth/password_wrong"),
        (basic("nobody", PASSWORD), "auth/password_wrong"),
        (basic("", PASSWORD), "auth/password_wrong"),
        (basic("ada", ""), "auth/password_wrong"),
        (basic("ADA", PASSWORD), "auth/password_wrong"),
        ("Basic not-base64!".to_owned(), "auth/credential_malformed"),
        (format!("Basic {}", STANDARD.encode("no colon")), "auth/credential_malformed"),
        (basic("ada", &"x".repeat(2_000)), "auth/credential_oversized"),
        ("Bearer abc".to_owned(), "auth/credential_missing"),
    ] {
        let mut caller = Caller::of(gate.address()).with("authorization", &credential);
        let refused = caller.get("/orders").await;
        gate.assert_refused(&refused, 401, rule).await;
        let challenge = refused.header("www-authenticate");
        assert!(challenge.starts_with("Basic realm="), "{challenge}");
        titles.push(refused.json()["title"].clone());
    }
    titles.dedup();
    assert_eq!(titles.len(), 1, "the client cannot tell them apart");
    gate.assert_nowhere("wrong password");
    assert_eq!(upstream.seen().len(), 0);
}

#[tokio::test]
async fn guessing_passwords_is_bounded() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "    limit: [5/h per ip]").await;
    let mut statuses = Vec::new();
    for guess in 0..12 {
        let mut caller =
            Caller::of(gate.address()).with("authorization", &basic("ada", &format!("guess {guess}")));
        statuses.push(caller.get("/orders").await.status);
    }
    let refused = statuses.iter().filter(|status| **status == 401).count();
    assert_eq!((refused, statuses.len() - refused), (5, 7), "{statuses:?}\n{}", gate.log());
    assert!(statuses.iter().all(|status| matches!(status, 401 | 429)), "{statuses:?}");
}

#[tokio::test]
async fn a_flood_of_passwords_does_not_stop_other_calls() {
    let upstream = Upstream::agreeable().await;
    let dear = hash_password(PASSWORD);
    assert!(dear.starts_with("$argon2id$v=19$"), "{dear}");
    let config = config(&upstream, "    operations: { listOrders: { auth: anonymous } }");
    let gate =
        Gate::new(&config).file("shop.yaml", SHOP).file("users", format!("ada:{dear}\n")).start().await;
    let flood: Vec<_> = (0..40)
        .map(|guess| {
            let mut caller =
                Caller::of(gate.address()).with("authorization", &basic("ada", &format!("guess {guess}")));
            tokio::spawn(async move { caller.get("/orders/1").await.status })
        })
        .collect();
    let mut open = Caller::of(gate.address());
    for _ in 0..20 {
        assert_eq!(open.get("/orders").await.status, 200, "{}", gate.log());
    }
    for guess in flood {
        let status = guess.await.expect("an answer");
        assert!(matches!(status, 401 | 503), "wrong, or too many at once: {status}");
    }
    let right = until_status(200, || {
        let mut caller = Caller::of(gate.address()).with("authorization", &basic("ada", PASSWORD));
        async move { caller.get("/orders/1").await }
    })
    .await;
    assert_eq!(right.status, 200);
}

#[tokio::test]
async fn a_changed_users_file_is_in_force_after_a_reload() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "").await;
    let status = async |name: &str| {
        let mut caller = Caller::of(gate.address()).with("authorization", &basic(name, PASSWORD));
        caller.get("/orders").await.status
    };
    assert_eq!(status("ada").await, 200);
    gate.write("users", format!("grace:{CHEAP}\n"));
    gate.reload_well();
    assert_eq!(status("ada").await, 401, "what was remembered of a removed user is forgotten");
    assert_eq!(status("grace").await, 200);

    gate.write("users", "grace:plain-text-password\n");
    let refused = gate.reload();
    assert_ne!(refused.code, 0);
    let said = format!("{}{}", refused.stdout, refused.stderr);
    assert!(said.contains("line 1") && !said.contains("plain-text-password"), "{said}");
    assert_eq!(status("grace").await, 200, "a bad file changes nothing");
}
