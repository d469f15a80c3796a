//! Each layer with what it must leave alone, and the chain of them.

use super::*;
use crate::prefilter::Prefilter;

/// All readings of a text with the layers before each.
fn check(text: &[u8]) -> Vec<(String, String)> {
    let prefilter = Prefilter::new(&[]);
    let mut readings = Vec::new();
    let (mut current, mut below) = (Buffer::from_slice(text), Buffer::new());
    let mut layers = Layers::default();
    while let Some(layer) = next(&current, prefilter.look(&current), layers, &mut below) {
        layers = layers.with(layer);
        std::mem::swap(&mut current, &mut below);
        let words: Vec<_> = layers.iter().map(Layer::word).collect();
        readings.push((words.join("+"), String::from_utf8_lossy(&current).into_owned()));
    }
    readings
}

fn last(text: &str) -> (String, String) {
    check(text.as_bytes()).pop().unwrap_or_default()
}

fn is(layers: &str, text: &str) -> (String, String) {
    (layers.to_owned(), text.to_owned())
}

#[test]
fn plain_text_has_no_other_reading() {
    for text in
        ["", "description", "a plain sentence.", "100%", "a & b", "C:\\Data\\Users", "naïve café", "#%zz"]
    {
        assert_eq!(check(text.as_bytes()), [], "{text}");
    }
}

#[test]
fn takes_percent_off_twice_and_no_more() {
    assert_eq!(last("%2527"), is("percent+percent", "'"));
    assert_eq!(last("%252527"), is("percent+percent", "%27"));
    assert_eq!(last("%u003cscript%u003E"), is("percent_unicode", "<script>"));
    assert_eq!(last("%%32%37"), is("percent+percent", "'"));
}

#[test]
fn takes_off_mixed_layers_in_their_order() {
    assert_eq!(last("%26lt%3Bscript&#62;"), is("percent+entities", "<script>"));
    assert_eq!(last("\\u0026#x27;"), is("escapes+entities", "'"));
}

#[test]
fn reads_entities_with_and_without_semicolon() {
    assert_eq!(last("&lt;a&gt"), is("entities", "<a>"));
    assert_eq!(last("java&#0000115cript&colon;x&Tab;&#x0028;"), is("entities", "javascript:x\t("));
    assert_eq!(last("&#39 or&#X27;"), is("entities", "' or'"));
    assert_eq!(check(b"AT&T &unknown; &# &#x;"), []);
}

#[test]
fn reads_escapes_of_languages() {
    assert_eq!(last(r"\u0027\x27\47\u{27}"), is("escapes", "''''"));
    assert_eq!(last(r"\nid"), is("escapes", "\nid"));
    assert_eq!(last(r"\ud83d\ude00\x41"), is("escapes", r"\ud83d\ude00A"));
    assert_eq!(check(br"\x4 \u12 \q \u{} \u{110000000}"), []);
}

#[test]
fn reads_overlong_forms() {
    assert_eq!(check(b"..\xc0\xaf..\xe0\x80\xaf"), [is("overlong", "../../")]);
    assert_eq!(check(b"\xc0\x2f\xc1\x9c"), [is("overlong", "/\\")]);
    assert_eq!(last("%c0%ae%c0%ae/"), is("percent+overlong", "../"));
    assert_eq!(check("é à".as_bytes()), []);
}

#[test]
fn folds_look_alikes() {
    assert_eq!(last("\u{ff1c}script\u{ff1e}"), is("lookalikes", "<script>"));
    assert_eq!(last("sel\u{200b}ect\u{a0}1\0"), is("lookalikes", "select 1"));
    assert_eq!(last("\u{17f}cript"), is("lookalikes", "script"));
    assert_eq!(check("it’s “quoted” – Zürich".as_bytes()), []);
}

#[test]
fn reads_base64_only_where_it_hides_text() {
    assert_eq!(last("PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=="), is("base64", "<script>alert(1)</script>"));
    assert_eq!(last("PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg"), is("base64", "<script>alert(1)</script>"));
    assert_eq!(last("JyBvciAxPTEgLS0_"), is("base64", "' or 1=1 --?"));
    for word in [
        "description",
        "internationalization",
        "deadbeefdeadbeef",
        "Zm9v",
        "6ba7b8109dad11d180b400c04fd430c8",
    ] {
        assert_eq!(check(word.as_bytes()), [], "{word}");
    }
}

#[test]
fn lets_serialized_objects_through_base64() {
    let readings = check(b"rO0ABXNyABFqYXZhLnV0aWwuSGFzaE1hcAUH2sHDFmDRAwAC");
    assert_eq!(readings.first().map(|it| it.0.as_str()), Some("base64"));
    assert_eq!(check(b"gASVCAAAAAAAAABLAUsChpQu").first().map(|it| it.0.as_str()), Some("base64"));
}

#[test]
fn reads_base64_of_a_part_that_stands_by_itself() {
    assert_eq!(
        last(r#"s:40:"PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==";"#),
        is("base64_part", "<script>alert(1)</script>")
    );
    assert_eq!(
        last("data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg"),
        is("base64_part", "<script>alert(1)</script>")
    );
    assert_eq!(
        last("user[PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg]"),
        is("base64_part", "<script>alert(1)</script>")
    );
    for text in ["a,internationalization,b", "\"/api/v1/orders/8412\"", "'leave it at the door, please'"] {
        assert_eq!(check(text.as_bytes()), [], "{text}");
    }
}

#[test]
fn reads_base64_whose_plus_a_form_has_made_a_blank() {
    assert_eq!(last("PHNjcmlwdD5hbGVydCgnMScpPC9zY3JpcHQ "), is("base64", "<script>alert('1')</script"));
}

#[test]
fn reads_hexadecimal_of_text() {
    assert_eq!(last("3c7363726970743e"), is("hex", "<script>"));
    assert_eq!(check(b"6ba7b8109dad11d1"), []);
}

#[test]
fn the_chain_is_bounded_and_never_grows() {
    let bombs = ["%25".repeat(500), "&amp;".repeat(500), "\\u005c".repeat(500), "\u{ff05}".repeat(500)];
    for bomb in bombs {
        let readings = check(bomb.as_bytes());
        assert!(readings.len() <= LAYERS_MAX);
        assert!(readings.iter().all(|(_, text)| text.len() <= bomb.len()));
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read(text in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        for (_, reading) in check(&text) {
            proptest::prop_assert!(reading.len() <= text.len() * 3);
        }
    }

    #[test]
    fn any_dense_coding_is_read(text in r"[%&#;\\ux0-9a-f{}=]{0,100}") {
        proptest::prop_assert!(check(text.as_bytes()).len() <= LAYERS_MAX);
    }
}
