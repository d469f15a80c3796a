//! Several mechanisms as one answer: any of several alternatives, each of which is all of its providers, as
//! OpenAPI's security requirements have it (OpenAPI 3.1 §4.8.30).

use std::sync::Arc;

use http::HeaderValue;
use portcullis_core::{
    clock::Timestamp,
    principal::{Mechanism, Principal},
    verdict::{Denial, Place},
};
use smallvec::SmallVec;

use crate::{
    mechanisms::{
        Attempt, Waited, Work,
        api_key::{ApiKeyProvider, KeyPlace},
        basic::BasicProvider,
        jwt::JwtProvider,
        mtls::MtlsProvider,
    },
    presented::{Presented, authorization_place},
    refusal::{Fault, Refusal},
};

/// Vouches for callers.
#[derive(Debug)]
pub enum Provider {
    /// Keys issued by the gate.
    ApiKey(ApiKeyProvider),
    /// HTTP Basic.
    Basic(BasicProvider),
    /// Signed tokens.
    Jwt(JwtProvider),
    /// Client certificates.
    Mtls(MtlsProvider),
}

impl Provider {
    /// The provider's name in the configuration.
    pub const fn name(&self) -> &Arc<str> {
        match self {
            Self::ApiKey(it) => it.name(),
            Self::Basic(it) => it.name(),
            Self::Jwt(it) => it.name(),
            Self::Mtls(it) => it.name(),
        }
    }

    fn check(&self, presented: &Presented<'_>, now: Timestamp, waited: &Waited) -> Attempt {
        match self {
            Self::ApiKey(it) => it.check(presented, now),
            Self::Basic(it) => it.check(presented, now, waited),
            Self::Jwt(it) => it.check(presented, now, waited),
            Self::Mtls(it) => it.check(presented, now),
        }
    }

    fn absence(&self) -> Refusal {
        match self {
            Self::ApiKey(it) => Refusal::new(Fault::CredentialMissing, it.name(), it.place()),
            Self::Basic(it) => Refusal::new(Fault::CredentialMissing, it.name(), authorization_place()),
            Self::Jwt(it) => Refusal::new(Fault::CredentialMissing, it.name(), authorization_place()),
            Self::Mtls(it) => Refusal::new(Fault::CertificateMissing, it.name(), Place::Connection),
        }
    }

    /// The place of its credential, for the guard of credentials over cleartext and for stripping.
    pub fn place(&self) -> Place {
        self.absence().place
    }

    /// How its callers prove who they are.
    pub const fn mechanism(&self) -> Mechanism {
        match self {
            Self::ApiKey(_) => Mechanism::ApiKey,
            Self::Basic(_) => Mechanism::Basic,
            Self::Jwt(_) => Mechanism::Jwt,
            Self::Mtls(_) => Mechanism::Mtls,
        }
    }

    const fn scheme(&self) -> Scheme {
        match self {
            Self::Jwt(_) => Scheme::Bearer,
            Self::Basic(_) => Scheme::Basic,
            Self::ApiKey(it) => match it.key_place() {
                KeyPlace::Bearer => Scheme::Bearer,
                KeyPlace::Header(_) | KeyPlace::Cookie(_) => Scheme::ApiKey,
            },
            Self::Mtls(_) => Scheme::ClientCertificate,
        }
    }
}

/// The schemes of challenges (RFC 9110 §11.6.1). `ApiKey` and `ClientCertificate` are not registered: a 401 must name
/// what would help, and a client that knows neither must not be told to send a token that nobody would look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Bearer,
    Basic,
    ApiKey,
    /// TLS asks for the certificate; the word is that of draft-thomson-httpbis-cant.
    ClientCertificate,
}

/// One provider of an alternative, and the scopes that the specification demands of its credential.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// Who must vouch.
    pub provider: Arc<Provider>,
    /// Scopes, all of which the principal must have.
    pub scopes: Vec<Arc<str>>,
}

impl From<Arc<Provider>> for Requirement {
    fn from(provider: Arc<Provider>) -> Self {
        Self { provider, scopes: Vec::new() }
    }
}

/// Whether a caller without any credential may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anonymous {
    /// By the explicit word of the operator or of the specification. A credential that is presented must be good
    /// all the same.
    Allowed,
    /// The usual.
    Refused,
}

