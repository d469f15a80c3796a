//! Bearer tokens (RFC 6750) that are signed JSON Web Tokens (RFC 7519, 8725, 9068).
//!
//! A token that was good a moment ago is known by its SHA-256: the signature is not verified again for at most 60
//! seconds, while revocation, binding and the provider's keys are looked at on every call.

use std::{fmt, sync::Arc, time::Duration};

use portcullis_core::{clock::Timestamp, principal::Principal};

use crate::{
    jose::{
        algorithm::Algorithm,
        claims::{self, Audience, ClaimFault, ClaimMap, DateRules, Dates},
        compact::Compact,
        json::Json,
        refresh::{JwksState, KeyRefresh, RefreshCause, Refresher},
    },
    mechanisms::{Attempt, Waited, Work, api_key::sha256},
    presented::{Presented, authorization_place},
    recent::Recent,
    refusal::{Fault, Refusal},
    revocation::RevocationList,
};

/// The longest time for which a verified token is believed without verifying it again.
pub const REMEMBERED: Duration = Duration::from_secs(60);
/// How far clocks may differ, unless configured otherwise.
pub const LEEWAY_DEFAULT: Duration = Duration::from_secs(30);
/// How far clocks may be configured to differ.
pub const LEEWAY_MAX: Duration = Duration::from_secs(300);

/// Which `typ` a token may have (RFC 8725 §3.11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenTypes {
    /// `JWT`, `at+jwt`, or none: what most providers issue.
    Usual,
    /// One of these, and it must be there.
    Only(Vec<Box<str>>),
}

/// What a provider of tokens is told.
#[derive(Clone, Debug)]
pub struct JwtSettings {
    /// The provider's name.
    pub name: Arc<str>,
    /// `iss`, exactly.
    pub issuer: Box<str>,
    /// `aud`.
    pub audience: Audience,
    /// The allowed algorithms.
    pub algorithms: Vec<Algorithm>,
    /// The allowed types.
    pub types: TokenTypes,
    /// How far clocks may differ; cut at [`LEEWAY_MAX`].
    pub leeway: Duration,
    /// How long after its issue a token may be used at most, whatever its `exp`.
    pub age_max: Option<Duration>,
    /// How long signing keys are believed after they were fetched; `None` for keys that nobody fetches.
    pub keys_age_max: Option<Duration>,
    /// Which claims make the principal.
    pub map: ClaimMap,
    /// How many verified tokens are remembered at most; an entry takes about 200 bytes beside its principal.
    pub remembered_max: usize,
}

impl JwtSettings {
    /// The usual settings for an issuer and an audience: all supported algorithms, `sub` and `scope`, 30 s leeway.
    pub fn new(name: Arc<str>, issuer: &str, audience: Audience) -> Self {
        Self {
            name,
            issuer: issuer.into(),
            audience,
            algorithms: Algorithm::ALL.to_vec(),
            types: TokenTypes::Usual,
            leeway: LEEWAY_DEFAULT,
            age_max: None,
            keys_age_max: None,
            map: ClaimMap::default(),
            remembered_max: 16_384,
        }
    }
}

/// Believes bearers of an issuer's tokens.
pub struct JwtProvider {
    settings: JwtSettings,
    keys: Arc<JwksState>,
    refresher: Option<Arc<dyn Refresher>>,
    revoked: Arc<RevocationList>,
    remembered: Recent<Verified>,
}

#[derive(Clone)]
struct Verified {
    facts: Arc<Facts>,
    /// The earlier of the token's end and of [`REMEMBERED`].
    until: Timestamp,
    generation: u64,
}

/// What a verified token says.
struct Facts {
    principal: Arc<Principal>,
    subject: Box<str>,
    issued: Option<Timestamp>,
    /// The fingerprint of the client certificate to which the token is bound, lower-case hexadecimal.
    certificate: Option<Box<str>>,
}

