//! Who calls? Keys, certificates and known tokens are answered at once; password hashes and unknown signing keys
//! after a wait. The answer is a typed principal in the notes, never a header.

mod password_lane;

use std::sync::Arc;

use portcullis_auth::{
    authenticator::{Answer, Authenticator},
    mechanisms::{Waited, Work},
    presented::{Presented, authorization_place},
    refusal::{Fault, Refusal},
};
use portcullis_core::{
    chain::{RemoteGuard, Waiting},
    context::Context,
    verdict::Verdict,
};

pub use self::password_lane::{Busy, PasswordLane};

/// More rounds than any set of providers can need: each asks for one password check or one refresh.
const ROUNDS_MAX: usize = 16;

/// Establishes the principal, or refuses with challenges.
#[derive(Debug)]
pub struct Authenticate {
    authenticator: Arc<Authenticator>,
    passwords: Arc<PasswordLane>,
}

impl Authenticate {
    /// A guard for one operation or API. All guards of a process share one lane for password checks.
    pub const fn new(authenticator: Arc<Authenticator>, passwords: Arc<PasswordLane>) -> Self {
        Self { authenticator, passwords }
    }

    fn conclude(&self, cx: &mut Context, refusal: Refusal) -> Verdict {
        cx.notes.challenges = self.authenticator.challenges(&refusal).iter().cloned().collect();
        let denial = refusal.denial();
        refusal.reason().deny(denial)
    }

    /// The verdict, or the work that it needs first.
    fn answer(&self, cx: &mut Context, waited: &Waited) -> Result<Verdict, Work> {
        match self.authenticator.check(&Presented::of(cx), cx.now, waited) {
            Answer::Known(principal) => {
                cx.notes.principal = Some(principal);
                Ok(Verdict::Pass)
            }
            Answer::Anonymous => {
                // A later guard may still want somebody in particular, and its 401 must say whom this API knows.
                cx.notes.challenges = self.authenticator.invitations().iter().cloned().collect();
                Ok(Verdict::Pass)
            }
            Answer::Refused(refusal) => Ok(self.conclude(cx, refusal)),
            Answer::Waits(work) => Err(work),
        }
    }

    async fn wait(&self, cx: &mut Context) -> Verdict {
        let mut waited = Waited::default();
        for _ in 0..ROUNDS_MAX {
            let work = match self.answer(cx, &waited) {
                Ok(verdict) => return verdict,
                Err(work) => work,
            };
            match work {
                Work::Password(check) => {
                    let provider = Arc::clone(check.provider());
                    match self.passwords.run(check, cx.now).await {
                        Ok(verdict) => waited.passwords.push((provider, verdict)),
                        Err(Busy) => return self.busy(cx, &provider),
                    }
                }
                Work::SigningKeys(refresh) => {
                    waited.refreshed.push(Arc::clone(refresh.provider()));
                    refresh.run(cx.now).await;
                }
            }
        }
        self.busy(cx, &Arc::default())
    }

    fn busy(&self, cx: &mut Context, provider: &Arc<str>) -> Verdict {
        self.conclude(cx, Refusal::new(Fault::PasswordChecksBusy, provider, authorization_place()))
    }
}

impl RemoteGuard for Authenticate {
    fn name(&self) -> &'static str {
        "auth"
    }

    fn check(&self, cx: &mut Context) -> Option<Verdict> {
        self.answer(cx, &Waited::default()).ok()
    }

    fn ask<'a>(&'a self, cx: &'a mut Context) -> Waiting<'a> {
        Box::pin(self.wait(cx))
    }
}

#[cfg(test)]
pub(crate) mod test_context;
#[cfg(test)]
mod tests;
