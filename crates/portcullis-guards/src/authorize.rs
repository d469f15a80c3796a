//! May this caller use this operation? Roles and scopes as the configuration and the specification say; a word
//! that closes an operation beats everything.

use std::sync::Arc;

use portcullis_auth::presented::authorization_place;
use portcullis_core::{
    chain::{Guard, Phase},
    context::Context,
    principal::{Mechanism, Principal},
    verdict::{Denial, Place, Reason, RuleId, Severity, Verdict},
};

/// The operation is closed by explicit word.
const OPERATION_DENIED: RuleId = RuleId::new("authorize/operation_denied");
/// Roles or scopes are demanded, and nobody in particular calls.
const PRINCIPAL_MISSING: RuleId = RuleId::new("authorize/principal_missing");
/// The caller has none of the roles.
const ROLE_MISSING: RuleId = RuleId::new("authorize/role_missing");
/// The caller lacks a scope.
const SCOPE_MISSING: RuleId = RuleId::new("authorize/scope_missing");

/// What one operation demands of its callers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Nobody may call.
    Nobody,
    /// Callers with these may call.
    Caller {
        /// Any one of these roles; empty for no demand.
        roles_any: Vec<Arc<str>>,
        /// All of these scopes; empty for no demand.
        scopes_all: Vec<Arc<str>>,
    },
}

/// Holds callers to what an operation demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorize {
    demand: Demand,
    places: Vec<(Mechanism, Place)>,
}

impl Authorize {
    /// A guard of one operation.
    pub const fn new(demand: Demand) -> Self {
        Self { demand, places: Vec::new() }
    }

    /// With where those who vouch for the operation's callers look for credentials.
    #[must_use]
    pub fn with_places(self, places: Vec<(Mechanism, Place)>) -> Self {
        Self { places, ..self }
    }

    /// Where the caller's credential was. Several providers may share a mechanism: then it is the place in which
    /// something is.
    fn place(&self, principal: &Principal, cx: &Context) -> Place {
        let is_there = |place: &Place| match place {
            Place::Header(name) => cx.request.headers.contains_key(&**name),
            _ => false,
        };
        let mut of_mechanism =
            self.places.iter().filter(|(it, _)| *it == principal.mechanism).map(|(_, place)| place);
        let first = of_mechanism.clone().next();
        match (of_mechanism.find(|it| is_there(it)).or(first), principal.mechanism) {
            (Some(place), _) => place.clone(),
            (None, Mechanism::Mtls) => Place::Connection,
            (None, Mechanism::Anonymous | Mechanism::Basic | Mechanism::ApiKey | Mechanism::Jwt) => {
                authorization_place()
            }
        }
    }
}

impl Guard for Authorize {
    fn name(&self) -> &'static str {
        "authorize"
    }

    fn phase(&self) -> Phase {
        Phase::RequestHead
    }

    fn check(&self, cx: &mut Context) -> Verdict {
        let (roles_any, scopes_all) = match &self.demand {
            Demand::Nobody => {
                return Reason::new(
                    OPERATION_DENIED,
                    Severity::Medium,
                    "the operation is closed to everybody",
                )
                .deny(Denial::Forbidden);
            }
            Demand::Caller { roles_any, scopes_all } => (roles_any, scopes_all),
        };
        if roles_any.is_empty() && scopes_all.is_empty() {
            return Verdict::Pass;
        }
        let Some(principal) = &cx.notes.principal else {
            return Reason::new(
                PRINCIPAL_MISSING,
                Severity::Low,
                "the operation demands roles or scopes of a caller",
            )
            .deny(Denial::Unauthenticated);
        };
        if !roles_any.is_empty() && !roles_any.iter().any(|role| principal.has_role(role)) {
            let message = format!("`{}` has none of the roles `{}`", principal.id, roles_any.join("`, `"));
            return refused(ROLE_MISSING, message, self.place(principal, cx));
        }
        match scopes_all.iter().find(|scope| !principal.has_scope(scope)) {
            None => Verdict::Pass,
            Some(scope) => {
                let message = format!("`{}` lacks the scope `{scope}`", principal.id);
                refused(SCOPE_MISSING, message, self.place(principal, cx))
            }
        }
    }
}

