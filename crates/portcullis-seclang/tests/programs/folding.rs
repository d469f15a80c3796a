//! Conditions on `TX` decided at load: fewer rules, the same verdicts.

use crate::support::{World, check, engine, get, outcome, try_engine};
use portcullis_seclang::CompileOptions;
use std::sync::Arc;

fn live(program: &str) -> usize {
    engine(program).live_rules()
}

const LEVELS: &str = r#"
    SecRule &TX:level "@eq 0" "id:1,phase:1,pass,nolog,setvar:tx.level=1"
    SecRule TX:LEVEL "@lt 1" "id:2,phase:2,pass,nolog,tag:'crs',skipAfter:END"
    SecRule ARGS "@rx x" "id:3,phase:2,pass,log,tag:'crs'"
    SecRule TX:level "@lt 2" "id:4,phase:2,pass,nolog,tag:'crs',skipAfter:END"
    SecRule ARGS "@rx x" "id:5,phase:2,pass,log,tag:'crs'"
    SecMarker END
    SecRule TX:level "@ge 2" "id:6,phase:2,pass,nolog,setvar:tx.x=1"
"#;

#[test]
fn levels_and_defaults_are_decided() {
    // Left: the default, rule 3 and the jump.
    assert_eq!(live(LEVELS), 3);
    check(LEVELS, &get("/?a=x"), "3");
    let higher = format!("SecAction \"id:90,phase:1,pass,nolog,setvar:tx.level=2\"\n{LEVELS}");
    assert_eq!(live(&higher), 4);
    check(&higher, &get("/?a=x"), "3 5");
}

#[test]
fn what_a_request_decides_stays_open() {
    let chosen = format!("SecRule ARGS:l \"@eq 2\" \"id:90,phase:1,pass,nolog,setvar:tx.level=2\"\n{LEVELS}");
    check(&chosen, &get("/?a=x"), "3");
    check(&chosen, &get("/?a=x&l=2"), "3 5");
    let dynamic = format!(
        "SecRule ARGS:l \"@rx .\" \"id:90,phase:1,pass,nolog,setvar:'tx.le%{{ARGS.l}}=2'\"\n{LEVELS}"
    );
    check(&dynamic, &get("/?a=x&l=vel"), "3 5");
    check(&dynamic, &get("/?a=x&l=xyz"), "3");
}

#[test]
fn what_the_host_sets_stays_open() {
    let options = CompileOptions { host_variables: &["level"] };
    let engine = try_engine(LEVELS, &Arc::new(World::default()), &options).unwrap();
    let exchange = get("/?a=x");
    assert_eq!(outcome(&exchange.run(&engine)), "3");
    let mut transaction = engine.transaction();
    transaction.set_tx("Level", b"2"[..].into());
    exchange.run_in(&mut transaction);
    assert_eq!(outcome(&transaction), "3 5");
}

#[test]
fn removals_may_take_a_jump_away() {
    let by_id =
        format!("SecRule ARGS:off \"@eq 1\" \"id:90,phase:1,pass,nolog,ctl:ruleRemoveById=4\"\n{LEVELS}");
    check(&by_id, &get("/?a=x"), "3");
    check(&by_id, &get("/?a=x&off=1"), "3 5");
    // Whatever takes the jump away takes what it leaps over away too.
    let by_tag =
        format!("SecRule ARGS:off \"@eq 1\" \"id:90,phase:1,pass,nolog,ctl:ruleRemoveByTag=crs\"\n{LEVELS}");
    assert_eq!(live(&by_tag), 4);
    check(&by_tag, &get("/?a=x&off=1"), "");
}

#[test]
fn a_condition_that_holds_is_left_out_but_what_it_does_stays() {
    let program = r#"
        SecAction "id:1,phase:1,pass,nolog,setvar:tx.on=1,setvar:tx.n=2"
        SecRule TX:on "@eq 1" "id:2,phase:1,pass,nolog,setvar:tx.n=+3"
        SecRule TX:on "@eq 1" "id:3,phase:1,pass,nolog,setvar:'tx.name=%{MATCHED_VAR_NAME}'"
        SecRule TX:n "@eq 5" "id:4,phase:1,pass,log"
        SecRule TX:name "@streq TX:on" "id:5,phase:1,pass,log"
        SecRule TX:n "@eq 6" "id:6,phase:1,deny,log""#;
    check(program, &get("/"), "4 5");
}

#[test]
fn what_is_set_before_a_denial_is_unknown_in_the_logging_phase() {
    let program = r#"
        SecRule ARGS "@rx x" "id:1,phase:1,deny,nolog"
        SecAction "id:2,phase:1,pass,nolog,setvar:tx.late=1"
        SecRule TX:late "@eq 1" "id:3,phase:5,pass,log"
        SecRule &TX:late "@eq 0" "id:4,phase:5,pass,log""#;
    check(program, &get("/"), "3");
    check(program, &get("/?a=x"), "4 -> Deny 403 by 1 in 1");
}

#[test]
fn a_chain_with_a_link_that_never_holds_is_gone() {
    assert_eq!(live("SecRule ARGS \"@rx x\" \"id:1,phase:2,deny,log,chain\"\nSecRule TX:never \"@eq 1\""), 0);
    // What the first link does is done none the less.
    let program = "SecRule ARGS \"@rx x\" \"id:1,phase:2,deny,log,setvar:tx.a=1,chain\"\nSecRule TX:never \"@eq 1\"\nSecRule TX:a \"@eq 1\" \"id:2,phase:2,pass,log\"";
    check(program, &get("/?a=x"), "2");
}

#[test]
fn wrong_operators_of_dead_rules_are_told() {
    let program = "SecRule TX:never \"@eq 1\" \"id:1,phase:2,pass,chain\"\nSecRule ARGS \"@rx (\"\nSecRule ARGS \"@rx [\" \"id:2,phase:2,pass\"";
    let faults = try_engine(program, &Arc::new(World::default()), &CompileOptions::default()).err().unwrap();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].starts_with("test.conf:5:"), "{faults:?}");
}
