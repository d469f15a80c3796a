//! LDAP filter injection (CWE-90): a value that closes the filter it lands in and opens parts of its own (RFC 4515).
//!
//! A filter is brackets around an operator or around `attribute=value`. The value is walked bracket by bracket: what
//! counts is a bracket closed that the value did not open, followed by a part of a filter, and operators in front of
//! brackets. Telephone numbers, prose and code close what they open.

use crate::{
    class::Class,
    detectors::Detector,
    hit::{Hit, Hits},
    leaf::{Field, Where},
    view::View,
};

/// Finds LDAP injection.
#[derive(Debug)]
pub(super) struct Ldap;

impl Detector for Ldap {
    fn class(&self) -> Class {
        Class::Ldap
    }

    fn literals(&self) -> &'static [&'static str] {
        &[")(", ") (", "(|", "(&", "(!", "((", "*)", "=*)", "\\00"]
    }

    fn inspect(&self, view: &View<'_>, hits: &mut Hits) {
        if matches!(view.leaf.field, Field::Code | Field::Prose | Field::Markup)
            || view.lower.len() > BYTES_MAX
        {
            return;
        }
        let Some(found) = read(view.lower) else { return };
        // A filter in the field for it is whole: it begins with its bracket.
        let whole = view.lower.trim_ascii_start().starts_with(b"(");
        let asked_for = view.leaf.field == Field::Query || names_filter(view.leaf.name);
        let score = match found.shape {
            Shape::Closes => 10,
            Shape::Opens if whole && (asked_for || view.leaf.at == Where::Name) => 0,
            Shape::Opens if whole => 6,
            Shape::Opens => 10,
            Shape::Cut => 10,
        };
        if score > 0 {
            hits.push(Hit {
                class: Class::Ldap,
                rule: found.shape.rule(),
                score,
                span: found.span,
                why: found.shape.why(),
            });
        }
    }
}

/// Longer values are documents; a filter's value is a name.
const BYTES_MAX: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// A bracket of the application is closed, and a part of a filter follows.
    Closes,
    /// An operator in front of a bracket begins a filter inside the value.
    Opens,
    /// Brackets of the application are closed and a NUL cuts off the rest.
    Cut,
}

impl Shape {
    const fn rule(self) -> &'static str {
        match self {
            Self::Closes => "filter_left",
            Self::Opens => "filter_added",
            Self::Cut => "filter_cut",
        }
    }

    const fn why(self) -> &'static str {
        match self {
            Self::Closes => {
                "a bracket closes the directory filter the value lands in, and another part of a filter follows"
            }
            Self::Opens => "an operator with a condition adds to the directory filter the value lands in",
            Self::Cut => "brackets close the directory filter the value lands in and a NUL cuts off its rest",
        }
    }
}

struct Found {
    shape: Shape,
    span: core::ops::Range<usize>,
}

fn read(lower: &[u8]) -> Option<Found> {
    let mut depth = 0_usize;
    let mut left = false;
    for at in memchr::memchr3_iter(b'(', b')', b'\0', lower) {
        let rest = lower.get(at + 1..)?;
        match lower.get(at)? {
            b'\0' if left => return Some(Found { shape: Shape::Cut, span: 0..at + 1 }),
            b')' if depth == 0 => {
                left = true;
                let starred = lower.get(..at)?.ends_with(b"*");
                if starred
                    && matches!(
                        rest.trim_ascii_start().trim_ascii_end(),
                        b")\\00" | b"))\\00" | b"\\00" | b")%00" | b"%00"
                    )
                {
                    return Some(Found { shape: Shape::Cut, span: at..lower.len() });
                }
                if let Some(length) = part(rest, starred) {
                    return Some(Found { shape: Shape::Closes, span: at..at + 1 + length });
                }
            }
            b')' => depth -= 1,
            _ => {
                depth += 1;
                if let Some(length) = operator(rest) {
                    return Some(Found { shape: Shape::Opens, span: at..at + 1 + length });
                }
            }
        }
    }
    None
}

/// Behind a closed bracket: more of them, an opening one, operators, and an attribute with its comparison.
fn part(text: &[u8], starred: bool) -> Option<usize> {
    let closing = text.iter().take(16).take_while(|byte| matches!(byte, b')' | b' ')).count();
    let rest = text.get(closing..)?;
    if rest.first() != Some(&b'(') {
        return None;
    }
    let opening =
        rest.iter().take(16).take_while(|byte| matches!(byte, b'(' | b'&' | b'|' | b'!' | b' ')).count();
    let operators = rest.get(..opening)?.iter().any(|byte| matches!(byte, b'&' | b'|' | b'!'));
    let rest = rest.get(opening..)?;
    match comparison(rest) {
        Some(length) => Some(closing + opening + length),
        // `*)(|(`, `*)(&`, `x)(&)`.
        None if operators && (rest.is_empty() || rest.starts_with(b")") || starred) => {
            Some(closing + opening)
        }
        None if starred && rest.is_empty() => Some(closing + opening),
        None => None,
    }
}

