//! XPath and XQuery injection (CWE-643): path expressions and node functions inside a value.
//!
//! The logical part of an injection, `' or '1'='1`, reads the same as SQL's and is found there. Here stand the marks
//! of the tree: axes, `count(/*)`, `string-length(name(…))`, a union of paths behind a closed predicate, `doc(…)`.

use memchr::memmem;

use crate::{
    class::Class,
    detectors::Detector,
    hit::{Hit, Hits},
    leaf::Field,
    view::View,
};

/// Finds XPath injection.
#[derive(Debug)]
pub(super) struct Xpath;

impl Detector for Xpath {
    fn class(&self) -> Class {
        Class::Xpath
    }

    fn literals(&self) -> &'static [&'static str] {
        &[
            "::",
            "count(/",
            "string-length(",
            "name(/",
            "name(",
            "doc(",
            "//*",
            "/*[",
            "text()",
            "node()",
            "position()",
            "]|",
            "] |",
            "comment()",
        ]
    }

    fn inspect(&self, view: &View<'_>, hits: &mut Hits) {
        if matches!(view.leaf.field, Field::Code | Field::Query) || names_path(view.leaf.name) {
            return;
        }
        let cap = if matches!(view.leaf.field, Field::Prose | Field::Markup) { 4 } else { 10 };
        let found =
            [axis(view.lower), function(view.lower), union_of_paths(view.lower), node_test(view.lower)];
        for found in found.into_iter().flatten() {
            let Found { rule, score, span, why } = found;
            hits.push(Hit { class: Class::Xpath, rule, score: score.min(cap), span, why });
        }
    }
}

/// Places of a kind that are looked at in one value.
const PLACES_MAX: usize = 32;

struct Found {
    rule: &'static str,
    score: u8,
    span: core::ops::Range<usize>,
    why: &'static str,
}

/// `/ancestor::node()`, `following-sibling::*`.
fn axis(lower: &[u8]) -> Option<Found> {
    const AXES: [&[u8]; 13] = [
        b"ancestor",
        b"ancestor-or-self",
        b"attribute",
        b"child",
        b"descendant",
        b"descendant-or-self",
        b"following",
        b"following-sibling",
        b"namespace",
        b"parent",
        b"preceding",
        b"preceding-sibling",
        b"self",
    ];
    memmem::find_iter(lower, b"::").take(PLACES_MAX).find_map(|at| {
        let before = lower.get(..at)?;
        let name = before
            .iter()
            .rev()
            .take(24)
            .take_while(|byte| byte.is_ascii_lowercase() || **byte == b'-')
            .count();
        let (front, word) = before.split_at_checked(at - name)?;
        if !AXES.contains(&word) {
            return None;
        }
        let rest = lower.get(at + 2..)?;
        let tests =
            [b"*".as_slice(), b"node()", b"text()", b"comment()"].iter().any(|test| rest.starts_with(test));
        let stepped = front.ends_with(b"/");
        // Programming languages have `parent::` and `self::` too, but neither steps nor node tests.
        let score = match (stepped, tests) {
            (true, _) | (false, true) => 10,
            _ if word.contains(&b'-') => 8,
            _ => return None,
        };
        Some(Found {
            rule: "axis",
            score,
            span: at - name..at + 2,
            why: "a step along an axis of a document tree stands in the value",
        })
    })
}

/// Functions over nodes, called with a path or with each other.
fn function(lower: &[u8]) -> Option<Found> {
    const NAMES: [(&[u8], &[&[u8]]); 6] = [
        (b"count(", &[b"/"]),
        (b"string-length(", &[b"/", b"name(", b"//", b"text(", b".", b"local-name("]),
        (b"local-name(", &[b"/", b"."]),
        (b"name(", &[b"/", b"(/", b"parent::"]),
        (b"doc(", &[b"'", b"\"", b"concat("]),
        (b"substring(", &[b"name(", b"//", b"/", b"doc(", b"string("]),
    ];
    NAMES.iter().find_map(|(name, arguments)| {
        memmem::find_iter(lower, name).take(PLACES_MAX).find_map(|at| {
            let free = at
                .checked_sub(1)
                .and_then(|before| lower.get(before))
                .is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b'_' | b'$'));
            let rest = lower.get(at + name.len()..)?.trim_ascii_start();
            if !free || !arguments.iter().any(|argument| rest.starts_with(argument)) {
                return None;
            }
            let asked = memchr::memchr3(b'=', b'<', b'>', rest).is_some();
            let score = match *name {
                b"doc(" if memmem::find(rest, b"://").is_none() && !rest.starts_with(b"concat(") => 3,
                // `count(/ 2)` is arithmetic: a step's name follows its slash.
                b"count(" if !matches!(rest.get(1), Some(b'/' | b'*' | b'a'..=b'z')) => return None,
                b"doc(" => 10,
                _ if asked => 10,
                _ => 8,
            };
            Some(Found {
                rule: "node_function",
                score,
                span: at..at + name.len(),
                why: "a function over the nodes of a document is called in the value",
            })
        })
    })
}

