//! The prototype detector on attacks, on what looks like one and is none, and on any bytes.

use super::Prototype;
use crate::{
    detectors::code::trial::{hit, never_panics, passes, refuses},
    leaf::{Field, Where},
};

#[test]
fn finds_paths_to_the_prototype() {
    refuses(
        &Prototype,
        &[
            "__proto__[x]=y",
            "a.__proto__.x",
            "x[__proto__][y]",
            "{\"__proto__\":{\"a\":1}}",
            "{}['__proto__']['x']=1",
            "constructor.prototype.x",
            "constructor[prototype][x]=y",
            "a['constructor']['prototype']['x']",
            "{\"constructor\":{\"prototype\":{\"a\":1}}}",
            "Object.prototype.x='y'",
        ],
    );
}

#[test]
fn finds_names_of_members() {
    for name in
        ["__proto__", "__proto__[x]", "a[__proto__]", "constructor.prototype", "constructor[prototype][x]"]
    {
        let hit = hit(&Prototype, Where::Name, Field::Token, name.as_bytes()).unwrap();
        assert_eq!(hit.score, 10, "{name}");
    }
    assert_eq!(hit(&Prototype, Where::Name, Field::Token, b"constructor"), None);
    assert_eq!(hit(&Prototype, Where::Name, Field::Token, b"prototype"), None);
}

#[test]
fn words_are_no_path() {
    let values = [
        "prototype",
        "constructor",
        "the constructor and its prototype",
        "a working prototype.",
        "proto",
        "__proto",
        "rapid prototype = fast",
        "Object.prototype.toString.call(x) === y",
    ];
    for field in [Field::Unknown, Field::Token, Field::Prose, Field::Code] {
        passes(&Prototype, field, &values);
    }
    passes(
        &Prototype,
        Field::Prose,
        &[
            "What is the difference between __proto__ and the prototype property of a constructor function in this language?",
        ],
    );
}

const FRAGMENTS: &[&str] = &[
    "__proto__",
    "constructor",
    "prototype",
    "object.prototype.",
    ".",
    "[",
    "]",
    "'",
    "\"",
    ":",
    "{",
    "=",
    "x",
    " ",
    "\\",
    "é",
    "\u{0}",
];

#[test]
fn no_bytes_make_it_panic() {
    never_panics(&Prototype, FRAGMENTS);
}
