//! Where in a request an attack is found, and what is said of it.
#![allow(clippy::unwrap_used, reason = "a test stops when it cannot go on")]

use portcullis_attacks::{Class, Inspector, Judgement, Layer, Parts, Settings, Where};
use portcullis_leaves::{Limits, Tree};

const SCRIPT: &str = "<script>alert(1)</script>";

fn judge(target: &str, headers: &[(&str, &str)], body: &str) -> Judgement {
    let headers: Vec<(&str, &[u8])> = headers.iter().map(|it| (it.0, it.1.as_bytes())).collect();
    let inspector = Inspector::new(&Settings::default());
    inspector.request(&Parts { method: "POST", target, headers: &headers, body: body.as_bytes() })
}

/// The part and place of the strongest finding of a script.
fn found(judgement: &Judgement) -> Option<(Where, String)> {
    let finding = judgement.findings.iter().find(|it| it.class == Class::Script)?;
    judgement.is_attack.then(|| (finding.at, finding.place.clone()))
}

fn is(at: Where, place: &str) -> Option<(Where, String)> {
    Some((at, place.to_owned()))
}

#[test]
fn a_plain_request_is_no_attack() {
    let headers = [
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"),
        ("Accept", "*/*"),
        ("Cookie", "session=abc; theme=dark"),
    ];
    let judgement = judge("/api/v1/orders/17?page=2&sort=-created_at&fields[]=id", &headers, "");
    assert_eq!(judgement, Judgement::default());
}

#[test]
fn looks_at_every_part_of_the_head() {
    assert_eq!(found(&judge(&format!("/a?q={SCRIPT}"), &[], "")), is(Where::Query, "q"));
    assert_eq!(found(&judge("/a?q=%3Cscript%3Ealert(1)%3C/script%3E", &[], "")), is(Where::Query, "q"));
    assert_eq!(found(&judge("/a/%3Cscript%3Ealert(1)%3C%2Fscript%3E/b", &[], "")), is(Where::Path, ""));
    assert_eq!(
        found(&judge("/", &[("X-Forwarded-Host", SCRIPT)], "")),
        is(Where::Header, "X-Forwarded-Host")
    );
    assert_eq!(found(&judge("/", &[("Accept-Language", SCRIPT)], "")), is(Where::Header, "Accept-Language"));
    assert_eq!(
        found(&judge("/", &[("Cookie", "a=b; c=<script>alert(1)</script>")], "")),
        is(Where::Cookie, "c")
    );
    assert!(
        found(&judge("/", &[("Referer", "http://x.example/?name=%3Cscript%3Ealert(1)%3C/script%3E")], ""))
            .is_some()
    );
    assert!(found(&judge(&format!("/?{SCRIPT}"), &[], "")).is_some());
}

#[test]
fn credentials_are_looked_at_when_basic_or_odd() {
    // `' or 1=1 -- :x`
    let basic = judge("/", &[("Authorization", "Basic JyBvciAxPTEgLS0gOng=")], "");
    assert!(basic.is_attack && basic.findings.iter().all(|it| it.layers.iter().eq([Layer::Base64])));
    assert_eq!(judge("/", &[("Authorization", "Bearer JyBvciAxPTEgLS0gOng=")], ""), Judgement::default());
    assert!(found(&judge("/", &[("Authorization", SCRIPT)], "")).is_some());
}

