//! The record: one event an exchange whatever happens, no secret in it, and no change to it that goes unnoticed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use std::{collections::BTreeMap, os::unix::fs::PermissionsExt as _, path::PathBuf};

use aws_lc_rs::digest;
use http::Method;
use portcullis_e2e::{Caller, Gate, SHOP, Upstream, text};
use serde_json::Value;

const ORDER: &str = r#"{"item":"tea"}"#;

async fn gate(upstream: &Upstream) -> Gate {
    let config = format!(
        "
admin: {{ address: 127.0.0.1:0 }}
listen: 127.0.0.1:0
tls: off
apis:
  shop: {{ spec: shop.yaml, upstream: \"{}\", auth: anonymous }}
",
        upstream.url()
    );
    Gate::new(&config).file("shop.yaml", SHOP).start().await
}

/// The value of a metric summed over its labels.
fn metric(exposition: &str, name: &str) -> u64 {
    let lines = exposition.lines().filter(|line| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with('{') || rest.starts_with(' '))
    });
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

#[tokio::test]
async fn two_thousand_mixed_calls_leave_two_thousand_events() {
    let upstream = Upstream::answering(|request| match request.target.as_str() {
        "/orders/500" => text(500, "text/plain", "oops"),
        "/orders/404" => text(404, "application/json", "{}"),
        _ => text(200, "application/json", "{}"),
    })
    .await;
    let gate = gate(&upstream).await;
    let callers = (0..8).map(|_| {
        let mut caller = Caller::of(gate.address());
        async move {
            let mut counts = BTreeMap::<u16, u64>::new();
            for number in 0..250 {
                let answer = match number % 10 {
                    0 => caller.send(Method::POST, "/orders", ORDER).await,
                    1 => caller.send(Method::POST, "/orders", r#"{"item":7}"#).await,
                    2 => caller.send(Method::POST, "/orders", "not json").await,
                    3 => caller.get("/nowhere").await,
                    4 => caller.call(Method::PATCH, "/orders", &[], "").await,
                    5 => caller.get("/orders?limit=1000").await,
                    6 => caller.get("/orders/500").await,
                    7 => caller.get("/orders/404").await,
                    8 => caller.call(Method::OPTIONS, "/orders", &[], "").await,
                    _ => caller.get("/orders").await,
                };
                *counts.entry(answer.status).or_default() += 1;
            }
            counts
        }
    });
    let callers: Vec<_> = callers.map(tokio::spawn).collect();
    let mut told = BTreeMap::<u64, u64>::new();
    for caller in callers {
        for (status, count) in caller.await.unwrap() {
            *told.entry(status.into()).or_default() += count;
        }
    }
    let events = gate.events(2_000).await;
    assert_eq!(events.len(), 2_000);
    let mut recorded = BTreeMap::<u64, u64>::new();
    for event in &events {
        *recorded.entry(event["status"].as_u64().unwrap()).or_default() += 1;
    }
    assert_eq!(recorded, told, "client and record agree status by status");
    let mut ids: Vec<_> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 2_000, "each has a reference of its own");
    let status = gate.status();
    assert_eq!(status["exchanges"], 2_000, "{status:#}");
    assert_eq!(status["events_written"], 2_000, "{status:#}");
    assert_eq!(status["events_dropped"], 0, "{status:#}");
    let metrics = Caller::of(gate.admin()).get("/metrics").await.text();
    assert_eq!(metric(&metrics, "portcullis_exchanges_total"), 2_000, "{metrics}");
    let verified = gate.command(&["audit", "verify", "--json"]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    let verified: Value = serde_json::from_str(&verified.stdout).unwrap();
    assert_eq!(verified["events"], 2_000);
}

#[tokio::test]
async fn with_the_refused_alone_on_record_served_calls_are_counted_and_nothing_else_is_left_out() {
    let upstream = Upstream::answering(|request| match request.target.as_str() {
        "/orders/500" => text(500, "text/plain", "oops"),
        "/orders/404" => text(404, "application/json", "{}"),
        _ => text(200, "application/json", "{}"),
    })
    .await;
    let config = format!(
        "
admin: {{ address: 127.0.0.1:0 }}
listen: 127.0.0.1:0
tls: off
record: {{ calls: refused }}
apis:
  shop:
    spec: shop.yaml
    upstream: \"{}\"
    auth: anonymous
    operations: {{ createOrder: {{ schema: {{ request: report }} }} }}
",
        upstream.url()
    );
    let gate = Gate::new(&config).file("shop.yaml", SHOP).start().await;
    let mut caller = Caller::of(gate.address());
    let mut told = Vec::new();
    for _ in 0..10 {
        told.push(caller.get("/orders").await.status);
        told.push(caller.get("/orders/404").await.status);
    }
    told.push(caller.send(Method::POST, "/orders", ORDER).await.status);
    // Each of these is worth reading of: refused, unknown, would have been refused, failed behind the gate.
    told.push(caller.get("/orders?limit=1000").await.status);
    told.push(caller.get("/nowhere").await.status);
    told.push(caller.send(Method::POST, "/orders", r#"{"item":7}"#).await.status);
    told.push(caller.get("/orders/500").await.status);
    let (plain, remarkable) = told.split_at(21);
    assert!(plain.iter().all(|status| matches!(status, 200 | 404)), "{told:?}");
    assert_eq!(remarkable, [422, 404, 200, 500], "{told:?}");

    let events = gate.events(4).await;
    let recorded: Vec<_> = events.iter().map(|event| event["status"].as_u64().unwrap()).collect();
    assert_eq!(recorded, [422, 404, 200, 500], "{events:#?}");
    assert_eq!(events[2]["reasons"][0]["reported_only"], true, "{events:#?}");

    // What was counted before what is on record by now has been counted by now.
    let metrics = Caller::of(gate.admin()).get("/metrics").await.text();
    assert_eq!(metric(&metrics, "portcullis_exchanges_total"), 25, "{metrics}");
    assert_eq!(metric(&metrics, "portcullis_events_written_total"), 4, "{metrics}");
    assert_eq!(metric(&metrics, "portcullis_events_dropped_total"), 0, "{metrics}");
    assert_eq!(gate.command(&["audit", "verify"]).code, 0);
}

#[tokio::test]
async fn secrets_are_nowhere_in_the_data() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream).await;
    let mut caller = Caller::of(gate.address());
    let headers = [
        ("authorization", "Bearer header-secret-0001"),
        ("cookie", "sid=cookie-secret-0002"),
        ("x-api-key", "apikey-secret-0003"),
        ("content-type", "application/json"),
    ];
    // Served, refused for its body, refused for its query, unknown: each tells something of the message.
    caller
        .call(Method::POST, "/login", &headers, r#"{"username":"ada","password":"body-secret-0004"}"#)
        .await;
    let refused = caller
        .call(Method::POST, "/login", &headers, r#"{"username":1,"password":["body-secret-0005"]}"#)
        .await;
    assert_eq!(refused.status, 422);
    caller
        .call(Method::GET, "/orders?password=query-secret-0006&token=query-secret-0007", &headers, "")
        .await;
    caller.call(Method::GET, "/nowhere?api_key=query-secret-0008", &headers, "").await;
    caller.call(Method::POST, "/orders", &headers, r#"{"item":{"access_token":"body-secret-0009"}}"#).await;
    assert_eq!(gate.events(5).await.len(), 5);
    for secret in [
        "header-secret-0001",
        "cookie-secret-0002",
        "apikey-secret-0003",
        "body-secret-0004",
        "body-secret-0005",
        "query-secret-0006",
        "query-secret-0007",
        "query-secret-0008",
        "body-secret-0009",
    ] {
        gate.assert_nowhere(secret);
    }
    let sent: Vec<_> = upstream.seen();
    assert_eq!(sent.len(), 1, "only the good login went on");
}

#[tokio::test]
async fn forged_lines_stay_inside_their_field() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream).await;
    let mut caller = Caller::of(gate.address());
    let forged = "/orders/1%0A%7B%22seq%22:9%7D%0D%0A%1B%5B2J%E2%80%AE";
    let answer = caller.get(forged).await;
    assert!(answer.status >= 400, "{answer:?}");
    let answer =
        caller.send(Method::POST, "/orders", "{\"item\":[\"a\\n{\\\"seq\\\":1}\\u001b[2J\\u202e\"]}").await;
    assert_eq!(answer.status, 422);
    let events = gate.events(2).await;
    assert_eq!(events.len(), 2);
    for shown in [
        gate.command(&["events"]).stdout,
        gate.command(&["explain", &answer.reference()]).stdout,
        gate.command(&["events", "--json"]).stdout,
        gate.log(),
    ] {
        let wild = |char: &char| (char.is_control() && *char != '\n') || *char == '\u{202e}';
        assert_eq!(shown.chars().find(wild), None, "a terminal would act on {shown:?}");
    }
    assert_eq!(gate.command(&["events"]).stdout.lines().count(), 2, "a line an event");
    assert_eq!(gate.command(&["audit", "verify"]).code, 0);
}

/// A stopped gate with some events on record, and its record.
async fn stopped() -> (Gate, PathBuf) {
    let upstream = Upstream::agreeable().await;
    let mut gate = gate(&upstream).await;
    let mut caller = Caller::of(gate.address());
    for _ in 0..10 {
        assert_eq!(caller.get("/orders").await.status, 200);
    }
    drop(caller);
    gate.signal("TERM");
    assert_eq!(gate.ended().await, 0);
    let mut files: Vec<PathBuf> = std::fs::read_dir(gate.data().join("record"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "jsonl"))
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let verified = gate.command(&["audit", "verify"]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    (gate, files.remove(0))
}

/// Fails unless `audit verify` exits with 4 and names a place; what it says.
fn altered(gate: &Gate) -> Value {
    let said = gate.command(&["audit", "verify"]);
    assert_eq!(said.code, 4, "{}{}", said.stdout, said.stderr);
    assert!(said.stderr.contains("NOT what was written"), "{}", said.stderr);
    let said = gate.command(&["audit", "verify", "--json"]);
    assert_eq!(said.code, 4, "{}{}", said.stdout, said.stderr);
    let said: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(said["sound"], false);
    said["first_bad"].clone()
}

#[tokio::test]
async fn an_altered_record_is_named() {
    let (gate, file) = stopped().await;
    let text = std::fs::read_to_string(&file).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = lines.iter().position(|line| line.contains("\"path\":\"/orders\"")).unwrap() + 3;
    lines[at] = lines[at].replace("\"status\":200", "\"status\":201");
    std::fs::write(&file, lines.join("\n") + "\n").unwrap();
    let bad = altered(&gate);
    assert_eq!(bad["line"], at + 1, "{bad:#}");
    assert_eq!(bad["seq"], at, "{bad:#}");
}

#[tokio::test]
async fn a_removed_record_is_noticed() {
    let (gate, file) = stopped().await;
    let text = std::fs::read_to_string(&file).unwrap();
    let at = text.lines().position(|line| line.contains("\"path\":\"/orders\"")).unwrap() + 3;
    let rest: Vec<&str> =
        text.lines().enumerate().filter(|(number, _)| *number != at).map(|it| it.1).collect();
    std::fs::write(&file, rest.join("\n") + "\n").unwrap();
    let bad = altered(&gate);
    assert_eq!(bad["line"], at + 1, "{bad:#}");
}

#[tokio::test]
async fn a_recomputed_chain_fails_its_signed_checkpoint() {
    let (gate, file) = stopped().await;
    let text = std::fs::read_to_string(&file).unwrap();
    let at = text.lines().position(|line| line.contains("\"path\":\"/orders\"")).unwrap() + 3;
    let mut previous: Option<String> = None;
    let mut forged = String::new();
    for (number, line) in text.lines().enumerate() {
        let (mut body, hash) = {
            let (body, hash) = line.split_once(",\"hash\":\"").unwrap();
            (body.to_owned(), hash.trim_end_matches("\"}").to_owned())
        };
        if number == at {
            body = body.replace("\"status\":200", "\"status\":201");
        }
        if let Some(previous) = &previous {
            let start = body.find("\"prev\":\"").unwrap() + 8;
            body.replace_range(start..start + 64, previous);
        }
        let now = if number >= at { sha256(&body) } else { hash };
        forged.push_str(&format!("{body},\"hash\":\"{now}\"}}\n"));
        previous = Some(now);
    }
    std::fs::write(&file, forged).unwrap();
    let bad = altered(&gate);
    assert!(bad["what"].as_str().unwrap().contains("checkpoint"), "{bad:#}");
    assert!(bad["line"].as_u64().unwrap() > at as u64, "{bad:#}");
}

#[tokio::test]
async fn a_truncated_file_is_noticed() {
    let (gate, file) = stopped().await;
    let text = std::fs::read_to_string(&file).unwrap();
    let at = text.lines().position(|line| line.contains("\"path\":\"/orders\"")).unwrap() + 3;
    let kept: Vec<&str> = text.lines().take(at).collect();
    std::fs::write(&file, kept.join("\n") + "\n").unwrap();
    let bad = altered(&gate);
    assert!(bad["what"].as_str().unwrap().contains("cut off"), "{bad:#}");
    // The whole file gone is no less a truncation.
    std::fs::remove_file(&file).unwrap();
    let said = gate.command(&["audit", "verify"]);
    assert_eq!(said.code, 4, "{}{}", said.stdout, said.stderr);
}

#[tokio::test]
async fn a_history_signed_anew_with_the_gates_own_key_contradicts_a_kept_checkpoint() {
    let (gate, file) = stopped().await;
    let record = gate.data().join("record");
    let kept = gate.folder().join("kept.checkpoint");
    std::fs::copy(record.join("checkpoint"), &kept).unwrap();
    let against =
        |gate: &Gate, checkpoint: &str| gate.command(&["audit", "verify", "--checkpoint", checkpoint]);
    let said = against(&gate, "kept.checkpoint");
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stdout.contains("agrees with the checkpoint kept elsewhere"), "{said:?}");
    for (wrong, why) in
        [("absent", "cannot read the checkpoint `absent`"), ("portcullis.yaml", "portcullis.yaml")]
    {
        let said = against(&gate, wrong);
        assert!(said.code != 0 && said.stderr.contains(why), "{said:?}");
    }
    // Whoever has the machine throws the record away, and lets the gate begin another with the same key.
    std::fs::remove_file(file).unwrap();
    std::fs::remove_file(record.join("checkpoint")).unwrap();
    let config = std::fs::read_to_string(gate.folder().join("portcullis.yaml")).unwrap();
    let again = format!("data: {}\n{config}", gate.data().display());
    let mut again = Gate::new(&again).file("shop.yaml", SHOP).start().await;
    assert_eq!(Caller::of(again.address()).get("/orders").await.status, 502, "its upstream is gone by now");
    again.signal("TERM");
    assert_eq!(again.ended().await, 0);
    assert_eq!(gate.command(&["audit", "verify"]).code, 0, "it is whole and signed");
    let said = against(&gate, "kept.checkpoint");
    assert_eq!(said.code, 4, "{said:?}");
    assert!(said.stderr.contains("a signed checkpoint"), "{said:?}");
}

#[tokio::test]
async fn the_admin_listener_and_the_control_socket_keep_to_themselves() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream).await;
    let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(gate.data().join("control.sock")), 0o600);
    assert_eq!(mode(gate.data().join("record/audit.key")), 0o600);
    let mut admin = Caller::of(gate.admin());
    for (target, status) in
        [("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/v1/status", 200), ("/", 404)]
    {
        assert_eq!(admin.get(target).await.status, status, "{target}");
    }
    let mut caller = Caller::of(gate.address());
    for target in ["/healthz", "/readyz", "/metrics", "/v1/status"] {
        assert_eq!(caller.get(target).await.status, 404, "{target} is not for callers");
    }
}

fn sha256(text: &str) -> String {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