/// Behind an opened bracket: an operator and a bracketed condition, `|(mail=*)`.
fn operator(text: &[u8]) -> Option<usize> {
    let operator = text.iter().take(8).take_while(|byte| matches!(byte, b'&' | b'|' | b'!' | b' ')).count();
    if !text.get(..operator)?.iter().any(|byte| *byte != b' ') {
        return None;
    }
    let rest = text.get(operator..)?;
    let opened = rest.iter().take(8).take_while(|byte| matches!(byte, b'(' | b'&' | b'|' | b'!')).count();
    let rest = rest.get(opened..)?;
    let length = comparison(rest)?;
    let value = rest.get(length..)?;
    // Source code compares as well, `(!a==b)`, but has no pattern and no closing bracket right behind.
    let filters = opened > 0 || value.starts_with(b"*");
    let end = value.iter().take(64).position(|byte| matches!(byte, b')' | b'(' | b'&' | b'|'));
    let plain = !matches!(value.first(), Some(b'=' | b' ' | b'\'' | b'"'));
    (filters && plain && (end.is_some_and(|end| value.get(end) == Some(&b')')) || value.len() < 32))
        .then_some(operator + opened + length)
}

/// An attribute's description and `=`, `~=`, `>=`, `<=` or `:=` (RFC 4512 §2.5, RFC 4515 §3).
fn comparison(text: &[u8]) -> Option<usize> {
    let name = text
        .iter()
        .take(64)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b';' | b'.' | b'_'))
        .count();
    let begins = text.first().is_some_and(|byte| byte.is_ascii_alphabetic() || byte.is_ascii_digit());
    match text.get(name..)? {
        [b'=', ..] if begins => Some(name + 1),
        [b'~' | b'>' | b'<' | b':', b'=', ..] if begins => Some(name + 2),
        _ => None,
    }
}

fn names_filter(name: &str) -> bool {
    let name = name.as_bytes();
    [b"filter".as_slice(), b"ldap", b"query", b"search"]
        .iter()
        .any(|word| name.windows(word.len()).take(64).any(|window| window.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::leaf::Leaf;

    fn score(field: Field, name: &str, value: &[u8]) -> u8 {
        let lower = value.to_ascii_lowercase();
        let leaf = Leaf { at: Where::Query, field, name, value };
        let mut hits = Hits::new();
        Ldap.inspect(&View { text: value, lower: &lower, leaf, depth: 0 }, &mut hits);
        for hit in &hits {
            assert!(hit.span.start <= hit.span.end && hit.span.end <= value.len(), "{hit:?}");
        }
        hits.iter().map(|hit| hit.score).max().unwrap_or(0)
    }

    #[test]
    fn finds_filters_left_and_entered() {
        for value in [
            "*)(uid=*))(|(uid=*",
            "x*)((|secret=*)",
            "*)(&",
            "*)(|(",
            "root)(&)",
            ")(cn=))\\x00",
            "*))\0",
            "*(|(mail=*))",
            "a)(objectClass=*",
            "a)(!(b=c)",
            "*)(sn>=a)",
        ] {
            assert_eq!(score(Field::Unknown, "user", value.as_bytes()), 10, "{value:?}");
        }
    }

    #[test]
    fn lets_brackets_of_other_uses_through() {
        for value in [
            "(917) 666-0987",
            "Toronto (ON), Canada (YYZ)",
            "f(x)(y=2)",
            "(function(a){return a})(b=1)",
            "if (!(a == b) && (c)) {}",
            "smile :) (really)",
            "a) first (b) second",
            "if (a && b) x",
            "*) see below",
            "matrix(1)(2)",
        ] {
            assert_eq!(score(Field::Unknown, "q", value.as_bytes()), 0, "{value:?}");
        }
    }

    #[test]
    fn a_filter_is_at_home_in_its_field() {
        assert_eq!(score(Field::Unknown, "ldap_filter", b"(&(objectClass=user)(cn=a*))"), 0);
        assert!(score(Field::Unknown, "name", b"(&(objectClass=user)(cn=a*))") > 0);
        assert_eq!(score(Field::Unknown, "ldap_filter", b"x)(cn=*"), 10);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            score(Field::Unknown, "", &bytes);
        }

        #[test]
        fn never_panics_on_fragments(parts in prop::collection::vec(prop::sample::select(vec![
            "(", ")", "*", "&", "|", "!", "=", "uid", "~", ":", "\0", "\\00", " ", "é",
        ]), 0..40)) {
            score(Field::Unknown, "", parts.concat().as_bytes());
        }
    }
}
