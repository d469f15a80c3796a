//! NoSQL injection (CWE-943): operators of document databases where a value should be, and their JavaScript.
//!
//! Three shapes: an operator in a name (`password[$ne]`, a member `$where`), a text that leaves a string or object of a
//! query (`', $or: [ {}`), and JavaScript that runs in the database (`'; return true; var x='`, `db.users.find(`,
//! `this.password.match(`). Cypher, which is read as text too, is recognised behind a closed string.

mod operator;
mod script;

use operator::Operator;

use crate::{
    class::Class,
    detectors::Detector,
    hit::{Hit, Hits},
    leaf::{Field, Where},
    view::View,
};

/// Finds NoSQL injection.
#[derive(Debug)]
pub(super) struct Nosql;

impl Detector for Nosql {
    fn class(&self) -> Class {
        Class::Nosql
    }

    fn literals(&self) -> &'static [&'static str] {
        LITERALS
    }

    fn inspect(&self, view: &View<'_>, hits: &mut Hits) {
        if view.leaf.at == Where::Name {
            name(view, hits);
        }
        operators(view, hits);
        script::inspect(view, hits);
    }
}

/// An operator as a member's name, or in the brackets by which forms nest.
fn name(view: &View<'_>, hits: &mut Hits) {
    let text = view.lower.trim_ascii();
    let (head, operator) = match memchr::memchr(b'$', text).and_then(|at| text.split_at_checked(at)) {
        Some(split) => split,
        None => return,
    };
    let length = operator::length(operator);
    let Some(found) = Operator::of(operator.get(..length).unwrap_or_default()) else { return };
    let behind = operator.get(length..).unwrap_or_default();
    let bracketed = head.ends_with(b"[") && behind.starts_with(b"]");
    let dotted = head.ends_with(b".") && matches!(behind, [] | [b'[' | b'.', ..]);
    let alone = head.is_empty() && behind.is_empty();
    if !(bracketed || dotted || alone) {
        return;
    }
    let asked_for = view.leaf.field == Field::Query || (!alone && is_query_name(head));
    let score = match found {
        Operator::Runs => 10,
        Operator::Compares | Operator::Joins if asked_for => 2,
        Operator::Compares => 10,
        Operator::Joins => 8,
        Operator::Rare if asked_for => 0,
        Operator::Rare => 5,
    };
    hits.push(Hit {
        class: Class::Nosql,
        rule: "operator_in_name",
        score,
        span: head.len()..head.len() + length,
        why: "the name holds an operator of a document database, which turns the value into a condition",
    });
}

/// Operators inside a value: `{"$ne": 1}`, `', $or: [`, `true, $where: '1 == 1'`.
fn operators(view: &View<'_>, hits: &mut Hits) {
    let text = view.lower;
    if matches!(view.leaf.field, Field::Code) {
        return;
    }
    for at in memchr::memchr_iter(b'$', text).take(64) {
        let rest = text.get(at..).unwrap_or_default();
        let length = operator::length(rest);
        let Some(found) = Operator::of(rest.get(..length).unwrap_or_default()) else { continue };
        let behind = skip_blanks_and_quote(rest.get(length..).unwrap_or_default());
        if behind.first() != Some(&b':') || behind.get(1) == Some(&b':') {
            continue;
        }
        let before = text.get(..at).unwrap_or_default();
        let before =
            before.strip_suffix(b"\"").or(before.strip_suffix(b"'")).unwrap_or(before).trim_ascii_end();
        let score = weigh(view, found, before);
        if score > 0 {
            hits.push(Hit {
                class: Class::Nosql,
                rule: "operator_in_value",
                score,
                span: at..at + length,
                why: "the value holds an operator of a document database with what it compares to",
            });
            return;
        }
    }
}

fn weigh(view: &View<'_>, found: Operator, before: &[u8]) -> u8 {
    // What closes a string or an object before the operator was not opened by the value.
    let leaves = before.split(|byte| *byte == b',').next().is_some_and(|first| {
        let quotes = |quote: u8| first.iter().filter(|byte| **byte == quote).count() % 2 == 1;
        let opened = first.iter().filter(|byte| matches!(byte, b'{' | b'[')).count();
        let closed = first.iter().filter(|byte| matches!(byte, b'}' | b']')).count();
        before.contains(&b',') && (quotes(b'\'') || quotes(b'"') || closed > opened)
    });
    let begins = matches!(before, [] | [b'{']);
    let placed = begins || matches!(before.last(), Some(b',' | b'{' | b'['));
    let query = view.leaf.field == Field::Query || is_query_name(view.leaf.name.as_bytes());
    let prose = matches!(view.leaf.field, Field::Prose | Field::Markup);
    match found {
        _ if !placed => 0,
        _ if prose => 3,
        Operator::Runs if query && !leaves => 6,
        Operator::Runs => 10,
        _ if leaves => 10,
        _ if query => 2,
        Operator::Compares if begins => 10,
        Operator::Compares => 6,
        Operator::Joins => 6,
        Operator::Rare => 3,
    }
}

fn skip_blanks_and_quote(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii_start();
    let text = text.strip_prefix(b"\"").or(text.strip_prefix(b"'")).unwrap_or(text);
    text.trim_ascii_start()
}

