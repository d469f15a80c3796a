//! TLS towards servers.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};
use tokio_rustls::TlsConnector;

use super::{
    failure::UpstreamError,
    settings::{Roots, Scheme, UpstreamSettings, UpstreamTls, Verify},
};

/// One connector for each list of protocols that can be offered (RFC 7301).
#[derive(Clone)]
pub(super) struct Connectors {
    both: TlsConnector,
    h1: TlsConnector,
    h2: TlsConnector,
}

/// The protocols offered by ALPN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    /// HTTP/2 first, HTTP/1.1 else.
    Both,
    /// HTTP/1.1 alone.
    H1,
    /// HTTP/2 alone.
    H2,
}

impl Connectors {
    /// `None` when no server wants TLS.
    ///
    /// # Errors
    ///
    /// When roots, certificate or key cannot be used.
    pub(super) fn new(settings: &UpstreamSettings) -> Result<Option<Self>, UpstreamError> {
        if settings.servers.iter().all(|server| server.scheme == Scheme::Http) {
            return Ok(None);
        }
        if settings.tls.verify == Verify::Nothing {
            tracing::warn!(
                upstream = &*settings.name,
                "server certificates are NOT verified: anybody between the gate and this upstream can read and change every call"
            );
        }
        let base = client_config(&settings.tls).map_err(|(problem, source)| UpstreamError::Tls {
            upstream: Arc::clone(&settings.name),
            problem,
            source,
        })?;
        let offering = |protocols: &[&[u8]]| {
            let mut config = base.clone();
            config.alpn_protocols = protocols.iter().map(|it| it.to_vec()).collect();
            // A session taken up again keeps its protocol, so each list has its own memory of sessions.
            config.resumption = rustls::client::Resumption::in_memory_sessions(64);
            TlsConnector::from(Arc::new(config))
        };
        Ok(Some(Self {
            both: offering(&[b"h2", b"http/1.1"]),
            h1: offering(&[b"http/1.1"]),
            h2: offering(&[b"h2"]),
        }))
    }

    pub(super) const fn offering(&self, offer: Offer) -> &TlsConnector {
        match offer {
            Offer::Both => &self.both,
            Offer::H1 => &self.h1,
            Offer::H2 => &self.h2,
        }
    }
}

type Problem = (&'static str, Option<Box<dyn std::error::Error + Send + Sync>>);

fn client_config(tls: &UpstreamTls) -> Result<ClientConfig, Problem> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| ("no usable TLS version", Some(error.into())))?;
    let builder = match tls.verify {
        Verify::Full => builder.with_root_certificates(roots(&tls.roots)?),
        Verify::Nothing => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AcceptsAnyone(provider)))
        }
    };
    let Some(identity) = &tls.client else { return Ok(builder.with_no_client_auth()) };
    let chain = certificates(&identity.chain_pem, "the client certificate is not PEM text")?;
    if chain.is_empty() {
        return Err(("the client certificate's file holds no certificate", None));
    }
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.reveal())
        .map_err(|error| ("the client certificate's key cannot be read", Some(error.into())))?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| ("the client certificate and its key cannot be used", Some(error.into())))
}

fn roots(roots: &Roots) -> Result<RootCertStore, Problem> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::WebPki => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Roots::Pem(pem) => {
            for certificate in certificates(pem, "the CA file is not PEM text")? {
                store
                    .add(certificate)
                    .map_err(|error| ("a certificate of the CA file cannot be used", Some(error.into())))?;
            }
            if store.is_empty() {
                return Err(("the CA file holds no certificate", None));
            }
        }
    }
    Ok(store)
}

fn certificates(pem: &[u8], problem: &'static str) -> Result<Vec<CertificateDer<'static>>, Problem> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| (problem, Some(error.into())))
}

/// Stands in for verification where the operator turned it off. The handshake's own signature is still checked,
/// so that the peer at least holds the key it shows.
#[derive(Debug)]
struct AcceptsAnyone(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptsAnyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
