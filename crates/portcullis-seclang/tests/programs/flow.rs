//! Phases, chains, jumps, disruption, modes.

use crate::support::{check, engine, form, get, outcome};

const SEEN: &str = r#"SecAction "id:99,phase:2,pass,log""#;

#[test]
fn runs_phases_in_order_and_rules_in_the_order_of_their_phase() {
    check(
        r#"
        SecAction "id:5,phase:5,pass,log"
        SecAction "id:2,phase:2,pass,log"
        SecAction "id:4,phase:4,pass,log"
        SecAction "id:1,phase:1,pass,log"
        SecAction "id:3,phase:3,pass,log"
        SecAction "id:22,phase:2,pass,log""#,
        &get("/"),
        "1 2 22 3 4 5",
    );
}

#[test]
fn a_denial_ends_all_but_the_logging_phase() {
    let program = r#"
        SecRule ARGS:a "@streq x" "id:1,phase:2,deny,status:429,log"
        SecAction "id:2,phase:2,pass,log"
        SecAction "id:3,phase:4,pass,log"
        SecAction "id:5,phase:5,pass,log""#;
    check(program, &get("/?a=x"), "1 5 -> Deny 429 by 1 in 2");
    check(program, &get("/?a=y"), "2 3 5");
}

#[test]
fn knows_the_disruptive_actions() {
    check(r#"SecAction "id:1,phase:1,deny""#, &get("/"), "1 -> Deny 403 by 1 in 1");
    check(r#"SecAction "id:1,phase:1,drop""#, &get("/"), "1 -> Drop 403 by 1 in 1");
    let redirect = r#"SecAction "id:1,phase:1,redirect:https://example.org/%{REQUEST_METHOD},status:307""#;
    let transaction = get("/").run(&engine(redirect));
    let intervention = transaction.intervention().unwrap();
    assert_eq!(intervention.status, 307);
    assert_eq!(
        intervention.disruption,
        portcullis_seclang::Disruption::Redirect(b"https://example.org/GET".to_vec())
    );
    check(
        r#"SecDefaultAction "phase:1,deny,status:418,log"
        SecRule ARGS "@rx x" "id:1,phase:1,block""#,
        &get("/?a=x"),
        "1 -> Deny 418 by 1 in 1",
    );
}

#[test]
fn allow_reaches_as_far_as_it_says() {
    let rest = r#"
        SecAction "id:2,phase:1,pass,log"
        SecAction "id:3,phase:2,pass,log"
        SecAction "id:4,phase:3,pass,log"
        SecAction "id:5,phase:5,pass,log""#;
    let program = |allow: &str| format!("SecRule ARGS \"@rx x\" \"id:1,phase:1,{allow},log\"\n{rest}");
    check(&program("allow"), &get("/?a=x"), "1 5");
    check(&program("allow:request"), &get("/?a=x"), "1 4 5");
    check(&program("allow:phase"), &get("/?a=x"), "1 3 4 5");
    check(&program("allow"), &get("/?a=y"), "2 3 4 5");
}

#[test]
fn detection_only_reports_and_does_not_interrupt() {
    check(
        "SecRuleEngine DetectionOnly\nSecAction \"id:1,phase:1,deny\"\nSecAction \"id:2,phase:2,deny\"",
        &get("/"),
        "1 2",
    );
    check("SecRuleEngine Off\nSecAction \"id:1,phase:1,deny\"", &get("/"), "");
}

#[test]
fn a_chain_matches_when_all_its_links_do() {
    let program = r#"
        SecRule ARGS:a "@streq 1" "id:1,phase:2,pass,log,setvar:tx.first=1,chain"
            SecRule ARGS:b "@streq 2" "setvar:tx.second=1,chain"
                SecRule ARGS:c "@streq 3" "setvar:tx.third=1"
        SecRule TX:first "@eq 1" "id:2,phase:2,pass,log"
        SecRule TX:second "@eq 1" "id:3,phase:2,pass,log"
        SecRule TX:third "@eq 1" "id:4,phase:2,pass,log""#;
    check(program, &get("/?a=1&b=2&c=3"), "1 2 3 4");
    check(program, &get("/?a=1&b=2&c=4"), "2 3");
    check(program, &get("/?a=1&b=3&c=3"), "2");
    check(program, &get("/?a=2&b=2&c=3"), "");
}

#[test]
fn the_disruptive_action_of_a_chain_waits_for_its_last_link() {
    let program = r#"
        SecRule ARGS:a "@streq 1" "id:1,phase:2,deny,log,chain"
            SecRule ARGS:b "@streq 2""#;
    check(program, &get("/?a=1&b=2"), "1 -> Deny 403 by 1 in 2");
    check(program, &get("/?a=1&b=3"), "");
}

#[test]
fn jumps_over_rules_to_markers() {
    let program = format!(
        r#"
        SecRule ARGS:a "@streq 1" "id:1,phase:2,pass,nolog,skipAfter:END"
        SecAction "id:2,phase:2,pass,log"
        SecRule ARGS:a "@rx ." "id:3,phase:2,pass,log"
        SecMarker END
        {SEEN}"#
    );
    check(&program, &get("/?a=1"), "99");
    check(&program, &get("/?a=2"), "2 3 99");
}

#[test]
fn jumps_over_a_number_of_rules() {
    let program = format!(
        r#"
        SecRule ARGS:a "@streq 1" "id:1,phase:2,pass,nolog,skip:2"
        SecAction "id:2,phase:2,pass,log"
        SecRule ARGS:a "@rx ." "id:3,phase:2,pass,log,chain"
            SecRule ARGS:a "@rx ."
        SecRule ARGS:a "@rx ." "id:4,phase:2,pass,log"
        {SEEN}"#
    );
    check(&program, &get("/?a=1"), "4 99");
    check(&program, &get("/?a=2"), "2 3 4 99");
}

#[test]
fn effects_happen_in_the_order_of_rules_whatever_is_judged_in_bulk() {
    let program = r#"
        SecRule ARGS:a "@rx x" "id:1,phase:2,pass,nolog,setvar:tx.n=+1"
        SecRule TX:n "@eq 1" "id:2,phase:2,pass,log"
        SecRule ARGS:b "@rx x" "id:3,phase:2,pass,nolog,setvar:tx.n=+1"
        SecRule TX:n "@eq 2" "id:4,phase:2,pass,log""#;
    check(program, &get("/?a=x&b=x"), "2 4");
    check(program, &get("/?a=x&b=y"), "2");
    check(program, &get("/?a=y&b=x"), "");
}

#[test]
fn a_phase_left_out_is_run_by_the_next() {
    let engine = engine(
        "SecAction \"id:1,phase:1,pass,log\"\nSecAction \"id:2,phase:2,pass,log\"\nSecAction \"id:3,phase:3,pass,log\"",
    );
    let mut transaction = engine.transaction();
    let head = portcullis_seclang::ResponseHead { status: 200, protocol: b"HTTP/1.1", fields: &[] };
    assert_eq!(transaction.response_head(&head), None);
    assert_eq!(transaction.response_head(&head), None);
    transaction.finish();
    assert_eq!(outcome(&transaction), "1 2 3");
}

#[test]
fn limits_of_bodies_refuse_or_cut() {
    let program = |action: &str| {
        format!(
            "SecRequestBodyLimit 5\nSecRequestBodyLimitAction {action}\nSecRule ARGS \"@rx x\" \"id:1,phase:2,pass,log\"\nSecRule INBOUND_DATA_ERROR \"@eq 1\" \"id:2,phase:2,pass,log\""
        )
    };
    check(&program("Reject"), &form("a=1&b=x"), "-> Deny 413 by 0 in 2");
    check(&program("ProcessPartial"), &form("a=1&b=x"), "2");
    check(&program("ProcessPartial"), &form("a=x&b=x"), "1 2");
    check(&program("Reject"), &form("a=x"), "1");
    check(&format!("SecRuleEngine DetectionOnly\n{}", program("Reject")), &form("a=x&bbbb"), "1 2");
    let response = "SecResponseBodyLimit 3\nSecResponseBodyLimitAction ProcessPartial\nSecRule RESPONSE_BODY \"@streq hel\" \"id:1,phase:4,pass,log\"\nSecRule OUTBOUND_DATA_ERROR \"@eq 1\" \"id:2,phase:4,pass,log\"";
    check(response, &get("/"), "1 2");
}
