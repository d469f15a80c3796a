//! Prototype pollution (CWE-1321): names and paths by which a merge or a setter reaches the prototype that all
//! objects of a JavaScript program share.

use super::{
    Detector,
    code::{cursor, strongest::Strongest},
};
use crate::{class::Class, hit::Hits, leaf::Where, view::View};

/// Finds paths to a prototype.
pub(crate) struct Prototype;

impl Detector for Prototype {
    fn class(&self) -> Class {
        Class::Prototype
    }

    fn literals(&self) -> &'static [&'static str] {
        &["__proto__", "prototype", "constructor", "__define", "__lookup"]
    }

    fn inspect(&self, view: &View<'_>, hits: &mut Hits) {
        let mut strongest = Strongest::of(Class::Prototype, view);
        let lower = view.lower;
        let is_name = view.leaf.at == Where::Name;
        for start in memchr::memmem::find_iter(lower, b"__proto__") {
            let span = start..start + b"__proto__".len();
            let score = match surroundings(lower, span.start, span.end) {
                _ if is_name => 10,
                Surroundings::Access => 10,
                Surroundings::Alone => 8,
                Surroundings::Words => 4,
            };
            strongest.offer("proto_member", score, span, "names the prototype shared by all objects");
        }
        for start in memchr::memmem::find_iter(lower, b"constructor") {
            let end = start + b"constructor".len();
            let Some(prototype) = member(lower, end, b"prototype") else { continue };
            let span = start..prototype;
            let score = match surroundings(lower, span.start, span.end) {
                _ if is_name => 10,
                Surroundings::Access => 10,
                Surroundings::Alone => 8,
                Surroundings::Words => 5,
            };
            strongest.offer(
                "constructor_prototype",
                score,
                span,
                "reaches the shared prototype through the constructor",
            );
        }
        for start in memchr::memmem::find_iter(lower, b"object.prototype.") {
            let end = start + b"object.prototype.".len();
            let member = cursor::word_end(lower, end, 64);
            let equals = cursor::skip_blanks(lower, member);
            if member > end && cursor::at(lower, equals) == b'=' && cursor::at(lower, equals + 1) != b'=' {
                strongest.offer(
                    "prototype_write",
                    10,
                    start..equals + 1,
                    "writes a member of the prototype of all objects",
                );
            }
        }
        if is_name && matches!(lower, b"__definegetter__" | b"__definesetter__" | b"__lookupgetter__") {
            strongest.offer(
                "accessor_member",
                6,
                0..lower.len(),
                "names a method that changes an object's accessors",
            );
        }
        strongest.report(hits);
    }
}

/// What stands around a name in a value.
enum Surroundings {
    /// Syntax that reaches a member through it: `a[__proto__][x]`, `"__proto__":`, `__proto__.x`.
    Access,
    /// Nothing.
    Alone,
    /// Words.
    Words,
}

fn surroundings(lower: &[u8], start: usize, end: usize) -> Surroundings {
    let before = cursor::before(lower, start);
    let closing = cursor::part(lower, end, end + 8);
    let closing = closing.strip_prefix(b"\\").unwrap_or(closing);
    let is_quoted = |rest: &[u8]| cursor::at(rest, cursor::skip_blanks(rest, 0)) == b':';
    let reaches = match closing {
        [b'[', ..] | [b']', b'[' | b'.' | b'=', ..] | [b'=', ..] => true,
        [b'\'' | b'"', rest @ ..] => matches!(rest, [b']', ..]) || is_quoted(rest),
        [b']', ..] => before == b'[' && end + 1 == lower.len(),
        [b'.', next, ..] => cursor::is_word(*next),
        _ => false,
    };
    if reaches {
        Surroundings::Access
    } else if start == 0 && end == lower.len() {
        Surroundings::Alone
    } else {
        Surroundings::Words
    }
}

/// The end of `name` if it is reached as a member right after `end`: `.name`, `[name]`, `['name']`, `":{"name"`.
fn member(lower: &[u8], end: usize, name: &[u8]) -> Option<usize> {
    let mut position = end;
    let mut had_access = false;
    while position < end + MEMBER_GAP_MAX {
        let byte = cursor::at(lower, position);
        had_access |= matches!(byte, b'.' | b'[' | b'{');
        if !(matches!(
            byte,
            b'.' | b'[' | b']' | b'\'' | b'"' | b'`' | b'\\' | b':' | b'{' | b'?' | b' ' | b'\n' | b'\t'
        )) {
            break;
        }
        position += 1;
    }
    (had_access && cursor::stands_at(lower, position, name)).then_some(position + name.len())
}

const MEMBER_GAP_MAX: usize = 12;

#[cfg(test)]
mod tests;
