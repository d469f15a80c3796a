//! Abuse of GraphQL by text (CWE-400, CWE-200): documents where no document belongs, and documents built to exhaust.
//!
//! A document in the field for it is the API's own language, and its schema check knows it better. A document anywhere
//! else goes to a resolver or an upstream that the client should not reach; introspection there maps the API.

use memchr::memmem;

use crate::{
    class::Class,
    detectors::Detector,
    hit::{Hit, Hits},
    leaf::{Field, Where},
    view::View,
};

/// Finds abuse of GraphQL.
#[derive(Debug)]
pub(super) struct Graphql;

impl Detector for Graphql {
    fn class(&self) -> Class {
        Class::Graphql
    }

    fn literals(&self) -> &'static [&'static str] {
        &[
            "__schema",
            "__type",
            "query",
            "mutation",
            "subscription",
            "fragment",
            "{",
            "@@",
            "@skip",
            "@include",
        ]
    }

    fn inspect(&self, view: &View<'_>, hits: &mut Hits) {
        if matches!(view.leaf.field, Field::Code | Field::Prose | Field::Markup) {
            return;
        }
        let text = view.lower;
        let at_home = matches!(view.leaf.name, "query" | "document" | "gql" | "graphql")
            || view.leaf.field == Field::Query;
        let mut add =
            |rule, score, span, why| hits.push(Hit { class: Class::Graphql, rule, score, span, why });
        if let Some(span) = introspection(text) {
            let score = if at_home { 3 } else { 10 };
            add("introspection", score, span, "the schema of a GraphQL service is asked for");
        }
        let Some(document) = read(text) else { return };
        if !at_home {
            let whole_body = view.leaf.at == Where::Body && view.leaf.name.is_empty();
            let score = match (document.operation, view.leaf.at) {
                _ if document.fields < 2 && !document.arguments => 0,
                _ if whole_body => 5,
                (true, _) => 10,
                (false, Where::Name) if document.arguments => 10,
                (false, _) if document.arguments && document.nested => 8,
                (false, _) => 4,
            };
            if score > 0 {
                add(
                    "injected_document",
                    score,
                    0..text.len(),
                    "a GraphQL document stands where no document belongs",
                );
            }
        }
        if document.aliases >= ALIASES_MANY {
            let score = if document.aliases >= ALIASES_FLOOD { 10 } else { 5 };
            add(
                "alias_flood",
                score,
                0..text.len(),
                "one field is asked for over and over under other names",
            );
        }
        if document.directives >= DIRECTIVES_FLOOD {
            add("directive_flood", 10, 0..text.len(), "directives are repeated to exhaust the service");
        }
        if document.depth >= DEPTH_FLOOD {
            add("deep_document", 8, 0..text.len(), "selections are nested deeper than data is");
        }
    }
}

/// Aliases of one field from which on they look like guessing; clients fetch lists of dozens that way.
const ALIASES_MANY: usize = 50;
/// Aliases of one field that no client needs.
const ALIASES_FLOOD: usize = 200;
/// Directives without a selection between them.
const DIRECTIVES_FLOOD: usize = 20;
/// Nested selections; the deepest of honest clients' introspection queries have 13.
const DEPTH_FLOOD: usize = 32;

/// `__schema {`, `__type(name:`, `on __Type {`.
fn introspection(lower: &[u8]) -> Option<core::ops::Range<usize>> {
    let schema = memmem::find_iter(lower, b"__schema").take(8).find(|at| {
        let rest = lower.get(at + 8..).unwrap_or_default().trim_ascii_start();
        let before = lower.get(..*at).unwrap_or_default().trim_ascii_end();
        rest.starts_with(b"{")
            && before.last().is_none_or(|byte| !byte.is_ascii_alphanumeric() || before.len() < *at)
    });
    if let Some(at) = schema {
        return Some(at..at + 8);
    }
    memmem::find_iter(lower, b"__type").take(8).find_map(|at| {
        let rest = lower.get(at + 6..)?.trim_ascii_start();
        let asked = rest.strip_prefix(b"(").is_some_and(|rest| rest.trim_ascii_start().starts_with(b"name"));
        let before = lower.get(..at)?;
        let spread = rest.starts_with(b"{") && before.ends_with(b"on ");
        (asked || spread).then_some(at..at + 6)
    })
}

/// What a document is made of.
#[derive(Clone, Copy, Debug, Default)]
struct Document {
    /// It names its operation.
    operation: bool,
    /// A field has arguments.
    arguments: bool,
    /// A selection stands within another.
    nested: bool,
    fields: usize,
    /// The most often aliased field's aliases, as far as they follow one another.
    aliases: usize,
    /// The longest row of directives.
    directives: usize,
    depth: usize,
}

