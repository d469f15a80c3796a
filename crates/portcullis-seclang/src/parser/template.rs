//! Macros in text.

use super::context::Context;
use super::piece::Piece;
use super::suggestion::like;
use crate::syntax::{Reference, Segment, Shape, Template, Variable};

/// Takes text apart. `%{` followed by a digit or comma is no macro but part of an expression, and `\%{` is plain text.
pub(crate) fn template(cx: &mut Context<'_>, text: Piece<'_>) -> Option<Template> {
    let mut segments = Vec::new();
    let mut plain: Vec<u8> = Vec::new();
    let mut index = 0;
    let mut is_good = true;
    while let Some(&byte) = text.bytes.get(index) {
        let next = text.bytes.get(index + 1).copied();
        if byte == b'\\'
            && (text.keeps_quote(index)
                || text.bytes.get(index..).is_some_and(|rest| rest.starts_with(b"\\%{")))
        {
            plain.extend(next);
            if next == Some(b'%') {
                plain.push(b'{');
                index += 1;
            }
            index += 2;
            continue;
        }
        let opens = byte == b'%' && next == Some(b'{');
        let third = text.bytes.get(index + 2).copied().unwrap_or_default();
        if !opens || third.is_ascii_digit() || third == b',' {
            plain.push(byte);
            index += 1;
            continue;
        }
        let (_, rest) = text.split_at(index);
        let Some((inside, behind)) = rest.skip(2).split_once(b'}') else {
            return cx.error(rest, "macro is not closed", "write `\\%{` for the text itself");
        };
        match reference(cx, rest, inside) {
            Some(found) => {
                if !plain.is_empty() {
                    segments.push(Segment::Text(std::mem::take(&mut plain).into()));
                }
                segments.push(Segment::Macro(found));
            }
            None => is_good = false,
        }
        index = behind.at - text.at;
    }
    if !plain.is_empty() {
        segments.push(Segment::Text(plain.into()));
    }
    is_good.then_some(Template { segments })
}

/// The variable that stands between the braces.
fn reference(cx: &mut Context<'_>, whole: Piece<'_>, inside: Piece<'_>) -> Option<Reference> {
    let (name, key) = inside.trim().split_where(|byte| byte == b'.' || byte == b':');
    let Some(variable) = Variable::from_name(name.bytes) else {
        let hint = like(name.bytes, Variable::ALL.iter().map(|variable| variable.name()));
        let message = format!("unknown variable `{}` in a macro", crate::diagnostic::shown(name.bytes));
        return cx.error(whole.split_at(inside.bytes.len() + 3).0, message, &hint);
    };
    let key = key.skip(1);
    if !key.is_empty() && variable.shape() == Shape::Scalar {
        let message = format!("`{}` has one value only, so it takes no key", variable.name());
        return cx.error(inside, message, "");
    }
    Some(Reference { variable, key: (!key.is_empty()).then(|| key.value()), place: cx.place(whole) })
}
