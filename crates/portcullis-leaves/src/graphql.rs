//! The texts of a GraphQL document (GraphQL October 2021 §2.1): its string values and comments, and nothing of its own
//! syntax. No full parser: just enough of the grammar to tell an executable document from other text that has braces.

use std::borrow::Cow;

use thiserror::Error;

use crate::limits::{LimitExceeded, Limits};

/// Why a text is no executable GraphQL document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum GraphqlError {
    /// A bound on bodies.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// A character or word that has no place there; the number is its byte.
    #[error("no GraphQL at byte {0}")]
    Unexpected(usize),
    /// The document ends within a string, a selection or its arguments.
    #[error("unexpected end of the document")]
    UnexpectedEnd,
}

/// A text in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<'d> {
    /// The argument or input field whose value it is or is part of; empty for a comment.
    pub name: &'d str,
    /// A string unescaped, or a comment without its `#`.
    pub text: Cow<'d, str>,
}

/// Which brackets are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    /// `{` of selected fields.
    Selection,
    /// `(` of arguments or variables.
    Arguments,
    /// `{` or `[` of a value.
    Value,
}

/// Calls `visit` for each string value and comment in order. Linear in the document's length; texts before a fault
/// have been visited.
///
/// # Errors
/// The first place where the text is no executable document, or a limit that it exceeds.
pub fn texts<'d>(
    document: &'d str,
    limits: &Limits,
    visit: &mut dyn FnMut(Text<'d>),
) -> Result<(), GraphqlError> {
    let mut walk =
        Walk { document, at: 0, open: Vec::new(), name: "", is_named: false, has_selection: false };
    let mut tokens = 0;
    while let Some(byte) = walk.next_byte() {
        tokens += 1;
        if tokens > limits.values_max {
            return Err(LimitExceeded::Values(limits.values_max).into());
        }
        walk.token(byte, limits, visit)?;
    }
    if walk.open.is_empty() && walk.has_selection { Ok(()) } else { Err(GraphqlError::UnexpectedEnd) }
}

struct Walk<'d> {
    document: &'d str,
    at: usize,
    open: Vec<Open>,
    /// The latest name.
    name: &'d str,
    /// Whether that name was the latest token.
    is_named: bool,
    has_selection: bool,
}

/// Words that begin a definition.
const KEYWORDS: [&str; 4] = ["query", "mutation", "subscription", "fragment"];

impl<'d> Walk<'d> {
    /// The next byte that is not ignored (§2.1.7), left in place.
    fn next_byte(&mut self) -> Option<u8> {
        let rest = self.rest();
        let ignored = rest.bytes().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b','));
        self.at += ignored.unwrap_or(rest.len());
        self.rest().bytes().next()
    }

    fn rest(&self) -> &'d str {
        self.document.get(self.at..).unwrap_or_default()
    }

    fn token(
        &mut self,
        byte: u8,
        limits: &Limits,
        visit: &mut dyn FnMut(Text<'d>),
    ) -> Result<(), GraphqlError> {
        let start = self.at;
        let was_named = std::mem::take(&mut self.is_named);
        let inside = self.open.last().copied();
        match byte {
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => return self.word(inside),
            b'{' => {
                let is_value = matches!(inside, Some(Open::Arguments | Open::Value));
                self.has_selection = true;
                self.enter(if is_value { Open::Value } else { Open::Selection }, limits)?;
            }
            b'(' if was_named && inside != Some(Open::Value) => self.enter(Open::Arguments, limits)?,
            b'[' if matches!(inside, Some(Open::Arguments | Open::Value)) => {
                self.enter(Open::Value, limits)?
            }
            b'}' if matches!(inside, Some(Open::Selection | Open::Value)) => self.leave(),
            b']' if inside == Some(Open::Value) => self.leave(),
            b')' if inside == Some(Open::Arguments) => self.leave(),
            b':' if was_named => {}
            b'@' => {}
            b'.' if inside == Some(Open::Selection) && self.rest().starts_with("...") => self.at += 2,
            b'#' => {
                let comment = self.rest().split(['\n', '\r']).next().unwrap_or_default();
                visit(Text { name: "", text: Cow::Borrowed(comment.get(1..).unwrap_or_default()) });
                self.at += comment.len() - 1;
            }
            b'"' if matches!(inside, Some(Open::Arguments | Open::Value)) => {
                let text = self.string(limits)?;
                visit(Text { name: self.name, text });
                return Ok(());
            }
            b'$' | b'!' | b'=' | b'-' | b'0'..=b'9' | b'.' | b'+' | b'|' | b'&'
                if matches!(inside, Some(Open::Arguments | Open::Value)) => {}
            _ => return Err(GraphqlError::Unexpected(start)),
        }
        self.at += 1;
        Ok(())
    }

    /// A name; outside of selections only definitions have some.
    fn word(&mut self, inside: Option<Open>) -> Result<(), GraphqlError> {
        let rest = self.rest();
        let end = rest.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'_'));
        let word = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        if self.at == 0 || (inside.is_none() && self.name.is_empty()) {
            let is_keyword = KEYWORDS.contains(&word) || self.has_selection;
            if !is_keyword {
                return Err(GraphqlError::Unexpected(self.at));
            }
        }
        let ends_value = rest.get(word.len()..).unwrap_or_default().trim_start().starts_with(':');
        // An enumeration or a variable within a list must not be taken for the name of the strings after it.
        if ends_value || matches!(inside, None | Some(Open::Selection)) {
            self.name = word;
        }
        self.is_named = true;
        self.at += word.len();
        Ok(())
    }

    fn enter(&mut self, open: Open, limits: &Limits) -> Result<(), GraphqlError> {
        if self.open.len() >= DEPTH_FACTOR * limits.depth_max as usize {
            return Err(LimitExceeded::Depth(limits.depth_max).into());
        }
        self.open.push(open);
        Ok(())
    }

    fn leave(&mut self) {
        self.open.pop();
    }

    /// The string that begins here, plain or block (§2.9.4).
    fn string(&mut self, limits: &Limits) -> Result<Cow<'d, str>, GraphqlError> {
        let rest = self.rest();
        let (quotes, is_block) = if rest.starts_with("\"\"\"") { (3, true) } else { (1, false) };
        let body = rest.get(quotes..).unwrap_or_default();
        let bytes = body.as_bytes();
        let mut end = 0;
        let mut has_escapes = false;
        loop {
            match bytes.get(end..).unwrap_or_default() {
                [b'\\', b'"', b'"', b'"', ..] if is_block => (end, has_escapes) = (end + 4, true),
                [b'\\', _, ..] if !is_block => (end, has_escapes) = (end + 2, true),
                [b'"', b'"', b'"', ..] if is_block => break,
                [b'"', ..] if !is_block => break,
                [b'\n' | b'\r', ..] if !is_block => {
                    return Err(GraphqlError::Unexpected(self.at + quotes + end));
                }
                [_, ..] => end += 1,
                [] => return Err(GraphqlError::UnexpectedEnd),
            }
        }
        if end > limits.string_bytes_max as usize {
            return Err(LimitExceeded::StringBytes(limits.string_bytes_max).into());
        }
        self.at += end + 2 * quotes;
        let text = body.get(..end).unwrap_or_default();
        Ok(match (has_escapes, is_block) {
            (false, _) => Cow::Borrowed(text),
            (true, true) => Cow::Owned(text.replace("\\\"\"\"", "\"\"\"")),
            (true, false) => Cow::Owned(unescaped(text)),
        })
    }
}

