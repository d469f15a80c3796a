//! Action lists: `"id:1,phase:2,deny,msg:'x, y',setvar:'tx.a=+1'"`.

use super::collections::{deprecate_var, expire_var, init_col, set_env, set_var};
use super::context::Context;
use super::ctl::ctl;
use super::piece::{Piece, closing_quote};
use super::suggestion::like;
use super::template::template;
use crate::diagnostic::shown;
use crate::source::Located;
use crate::syntax::{Action, AllowScope, Phase, Severity, Template};
use crate::transformations::Transformation;

/// Names of all actions, for hints; the second form of `sanitise` is accepted too.
const NAMES: &[&str] = &[
    "accuracy",
    "allow",
    "append",
    "auditlog",
    "block",
    "capture",
    "chain",
    "ctl",
    "deny",
    "deprecatevar",
    "drop",
    "exec",
    "expirevar",
    "id",
    "initcol",
    "log",
    "logdata",
    "maturity",
    "msg",
    "multiMatch",
    "noauditlog",
    "nolog",
    "pass",
    "pause",
    "phase",
    "prepend",
    "proxy",
    "redirect",
    "rev",
    "sanitiseArg",
    "sanitiseMatched",
    "sanitiseMatchedBytes",
    "sanitiseRequestHeader",
    "sanitiseResponseHeader",
    "setenv",
    "setrsc",
    "setsid",
    "setuid",
    "setvar",
    "severity",
    "skip",
    "skipAfter",
    "status",
    "t",
    "tag",
    "ver",
    "xmlns",
];

/// All actions of a list. Every bad one is reported; none is answered when one is bad.
pub(crate) fn actions(cx: &mut Context<'_>, list: Piece<'_>) -> Option<Vec<Located<Action>>> {
    let mut found = Vec::with_capacity(16);
    let mut is_good = true;
    let mut rest = list.trim();
    if rest.is_empty() {
        return cx.error(list, "no action is named", "");
    }
    loop {
        if cx.report.is_full() {
            return None;
        }
        let (name, behind) =
            rest.split_where(|byte| matches!(byte, b':' | b',') || byte.is_ascii_whitespace());
        let place = cx.place(name);
        let (value, behind) = match behind.strip(b':') {
            Some(value) => match value_of(cx, value.trim_start()) {
                Some((value, behind)) => (Some(value), behind),
                None => return None,
            },
            None => (None, behind),
        };
        match action(cx, name, value) {
            Some(action) => found.push(Located::new(action, place)),
            None => is_good = false,
        }
        let behind = behind.trim_start();
        match behind.first() {
            None => return is_good.then_some(found),
            Some(b',') => rest = behind.skip(1).trim_start(),
            Some(_) => {
                return cx.error(
                    behind,
                    "expected `,` between actions",
                    "a value that holds `,` or blanks needs single quotes",
                );
            }
        }
    }
}

/// The value behind the colon, without its quotes, and the rest. None when a quote does not close.
fn value_of<'t>(cx: &mut Context<'_>, text: Piece<'t>) -> Option<(Piece<'t>, Piece<'t>)> {
    if text.first() == Some(b'\'') {
        let Some(end) = closing_quote(text.skip(1).bytes, b'\'') else {
            return cx.error(text, "quote of an action's value is not closed", "");
        };
        let (inside, _) = text.skip(1).within(b'\'').split_at(end);
        return Some((inside, text.skip(end + 2)));
    }
    let mut comma = memchr::memchr(b',', text.bytes).unwrap_or(text.bytes.len());
    // A quote right behind the equals sign (`xmlns:a='…'`) protects commas too.
    if let Some(equals) = memchr::memmem::find(text.split_at(comma).0.bytes, b"='") {
        let from = closing_quote(text.skip(equals + 2).bytes, b'\'').map_or(comma, |end| equals + 2 + end);
        comma = memchr::memchr(b',', text.skip(from).bytes).map_or(text.bytes.len(), |at| from + at);
    }
    let (value, behind) = text.split_at(comma);
    Some((value.trim(), behind))
}

