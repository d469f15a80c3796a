//! `ctl`: rules and targets taken away, modes, wishes about the record.

use crate::support::{check, engine, form, get};
use portcullis_seclang::RecordChange;

fn program(ctl: &str, rest: &str) -> String {
    format!("SecRule ARGS:off \"@streq 1\" \"id:1,phase:1,pass,nolog,{ctl}\"\n{rest}")
}

const RULES: &str = r#"
    SecRule ARGS:a "@rx x" "id:10,phase:2,pass,log,msg:'ten',tag:'group'"
    SecRule ARGS:/^b/ "@rx x" "id:11,phase:2,pass,log,tag:'group',tag:'other'"
    SecRule TX:none|ARGS "!@rx ^1$" "id:12,phase:2,pass,log""#;

#[test]
fn rules_are_taken_away_for_one_exchange() {
    for (ctl, expected) in [
        ("ctl:ruleRemoveById=10", "11 12"),
        ("ctl:ruleRemoveById=11-12", "10"),
        ("ctl:ruleRemoveByTag=group", "12"),
        ("ctl:ruleRemoveByTag=other", "10 12"),
        ("ctl:ruleRemoveByMsg=ten", "11 12"),
    ] {
        let program = program(ctl, RULES);
        check(&program, &get("/?off=1&a=x&b=x"), expected);
        check(&program, &get("/?off=0&a=x&b=x"), "10 11 12");
    }
}

#[test]
fn targets_are_taken_away_for_one_exchange() {
    for (ctl, expected) in [
        ("ctl:ruleRemoveTargetById=10;ARGS:a", "11 12"),
        ("ctl:ruleRemoveTargetById=10;ARGS", "11 12"),
        ("ctl:ruleRemoveTargetById=10;ARGS:b", "10 11 12"),
        ("ctl:ruleRemoveTargetByTag=group;ARGS:/^[ab]/", "12"),
        ("ctl:ruleRemoveTargetById=12;ARGS:a,ctl:ruleRemoveTargetById=12;ARGS:b", "10 11"),
    ] {
        check(&program(ctl, RULES), &get("/?off=1&a=x&b=x"), expected);
    }
}

#[test]
fn the_engine_changes_its_mode() {
    let rest = "SecAction \"id:10,phase:2,deny,log\"";
    check(&program("ctl:ruleEngine=DetectionOnly", rest), &get("/?off=1"), "10");
    check(&program("ctl:ruleEngine=Off", rest), &get("/?off=1"), "");
    check(&program("ctl:ruleEngine=Off", rest), &get("/?off=0"), "10 -> Deny 403 by 10 in 2");
    check(
        "SecRuleEngine DetectionOnly\nSecAction \"id:1,phase:1,pass,nolog,ctl:ruleEngine=On\"\nSecAction \"id:2,phase:2,deny,log\"",
        &get("/"),
        "2 -> Deny 403 by 2 in 2",
    );
}

#[test]
fn the_processor_can_be_chosen() {
    let rest = "SecRule ARGS \"@streq x\" \"id:10,phase:2,pass,log\"";
    let mut exchange = form("a=x");
    exchange.fields.retain(|(name, _)| name != "Content-Type");
    check(&program("ctl:requestBodyProcessor=URLENCODED", rest), &exchange, "");
    exchange.uri = "/?off=1".to_owned();
    check(&program("ctl:requestBodyProcessor=URLENCODED", rest), &exchange, "10");
    check(
        "SecAction \"id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON\"\nSecRule REQBODY_PROCESSOR \"@streq JSON\" \"id:2,phase:1,pass,log\"",
        &get("/"),
        "2",
    );
}

#[test]
fn wishes_about_the_record_are_kept_in_order() {
    let transaction = get("/?a=x").run(&engine(
        "SecAction \"id:1,phase:1,pass,nolog,ctl:auditEngine=Off,ctl:auditLogParts=+E,sanitiseArg:password\"",
    ));
    let changes = transaction.record_changes();
    assert!(matches!(
        changes,
        [RecordChange::AuditEngine(_), RecordChange::AuditLogParts(..), RecordChange::Sanitise(_)]
    ));
}
