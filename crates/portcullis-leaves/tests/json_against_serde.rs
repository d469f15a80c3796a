//! The JSON parser beside an independent one: the same verdict and the same values on random documents, apart from
//! duplicate members, which only ours refuses.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it fails, and says so"
)]

use bytes::Bytes;
use portcullis_leaves::{Kind, Limits, TreeBuilder, Value, json};
use proptest::prelude::*;

/// As deep as the other parser goes, and no other limit in the way.
fn limits() -> Limits {
    Limits { depth_max: 127, number_bytes_max: 4_096, ..Limits::default() }
}

/// Parses with both and compares; whether they accepted.
fn check(body: &[u8]) -> bool {
    let ours = json::parse(Bytes::copy_from_slice(body), &limits());
    let theirs = serde_json::from_slice::<serde_json::Value>(body);
    match (&ours, &theirs) {
        (Ok(ours), Ok(theirs)) => {
            assert_same(ours.root(), theirs);
            for leaf in ours.root().leaves() {
                assert_eq!(ours.resolve(&leaf.pointer()).unwrap().index(), leaf.index());
            }
        }
        (Err(error), Ok(_)) => {
            assert_eq!(error.kind, json::ParseErrorKind::DuplicateMember, "{error}: {}", body.escape_ascii());
        }
        (Err(error), Err(_)) => assert!(error.offset <= body.len()),
        (Ok(_), Err(error)) => panic!("{error}: {}", body.escape_ascii()),
    }
    ours.is_ok()
}

fn assert_same(ours: Value<'_>, theirs: &serde_json::Value) {
    match theirs {
        serde_json::Value::Null => assert!(ours.is_null()),
        serde_json::Value::Bool(value) => assert_eq!(ours.as_bool(), Some(*value)),
        serde_json::Value::String(text) => assert_eq!(ours.as_str(), Some(text.as_str())),
        serde_json::Value::Number(number) => {
            let own = ours.number().unwrap();
            let double = number.as_f64().unwrap();
            assert!(
                (own.as_f64().unwrap() - double).abs() <= double.abs() * 1e-15,
                "{number} {}",
                own.as_str()
            );
            if !number.is_f64() {
                assert!(own.is_written_as_integer() && own.is_integer());
                assert_eq!((own.as_u64(), own.as_i64()), (number.as_u64(), number.as_i64()));
            }
        }
        serde_json::Value::Array(elements) => {
            assert_eq!((ours.kind(), ours.len()), (Kind::Array, elements.len()));
            ours.elements().zip(elements).for_each(|(ours, theirs)| assert_same(ours, theirs));
        }
        serde_json::Value::Object(members) => {
            assert_eq!((ours.kind(), ours.len()), (Kind::Object, members.len()));
            for ((name, value), (other_name, other)) in ours.members().zip(members) {
                assert_eq!(name, other_name);
                assert_eq!(ours.get(name).unwrap().index(), value.index());
                assert_same(value, other);
            }
        }
    }
}

fn build(value: &serde_json::Value, builder: &mut TreeBuilder) {
    match value {
        serde_json::Value::Null => builder.null().unwrap(),
        serde_json::Value::Bool(value) => builder.bool(*value).unwrap(),
        serde_json::Value::String(text) => builder.string(text).unwrap(),
        serde_json::Value::Number(number) => builder.number(&number.to_string()).unwrap(),
        serde_json::Value::Array(elements) => {
            builder.begin_array().unwrap();
            elements.iter().for_each(|element| build(element, builder));
            builder.end().unwrap();
        }
        serde_json::Value::Object(members) => {
            builder.begin_object().unwrap();
            for (name, value) in members {
                builder.name(name).unwrap();
                build(value, builder);
            }
            builder.end().unwrap();
        }
    }
}

fn document() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
        "[a-z \"\\\\\n\t]{0,30}".prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 100, 40, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..10).prop_map(Into::into),
            proptest::collection::hash_map("[a-f\"é]{0,9}", inner, 0..40)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn reads_what_another_program_wrote(document in document()) {
        prop_assert!(check(document.to_string().as_bytes()));
        prop_assert!(check(serde_json::to_string_pretty(&document).unwrap().as_bytes()));
    }

    #[test]
    fn builds_the_same_tree(document in document()) {
        let mut builder = TreeBuilder::new(&limits());
        build(&document, &mut builder);
        assert_same(builder.finish().unwrap().root(), &document);
    }

    #[test]
    fn agrees_on_damaged_documents(document in document(), at in any::<prop::sample::Index>(), byte in any::<u8>(), how in 0..3) {
        let mut body = document.to_string().into_bytes();
        let at = at.index(body.len());
        match how {
            0 => body[at] = byte,
            1 => { body.remove(at); }
            _ => body.insert(at, byte),
        }
        check(&body);
    }

    #[test]
    fn agrees_on_heaps_of_tokens(pieces in proptest::collection::vec(0..29_usize, 0..24)) {
        let words = [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\"a\"", "\"b\"", "\"\\u0061\"", "\\ud83d", "\\ude00", "\\u00", "true",
            "false", "null", "0", "1", "-", ".", "e", "E+", "9", " ", "\n", "\u{e9}", "\0", "\u{b}",
        ];
        let body: String = pieces.iter().map(|piece| words[*piece]).collect();
        check(body.as_bytes());
        check(format!("[{body}]").as_bytes());
        check(format!("\"{body}\"").as_bytes());
    }

    #[test]
    fn agrees_on_numbers(text in "-?[0-9]{0,3}(\\.[0-9]{0,3})?([eE][+-]?[0-9]{0,3})?") {
        check(text.as_bytes());
    }

    #[test]
    fn agrees_on_random_bytes(body in proptest::collection::vec(any::<u8>(), 0..64)) {
        check(&body);
    }
}

#[test]
fn agrees_at_the_edges() {
    for depth in [126, 127, 128] {
        let body = "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(check(body.as_bytes()), depth < 128, "{depth}");
    }
    for digits in [300, 308, 309, 310, 400] {
        assert_eq!(check("9".repeat(digits).as_bytes()), digits < 309, "{digits}");
    }
    assert!(check(format!("0.{}1", "0".repeat(400)).as_bytes()));
}