/// `'] | //*`, `')]|//password`: the predicate is closed and another path added.
fn union_of_paths(lower: &[u8]) -> Option<Found> {
    memchr::memchr_iter(b'|', lower).take(PLACES_MAX).find_map(|at| {
        let rest = lower.get(at + 1..)?.trim_ascii_start();
        let path = rest.starts_with(b"//") || rest.starts_with(b"/*") || rest.starts_with(b"/child::");
        let before = lower.get(..at)?.trim_ascii_end();
        let closes = before.ends_with(b"]");
        let quoted = before.iter().any(|byte| matches!(byte, b'\'' | b'"' | b')'));
        let named = rest.get(2..).is_some_and(|name| {
            name.first()
                .is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'*' | b'.' | b'@' | b'['))
        });
        (path && named && (closes || (quoted && rest.starts_with(b"//*")))).then(|| Found {
            rule: "path_union",
            score: 10,
            span: before.len()..at + 1,
            why: "a predicate is closed and another path is joined on",
        })
    })
}

/// `//*[`, `/*[1]`, `//user/text()`, `or position()=1`.
fn node_test(lower: &[u8]) -> Option<Found> {
    let found = |score, at: usize, length| {
        Some(Found {
            rule: "node_test",
            score,
            span: at..at + length,
            why: "a path through a document tree stands in the value",
        })
    };
    if let Some(at) = memmem::find(lower, b"position()") {
        let rest = lower.get(at + 10..)?.trim_ascii_start();
        let quoted = lower.get(..at)?.iter().any(|byte| matches!(byte, b'\'' | b'"' | b'['));
        if matches!(rest.first(), Some(b'=' | b'<' | b'>' | b'!')) && quoted {
            return found(10, at, 10);
        }
    }
    for test in [b"/text()".as_slice(), b"/node()", b"//*[", b"/*[", b"/comment()"] {
        let Some(at) = memmem::find(lower, test) else { continue };
        let rest = lower.get(at + test.len()..)?;
        let counted = !test.ends_with(b"[")
            || rest.first().is_some_and(|byte| {
                byte.is_ascii_digit() || matches!(byte, b'@' | b'c' | b'n' | b's' | b'l' | b'p')
            });
        let path = lower.get(..at)?.contains(&b'/') || test.starts_with(b"//") || lower.starts_with(b"/*[");
        let quoted = lower.get(..at)?.iter().any(|byte| matches!(byte, b'\'' | b'"'));
        if counted && (path || quoted) {
            return found(if quoted { 10 } else { 6 }, at, test.len());
        }
    }
    None
}

fn names_path(name: &str) -> bool {
    let name = name.as_bytes();
    [b"xpath".as_slice(), b"selector", b"locator", b"expression"]
        .iter()
        .any(|word| name.windows(word.len()).take(64).any(|window| window.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::leaf::{Leaf, Where};

    fn score(field: Field, name: &str, value: &[u8]) -> u8 {
        let lower = value.to_ascii_lowercase();
        let leaf = Leaf { at: Where::Query, field, name, value };
        let mut hits = Hits::new();
        Xpath.inspect(&View { text: value, lower: &lower, leaf, depth: 0 }, &mut hits);
        for hit in &hits {
            assert!(hit.span.start <= hit.span.end && hit.span.end <= value.len(), "{hit:?}");
        }
        hits.iter().map(|hit| hit.score).max().unwrap_or(0)
    }

    #[test]
    fn finds_paths_and_node_functions() {
        for value in [
            "' or count(/*)=1 or 'a'='b",
            "x' and string-length(name(/*[1]))=4 and '1'='1",
            "'] | //user/*[contains(*,'",
            "')]|//password",
            "a' or /ancestor::node() or '",
            "1 or following-sibling::*",
            "' or substring(name(/*[1]),1,1)='a' or '1'='2",
            "q' and doc('http://h.test/x') or '",
            "' or position()=1 or '",
            "x' or //user[1]/text()='a",
        ] {
            assert_eq!(score(Field::Unknown, "user", value.as_bytes()), 10, "{value}");
        }
    }

    #[test]
    fn lets_other_uses_through() {
        for value in [
            "std::vector and parent::__construct",
            "self::name",
            "count(1/2)",
            "https://a.test//b",
            "a | b | //c",
            "name(of the thing)",
            "doc('the manual')",
            "/* comment */ // and more",
            "image/*, text/*",
            "child :: adult",
            "string-length matters",
        ] {
            assert!(score(Field::Unknown, "q", value.as_bytes()) < 5, "{value}");
        }
    }

    #[test]
    fn a_path_is_at_home_in_its_field() {
        assert_eq!(score(Field::Unknown, "xpath", b"//div[1]/text()"), 0);
        assert_eq!(score(Field::Query, "query", b"count(//a)=1"), 0);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            score(Field::Unknown, "", &bytes);
        }

        #[test]
        fn never_panics_on_fragments(parts in prop::collection::vec(prop::sample::select(vec![
            "::", "self", "child", "/", "//*", "[", "]", "|", "count(", "name(", "doc('", "position()", "=", "'", "text()", " ", "é",
        ]), 0..40)) {
            score(Field::Unknown, "", parts.concat().as_bytes());
        }
    }
}
