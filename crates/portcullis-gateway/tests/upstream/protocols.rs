//! Upgrades, HTTP/2 and TLS towards servers.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use portcullis_core::{event::UpstreamFault, secret::Secret};
use portcullis_gateway::upstream::{
    BoxError, CallOptions, ClientIdentity, OutBody, Roots, Scheme, UpstreamProtocol, UpstreamSettings, Verify,
};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::{RootCertStore, ServerConfig, pki_types::PrivateKeyDer, server::WebPkiClientVerifier};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::stage::{OK, build, get, get_text, read_request, request, serve, settings, text};

#[tokio::test]
async fn an_upgraded_connection_is_handed_over_and_still_counted() {
    let address = serve(|_, mut stream| async move {
        let request = read_request(&mut stream).await.expect("a request");
        assert!(request.contains("upgrade: chat\r\n"), "{request}");
        stream
            .write_all(
                b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\nhello",
            )
            .await
            .expect("an open connection");
        let mut word = [0; 4];
        stream.read_exact(&mut word).await.expect("a word");
        stream.write_all(&word).await.expect("an open connection");
    })
    .await;
    let upstream = build(settings(&[address]));
    let mut head = request(Method::GET, "/chat");
    head.headers.insert("connection", HeaderValue::from_static("upgrade"));
    head.headers.insert("upgrade", HeaderValue::from_static("chat"));
    let answer = upstream.call(head, OutBody::Empty, &CallOptions::default()).await.expect("an answer");
    assert_eq!(answer.response.status(), 101);
    let mut chat = answer.response.into_body().into_upgraded().expect("an upgrade");
    chat.write_all(b"ping").await.expect("an open connection");
    let mut heard = [0; 9];
    chat.read_exact(&mut heard).await.expect("an answer");
    assert_eq!(&heard, b"helloping");
    assert_eq!(upstream.status()[0].connections, 1);
    drop(chat);
    assert_eq!(upstream.status()[0].connections, 0);
}

/// Sends back the request body, with the authority and the request's trailers as trailers.
async fn echo_h2(request: Request<Incoming>) -> Result<Response<Echo>, Infallible> {
    let authority = request.uri().authority().expect("an authority").to_string();
    let path = request.uri().path().to_owned();
    let mut body = request.into_body();
    let (mut data, mut trailers) = (Vec::new(), HeaderMap::new());
    while let Some(Ok(frame)) = body.frame().await {
        match frame.into_data() {
            Ok(bytes) => data.extend_from_slice(&bytes),
            Err(frame) => trailers = frame.into_trailers().expect("data or trailers"),
        }
    }
    trailers.insert("x-authority", authority.parse().expect("a value"));
    trailers.insert("x-path", path.parse().expect("a value"));
    Ok(Response::new(Echo { data: Some(data.into()), trailers: Some(trailers) }))
}

struct Echo {
    data: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

impl Body for Echo {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match self.data.take() {
            Some(data) => Some(Frame::data(data)),
            None => self.trailers.take().map(Frame::trailers),
        };
        std::task::Poll::Ready(frame.map(Ok))
    }
}

async fn speak_h2(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
    let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(io), service_fn(echo_h2))
        .await;
}

#[tokio::test]
async fn cleartext_h2_shares_one_connection_and_passes_trailers_both_ways() {
    let address = serve(|_, stream| speak_h2(stream)).await;
    let mut settings = settings(&[address]);
    settings.protocol = UpstreamProtocol::H2;
    let upstream = build(settings);
    let calls: Vec<_> = (0..30)
        .map(|_| {
            let upstream = Arc::clone(&upstream);
            tokio::spawn(async move {
                let mut trailers = HeaderMap::new();
                trailers.insert("grpc-status", HeaderValue::from_static("0"));
                let body = Echo { data: Some(Bytes::from_static(b"hello")), trailers: Some(trailers) };
                let mut head = request(Method::POST, "/svc/Do");
                head.headers.insert("host", HeaderValue::from_static("grpc.example.com"));
                let body = OutBody::Stream(Box::pin(body));
                let answer = upstream.call(head, body, &CallOptions::default()).await.expect("an answer");
                text(answer.response.into_body()).await.expect("a whole body")
            })
        })
        .collect();
    for call in calls {
        let (body, trailers) = call.await.expect("no panic");
        assert_eq!(body, "hello");
        assert_eq!(trailers["grpc-status"], "0");
        assert_eq!(trailers["x-authority"], "grpc.example.com");
        assert_eq!(trailers["x-path"], "/svc/Do");
    }
    assert_eq!(upstream.status()[0].connections, 1);
}

