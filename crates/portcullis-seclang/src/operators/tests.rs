//! Tests of operators: what holds, at its edges, and for any bytes.

use super::*;

fn operator(name: &str, argument: &str) -> Operator {
    Operator::compile(name, argument.as_bytes(), OperatorPorts::default()).unwrap()
}

#[test]
fn compiles_each_operator_by_name_and_judges() {
    for (name, argument, matching, other) in [
        ("beginsWith", "/a", "/ab", "b/a"),
        ("contains", "b", "abc", "ac"),
        ("containsWord", "b", "a b", "ab"),
        ("detectSQLi", "", "1' or '1'='1", "gate"),
        ("detectXSS", "", "<script>", "gate"),
        ("endsWith", "a", "ba", "ab"),
        ("eq", "7", "07", "8"),
        ("ge", "7", "7", "6"),
        ("gt", "7", "8", "7"),
        ("ipMatch", "10.0.0.0/8", "10.1.1.1", "11.1.1.1"),
        ("le", "7", "7", "8"),
        ("lt", "7", "6", "7"),
        ("pm", "a b", "xBx", "x"),
        ("rx", "^a+$", "aa", "ab"),
        ("rxGlobal", "a", "ba", "b"),
        ("STREQ", "a", "a", "b"),
        ("strmatch", "b", "abc", "ac"),
        ("validateByteRange", "97-122", "A", "a"),
        ("validateUrlEncoding", "", "%", "%41"),
        ("verifyCC", r"\d{16}", "n4111111111111111", "4111111111111112"),
        ("verifyCPF", r"\d{11}", "52998224725", "52998224726"),
        ("verifySSN", r"\d{9}", "536228726", "000228726"),
        ("verifySVNR", r"\d{10}", "1237010180", "1238010180"),
        ("within", "abc", "b", "d"),
    ] {
        let operator = operator(name, argument);
        assert!(operator.matches(matching.as_bytes()), "{name} {matching}");
        assert!(!operator.matches(other.as_bytes()), "{name} {other}");
        assert!(operator.kind().name().eq_ignore_ascii_case(name) || name == "strmatch");
        if operator.kind().expands_macros() {
            let kind = OperatorKind::named(name).unwrap();
            assert!(kind.matches_expanded(argument.as_bytes(), matching.as_bytes()), "{name} {matching}");
            assert!(!kind.matches_expanded(argument.as_bytes(), other.as_bytes()), "{name} {other}");
        }
    }
    assert!(operator("unconditionalMatch", "").matches(b""));
    assert!(!operator("noMatch", "").matches(b""));
    assert!(operator("validateUtf8Encoding", "").matches(b"\xff"));
}

#[test]
fn captures_what_rules_refer_to() {
    let captured = |name: &str, argument: &str, value: &str| {
        let operator = operator(name, argument);
        let captures = operator.captures(value.as_bytes());
        captures.iter().map(|(n, bytes)| format!("{n}={}", bytes.escape_ascii())).collect::<Vec<_>>()
    };
    assert_eq!(captured("rx", "a(b)?(c)", "xac"), ["0=ac", "2=c"]);
    assert_eq!(captured("rxGlobal", "a", "aa"), ["0=a", "1=a"]);
    assert_eq!(captured("pm", "Nikto", "NIKTO"), ["0=Nikto"]);
    assert_eq!(captured("detectSQLi", "", "1' or '1'='1"), ["0=s&sos"]);
    assert_eq!(captured("detectXSS", "", "<script>"), ["0=<script>"]);
    assert_eq!(captured("verifyCC", r"\d{16}", "n4111111111111111"), ["0=4111111111111111"]);
    assert!(captured("streq", "a", "a").is_empty());
    let expanded = OperatorKind::Rx.captures_expanded(b"(b)", b"abc");
    assert_eq!(expanded.len(), 2);
}

#[test]
fn refuses_what_it_does_not_know() {
    for (name, argument, word) in [
        ("rxx", "", "no operator"),
        ("rx", "a(?=b)", "look-ahead"),
        ("validateHash", "", "rewrites"),
        ("rsub", "", "rewrites"),
        ("pm", "", "phrase"),
        ("validateByteRange", "x", "range"),
        ("ipMatch", "x", "network"),
    ] {
        let error = Operator::compile(name, argument.as_bytes(), OperatorPorts::default()).unwrap_err();
        assert!(error.message.contains(word), "{name}: {error}");
    }
    assert_eq!(Operator::compile("rx", b"a(?=b)", OperatorPorts::default()).unwrap_err().offset, Some(1));
}

#[test]
fn an_expansion_that_is_no_expression_matches_nothing() {
    assert!(!OperatorKind::Rx.matches_expanded(b"(", b"("));
    assert!(OperatorKind::Rx.captures_expanded(b"(", b"(").is_empty());
}
