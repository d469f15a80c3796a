//! One directive: its name, and what stands behind it.

use super::Item;
use super::actions::actions;
use super::context::Context;
use super::ids::id_ranges;
use super::include::Absence;
use super::operator::operator;
use super::piece::Piece;
use super::settings;
use super::suggestion::like;
use super::targets::targets;
use super::words::{Word, words};
use crate::diagnostic::shown;
use crate::syntax::{Directive, RuleDirective, RuleSelection};

/// What a line turned out to be.
pub(crate) enum Parsed {
    /// A directive, or what is left of a rule.
    Item(Item),
    /// The text of other files stands here.
    Include(Include),
}

/// An `Include` as written.
pub(crate) struct Include {
    /// The path or pattern.
    pub(crate) path: Box<[u8]>,
    /// Where it lies within the line.
    pub(crate) at: usize,
    /// What to do when it names nothing.
    pub(crate) absence: Absence,
}

const NAMES: &[&str] = &[
    "Include",
    "IncludeOptional",
    "SecAction",
    "SecDefaultAction",
    "SecMarker",
    "SecRule",
    "SecRuleRemoveById",
    "SecRuleRemoveByMsg",
    "SecRuleRemoveByTag",
    "SecRuleUpdateActionById",
    "SecRuleUpdateTargetById",
    "SecRuleUpdateTargetByMsg",
    "SecRuleUpdateTargetByTag",
];

/// Parses the line at hand. None when it was reported, or has no effect.
pub(crate) fn directive(cx: &mut Context<'_>) -> Option<Parsed> {
    let line = cx.line;
    let (name, rest) = Piece::new(&line.text).split_where(|byte| byte.is_ascii_whitespace() || byte == b'"');
    let Some(arguments) = words(cx, rest) else {
        let is_rule = name.is("SecRule") || name.is("SecAction");
        return is_rule.then(|| broken(&line.text));
    };
    let rest = rest.trim_start();
    let parsed = match name.bytes.to_ascii_lowercase().as_slice() {
        b"include" => return include(cx, rest, &arguments, Absence::Refused),
        b"includeoptional" => return include(cx, rest, &arguments, Absence::Accepted),
        b"secrule" => rule(cx, rest, &arguments),
        b"secaction" => action(cx, rest, &arguments),
        b"secmarker" => marker(cx, rest, &arguments),
        b"secdefaultaction" => {
            one(cx, rest, &arguments).and_then(|list| actions(cx, list)).map(Directive::DefaultAction)
        }
        b"secruleremovebyid" => remove_by_id(cx, rest, &arguments),
        b"secruleremovebymsg" => filled(cx, rest, &arguments).map(RuleSelection::Msg).map(Directive::Remove),
        b"secruleremovebytag" => filled(cx, rest, &arguments).map(RuleSelection::Tag).map(Directive::Remove),
        b"secruleupdateactionbyid" => update_action(cx, rest, &arguments),
        b"secruleupdatetargetbyid" => {
            update_target(cx, rest, &arguments, |cx, ids| id_ranges(cx, ids).map(RuleSelection::Ids))
        }
        b"secruleupdatetargetbymsg" => {
            update_target(cx, rest, &arguments, |_, msg| Some(RuleSelection::Msg(msg.value())))
        }
        b"secruleupdatetargetbytag" => {
            update_target(cx, rest, &arguments, |_, tag| Some(RuleSelection::Tag(tag.value())))
        }
        _ => match settings::setting(cx, name, rest, &arguments) {
            Some(setting) => setting.map(Directive::Setting),
            None => {
                let hint = like(name.bytes, NAMES.iter().copied().chain(settings::names()));
                cx.error(name, format!("unknown directive `{}`", shown(name.bytes)), &hint)
            }
        },
    };
    let is_rule = name.is("SecRule") || name.is("SecAction");
    match parsed {
        Some(directive) => Some(Parsed::Item(Item::Directive(directive))),
        None if is_rule => Some(broken(&line.text)),
        None => None,
    }
}

/// A rule that was reported. Its actions may be beyond reading, so the word `chain` is looked for as it stands.
fn broken(line: &[u8]) -> Parsed {
    let mut words = line.split(|byte| !byte.is_ascii_alphanumeric());
    Parsed::Item(Item::BrokenRule { goes_on: words.any(|word| word.eq_ignore_ascii_case(b"chain")) })
}