/// A document nests by its selections and by its values.
const DEPTH_FACTOR: usize = 2;

/// Undoes the escapes of a plain string; an escape that is none stays.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut characters = after.chars();
        let character = match characters.next() {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('u') => {
                let code = after.get(1..5).and_then(|digits| u32::from_str_radix(digits, 16).ok());
                if let Some(character) = code.and_then(char::from_u32) {
                    out.push(character);
                    rest = after.get(5..).unwrap_or_default();
                    continue;
                }
                out.push('\\');
                'u'
            }
            Some(other) => other,
            None => '\\',
        };
        out.push(character);
        rest = characters.as_str();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(document: &str) -> Result<Vec<(String, String)>, GraphqlError> {
        let limits = Limits { depth_max: 4, string_bytes_max: 100, ..Limits::default() };
        let mut found = Vec::new();
        texts(document, &limits, &mut |it| found.push((it.name.to_owned(), it.text.into_owned())))?;
        Ok(found)
    }

    fn is(found: &[(&str, &str)]) -> Result<Vec<(String, String)>, GraphqlError> {
        Ok(found.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
    }

    #[test]
    fn finds_strings_with_their_arguments() {
        assert_eq!(check("{ a }"), is(&[]));
        assert_eq!(
            check(r#"query Q($x: Int! = 1) { user(id: "1' or 1", n: 2) { name } }"#),
            is(&[("id", "1' or 1")])
        );
        assert_eq!(
            check(r#"mutation { add(input: {tags: ["a", "b"], title: "c"}) { id } }"#),
            is(&[("tags", "a"), ("tags", "b"), ("title", "c")])
        );
        assert_eq!(check("{ a } # <b>"), is(&[("", " <b>")]));
        assert_eq!(
            check(r#"{ a @skip(if: $x) ... on T { b(c: -1.5e+3) } ...F } fragment F on T { d }"#),
            is(&[])
        );
    }

    #[test]
    fn undoes_escapes() {
        assert_eq!(check(r#"{ a(b: "\u003cx\n\"y\\") }"#), is(&[("b", "<x\n\"y\\")]));
        assert_eq!(check("{ a(b: \"\"\"x \"y\" \\\"\"\" z\"\"\") }"), is(&[("b", "x \"y\" \"\"\" z")]));
        assert_eq!(check(r#"{ a(b: "\uzzzz") }"#), is(&[("b", "\\uzzzz")]));
    }

    #[test]
    fn refuses_what_is_no_document() {
        for text in
            ["", "users", "select a", "{ $gt: 1 }", "{ a; }", "{ a / b }", "' or 1", "{\"a\": 1}", "query"]
        {
            assert!(check(text).is_err(), "{text}");
        }
        assert_eq!(check("{ a } ' or 1=1"), Err(GraphqlError::Unexpected(6)));
        assert_eq!(check("{ a(b: \"c"), Err(GraphqlError::UnexpectedEnd));
        assert_eq!(check("{ a(b: \"c\n\") }"), Err(GraphqlError::Unexpected(9)));
        assert_eq!(check("{ a"), Err(GraphqlError::UnexpectedEnd));
    }

    #[test]
    fn is_bounded() {
        let deep = format!("{}{}", "{a".repeat(9), "}".repeat(9));
        assert_eq!(check(&deep), Err(GraphqlError::Limit(LimitExceeded::Depth(4))));
        let long = format!("{{ a(b: \"{}\") }}", "x".repeat(101));
        assert_eq!(check(&long), Err(GraphqlError::Limit(LimitExceeded::StringBytes(100))));
    }

    proptest! {
        #[test]
        fn never_panics(text in r#"[{}()\[\]:"\\uaé#.$, \n]{0,80}"#) {
            let _ = check(&text);
        }
    }
}
