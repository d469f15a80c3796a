//! Limits: weaker when one is gone, or allows more.

use portcullis_config::{
    EffectiveSettings,
    units::{Limit, LimitAmount},
};

use super::{Differences, Kind, Subject};

/// Compares the limits of an operation.
pub(super) fn compare(
    subject: &Subject,
    before: &EffectiveSettings,
    after: &EffectiveSettings,
    differences: &mut Differences,
) {
    let (old, new) = (&before.limit.value, &after.limit.value);
    if old != new {
        differences.note(kind(old, new), subject, "limit", text(old), text(new));
    }
    let (old, new) = (&before.login.value, &after.login.value);
    if old != new {
        let attempts = |it: &Option<portcullis_config::model::Login>| {
            it.as_ref().map_or_else(
                || "off".to_owned(),
                |it| it.attempts.iter().map(|it| it.text.to_string()).collect::<Vec<_>>().join(", "),
            )
        };
        let kind = match (old, new) {
            (None, Some(_)) => Kind::Stronger,
            (Some(_), None) => Kind::Weaker,
            (Some(old), Some(new)) => {
                let kept = old.attempts.iter().all(|it| {
                    new.attempts.iter().any(|other| {
                        other.per == it.per
                            && not_more(LimitAmount::Rate(it.rate), LimitAmount::Rate(other.rate))
                    })
                });
                if kept && old.failure.iter().all(|it| new.failure.contains(it)) {
                    Kind::Changed
                } else {
                    Kind::Weaker
                }
            }
            (None, None) => Kind::Changed,
        };
        differences.note(kind, subject, "login", attempts(old), attempts(new));
    }
}

fn kind(old: &[Limit], new: &[Limit]) -> Kind {
    let kept = |from: &[Limit], to: &[Limit]| {
        from.iter().all(|it| {
            to.iter().any(|other| {
                it.per == other.per && it.when == other.when && not_more(it.amount, other.amount)
            })
        })
    };
    match (kept(old, new), kept(new, old)) {
        (true, false) => Kind::Stronger,
        (true, true) => Kind::Changed,
        (false, _) => Kind::Weaker,
    }
}

/// Whether the second amount allows no more than the first.
fn not_more(first: LimitAmount, second: LimitAmount) -> bool {
    match (first, second) {
        (LimitAmount::Rate(a), LimitAmount::Rate(b)) => {
            let (of_a, of_b) =
                (f64::from(a.count) / a.period.as_secs_f64(), f64::from(b.count) / b.period.as_secs_f64());
            of_b <= of_a && b.burst <= a.burst
        }
        (LimitAmount::Quota(a), LimitAmount::Quota(b)) => a.period == b.period && b.count <= a.count,
        (LimitAmount::Concurrent(a), LimitAmount::Concurrent(b)) => b <= a,
        (LimitAmount::Rate(_) | LimitAmount::Quota(_) | LimitAmount::Concurrent(_), _) => false,
    }
}

fn text(limits: &[Limit]) -> String {
    let words: Vec<&str> = limits.iter().map(|it| &*it.text).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}
