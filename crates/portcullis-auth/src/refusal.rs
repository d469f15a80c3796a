//! Why a caller was not believed: precise for the operator, one word for the client.

use std::{borrow::Cow, sync::Arc};

use portcullis_core::verdict::{Denial, Place, Reason, RuleId, Severity};

/// The longest excerpt of anything a caller sent, in characters.
const EXCERPT_CHARS_MAX: usize = 64;

/// Everything that can be wrong with a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// No mechanism of the route found its credential.
    CredentialMissing,
    /// More than one `Authorization` field (RFC 9110 §11.6.2 allows one).
    AuthorizationRepeated,
    /// The credential's own field or cookie occurs more than once.
    CredentialRepeated,
    /// Longer than any honest credential (CWE-400).
    CredentialOversized,
    /// Not in the syntax of its scheme.
    CredentialMalformed,
    /// An API key of the wrong shape or with a wrong checksum: mistyped, cut, or made up.
    KeyMalformed,
    /// A well-formed API key that is unknown, revoked or expired.
    KeyNotValid,
    /// The user is unknown or the password wrong; which of the two is not told apart (CWE-204).
    PasswordWrong,
    /// Too many password checks are under way.
    PasswordChecksBusy,
    /// Not a compact JWS (RFC 7515 §7.1) in strict base64url, or not JSON inside.
    TokenMalformed,
    /// A member occurs twice in the token's header or claims (RFC 7519 §4).
    TokenMemberRepeated,
    /// The algorithm is not in the provider's list, `none` among them (RFC 8725 §3.1, CWE-327).
    AlgorithmNotAllowed,
    /// The header demands extensions that are not understood (RFC 7515 §4.1.11).
    CriticalHeader,
    /// The header brings its own key or points at one (RFC 8725 §3.10, CWE-347).
    KeyInHeader,
    /// `typ` is not one that the provider issues (RFC 8725 §3.11).
    TypeNotAllowed,
    /// No signing key has that id.
    SigningKeyUnknown,
    /// Several signing keys would fit.
    SigningKeyAmbiguous,
    /// The named key is for another algorithm (RFC 8725 §2.1).
    SigningKeyUnfit,
    /// The signature does not verify (CWE-347).
    SignatureInvalid,
    /// `iss` is not the provider's.
    IssuerWrong,
    /// `aud` names none of the expected audiences (RFC 7519 §4.1.3).
    AudienceWrong,
    /// There is no `exp` (CWE-613).
    ExpiryMissing,
    /// `exp` has passed.
    TokenExpired,
    /// `nbf` is still to come.
    TokenNotYetValid,
    /// `iat` lies in the future.
    IssuedInFuture,
    /// `iat` is longer ago than the provider's tokens may live.
    TokenTooOld,
    /// A claim that identity is taken from is absent.
    ClaimMissing,
    /// A claim has the wrong JSON type or holds control characters.
    ClaimMalformed,
    /// The token, or its subject, is on the revocation list.
    TokenRevoked,
    /// The token is bound to another client certificate (RFC 8705 §3).
    BindingWrong,
    /// The token is bound in a way that is not supported; taking it as a bearer token would undo the binding
    /// (RFC 9449 §7.1).
    BindingUnsupported,
    /// The provider's signing keys could not be had so far.
    SigningKeysUnavailable,
    /// The provider's signing keys are older than allowed, because its issuer is away: a key that was withdrawn
    /// meanwhile would still be believed.
    SigningKeysTooOld,
    /// No client certificate was presented.
    CertificateMissing,
    /// The client certificate has ended since the connection was made.
    CertificateExpired,
    /// The certificate has none, or several, of the field that identity is taken from.
    CertificateFieldUnfit,
    /// The certificate is good, and its holder is not on the provider's list.
    CertificateNotListed,
    /// The credential is good and lacks a scope that the operation's specification demands.
    ScopeMissing,
}

