//! Completes a principal with what the configuration knows about it: plan, roles, scopes, organisation. What the
//! credential itself says about plan and organisation outweighs the configuration. Refuses nothing.

use std::sync::Arc;

use hashbrown::HashMap;
use portcullis_core::{
    chain::{Guard, Phase},
    context::Context,
    verdict::Verdict,
};

/// What is known about one consumer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsumerProfile {
    /// Only when this provider vouches; any when none is given.
    pub provider: Option<Arc<str>>,
    /// The plan.
    pub plan: Option<Arc<str>>,
    /// Roles besides the credential's.
    pub roles: Vec<Arc<str>>,
    /// Scopes besides the credential's.
    pub scopes: Vec<Arc<str>>,
    /// The organisation.
    pub tenant: Option<Arc<str>>,
}

/// All consumers by the id of their principal.
#[derive(Clone, Debug, Default)]
pub struct ConsumerProfiles(Arc<HashMap<Arc<str>, ConsumerProfile>>);

impl ConsumerProfiles {
    /// The profiles of a configuration.
    pub fn new(profiles: HashMap<Arc<str>, ConsumerProfile>) -> Self {
        Self(Arc::new(profiles))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Guard for ConsumerProfiles {
    fn name(&self) -> &'static str {
        "consumer_profile"
    }

    fn phase(&self) -> Phase {
        Phase::RequestHead
    }

    fn check(&self, cx: &mut Context) -> Verdict {
        let Some(principal) = &mut cx.notes.principal else { return Verdict::Pass };
        let Some(profile) = self.0.get(&principal.id) else { return Verdict::Pass };
        if profile.provider.as_ref().is_some_and(|it| *it != principal.provider) {
            return Verdict::Pass;
        }
        let principal = Arc::make_mut(principal);
        principal.plan = principal.plan.take().or_else(|| profile.plan.clone());
        principal.tenant = principal.tenant.take().or_else(|| profile.tenant.clone());
        add(&mut principal.roles, &profile.roles);
        add(&mut principal.scopes, &profile.scopes);
        Verdict::Pass
    }
}

fn add(to: &mut Vec<Arc<str>>, from: &[Arc<str>]) {
    for word in from {
        if !to.contains(word) {
            to.push(Arc::clone(word));
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::principal::Principal;

    use super::*;
    use crate::authenticate::test_context::context;

    fn completed(provider: &str, plan: Option<&str>) -> Principal {
        let profile = ConsumerProfile {
            provider: Some("keys".into()),
            plan: Some("gold".into()),
            roles: vec!["shipper".into(), "reader".into()],
            ..ConsumerProfile::default()
        };
        let guard = ConsumerProfiles::new(HashMap::from([("ali".into(), profile)]));
        let mut cx = context(&[]);
        cx.notes.principal = Some(Arc::new(Principal {
            id: "ali".into(),
            provider: provider.into(),
            plan: plan.map(Into::into),
            roles: vec!["reader".into()],
            ..Principal::default()
        }));
        assert_eq!(guard.check(&mut cx), Verdict::Pass);
        Arc::unwrap_or_clone(cx.notes.principal.unwrap())
    }

    #[test]
    fn adds_what_the_credential_does_not_say() {
        let principal = completed("keys", None);
        assert_eq!(principal.plan.as_deref(), Some("gold"));
        assert_eq!(principal.roles, ["reader".into(), "shipper".into()]);
    }

    #[test]
    fn the_credentials_own_plan_stays() {
        assert_eq!(completed("keys", Some("free")).plan.as_deref(), Some("free"));
    }

    #[test]
    fn a_name_from_another_provider_is_another_caller() {
        assert_eq!(completed("other", None).plan, None);
    }
}
