//! Calls in C-like languages, found by the sites where they happen.
//!
//! Injected code lands in the middle of something else, so that nothing can be parsed from the start of the value. A
//! call shows itself by its `(` or, in JavaScript, by the backtick of a tagged template; from there the callee is
//! read backwards: a name, a member, a member in brackets whose name is put together from pieces (`['al'+'ert']`), a
//! callee in parentheses, a string (PHP's `'system'('id')`).

use smallvec::SmallVec;

use super::{cursor, fold};

/// One call site.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    /// The called name in lower case, put together where it came in pieces. `call`, `apply`, `bind` and `valueOf`
    /// are looked through.
    pub(crate) name: Name,
    /// What stands before the name and its dot, up to 64 bytes: `java.lang.runtime.getruntime()`.
    pub(crate) qualifier: &'a [u8],
    /// What follows the opening mark, up to 160 bytes.
    pub(crate) arguments: &'a [u8],
    /// How the callee was written.
    pub(crate) manner: Manner,
    /// Where the callee begins.
    pub(crate) start: usize,
    /// Where the opening mark stands.
    pub(crate) open: usize,
}

/// A short name.
pub(crate) type Name = SmallVec<[u8; 24]>;

/// How a callee was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// The name, then the opening mark.
    Plain,
    /// The name, blanks, then the opening mark: also what an English sentence looks like.
    Spaced,
    /// In parentheses, by `call` and its kind, or as a string: seldom without a reason.
    Indirect,
    /// From pieces or escapes: hiding.
    Assembled,
}

/// How far a callee is followed through wrappers such as `.call`.
const WRAPPERS_MAX: usize = 4;
const NAME_BYTES_MAX: usize = 40;
const QUALIFIER_BYTES_MAX: usize = 64;
const ARGUMENTS_BYTES_MAX: usize = 160;
const BRACKETS_BYTES_MAX: usize = 160;

/// Shows every call site of a text in lower case, in order.
pub(crate) fn each<'a>(lower: &'a [u8], visit: &mut dyn FnMut(&Call<'a>)) {
    for open in memchr::memchr2_iter(b'(', b'`', lower) {
        if let Some(call) = read(lower, open) {
            visit(&call);
        }
    }
}

fn read(lower: &[u8], open: usize) -> Option<Call<'_>> {
    let mut end = cursor::skip_filler_back(lower, open);
    let mut manner = if end == open { Manner::Plain } else { Manner::Spaced };
    if cursor::part(lower, end, open).contains(&b'*') {
        manner = Manner::Indirect;
    }
    if cursor::part(lower, 0, end).ends_with(b"?.") {
        end -= 2;
    }
    for _ in 0..WRAPPERS_MAX {
        let (start, name) = match cursor::before(lower, end) {
            b']' => {
                let start = opening(lower, end, b'[', b']')?;
                manner = Manner::Assembled;
                (start, fold::strings(cursor::part(lower, start + 1, end - 1)))
            }
            b')' => {
                let start = opening(lower, end, b'(', b')')?;
                let inside = cursor::part(lower, start + 1, end - 1).trim_ascii();
                if inside.is_empty() {
                    // The result of `x()` is called: look at `x`.
                    end = cursor::skip_filler_back(lower, start);
                    manner = Manner::Indirect;
                    continue;
                }
                let (name, how) = parenthesised(inside)?;
                manner = how;
                (start, name)
            }
            b'\'' | b'"' => {
                let quote = cursor::before(lower, end);
                let inside = cursor::part(lower, end.saturating_sub(NAME_BYTES_MAX), end - 1);
                let length = inside.iter().rev().take_while(|byte| **byte != quote).count();
                if length == inside.len() {
                    return None;
                }
                manner = Manner::Indirect;
                let start = end - 1 - length;
                (start - 1, Name::from_slice(cursor::part(lower, start, end - 1)))
            }
            byte if cursor::is_word(byte) => {
                let start = cursor::word_start(lower, end, NAME_BYTES_MAX);
                let name = cursor::part(lower, start, end);
                if cursor::before(lower, start) == b'\\' {
                    manner = Manner::Assembled;
                }
                (start, fold::name(name))
            }
            _ => return None,
        };
        let is_wrapper = matches!(name.as_slice(), b"call" | b"apply" | b"bind" | b"valueof");
        let dotted = cursor::before(lower, start) == b'.';
        if is_wrapper && (dotted || manner == Manner::Assembled) && start > 0 {
            end = if dotted { start - 1 } else { start };
            manner = if manner == Manner::Assembled { manner } else { Manner::Indirect };
            continue;
        }
        // A name that cannot be folded, `top[8680439..toString(30)](1)`, is still one that is computed.
        if name.is_empty() && manner != Manner::Assembled {
            return None;
        }
        return Some(Call {
            qualifier: qualifier(lower, start),
            arguments: cursor::part(lower, open + 1, open + 1 + ARGUMENTS_BYTES_MAX),
            name,
            manner,
            start,
            open,
        });
    }
    None
}

/// Where the bracket that `end` follows was opened.
fn opening(lower: &[u8], end: usize, open: u8, close: u8) -> Option<usize> {
    let limit = end.saturating_sub(BRACKETS_BYTES_MAX);
    let mut depth = 0_usize;
    for (offset, byte) in cursor::part(lower, limit, end).iter().enumerate().rev() {
        if *byte == close {
            depth += 1;
        } else if *byte == open {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return Some(limit + offset);
            }
        }
    }
    None
}