#[test]
fn reads_bodies_by_their_type() {
    let check = |kind: &str, body: &str| {
        let judgement = judge("/", &[("Content-Type", kind)], body);
        assert_eq!(judgement.unread_body, None, "{kind}");
        found(&judgement)
    };
    assert_eq!(
        check("application/json", r#"{"a": {"b": ["x", "<script>alert(1)</script>"]}}"#),
        is(Where::Body, "/a/b/1")
    );
    assert_eq!(check("application/x-www-form-urlencoded", &format!("a=1&b={SCRIPT}")), is(Where::Body, "b"));
    assert_eq!(check("text/xml", "<a><b>&lt;script>alert(1)&lt;/script></b></a>"), is(Where::Body, "b"));
    assert_eq!(
        check("application/soap+xml", "<a b='&lt;script>alert(1)&lt;/script>'/>"),
        is(Where::Body, "b")
    );
    assert_eq!(
        check("application/graphql", r#"{ a(b: "<script>alert(1)</script>") { c } }"#),
        is(Where::Body, "query")
    );
    assert_eq!(check("text/plain", SCRIPT), is(Where::Body, ""));
    assert_eq!(
        check("application/x-ndjson", "{\"a\": 1}\n{\"a\": \"<script>alert(1)</script>\"}\n"),
        is(Where::Body, "/a")
    );
    let part =
        "--B\r\nContent-Disposition: form-data; name=\"p\"\r\n\r\n<script>alert(1)</script>\r\n--B--\r\n";
    assert_eq!(check("multipart/form-data; boundary=B", part), is(Where::Body, "p"));
}

#[test]
fn reads_what_lies_about_its_type_as_what_it_is() {
    let json = r#"{"a": "<script>alert(1)</script>"}"#;
    for kind in [
        "application/x-www-form-urlencoded",
        "text/plain",
        "application/xml",
        "multipart/form-data",
        "nonsense",
    ] {
        assert_eq!(found(&judge("/", &[("Content-Type", kind)], json)), is(Where::Body, "/a"), "{kind}");
    }
    assert_eq!(found(&judge("/", &[], json)), is(Where::Body, "/a"));
    assert_eq!(found(&judge("/", &[], &format!("a={SCRIPT}"))), is(Where::Body, "a"));
}

#[test]
fn a_body_that_cannot_be_read_is_judged_as_raw_text_and_marked() {
    for kind in ["application/json", "text/xml", "multipart/form-data; boundary=B", "application/graphql"] {
        let judgement = judge("/", &[("Content-Type", kind)], "{\"a\": \"<script>alert(1)</script>");
        assert!(judgement.unread_body.is_some() && found(&judgement).is_some(), "{kind}");
    }
    let nested = format!("{}\"{SCRIPT}\"{}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(found(&judge("/", &[("Content-Type", "application/json")], &nested)).is_some());
    let twice = r#"{"a": "<script>alert(1)</script>", "a": 1}"#;
    assert!(found(&judge("/", &[("Content-Type", "application/json")], twice)).is_some());
}

#[test]
fn a_declared_entity_is_found() {
    let body = "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>";
    let judgement = judge("/", &[("Content-Type", "application/xml")], body);
    assert!(judgement.is_attack && judgement.findings.iter().any(|it| it.class == Class::Xxe));
}

#[test]
fn the_syntax_of_a_query_language_is_no_text() {
    let body = r#"{"query": "query Q($id: ID!) { user(id: $id) { name orders(first: 10) { edges { node { id } } } } }",
        "variables": {"id": "17"}}"#;
    assert_eq!(judge("/graphql", &[("Content-Type", "application/json")], body), Judgement::default());
    let body = r#"{"query": "{ user(id: \"1' or '1'='1\") { name } }"}"#;
    let judgement = judge("/graphql", &[("Content-Type", "application/json")], body);
    assert!(judgement.is_attack && judgement.findings.iter().any(|it| it.class == Class::Sql));
}

#[test]
fn the_layers_and_the_place_within_a_text_are_told() {
    let body = r#"{"event": "{\"html\": \"PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==\"}"}"#;
    let judgement = judge("/", &[("Content-Type", "application/json")], body);
    let finding = judgement.findings.iter().find(|it| it.class == Class::Script).unwrap();
    assert_eq!(finding.place, "/event#/html");
    assert!(finding.layers.iter().eq([Layer::Json, Layer::Base64]));
}

#[test]
fn what_a_schema_proves_is_not_looked_at() {
    let tree = Tree::from_json(format!("{{\"a\": \"{SCRIPT}\"}}"), &Limits::default()).unwrap();
    let inspector = Inspector::new(&Settings::default());
    let check = |is_proven: bool| {
        let mut judging = inspector.judge(&|_| true);
        judging.tree(&tree, &|_| is_proven);
        judging.finish().is_attack
    };
    assert!(check(false) && !check(true));
}

#[test]
fn exceptions_classes_and_the_threshold_decide() {
    let parts = Parts { method: "GET", target: "/?q=<script>alert(1)</script>", headers: &[], body: b"" };
    let inspector = Inspector::new(&Settings::default());
    let mut judging =
        inspector.judge(&|candidate| !(candidate.class == Class::Script && candidate.name == "q"));
    judging.parts(&parts);
    assert!(judging.finish().findings.iter().all(|it| it.class != Class::Script));
    let off = Inspector::new(&Settings { off: vec![Class::Script], ..Settings::default() });
    assert!(off.request(&parts).findings.iter().all(|it| it.class != Class::Script));
    let lenient = Inspector::new(&Settings { threshold: 1_000, ..Settings::default() });
    let judgement = lenient.request(&parts);
    assert!(!judgement.is_attack && judgement.score >= 10);
}

#[test]
fn secrets_are_not_shown() {
    let judgement = judge("/", &[], "password=' or 1=1 -- x&user=a");
    assert!(judgement.is_attack);
    assert!(judgement.findings.iter().all(|it| !it.excerpt.contains("1=1")), "{judgement:?}");
}
