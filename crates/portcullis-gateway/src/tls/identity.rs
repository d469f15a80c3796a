//! The fields of a verified client certificate (RFC 5280) that identity can be taken from.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use portcullis_core::{clock::Timestamp, context::ClientCertificate};
use rustls::pki_types::CertificateDer;
use x509_parser::{
    certificate::X509Certificate,
    extensions::GeneralName,
    objects::{oid_registry, oid2abbrev},
    prelude::FromDer as _,
    x509::{AttributeTypeAndValue, X509Name},
};

/// Reads a certificate; `None` when it is not one.
pub(super) fn read(der: &CertificateDer<'_>) -> Option<ClientCertificate> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let subject = certificate.subject();
    let mut read = ClientCertificate {
        fingerprint: hex(digest::digest(&digest::SHA256, der).as_ref()).into(),
        subject: rfc4514(subject).into(),
        common_name: text(subject.iter_common_name().next()),
        organisation: text(subject.iter_organization().next()),
        not_after: Timestamp::from_secs(
            u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or(0),
        ),
        ..ClientCertificate::default()
    };
    let names = certificate.subject_alternative_name().ok()?;
    for name in names.iter().flat_map(|extension| &extension.value.general_names) {
        match name {
            GeneralName::URI(uri) => read.san_uris.push((*uri).into()),
            GeneralName::DNSName(name) => read.san_dns.push(name.to_ascii_lowercase().into()),
            GeneralName::RFC822Name(mail) => read.san_emails.push((*mail).into()),
            GeneralName::OtherName(..)
            | GeneralName::X400Address(_)
            | GeneralName::DirectoryName(_)
            | GeneralName::EDIPartyName(_)
            | GeneralName::IPAddress(_)
            | GeneralName::RegisteredID(..)
            | GeneralName::Invalid(..) => {}
        }
    }
    Some(read)
}

/// The DNS names a certificate stands for, lower case, and the end of its validity.
pub(super) fn names(der: &CertificateDer<'_>) -> Option<(Vec<Box<str>>, Timestamp)> {
    read(der).map(|certificate| (certificate.san_dns, certificate.not_after))
}

fn text(attribute: Option<&AttributeTypeAndValue<'_>>) -> Option<Box<str>> {
    attribute?.as_str().ok().map(Box::from)
}

/// The name as RFC 4514 text: last part first, special characters escaped.
fn rfc4514(name: &X509Name<'_>) -> String {
    let parts: Vec<_> = name.iter_rdn().collect();
    let mut out = String::new();
    for part in parts.into_iter().rev() {
        if !out.is_empty() {
            out.push(',');
        }
        for (index, attribute) in part.iter().enumerate() {
            if index > 0 {
                out.push('+');
            }
            match oid2abbrev(attribute.attr_type(), oid_registry()) {
                Ok(abbreviation) => out.push_str(abbreviation),
                Err(_) => out.push_str(&attribute.attr_type().to_id_string()),
            }
            out.push('=');
            match attribute.as_str() {
                Ok(value) => push_escaped(&mut out, value),
                Err(_) => {
                    out.push('#');
                    out.push_str(&hex(attribute.as_slice()));
                }
            }
        }
    }
    out
}

fn push_escaped(out: &mut String, value: &str) {
    let last = value.chars().count().saturating_sub(1);
    for (index, character) in value.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            '#' if index == 0 => out.push_str("\\#"),
            ' ' if index == 0 || index == last => out.push_str("\\ "),
            '\0' => out.push_str("\\00"),
            _ => out.push(character),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    #[test]
    fn reads_what_identity_needs() {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["Client.Example".to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CountryName, "DE");
        params.distinguished_name.push(DnType::OrganizationName, "Acme, Inc.");
        params.distinguished_name.push(DnType::CommonName, "#billing ");
        params.subject_alt_names.push(SanType::URI("spiffe://acme/billing".try_into().unwrap()));
        params.subject_alt_names.push(SanType::Rfc822Name("a@acme.example".try_into().unwrap()));
        params.not_after = rcgen::date_time_ymd(2030, 1, 1);
        let certificate = params.self_signed(&key).unwrap();
        let read = read(certificate.der()).unwrap();
        assert_eq!(&*read.subject, r"CN=\#billing\ ,O=Acme\, Inc.,C=DE");
        assert_eq!(read.common_name.as_deref(), Some("#billing "));
        assert_eq!(read.organisation.as_deref(), Some("Acme, Inc."));
        assert_eq!(read.san_dns, [Box::from("client.example")]);
        assert_eq!(read.san_uris, [Box::from("spiffe://acme/billing")]);
        assert_eq!(read.san_emails, [Box::from("a@acme.example")]);
        assert_eq!(read.not_after, Timestamp::from_secs(1_893_456_000));
        assert_eq!(read.fingerprint.len(), 64);
    }

    #[test]
    fn refuses_what_is_no_certificate() {
        assert_eq!(read_bytes(b"rubbish"), None);
    }

    fn read_bytes(bytes: &'static [u8]) -> Option<ClientCertificate> {
        read(&CertificateDer::from(bytes))
    }
}