fn refused(rule: RuleId, message: String, place: Place) -> Verdict {
    Reason::new(rule, Severity::Medium, message).at(place, "").deny(Denial::Forbidden)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authenticate::test_context::context;

    fn check(demand: Demand, caller: Option<(&[&str], &[&str])>) -> String {
        let mut cx = context(&[]);
        let words = |words: &[&str]| words.iter().map(|it| Arc::from(*it)).collect();
        cx.notes.principal = caller.map(|(roles, scopes)| {
            Arc::new(Principal {
                id: "ali".into(),
                roles: words(roles),
                scopes: words(scopes),
                ..Principal::default()
            })
        });
        match Authorize::new(demand).check(&mut cx) {
            Verdict::Pass => "pass".into(),
            Verdict::Flag(_) => "flag".into(),
            Verdict::Deny(denial, reason) => {
                format!("{} {} {}", denial.status(), reason.rule.as_str(), reason.message)
            }
        }
    }

    /// The place at which a caller without the role is refused.
    fn place(mechanism: Mechanism, fields: &[(&'static str, &str)], places: &[(Mechanism, Place)]) -> Place {
        let mut cx = context(fields);
        cx.notes.principal = Some(Arc::new(Principal { mechanism, ..Principal::default() }));
        match Authorize::new(demand(&["a"], &[])).with_places(places.to_vec()).check(&mut cx) {
            Verdict::Deny(_, reason) => reason.evidence[0].place.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn names_the_place_of_the_credential_that_was_presented() {
        let header = |name: &str| Place::Header(name.into());
        let places = [
            (Mechanism::Jwt, header("authorization")),
            (Mechanism::ApiKey, header("x-api-key")),
            (Mechanism::ApiKey, header("x-shop-key")),
            (Mechanism::Mtls, Place::Connection),
        ];
        for (mechanism, fields, expected) in [
            (Mechanism::ApiKey, &[("x-api-key", "k"), ("authorization", "other")][..], header("x-api-key")),
            (Mechanism::ApiKey, &[("x-shop-key", "k")], header("x-shop-key")),
            (Mechanism::Mtls, &[("authorization", "other")], Place::Connection),
            (Mechanism::Jwt, &[("authorization", "Bearer x")], header("authorization")),
        ] {
            assert_eq!(place(mechanism, fields, &places), expected, "{mechanism:?} {fields:?}");
        }
        assert_eq!(place(Mechanism::Mtls, &[], &[]), Place::Connection);
    }

    fn demand(roles: &[&str], scopes: &[&str]) -> Demand {
        let words = |words: &[&str]| words.iter().map(|it| Arc::from(*it)).collect();
        Demand::Caller { roles_any: words(roles), scopes_all: words(scopes) }
    }

    #[test]
    fn holds_callers_to_roles_and_scopes() {
        for (demand, caller, expected) in [
            (demand(&[], &[]), None, "pass"),
            (demand(&["a", "b"], &[]), Some((&["b"][..], &[][..])), "pass"),
            (
                demand(&["a", "b"], &[]),
                Some((&["c"], &[])),
                "403 authorize/role_missing `ali` has none of the roles `a`, `b`",
            ),
            (demand(&[], &["r", "w"]), Some((&[], &["w", "r"])), "pass"),
            (
                demand(&[], &["r", "w"]),
                Some((&[], &["r"])),
                "403 authorize/scope_missing `ali` lacks the scope `w`",
            ),
            (
                demand(&["a"], &["r"]),
                Some((&["a"], &[])),
                "403 authorize/scope_missing `ali` lacks the scope `r`",
            ),
            (
                demand(&["a"], &[]),
                None,
                "401 authorize/principal_missing the operation demands roles or scopes of a caller",
            ),
            (
                Demand::Nobody,
                Some((&["a"], &["r"])),
                "403 authorize/operation_denied the operation is closed to everybody",
            ),
        ] {
            assert_eq!(check(demand.clone(), caller), expected, "{demand:?}");
        }
    }
}