/// Why a token was not verified.
enum Failure {
    Refused(Fault, &'static str, Box<str>),
    /// A refresh of the keys could help.
    Keys(Fault, RefreshCause, Box<str>),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault, "", Box::default())
    }
}

impl JwtProvider {
    /// A provider whose keys are in `keys`, fetched by `refresher` (`None` for keys from a file) unless revoked.
    pub fn new(
        settings: JwtSettings,
        keys: Arc<JwksState>,
        refresher: Option<Arc<dyn Refresher>>,
        revoked: Arc<RevocationList>,
    ) -> Self {
        let remembered = Recent::new(settings.remembered_max);
        Self { settings, keys, refresher, revoked, remembered }
    }

    /// The provider's name.
    pub const fn name(&self) -> &Arc<str> {
        &self.settings.name
    }

    /// The provider's keys, for health pages and refreshes in the background.
    pub const fn keys(&self) -> &Arc<JwksState> {
        &self.keys
    }

    /// Checks the bearer token of a request.
    pub fn check(&self, presented: &Presented<'_>, now: Timestamp, waited: &Waited) -> Attempt {
        let token = match presented.scheme("Bearer") {
            Ok(Some(token)) => token,
            Ok(None) => return Attempt::Absent,
            Err(fault) => return Attempt::Refused(self.refusal(fault)),
        };
        let digest = sha256(token.as_bytes());
        let generation = self.keys.generation();
        let remembered = self
            .remembered
            .find(&digest)
            .filter(|it| now < it.until && it.generation == generation && !self.keys_are_too_old(now))
            .map(|it| it.facts);
        let facts = match remembered {
            Some(facts) => facts,
            None => match self.verify(token, now) {
                Ok(facts) => self.remember(digest, facts, generation, now),
                Err(failure) => return self.failed(failure, now, waited),
            },
        };
        match self.still_good(&facts, presented) {
            Ok(()) => Attempt::Accepted(Arc::clone(&facts.principal)),
            Err(fault) => Attempt::Refused(self.refusal(fault).seen("sub", &facts.subject)),
        }
    }

    fn keys_are_too_old(&self, now: Timestamp) -> bool {
        self.settings.keys_age_max.is_some_and(|age_max| self.keys.is_older_than(age_max, now))
    }

    fn remember(&self, digest: [u8; 32], facts: Facts, generation: u64, now: Timestamp) -> Arc<Facts> {
        let facts = Arc::new(facts);
        let until = facts.principal.expires.unwrap_or(now).min(now.plus(REMEMBERED));
        if now < until {
            self.remembered.insert(digest, Verified { facts: Arc::clone(&facts), until, generation });
        }
        facts
    }

    fn failed(&self, failure: Failure, now: Timestamp, waited: &Waited) -> Attempt {
        match failure {
            Failure::Refused(fault, "", seen) => Attempt::Refused(match &*seen {
                "" => self.refusal(fault),
                seen => self.refusal(fault).seen("claim", seen),
            }),
            Failure::Refused(fault, name, seen) => Attempt::Refused(self.refusal(fault).seen(name, &seen)),
            Failure::Keys(fault, cause, kid) => match &self.refresher {
                Some(refresher) if !waited.has_refreshed(&self.settings.name) && self.keys.may_ask(now) => {
                    let refresh = KeyRefresh::new(Arc::clone(&self.keys), Arc::clone(refresher), cause);
                    Attempt::Waits(Work::SigningKeys(refresh))
                }
                _ => Attempt::Refused(self.refusal(fault).seen("kid", &kid)),
            },
        }
    }

