//! `ctl:` actions.

use super::context::Context;
use super::ids::id_ranges;
use super::piece::Piece;
use super::suggestion::like;
use super::targets::targets;
use crate::diagnostic::shown;
use crate::syntax::{
    AuditEngine, BodyProcessor, Ctl, EngineMode, PartsChange, RuleSelection, TargetMode, XmlIntoArgs,
};

const NAMES: &[&str] = &[
    "auditEngine",
    "auditLogParts",
    "debugLogLevel",
    "forceRequestBodyVariable",
    "parseXmlIntoArgs",
    "requestBodyAccess",
    "requestBodyProcessor",
    "responseBodyAccess",
    "ruleEngine",
    "ruleRemoveById",
    "ruleRemoveByTag",
    "ruleRemoveByMsg",
    "ruleRemoveTargetById",
    "ruleRemoveTargetByTag",
    "ruleRemoveTargetByMsg",
];

/// Letters that name the parts of an audit record.
const PARTS: &[u8] = b"ABCDEFGHIJKZ";

/// `NAME=VALUE`.
pub(crate) fn ctl(cx: &mut Context<'_>, text: Piece<'_>) -> Option<Ctl> {
    let Some((name, value)) = text.split_once(b'=') else {
        return cx.error(text, "expected `ctl:NAME=VALUE`", "");
    };
    let (name, value) = (name.trim(), value.trim());
    match name.bytes.to_ascii_lowercase().as_slice() {
        b"auditengine" => one_of(cx, value, AuditEngine::from_name, AuditEngine::ALL, AuditEngine::name)
            .map(Ctl::AuditEngine),
        b"auditlogparts" => audit_log_parts(cx, value),
        b"debugloglevel" => match value.number::<u8>() {
            Some(level @ 0..=9) => Some(Ctl::DebugLogLevel(level)),
            _ => cx.error(value, "expected a level, 0 to 9", ""),
        },
        b"forcerequestbodyvariable" => switch(cx, value).map(Ctl::ForceRequestBodyVariable),
        b"parsexmlintoargs" => one_of(cx, value, XmlIntoArgs::from_name, XmlIntoArgs::ALL, XmlIntoArgs::name)
            .map(Ctl::ParseXmlIntoArgs),
        b"requestbodyaccess" => switch(cx, value).map(Ctl::RequestBodyAccess),
        b"requestbodyprocessor" => {
            one_of(cx, value, BodyProcessor::from_name, BodyProcessor::ALL, BodyProcessor::name)
                .map(Ctl::RequestBodyProcessor)
        }
        b"responsebodyaccess" => switch(cx, value).map(Ctl::ResponseBodyAccess),
        b"ruleengine" => {
            one_of(cx, value, EngineMode::from_name, EngineMode::ALL, EngineMode::name).map(Ctl::RuleEngine)
        }
        b"ruleremovebyid" => id_ranges(cx, value).map(RuleSelection::Ids).map(Ctl::RuleRemove),
        b"ruleremovebytag" => filled(cx, value).map(RuleSelection::Tag).map(Ctl::RuleRemove),
        b"ruleremovebymsg" => filled(cx, value).map(RuleSelection::Msg).map(Ctl::RuleRemove),
        b"ruleremovetargetbyid" => {
            remove_target(cx, value, |cx, ids| id_ranges(cx, ids).map(RuleSelection::Ids))
        }
        b"ruleremovetargetbytag" => {
            remove_target(cx, value, |cx, tag| filled(cx, tag).map(RuleSelection::Tag))
        }
        b"ruleremovetargetbymsg" => {
            remove_target(cx, value, |cx, msg| filled(cx, msg).map(RuleSelection::Msg))
        }
        b"hashengine" | b"hashenforcement" => {
            cx.error(name, format!("`ctl:{}` is refused", shown(name.bytes)), "links are not signed here")
        }
        _ => {
            let hint = like(name.bytes, NAMES.iter().copied());
            cx.error(name, format!("unknown `ctl:{}`", shown(name.bytes)), &hint)
        }
    }
}

/// `On` or `Off`.
pub(crate) fn switch(cx: &mut Context<'_>, value: Piece<'_>) -> Option<bool> {
    if value.is("On") {
        Some(true)
    } else if value.is("Off") {
        Some(false)
    } else {
        cx.error(value, "expected `On` or `Off`", "")
    }
}

/// A word of a closed set.
pub(crate) fn one_of<T: Copy>(
    cx: &mut Context<'_>,
    value: Piece<'_>,
    from_name: fn(&[u8]) -> Option<T>,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Option<T> {
    if let Some(found) = from_name(value.bytes) {
        return Some(found);
    }
    let names: Vec<String> = all.iter().map(|member| format!("`{}`", name(*member))).collect();
    cx.error(value, format!("expected {}", names.join(", ")), "")
}

fn filled(cx: &mut Context<'_>, value: Piece<'_>) -> Option<Box<[u8]>> {
    let value = value.trim();
    if value.is_empty() {
        return cx.error(value, "expected what the rules are chosen by", "");
    }
    Some(value.value())
}

fn audit_log_parts(cx: &mut Context<'_>, value: Piece<'_>) -> Option<Ctl> {
    let (change, parts) = match value.first() {
        Some(b'+') => (PartsChange::Add, value.skip(1)),
        Some(b'-') => (PartsChange::Remove, value.skip(1)),
        _ => (PartsChange::Set, value),
    };
    if parts.is_empty() || !parts.bytes.iter().all(|part| PARTS.contains(&part.to_ascii_uppercase())) {
        return cx.error(parts, "expected letters of the parts of an audit record, `A` to `K` and `Z`", "");
    }
    Some(Ctl::AuditLogParts(change, parts.bytes.to_ascii_uppercase().into()))
}

/// `WHICH;TARGET`.
fn remove_target(
    cx: &mut Context<'_>,
    value: Piece<'_>,
    select: impl Fn(&mut Context<'_>, Piece<'_>) -> Option<RuleSelection>,
) -> Option<Ctl> {
    let Some((which, target)) = value.split_once(b';') else {
        return cx.error(
            value,
            "expected the rules, `;` and a target",
            "`ctl:ruleRemoveTargetById=942100;ARGS:password`",
        );
    };
    let selection = select(cx, which);
    let mut found = targets(cx, target)?;
    let selection = selection?;
    match (found.pop(), found.is_empty()) {
        (Some(mut target), true) if target.mode == TargetMode::Value => {
            target.mode = TargetMode::Exclude;
            Some(Ctl::RuleRemoveTarget(selection, target))
        }
        (Some(_), true) => cx.error(target, "expected a target without `!` or `&`", ""),
        _ => cx.error(target, "expected one target", "write one `ctl` for each"),
    }
}
