//! One bounded GET: how signing keys, OpenID configurations and releases of rules are fetched. Never leaves HTTPS but
//! for loopback (CWE-918), and follows redirects only where it is told to.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail, ensure};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;

/// How much a fetch may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) bytes_max: usize,
    pub(crate) time_max: Duration,
    /// Redirects followed.
    pub(crate) redirects_max: usize,
    /// What is asked for.
    pub(crate) accept: &'static str,
}

impl Bounds {
    /// A key set of a hundred keys is under 100 KiB.
    const KEY_SET: Self = Self {
        bytes_max: 1024 * 1024,
        time_max: Duration::from_secs(5),
        redirects_max: 0,
        accept: "application/json",
    };
}

/// An answer, or where it is to be had.
enum Got {
    Body(Bytes),
    Elsewhere(String),
}

/// Fetches a key set or the like and returns the body of a 200.
pub(crate) async fn get(url: &str, tls: Arc<rustls::ClientConfig>) -> anyhow::Result<Bytes> {
    get_within(url, tls, &Bounds::KEY_SET).await
}

/// Fetches `url` within these bounds and returns the body of a 200.
pub(crate) async fn get_within(
    url: &str,
    tls: Arc<rustls::ClientConfig>,
    bounds: &Bounds,
) -> anyhow::Result<Bytes> {
    tokio::time::timeout(bounds.time_max, follow(url, tls, bounds))
        .await
        .with_context(|| format!("no answer from `{url}` within {} s", bounds.time_max.as_secs()))?
        .with_context(|| format!("cannot fetch `{url}`"))
}

async fn follow(url: &str, tls: Arc<rustls::ClientConfig>, bounds: &Bounds) -> anyhow::Result<Bytes> {
    let mut at = url.to_owned();
    for _ in 0..=bounds.redirects_max {
        match get_once(&at, Arc::clone(&tls), bounds).await? {
            Got::Body(body) => return Ok(body),
            Got::Elsewhere(target) => at = target,
        }
    }
    bail!("it is redirected more than {} times", bounds.redirects_max)
}

async fn get_once(url: &str, tls: Arc<rustls::ClientConfig>, bounds: &Bounds) -> anyhow::Result<Got> {
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
        exchange(TokioIo::new(stream), &uri, bounds).await
    } else {
        exchange(TokioIo::new(stream), &uri, bounds).await
    }
}

async fn exchange<S>(stream: S, uri: &http::Uri, bounds: &Bounds) -> anyhow::Result<Got>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
    let driver = tokio::spawn(connection);
    let request = http::Request::get(uri.path_and_query().map_or("/", |it| it.as_str()))
        .header(http::header::HOST, uri.authority().map_or("", |it| it.as_str()))
        .header(http::header::ACCEPT, bounds.accept)
        .header(http::header::USER_AGENT, concat!("portcullis/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    if response.status().is_redirection() && bounds.redirects_max > 0 {
        let target = response.headers().get(http::header::LOCATION).and_then(|it| it.to_str().ok());
        let target = target.context("it is redirected nowhere")?;
        driver.abort();
        return Ok(Got::Elsewhere(absolute(uri, target)));
    }
    ensure!(response.status() == http::StatusCode::OK, "the answer's status is {}", response.status());
    let mut body = response.into_body();
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            ensure!(
                bytes.len() + data.len() <= bounds.bytes_max,
                "the answer is over {} bytes",
                bounds.bytes_max
            );
            bytes.extend_from_slice(&data);
        }
    }
    driver.abort();
    Ok(Got::Body(bytes.freeze()))
}

/// A `Location` may leave scheme and authority out (RFC 9110 §10.2.2).
fn absolute(base: &http::Uri, target: &str) -> String {
    match (target.starts_with('/'), base.scheme_str(), base.authority()) {
        (true, Some(scheme), Some(authority)) => format!("{scheme}://{authority}{target}"),
        _ => target.to_owned(),
    }
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