    /// What may have changed since a token was verified.
    fn still_good(&self, facts: &Facts, presented: &Presented<'_>) -> Result<(), Fault> {
        let principal = &facts.principal;
        let revoked = self.revoked.covers(principal.credential.as_deref(), &principal.id, facts.issued)
            || (*facts.subject != *principal.id && self.revoked.covers(None, &facts.subject, facts.issued));
        if revoked {
            return Err(Fault::TokenRevoked);
        }
        match &facts.certificate {
            Some(bound) if presented.certificate().is_none_or(|it| it.fingerprint != *bound) => {
                Err(Fault::BindingWrong)
            }
            _ => Ok(()),
        }
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<Facts, Failure> {
        let token = Compact::parse(token)?;
        let algorithm = self.check_head(&token)?;
        self.check_issuer(&token.claims)?;
        self.check_signature(&token, algorithm, now)?;
        let rules =
            DateRules { leeway: self.settings.leeway.min(LEEWAY_MAX), age_max: self.settings.age_max };
        let dates = claims::check_dates(&token.claims, rules, now).map_err(claim)?;
        claims::check_audience(&token.claims, &self.settings.audience)
            .map_err(|(fault, seen)| Failure::Refused(fault, "aud", seen))?;
        self.facts(&token.claims, dates)
    }

    fn check_head(&self, token: &Compact<'_>) -> Result<Algorithm, Failure> {
        let algorithm =
            token.algorithm.filter(|it| self.settings.algorithms.contains(it)).ok_or_else(|| {
                Failure::Refused(Fault::AlgorithmNotAllowed, "alg", token.algorithm_name.clone())
            })?;
        let is_allowed = match &self.settings.types {
            TokenTypes::Usual => token.typ.is_none() || token.is_typ("JWT") || token.is_typ("at+jwt"),
            TokenTypes::Only(types) => types.iter().any(|it| token.is_typ(it)),
        };
        if is_allowed {
            Ok(algorithm)
        } else {
            let seen = token.typ.as_deref().unwrap_or_default().into();
            Err(Failure::Refused(Fault::TypeNotAllowed, "typ", seen))
        }
    }

    /// Before the signature, so that a token of another provider costs little and is told apart from a forged one.
    fn check_issuer(&self, claims: &Json) -> Result<(), Failure> {
        match claims.member("iss") {
            Some(Json::String(issuer)) if **issuer == *self.settings.issuer => Ok(()),
            other => {
                let seen = other.and_then(Json::as_str).unwrap_or_default().into();
                Err(Failure::Refused(Fault::IssuerWrong, "iss", seen))
            }
        }
    }

    fn check_signature(
        &self,
        token: &Compact<'_>,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let kid = token.kid.as_deref();
        let seen = || Box::from(kid.unwrap_or_default());
        let Some(keys) = self.keys.keys() else {
            return Err(Failure::Keys(Fault::SigningKeysUnavailable, RefreshCause::Stale, seen()));
        };
        if self.keys_are_too_old(now) {
            return Err(Failure::Keys(Fault::SigningKeysTooOld, RefreshCause::Stale, seen()));
        }
        match keys.verify(kid, algorithm, token.signed.as_bytes(), token.signature) {
            Ok(()) => Ok(()),
            Err(Fault::SigningKeyUnknown) => {
                Err(Failure::Keys(Fault::SigningKeyUnknown, RefreshCause::UnknownKid, seen()))
            }
            Err(fault) => Err(Failure::Refused(fault, "kid", seen())),
        }
    }

    fn facts(&self, claims: &Json, dates: Dates) -> Result<Facts, Failure> {
        let certificate = claims::certificate_binding(claims)?;
        let principal =
            claims::principal(claims, &self.settings.map, &self.settings.name, dates).map_err(claim)?;
        let subject = claims.member("sub").and_then(Json::as_str).unwrap_or(&principal.id).into();
        Ok(Facts { principal: Arc::new(principal), subject, issued: dates.issued, certificate })
    }

    fn refusal(&self, fault: Fault) -> Refusal {
        Refusal::new(fault, &self.settings.name, authorization_place())
    }
}

fn claim((fault, seen): ClaimFault) -> Failure {
    Failure::Refused(fault, "", seen)
}

impl fmt::Debug for JwtProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtProvider").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