fn include(cx: &mut Context<'_>, rest: Piece<'_>, words: &[Word<'_>], absence: Absence) -> Option<Parsed> {
    match words {
        [path] if !path.text.is_empty() => {
            Some(Parsed::Include(Include { path: path.text.value(), at: path.text.at, absence }))
        }
        _ => cx.error(rest, "expected one path", "a path with blanks needs quotes"),
    }
}

fn one<'t>(cx: &mut Context<'_>, rest: Piece<'_>, words: &[Word<'t>]) -> Option<Piece<'t>> {
    match words {
        [one] => Some(one.text),
        _ => cx.error(rest, "expected one argument", "an argument with blanks needs quotes"),
    }
}

fn filled(cx: &mut Context<'_>, rest: Piece<'_>, words: &[Word<'_>]) -> Option<Box<[u8]>> {
    let text = one(cx, rest, words)?;
    if text.is_empty() {
        return cx.error(text, "expected what the rules are chosen by", "");
    }
    Some(text.value())
}

fn rule(cx: &mut Context<'_>, rest: Piece<'_>, words: &[Word<'_>]) -> Option<Directive> {
    let Some((variables, more)) = words.split_first() else {
        return cx.error(rest, "expected variables, an operator and actions", "");
    };
    let targets = targets(cx, variables.text);
    let (operator, taken) = operator(cx, more);
    let list = match more.get(taken..) {
        Some([]) if taken > 0 => Some(Vec::new()),
        Some([list]) if taken > 0 => actions(cx, list.text),
        Some([_, extra, ..]) => cx.error(
            extra.text,
            "expected nothing behind the actions",
            "an operator and its argument stand in one pair of quotes",
        ),
        _ => cx.error(rest, "expected an operator behind the variables", ""),
    };
    Some(Directive::Rule(Box::new(RuleDirective { condition: Some((targets?, operator?)), actions: list? })))
}

fn action(cx: &mut Context<'_>, rest: Piece<'_>, words: &[Word<'_>]) -> Option<Directive> {
    let list = one(cx, rest, words)?;
    Some(Directive::Rule(Box::new(RuleDirective { condition: None, actions: actions(cx, list)? })))
}

fn marker(cx: &mut Context<'_>, rest: Piece<'_>, words: &[Word<'_>]) -> Option<Directive> {
    match words {
        [name] if !name.text.is_empty() => Some(Directive::Marker(name.text.value())),
        _ => cx.error(rest, "expected the name of the marker", ""),
    }
}

fn remove_by_id(cx: &mut Context<'_>, rest: Piece<'_>, words: &[Word<'_>]) -> Option<Directive> {
    if words.is_empty() {
        return cx.error(rest, "expected the numbers of rules", "");
    }
    let mut ranges = Vec::new();
    let mut is_good = true;
    for word in words {
        match id_ranges(cx, word.text) {
            Some(found) => ranges.extend(found),
            None => is_good = false,
        }
    }
    is_good.then_some(Directive::Remove(RuleSelection::Ids(ranges)))
}

fn update_action(cx: &mut Context<'_>, rest: Piece<'_>, words: &[Word<'_>]) -> Option<Directive> {
    let [which, list] = words else {
        return cx.error(rest, "expected the number of a rule and actions", "");
    };
    let (id, link) = which.text.split_once(b':').map_or((which.text, None), |(id, link)| (id, Some(link)));
    let link = link.map_or(Some(0), |link| link.number());
    let numbers = id.number().zip(link);
    let actions = actions(cx, list.text);
    let Some((id, link)) = numbers else {
        return cx.error(
            which.text,
            "expected the number of a rule, `ID` or `ID:LINK` for a rule chained to it",
            "",
        );
    };
    Some(Directive::UpdateAction { id, link, actions: actions? })
}

fn update_target(
    cx: &mut Context<'_>,
    rest: Piece<'_>,
    words: &[Word<'_>],
    select: impl Fn(&mut Context<'_>, Piece<'_>) -> Option<RuleSelection>,
) -> Option<Directive> {
    let [which, list] = words else {
        let hint = match words {
            [_, _, _] => "replacing a target is not supported: exclude the old one and add the new one",
            _ => "",
        };
        return cx.error(rest, "expected which rules, and targets", hint);
    };
    let selection = if which.text.is_empty() {
        cx.error(which.text, "expected what the rules are chosen by", "")
    } else {
        select(cx, which.text)
    };
    let targets = targets(cx, list.text);
    Some(Directive::UpdateTarget(selection?, targets?))
}