/// The callee inside `(…)`: the last of a comma list, a name with or without qualifier, or pieces of strings.
fn parenthesised(inside: &[u8]) -> Option<(Name, Manner)> {
    if inside.iter().any(|byte| matches!(byte, b'\'' | b'"')) {
        let name = fold::strings(inside);
        return (!name.is_empty()).then_some((name, Manner::Assembled));
    }
    let last =
        inside.rsplit(|byte| matches!(byte, b',' | b'|' | b'?' | b':' | b'.' | b'=')).next()?.trim_ascii();
    if last.is_empty()
        || last.len() > NAME_BYTES_MAX
        || !last.iter().all(|byte| cursor::is_word(*byte) || *byte == b'\\')
    {
        return None;
    }
    Some((fold::name(last), Manner::Indirect))
}

/// What stands before the member that begins at `start`.
fn qualifier(lower: &[u8], start: usize) -> &[u8] {
    let limit = start.saturating_sub(QUALIFIER_BYTES_MAX);
    let mut from = start;
    while from > limit {
        let byte = cursor::before(lower, from);
        if !(cursor::is_word(byte)
            || matches!(
                byte,
                b'.' | b':' | b'-' | b'>' | b'@' | b'\\' | b'#' | b'(' | b')' | b'[' | b']' | b'\'' | b'"'
            ))
        {
            break;
        }
        from -= 1;
    }
    cursor::part(lower, from, start)
}

/// Whether arguments begin with something written out rather than with a variable: a string, a number, an array, a
/// regular expression, `$_GET`, nothing. Calls in explanations have none of it.
pub(crate) fn is_literal(arguments: &[u8]) -> bool {
    let from = cursor::skip_filler(arguments, 0);
    let rest = cursor::part(arguments, from, arguments.len());
    let rest = rest.strip_prefix(b"\\").unwrap_or(rest);
    match rest {
        [b'\'' | b'"' | b'`' | b'/' | b'[' | b')' | b'$' | b'0'..=b'9' | b'-' | b'~', ..] => true,
        // Typographic quotation marks, which word processors and filters put in place of straight ones.
        [0xe2, 0x80, 0x98..=0x9f, ..] => true,
        _ => false,
    }
}

/// Whether arguments begin with a quoted text.
pub(crate) fn is_quoted(arguments: &[u8]) -> bool {
    let from = cursor::skip_filler(arguments, 0);
    let rest = cursor::part(arguments, from, arguments.len());
    let rest = rest.strip_prefix(b"\\").unwrap_or(rest);
    matches!(rest, [b'\'' | b'"' | b'`', ..] | [0xe2, 0x80, 0x98..=0x9f, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Vec<(String, Manner)> {
        let mut found = Vec::new();
        each(text.as_bytes(), &mut |call| {
            found.push((String::from_utf8_lossy(&call.name).into_owned(), call.manner));
        });
        found
    }

    fn one(text: &str) -> (String, Manner) {
        check(text).first().cloned().unwrap_or_else(|| panic!("no call in {text}"))
    }

    #[test]
    fn reads_the_callee_however_it_is_written() {
        let is = |name: &str, manner| (name.to_owned(), manner);
        assert_eq!(one("';alert(1)//"), is("alert", Manner::Plain));
        assert_eq!(one("alert`1`"), is("alert", Manner::Plain));
        assert_eq!(one("alert /*x*/ (1)"), is("alert", Manner::Indirect));
        assert_eq!(one("please confirm (now)"), is("confirm", Manner::Spaced));
        assert_eq!(one("alert.call(null,1)"), is("alert", Manner::Indirect));
        assert_eq!(one("alert?.(1)"), is("alert", Manner::Plain));
        assert_eq!(one("(alert)(1)"), is("alert", Manner::Indirect));
        assert_eq!(one("(0,alert)(1)"), is("alert", Manner::Indirect));
        assert_eq!(one("self['al'+'ert'](1)"), is("alert", Manner::Assembled));
        assert_eq!(one("top[/al/.source+/ert/.source](1)"), is("alert", Manner::Assembled));
        assert_eq!(one("self[/*a*/'alert'/*b*/](1)"), is("alert", Manner::Assembled));
        assert_eq!(one("('sys'.'tem')('id')"), is("system", Manner::Assembled));
        assert_eq!(one("'system'('id')"), is("system", Manner::Indirect));
        assert_eq!(one("\\u0061lert(1)"), is("alert", Manner::Assembled));
    }

    #[test]
    fn looks_through_a_call_whose_result_is_called() {
        assert_eq!(check("prompt.valueof()(1)").last().unwrap().0, "prompt");
    }

    #[test]
    fn what_is_no_call_is_none() {
        assert_eq!(check("(a + b) * ( c )"), []);
        assert_eq!(check("( ` "), []);
        assert_eq!(check("'("), []);
    }

    #[test]
    fn tells_literal_arguments_from_variables() {
        assert!(is_literal(b"'id'"));
        assert!(is_literal(b"  /* */ \"id\""));
        assert!(is_literal("“cat”".as_bytes()));
        assert!(!is_literal(b"command"));
        assert!(is_literal(b")"));
        assert!(is_quoted(b"\\'ipconfig"));
        assert!(!is_quoted(b"12"));
    }
}
