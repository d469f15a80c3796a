//! `portcullis rules list` and `rules test`: what a configuration loads, and whether it does what its cases say.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use std::path::Path;

use portcullis_e2e::{Output, SHOP, portcullis, shared};
use serde_json::Value;

const OWN: &str = r#"SecRule REQUEST_HEADERS:X-Robot "@streq yes" "id:1001,phase:1,deny,status:403,msg:'Robots stay out',severity:CRITICAL"
SecAuditEngine Off
SecAction "id:1002,phase:1,pass,nolog,setvar:tx.level=1"
SecRule TX:level "@lt 2" "id:1003,phase:2,pass,nolog,skipAfter:STRICT"
SecRule ARGS "@contains odd" "id:1004,phase:2,deny,msg:'An odd word',tag:'words',tag:'paranoia-level/2'"
SecMarker STRICT
SecRule ARGS:json.item "@contains forbidden" \
    "id:1005,phase:2,deny,status:409,msg:'A forbidden word',tag:'words',severity:WARNING"
"#;

const CONFIG: &str = "
listen: 127.0.0.1:0
tls: off
firewall: { attacks: report, rules: [files: [own.conf]] }
apis:
  shop:
    spec: shop.yaml
    path: /v1
    host: shop.example.com
    auth: anonymous
    upstream: http://127.0.0.1:9
    operations: { getOrder: { firewall: { rules_mode: report } } }
    except:
      - { rule: rules/words, operation: createOrder, field: /item, why: items are free text, until: 2099-01-31 }
      - { rule: rules/*, operation: listOrders, why: nothing to protect there }
";

const CASES: &str = r#"
rule_id: 1001
tests:
  - desc: a robot is refused
    stages: [{ input: { method: DELETE, uri: /v1/orders/1, headers: { Host: any, X-Robot: "yes" } }, output: { status: 403, log: { expect_ids: [1001] }, isolated: true } }]
  - desc: an exception takes every rule away
    stages: [{ input: { uri: /v1/orders, headers: { Host: any, X-Robot: "yes" } }, output: { status: 200, log: { no_expect_ids: [1001] } } }]
  - desc: a field is left out
    stages: [{ input: { method: POST, uri: /v1/orders, headers: { Host: any, Content-Type: application/json }, data: '{"item": "forbidden"}' }, output: { status: 200, log: { no_expect_ids: [1005] } } }]
  - desc: what no operation takes is judged as the API is
    stages: [{ input: { method: POST, uri: /elsewhere, headers: { Host: any, Content-Type: application/json }, data: '{"item": "forbidden"}' }, output: { status: 409, log: { match_regex: 'id "1005".*forbidden word' } } }]
  - desc: a report lets the call go on
    stages: [{ input: { uri: /v1/orders/7, headers: { Host: any, X-Robot: "yes" } }, output: { status: 200, log: { expect_ids: [1001] } } }]
"#;

const WRONG: &str = r#"
rule_id: 1005
tests:
  - test_id: 3
    desc: expects too much
    stages: [{ input: { method: DELETE, uri: /v1/orders/1, headers: { Host: any, X-Robot: "yes" } }, output: { status: 200, log: { expect_ids: [1005] } } }]
"#;

fn folder(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("portcullis.yaml", config),
        ("own.conf", OWN),
        ("shop.yaml", SHOP),
        ("cases/good.yaml", CASES),
        ("wrong.yaml", WRONG),
    ] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn rules(folder: &Path, arguments: &[&str]) -> Output {
    let all: Vec<&str> = ["rules"].into_iter().chain(arguments.iter().copied()).collect();
    portcullis(folder, &all)
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[test]
fn list_tells_every_rule_and_what_can_run() {
    let folder = folder(CONFIG);
    let listed = rules(folder.path(), &["list"]);
    assert_eq!(listed.code, 0, "{listed:?}");
    let line = |id: &str| listed.stdout.lines().find(|it| it.starts_with(id)).unwrap_or_default().to_owned();
    assert_eq!(
        line("1005"),
        "1005        2      warning    live  A forbidden word  own.conf:7  [words]",
        "{}",
        listed.stdout
    );
    assert_eq!(
        line("1004"),
        "1004        2  2              off   An odd word  own.conf:5  [words,paranoia-level/2]"
    );
    let except = "except shop createOrder at /item: items are free text (until 2099-01-31)";
    assert_eq!(listed.stdout.matches(except).count(), 2, "{}", listed.stdout);
    assert!(listed.stderr.ends_with("5 rules, 4 live\n"), "{}", listed.stderr);
}

#[test]
fn list_narrows_and_speaks_json() {
    let folder = folder(CONFIG);
    let ids = |arguments: &[&str]| -> Vec<u64> {
        let all: Vec<&str> = ["list", "--json"].into_iter().chain(arguments.iter().copied()).collect();
        let listed = json(&rules(folder.path(), &all));
        listed.as_array().unwrap().iter().map(|it| it["id"].as_u64().unwrap()).collect()
    };
    assert_eq!(ids(&[]), [1001, 1002, 1003, 1004, 1005]);
    assert_eq!(ids(&["--phase", "1"]), [1001, 1002]);
    assert_eq!(ids(&["--tag", "words", "--api", "shop"]), [1004, 1005]);
    assert_eq!(ids(&["--id", "7"]), [0; 0]);
    let one = &json(&rules(folder.path(), &["list", "--json", "--id", "1005"]))[0];
    for (key, value) in [
        ("phase", Value::from(2)),
        ("paranoia", Value::Null),
        ("severity", "warning".into()),
        ("message", "A forbidden word".into()),
        ("file", "own.conf".into()),
        ("line", 7.into()),
        ("live", true.into()),
    ] {
        assert_eq!(one[key], value, "{key}: {one:#}");
    }
    assert_eq!(one["exceptions"][0]["operation"], "createOrder");
    assert_eq!(one["exceptions"][0]["until"], "2099-01-31");
    assert_eq!(one["exceptions"][1]["rule"], "rules/*");
}

#[test]
fn list_shows_what_the_loader_remarked() {
    let folder = folder(CONFIG);
    let notes = rules(folder.path(), &["list", "--notes"]);
    assert!(notes.stdout.starts_with("own.conf:2:1: note: `SecAuditEngine`"), "{notes:?}");
    let notes = json(&rules(folder.path(), &["list", "--notes", "--json"]));
    assert_eq!(notes[0]["level"], "note");
    assert_eq!(rules(folder.path(), &["list", "--notes", "--id", "1"]).code, 2);
}

#[test]
fn cases_are_tested_as_the_configuration_has_the_rules() {
    let folder = folder(CONFIG);
    let good = rules(folder.path(), &["test", "cases"]);
    assert_eq!((good.code, good.stdout.as_str()), (0, "5 cases: 5 passed, 0 failed\n"), "{good:?}");
    let both = rules(folder.path(), &["test", "cases", "wrong.yaml", "--api", "shop"]);
    assert_eq!(both.code, 1, "{both:?}");
    assert_eq!(
        both.stdout,
        "1005-3: status 403 instead of 200, 1005 is missing\n  expects too much\n  wrong.yaml; matched: 1001\n6 cases: 5 passed, 1 failed\n"
    );
    let report = json(&rules(folder.path(), &["test", "wrong.yaml", "--json"]));
    assert_eq!((&report["tests"], &report["passed"], &report["failed"]), (&1.into(), &0.into(), &1.into()));
    assert_eq!(report["failures"][0]["matched"], serde_json::json!([1001]));
    let shown = rules(folder.path(), &["test", "wrong.yaml", "--verbose"]).stdout;
    assert!(shown.contains("DELETE /v1/orders/1 HTTP/1.1") && shown.contains("[id \\\"1001\\\"]"), "{shown}");
}

#[test]
fn mistakes_are_named_for_what_they_are() {
    let folder = folder(CONFIG);
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("bad.yaml", "rule_id: 1\ntests:\n  - stages: [{ input: { uri: /, body: x }, output: {} }]\n");
    write("none.yaml", "# nothing yet\n");
    write(
        "other.yaml",
        &CONFIG.replace("  shop:", "  shop2:").replace("rules: [files: [own.conf]]", "rules: []"),
    );
    write("broken.yaml", &CONFIG.replace("own.conf", "broken.conf"));
    write("broken.conf", "SecRool ARGS \"@rx a\" \"id:1\"\n");
    write("unread.yaml", "listen: nonsense");
    for (arguments, code, told) in [
        (&["test", "bad.yaml"][..], 1, "bad.yaml:3:"),
        (&["test", "none.yaml"], 1, "there are no cases"),
        (&["test", "absent.yaml"], 1, "absent.yaml: there is no such file or folder"),
        (&["test"], 2, "FILE"),
        (&["test", "cases", "--api", "nope"], 1, "there is no API `nope`"),
        (&["list", "--api", "nope"], 1, "there is no API `nope` in the configuration (there is `shop`)"),
        (&["test", "cases", "-c", "other.yaml"], 1, "no API has rules"),
        (&["list", "-c", "other.yaml"], 0, "no API loads rules"),
        (&["list", "-c", "broken.yaml"], 78, "broken.conf:1:"),
        (&["test", "cases", "-c", "broken.yaml"], 78, "broken.conf:1:"),
        (&["list", "-c", "unread.yaml"], 78, "unread.yaml"),
        (&["list", "--phase", "6"], 2, "6"),
    ] {
        let output = rules(folder.path(), arguments);
        assert_eq!(output.code, code, "{arguments:?}: {output:?}");
        assert!(output.stderr.contains(told), "{arguments:?}: {output:?}");
        assert!(!output.stderr.contains("os error"), "{arguments:?}: {output:?}");
    }
}

#[test]
fn sets_of_rules_are_listed_once_with_those_who_use_them() {
    let two = "
listen: 127.0.0.1:0
tls: off
firewall: { rules: [files: [own.conf]] }
apis:
  a: { spec: none, auth: anonymous, path: /a, upstream: http://127.0.0.1:9 }
  b: { spec: none, auth: anonymous, path: /b, upstream: http://127.0.0.1:9 }
  c: { spec: none, auth: anonymous, path: /c, upstream: http://127.0.0.1:9, firewall: { paranoia: 2 } }
";
    let folder = folder(two);
    let listed = rules(folder.path(), &["list", "--id", "1001"]).stdout;
    assert!(listed.contains("rules of a, b\n") && listed.contains("rules of c\n"), "{listed}");
    let json = json(&rules(folder.path(), &["list", "--id", "1001", "--json"]));
    assert_eq!(json.as_array().unwrap().len(), 2);
    let unsaid = rules(folder.path(), &["test", "cases"]);
    assert_eq!(unsaid.code, 1, "{unsaid:?}");
    assert!(unsaid.stderr.contains("name one with --api: `a`, `b`, `c`"), "{unsaid:?}");
}

#[test]
fn paranoia_decides_what_of_the_crs_can_run() {
    let Some(shared) = shared() else { return };
    let crs = shared.join("crs").canonicalize().unwrap();
    let live = |paranoia: u8| {
        let config = format!(
            "
listen: 127.0.0.1:0
tls: off
firewall: {{ rules: [crs: {}], paranoia: {paranoia} }}
apis: {{ shop: {{ spec: none, auth: anonymous, upstream: http://127.0.0.1:9 }} }}
",
            crs.display()
        );
        let listed = json(&rules(folder(&config).path(), &["list", "--json"]));
        let listed = listed.as_array().unwrap().clone();
        assert!(listed.len() > 500, "{}", listed.len());
        let levels = listed.iter().filter(|it| it["live"] == true).filter_map(|it| it["paranoia"].as_u64());
        (levels.clone().max().unwrap(), levels.count())
    };
    let (low, high) = (live(1), live(4));
    assert_eq!((low.0, high.0), (1, 4));
    assert!(low.1 > 150 && high.1 > low.1 + 100, "{low:?} {high:?}");
}
