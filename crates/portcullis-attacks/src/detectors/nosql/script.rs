//! JavaScript and Cypher that a value carries into a query read as text.

use memchr::memmem;

use crate::{
    class::Class,
    hit::{Hit, Hits},
    leaf::Field,
    view::View,
};

/// Places of a kind that are looked at in one value.
const PLACES_MAX: usize = 32;

/// Judges a value.
pub(super) fn inspect(view: &View<'_>, hits: &mut Hits) {
    let home = match view.leaf.field {
        Field::Code => return,
        Field::Prose | Field::Markup => 4,
        _ => 10,
    };
    let mut add = |rule, score: u8, span, why| {
        hits.push(Hit { class: Class::Nosql, rule, score: score.min(home), span, why });
    };
    if let Some(span) = shell_call(view.lower) {
        add("database_call", 10, span, "a call of the database's own shell stands in the value");
    }
    if let Some(span) = broken_out(view.lower) {
        add("script_in_string", 10, span, "a quote closes a string and JavaScript goes on behind it");
    }
    if let Some(span) = this_condition(view.lower) {
        add("script_condition", 10, span, "a condition on the document itself is joined on in JavaScript");
    }
    if let Some(span) = cypher(view.lower) {
        add("cypher_clause", 10, span, "a quote closes a string of a graph query and another clause follows");
    }
}

/// `db.COLLECTION.METHOD(`.
fn shell_call(lower: &[u8]) -> Option<core::ops::Range<usize>> {
    const METHODS: [&[u8]; 22] = [
        b"find",
        b"findone",
        b"insert",
        b"insertone",
        b"insertmany",
        b"update",
        b"updateone",
        b"updatemany",
        b"remove",
        b"deleteone",
        b"deletemany",
        b"drop",
        b"aggregate",
        b"save",
        b"mapreduce",
        b"eval",
        b"count",
        b"getcollection",
        b"dropdatabase",
        b"runcommand",
        b"createuser",
        b"getusers",
    ];
    memmem::find_iter(lower, b"db.").take(PLACES_MAX).find_map(|at| {
        let free = at
            .checked_sub(1)
            .and_then(|before| lower.get(before))
            .is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'.');
        let rest = lower.get(at + 3..)?;
        let end = rest.iter().take(80).position(|byte| *byte == b'(')?;
        let path = rest.get(..end)?;
        let mut names = path.split(|byte| *byte == b'.');
        let method = names.next_back()?.trim_ascii_end();
        let plain =
            path.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b' '));
        (free && plain && METHODS.contains(&method)).then_some(at..at + 3 + end)
    })
}

/// A quote, a semicolon or a closing bracket, and a statement of JavaScript.
fn broken_out(lower: &[u8]) -> Option<core::ops::Range<usize>> {
    memchr::memchr2_iter(b'\'', b'"', lower).take(PLACES_MAX).find_map(|at| {
        let behind = lower.get(at + 1..)?;
        let skipped = behind
            .iter()
            .take(24)
            .take_while(|byte| byte.is_ascii_whitespace() || matches!(byte, b')' | b'}' | b';'))
            .count();
        let (seam, rest) = behind.split_at_checked(skipped)?;
        if !seam.contains(&b';') {
            return None;
        }
        let quote = lower.get(at)?;
        begins_statement(rest, *quote).then(|| at..(at + 1 + skipped + 12).min(lower.len()))
    })
}

/// Whether a text goes on as statements do that return, loop or measure time.
fn begins_statement(text: &[u8], quote: u8) -> bool {
    let length = text.iter().take(16).take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'_').count();
    let (word, behind) = text.split_at_checked(length).unwrap_or_default();
    let next = behind.trim_ascii_start();
    match word {
        // What is returned is a value or a comparison, and the string is entered again or the rest cut off.
        b"return" => {
            let line = next.get(..next.len().min(128)).unwrap_or_default();
            let value = next.first() == Some(&quote)
                || [b"true".as_slice(), b"1", b"this.", b"!", b"(", b"false", b"0"]
                    .iter()
                    .any(|start| next.starts_with(start));
            value && (line.contains(&quote) || line.contains(&b';') || memmem::find(line, b"//").is_some())
        }
        b"while" | b"for" => {
            next.starts_with(b"(")
                && (memmem::find(next, b"){").is_some() || memmem::find(next, b");").is_some())
        }
        b"do" => next.starts_with(b"{"),
        b"sleep" => next.starts_with(b"("),
        b"" => false,
        _ => {
            next.starts_with(b"=")
                && next.get(1..).unwrap_or_default().trim_ascii_start().starts_with(b"new date")
        }
    }
}

/// `&& this.password`, `|| this.admin ==`.
fn this_condition(lower: &[u8]) -> Option<core::ops::Range<usize>> {
    memmem::find_iter(lower, b"this.").take(PLACES_MAX).find_map(|at| {
        let before = lower.get(..at)?.trim_ascii_end();
        let before = before.strip_suffix(b"(").unwrap_or(before).trim_ascii_end();
        if !(before.ends_with(b"&&") || before.ends_with(b"||")) {
            return None;
        }
        let left = before.get(..before.len() - 2)?.trim_ascii_end();
        // Source code compares names; an injection stands behind a quote, a number or nothing.
        let behind_value = left.is_empty()
            || left.last().is_some_and(|byte| matches!(byte, b'\'' | b'"' | b'0'..=b'9')) && left.len() < 64;
        let rest = lower.get(at + 5..)?;
        let name =
            rest.iter().take(64).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        let next = rest.get(name..)?.trim_ascii_start();
        let asks = matches!(next.first(), Some(b'.' | b'=' | b'!' | b'<' | b'>' | b'['));
        (behind_value && name > 0 && asks).then(|| at..at + 5 + name)
    })
}

/// A closed string, then `MATCH (`, `DETACH DELETE`, `CALL db.`.
fn cypher(lower: &[u8]) -> Option<core::ops::Range<usize>> {
    memchr::memchr2_iter(b'\'', b'"', lower).take(PLACES_MAX).find_map(|at| {
        let behind = lower.get(at + 1..)?;
        let skipped = behind
            .iter()
            .take(24)
            .take_while(|byte| byte.is_ascii_whitespace() || matches!(byte, b')' | b'}' | b']'))
            .count();
        let (seam, rest) = behind.split_at_checked(skipped)?;
        let closes = seam.iter().any(|byte| matches!(byte, b')' | b'}' | b']'));
        let clause = [
            b"match (".as_slice(),
            b"match(",
            b"detach delete ",
            b"call db.",
            b"call apoc.",
            b"call dbms.",
            b"load csv ",
            b"unwind ",
        ]
        .iter()
        .any(|clause| rest.starts_with(clause));
        let ends = memmem::find(rest, b"//").is_some()
            || memmem::find(rest, b"return ").is_some()
            || memmem::find(rest, b"delete ").is_some();
        (clause && closes && ends).then(|| at..(at + 1 + skipped + 12).min(lower.len()))
    })
}
