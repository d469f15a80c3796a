//! Every report of one made-up scan.

use serde_json::{Value, json};

use super::*;
use crate::{finding::Shield, model::Protocol};

const HOSTILE: &str =
    "</pre><script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}\u{1b}[31m]]>`|@all";

fn exchange(part: &str, by: &str, url: &str, status: u16, body: &str) -> Exchange {
    Exchange {
        by: by.to_owned(),
        part: part.to_owned(),
        method: "GET".to_owned(),
        url: url.to_owned(),
        request_headers: vec![("authorization".to_owned(), "Bearer ***".to_owned())],
        request_body: String::new(),
        status,
        answer_headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        answer_body: body.to_owned(),
        micros: 12_340,
    }
}

fn finding(check: &str, fingerprint: &str, severity: Severity, certainty: Certainty) -> Finding {
    Finding {
        fingerprint: fingerprint.to_owned(),
        check: check.to_owned(),
        title: "An object can be read by someone it does not belong to".to_owned(),
        section: Section::Security,
        severity,
        certainty,
        operation: "GET /orders/{id}".to_owned(),
        slot: "path:id".to_owned(),
        protocol: Protocol::Rest,
        owasp: "API1:2023".to_owned(),
        cwe: 639,
        wfc: Some("F206".to_owned()),
        summary: "B's order 17 was read by A".to_owned(),
        remedy: "Compare the owner of the object with the caller before answering.".to_owned(),
        exchanges: vec![
            exchange(
                "baseline",
                "B",
                "http://127.0.0.1:8080/orders/17?full=yes",
                200,
                r#"{"id": 17, "note": "canary"}"#,
            ),
            exchange("probe", "A", "http://127.0.0.1:8080/orders/17", 200, HOSTILE),
        ],
        curl: "curl -H \"Authorization: Bearer $A_TOKEN\" http://127.0.0.1:8080/orders/17".to_owned(),
        shield: Shield::Ownership,
    }
}

fn check(id: &str) -> CheckRun {
    CheckRun {
        id: id.to_owned(),
        title: "An object can be read by someone it does not belong to".to_owned(),
        section: Section::Security,
        severity: Severity::High,
        owasp: "API1:2023".to_owned(),
        cwe: 639,
        wfc: Some("F206".to_owned()),
        remedy: "Compare the owner of the object with the caller before answering.".to_owned(),
        oracle: "The owner's canary is read by a stranger, and not by nobody.".to_owned(),
        tried: 2,
        skipped: 1,
        requests: 9,
        operations: vec!["GET /orders/{id}".to_owned(), "GET /users/{id}".to_owned()],
    }
}

fn report() -> Report {
    Report {
        title: "Shop & <Co>".to_owned(),
        target: "http://127.0.0.1:8080".to_owned(),
        source: "shop.yaml".to_owned(),
        started: "2026-01-02T03:04:05Z".to_owned(),
        duration_millis: 4_250,
        seed: "7".to_owned(),
        tool_version: "0.1.0".to_owned(),
        status: Status::Completed,
        notes: vec![Note {
            place: "shop.yaml:3:1".to_owned(),
            text: "`type: Int` is read as `integer`".to_owned(),
        }],
        coverage: vec![
            Coverage { operation: "GET /orders/{id}".to_owned(), reached: true, why: String::new() },
            Coverage { operation: "GET /users/{id}".to_owned(), reached: true, why: String::new() },
            Coverage { operation: "POST /pay".to_owned(), reached: false, why: "always 402".to_owned() },
        ],
        identities: vec![Caller {
            name: "A".to_owned(),
            role: Role::A,
            by: "registered".to_owned(),
            alive: true,
        }],
        requests: 57,
        checks: vec![check("object_read_by_stranger"), check("flow_repeated")],
        findings: vec![
            finding("object_read_by_stranger", "00112233aabbccdd", Severity::High, Certainty::Confirmed),
            finding("flow_repeated", "ffeeddcc00112233", Severity::Medium, Certainty::Suspected),
        ],
        skipped: vec![Skipped {
            check: "flow_repeated".to_owned(),
            operation: "POST /pay".to_owned(),
            slot: String::new(),
            why: "no good call of it is known".to_owned(),
        }],
        lines: BTreeMap::from([(
            "GET /orders/{id}".to_owned(),
            Line { file: "shop.yaml".to_owned(), line: 12, column: 5 },
        )]),
        ..Report::default()
    }
}

