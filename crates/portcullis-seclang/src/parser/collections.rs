//! Actions that write to collections and the environment.

use super::context::Context;
use super::piece::Piece;
use super::suggestion::like;
use super::template::template;
use crate::diagnostic::shown;
use crate::syntax::{Action, Change, Collection, SetVar, Template};

/// `[!]COLLECTION.KEY[=[+|-]VALUE]`.
pub(crate) fn set_var(cx: &mut Context<'_>, value: Piece<'_>) -> Option<SetVar> {
    let (is_unset, rest) = match value.strip(b'!') {
        Some(rest) => (true, rest),
        None => (false, value),
    };
    let (name, assigned) = match rest.split_once(b'=') {
        Some((name, assigned)) => (name, Some(assigned)),
        None => (rest, None),
    };
    let target = member(cx, name);
    let change = match assigned {
        Some(_) if is_unset => {
            return cx.error(value, "a variable is either set or removed", "write `setvar:!tx.name`");
        }
        None if is_unset => Some(Change::Unset),
        None => Some(Change::Set(Template::literal(*b"1"))),
        Some(assigned) => match assigned.first() {
            Some(b'+') => template(cx, assigned.skip(1)).map(Change::Add),
            Some(b'-') => template(cx, assigned.skip(1)).map(Change::Subtract),
            _ => template(cx, assigned).map(Change::Set),
        },
    };
    let (collection, key) = target?;
    Some(SetVar { collection, key, change: change? })
}

/// `COLLECTION.KEY=SECONDS`.
pub(crate) fn expire_var(cx: &mut Context<'_>, value: Piece<'_>) -> Option<Action> {
    let Some((name, seconds)) = value.split_once(b'=') else {
        return cx.error(value, "expected `expirevar:COLLECTION.NAME=SECONDS`", "");
    };
    let target = member(cx, name);
    let parsed = template(cx, seconds.trim())?;
    if parsed.as_literal().is_some() && seconds.trim().number::<u64>().is_none() {
        return cx.error(seconds, "expected a number of seconds", "");
    }
    let (collection, key) = target?;
    Some(Action::ExpireVar { collection, key, seconds: parsed })
}

/// `COLLECTION.KEY=AMOUNT/SECONDS`.
pub(crate) fn deprecate_var(cx: &mut Context<'_>, value: Piece<'_>) -> Option<Action> {
    let Some((name, pace)) = value.split_once(b'=') else {
        return cx.error(value, "expected `deprecatevar:COLLECTION.NAME=AMOUNT/SECONDS`", "");
    };
    let target = member(cx, name);
    let numbers = pace.trim().split_once(b'/').and_then(|(amount, period)| {
        Some((amount.number::<u64>()?, period.number::<u64>().filter(|secs| *secs > 0)?))
    });
    let Some((amount, period_secs)) = numbers else {
        return cx.error(pace, "expected an amount and a number of seconds, `60/300`", "");
    };
    let (collection, key) = target?;
    Some(Action::DeprecateVar { collection, key, amount, period_secs })
}

/// `COLLECTION=KEY`.
pub(crate) fn init_col(cx: &mut Context<'_>, value: Piece<'_>) -> Option<Action> {
    let Some((name, key)) = value.split_once(b'=') else {
        return cx.error(value, "expected `initcol:COLLECTION=KEY`", "");
    };
    let collection = collection(cx, name.trim());
    let key = template(cx, key.trim());
    match collection? {
        Collection::Tx => cx.error(name, "`TX` belongs to one transaction and needs no `initcol`", ""),
        collection => Some(Action::InitCol { collection, key: key? }),
    }
}

/// `[!]NAME[=VALUE]`.
pub(crate) fn set_env(cx: &mut Context<'_>, value: Piece<'_>) -> Option<Action> {
    if let Some(name) = value.strip(b'!') {
        let name = template(cx, name)?;
        return Some(Action::SetEnv { name, value: None });
    }
    let (name, value) = match value.split_once(b'=') {
        Some((name, value)) => (name, template(cx, value)?),
        None => (value, Template::literal(*b"1")),
    };
    if name.is_empty() {
        return cx.error(name, "expected `setenv:NAME=VALUE`", "");
    }
    Some(Action::SetEnv { name: template(cx, name)?, value: Some(value) })
}

/// `COLLECTION.KEY`.
fn member(cx: &mut Context<'_>, text: Piece<'_>) -> Option<(Collection, Template)> {
    let text = text.trim();
    let (name, key) = text.split_where(|byte| matches!(byte, b'.' | b':'));
    let collection = collection(cx, name)?;
    let key = key.skip(1);
    if key.is_empty() {
        return cx.error(text, format!("expected `{}.NAME`", collection.name()), "");
    }
    Some((collection, template(cx, key)?))
}

fn collection(cx: &mut Context<'_>, name: Piece<'_>) -> Option<Collection> {
    if let Some(collection) = Collection::from_name(name.bytes) {
        return Some(collection);
    }
    let hint = like(name.bytes, Collection::ALL.iter().map(|collection| collection.name()));
    let message = format!("`{}` is no collection that rules can write to", shown(name.bytes));
    cx.error(name, message, &hint)
}