/// Whether a field so called takes conditions: `filters[age][$gt]` is how some APIs are asked.
fn is_query_name(name: &[u8]) -> bool {
    let end = name.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(name.len());
    let first = name.get(..end).unwrap_or_default();
    const NAMES: [&[u8]; 9] = [
        b"filter",
        b"filters",
        b"where",
        b"query",
        b"criteria",
        b"conditions",
        b"selector",
        b"populate",
        b"match",
    ];
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(first))
}

const LITERALS: &[&str] = &[
    "$eq",
    "$ne",
    "$gt",
    "$lt",
    "$in",
    "$nin",
    "$or",
    "$and",
    "$no",
    "$ex",
    "$regex",
    "$where",
    "$func",
    "$acc",
    "$comm",
    "$elem",
    "$all",
    "$size",
    "$type",
    "$mod",
    "$json",
    "$text",
    "$lookup",
    "$group",
    "$match",
    "$out",
    "$merge",
    "$union",
    "$options",
    "db.",
    "this.",
    "return",
    "sleep(",
    "date()",
    "while(",
    "while (",
    "detach",
    "match",
    "mapreduce",
    "tojson",
    "var ",
    "apoc",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::leaf::Leaf;

    fn score(at: Where, field: Field, value: &[u8]) -> u8 {
        let lower = value.to_ascii_lowercase();
        let leaf = Leaf { at, field, name: "x", value };
        let mut hits = Hits::new();
        Nosql.inspect(&View { text: value, lower: &lower, leaf, depth: 0 }, &mut hits);
        for hit in &hits {
            assert!(hit.span.start <= hit.span.end && hit.span.end <= value.len(), "{hit:?}");
        }
        hits.iter().map(|hit| hit.score).max().unwrap_or(0)
    }

    #[test]
    fn finds_operators_in_names() {
        for name in ["user[$ne]", "login[$nin][]", "a.b[$gt]", "$where", "password.$regex", "$ne"] {
            assert_eq!(score(Where::Name, Field::Token, name.as_bytes()), 10, "{name}");
        }
    }

    #[test]
    fn lets_names_of_schemas_and_dialects_through() {
        for name in [
            "$ref",
            "$defs",
            "$schema",
            "$filter",
            "$select",
            "$top",
            "price$in",
            "cost[$]",
            "filters[age][$gt]",
            "US$",
        ] {
            assert!(score(Where::Name, Field::Token, name.as_bytes()) < 5, "{name}");
        }
        assert!(score(Where::Name, Field::Query, b"$gt") < 5);
    }

    #[test]
    fn finds_conditions_in_values() {
        for value in [
            "true, $where: '5 == 5'",
            "', $or: [ {}, { 'b':'b",
            "x\"}, \"$comment\": \"y",
            "{\"$ne\": null}",
            "{ $gt : '' }",
            "' } ], $comment:'z'",
        ] {
            assert_eq!(score(Where::Query, Field::Unknown, value.as_bytes()), 10, "{value}");
        }
    }

    #[test]
    fn finds_javascript_of_the_database() {
        for value in [
            "'; return true; var q='",
            "'; return '' == '",
            "a'; while(true){}; var b='",
            "';it=new Date();do{pt=new Date();}while(pt-it<9000);",
            "' && this.secret.match(/^a/)//",
            "'' && this.secret.match(/.*/)//",
            "1 || this.admin == true",
            "db.users.insert({a:1});",
            "db.collection.find( { $where: function() { return 1 } } );",
            "'}) MATCH (n) DETACH DELETE n //",
        ] {
            assert_eq!(score(Where::Body, Field::Unknown, value.as_bytes()), 10, "{value}");
        }
    }

    #[test]
    fn lets_texts_through() {
        for value in [
            "costs $5 and $in total",
            "the operator $ne compares; see also $gt",
            "use db.find to look",
            "I'll return this. Or that; return it",
            "match (the first) and return",
            "it's mine; return it to me",
            "var x = this.name;",
            "{\"$ref\": \"#/a\"}",
            "echo $home: $or",
        ] {
            assert!(score(Where::Body, Field::Unknown, value.as_bytes()) < 6, "{value}");
        }
    }

    #[test]
    fn code_and_queries_are_at_home_in_their_fields() {
        assert_eq!(score(Where::Body, Field::Code, b"db.users.find({ age: { $gt: 5 } })"), 0);
        assert!(score(Where::Body, Field::Query, b"{\"age\": {\"$gt\": 5}}") < 5);
        assert!(score(Where::Body, Field::Prose, b"ask with db.users.find( and { \"$gt\": 1 }") < 6);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            score(Where::Name, Field::Token, &bytes);
            score(Where::Query, Field::Unknown, &bytes);
        }

        #[test]
        fn never_panics_on_fragments(parts in prop::collection::vec(prop::sample::select(vec![
            "$where", "$ne", ":", "[", "]", "'", "\"", ";", "return", "db.", "find(", "this.", "&&", "||", "{", "}", ",", " ", "a", "match (", "é",
        ]), 0..30)) {
            score(Where::Name, Field::Token, parts.concat().as_bytes());
            score(Where::Query, Field::Unknown, parts.concat().as_bytes());
        }
    }
}
