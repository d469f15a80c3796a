//! Targets: `ARGS|!ARGS:/^x/|&REQUEST_HEADERS:Host`.

use super::context::Context;
use super::piece::{Piece, closing_quote};
use super::suggestion::like;
use crate::diagnostic::shown;
use crate::syntax::{Selector, Shape, Target, TargetMode, Variable};

/// All targets of a list. Every bad one is reported; none is answered when one is bad.
pub(crate) fn targets(cx: &mut Context<'_>, list: Piece<'_>) -> Option<Vec<Target>> {
    let mut found = Vec::new();
    let mut is_good = true;
    let mut rest = list.trim();
    if rest.is_empty() {
        return cx.error(list, "no variable is named", "");
    }
    loop {
        if cx.report.is_full() {
            return None;
        }
        let (target, behind) = target(cx, rest);
        match target {
            Some(target) => found.push(target),
            None => is_good = false,
        }
        let behind = behind.trim_start();
        match behind.first() {
            None => return is_good.then_some(found),
            Some(b'|' | b',') => rest = behind.skip(1).trim_start(),
            Some(_) => return cx.error(behind, "expected `|` between variables", ""),
        }
    }
}

/// One target and what stands behind it.
fn target<'t>(cx: &mut Context<'_>, text: Piece<'t>) -> (Option<Target>, Piece<'t>) {
    let (mode, rest) = match text.first() {
        Some(b'!') => (TargetMode::Exclude, text.skip(1)),
        Some(b'&') => (TargetMode::Count, text.skip(1)),
        _ => (TargetMode::Value, text),
    };
    let (name, rest) = rest.split_where(|byte| !byte.is_ascii_alphanumeric() && byte != b'_');
    let variable = Variable::from_name(name.bytes);
    let shape = variable.map_or(Shape::Collection, Variable::shape);
    let (selector, rest) = match rest.first() {
        Some(b':' | b'.') => selector(cx, rest.skip(1), shape),
        _ => (Some(Selector::All), rest),
    };
    let Some(variable) = variable else {
        unknown(cx, text, name);
        // What follows an unknown name cannot be split surely, but the next bar still can.
        let resume = if name.is_empty() { rest.split_where(|byte| byte == b'|').1 } else { rest };
        return (None, resume);
    };
    if shape == Shape::Scalar && selector.as_ref().is_some_and(|selector| *selector != Selector::All) {
        let message = format!("`{}` has one value only, so nothing can be selected from it", variable.name());
        cx.error::<()>(name, message, "");
        return (None, rest);
    }
    let place = cx.place(text);
    let target = selector.map(|selector| Target { mode, variable, selector, place });
    (target, rest)
}

fn unknown(cx: &mut Context<'_>, text: Piece<'_>, name: Piece<'_>) {
    if name.is_empty() {
        cx.error::<()>(text.split_where(|byte| byte == b'|').0, "expected the name of a variable", "");
    } else if name.is("WEBSERVER_ERROR_LOG") {
        cx.error::<()>(
            name,
            "`WEBSERVER_ERROR_LOG` is not available: there is no web server's error log here",
            "",
        );
    } else {
        let hint = like(name.bytes, Variable::ALL.iter().map(|variable| variable.name()));
        cx.error::<()>(name, format!("unknown variable `{}`", shown(name.bytes)), &hint);
    }
}

