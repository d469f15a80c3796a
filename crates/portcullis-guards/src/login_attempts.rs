//! Guessing passwords is made slow: failed logins are counted by address and by user name (CWE-307).
//!
//! Only failures are charged, so those who know their password are never shut out by their own logins. Attempts
//! under way take places among those that are left, so that many at once are not judged by one count.

use std::{sync::Arc, time::Duration};

use portcullis_core::{
    chain::{Guard, Phase},
    context::Context,
    event::Outcome,
    limit::{CounterKey, Rate},
    ports::Counters,
    verdict::{Denial, Place, Reason, RuleId, Severity, Verdict},
};
use portcullis_leaves::Tree;

/// Too many failed logins from one address.
const ADDRESS_SPENT: RuleId = RuleId::new("login_attempts/address_spent");
/// Too many failed logins of one user name.
const USERNAME_SPENT: RuleId = RuleId::new("login_attempts/username_spent");

/// The longest user name that is told apart, in bytes: longer ones count as their beginning.
const USERNAME_BYTES_MAX: usize = 256;

/// What is counted at a login operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginSettings {
    /// The operation's stable name, under which failures are counted over reloads.
    pub name: Arc<str>,
    /// Failures allowed for one address.
    pub per_address: Option<Rate>,
    /// Failures allowed for one user name, whatever the address.
    pub per_username: Option<Rate>,
    /// Where the user name is in the body, as a JSON pointer (RFC 6901); forms are objects of their fields.
    pub username: Option<Box<str>>,
    /// Statuses of the upstream that say the login failed.
    pub failure_statuses: Vec<u16>,
}

/// Throttles a login operation.
pub struct LoginAttempts {
    settings: LoginSettings,
    address_counter: String,
    username_counter: String,
    counters: Arc<dyn Counters>,
}

impl LoginAttempts {
    /// A guard of one login operation.
    pub fn new(settings: LoginSettings, counters: Arc<dyn Counters>) -> Self {
        let address_counter = format!("login_attempts/{}/address", settings.name);
        let username_counter = format!("login_attempts/{}/username", settings.name);
        Self { settings, address_counter, username_counter, counters }
    }

    fn address(&self, cx: &Context) -> Option<(CounterKey, Rate)> {
        let rate = self.settings.per_address?;
        // Whoever has one IPv6 address has the other 2^64 of its network too.
        let subject = match cx.client.ip.to_canonical() {
            std::net::IpAddr::V4(ip) => self.counters.key(&self.address_counter, &ip.octets()),
            std::net::IpAddr::V6(ip) => {
                let network = u128::from(ip) >> 64;
                self.counters.key(&self.address_counter, &network.to_be_bytes())
            }
        };
        Some((subject, rate))
    }

    fn username(&self, cx: &Context) -> Option<(CounterKey, Rate)> {
        let rate = self.settings.per_username?;
        let tree = cx.request.parsed.as_ref()?.downcast_ref::<Tree>()?;
        let value = tree.resolve(self.settings.username.as_deref()?)?;
        // Spellings that most upstreams take for one user must not be counted apart.
        let name = value.excerpt(USERNAME_BYTES_MAX).trim().to_lowercase();
        Some((self.counters.key(&self.username_counter, name.as_bytes()), rate))
    }

    /// Looks without charging, and takes one of the places that are left.
    fn look(&self, cx: &mut Context, key: CounterKey, rate: &Rate) -> Result<(), u32> {
        let allowance = self.counters.rate(key, rate, 0, cx.now);
        let places_max = u32::try_from(allowance.remaining).unwrap_or(u32::MAX);
        if places_max > 0
            && let Some(permit) = self.counters.concurrency(key, places_max, cx.now)
        {
            cx.notes.permits.push(permit);
            return Ok(());
        }
        let cell = rate.period / rate.count.max(1);
        let wait = match places_max {
            0 => allowance.reset.saturating_sub(cell.saturating_mul(rate.burst.saturating_sub(1))),
            _ => Duration::ZERO,
        };
        Err(u32::try_from(wait.as_secs_f64().ceil().max(1.0) as u64).unwrap_or(u32::MAX))
    }

    fn has_failed(&self, cx: &Context, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Served | Outcome::ClientGone => cx
                .response
                .as_ref()
                .is_some_and(|response| self.settings.failure_statuses.contains(&response.status.as_u16())),
            // The gate itself checks the password: HTTP Basic at the login operation.
            Outcome::Denied(denial) => *denial == Denial::Unauthenticated,
            Outcome::Answered | Outcome::UpstreamFailed(_) | Outcome::Panicked => false,
        }
    }
}

impl Guard for LoginAttempts {
    fn name(&self) -> &'static str {
        "login_attempts"
    }

    fn phase(&self) -> Phase {
        match (&self.settings.username, self.settings.per_username) {
            (Some(_), Some(_)) => Phase::RequestBody,
            _ => Phase::RequestHead,
        }
    }

    fn check(&self, cx: &mut Context) -> Verdict {
        if let Some((key, rate)) = self.address(cx)
            && let Err(retry_after_secs) = self.look(cx, key, &rate)
        {
            return Reason::new(ADDRESS_SPENT, Severity::Medium, "too many failed logins from one address")
                .at(Place::Connection, cx.client.ip.to_string())
                .deny(Denial::TooManyRequests { retry_after_secs });
        }
        if let Some((key, rate)) = self.username(cx)
            && let Err(retry_after_secs) = self.look(cx, key, &rate)
        {
            let pointer = self.settings.username.clone().unwrap_or_default();
            return Reason::new(USERNAME_SPENT, Severity::High, "too many failed logins of one user name")
                .at(Place::Body(pointer), "")
                .deny(Denial::TooManyRequests { retry_after_secs });
        }
        Verdict::Pass
    }

    fn wants_finish(&self) -> bool {
        true
    }

    fn finish(&self, cx: &Context, outcome: &Outcome) {
        if !self.has_failed(cx, outcome) {
            return;
        }
        for (key, rate) in [self.address(cx), self.username(cx)].into_iter().flatten() {
            self.counters.rate(key, &rate, 1, cx.now);
        }
    }
}

#[cfg(test)]
mod tests;
