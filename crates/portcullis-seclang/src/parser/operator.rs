//! Operators: `"!@rx ^a"`.

use super::context::Context;
use super::piece::Piece;
use super::suggestion::like;
use super::template::template;
use super::words::Word;
use crate::diagnostic::{Level, shown};
use crate::syntax::{Operator, OperatorName, Template};

/// The operator of a rule and how many words it took: without quotes, name and argument are two.
pub(crate) fn operator(cx: &mut Context<'_>, words: &[Word<'_>]) -> (Option<Operator>, usize) {
    let Some((first, more)) = words.split_first() else {
        return (None, 0);
    };
    let begins_with_name = first.text.strip(b'!').unwrap_or(first.text).first() == Some(b'@');
    match more {
        [argument, _, ..] if !first.is_quoted && begins_with_name => {
            (parts(cx, first.text, Some(argument.text)), 2)
        }
        _ => (parts(cx, first.text, None), 1),
    }
}

/// Name and argument in one piece, or the argument in a piece of its own.
fn parts(cx: &mut Context<'_>, text: Piece<'_>, apart: Option<Piece<'_>>) -> Option<Operator> {
    let (negated, body) = match text.trim_start().strip(b'!') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text.trim_start()),
    };
    let (name, argument) = match body.strip(b'@') {
        None if negated => (OperatorName::Rx, body),
        None => (OperatorName::Rx, text),
        Some(named) => {
            let (name, rest) = named.split_where(|byte| byte.is_ascii_whitespace());
            let Some(known) = OperatorName::from_name(name.bytes) else {
                let hint = like(name.bytes, OperatorName::ALL.iter().map(|operator| operator.name()));
                return cx.error(
                    body.split_at(name.bytes.len() + 1).0,
                    format!("unknown operator `@{}`", shown(name.bytes)),
                    &hint,
                );
            };
            (known, apart.unwrap_or(rest).trim_start())
        }
    };
    Some(Operator {
        name,
        negated,
        raw: argument.value(),
        argument: if name.expands_macros() {
            template(cx, argument)?
        } else {
            as_written(cx, name, argument)
        },
        place: cx.place(text),
        argument_place: cx.place(argument),
    })
}

/// The argument of an operator that fills in no macros. One that looks as if it held some is worth a warning.
fn as_written(cx: &mut Context<'_>, name: OperatorName, argument: Piece<'_>) -> Template {
    let is_macro = |window: &[u8]| matches!(window, [b'%', b'{', first] if first.is_ascii_alphabetic());
    if argument.bytes.windows(3).any(is_macro) {
        let message = format!("`@{}` takes its argument as written, macros included", name.name());
        cx.note(Level::Warning, argument, message, "");
    }
    Template::literal(argument.value())
}