fn action(cx: &mut Context<'_>, name: Piece<'_>, value: Option<Piece<'_>>) -> Option<Action> {
    let value = value.filter(|value| !value.is_empty());
    let lower = name.bytes.to_ascii_lowercase();
    match (lower.as_slice(), value) {
        (b"auditlog", None) => Some(Action::AuditLog),
        (b"block", None) => Some(Action::Block),
        (b"capture", None) => Some(Action::Capture),
        (b"chain", None) => Some(Action::Chain),
        (b"deny", None) => Some(Action::Deny),
        (b"drop", None) => Some(Action::Drop),
        (b"log", None) => Some(Action::Log),
        (b"multimatch", None) => Some(Action::MultiMatch),
        (b"noauditlog", None) => Some(Action::NoAuditLog),
        (b"nolog", None) => Some(Action::NoLog),
        (b"pass", None) => Some(Action::Pass),
        (b"allow", None) => Some(Action::Allow(AllowScope::Transaction)),
        (b"sanitisematched" | b"sanitizematched", None) => Some(Action::SanitiseMatched),
        (b"sanitisematchedbytes" | b"sanitizematchedbytes", None) => Some(Action::SanitiseMatchedBytes(0, 0)),
        (b"", _) => cx.error(name, "expected the name of an action", "is a comma too much?"),
        (b"append" | b"prepend", _) => refused(cx, name, "answers are not rewritten by rules"),
        (b"exec", _) => refused(cx, name, "rules do not start programs"),
        (b"pause", _) => refused(cx, name, "holding calls open would serve the attacker; limit or deny them"),
        (b"proxy", _) => refused(cx, name, "routes are chosen by the gate's own configuration"),
        (_, Some(value)) => valued(cx, &lower, name, value),
        (known, None) if NAMES.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(known)) => {
            cx.error(name, format!("action `{}` needs a value", shown(name.bytes)), "")
        }
        (_, None) => unknown(cx, name),
    }
}

fn refused<T>(cx: &mut Context<'_>, name: Piece<'_>, why: &str) -> Option<T> {
    cx.error(name, format!("action `{}` is refused", shown(name.bytes)), why)
}

fn unknown<T>(cx: &mut Context<'_>, name: Piece<'_>) -> Option<T> {
    let hint = like(name.bytes, NAMES.iter().copied());
    cx.error(name, format!("unknown action `{}`", shown(name.bytes)), &hint)
}

/// Actions that take a value.
fn valued(cx: &mut Context<'_>, lower: &[u8], name: Piece<'_>, value: Piece<'_>) -> Option<Action> {
    match lower {
        b"accuracy" => one_to_nine(cx, value).map(Action::Accuracy),
        b"maturity" => one_to_nine(cx, value).map(Action::Maturity),
        b"allow" => allow(cx, value),
        b"ctl" => ctl(cx, value).map(Action::Ctl),
        b"deprecatevar" => deprecate_var(cx, value),
        b"expirevar" => expire_var(cx, value),
        b"initcol" => init_col(cx, value),
        b"setenv" => set_env(cx, value),
        b"setvar" => set_var(cx, value).map(Action::SetVar),
        b"setrsc" => template(cx, value).map(Action::SetRsc),
        b"setsid" => template(cx, value).map(Action::SetSid),
        b"setuid" => template(cx, value).map(Action::SetUid),
        b"id" => number(cx, value, 1, u64::MAX).map(Action::Id),
        b"phase" => phase(cx, value).map(Action::Phase),
        b"logdata" => template(cx, value).map(Action::LogData),
        b"msg" => template(cx, value).map(Action::Msg),
        b"tag" => template(cx, value).map(Action::Tag),
        b"redirect" => redirect(cx, value).map(Action::Redirect),
        b"rev" => Some(Action::Rev(value.value())),
        b"ver" => Some(Action::Ver(value.value())),
        b"severity" => severity(cx, value),
        b"skip" => number(cx, value, 1, u64::from(u32::MAX))
            .map(|count| Action::Skip(u32::try_from(count).unwrap_or(u32::MAX))),
        b"skipafter" => Some(Action::SkipAfter(value.value())),
        b"status" => {
            number(cx, value, 100, 599).map(|status| Action::Status(u16::try_from(status).unwrap_or(403)))
        }
        b"t" => transformation(cx, value),
        b"sanitisearg" | b"sanitizearg" => Some(Action::SanitiseArg(value.value())),
        b"sanitiserequestheader" | b"sanitizerequestheader" => {
            Some(Action::SanitiseRequestHeader(value.value()))
        }
        b"sanitiseresponseheader" | b"sanitizeresponseheader" => {
            Some(Action::SanitiseResponseHeader(value.value()))
        }
        b"sanitisematchedbytes" | b"sanitizematchedbytes" => matched_bytes(cx, value),
        b"xmlns" => xmlns(cx, value),
        known if NAMES.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(known)) => {
            cx.error(value, format!("action `{}` takes no value", shown(name.bytes)), "")
        }
        _ => unknown(cx, name),
    }
}