#[tokio::test]
async fn an_upgrade_towards_h2_alone_is_refused() {
    let address = serve(|_, stream| speak_h2(stream)).await;
    let mut settings = settings(&[address]);
    settings.protocol = UpstreamProtocol::H2;
    let mut head = request(Method::GET, "/chat");
    head.headers.insert("upgrade", HeaderValue::from_static("chat"));
    let failure = build(settings)
        .call(head, OutBody::Empty, &CallOptions::default())
        .await
        .expect_err("no upgrades over HTTP/2");
    assert!(failure.detail.contains("upgrade"), "{failure}");
}

/// A certificate authority with one server and one client certificate.
struct Authority {
    ca_pem: String,
    server: (String, KeyPair),
    client: (String, KeyPair),
}

impl Authority {
    fn new() -> Self {
        let ca_key = KeyPair::generate().expect("a key");
        let mut ca = CertificateParams::new(Vec::new()).expect("names");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_pem = ca.self_signed(&ca_key).expect("a certificate").pem();
        let issuer = Issuer::new(ca, ca_key);
        let leaf = |name: &str, usage| {
            let key = KeyPair::generate().expect("a key");
            let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
            params.extended_key_usages = vec![usage];
            (params.signed_by(&key, &issuer).expect("a certificate").pem(), key)
        };
        Self {
            ca_pem,
            server: leaf("pay.internal", ExtendedKeyUsagePurpose::ServerAuth),
            client: leaf("gate.internal", ExtendedKeyUsagePurpose::ClientAuth),
        }
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        for certificate in pem(&self.ca_pem) {
            roots.add(certificate).expect("a certificate");
        }
        roots
    }

    fn acceptor(&self, wants_client: WantsClient, protocols: &[&[u8]]) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("versions");
        let builder = match wants_client {
            WantsClient::No => builder.with_no_client_auth(),
            WantsClient::Yes => builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(Arc::new(self.roots()), provider)
                    .build()
                    .expect("a verifier"),
            ),
        };
        let key = PrivateKeyDer::try_from(self.server.1.serialize_der()).expect("a key");
        let mut config = builder.with_single_cert(pem(&self.server.0), key).expect("a certificate");
        config.alpn_protocols = protocols.iter().map(|it| it.to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }

    fn identity(&self) -> ClientIdentity {
        ClientIdentity {
            chain_pem: self.client.0.as_bytes().into(),
            key_pem: Secret::new(self.client.1.serialize_pem().into_bytes()),
        }
    }
}

enum WantsClient {
    Yes,
    No,
}

fn pem(text: &str) -> Vec<rustls::pki_types::CertificateDer<'static>> {
    use rustls::pki_types::pem::PemObject;
    rustls::pki_types::CertificateDer::pem_slice_iter(text.as_bytes()).map(|it| it.expect("PEM")).collect()
}

fn over_tls(address: SocketAddr, roots: &str) -> UpstreamSettings {
    let mut settings = settings(&[address]);
    settings.servers[0].scheme = Scheme::Https;
    settings.tls.server_name = Some("pay.internal".into());
    settings.tls.roots = Roots::Pem(roots.as_bytes().into());
    settings
}

