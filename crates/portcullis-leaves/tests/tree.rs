//! Trees at their boundary: text in, values out.
#![allow(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::indexing_slicing,
    reason = "a test stops where it fails, and says so"
)]

use bytes::Bytes;
use portcullis_leaves::{BuildError, Kind, LimitExceeded, Limits, Tree, TreeBuilder, json};

fn tree(text: &str) -> Tree {
    json::parse(Bytes::copy_from_slice(text.as_bytes()), &Limits::default()).unwrap()
}

fn check_refused(text: &str, limits: &Limits, expected: &str) {
    let error = json::parse(Bytes::copy_from_slice(text.as_bytes()), limits).unwrap_err();
    assert_eq!(format!("{error} in `{}`", error.pointer), expected, "{text}");
}

const ORDER: &str = r#"
{ "id": 7, "note": "a\u00e9\n", "open": true, "lines": [ {"sku": "x/1", "qty": 1.50}, [], {} ], "a~/b": null }"#;

#[test]
fn reads_every_kind() {
    let tree = tree(ORDER);
    let root = tree.root();
    assert_eq!((root.kind(), root.len()), (Kind::Object, 5));
    assert_eq!(root.get("id").unwrap().number().unwrap().as_u64(), Some(7));
    assert_eq!(root.get("note").unwrap().as_str(), Some("aé\n"));
    assert_eq!(root.get("open").unwrap().as_bool(), Some(true));
    assert!(root.get("a~/b").unwrap().is_null());
    assert!(root.get("nothing").is_none());
    let lines = root.get("lines").unwrap();
    assert_eq!((lines.kind(), lines.len(), lines.elements().len()), (Kind::Array, 3, 3));
    assert_eq!(lines.elements().map(|line| line.len()).collect::<Vec<_>>(), [2, 0, 0]);
    let names: Vec<_> = root.members().map(|(name, _)| name).collect();
    assert_eq!(names, ["id", "note", "open", "lines", "a~/b"]);
    assert!(root.as_str().is_none() && root.number().is_none() && root.as_bool().is_none());
    assert_eq!(root.elements().len(), 0);
    insta::assert_debug_snapshot!(root, @r#"
    {
        "id": 7,
        "note": "aé\n",
        "open": true,
        "lines": [
            {
                "sku": "x/1",
                "qty": 1.50,
            },
            [],
            {},
        ],
        "a~/b": null,
    }
    "#);
}

#[test]
fn every_leaf_names_its_place() {
    let tree = tree(ORDER);
    let places: Vec<_> = tree.root().leaves().map(|leaf| (leaf.pointer(), leaf.excerpt(3))).collect();
    let expected = [
        ("/id", "7"),
        ("/note", "aé"),
        ("/open", "tru"),
        ("/lines/0/sku", "x/1"),
        ("/lines/0/qty", "1.5"),
        ("/a~0~1b", "nul"),
    ];
    assert_eq!(places, expected.map(|(pointer, seen)| (pointer.to_owned(), seen)));
    for leaf in tree.root().leaves() {
        assert_eq!(tree.resolve(&leaf.pointer()).unwrap().index(), leaf.index());
        assert_eq!(tree.value(leaf.index()).unwrap().name(), leaf.name());
    }
    assert_eq!(tree.root().pointer(), "");
    assert_eq!(tree.root().get("lines").unwrap().leaves().count(), 2);
}

#[test]
fn resolves_by_rfc_6901() {
    let tree = tree(r#"{"": 1, "a": [10, 11], "~": 2, "/": 3}"#);
    let number = |pointer| tree.resolve(pointer).and_then(|value| value.number()?.as_u64());
    assert_eq!(number("/"), Some(1));
    assert_eq!(number("/a/1"), Some(11));
    assert_eq!(number("/~0"), Some(2));
    assert_eq!(number("/~1"), Some(3));
    for nothing in ["a", "/a/2", "/a/01", "/a/-", "/a/+1", "/~2", "/~", "/a/0/0", "/b"] {
        assert!(tree.resolve(nothing).is_none(), "{nothing}");
    }
}

#[test]
fn spans_are_what_was_read() {
    let tree = tree(ORDER);
    let at = |pointer| &ORDER[tree.resolve(pointer).unwrap().span().unwrap()];
    assert_eq!(at("/note"), r#""a\u00e9\n""#);
    assert_eq!(at("/lines/0"), r#"{"sku": "x/1", "qty": 1.50}"#);
    assert_eq!(at("/lines/1"), "[]");
    assert_eq!(at("/open"), "true");
    assert_eq!(at(""), ORDER.trim());
    assert_eq!(tree.resolve("/lines/0").unwrap().excerpt(8), r#"{"sku": "#);
}

#[test]
fn takes_over_a_body_that_nobody_else_holds() {
    let body = Bytes::from(r#"{"a": "b"}"#.to_owned());
    let address = body.as_ptr();
    let tree = json::parse(body, &Limits::default()).unwrap();
    assert_eq!(tree.source().as_ptr(), address);
}

#[test]
fn refuses_duplicate_members_however_written() {
    let limits = Limits::default();
    check_refused(r#"{"a": 1, "a": 2}"#, &limits, "duplicate member at byte 9 in `/a`");
    check_refused(r#"{"a": 1, "\u0061": 2}"#, &limits, "duplicate member at byte 9 in `/a`");
    check_refused(r#"[{"b": {"": 1, "": 2}}]"#, &limits, "duplicate member at byte 15 in `/0/b/`");
    for size in [2, 23, 24, 25, 26, 100, 999] {
        let mut names: Vec<_> = (0..size).map(|n| format!("member-{n}-of-many")).collect();
        let write = |names: &[String]| {
            let members: Vec<_> =
                names.iter().map(|name| format!("\"{name}\":{{\"member-0-of-many\":[1]}}")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert_eq!(tree(&write(&names)).root().len(), size);
        for (first, second) in [(0, size - 1), (0, 1), (size - 2, size - 1)] {
            let repeated = names[first].clone();
            let saved = std::mem::replace(&mut names[second], repeated);
            let error = json::parse(Bytes::from(write(&names)), &limits).unwrap_err();
            assert_eq!(error.kind, json::ParseErrorKind::DuplicateMember, "{size} {first} {second}");
            assert_eq!(*error.pointer, format!("/{}", names[first]));
            names[second] = saved;
        }
    }
}

#[test]
fn names_chosen_to_collide_are_told_apart() {
    // The same length and ends, so that quick fingerprints agree.
    let names: Vec<_> = (0..300).map(|n| format!("\"aaaaaaaa{n:05}zzzzzzzz\":0")).collect();
    assert_eq!(tree(&format!("{{{}}}", names.join(","))).root().len(), 300);
    assert_eq!(tree(&format!("{{{}}}", names[..20].join(","))).root().len(), 20);
    for last in [19, 299] {
        let body = format!("{{{},{}}}", names[..=last].join(","), names[last / 2]);
        let error = json::parse(Bytes::from(body), &Limits::default()).unwrap_err();
        assert_eq!(error.kind, json::ParseErrorKind::DuplicateMember);
    }
}

#[test]
fn every_limit_holds_and_says_where() {
    let limits = Limits {
        depth_max: 2,
        members_max: 2,
        keys_max: 3,
        elements_max: 2,
        values_max: 20,
        string_bytes_max: 4,
        name_bytes_max: 3,
        number_bytes_max: 3,
        ..Limits::default()
    };
    let parse = |text: &'static str| json::parse(Bytes::from(text), &limits);
    for fits in ["[[1,2],[\"abcd\",\"\\u00e9\\u00e9\"]]", r#"{"a":{"abc":1,"b":2}}"#, "-12"] {
        parse(fits).unwrap();
    }
    check_refused("[[[]]]", &limits, "nested deeper than 2 levels at byte 2 in `/0/0`");
    check_refused(r#"{"a":1,"b":2,"c":3}"#, &limits, "object with more than 2 members at byte 16 in `/c`");
    check_refused(
        r#"[{"a":1,"b":2},{"a":1,"b":2}]"#,
        &limits,
        "more than 3 members in all at byte 28 in `/1`",
    );
    check_refused("[1,2,3]", &limits, "array with more than 2 elements at byte 5 in `/2`");
    check_refused(
        r#"{"a":[1,2],"b":[1,2],"#,
        &Limits { values_max: 8, ..limits },
        "more than 8 values and names in all at byte 19 in `/b/1`",
    );
    check_refused(r#"["a","abcde"]"#, &limits, "string of more than 4 bytes at byte 5 in `/1`");
    check_refused(r#"{"abcd":1}"#, &limits, "member name of more than 3 bytes at byte 7 in ``");
    check_refused("[1234]", &limits, "number of more than 3 bytes at byte 1 in `/0`");
}

#[test]
fn says_what_is_wrong_and_where() {
    let limits = Limits::default();
    for (text, expected) in [
        ("", "unexpected end at byte 0 in ``"),
        ("[1,", "unexpected end at byte 3 in `/1`"),
        ("[1 2]", "expected `,` or `]` at byte 3 in ``"),
        (r#"{"a":1,}"#, "expected a member name at byte 7 in ``"),
        (r#"{"a" 1}"#, "expected `:` at byte 5 in `/a`"),
        (r#"{"a":[tru]}"#, "expected a value at byte 6 in `/a/0`"),
        (r#"{"a":"\ud800x"}"#, "lone surrogate at byte 6 in `/a`"),
        (r#"["\udc00"]"#, "lone surrogate at byte 2 in `/0`"),
        (r#"["\ud800\u0041"]"#, "lone surrogate at byte 2 in `/0`"),
        (r#"["\x"]"#, "invalid escape at byte 2 in `/0`"),
        ("[\"a\tb\"]", "control character in a string at byte 3 in `/0`"),
        ("[01]", "expected `,` or `]` at byte 2 in ``"),
        ("[-]", "expected a digit at byte 2 in `/0`"),
        ("[1.]", "expected a digit at byte 3 in `/0`"),
        ("1e400", "number out of range at byte 0 in ``"),
        ("1 2", "trailing data at byte 2 in ``"),
        ("\u{feff}1", "byte order mark at byte 0 in ``"),
        ("[1\u{a0}]", "expected `,` or `]` at byte 2 in ``"),
    ] {
        check_refused(text, &limits, expected);
    }
    let error = json::parse(Bytes::from_static(b"[\"\xff\"]"), &limits).unwrap_err();
    assert_eq!(error.to_string(), "invalid UTF-8 at byte 2");
}

#[test]
fn builds_what_it_would_parse() {
    let mut builder = TreeBuilder::new(&Limits::default());
    builder.begin_object().unwrap();
    builder.name("a").unwrap();
    builder.begin_array().unwrap();
    builder.string("x\"y").unwrap();
    builder.number("-1.5e3").unwrap();
    builder.bool(false).unwrap();
    builder.null().unwrap();
    builder.end().unwrap();
    builder.name("b").unwrap();
    builder.number("12").unwrap();
    builder.end().unwrap();
    let built = builder.finish().unwrap();
    let parsed = tree(r#"{"a":["x\"y",-1.5e3,false,null],"b":12}"#);
    assert_eq!(format!("{:?}", built.root()), format!("{:?}", parsed.root()));
    assert_eq!(built.resolve("/b").unwrap().number().unwrap().as_i64(), Some(12));
    assert_eq!(built.root().span(), None);
    assert_eq!(built.resolve("/a/2").unwrap().pointer(), "/a/2");
    assert_eq!(Tree::from_text("plain", &Limits::default()).unwrap().root().as_str(), Some("plain"));
}

#[test]
fn refuses_to_build_nonsense() {
    let new = || TreeBuilder::new(&Limits { depth_max: 1, ..Limits::default() });
    assert_eq!(new().end(), Err(BuildError::OutOfPlace));
    assert_eq!(new().name("a"), Err(BuildError::OutOfPlace));
    assert_eq!(new().finish().unwrap_err(), BuildError::OutOfPlace);
    for literal in ["", "01", "+1", "1.", "0x1", "1 ", "NaN", "1e999"] {
        assert_eq!(new().number(literal), Err(BuildError::NotANumber), "{literal}");
    }
    let mut builder = new();
    builder.begin_object().unwrap();
    assert_eq!(builder.null(), Err(BuildError::OutOfPlace));
    builder.name("a").unwrap();
    assert_eq!(builder.name("b"), Err(BuildError::OutOfPlace));
    assert_eq!(builder.end(), Err(BuildError::OutOfPlace));
    assert_eq!(builder.begin_array(), Err(BuildError::Limit(LimitExceeded::Depth(1))));
    let mut builder = new();
    builder.begin_object().unwrap();
    builder.name("a").unwrap();
    builder.null().unwrap();
    assert_eq!(builder.name("a"), Err(BuildError::DuplicateMember));
    let mut builder = new();
    builder.null().unwrap();
    assert_eq!(builder.null(), Err(BuildError::OutOfPlace));
}
