//! Exceptions: a rule that does not apply at some place, by the operator's word. What would have been refused is
//! recorded all the same.

use std::sync::Arc;

use portcullis_core::{
    chain::{Guard, Phase},
    context::Context,
    event::Outcome,
    verdict::{Place, Reason, Verdict},
};

/// One exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The rule: `schema/maxLength`, or `schema/*` for all of a guard.
    pub rule: Arc<str>,
    /// The place: a JSON pointer in which `*` stands for any one step, or the name of a parameter or header field.
    /// `None` is every place.
    pub field: Option<Arc<str>>,
}

impl Exception {
    /// Whether it speaks of this rule at this place.
    pub fn covers(&self, rule: &str, place: Option<&Place>) -> bool {
        let same_rule = match self.rule.strip_suffix('*') {
            Some(guard) => rule.starts_with(guard),
            // `attacks/sql` speaks of every pattern of that class, `attacks/sql/union_select` of one.
            None => {
                rule.strip_prefix(&*self.rule).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        };
        same_rule && self.field.as_deref().is_none_or(|field| place.is_some_and(|place| is_at(field, place)))
    }
}

fn is_at(field: &str, place: &Place) -> bool {
    match place {
        Place::Body(pointer) | Place::ResponseBody(pointer) => fits(field, pointer),
        Place::PathParameter(name) | Place::Query(name) | Place::Cookie(name) => {
            field == &**name || below(field, name)
        }
        Place::Header(name) | Place::ResponseHeader(name) => field.eq_ignore_ascii_case(name),
        Place::Connection | Place::Method | Place::Path | Place::ResponseStatus => false,
    }
}

/// A parameter's place may go on with a pointer into its value.
fn below(field: &str, name: &str) -> bool {
    name.strip_prefix(field).is_some_and(|rest| rest.starts_with('/'))
}

/// Step by step; `*` is any step.
fn fits(pattern: &str, pointer: &str) -> bool {
    let mut steps = pointer.split('/');
    pattern.split('/').all(|wanted| steps.next().is_some_and(|step| wanted == "*" || wanted == step))
        && steps.next().is_none()
}

/// The exceptions of one operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exceptions(Arc<[Exception]>);

impl Exceptions {
    /// These.
    pub fn new(exceptions: Vec<Exception>) -> Self {
        Self(exceptions.into())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that hold wherever a rule finds something.
    #[must_use]
    pub fn everywhere(&self) -> Self {
        Self(self.0.iter().filter(|it| it.field.is_none()).cloned().collect())
    }

    /// Whether one of them speaks of a rule of this guard, `schema/` for one.
    pub fn speak_of(&self, guard: &str) -> bool {
        self.0.iter().any(|it| it.rule.starts_with(guard))
    }

    /// Whether one of them speaks of this rule at this place.
    pub fn cover(&self, rule: &str, place: Option<&Place>) -> bool {
        self.0.iter().any(|it| it.covers(rule, place))
    }

    /// Whether they speak of everything that a reason names.
    pub fn cover_all(&self, reason: &Reason) -> bool {
        let rule = reason.rule.as_str();
        match reason.evidence.as_slice() {
            [] => self.cover(rule, None),
            evidence => evidence.iter().all(|it| {
                let rule = it.rule.as_ref().map_or(rule, |own| own.as_str());
                self.cover(rule, Some(&it.place))
            }),
        }
    }
}

/// A guard with exceptions: what they cover is remarked and not refused.
pub struct Excepted {
    guard: Arc<dyn Guard>,
    exceptions: Exceptions,
}

impl Excepted {
    /// The guard itself when there are no exceptions.
    pub fn wrap(guard: Arc<dyn Guard>, exceptions: &Exceptions) -> Arc<dyn Guard> {
        if exceptions.is_empty() { guard } else { Arc::new(Self { guard, exceptions: exceptions.clone() }) }
    }
}

impl Guard for Excepted {
    fn name(&self) -> &'static str {
        self.guard.name()
    }

    fn phase(&self) -> Phase {
        self.guard.phase()
    }

    fn wants_body(&self, cx: &Context) -> bool {
        self.guard.wants_body(cx)
    }

    fn check(&self, cx: &mut Context) -> Verdict {
        match self.guard.check(cx) {
            Verdict::Deny(denial, reason) if !self.exceptions.cover_all(&reason) => {
                Verdict::Deny(denial, reason)
            }
            Verdict::Deny(_, reason) => Verdict::Flag(reason),
            remark => remark,
        }
    }

    fn wants_finish(&self) -> bool {
        self.guard.wants_finish()
    }

    fn finish(&self, cx: &Context, outcome: &Outcome) {
        self.guard.finish(cx, outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(rule: &str, field: Option<&str>, seen: &str, place: Option<Place>) -> bool {
        Exception { rule: rule.into(), field: field.map(Into::into) }.covers(seen, place.as_ref())
    }

    #[test]
    fn speaks_of_its_rule_at_its_place_only() {
        let body = |pointer: &str| Some(Place::Body(pointer.into()));
        for (rule, field, seen, place, expected) in [
            ("schema/type", None, "schema/type", body("/a"), true),
            ("schema/type", None, "schema/required", body("/a"), false),
            ("schema/type", None, "schema/type_of", body("/a"), false),
            ("attacks/sql", None, "attacks/sql/union_select", body("/a"), true),
            ("attacks/sql/stacked", None, "attacks/sql/union_select", body("/a"), false),
            ("schema/*", None, "schema/required", None, true),
            ("schema/*", None, "limits/rate_exceeded", None, false),
            ("schema/type", Some("/a"), "schema/type", body("/a"), true),
            ("schema/type", Some("/a"), "schema/type", body("/a/b"), false),
            ("schema/type", Some("/items/*/note"), "schema/type", body("/items/12/note"), true),
            ("schema/type", Some("/items/*"), "schema/type", body("/items/12/note"), false),
            ("schema/type", Some("q"), "schema/type", Some(Place::Query("q".into())), true),
            ("schema/type", Some("X-Tag"), "schema/type", Some(Place::Header("x-tag".into())), true),
            ("schema/type", Some("/a"), "schema/type", None, false),
        ] {
            assert_eq!(
                covers(rule, field, seen, place.clone()),
                expected,
                "{rule} {field:?} {seen} {place:?}"
            );
        }
    }
}
