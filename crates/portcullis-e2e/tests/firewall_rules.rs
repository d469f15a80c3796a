//! Rules in the ModSecurity language in the running gate: the operator's own, and the OWASP CRS where it is at hand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use http::Method;
use portcullis_e2e::{Caller, Gate, GateBuilder, SHOP, Upstream, rules, shared, text};

const OWN: &str = r#"
SecRule REQUEST_HEADERS:X-Robot "@streq yes" "id:1001,phase:1,deny,status:403,msg:'Robots stay out',severity:CRITICAL"
SecRule ARGS:json.note "@contains forbidden" "id:1002,phase:2,deny,status:403,msg:'A forbidden word',tag:'words'"
SecRule ARGS:q "@rx ^x+$" "id:1003,phase:2,pass,log,msg:'Only x'"
SecRule RESPONSE_HEADERS:X-Leak "@unconditionalMatch" "id:1004,phase:3,deny,msg:'A leaking header'"
SecRule RESPONSE_BODY "@contains stack trace" "id:1005,phase:4,deny,msg:'A stack trace'"
"#;

fn gate(upstream: &Upstream, firewall: &str, api: &str) -> GateBuilder {
    let config = format!(
        "
listen: 127.0.0.1:0
admin: {{ address: 127.0.0.1:0 }}
tls: off
firewall: {firewall}
apis:
  shop:
    spec: none
    auth: anonymous
    upstream: {}
{api}",
        upstream.url()
    );
    Gate::new(&config).file("own.conf", OWN)
}

const ONLY_OWN: &str = "{ attacks: report, rules: [files: [own.conf]] }";