/// The authenticator would let nobody pass, or everybody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticatorError {
    /// Nobody can vouch and anonymous callers are refused.
    #[error("no provider can vouch for a caller, and anonymous calls are not allowed")]
    Nobody,
    /// An alternative without a provider would be met by everybody.
    #[error("an alternative names no provider")]
    EmptyAlternative,
    /// The realm cannot stand in a header field.
    #[error("a realm is 1 to 64 letters, digits, spaces and `-._/`; found `{0}`")]
    Realm(Box<str>),
}

/// What is known about a caller.
#[derive(Debug)]
pub enum Answer {
    /// Who it is.
    Known(Arc<Principal>),
    /// Nobody in particular, and that is allowed.
    Anonymous,
    /// Not believed.
    Refused(Refusal),
    /// This must be done first; then ask again, with what came of it.
    Waits(Work),
}

/// Decides who calls, for one operation or API.
#[derive(Debug)]
pub struct Authenticator {
    alternatives: Vec<Vec<Requirement>>,
    anonymous: Anonymous,
    challenges: Challenges,
}

#[derive(Debug)]
struct Challenges {
    bare: SmallVec<[HeaderValue; 1]>,
    invalid: SmallVec<[HeaderValue; 1]>,
    insufficient: SmallVec<[HeaderValue; 1]>,
}

impl Authenticator {
    /// Any of `alternatives`, all providers of one. `realm` names the API in challenges.
    ///
    /// # Errors
    /// When nobody or everybody would pass, or the realm has other characters than letters, digits and ` -._/`.
    pub fn new(
        realm: &str,
        alternatives: Vec<Vec<Requirement>>,
        anonymous: Anonymous,
    ) -> Result<Self, AuthenticatorError> {
        if alternatives.is_empty() && anonymous == Anonymous::Refused {
            return Err(AuthenticatorError::Nobody);
        }
        if alternatives.iter().any(Vec::is_empty) {
            return Err(AuthenticatorError::EmptyAlternative);
        }
        let challenges = Challenges::new(realm, &alternatives)?;
        Ok(Self { alternatives, anonymous, challenges })
    }

    /// Any one of the providers.
    ///
    /// # Errors
    /// As [`Authenticator::new`].
    pub fn any(realm: &str, providers: Vec<Arc<Provider>>) -> Result<Self, AuthenticatorError> {
        Self::new(realm, providers.into_iter().map(|it| vec![it.into()]).collect(), Anonymous::Refused)
    }

    /// Every one of the providers; the first says who it is.
    ///
    /// # Errors
    /// As [`Authenticator::new`].
    pub fn all(realm: &str, providers: Vec<Arc<Provider>>) -> Result<Self, AuthenticatorError> {
        Self::new(realm, vec![providers.into_iter().map(Into::into).collect()], Anonymous::Refused)
    }

    /// The providers, each once, in order.
    pub fn providers(&self) -> impl Iterator<Item = &Arc<Provider>> {
        let mut seen: Vec<&Arc<str>> = Vec::new();
        self.alternatives.iter().flatten().map(|it| &it.provider).filter(move |provider| {
            let is_new = !seen.contains(&provider.name());
            seen.push(provider.name());
            is_new
        })
    }

    /// Decides, from memory. When the answer is that something must be done first, do it, note it in `waited` and
    /// ask again: each piece of work is asked for once.
    pub fn check(&self, presented: &Presented<'_>, now: Timestamp, waited: &Waited) -> Answer {
        // Two credentials in one field's name: the upstream might believe the other one.
        if let Err(fault) = presented.authorization() {
            return Answer::Refused(Refusal::new(fault, &Arc::default(), authorization_place()));
        }
        let mut waits = None;
        let mut worst: Option<Refusal> = None;
        for alternative in &self.alternatives {
            match check_all(alternative, presented, now, waited) {
                Answer::Waits(work) => waits = waits.or(Some(work)),
                Answer::Refused(refusal) => {
                    if worst.as_ref().is_none_or(|it| weight(&refusal) > weight(it)) {
                        worst = Some(refusal);
                    }
                }
                known => return known,
            }
        }
        match (waits, worst) {
            (Some(work), _) => Answer::Waits(work),
            (None, Some(refusal)) if self.anonymous == Anonymous::Refused || !refusal.fault.is_absence() => {
                Answer::Refused(refusal)
            }
            (None, _) => Answer::Anonymous,
        }
    }