fn number(cx: &mut Context<'_>, value: Piece<'_>, least: u64, most: u64) -> Option<u64> {
    match value.number::<u64>() {
        Some(number) if (least..=most).contains(&number) => Some(number),
        _ if most == u64::MAX => cx.error(value, "expected a whole number from 1", ""),
        _ => cx.error(value, format!("expected a number from {least} to {most}"), ""),
    }
}

fn one_to_nine(cx: &mut Context<'_>, value: Piece<'_>) -> Option<u8> {
    number(cx, value, 1, 9).map(|number| u8::try_from(number).unwrap_or(9))
}

fn allow(cx: &mut Context<'_>, value: Piece<'_>) -> Option<Action> {
    if value.is("phase") {
        Some(Action::Allow(AllowScope::Phase))
    } else if value.is("request") {
        Some(Action::Allow(AllowScope::Request))
    } else {
        cx.error(value, "expected `allow`, `allow:phase` or `allow:request`", "")
    }
}

fn phase(cx: &mut Context<'_>, value: Piece<'_>) -> Option<Phase> {
    let named =
        [("request", Phase::RequestBody), ("response", Phase::ResponseBody), ("logging", Phase::Logging)];
    if let Some((_, phase)) = named.iter().find(|(name, _)| value.is(name)) {
        return Some(*phase);
    }
    let number = value.number::<u8>();
    match Phase::ALL.iter().find(|phase| Some(phase.number()) == number) {
        Some(phase) => Some(*phase),
        None => cx.error(value, "expected a phase, 1 to 5, `request`, `response` or `logging`", ""),
    }
}

fn severity(cx: &mut Context<'_>, value: Piece<'_>) -> Option<Action> {
    match Severity::from_name(value.bytes) {
        Some(severity) => Some(Action::Severity(severity)),
        None => {
            let hint = like(value.bytes, Severity::ALL.iter().map(|severity| severity.name()));
            cx.error(value, "expected a severity, 0 to 7 or its name", &hint)
        }
    }
}

fn transformation(cx: &mut Context<'_>, value: Piece<'_>) -> Option<Action> {
    let found = std::str::from_utf8(value.bytes).ok().and_then(Transformation::named);
    match found {
        Some(transformation) => Some(Action::Transformation(transformation)),
        None => {
            let hint = like(value.bytes, Transformation::all().map(|transformation| transformation.name()));
            cx.error(value, format!("unknown transformation `{}`", shown(value.bytes)), &hint)
        }
    }
}

fn redirect(cx: &mut Context<'_>, value: Piece<'_>) -> Option<Template> {
    if value.bytes.iter().any(u8::is_ascii_control) {
        return cx.error(value, "an address cannot hold control characters", "");
    }
    template(cx, value)
}

fn matched_bytes(cx: &mut Context<'_>, value: Piece<'_>) -> Option<Action> {
    let (first, last) = value.split_once(b'/').unwrap_or((value, value.skip(value.bytes.len())));
    let last_count = if last.is_empty() { Some(0) } else { last.number() };
    match (first.number(), last_count) {
        (Some(first), Some(last)) => Some(Action::SanitiseMatchedBytes(first, last)),
        _ => cx.error(value, "expected how many bytes stay readable, `FIRST/LAST`", ""),
    }
}

fn xmlns(cx: &mut Context<'_>, value: Piece<'_>) -> Option<Action> {
    let parts = value.split_once(b'=').map(|(prefix, uri)| {
        let uri = uri.trim();
        let bare = match uri.bytes {
            [open @ (b'\'' | b'"'), .., close] if open == close => {
                uri.skip(1).split_at(uri.bytes.len() - 2).0
            }
            _ => uri,
        };
        (prefix.trim(), bare)
    });
    match parts {
        Some((prefix, uri)) if !prefix.is_empty() && !uri.is_empty() => {
            Some(Action::Xmlns { prefix: prefix.value(), uri: uri.value() })
        }
        _ => cx.error(value, "expected `xmlns:PREFIX=URI`", ""),
    }
}
