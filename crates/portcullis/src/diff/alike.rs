//! One word at an API or in `defaults` changes every operation below it: what changed alike is told once.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{Difference, Kind, Subject};

/// How many operations are named of those that changed alike.
const NAMED_MAX: usize = 3;

/// Differences of the same kind, from the same to the same, of operations of one API; or a single difference.
pub(crate) struct Alike<'a> {
    /// The first of them.
    pub(crate) first: &'a Difference,
    calls: Vec<&'a str>,
}

/// Puts together what changed alike, in the order in which each comes first.
pub(crate) fn alike(differences: &[Difference]) -> Vec<Alike<'_>> {
    type Key<'a> = (Kind, &'a Arc<str>, &'a str, &'a str, &'a str);
    let mut places: BTreeMap<Key<'_>, usize> = BTreeMap::new();
    let mut found: Vec<Alike<'_>> = Vec::new();
    for it in differences {
        let Subject::Operation { api, call } = &it.subject else {
            found.push(Alike { first: it, calls: Vec::new() });
            continue;
        };
        let place =
            *places.entry((it.kind, api, &it.protection, &it.before, &it.after)).or_insert(found.len());
        match found.get_mut(place) {
            Some(known) => known.calls.push(call),
            None => found.push(Alike { first: it, calls: vec![call] }),
        }
    }
    found
}

impl Alike<'_> {
    /// Where: one subject, or `3 operations of api orders: GET /a, GET /b, GET /c`.
    pub(crate) fn subject(&self) -> String {
        let Subject::Operation { api, .. } = &self.first.subject else {
            return self.first.subject.to_string();
        };
        if self.calls.len() < 2 {
            return self.first.subject.to_string();
        }
        let named = self.calls.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
        let more = match self.calls.len().saturating_sub(NAMED_MAX) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{} operations of api {api}: {named}{more}", self.calls.len())
    }

    /// What: `limit: 10/s → 20/s`.
    pub(crate) fn change(&self) -> String {
        format!("{}: {} → {}", self.first.protection, self.first.before, self.first.after)
    }
}

impl fmt::Display for Alike<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.subject(), self.change())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(subject: Subject, after: &str) -> Difference {
        let (protection, before) = ("limit".to_owned(), "10/s".to_owned());
        Difference { kind: Kind::Weaker, subject, protection, before, after: after.to_owned() }
    }

    fn operation(api: &str, call: &str, after: &str) -> Difference {
        difference(Subject::Operation { api: api.into(), call: call.to_owned() }, after)
    }

    #[test]
    fn what_changed_alike_is_told_once() {
        let mut differences: Vec<_> = (0..5).map(|n| operation("a", &format!("GET /{n}"), "none")).collect();
        differences.push(operation("a", "GET /other", "20/s"));
        differences.push(operation("b", "GET /0", "none"));
        differences.push(operation("b", "GET /1", "none"));
        differences.push(difference("listener main".into(), "none"));
        let told: Vec<_> = alike(&differences).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "5 operations of api a: GET /0, GET /1, GET /2 and 2 more; limit: 10/s → none",
                "a: GET /other; limit: 10/s → 20/s",
                "2 operations of api b: GET /0, GET /1; limit: 10/s → none",
                "listener main; limit: 10/s → none",
            ]
        );
    }
}
