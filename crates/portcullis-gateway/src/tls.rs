//! TLS towards clients: rustls on aws-lc-rs, X25519MLKEM768 first, 1.3 unless the configuration says otherwise.

mod authority;
mod identity;
mod store;

use std::{io, path::PathBuf, sync::Arc};

use portcullis_core::context::TlsSession;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, pem::PemObject as _},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

pub use self::store::{CertificateSource, CertificateStatus, CertificateStore};
use crate::plan::Protocols;

/// What a listener's TLS is built from.
pub struct TlsSettings {
    /// The certificates, shared over reloads so that their files can change without one.
    pub certificates: Arc<CertificateStore>,
    /// The oldest version spoken.
    pub min_version: MinVersion,
    /// The versions of HTTP offered by ALPN (RFC 7301).
    pub protocols: Protocols,
    /// Whether clients show certificates.
    pub clients: ClientCertificates,
}

/// The oldest version of TLS spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MinVersion {
    /// TLS 1.2 (RFC 5246) with forward secrecy and AEAD suites only.
    Tls12,
    /// TLS 1.3 (RFC 8446).
    #[default]
    Tls13,
}

/// Whether clients show certificates; the roots that may vouch for them as PEM text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificates {
    /// They are not asked.
    #[default]
    Off,
    /// They may; a bad one ends the handshake all the same.
    Optional(Arc<[u8]>),
    /// They must.
    Required(Arc<[u8]>),
}

/// Why TLS cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("cannot read or write `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file holds no certificate or key, or a broken one.
    #[error("`{}` holds no usable {what}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// Key and certificate do not belong together, or are of a kind not supported.
    #[error("the key `{}` cannot be used with its certificate", path.display())]
    Key {
        /// The key's file.
        path: PathBuf,
        /// The library's words.
        source: rustls::Error,
    },
    /// There is no certificate at all.
    #[error("no certificate is configured")]
    Nothing,
    /// The roots that vouch for clients cannot be used.
    #[error("the certificates that vouch for clients cannot be used: {0}")]
    ClientRoots(String),
    /// The local authority cannot issue.
    #[error("the local certificate authority cannot issue a certificate")]
    Authority(#[source] rcgen::Error),
    /// The library refuses the combination.
    #[error("tls cannot be set up")]
    Setup(#[source] rustls::Error),
}

/// The one provider of cryptography, with the post-quantum hybrid group preferred.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Builds what [`ListenerPlan::tls`](crate::plan::ListenerPlan::tls) holds. Sessions are resumed by tickets, whose
/// keys end with this value: after a reload that changed who may connect, nobody resumes under the old rules.
pub fn server_config(settings: TlsSettings) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = provider();
    let versions: &[&rustls::SupportedProtocolVersion] = match settings.min_version {
        MinVersion::Tls13 => &[&rustls::version::TLS13],
        MinVersion::Tls12 => &[&rustls::version::TLS13, &rustls::version::TLS12],
    };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(TlsError::Setup)?;
    let builder = match settings.clients {
        ClientCertificates::Off => builder.with_no_client_auth(),
        ClientCertificates::Optional(roots) => {
            builder.with_client_cert_verifier(verifier(&roots, &provider, Presence::Optional)?)
        }
        ClientCertificates::Required(roots) => {
            builder.with_client_cert_verifier(verifier(&roots, &provider, Presence::Required)?)
        }
    };
    let mut config = builder.with_cert_resolver(settings.certificates);
    config.alpn_protocols = match settings.protocols {
        Protocols::H1 => vec![b"http/1.1".to_vec()],
        Protocols::H2 => vec![b"h2".to_vec()],
        Protocols::Both => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
    };
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(TlsError::Setup)?;
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

enum Presence {
    Optional,
    Required,
}

fn verifier(
    roots_pem: &[u8],
    provider: &Arc<CryptoProvider>,
    presence: Presence,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let unusable = |text: String| TlsError::ClientRoots(text);
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(roots_pem) {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unusable("there is none".to_owned()));
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let builder = match presence {
        Presence::Optional => builder.allow_unauthenticated(),
        Presence::Required => builder,
    };
    builder.build().map_err(|error| unusable(error.to_string()))
}

/// The protocol agreed on by ALPN (RFC 7301).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agreed {
    H1,
    H2,
}

/// A TLS session.
pub(crate) struct Session {
    pub(crate) protocol: Agreed,
    pub(crate) facts: TlsSession,
}

/// Makes a connection secure.
///
/// # Errors
///
/// When the handshake fails, or when a verified client certificate cannot be read: identity would be wrong.
pub(crate) async fn accept(
    config: Arc<ServerConfig>,
    socket: TcpStream,
) -> io::Result<(TlsStream<TcpStream>, Session)> {
    let stream = TlsAcceptor::from(config).accept(socket).await?;
    let (_, connection) = stream.get_ref();
    let protocol = if connection.alpn_protocol() == Some(b"h2") { Agreed::H2 } else { Agreed::H1 };
    let client_certificate = match connection.peer_certificates().and_then(<[_]>::first) {
        None => None,
        Some(certificate) => Some(identity::read(certificate).ok_or(io::ErrorKind::InvalidData)?),
    };
    let facts = TlsSession {
        server_name: connection.server_name().map(|name| name.to_ascii_lowercase().into()),
        client_certificate,
    };
    Ok((stream, Session { protocol, facts }))
}
