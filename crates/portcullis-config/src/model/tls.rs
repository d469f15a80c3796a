//! TLS at a listener.

use std::sync::Arc;

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::{
    codes,
    read::{Fields, Listed, Read, Reader, keys, words},
    units::{FilePath, HostPattern},
    yaml::{Node, Value},
};

/// TLS at a listener.
#[derive(Clone, Debug, PartialEq)]
pub enum Tls {
    /// Clear text.
    Off,
    /// TLS with these settings; `auto` alone means all defaults.
    On(TlsSettings),
}

keys! {
    /// How TLS is spoken.
    pub struct TlsSettings {
        /// `auto`: a certificate for this machine's local names from a private authority that is kept in the data
        /// directory; or a list of files. A public name needs ACME, which is not supported yet.
        certificates: Certificates = "auto";
        /// Further names for the automatic certificate.
        names: Vec<Arc<str>> = "[]";
        /// The oldest version spoken.
        min_version: TlsVersion = "1.3";
        /// Whether clients may or must present a certificate.
        client_certificates: ClientCertificates = "{}";
    }
}

/// Where certificates come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Certificates {
    /// From the local authority.
    Auto,
    /// From files that are watched. The first serves clients that name no known host.
    Files(Vec<CertificateFiles>),
}

keys! {
    /// One certificate with its key.
    pub struct CertificateFiles {
        /// The chain in PEM, the leaf first.
        certificate: FilePath => "file:/etc/portcullis/api.pem";
        /// The private key in PEM.
        key: FilePath => "file:/etc/portcullis/api.key";
        /// The names it is served for; those in the certificate when none are given.
        names: Vec<HostPattern> => "[api.example.com]";
    }
}

words! {
    /// Versions of TLS.
    pub enum TlsVersion {
        /// RFC 5246.
        Tls12 = "1.2",
        /// RFC 8446.
        Tls13 = "1.3",
    }
}

keys! {
    /// Certificates of clients (mTLS).
    pub struct ClientCertificates {
        /// Whether clients may or must present one.
        mode: ClientCertificateMode = "off";
        /// The authorities that sign them, in PEM.
        ca: Option<FilePath> => "file:/etc/portcullis/partners-ca.pem";
    }
    later &["crl"];
    check check_client_certificates;
}

words! {
    /// Whether clients present a certificate.
    pub enum ClientCertificateMode {
        /// They are not asked.
        Off = "off",
        /// They may.
        Optional = "optional",
        /// They must.
        Required = "required",
    }
}

fn check_client_certificates(it: &ClientCertificates, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    if it.mode != ClientCertificateMode::Off && it.ca.is_none() {
        let message = "client certificates need the authorities that sign them";
        reader.advise(&codes::MISSING_KEY, fields.place("mode"), message, "add `ca: file:/path`");
    }
}

impl Tls {
    /// The settings where TLS is on.
    pub fn on(&self) -> Option<&TlsSettings> {
        match self {
            Self::Off => None,
            Self::On(settings) => Some(settings),
        }
    }
}

impl Read for Tls {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Scalar(word) if word == "off" => Some(Self::Off),
            Value::Scalar(word) if word == "auto" => {
                let nothing = Node { span: node.span, value: Value::Null };
                TlsSettings::read(&nothing, reader).map(Self::On)
            }
            Value::Scalar(word) => {
                reader.note(&codes::BAD_WORD, node.span, format!("`{word}` is not one of `auto`, `off`"));
                None
            }
            Value::Null | Value::List(_) => reader.wrong_type(node, "`auto`, `off` or a mapping"),
            Value::Map(_) => TlsSettings::read(node, reader).map(Self::On),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "enum": ["auto", "off"] }, TlsSettings::schema(generator)] })
    }
}

impl Read for Certificates {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if node.scalar() == Some("auto") {
            return Some(Self::Auto);
        }
        if node.key("acme").is_some() {
            let hint = "give certificate files, or `auto` for the local authority";
            reader.advise(&codes::NOT_YET, node.span, "`acme` is not supported yet", hint);
            return None;
        }
        Listed::read(node, reader).map(|Listed(files)| Self::Files(files))
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "const": "auto" }, Listed::<CertificateFiles>::schema(generator)] })
    }
}
