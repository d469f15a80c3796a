//! Bodies of JSON: whole, odd and broken ones.

use super::*;
use proptest::prelude::*;

const LIMITS: Limits = Limits { depth_max: 100, arguments_max: 1000 };

fn read(text: &[u8], limits: Limits) -> (Vec<(String, String)>, Result<(), Fault>) {
    let mut values = Values::new(0);
    let (_, result) = parse(&mut values, text, limits);
    let found = values
        .list(ARGS_STRUCTURED)
        .iter()
        .map(|entry| {
            (
                String::from_utf8_lossy(values.bytes(entry.name)).into_owned(),
                String::from_utf8_lossy(values.bytes(entry.value)).into_owned(),
            )
        })
        .collect();
    (found, result)
}

fn check(text: &str, expected: &[(&str, &str)]) {
    let (found, result) = read(text.as_bytes(), LIMITS);
    assert_eq!(result, Ok(()), "{text}");
    let expected: Vec<(String, String)> =
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn names_leaves_by_their_path() {
    check(
        r#"{"a":{"b":[1,{"c":"x"},[true,null]]},"":-2.5e+3}"#,
        &[
            ("json.a.b.array_0", "1"),
            ("json.a.b.array_1.c", "x"),
            ("json.a.b.array_2.array_0", "true"),
            ("json.a.b.array_2.array_1", ""),
            ("json.empty-key", "-2.5e+3"),
        ],
    );
    check(r#" [ 1 , {} , [ ] , "z" ] "#, &[("json.array_0", "1"), ("json.array_3", "z")]);
    check(r#""top""#, &[("json", "top")]);
    check("false", &[("json", "false")]);
}

#[test]
fn undoes_escapes() {
    check(r#"["\u003cscript\u003E\n\/\u00e9\ud83d\ude00\ud800x"]"#, &[("json.array_0", "<script>\n/é😀?x")]);
}

#[test]
fn keeps_every_duplicate_key() {
    check(r#"{"a":1,"a":2}"#, &[("json.a", "1"), ("json.a", "2")]);
}

#[test]
fn keeps_what_stands_before_a_fault() {
    for (text, fault) in [
        (&br#"{"a":"x","b":"#[..], Fault::Truncated),
        (br#"{"a":"x"} trailing"#, Fault::Syntax(10)),
        (br#"{"a":"x",}"#, Fault::Syntax(9)),
        (br#"{"a":"x","b":01}"#, Fault::Syntax(14)),
        (b"{\"a\":\"x\",\"b\":\"\xff\"}", Fault::Utf8(14)),
        (b"{\"a\":\"x\",\"b\":\"line\nend\"}", Fault::Syntax(18)),
    ] {
        let (found, result) = read(text, LIMITS);
        assert_eq!(result, Err(fault), "{}", text.escape_ascii());
        assert_eq!(found.first(), Some(&("json.a".to_owned(), "x".to_owned())));
    }
    assert_eq!(read(b"", LIMITS).1, Err(Fault::Truncated));
    assert_eq!(read(b"tru", LIMITS).1, Err(Fault::Truncated));
    assert_eq!(read(b"[1}", LIMITS).1, Err(Fault::Syntax(2)));
}

#[test]
fn stops_at_its_limits() {
    let deep = "[".repeat(10_000);
    assert_eq!(read(deep.as_bytes(), LIMITS).1, Err(Fault::Depth));
    let few = Limits { arguments_max: 2, ..LIMITS };
    let (found, result) = read(b"[1,2,3]", few);
    assert_eq!((found.len(), result), (2, Err(Fault::Arguments)));
}

#[test]
fn paths_do_not_grow_quadratically() {
    let depth = 50_000;
    let mut text = "{\"a\":".repeat(depth);
    text.push('[');
    text.push_str(&"1,".repeat(50_000));
    let limits = Limits { depth_max: usize::MAX, arguments_max: usize::MAX };
    assert_eq!(read(text.as_bytes(), limits).1, Err(Fault::Names));
}

proptest! {
    #[test]
    fn survives_any_bytes(text: Vec<u8>) {
        let _ = read(&text, LIMITS);
    }

    #[test]
    fn survives_what_looks_like_json(text in r#"[\[\]{}:,"\\u0-9a-f.eE+ -]{0,60}"#) {
        let _ = read(text.as_bytes(), LIMITS);
    }
}