/// What stands behind the colon, and the rest.
fn selector<'t>(cx: &mut Context<'_>, text: Piece<'t>, shape: Shape) -> (Option<Selector>, Piece<'t>) {
    match (shape, text.first()) {
        (Shape::Document, _) => xpath(cx, text),
        (_, Some(b'\'')) => quoted(cx, text),
        (_, Some(b'/')) => match closing_slash(text.skip(1).bytes) {
            Some(end) => {
                let (pattern, rest) = text.skip(1).split_at(end);
                (regex(cx, text, pattern), rest.skip(1))
            }
            None => {
                // Nothing behind it closes either, so that looking on would only cost time.
                let (bad, _) = text.split_where(|byte| byte == b'|');
                let rest = text.skip(text.bytes.len());
                (cx.error(bad, "expression of a selector is not closed by `/`", ""), rest)
            }
        },
        _ => {
            let (key, rest) =
                text.split_where(|byte| matches!(byte, b'|' | b',') || byte.is_ascii_whitespace());
            if key.is_empty() {
                return (cx.error(text, "expected a name behind the colon", ""), rest);
            }
            if memchr::memmem::find(key.bytes, b"%{").is_some() {
                return (
                    cx.error(
                        key,
                        "a selector cannot hold a macro",
                        "select by `/expression/`, or chain a rule",
                    ),
                    rest,
                );
            }
            (Some(Selector::Key(key.value())), rest)
        }
    }
}

/// `'/expression/'` or `'name'`.
fn quoted<'t>(cx: &mut Context<'_>, text: Piece<'t>) -> (Option<Selector>, Piece<'t>) {
    let Some(end) = closing_quote(text.skip(1).bytes, b'\'') else {
        // Nothing behind it closes either, so that looking on would only cost time.
        let (bad, _) = text.split_where(|byte| byte == b'|');
        let rest = text.skip(text.bytes.len());
        return (cx.error(bad, "quote of a selector is not closed", ""), rest);
    };
    let (inside, rest) = text.skip(1).within(b'\'').split_at(end);
    let rest = text.skip(rest.at + 1 - text.at);
    let pattern = inside.strip(b'/').and_then(|pattern| {
        let (pattern, slash) = pattern.split_at(pattern.bytes.len().checked_sub(1)?);
        (slash.bytes == b"/").then_some(pattern)
    });
    let selector = match pattern {
        Some(pattern) => regex(cx, text, pattern),
        None if inside.is_empty() => cx.error(text, "expected a name behind the colon", ""),
        None => Some(Selector::Key(inside.value())),
    };
    (selector, rest)
}

fn regex(cx: &mut Context<'_>, text: Piece<'_>, pattern: Piece<'_>) -> Option<Selector> {
    if pattern.is_empty() {
        return cx.error(text, "expression of a selector is empty", "");
    }
    Some(Selector::Regex(pattern.value()))
}

/// An XPath ends at a bar outside of brackets and quotes.
fn xpath<'t>(cx: &mut Context<'_>, text: Piece<'t>) -> (Option<Selector>, Piece<'t>) {
    let mut depth = 0_u32;
    let mut quote = None;
    let end = text.bytes.iter().position(|byte| {
        match (quote, byte) {
            (Some(open), _) if open == *byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(*byte),
            (None, b'(' | b'[') => depth = depth.saturating_add(1),
            (None, b')' | b']') => depth = depth.saturating_sub(1),
            (None, b'|' | b',') if depth == 0 => return true,
            (None, _) => {}
        }
        false
    });
    let (path, rest) = text.split_at(end.unwrap_or(text.bytes.len()));
    let path = path.trim();
    if path.is_empty() || quote.is_some() || depth != 0 {
        return (
            cx.error(
                text,
                "expected a whole XPath behind the colon",
                "`XML:/*` means all text, `XML://@*` all attributes",
            ),
            rest,
        );
    }
    (Some(Selector::XPath(path.value())), rest)
}

/// The slash that closes an expression: not behind a backslash, and the target ends with it.
fn closing_slash(bytes: &[u8]) -> Option<usize> {
    let mut is_escaped = false;
    for (index, byte) in bytes.iter().enumerate() {
        let ends =
            bytes.get(index + 1).is_none_or(|next| matches!(next, b'|' | b',') || next.is_ascii_whitespace());
        if *byte == b'/' && !is_escaped && ends {
            return Some(index);
        }
        is_escaped = *byte == b'\\' && !is_escaped;
    }
    None
}