/// Reads a text as a document; `None` if it is none. One pass over the bytes.
fn read(lower: &[u8]) -> Option<Document> {
    let text = lower.trim_ascii();
    let mut document = Document::default();
    let word = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    document.operation = matches!(text.get(..word)?, b"query" | b"mutation" | b"subscription" | b"fragment");
    if !document.operation && !text.starts_with(b"{") {
        return None;
    }
    let (mut depth, mut brackets, mut deepest) = (0_usize, 0_usize, 0_usize);
    let (mut last_field, mut row, mut directives): (&[u8], usize, usize) = (b"", 0, 0);
    let mut aliased = false;
    let mut at = if document.operation { word } else { 0 };
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'{' if brackets > 0 => at = skip_object(text, at)?,
            b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
                directives = 0;
            }
            b'}' => depth = depth.checked_sub(1)?,
            b'(' => {
                document.arguments |= depth > 0;
                brackets += 1;
            }
            b')' => brackets = brackets.checked_sub(1)?,
            // Strings are arguments: this tells JSON apart at its first name.
            b'"' if brackets == 0 => return None,
            b'"' => at = skip_string(text, at)?,
            b':' if brackets == 0 => aliased = true,
            b'@' => {
                directives += 1;
                document.directives = document.directives.max(directives);
                at += name_length(text.get(at..)?);
            }
            b'#' => at += memchr::memchr(b'\n', text.get(at..)?).unwrap_or(text.len()),
            b'a'..=b'z' | b'_' => {
                let length = name_length(text.get(at - 1..)?);
                let name = text.get(at - 1..at - 1 + length)?;
                at += length - 1;
                if brackets == 0 && depth > 0 {
                    document.fields += 1;
                    directives = 0;
                    if aliased {
                        row = if name == last_field { row + 1 } else { 1 };
                        last_field = name;
                        document.aliases = document.aliases.max(row);
                        document.fields -= 1;
                    }
                    aliased = false;
                }
            }
            b'.' | b'$' | b'!' | b'=' | b'[' | b']' | b',' | b':' | b'0'..=b'9' | b'-' | b'|' | b'&' => {}
            byte if byte.is_ascii_whitespace() => {}
            _ => return None,
        }
    }
    document.depth = deepest;
    document.nested = deepest > 1;
    // JSON and blocks of code begin alike; they hold no bare names, or hold other signs.
    (depth == 0 && brackets == 0 && document.fields > 0 && deepest > 0).then_some(document)
}

fn name_length(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
}

/// The index behind a string that was entered.
fn skip_string(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// The index behind an input object that was entered, strings and all.
fn skip_object(text: &[u8], from: usize) -> Option<usize> {
    let (mut depth, mut at) = (1_usize, from);
    while depth > 0 {
        at += memchr::memchr3(b'{', b'}', b'"', text.get(at..)?)? + 1;
        match text.get(at - 1)? {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => at = skip_string(text, at)?,
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::leaf::Leaf;

    fn score(at: Where, field: Field, name: &str, value: &[u8]) -> u8 {
        let lower = value.to_ascii_lowercase();
        let leaf = Leaf { at, field, name, value };
        let mut hits = Hits::new();
        Graphql.inspect(&View { text: value, lower: &lower, leaf, depth: 0 }, &mut hits);
        for hit in &hits {
            assert!(hit.span.start <= hit.span.end && hit.span.end <= value.len(), "{hit:?}");
        }
        hits.iter().map(|hit| hit.score).max().unwrap_or(0)
    }

    #[test]
    fn finds_introspection_outside_of_its_field() {
        for value in [
            "{__schema{types{name}}}",
            "x\") { __schema { queryType { name } } }",
            "{ __type ( name: \"A\") { name } }",
            "fragment F on __Type { kind name }",
        ] {
            assert_eq!(score(Where::Query, Field::Unknown, "q", value.as_bytes()), 10, "{value}");
            assert!(score(Where::Body, Field::Query, "query", value.as_bytes()) < 5, "{value}");
        }
    }

    #[test]
    fn finds_documents_where_none_belong() {
        assert_eq!(score(Where::Query, Field::Unknown, "id", b"mutation { drop(id: 1) { ok } }"), 10);
        assert_eq!(score(Where::Name, Field::Token, "", b"{users(first: 9){name mail{at}}}"), 10);
        assert_eq!(score(Where::Query, Field::Unknown, "id", b"{users(first: 9){name mail{at}}}"), 8);
    }

    #[test]
    fn finds_floods() {
        let aliases: String = (0..250).map(|n| format!("a{n}: login(pin: {n}) {{ ok }} ")).collect();
        // The aliased field is followed by its own selection, so the row is not broken by it.
        assert_eq!(score(Where::Body, Field::Query, "query", format!("{{ {aliases} }}").as_bytes()), 10);
        let directives = "@a".repeat(40);
        assert_eq!(
            score(Where::Body, Field::Query, "query", format!("{{ x {directives} {{ y }} }}").as_bytes()),
            10
        );
        let deep = format!("{}a{}", "{a".repeat(40), "}".repeat(40));
        assert_eq!(score(Where::Body, Field::Query, "query", deep.as_bytes()), 8);
    }

    #[test]
    fn lets_other_texts_through() {
        for value in [
            "{\"a\": 1, \"b\": {\"c\": 2}}",
            "{name}",
            "{ color: red; }",
            "query",
            "query the list (all of it)",
            "mutation of {genes}",
            "the __schema table",
            "{{ user.name }}",
            "{a: 1, b: 2}",
            "fragment on the floor",
        ] {
            assert!(score(Where::Query, Field::Unknown, "q", value.as_bytes()) < 5, "{value}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            score(Where::Query, Field::Unknown, "", &bytes);
        }

        #[test]
        fn never_panics_on_fragments(parts in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "(", ")", "query", "a", ":", "\"", "\\", "@x", "#", "\n", "__schema", "__type", "...", "$", "é",
        ]), 0..60)) {
            score(Where::Query, Field::Unknown, "", parts.concat().as_bytes());
        }
    }
}