    /// The challenges for a caller who presented nothing.
    pub fn invitations(&self) -> &[HeaderValue] {
        &self.challenges.bare
    }

    /// The challenges that go with a refusal (RFC 6750 §3, RFC 7617 §2); empty where a challenge would not help.
    pub fn challenges(&self, refusal: &Refusal) -> &[HeaderValue] {
        match refusal.denial() {
            Denial::Unauthenticated if refusal.fault.is_absence() => &self.challenges.bare,
            Denial::Unauthenticated => &self.challenges.invalid,
            Denial::Forbidden => &self.challenges.insufficient,
            _ => &[],
        }
    }
}

/// Of several refusals the one that tells the operator most.
fn weight(refusal: &Refusal) -> u8 {
    match refusal.fault {
        fault if fault.is_absence() => 0,
        // A token of another provider of the same route is nothing unusual.
        Fault::IssuerWrong | Fault::TokenMalformed => 1,
        Fault::ScopeMissing => 3,
        _ => 2,
    }
}

fn check_all(
    alternative: &[Requirement],
    presented: &Presented<'_>,
    now: Timestamp,
    waited: &Waited,
) -> Answer {
    let mut main: Option<Arc<Principal>> = None;
    let mut waits = None;
    for requirement in alternative {
        match requirement.provider.check(presented, now, waited) {
            Attempt::Accepted(principal) => {
                if let Some(missing) = requirement.scopes.iter().find(|scope| !principal.has_scope(scope)) {
                    let place = requirement.provider.place();
                    let refusal = Refusal::new(Fault::ScopeMissing, requirement.provider.name(), place);
                    return Answer::Refused(refusal.seen("scope", missing));
                }
                main.get_or_insert(principal);
            }
            Attempt::Absent => return Answer::Refused(requirement.provider.absence()),
            Attempt::Refused(refusal) => return Answer::Refused(refusal),
            Attempt::Waits(work) => waits = waits.or(Some(work)),
        }
    }
    match (waits, main) {
        (Some(work), _) => Answer::Waits(work),
        (None, Some(principal)) => Answer::Known(principal),
        // Not reached: an alternative has at least one requirement.
        (None, None) => {
            Answer::Refused(Refusal::new(Fault::CredentialMissing, &Arc::default(), authorization_place()))
        }
    }
}

impl Challenges {
    fn new(realm: &str, alternatives: &[Vec<Requirement>]) -> Result<Self, AuthenticatorError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || " -._/".contains(c);
        let refused = || AuthenticatorError::Realm(realm.into());
        if realm.is_empty() || realm.len() > 64 || !realm.chars().all(is_plain) {
            return Err(refused());
        }
        let mut schemes: Vec<Scheme> = Vec::new();
        for scheme in alternatives.iter().flatten().map(|it| it.provider.scheme()) {
            if !schemes.contains(&scheme) {
                schemes.push(scheme);
            }
        }
        let challenge = |scheme: Scheme, error: &str| {
            let text = match scheme {
                Scheme::Bearer => format!("Bearer realm=\"{realm}\"{error}"),
                Scheme::Basic => format!("Basic realm=\"{realm}\", charset=\"UTF-8\""),
                Scheme::ApiKey => format!("ApiKey realm=\"{realm}\""),
                Scheme::ClientCertificate => format!("ClientCertificate realm=\"{realm}\""),
            };
            HeaderValue::try_from(text).map_err(|_| refused())
        };
        let each =
            |error: &str| schemes.iter().map(|scheme| challenge(*scheme, error)).collect::<Result<_, _>>();
        let bearer = schemes.iter().copied().filter(|it| *it == Scheme::Bearer);
        Ok(Self {
            bare: each("")?,
            invalid: each(", error=\"invalid_token\"")?,
            insufficient: bearer
                .map(|it| challenge(it, ", error=\"insufficient_scope\""))
                .collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests;