/// Every format of a report, for what must hold of all.
fn all(report: &Report) -> Vec<(&'static str, String)> {
    vec![
        ("terminal", terminal::render(report, false)),
        ("json", json::render(report)),
        ("sarif", sarif::render(report)),
        ("junit", junit::render(report)),
        ("html", html::render(report)),
        ("har", har::render(report)),
        ("markdown", markdown::render(report)),
    ]
}

#[test]
fn the_terminal_says_what_was_found_and_what_was_not_reached() {
    insta::assert_snapshot!(terminal::render(&report(), false));
    assert!(terminal::render(&report(), true).contains("\u{1b}[1;31m"));
}

#[test]
fn a_pull_request_gets_the_short_of_it() {
    insta::assert_snapshot!(markdown::render(&report()));
}

#[test]
fn junit_has_a_suite_a_check_and_a_case_an_operation() {
    insta::assert_snapshot!(junit::render(&report()));
}

#[test]
fn json_is_read_back_the_same() {
    let report = Report { baseline: Some(Compared::default()), ..report() };
    assert_eq!(json::read(json::render(&report).as_bytes()).unwrap(), report);
    assert!(json::read(b"{}").is_err());
    let other = json::render(&report).replace("report/1", "report/9");
    assert!(matches!(json::read(other.as_bytes()), Err(json::ReadError::Schema(_))));
    let keys: Vec<String> = {
        let value: Value = serde_json::from_str(&json::render(&report)).unwrap();
        value.as_object().unwrap().keys().cloned().collect()
    };
    insta::assert_snapshot!(keys.join(" "), @"schema title target source started duration_millis seed tool_version status incomplete notes coverage identities requests checks findings skipped lines baseline");
}

#[test]
fn an_incomplete_scan_says_so_everywhere() {
    let report =
        Report { status: Status::Incomplete, incomplete: vec!["logins were lost".to_owned()], ..report() };
    for (name, text) in all(&report).into_iter().filter(|(name, _)| !matches!(*name, "har")) {
        assert!(text.contains("logins were lost"), "{name}: {text}");
    }
    assert!(junit::render(&report).contains("errors=\"1\""));
    let sarif: Value = serde_json::from_str(&sarif::render(&report)).unwrap();
    assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], json!(false));
}

#[test]
fn a_hostile_answer_runs_nothing_and_hides_nothing() {
    let mut report = report();
    for finding in &mut report.findings {
        for text in [
            &mut finding.summary,
            &mut finding.title,
            &mut finding.operation,
            &mut finding.slot,
            &mut finding.curl,
            &mut finding.fingerprint,
            &mut finding.check,
        ] {
            HOSTILE.clone_into(text);
        }
    }
    for text in
        [&mut report.title, &mut report.target, &mut report.seed, &mut report.source, &mut report.started]
    {
        HOSTILE.clone_into(text);
    }
    report.coverage[2].why = HOSTILE.to_owned();
    report.notes[0].text = HOSTILE.to_owned();
    for (name, text) in all(&report) {
        assert!(!text.contains('\u{1b}'), "{name}");
        if !matches!(name, "json" | "har") {
            assert!(!text.contains('\u{202e}'), "{name}");
        }
        if matches!(name, "html" | "junit") {
            assert!(!text.contains("<script") && !text.contains("<img"), "{name}");
        }
    }
    let markdown = markdown::render(&report);
    let outside: String = outside_code(&markdown);
    assert!(!outside.contains("<script") && !outside.contains("<img") && !outside.contains('@'), "{outside}");
}

/// A Markdown text without its code spans and blocks: what stands between two runs of as many backticks.
fn outside_code(text: &str) -> String {
    let mut out = String::new();
    let mut open: Option<usize> = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '`' {
            if open.is_none() {
                out.push(character);
            }
            continue;
        }
        let mut run = 1;
        while characters.next_if_eq(&'`').is_some() {
            run += 1;
        }
        match open {
            None => open = Some(run),
            Some(length) if length == run => open = None,
            Some(_) => {}
        }
    }
    out
}

