//! Who may call: weaker when someone may call now who could not before.

use super::{Differences, Kind, Subject};
use crate::compile::{OperationView, access::Access};

/// Compares who may call an operation.
pub(super) fn compare(
    subject: &Subject,
    before: &OperationView,
    after: &OperationView,
    differences: &mut Differences,
) {
    let (old, new) = (&before.access, &after.access);
    if old == new {
        return;
    }
    let weaker = admits_more(old, new);
    let stronger = admits_more(new, old);
    let kind = if weaker {
        Kind::Weaker
    } else if stronger {
        Kind::Stronger
    } else {
        Kind::Changed
    };
    differences.note(kind, subject, "auth", text(old), text(new));
}

/// Whether somebody passes `new` who does not pass `old`: an alternative that asks for less than every old one.
fn admits_more(old: &Access, new: &Access) -> bool {
    if old.anonymous && old.alternatives.is_empty() {
        return false;
    }
    let implied = |alternative: &std::collections::BTreeMap<_, Vec<_>>| {
        old.alternatives.iter().any(|it| {
            it.iter().all(|(provider, scopes)| {
                alternative
                    .get(provider)
                    .is_some_and(|given: &Vec<_>| scopes.iter().all(|scope| given.contains(scope)))
            })
        })
    };
    (new.anonymous && !old.anonymous) || !new.alternatives.iter().all(implied)
}

fn text(access: &Access) -> String {
    let alternative = |it: &std::collections::BTreeMap<std::sync::Arc<str>, Vec<std::sync::Arc<str>>>| {
        let providers = it.iter().map(|(provider, scopes)| match scopes.is_empty() {
            true => provider.to_string(),
            false => format!("{provider} with {}", scopes.join(" ")),
        });
        providers.collect::<Vec<_>>().join(" and ")
    };
    let mut words: Vec<String> = access.alternatives.iter().map(alternative).collect();
    if access.anonymous {
        words.push("anonymous".to_owned());
    }
    words.join(", or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(alternatives: &[&[(&str, &[&str])]], anonymous: bool) -> Access {
        let words = |words: &[&str]| words.iter().map(|it| (*it).into()).collect();
        let alternatives =
            alternatives.iter().map(|it| it.iter().map(|(p, s)| ((*p).into(), words(s))).collect()).collect();
        Access { alternatives, anonymous }
    }

    #[test]
    fn somebody_new_may_call() {
        let key = access(&[&[("key", &[])]], false);
        let key_or_jwt = access(&[&[("key", &[])], &[("jwt", &[])]], false);
        let key_and_jwt = access(&[&[("key", &[]), ("jwt", &[])]], false);
        let scoped = access(&[&[("key", &["a"])]], false);
        let anonymous = access(&[], true);
        for (old, new, expected) in [
            (&key, &key_or_jwt, true),
            (&key_or_jwt, &key, false),
            (&key, &key_and_jwt, false),
            (&key_and_jwt, &key, true),
            (&key, &anonymous, true),
            (&anonymous, &key, false),
            (&key, &scoped, false),
            (&scoped, &key, true),
        ] {
            assert_eq!(admits_more(old, new), expected, "{old:?} → {new:?}");
        }
    }
}
