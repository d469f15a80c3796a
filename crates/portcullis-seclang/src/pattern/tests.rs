//! Tests of pattern: what holds, at its edges, and for any bytes.

use proptest::prelude::*;

use super::{Pattern, PatternError, translate};

fn check(pattern: &str, matching: &[&[u8]], other: &[&[u8]]) {
    let compiled =
        Pattern::compile(pattern.as_bytes()).unwrap_or_else(|error| panic!("{pattern}: {error:?}"));
    for value in matching {
        assert!(compiled.is_match(value), "{pattern} on {:?}", value.escape_ascii().to_string());
    }
    for value in other {
        assert!(!compiled.is_match(value), "{pattern} on {:?}", value.escape_ascii().to_string());
    }
}

fn refusal(pattern: &str) -> PatternError {
    translate(pattern.as_bytes()).expect_err(pattern)
}

#[test]
fn reads_bytes_not_characters() {
    check(r"^\x{ff}$", &[b"\xff"], &[b"\xc3\xbf"]);
    check("^é$", &[b"\xc3\xa9"], &[b"\xe9"]);
    check("^[é]$", &[b"\xc3", b"\xa9"], &[b"\xc3\xa9"]);
    check(r"^\xf\x41\x{1b}$", &[b"\x0fA\x1b"], &[]);
}

#[test]
fn lets_the_dot_and_the_anchors_work_on_lines_as_modsecurity_does() {
    check("^b$", &[b"a\nb\nc"], &[b"ab"]);
    check("a.b", &[b"a\nb"], &[]);
    check(r"\Aa.b\z", &[b"a\nb"], &[b"xa\nb", b"a\nb\n"]);
    check(r"(a|b\Z)", &[b"b", b"b\n"], &[b"b\n\n", b"bc"]);
    check("(?-m)b$", &[b"b", b"b\n"], &[b"b\nc"]);
}

#[test]
fn knows_the_sets_of_pcre() {
    check(r"^\h\H\v\V\N$", &[b"\t-\n-x", b"\xa0a\x85bc"], &[b"\n-\n-x"]);
    check(r"^a\Rb$", &[b"a\r\nb", b"a\nb", b"a\x0cb"], &[b"a b"]);
    check(r"^[\h\b]+$", &[b"\t \x08"], &[b"\n"]);
    check(r"^\e\a\cA\ca\c[$", &[b"\x1b\x07\x01\x01\x1b"], &[]);
    check(r"^\s$", &[b"\x0b"], &[b"\xa0"]);
    check(r"^\x$", &[b"\0"], &[]);
}

#[test]
fn knows_octal_codes() {
    check(r"^\101\0\012\o{102}$", &[b"A\0\nB"], &[]);
    check(r"^[\1\101]+$", &[b"\x01A"], &[b"1"]);
    assert!(refusal(r"(a)\1").message.contains("back-reference"));
    assert!(refusal(r"(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\10").message.contains("back-reference"));
    check(r"^\11$", &[b"\t"], &[b"11"]);
}

#[test]
fn quotes() {
    check(r"^\Qa.b*(\E+$", &[b"a.b*((("], &[b"axb*("]);
    check(r"^a\Eb\Q+", &[b"ab+"], &[]);
}

#[test]
fn reads_classes() {
    check(r"^[]a]+$", &[b"]a"], &[b"b"]);
    check(r"^[^]a]+$", &[b"xyz["], &[b"]"]);
    check(r"^[a-]+[\w-z]+[+--]+$", &[b"a-_-z+,-"], &[b"b-x+"]);
    check(r"^[[:alpha:][:digit:]_]+$", &[b"aZ0_"], &[b"-", b":"]);
    check(r"^[[:^digit:]]+$", &[b"ab"], &[b"1"]);
    check(r"^[[a]+$", &[b"[a"], &[b"]"]);
    check(r"^[a&&b~~#]+$", &[b"a&b~#"], &[b"c"]);
    check(r"(?x)^ [ #] $ # end", &[b" ", b"#"], &[b"a"]);
}

