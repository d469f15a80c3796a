//! Client certificates: TLS has verified the chain, here identity is taken from a field.

use std::sync::Arc;

use portcullis_core::{
    clock::Timestamp,
    context::ClientCertificate,
    principal::{Mechanism, Principal},
    verdict::Place,
};

use crate::{
    mechanisms::Attempt,
    presented::Presented,
    refusal::{Fault, Refusal},
};

/// A field of a certificate. Where a certificate can hold several, it must hold exactly one: which of two names
/// the certificate authority meant cannot be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateField {
    /// The subject as RFC 4514 text.
    Subject,
    /// The subject's common name.
    CommonName,
    /// The subject's organisation.
    Organisation,
    /// The URI in the subject alternative name, such as a SPIFFE id.
    SanUri,
    /// The DNS name in the subject alternative name.
    SanDns,
    /// The e-mail address in the subject alternative name.
    SanEmail,
    /// SHA-256 of the certificate, lower-case hexadecimal.
    Fingerprint,
}

impl CertificateField {
    /// The field of the word used in configuration: `subject`, `subject.CN`, `subject.O`, `san.uri`, `san.dns`,
    /// `san.email`, `fingerprint`.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "subject" => Self::Subject,
            "subject.CN" => Self::CommonName,
            "subject.O" => Self::Organisation,
            "san.uri" => Self::SanUri,
            "san.dns" => Self::SanDns,
            "san.email" => Self::SanEmail,
            "fingerprint" => Self::Fingerprint,
            _ => return None,
        })
    }

    fn read(self, certificate: &ClientCertificate) -> Option<&str> {
        let text = match self {
            Self::Subject => Some(&*certificate.subject),
            Self::CommonName => certificate.common_name.as_deref(),
            Self::Organisation => certificate.organisation.as_deref(),
            Self::SanUri => only(&certificate.san_uris),
            Self::SanDns => only(&certificate.san_dns),
            Self::SanEmail => only(&certificate.san_emails),
            Self::Fingerprint => Some(&*certificate.fingerprint),
        }?;
        (!text.is_empty() && !text.chars().any(char::is_control)).then_some(text)
    }
}

fn only(values: &[Box<str>]) -> Option<&str> {
    match values {
        [value] => Some(value),
        _ => None,
    }
}

/// What a provider of client certificates is told.
#[derive(Clone, Debug)]
pub struct MtlsSettings {
    /// The provider's name.
    pub name: Arc<str>,
    /// The field that names the caller.
    pub id: CertificateField,
    /// The field that names the caller's organisation.
    pub tenant: Option<CertificateField>,
    /// The only callers believed; empty for every holder of a certificate that TLS accepts.
    pub only: Vec<Box<str>>,
    /// Roles of every caller of this provider.
    pub roles: Vec<Arc<str>>,
    /// Scopes of every caller of this provider.
    pub scopes: Vec<Arc<str>>,
    /// The plan of every caller of this provider.
    pub plan: Option<Arc<str>>,
}

/// Believes holders of client certificates.
#[derive(Debug)]
pub struct MtlsProvider(MtlsSettings);

impl MtlsProvider {
    /// A provider with those settings.
    pub const fn new(settings: MtlsSettings) -> Self {
        Self(settings)
    }

    /// The provider's name.
    pub const fn name(&self) -> &Arc<str> {
        &self.0.name
    }

    /// Checks the certificate of the connection.
    pub fn check(&self, presented: &Presented<'_>, now: Timestamp) -> Attempt {
        let Some(certificate) = presented.certificate() else { return Attempt::Absent };
        match self.principal(certificate, now) {
            Ok(principal) => Attempt::Accepted(Arc::new(principal)),
            Err(fault) => Attempt::Refused(
                Refusal::new(fault, &self.0.name, Place::Connection).seen("subject", &certificate.subject),
            ),
        }
    }

    fn principal(&self, certificate: &ClientCertificate, now: Timestamp) -> Result<Principal, Fault> {
        // TLS checked the dates when the connection was made; connections live long.
        if certificate.not_after <= now {
            return Err(Fault::CertificateExpired);
        }
        let id = self.0.id.read(certificate).ok_or(Fault::CertificateFieldUnfit)?;
        if !self.0.only.is_empty() && !self.0.only.iter().any(|it| &**it == id) {
            return Err(Fault::CertificateNotListed);
        }
        let tenant = match self.0.tenant {
            None => None,
            Some(field) => Some(field.read(certificate).ok_or(Fault::CertificateFieldUnfit)?.into()),
        };
        Ok(Principal {
            id: id.into(),
            provider: Arc::clone(&self.0.name),
            mechanism: Mechanism::Mtls,
            credential: Some((&*certificate.fingerprint).into()),
            tenant,
            roles: self.0.roles.clone(),
            scopes: self.0.scopes.clone(),
            plan: self.0.plan.clone(),
            expires: Some(certificate.not_after),
        })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use portcullis_core::context::TlsSession;

    use super::*;

    fn certificate() -> ClientCertificate {
        ClientCertificate {
            fingerprint: "ab".repeat(32).into(),
            subject: "CN=billing,O=Acme".into(),
            common_name: Some("billing".into()),
            organisation: Some("Acme".into()),
            san_uris: vec!["spiffe://acme/billing".into()],
            san_dns: vec!["a.acme".into(), "b.acme".into()],
            san_emails: vec![],
            not_after: Timestamp::from_secs(2_000),
        }
    }

    fn check(id: &str, only: &[&str], now: u64) -> String {
        let provider = MtlsProvider::new(MtlsSettings {
            name: "partners".into(),
            id: CertificateField::parse(id).unwrap(),
            tenant: Some(CertificateField::Organisation),
            only: only.iter().map(|it| Box::from(*it)).collect(),
            roles: vec!["partner".into()],
            scopes: vec![],
            plan: None,
        });
        let tls = TlsSession { server_name: None, client_certificate: Some(certificate()) };
        let headers = HeaderMap::new();
        match provider.check(&Presented::new(&headers, Some(&tls)), Timestamp::from_secs(now)) {
            Attempt::Accepted(it) => format!("{} of {}", it.id, it.tenant.as_deref().unwrap_or("-")),
            Attempt::Refused(refusal) => refusal.fault.facts().0.to_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn takes_identity_from_the_configured_field() {
        for (id, only, now, expected) in [
            ("san.uri", &[][..], 1_000, "spiffe://acme/billing of Acme"),
            ("subject.CN", &[], 1_000, "billing of Acme"),
            ("subject", &[], 1_000, "CN=billing,O=Acme of Acme"),
            ("san.dns", &[], 1_000, "auth/certificate_field_unfit"),
            ("san.email", &[], 1_000, "auth/certificate_field_unfit"),
            ("subject.CN", &["billing"], 1_000, "billing of Acme"),
            ("subject.CN", &["other"], 1_000, "auth/certificate_not_listed"),
            ("subject.CN", &[], 2_000, "auth/certificate_expired"),
        ] {
            assert_eq!(check(id, only, now), expected, "{id} {only:?} {now}");
        }
    }

    #[test]
    fn is_absent_without_a_certificate() {
        let provider = MtlsProvider::new(MtlsSettings {
            name: "p".into(),
            id: CertificateField::Subject,
            tenant: None,
            only: vec![],
            roles: vec![],
            scopes: vec![],
            plan: None,
        });
        let headers = HeaderMap::new();
        let attempt = provider.check(&Presented::new(&headers, None), Timestamp::default());
        assert!(matches!(attempt, Attempt::Absent));
    }
}