async fn serve_tls(acceptor: TlsAcceptor) -> SocketAddr {
    serve(move |_, stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                return speak_h2(stream).await;
            }
            while read_request(&mut stream).await.is_some() {
                if stream.write_all(OK.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_private_authority_vouches_for_a_server() {
    let authority = Authority::new();
    let address = serve_tls(authority.acceptor(WantsClient::No, &[])).await;
    let upstream = build(over_tls(address, &authority.ca_pem));
    assert_eq!(get_text(&upstream, "/").await, "ok");
    assert_eq!(get_text(&upstream, "/").await, "ok");
    assert_eq!(upstream.status()[0].connections, 1);
}

#[tokio::test]
async fn a_stranger_or_a_wrong_name_is_a_tls_fault() {
    let authority = Authority::new();
    let address = serve_tls(authority.acceptor(WantsClient::No, &[])).await;
    let mut web = over_tls(address, &authority.ca_pem);
    web.tls.roots = Roots::WebPki;
    let other = over_tls(address, &Authority::new().ca_pem);
    let mut misnamed = over_tls(address, &authority.ca_pem);
    misnamed.tls.server_name = Some("other.internal".into());
    for settings in [web, other, misnamed] {
        let failure = get(&build(settings), "/").await.expect_err("not trusted");
        assert_eq!(failure.fault, UpstreamFault::Tls, "{failure}");
    }
}

#[tokio::test]
async fn verification_can_be_turned_off_by_explicit_word() {
    let address = serve_tls(Authority::new().acceptor(WantsClient::No, &[])).await;
    let mut settings = over_tls(address, "");
    settings.tls.roots = Roots::WebPki;
    settings.tls.verify = Verify::Nothing;
    assert_eq!(get_text(&build(settings), "/").await, "ok");
}

#[tokio::test]
async fn shows_its_certificate_to_a_server_that_asks() {
    let authority = Authority::new();
    let address = serve_tls(authority.acceptor(WantsClient::Yes, &[])).await;
    let mut settings = over_tls(address, &authority.ca_pem);
    assert!(get(&build(settings.clone()), "/").await.is_err(), "nothing to show");
    settings.tls.client = Some(authority.identity());
    assert_eq!(get_text(&build(settings), "/").await, "ok");
}

#[tokio::test]
async fn negotiates_h2_where_the_server_speaks_it() {
    let authority = Authority::new();
    for (protocols, wanted, spoken) in [
        (&[b"h2".as_slice(), b"http/1.1"] as &[&[u8]], UpstreamProtocol::Auto, http::Version::HTTP_2),
        (&[b"http/1.1"], UpstreamProtocol::Auto, http::Version::HTTP_11),
        (&[b"h2", b"http/1.1"], UpstreamProtocol::H1, http::Version::HTTP_11),
        (&[b"h2"], UpstreamProtocol::H2, http::Version::HTTP_2),
    ] {
        let address = serve_tls(authority.acceptor(WantsClient::No, protocols)).await;
        let mut settings = over_tls(address, &authority.ca_pem);
        settings.protocol = wanted;
        let upstream = build(settings);
        for _ in 0..2 {
            let answer = get(&upstream, "/").await.expect("an answer");
            assert_eq!(answer.response.version(), spoken);
            text(answer.response.into_body()).await.expect("a whole body");
        }
        assert_eq!(upstream.status()[0].connections, 1);
    }
}

#[tokio::test]
async fn a_server_without_h2_is_a_fault_where_h2_is_asked_for() {
    let authority = Authority::new();
    let address = serve_tls(authority.acceptor(WantsClient::No, &[])).await;
    let mut settings = over_tls(address, &authority.ca_pem);
    settings.protocol = UpstreamProtocol::H2;
    let failure = get(&build(settings), "/").await.expect_err("no HTTP/2");
    assert_eq!(failure.fault, UpstreamFault::Tls, "{failure}");
}

#[tokio::test]
async fn unusable_certificates_are_refused_at_load() {
    let address = SocketAddr::from(([127, 0, 0, 1], 1));
    let settings = over_tls(address, "no certificates here");
    let error =
        portcullis_gateway::upstream::Upstream::new(settings, 1, &crate::stage::Seed).expect_err("refused");
    assert!(error.to_string().contains("CA file"), "{error}");
}
