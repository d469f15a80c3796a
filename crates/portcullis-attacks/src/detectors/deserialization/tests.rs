//! The deserialization detector on attacks, on what looks like one and is none, and on any bytes.

use super::Deserialization;
use crate::{
    detectors::trial::{Trial, is_linear, lets_pass, never_panics, refuses},
    leaf::{Field, Where},
};

#[test]
fn formats() {
    refuses(&Deserialization, "java_object", &["rO0ABXNyABFqYXZh", "aced00057372", "x=rO0ABXVy"]);
    refuses(&Deserialization, "net_object", &["AAEAAAD/////AQAAAAAAAAAMAgAAAF"]);
    refuses(
        &Deserialization,
        "php_object",
        &["O:7:\"Example\":1:{s:1:\"a\";i:1;}", "a:1:{i:0;O:+3:\"Foo\":0:{}}"],
    );
    refuses(&Deserialization, "python_pickle", &["cos\nsystem\n(S'id'\ntR."]);
    refuses(&Deserialization, "node_function", &["{\"a\":\"_$$ND_FUNC$$_function(){}()\"}"]);
    refuses(
        &Deserialization,
        "yaml_tag",
        &[
            "!!python/object/apply:os.system [id]",
            "!!javax.script.ScriptEngineManager []",
            "--- !ruby/object:Gem::Installer",
        ],
    );
    for raw in [
        &b"\xac\xed\x00\x05sr"[..],
        b"\x00\x01\x00\x00\x00\xff\xff\xff\xff\x01\x00\x00\x00\x00",
        b"\x80\x04\x95\x1d\x00\x8c\x05posix\x94",
        b"\x04\x08o:\x08ERB",
    ] {
        assert_eq!(Trial::new(raw).score(&Deserialization), 10, "{raw:?}");
    }
}

#[test]
fn classes() {
    refuses(
        &Deserialization,
        "type_hint",
        &["{\"@type\":\"org.apache.x.Y\"", "\\\"@type\\\":\\\"java.lang.Class\\\""],
    );
    refuses(&Deserialization, "java_gadget", &["com.sun.rowset.JdbcRowSetImpl"]);
    refuses(
        &Deserialization,
        "xml_decoder",
        &["<java version=\"1\" class=\"java.beans.XMLDecoder\">", "<void method=\"start\"/>"],
    );
    refuses(
        &Deserialization,
        "net_gadget",
        &["System.Windows.Data.ObjectDataProvider, PresentationFramework"],
    );
    assert_eq!(Trial::new("java.lang.Class").at(Where::Body).name("@type").score(&Deserialization), 10);
}

#[test]
fn data_passes() {
    lets_pass(
        &Deserialization,
        &[
            "type.googleapis.com/google.protobuf.Any",
            "{\"@type\":\"Person\"}",
            "java.net is a domain",
            "o:1 a:2 s:3",
            "time: 12:30",
            "https://java.example/",
            "a:1:{s:1:\"a\";i:1;}",
            "wow!!",
            "/wEPDwUKMTY1NDU2MTA1MmRk",
            "abcrO0ABc",
        ],
    );
}

#[test]
fn texts_weigh_less() {
    let value = "com.sun.rowset.JdbcRowSetImpl";
    assert!(Trial::new(value).at(Where::Body).field(Field::Code).score(&Deserialization) <= 2);
    assert!(Trial::new(value).at(Where::Body).field(Field::Prose).score(&Deserialization) <= 6);
    let document = "<java.util.PriorityQueue serialization='custom'>\n<a/>\n</java.util.PriorityQueue>";
    assert_eq!(Trial::new(document).at(Where::Body).field(Field::Code).name("").score(&Deserialization), 10);
}

const FRAGMENTS: &[&str] = &[
    "rO0AB",
    "O:",
    "8",
    ":",
    "\"",
    "+",
    "Exploit",
    "{",
    "a:1:{",
    "s:5:\"",
    "<?",
    "@type",
    "java.",
    "!!python/object",
    "\u{4}\u{8}",
    "o:",
    "cos\n",
    "system\n",
    "<void method=",
    "aced0005",
    "com.sun.",
    "\\",
];

#[test]
fn any_value_is_read() {
    never_panics(&Deserialization, FRAGMENTS);
}

#[test]
fn long_values_are_read_once() {
    is_linear(&Deserialization, FRAGMENTS);
}
