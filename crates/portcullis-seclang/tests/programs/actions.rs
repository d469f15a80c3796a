//! What matches do: variables set, texts made, severities, tags.

use crate::support::{check, check_text, engine, get};

#[test]
fn variables_are_set_added_and_removed() {
    let program = |set: &str, rule: &str| {
        format!(
            "SecRule ARGS \"@rx ^x\" \"id:1,phase:2,pass,nolog,{set}\"\nSecRule {rule} \"id:2,phase:2,pass,log\""
        )
    };
    let exchange = get("/?a=x1&b=x2&n=7");
    check(&program("setvar:tx.a", "TX:A \"@streq 1\""), &exchange, "2");
    check(&program("setvar:tx.a=v", "TX:a \"@streq v\""), &exchange, "2");
    check(&program("setvar:'tx.a=%{MATCHED_VAR}'", "TX:a \"@streq x2\""), &exchange, "2");
    check(&program("setvar:tx.a=+5", "TX:a \"@eq 10\""), &exchange, "2");
    check(&program("setvar:tx.a=-3", "TX:a \"@eq -6\""), &exchange, "2");
    check(&program("setvar:tx.a=+%{ARGS.n}", "TX:a \"@eq 14\""), &exchange, "2");
    check(&program("setvar:tx.a=5,setvar:!tx.a", "&TX:a \"@eq 0\""), &exchange, "2");
    check(&program("setvar:tx.b=2,setvar:tx.a=+%{tx.b}", "TX:a \"@eq 4\""), &exchange, "2");
    check(&program("setvar:'tx.n_%{MATCHED_VAR_NAME}=1'", "TX:n_args:a \"@eq 1\""), &exchange, "2");
    check(&program("setvar:'tx.n_%{MATCHED_VAR_NAME}=+1'", "&TX:/^n_/ \"@eq 2\""), &exchange, "2");
    check(
        &program("setvar:'tx.n_%{MATCHED_VAR}=1',setvar:'!tx.n_%{MATCHED_VAR}'", "&TX:/^n_/ \"@eq 0\""),
        &exchange,
        "2",
    );
    check(&program("setvar:tx.a=abc,setvar:tx.a=+1", "TX:a \"@eq 1\""), &exchange, "2");
}

#[test]
fn texts_are_filled_in_at_the_end() {
    check_text(
        "SecRule ARGS \"@rx x\" \"id:1,phase:2,pass,log,severity:CRITICAL,rev:3,msg:'%{rule.rev} %{rule.severity} %{unknown.x}',logdata:'%{tx.later} %{REQUEST_HEADERS:Host}',setvar:tx.later=yes\"".replace("%{unknown.x}", "%{tx.unknown}").as_str(),
        &get("/?a=x"),
        "3 2 ",
        "yes example.com:8080",
    );
}

#[test]
fn matches_carry_tags_and_severity() {
    let transaction = get("/?a=x").run(&engine(
        "SecRule ARGS \"@rx x\" \"id:1,phase:2,pass,log,severity:WARNING,tag:'one',tag:'t/%{REQUEST_METHOD}'\"\nSecRule HIGHEST_SEVERITY \"@le 4\" \"id:2,phase:2,pass,log\"\nSecRule HIGHEST_SEVERITY \"@le 3\" \"id:3,phase:2,pass,log\"",
    ));
    let first = &transaction.matches()[0];
    assert_eq!(first.severity, Some(4));
    assert_eq!(
        first.tags.iter().map(|tag| tag.to_vec()).collect::<Vec<_>>(),
        [b"one".to_vec(), b"t/GET".to_vec()]
    );
    assert_eq!((first.variable.as_slice(), first.value.as_slice()), (&b"ARGS:a"[..], &b"x"[..]));
    assert!(!first.infrastructure);
    assert_eq!(transaction.matches().iter().map(|each| each.id).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn infrastructure_is_told_apart() {
    let transaction = get("/?a=x").run(&engine(
        "SecRule ARGS \"@rx x\" \"id:1,phase:2,pass,log,setvar:tx.score=+5\"\nSecRule TX:score \"@ge 5\" \"id:2,phase:2,pass,log\"\nSecRule TX:/^sc/ \"@ge 5\" \"id:3,phase:2,deny,log,setvar:'tx.score=+%{tx.score}'\"",
    ));
    let infrastructure: Vec<bool> = transaction.matches().iter().map(|each| each.infrastructure).collect();
    // What adds to a score has found something, whatever it looks at.
    assert_eq!(infrastructure, [false, true, false]);
    assert_eq!(transaction.tx_integer("SCORE"), Some(10));
    assert_eq!(transaction.tx_integer("none"), None);
}

#[test]
fn the_environment_is_the_hosts() {
    let transaction = get("/?a=x").run(&engine(
        "SecAction \"id:1,phase:1,pass,nolog,setenv:A=%{REQUEST_METHOD},setenv:B=2\"\nSecAction \"id:2,phase:1,pass,nolog,setenv:!B\"\nSecRule ENV:A \"@streq GET\" \"id:3,phase:1,pass,log\"",
    ));
    assert_eq!(transaction.environment(), [(b"A".to_vec(), b"GET".to_vec())]);
    assert_eq!(transaction.matches().len(), 1);
}

#[test]
fn many_matches_are_bounded() {
    let query: Vec<String> = (0..3000).map(|number| format!("a{number}=x")).collect();
    let transaction = get(&format!("/?{}", query.join("&")))
        .run(&engine("SecRule ARGS \"@rx x\" \"id:1,phase:2,pass,log,multiMatch,setvar:tx.n=+1\""));
    assert_eq!(transaction.matches().len(), 1000);
    assert_eq!(transaction.matches_left_out(), 2000);
    assert_eq!(transaction.tx_integer("n"), Some(3000));
}