#[test]
fn the_page_needs_nothing_from_outside_and_lets_nothing_run() {
    let page = html::render(&report());
    assert!(page.contains("default-src 'none'; style-src 'sha256-"));
    for word in ["<script", "<link", "<img", "url(", "@import", "javascript:", "http-equiv=\"refresh"] {
        assert!(!page.contains(word), "{word}");
    }
    for tag in page.split('<').skip(1).filter_map(|it| it.split('>').next()) {
        for attribute in [" src=", " href=", " style=", " on"] {
            assert!(!tag.contains(attribute), "<{tag}>");
        }
    }
    assert!(!page.contains("'unsafe-inline'"));
    for word in [
        "Shop &amp; &lt;Co&gt;",
        "B&#39;s order 17 was read by A",
        "POST /pay",
        "always 402",
        "67",
        "suspected",
    ] {
        assert!(page.contains(word), "{word}");
    }
    // For looking at.
    if let Some(directory) = option_env!("PORTCULLIS_REPORTS") {
        std::fs::write(format!("{directory}/report.html"), page).unwrap();
    }
}

#[test]
fn har_holds_the_exchanges_of_findings_or_of_the_whole_scan() {
    let har: Value = serde_json::from_str(&har::render(&report())).unwrap();
    let entries = har["log"]["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 4);
    assert_eq!(entries[0]["request"]["queryString"], json!([{"name": "full", "value": "yes"}]));
    let whole = Report { traffic: vec![exchange("learn", "A", "http://x/", 200, "")], ..report() };
    let har: Value = serde_json::from_str(&har::render(&whole)).unwrap();
    assert_eq!(har["log"]["entries"].as_array().unwrap().len(), 1);
    // Our own reader takes it.
    let read = crate::model::har::read(har::render(&report()).as_bytes(), None).unwrap();
    assert_eq!(&*read.operations[0].id, "GET /orders/{order_id}");
}

#[test]
fn an_earlier_report_tells_new_fixed_and_untried_apart() {
    let earlier = Report {
        findings: vec![
            finding("object_read_by_stranger", "00112233aabbccdd", Severity::High, Certainty::Confirmed),
            finding("flow_repeated", "1111111111111111", Severity::High, Certainty::Confirmed),
            finding("not_run_now", "2222222222222222", Severity::High, Certainty::Confirmed),
        ],
        ..report()
    };
    let mut now = report();
    let compared = baseline::compare(&now, &earlier);
    assert_eq!(compared.new, ["ffeeddcc00112233"]);
    assert_eq!(compared.persisting, ["00112233aabbccdd"]);
    let names = |list: &[Finding]| list.iter().map(|it| it.check.clone()).collect::<Vec<_>>();
    assert_eq!(names(&compared.fixed), ["flow_repeated"]);
    assert_eq!(names(&compared.untried), ["not_run_now"]);
    now.baseline = Some(compared);
    let states: Vec<String> = {
        let sarif: Value = serde_json::from_str(&sarif::render(&now)).unwrap();
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        results.iter().map(|it| it["baselineState"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states, ["unchanged", "new", "absent"]);
    assert!(terminal::render(&now, false).contains("1 new, 1 still there, 1 fixed, 1 not tried again"));
    let new = FailOn { suspected: true, new_only: true, ..FailOn::default() };
    assert_eq!(now.failing(new).count(), 1);
    assert_eq!(now.failing(FailOn { suspected: false, ..new }).count(), 0);
    assert_eq!(now.failing(FailOn::default()).count(), 1);
    assert_eq!(now.failing(FailOn { severity: Severity::Critical, ..FailOn::default() }).count(), 0);
}

/// The rules of the SARIF 2.1.0 schema for what we write: required members, types, closed sets of words.
#[test]
fn sarif_keeps_the_rules_of_its_schema() {
    let report = Report { baseline: Some(Compared::default()), ..report() };
    for report in [report, Report::default()] {
        let sarif: Value = serde_json::from_str(&sarif::render(&report)).unwrap();
        let text = json!({"type": "string", "minLength": 1});
        let message = json!({"type": "object", "required": ["text"], "properties": {"text": text}});
        let count = json!({"type": "integer", "minimum": 1});
        let words = json!({"type": "object", "additionalProperties": {"type": "string"}});
        let location = json!({"type": "object", "required": ["physicalLocation", "logicalLocations"], "properties": {
            "physicalLocation": {"type": "object", "required": ["artifactLocation"], "properties": {
                "artifactLocation": {"type": "object", "required": ["uri"], "properties": {
                    "uri": {"type": "string", "pattern": "^[^ \\\\{}<>\"|]+$"}}},
                "region": {"type": "object", "required": ["startLine"],
                    "properties": {"startLine": count, "startColumn": count}}}},
            "logicalLocations": {"type": "array", "uniqueItems": true, "items": {"type": "object",
                "required": ["name"], "properties": {"name": text, "fullyQualifiedName": text, "kind": text}}}}});
        let rule = json!({"type": "object", "required": ["id", "shortDescription", "fullDescription", "help"], "properties": {
            "id": text, "name": text, "shortDescription": message, "fullDescription": message, "help": message,
            "helpUri": {"type": "string", "pattern": "^https://"},
            "defaultConfiguration": {"properties": {"level": {"enum": ["none", "note", "warning", "error"]}}},
            "relationships": {"type": "array", "items": {"required": ["target"]}},
            "properties": {"type": "object", "properties": {
                "tags": {"type": "array", "uniqueItems": true, "items": text},
                "security-severity": {"type": "string", "pattern": "^\\d+\\.\\d$"}}}}});
        let result = json!({"type": "object", "required": ["message", "ruleId", "locations", "partialFingerprints"], "properties": {
            "ruleId": text, "ruleIndex": {"type": "integer", "minimum": 0}, "message": message,
            "level": {"enum": ["none", "note", "warning", "error"]},
            "baselineState": {"enum": ["new", "unchanged", "updated", "absent"]},
            "locations": {"type": "array", "minItems": 1, "items": location},
            "partialFingerprints": words,
            "webRequest": {"type": "object", "additionalProperties": false, "properties": {
                "protocol": text, "method": text, "target": text, "headers": words, "body": {"type": "object"}}},
            "webResponse": {"type": "object", "additionalProperties": false, "properties": {
                "protocol": text, "statusCode": {"type": "integer"}, "headers": words, "body": {"type": "object"},
                "noResponseReceived": {"type": "boolean"}}}}});
        let schema = json!({"type": "object", "required": ["version", "runs"], "additionalProperties": false, "properties": {
            "$schema": text, "version": {"const": "2.1.0"},
            "runs": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["tool"], "additionalProperties": false, "properties": {
                "tool": {"type": "object", "required": ["driver"], "properties": {"driver": {"type": "object",
                    "required": ["name"], "properties": {"name": text, "version": text, "semanticVersion": text,
                        "rules": {"type": "array", "uniqueItems": true, "items": rule}}}}},
                "automationDetails": {"required": ["id"]},
                "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                "taxonomies": {"type": "array", "items": {"required": ["name"]}},
                "invocations": {"type": "array", "items": {"type": "object", "required": ["executionSuccessful"]}},
                "results": {"type": "array", "items": result},
                "properties": {"type": "object"}}}}}});
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&sarif).map(|it| format!("{}: {it}", it.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        // Rules are named by their index, and it is theirs.
        let run = &sarif["runs"][0];
        for result in run["results"].as_array().unwrap() {
            if let Some(index) = result["ruleIndex"].as_u64() {
                assert_eq!(run["tool"]["driver"]["rules"][index as usize]["id"], result["ruleId"]);
            }
        }
    }
    let sarif: Value = serde_json::from_str(&sarif::render(&self::report())).unwrap();
    let region = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(region["artifactLocation"]["uri"], json!("shop.yaml"));
    assert_eq!(region["region"], json!({"startLine": 12, "startColumn": 5}));
}