#[test]
fn folds_case_before_it_negates() {
    check(r"(?i)^[^a]$", &[b"b"], &[b"a", b"A"]);
    check(r"(?i)^[[:upper:]]$", &[b"a", b"A"], &[b"1"]);
    check(r"(?i)^[[:^lower:]]$", &[b"1"], &[b"a", b"A"]);
    check(r"^(?i:a)b$", &[b"Ab", b"ab"], &[b"aB"]);
    check(r"^a(?i)b|c$", &[b"aB", b"C"], &[b"AB"]);
}

#[test]
fn drops_names_and_comments() {
    check(r"^(?<a>x)(?P<a>y)(?'b'z)(?#why)$", &[b"xyz"], &[]);
    check(r"(?J)(?s-x:a)", &[b"a"], &[]);
    check("(?x) a # (\n b", &[b"ab"], &[b"a b"]);
}

#[test]
fn takes_braces_that_repeat_nothing_as_they_are() {
    check(r"^a{,3}$", &[b"a{,3}"], &[b"aa"]);
    check(r"^{a}{2}$", &[b"{a}}"], &[]);
    check(r"^\{x}$", &[b"{x}"], &[]);
    check(r"^a{2,3}?$", &[b"aa"], &[b"a"]);
}

#[test]
fn refuses_with_the_place() {
    for (pattern, offset, word) in [
        (r"ab(?=c)", 2, "look-ahead"),
        (r"(?<!a)b", 0, "look-behind"),
        (r"a(?>b)", 1, "atomic"),
        (r"ab++", 3, "possessive"),
        (r"a{2}+", 4, "possessive"),
        (r"(a)\1", 3, "back-reference"),
        (r"\k<a>", 0, "back-reference"),
        (r"a(?R)", 1, "recursion"),
        (r"a(?1)", 1, "recursion"),
        (r"(?(1)a|b)", 0, "condition"),
        (r"(*SKIP)", 0, "verb"),
        (r"(?|a|b)", 0, "share"),
        (r"a\Zb", 1, "end"),
        (r"a\K", 1, r"\K"),
        (r"\p{L}", 0, "bytes"),
        (r"\x{100}", 0, "255"),
        (r"a(b", 1, "not closed"),
        (r"ab)", 2, "closes nothing"),
        (r"a[b", 1, "not closed"),
        (r"[b-a]", 1, "backwards"),
        (r"[[:letter:]]", 1, "name"),
        (r"a|*b", 2, "nothing to repeat"),
        (r"a\", 1, "backslash"),
        (r"\y", 0, "no escape"),
        (r"(?<1>a)", 0, "name"),
        (r"(?z)a", 0, "kind"),
    ] {
        let error = refusal(pattern);
        assert_eq!(error.offset, Some(offset), "{pattern}: {error}");
        assert!(error.message.contains(word), "{pattern}: {error}");
    }
}

#[test]
fn refuses_what_compiles_to_too_much() {
    let error = Pattern::compile(br"(?:a{1000}){1000}").unwrap_err();
    assert!(error.message.contains("bytes"), "{error}");
}

proptest! {
    #[test]
    fn never_panics(pattern: Vec<u8>) {
        let _ = Pattern::compile(&pattern);
    }

    #[test]
    fn never_panics_on_the_characters_of_patterns(pattern in "[a-c0-3\\\\\\[\\](){}?*+|^$.:<>=!#,QEPxdDhRZ-]{0,20}") {
        let _ = Pattern::compile(pattern.as_bytes());
    }

    #[test]
    fn a_quoted_value_matches_itself(value in proptest::collection::vec(any::<u8>(), 1..20)) {
        prop_assume!(!value.windows(2).any(|pair| pair == b"\\E") && !value.ends_with(b"\\"));
        let pattern = [b"\\A\\Q", &value[..], b"\\E\\z"].concat();
        let compiled = Pattern::compile(&pattern).unwrap();
        prop_assert!(compiled.is_match(&value));
        prop_assert!(!compiled.is_match(&[&value[..], b"x"].concat()));
    }
}
