//! Rules judged in bulk, and those whose answer is plain before anything is gathered.

use crate::support::{Exchange, check, engine, get, outcome};

/// The same exchange thrice through one engine: new, met before, remembered.
fn check_again(program: &str, exchange: &Exchange, expected: &str) {
    let engine = engine(program);
    for _ in 0..3 {
        assert_eq!(outcome(&exchange.run(&engine)), expected);
    }
}

#[test]
fn a_negated_rule_matches_each_value_that_its_operator_does_not() {
    let program = r#"
        SecRule ARGS "!@rx ^[a-z]+$" "id:1,phase:2,pass,log,t:none,t:lowercase,setvar:tx.n=+1"
        SecRule ARGS "!@rx ^[a-z]+$" "id:2,phase:2,pass,log,t:none,setvar:tx.m=+1"
        SecRule TX:n "@eq 1" "id:3,phase:2,pass,log"
        SecRule TX:m "@eq 2" "id:4,phase:2,pass,log""#;
    check_again(program, &get("/?a=ab&b=AB&c=1"), "1 2 3 4");
    check_again(program, &get("/?a=ab&b=cd"), "");
    check_again(program, &get("/"), "");
}

#[test]
fn a_negated_rule_leaves_out_what_it_excludes() {
    let program = r#"
        SecRule ARGS|!ARGS:b "!@streq x" "id:1,phase:2,pass,log"
        SecRule ARGS:b "!@streq x" "id:2,phase:2,pass,log""#;
    check_again(program, &get("/?a=x&b=y"), "2");
    check_again(program, &get("/?A=y&B=x"), "1");
    check_again(program, &get("/?a=x&b=x"), "");
}

#[test]
fn a_negated_rule_of_several_stages_looks_at_each() {
    let program = r#"SecRule ARGS "!@rx [A-Z]" "id:1,phase:2,pass,log,multiMatch,t:lowercase""#;
    check_again(program, &get("/?a=AB"), "1");
    check_again(program, &get("/?a=1"), "1");
    check(r#"SecRule ARGS "!@rx [A-Z]" "id:1,phase:2,pass,log""#, &get("/?a=AB"), "");
}

#[test]
fn chains_that_do_the_same_to_the_same_text_agree() {
    let program = r#"
        SecRule ARGS "@streq a b" "id:1,phase:2,pass,log,t:none,t:urlDecodeUni,t:lowercase,t:compressWhitespace"
        SecRule ARGS "@streq a b" "id:2,phase:2,pass,log,t:none,t:lowercase,t:compressWhitespace"
        SecRule ARGS "@streq a  b" "id:3,phase:2,pass,log,t:none,t:lowercase"
        SecRule ARGS "@streq A  b" "id:4,phase:2,pass,log,t:none"
        SecRule ARGS "@pm zz a" "id:5,phase:2,pass,log,t:none,t:lowercase"
        SecRule ARGS "@rx a" "id:6,phase:2,pass,log,t:none""#;
    check_again(program, &get("/?q=A%20%20b"), "1 2 3 4 5");
    check_again(program, &get("/?q=a%20%20b"), "1 2 3 5 6");
}

#[test]
fn counts_and_single_variables_answer_plainly() {
    let program = r#"
        SecRule ARGS "@rx ^(.*)$" "id:1,phase:2,pass,nolog,capture,setvar:tx.seen_%{tx.1}=%{tx.1}"
        SecRule &ARGS:A "@eq 2" "id:2,phase:2,pass,log"
        SecRule &ARGS:c "!@eq 0" "id:3,phase:2,pass,log"
        SecRule &TX:/^seen_/ "@eq 3" "id:4,phase:2,pass,log"
        SecRule TX:/^seen_/ "@streq two" "id:5,phase:2,pass,log"
        SecRule TX:seen_two "@streq %{tx.seen_two}" "id:6,phase:2,pass,log"
        SecRule TX:seen_four "!@streq x" "id:7,phase:2,pass,log"
        SecRule ARGS:b "@within one,three" "id:8,phase:2,pass,log""#;
    check_again(program, &get("/?a=one&a=two&b=three"), "2 4 5 6 8");
    check_again(program, &get("/?a=two&c=four"), "3 5 6 7");
}
