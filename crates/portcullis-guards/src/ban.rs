//! Refuses who is shut out: addresses before anything is looked at, principals once they are known.

use std::sync::Arc;

use portcullis_core::{
    chain::{Guard, Phase},
    context::Context,
    ports::Bans,
    verdict::{Denial, Place, Reason, RuleId, Severity, Verdict},
};

const ADDRESS: RuleId = RuleId::new("ban/address");
const PRINCIPAL: RuleId = RuleId::new("ban/principal");

/// What a ban guard looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Address,
    Principal,
}

/// Refuses who is shut out. It belongs into a chain twice: see its constructors.
pub struct Ban {
    kind: Kind,
    bans: Arc<dyn Bans>,
}

impl Ban {
    /// Looks at the client's address: the first guard of all.
    pub fn of_addresses(bans: Arc<dyn Bans>) -> Self {
        Self { kind: Kind::Address, bans }
    }

    /// Looks at the principal: behind authentication.
    pub fn of_principals(bans: Arc<dyn Bans>) -> Self {
        Self { kind: Kind::Principal, bans }
    }
}

impl Guard for Ban {
    fn name(&self) -> &'static str {
        "ban"
    }

    fn phase(&self) -> Phase {
        Phase::RequestHead
    }

    fn check(&self, cx: &mut Context) -> Verdict {
        match self.kind {
            Kind::Address => match self.bans.address(cx.client.ip, cx.now) {
                None => Verdict::Pass,
                Some(_) => Reason::new(ADDRESS, Severity::Medium, "the client's address is banned")
                    .at(Place::Connection, cx.client.ip.to_string())
                    .deny(Denial::Blocked),
            },
            Kind::Principal => {
                let Some(principal) = &cx.notes.principal else { return Verdict::Pass };
                match self.bans.principal(&principal.id, cx.now) {
                    None => Verdict::Pass,
                    Some(_) => {
                        Reason::new(PRINCIPAL, Severity::Medium, "the caller is banned").deny(Denial::Blocked)
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use portcullis_core::clock::Timestamp;

    use super::*;
    use crate::rate_limit::testing::{NOW, call, call_by, say};

    struct Banned;

    impl Bans for Banned {
        fn address(&self, ip: IpAddr, now: Timestamp) -> Option<Timestamp> {
            (ip.to_string() == "192.0.2.66" && now == NOW).then_some(NOW)
        }

        fn principal(&self, id: &str, _: Timestamp) -> Option<Timestamp> {
            (id == "mallory").then_some(NOW)
        }
    }

    #[test]
    fn refuses_the_banned_and_nobody_else() {
        let (addresses, principals) =
            (Ban::of_addresses(Arc::new(Banned)), Ban::of_principals(Arc::new(Banned)));
        assert_eq!(say(&addresses.check(&mut call("192.0.2.66"))), "ban/address blocked");
        assert_eq!(say(&addresses.check(&mut call("192.0.2.1"))), "pass");
        assert_eq!(say(&addresses.check(&mut call_by("mallory", &[], None))), "pass");
        assert_eq!(say(&principals.check(&mut call_by("mallory", &[], None))), "ban/principal blocked");
        assert_eq!(say(&principals.check(&mut call_by("alice", &[], None))), "pass");
        assert_eq!(say(&principals.check(&mut call("192.0.2.66"))), "pass");
    }
}