impl Fault {
    /// The rule id, how bad it is, the sentence for the operator and the word for the client.
    pub const fn facts(self) -> (&'static str, Severity, &'static str, Denial) {
        use Denial::{Forbidden, Malformed, Unauthenticated as No, Unavailable};
        use Severity::{High, Info, Low, Medium};
        match self {
            Self::CredentialMissing => ("auth/credential_missing", Info, "no credential was presented", No),
            Self::AuthorizationRepeated => {
                ("auth/authorization_repeated", Medium, "several `Authorization` fields", Malformed)
            }
            Self::CredentialRepeated => {
                ("auth/credential_repeated", Medium, "the credential occurs twice", Malformed)
            }
            Self::CredentialOversized => {
                ("auth/credential_oversized", Medium, "the credential is too long", No)
            }
            Self::CredentialMalformed => {
                ("auth/credential_malformed", Low, "the credential is not in the syntax of its scheme", No)
            }
            Self::KeyMalformed => {
                ("auth/key_malformed", Low, "the API key has the wrong shape or a wrong checksum", No)
            }
            Self::KeyNotValid => {
                ("auth/key_not_valid", Medium, "the API key is unknown, revoked or expired", No)
            }
            Self::PasswordWrong => {
                ("auth/password_wrong", Medium, "the user is unknown or the password is wrong", No)
            }
            Self::PasswordChecksBusy => {
                ("auth/password_checks_busy", High, "too many password checks are under way", Unavailable)
            }
            Self::TokenMalformed => {
                ("auth/token_malformed", Low, "the token is not a strict compact JWS", No)
            }
            Self::TokenMemberRepeated => {
                ("auth/token_member_repeated", High, "a member of the token occurs twice", No)
            }
            Self::AlgorithmNotAllowed => {
                ("auth/algorithm_not_allowed", High, "the token's algorithm is not allowed", No)
            }
            Self::CriticalHeader => {
                ("auth/critical_header", Medium, "the token demands unknown extensions", No)
            }
            Self::KeyInHeader => ("auth/key_in_header", High, "the token's header names its own key", No),
            Self::TypeNotAllowed => ("auth/type_not_allowed", Medium, "the token's `typ` is not allowed", No),
            Self::SigningKeyUnknown => {
                ("auth/key_unknown", Medium, "no signing key fits the token's key id", No)
            }
            Self::SigningKeyAmbiguous => {
                ("auth/key_ambiguous", Medium, "several signing keys fit the token", No)
            }
            Self::SigningKeyUnfit => {
                ("auth/key_unfit", High, "the token's algorithm does not fit the key that it names", No)
            }
            Self::SignatureInvalid => {
                ("auth/signature_invalid", High, "the token's signature does not verify", No)
            }
            Self::IssuerWrong => ("auth/issuer_wrong", Medium, "the token comes from another issuer", No),
            Self::AudienceWrong => {
                ("auth/audience_wrong", Medium, "the token is meant for another audience", No)
            }
            Self::ExpiryMissing => ("auth/expiry_missing", Medium, "the token has no expiry", No),
            Self::TokenExpired => ("auth/token_expired", Low, "the token has expired", No),
            Self::TokenNotYetValid => ("auth/token_not_yet_valid", Low, "the token is not valid yet", No),
            Self::IssuedInFuture => {
                ("auth/issued_in_future", Medium, "the token was issued in the future", No)
            }
            Self::TokenTooOld => ("auth/token_too_old", Low, "the token was issued too long ago", No),
            Self::ClaimMissing => {
                ("auth/claim_missing", Medium, "a claim that identity is taken from is missing", No)
            }
            Self::ClaimMalformed => {
                ("auth/claim_malformed", Medium, "a claim has the wrong type or content", No)
            }
            Self::TokenRevoked => ("auth/token_revoked", High, "the token or its subject is revoked", No),
            Self::BindingWrong => {
                ("auth/binding_wrong", High, "the token is bound to another client certificate", No)
            }
            Self::BindingUnsupported => {
                ("auth/binding_unsupported", Medium, "the token is bound in an unsupported way", No)
            }
            Self::SigningKeysUnavailable => (
                "auth/signing_keys_unavailable",
                High,
                "the provider's signing keys are not known",
                Unavailable,
            ),
            Self::SigningKeysTooOld => (
                "auth/signing_keys_too_old",
                High,
                "the provider's signing keys are too old: its issuer has not answered for too long",
                Unavailable,
            ),
            Self::CertificateMissing => {
                ("auth/certificate_missing", Info, "no client certificate was presented", No)
            }
            Self::CertificateExpired => {
                ("auth/certificate_expired", Low, "the client certificate has expired", No)
            }
            Self::CertificateFieldUnfit => (
                "auth/certificate_field_unfit",
                Medium,
                "the client certificate does not hold exactly one of the field that identity is taken from",
                No,
            ),
            Self::CertificateNotListed => (
                "auth/certificate_not_listed",
                Medium,
                "the client certificate is not on the provider's list",
                No,
            ),
            Self::ScopeMissing => ("authorize/scope_missing", Low, "the credential lacks a scope", Forbidden),
        }
    }

