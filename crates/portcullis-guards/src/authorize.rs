//! May this caller use this operation? Roles and scopes as the configuration and the specification say; a word
//! that closes an operation beats everything.

use std::sync::Arc;

use portcullis_core::{
    chain::{Guard, Phase},
    context::Context,
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
pub struct Authorize(Demand);

impl Authorize {
    /// A guard of one operation.
    pub const fn new(demand: Demand) -> Self {
        Self(demand)
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
        let (roles_any, scopes_all) = match &self.0 {
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
            return refused(
                ROLE_MISSING,
                format!("`{}` has none of the roles `{}`", principal.id, roles_any.join("`, `")),
            );
        }
        match scopes_all.iter().find(|scope| !principal.has_scope(scope)) {
            None => Verdict::Pass,
            Some(scope) => refused(SCOPE_MISSING, format!("`{}` lacks the scope `{scope}`", principal.id)),
        }
    }
}

/// The place is where the caller's credential mostly is; which one it was, the event says.
fn refused(rule: RuleId, message: String) -> Verdict {
    Reason::new(rule, Severity::Medium, message)
        .at(Place::Header("authorization".into()), "")
        .deny(Denial::Forbidden)
}

#[cfg(test)]
mod tests {
    use portcullis_core::principal::Principal;

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
