//! Whether a chain matches, as far as that follows from what is known of `TX`.

use std::borrow::Cow;

use crate::compile::fold::knowledge::{Knowledge, Known};
use crate::operators::{Operator, OperatorKind, OperatorPorts};
use crate::rules::{Chain, Condition, Disruption, Effect, Link};
use crate::syntax::{Change, OperatorName, Selector, Target, TargetMode, Template, Variable};

/// What is known of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    Never,
    Always,
    Open,
}

/// The truth of a whole chain where the knowledge holds.
pub(super) fn of(chain: &Chain, known: &Knowledge) -> Truth {
    // Links change what those behind them look at, so each is judged after the ones before.
    let mut known = Cow::Borrowed(known);
    let mut all = Truth::Always;
    let mut effects_before = false;
    for link in &chain.links {
        match link_truth(link, &known) {
            Truth::Never if !effects_before => return Truth::Never,
            // What the links before did stays done.
            Truth::Never => return Truth::Open,
            Truth::Open => all = Truth::Open,
            Truth::Always => {}
        }
        effects_before |= link.capture || !link.effects.is_empty();
        for effect in &link.effects {
            if let Effect::SetVar(set_var) = &effect.value {
                known.to_mut().may_set(set_var);
            }
        }
    }
    all
}

fn link_truth(link: &Link, known: &Knowledge) -> Truth {
    let Some(condition) = &link.condition else { return Truth::Always };
    let mut matched = 0;
    for target in &condition.targets {
        match target_matches(link, condition, target, known) {
            Some(true) => matched += 1,
            Some(false) => {}
            None => return Truth::Open,
        }
    }
    match matched {
        0 => Truth::Never,
        // Effects happen at each match; only a single one is the same as no condition.
        1 if !link.capture && !link.multi_match => Truth::Always,
        _ => Truth::Open,
    }
}

/// Whether a target's value matches; `None` where that is open.
fn target_matches(link: &Link, condition: &Condition, target: &Target, known: &Knowledge) -> Option<bool> {
    let (Variable::Tx, Selector::Key(key)) = (target.variable, &target.selector) else { return None };
    if !condition.exclusions.is_empty() {
        return None;
    }
    let value = match (target.mode, known.of(key)) {
        (_, Known::Unknown) => return None,
        (TargetMode::Count, Known::Unset) => b"0"[..].into(),
        (TargetMode::Count, Known::Value(_)) => b"1"[..].into(),
        (_, Known::Unset) => return Some(false),
        (_, Known::Value(value)) => value,
    };
    let mut text = Cow::Borrowed(&*value);
    for transformation in &link.transformations {
        text = Cow::Owned(transformation.apply(&text).into_owned());
    }
    let operator = &condition.operator;
    let is_simple = matches!(
        operator.name,
        OperatorName::BeginsWith
            | OperatorName::Contains
            | OperatorName::EndsWith
            | OperatorName::Eq
            | OperatorName::Ge
            | OperatorName::Gt
            | OperatorName::Le
            | OperatorName::Lt
            | OperatorName::NoMatch
            | OperatorName::StrEq
            | OperatorName::UnconditionalMatch
            | OperatorName::Within
    );
    if !is_simple {
        return None;
    }
    let argument = known.expand(&operator.argument)?;
    let kind = OperatorKind::named(operator.name.name())?;
    let matches = if kind.expands_macros() {
        kind.matches_expanded(&argument, &text)
    } else {
        let none = OperatorPorts { files: None, outside: None };
        Operator::compile(operator.name.name(), &argument, none).ok()?.matches(&text)
    };
    Some(matches != operator.negated)
}

/// Whether something that a chain does depends on what matched.
pub(super) fn looks_at_match(chain: &Chain) -> bool {
    let in_template =
        |template: &Template| template.references().any(|reference| is_about_match(reference.variable));
    let in_effect = |effect: &Effect| match effect {
        Effect::SetVar(set_var) => {
            in_template(&set_var.key)
                || match &set_var.change {
                    Change::Set(value) | Change::Add(value) | Change::Subtract(value) => in_template(value),
                    Change::Unset => false,
                }
        }
        Effect::ExpireVar { key, seconds, .. } => in_template(key) || in_template(seconds),
        Effect::DeprecateVar { key, .. } | Effect::InitCol { key, .. } => in_template(key),
        Effect::SetEnv { name, value } => in_template(name) || value.as_ref().is_some_and(in_template),
        Effect::Ctl(_) | Effect::Sanitise(_) => false,
    };
    let in_link = |link: &Link| {
        link.effects.iter().any(|effect| in_effect(&effect.value))
            || link.condition.as_ref().is_some_and(|condition| {
                condition.targets.iter().any(|target| is_about_match(target.variable))
            })
    };
    chain.links.iter().any(in_link)
        || matches!(&chain.disruption, Disruption::Redirect(location) if in_template(location))
}

const fn is_about_match(variable: Variable) -> bool {
    matches!(
        variable,
        Variable::MatchedVar | Variable::MatchedVarName | Variable::MatchedVars | Variable::MatchedVarsNames
    )
}
