//! Formats known by their first bytes, plain or in base64.

use memchr::memmem;

use super::Found;
use crate::view::View;

/// The format that a value begins with, or that stands at a word's beginning in it.
pub(super) fn find(view: &View<'_>) -> Option<Found> {
    let text = view.text;
    let found = |rule, strength, at, length, why| Some(Found { rule, strength, at, length, why });
    let java = "a serialized Java object";
    // AC ED 00 05, the stream's magic and version (Java Object Serialization Specification §6.4.2).
    if let Some(at) = memmem::find(text, b"\xac\xed\x00\x05") {
        return found("java_object", 10, at, 4, java);
    }
    if let Some(at) = word(text, b"rO0AB") {
        return found("java_object", 10, at, 5, java);
    }
    if view.lower.starts_with(b"aced0005") {
        return found("java_object", 10, 0, 8, java);
    }
    let net = "an object graph of .NET's BinaryFormatter";
    // MS-NRBF §2.6.1: record type 0, root 1, header -1, version 1.0.
    if text.starts_with(b"\x00\x01\x00\x00\x00\xff\xff\xff\xff\x01\x00\x00\x00") {
        return found("net_object", 10, 0, 13, net);
    }
    if let Some(at) = word(text, b"AAEAAAD/////") {
        return found("net_object", 10, at, 12, net);
    }
    pickle(view).or_else(|| ruby(text))
}

/// Where a text stands at a word's beginning: alone, after `=`, in quotes.
fn word(text: &[u8], needle: &[u8]) -> Option<usize> {
    memmem::find_iter(text, needle).take(4).find(|at| {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'/' | b'+' | b'-' | b'_'))
    })
}

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

/// Python's pickle: protocol 2 and later begin with 80; protocol 0 is text, `cos\nsystem\n(S'id'\ntR.`.
fn pickle(view: &View<'_>) -> Option<Found> {
    let lower = view.lower;
    let names_callable = || CALLABLES.iter().any(|name| memmem::find(lower, name).is_some());
    let why = "a Python pickle that names something to call";
    let is_binary = matches!(view.text, [0x80, 2..=5, ..]);
    if is_binary && names_callable() {
        return Some(Found { rule: "python_pickle", strength: 10, at: 0, length: 4, why });
    }
    let is_text =
        |at: usize| at == 0 || lower.get(at - 1) == Some(&b'\n') || lower.get(at - 1) == Some(&b'(');
    for opcode in [
        &b"cos\nsystem\n"[..],
        b"cposix\nsystem\n",
        b"csubprocess\n",
        b"c__builtin__\n",
        b"cbuiltins\n",
        b"cnt\nsystem\n",
    ] {
        if let Some(at) = memmem::find(lower, opcode)
            && is_text(at)
        {
            return Some(Found { rule: "python_pickle", strength: 10, at, length: opcode.len(), why });
        }
    }
    None
}

/// Ruby's Marshal 4.8 with an object, or with the classes of the known chains.
fn ruby(text: &[u8]) -> Option<Found> {
    let body = text.strip_prefix(b"\x04\x08")?;
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