#[tokio::test]
async fn the_operators_rules_judge_requests_and_answers() {
    let upstream = Upstream::answering(|request| match request.target.as_str() {
        "/leak" => {
            let mut answer = text(200, "application/json", "{}");
            answer.headers_mut().insert("x-leak", "1".parse().unwrap());
            answer
        }
        "/trace" => text(200, "text/html", "<pre>a stack trace</pre>"),
        _ => text(200, "application/json", r#"{"ok":true}"#),
    })
    .await;
    let gate = gate(&upstream, ONLY_OWN, "").start().await;
    let mut caller = Caller::of(gate.address());
    assert_eq!(caller.get("/").await.status, 200);
    assert_eq!(caller.call(Method::GET, "/", &[("x-robot", "yes")], "").await.status, 403);
    assert_eq!(caller.send(Method::POST, "/", r#"{"note": "a forbidden word"}"#).await.status, 403);
    assert_eq!(caller.send(Method::POST, "/", r#"{"note": "a good word"}"#).await.status, 200);
    assert_eq!(caller.get("/?q=xxx").await.status, 200);
    assert_eq!(caller.get("/leak").await.status, 502);
    assert_eq!(caller.get("/trace").await.status, 502);
    let events = gate.events(7).await;
    let told: Vec<Vec<&str>> = events.iter().map(rules).collect();
    let expected = ["", "rules/1001", "rules/1002", "", "rules/1003", "rules/1004", "rules/1005"];
    for (told, expected) in told.iter().zip(expected) {
        assert_eq!(told.join(" "), expected, "{events:#?}");
    }
    assert_eq!(events[2]["reasons"][0]["evidence"][0]["place"]["body"], "/note");
}

#[tokio::test]
async fn reported_rules_refuse_nothing_and_are_recorded() {
    let upstream = Upstream::agreeable().await;
    let firewall = "{ attacks: off, rules_mode: report, rules: [files: [own.conf]] }";
    let gate = gate(&upstream, firewall, "").start().await;
    let mut caller = Caller::of(gate.address());
    assert_eq!(caller.call(Method::GET, "/", &[("x-robot", "yes")], "").await.status, 200);
    let event = &gate.events(1).await[0];
    assert_eq!(event["reasons"][0]["rule"], "rules/1001");
    assert_eq!(event["reasons"][0]["reported_only"], true);
}

#[tokio::test]
async fn exceptions_take_a_rule_or_a_field_away() {
    let upstream = Upstream::agreeable().await;
    let except = "    except:
      - { rule: rules/1001, why: our own robot }
      - { rule: rules/words, field: /note, why: notes are free }
";
    let gate = gate(&upstream, ONLY_OWN, except).start().await;
    let mut caller = Caller::of(gate.address());
    assert_eq!(caller.call(Method::GET, "/", &[("x-robot", "yes")], "").await.status, 200);
    assert_eq!(caller.send(Method::POST, "/", r#"{"note": "forbidden"}"#).await.status, 200);
}

#[tokio::test]
async fn mistakes_in_rules_are_all_shown_and_change_nothing() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, ONLY_OWN, "").start().await;
    let bad = "SecRule ARGS \"@rx (a\" \"id:1,phase:2,deny\"\nSecRool ARGS \"@rx a\" \"id:2\"\nSecRule ARGS \"@rx (?=a)b\" \"id:3,phase:2,deny\"\n";
    gate.write("own.conf", bad);
    let check = gate.command(&["check"]);
    assert_ne!(check.code, 0);
    let said = format!("{}{}", check.stdout, check.stderr);
    assert!(said.contains("own.conf:2:"), "{said}");
    assert_ne!(gate.reload().code, 0);
    let mut caller = Caller::of(gate.address());
    assert_eq!(caller.call(Method::GET, "/", &[("x-robot", "yes")], "").await.status, 403);

    gate.write("own.conf", "SecRule ARGS:q \"@streq no\" \"id:7,phase:2,deny\"\n");
    let reload = gate.reload();
    assert_eq!(reload.code, 0, "{}", reload.stderr);
    assert_eq!(caller.call(Method::GET, "/", &[("x-robot", "yes")], "").await.status, 200);
    assert_eq!(caller.get("/?q=no").await.status, 403);
}

#[tokio::test]
async fn files_that_are_not_there_are_a_located_error() {
    let upstream = Upstream::agreeable().await;
    let builder = gate(&upstream, "{ rules: [crs: nowhere, files: [none/*.conf]] }", "");
    let check = builder.command(&["check"]);
    assert_ne!(check.code, 0);
    let said = format!("{}{}", check.stdout, check.stderr);
    assert!(said.contains("nowhere/rules/*.conf"), "{said}");
    assert!(said.contains("none/*.conf"), "{said}");
    assert!(said.contains("portcullis.yaml:5"), "{said}");
}

#[tokio::test]
async fn the_crs_guards_with_the_specifications_methods_and_types() {
    let Some(shared) = shared() else { return };
    let upstream = Upstream::agreeable().await;
    let config = format!(
        "
listen: 127.0.0.1:0
tls: off
firewall: {{ attacks: off, rules: [crs: {}], paranoia: 1 }}
apis: {{ shop: {{ spec: shop.yaml, auth: anonymous, upstream: {} }} }}
",
        shared.join("crs").canonicalize().unwrap().display(),
        upstream.url()
    );
    let spec = SHOP.replace("application/json", "application/vnd.shop.v1+json");
    let gate = Gate::new(&config).file("shop.yaml", spec).start().await;
    let mut caller = Caller::of(gate.address())
        .with("host", "shop.example.com")
        .with("user-agent", "test/1")
        .with("accept", "*/*");
    let vendor = [("content-type", "application/vnd.shop.v1+json")];
    assert_eq!(caller.get("/orders?limit=5").await.status, 200);
    assert_eq!(
        caller.call(Method::DELETE, "/orders/7", &[], "").await.status,
        200,
        "{:#?}",
        gate.events(2).await[1]
    );
    let good = r#"{"item": "shoes", "count": 2}"#;
    assert_eq!(
        caller.call(Method::POST, "/orders", &vendor, good).await.status,
        200,
        "{:#?}",
        gate.events(3).await[2]
    );
    let bad = r#"{"item": "1' or sleep(5)#", "count": 2}"#;
    assert_eq!(caller.call(Method::POST, "/orders", &vendor, bad).await.status, 403);
    let event = &gate.events(4).await[3];
    let named = rules(event);
    assert!(named.iter().any(|rule| rule.starts_with("rules/942")), "{named:?}");
    assert!(!named.contains(&"rules/949110"), "the machinery is not told: {named:?}");
}