    /// Whether it says only that nothing was presented.
    pub const fn is_absence(self) -> bool {
        matches!(self, Self::CredentialMissing | Self::CertificateMissing)
    }
}

/// One provider's refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub fault: Fault,
    /// The provider that refused; empty when it was none in particular.
    pub provider: Arc<str>,
    /// Where the credential was, or would be.
    pub place: Place,
    /// What was seen: key ids, algorithms, issuers, cut to 64 characters; never the credential.
    pub seen: Box<str>,
}

impl Refusal {
    /// A refusal without an excerpt.
    pub fn new(fault: Fault, provider: &Arc<str>, place: Place) -> Self {
        Self { fault, provider: Arc::clone(provider), place, seen: Box::default() }
    }

    /// Adds what was seen. It is cut and its control characters are replaced; it must not be a secret.
    #[must_use]
    pub fn seen(mut self, name: &str, value: &str) -> Self {
        self.seen = format!("{name} `{}`", excerpt(value)).into();
        self
    }

    /// What the client is told.
    pub const fn denial(&self) -> Denial {
        self.fault.facts().3
    }

    /// What the operator is told.
    pub fn reason(self) -> Reason {
        let (rule, severity, message, _) = self.fault.facts();
        let message = match &*self.provider {
            "" => Cow::Borrowed(message),
            provider => Cow::Owned(format!("{message} (provider `{provider}`)")),
        };
        Reason::new(RuleId::new(rule), severity, message).at(self.place, self.seen)
    }
}

/// The beginning of a text, safe to print.
pub fn excerpt(text: &str) -> String {
    let mut short: String = text
        .chars()
        .take(EXCERPT_CHARS_MAX)
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if text.chars().nth(EXCERPT_CHARS_MAX).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_and_cleans_excerpts() {
        assert_eq!(excerpt("a\r\nb"), "a\u{fffd}\u{fffd}b");
        assert_eq!(excerpt(&"x".repeat(100)).chars().count(), 65);
        assert_eq!(excerpt(&"é".repeat(64)), "é".repeat(64));
    }

    #[test]
    fn reasons_name_the_provider_and_the_place() {
        let refusal =
            Refusal::new(Fault::SigningKeyUnknown, &"staff".into(), Place::Header("authorization".into()))
                .seen("kid", "k\u{7}1");
        assert_eq!(refusal.denial(), Denial::Unauthenticated);
        let reason = refusal.reason();
        assert_eq!(reason.rule.as_str(), "auth/key_unknown");
        assert_eq!(reason.message, "no signing key fits the token's key id (provider `staff`)");
        assert_eq!(&*reason.evidence[0].seen, "kid `k\u{fffd}1`");
    }
}
