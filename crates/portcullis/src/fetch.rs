//! One bounded GET: how signing keys and OpenID configurations are fetched. Never follows a redirect, never
//! leaves HTTPS but for loopback (CWE-918), reads at most [`ANSWER_BYTES_MAX`].

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail, ensure};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;

/// A key set of a hundred keys is under 100 KiB.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
const TIMEOUT: Duration = Duration::from_secs(5);

/// Fetches `url` and returns the body of a 200.
pub(crate) async fn get(url: &str, tls: Arc<rustls::ClientConfig>) -> anyhow::Result<Bytes> {
    tokio::time::timeout(TIMEOUT, get_unbounded(url, tls))
        .await
        .with_context(|| format!("no answer from `{url}` within {} s", TIMEOUT.as_secs()))?
        .with_context(|| format!("cannot fetch `{url}`"))
}

async fn get_unbounded(url: &str, tls: Arc<rustls::ClientConfig>) -> anyhow::Result<Bytes> {
    let uri: http::Uri = url.parse().context("not a URL")?;
    let host =
        uri.host().context("the URL has no host")?.trim_start_matches('[').trim_end_matches(']').to_owned();
    let https = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => bail!("only http and https are fetched"),
    };
    let stream = TcpStream::connect((host.as_str(), uri.port_u16().unwrap_or(if https { 443 } else { 80 })))
        .await
        .context("cannot connect")?;
    ensure!(
        https || stream.peer_addr()?.ip().is_loopback(),
        "plain http is accepted for loopback only: use https"
    );
    if https {
        let name = ServerName::try_from(host).context("the host is not a valid server name")?;
        let stream =
            tokio_rustls::TlsConnector::from(tls).connect(name, stream).await.context("TLS failed")?;
        exchange(TokioIo::new(stream), &uri).await
    } else {
        exchange(TokioIo::new(stream), &uri).await
    }
}

async fn exchange<S>(stream: S, uri: &http::Uri) -> anyhow::Result<Bytes>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
    let driver = tokio::spawn(connection);
    let request = http::Request::get(uri.path_and_query().map_or("/", |it| it.as_str()))
        .header(http::header::HOST, uri.authority().map_or("", |it| it.as_str()))
        .header(http::header::ACCEPT, "application/json")
        .header(http::header::USER_AGENT, concat!("portcullis/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    ensure!(response.status() == http::StatusCode::OK, "the answer's status is {}", response.status());
    let mut body = response.into_body();
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            ensure!(
                bytes.len() + data.len() <= ANSWER_BYTES_MAX,
                "the answer is over {ANSWER_BYTES_MAX} bytes"
            );
            bytes.extend_from_slice(&data);
        }
    }
    driver.abort();
    Ok(bytes.freeze())
}

/// TLS towards identity providers: the public certificate authorities, and those in `extra_ca_pem`.
pub(crate) fn tls(extra_ca_pem: Option<&[u8]>) -> anyhow::Result<Arc<rustls::ClientConfig>> {
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(pem) = extra_ca_pem {
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.add(certificate.context("not a PEM certificate")?)?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
