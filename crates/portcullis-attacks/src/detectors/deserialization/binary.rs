//! Formats known by their first bytes, plain or in base64.

use memchr::memmem;

use super::Found;
use crate::view::View;

/// Java's stream magic and version, AC ED 00 05 (Java Object Serialization Specification §6.4.2).
pub(super) const JAVA: &[u8] = b"\xac\xed\x00\x05";

/// What a pickle names to have something run.
const CALLABLES: [&[u8]; 10] = [
    b"system",
    b"posix",
    b"subprocess",
    b"builtin",
    b"eval",
    b"exec",
    b"popen",
    b"commands",
    b"runpy",
    b"importlib",
];

/// The format that a value begins with.
pub(super) fn find(view: &View<'_>) -> Option<Found> {
    let found = |rule, at, length, why| Some(Found { rule, strength: 10, at, length, why });
    match view.text {
        // MS-NRBF §2.6.1: record type 0, root 1, header -1, version 1.0.
        [0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, ..] => {
            found("net_object", 0, 13, "an object graph of .NET's BinaryFormatter")
        }
        // Python's pickle from protocol 2 on.
        [0x80, 2..=5, ..] if CALLABLES.iter().any(|name| memmem::find(view.lower, name).is_some()) => {
            found("python_pickle", 0, 4, "a Python pickle that names something to call")
        }
        [4, 8, body @ ..] => ruby(body),
        _ => None,
    }
}

/// Ruby's Marshal 4.8 with an object, or with the classes of the known chains.
fn ruby(body: &[u8]) -> Option<Found> {
    let why = "an object in Ruby's Marshal format";
    let names_chain = [&b"Gem::"[..], b"ERB", b"DeprecatedInstanceVariableProxy", b"Net::", b"instance_eval"]
        .iter()
        .any(|name| memmem::find(body, name).is_some());
    let strength = match body {
        _ if names_chain => 10,
        [b'o' | b'U' | b'u' | b'e' | b'C', b':', ..] => 9,
        _ => return None,
    };
    Some(Found { rule: "ruby_object", strength, at: 0, length: 4, why })
}
