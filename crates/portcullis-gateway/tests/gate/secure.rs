//! TLS: the local authority, server names, client certificates, files that change.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};

use portcullis_core::{
    chain::Phase,
    clock::{Clock as _, Timestamp},
    context::ClientCertificate,
    event::Outcome,
    verdict::{Denial, Verdict},
};
use portcullis_gateway::{
    plan::{ListenerPlan, Protocols},
    tls::{
        CertificateSource, CertificateStore, ClientCertificates, MinVersion, TlsError, TlsSettings,
        server_config,
    },
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{
    ClientConfig, NamedGroup, ProtocolVersion, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::support::*;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "test authority");
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Chain and key as PEM.
fn issue(authority: &Authority, names: &[&str], common_name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    (params.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
}

fn write(directory: &Path, name: &str, (chain, key): &(String, String)) -> CertificateSource {
    let (chain_path, key_path) =
        (directory.join(format!("{name}.pem")), directory.join(format!("{name}.key")));
    std::fs::write(&chain_path, chain).unwrap();
    std::fs::write(&key_path, key).unwrap();
    CertificateSource::Files { chain: chain_path, key: key_path }
}

fn now() -> Timestamp {
    SystemClock.now()
}

fn secured(
    store: &Arc<CertificateStore>,
    clients: ClientCertificates,
    mut plan: ListenerPlan,
) -> ListenerPlan {
    let settings = TlsSettings {
        certificates: Arc::clone(store),
        min_version: MinVersion::Tls13,
        protocols: Protocols::Both,
        clients,
    };
    plan.tls = Some(server_config(settings).unwrap());
    plan
}

struct Caller {
    roots: RootCertStore,
    identity: Option<(String, String)>,
    alpn: &'static [u8],
    versions: &'static [&'static rustls::SupportedProtocolVersion],
}

impl Caller {
    fn trusting(root: CertificateDer<'static>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(root).unwrap();
        Self { roots, identity: None, alpn: b"http/1.1", versions: rustls::ALL_VERSIONS }
    }

    async fn connect(&self, address: SocketAddr, name: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(self.versions)
            .unwrap()
            .with_root_certificates(self.roots.clone());
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(chain.as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
                )
                .unwrap(),
        };
        config.alpn_protocols = vec![self.alpn.to_vec()];
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// Asks for `/` of `host` over a session for `name`; the head of the answer.
    async fn ask(&self, address: SocketAddr, name: &str, host: &str) -> std::io::Result<String> {
        let mut stream = self.connect(address, name).await?;
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut text = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) => break,
                Ok(bytes) => text.extend_from_slice(&buffer[..bytes]),
                Err(error) if text.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(String::from_utf8(text).unwrap())
    }
}

#[tokio::test]
async fn a_local_authority_serves_this_machine() {
    let directory = tempfile::tempdir().unwrap();
    let source = CertificateSource::Local {
        directory: directory.path().join("tls"),
        names: vec!["gate.internal".into()],
    };
    let store = CertificateStore::load(vec![source.clone()], now()).unwrap();
    let behind = Behind::ok().await;
    let mut plan =
        secured(&store, ClientCertificates::Off, serving(vec![endpoint("GET /", &behind.upstream())]));
    plan.hsts = Some(http::HeaderValue::from_static("max-age=63072000"));
    let gate = gate(plan);
    let address = gate.gateway.addresses()["main"];
    let root = CertificateDer::from_pem_file(directory.path().join("tls/ca.pem")).unwrap();
    let caller = Caller::trusting(root.clone());
    for name in ["localhost", "gate.internal"] {
        let answer = caller.ask(address, name, name).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("strict-transport-security: max-age=63072000"), "{answer}");
    }
    assert!(caller.ask(address, "127.0.0.1", "127.0.0.1").await.unwrap().starts_with("HTTP/1.1 200"));
    assert!(caller.ask(address, "other.example", "other.example").await.is_err());
    let stream = caller.connect(address, "localhost").await.unwrap();
    assert_eq!(stream.get_ref().1.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    let group = stream.get_ref().1.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(group, NamedGroup::X25519MLKEM768);
    static OLD: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS12];
    let old = Caller { versions: OLD, ..Caller::trusting(root) };
    assert!(old.connect(address, "localhost").await.is_err());
    let event = gate.record.events(3).await.remove(0);
    assert!(event.tls);
    assert!(behind.asked()[0].contains("x-forwarded-proto: https"));

    // A second start finds the same authority.
    let before = std::fs::read(directory.path().join("tls/ca.pem")).unwrap();
    CertificateStore::load(vec![source], now()).unwrap();
    assert_eq!(std::fs::read(directory.path().join("tls/ca.pem")).unwrap(), before);
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(directory.path().join("tls/ca.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn certificates_follow_the_server_name() {
    let directory = tempfile::tempdir().unwrap();
    let authority = authority();
    let sources = vec![
        write(directory.path(), "a", &issue(&authority, &["a.example", "default.example"], "a")),
        write(directory.path(), "b", &issue(&authority, &["*.b.example"], "b")),
    ];
    let store = CertificateStore::load(sources, now()).unwrap();
    let behind = Behind::ok().await;
    let plan = secured(&store, ClientCertificates::Off, serving(vec![endpoint("GET /", &behind.upstream())]));
    let gate = gate(plan);
    let address = gate.gateway.addresses()["main"];
    let caller = Caller::trusting(authority.der().clone());
    for (name, served) in
        [("a.example", true), ("x.b.example", true), ("x.y.b.example", false), ("c.example", false)]
    {
        assert_eq!(caller.ask(address, name, name).await.is_ok(), served, "{name}");
    }
    gate.record.events(2).await;
    gate.record.clear();
    // Another host over the same session is misdirected.
    let answer = caller.ask(address, "a.example", "x.b.example").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");
    assert_eq!(gate.record.one().await.outcome, Outcome::Denied(Denial::Misdirected));
}

#[tokio::test]
async fn changed_files_are_taken_and_bad_ones_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let (old, new) = (authority(), authority());
    let source = write(directory.path(), "a", &issue(&old, &["a.example"], "a"));
    let store = CertificateStore::load(vec![source], now()).unwrap();
    let behind = Behind::ok().await;
    let plan = secured(&store, ClientCertificates::Off, serving(vec![endpoint("GET /", &behind.upstream())]));
    let gate = gate(plan);
    let address = gate.gateway.addresses()["main"];
    let ask = async |root: &Authority| {
        Caller::trusting(root.der().clone()).ask(address, "a.example", "a.example").await.is_ok()
    };
    assert!(ask(&old).await);
    let fresh = issue(&new, &["a.example"], "a");
    write(directory.path(), "a", &("rubbish".to_owned(), fresh.1.clone()));
    assert!(matches!(store.reload(now()), Err(TlsError::Content { .. })));
    write(directory.path(), "a", &(fresh.0.clone(), issue(&new, &["a.example"], "a").1));
    assert!(matches!(store.reload(now()), Err(TlsError::Key { .. })), "key of another certificate");
    assert!(ask(&old).await);
    write(directory.path(), "a", &fresh);
    store.reload(now()).unwrap();
    assert!(ask(&new).await && !ask(&old).await);
    assert_eq!(store.status()[0].names, [Box::from("a.example")]);
    assert_eq!(store.files().count(), 2);
}

#[tokio::test]
async fn client_certificates_become_identity() {
    let directory = tempfile::tempdir().unwrap();
    let (servers, clients) = (authority(), authority());
    let source = write(directory.path(), "a", &issue(&servers, &["a.example"], "a"));
    let store = CertificateStore::load(vec![source], now()).unwrap();
    let behind = Behind::ok().await;
    let roots: Arc<[u8]> = clients.pem().into_bytes().into();
    for (mode, anonymous_served) in [
        (ClientCertificates::Optional(Arc::clone(&roots)), true),
        (ClientCertificates::Required(roots), false),
    ] {
        let seen: Arc<Mutex<Vec<Option<ClientCertificate>>>> = Arc::default();
        let noted = Arc::clone(&seen);
        let endpoint = guarded(endpoint("GET /", &behind.upstream()), Phase::RequestHead, move |cx| {
            noted.lock().unwrap().push(cx.client.tls.as_ref().unwrap().client_certificate.clone());
            Verdict::Pass
        });
        let gate = gate(secured(&store, mode, serving(vec![endpoint])));
        let address = gate.gateway.addresses()["main"];
        let mut caller = Caller::trusting(servers.der().clone());
        assert_eq!(caller.ask(address, "a.example", "a.example").await.is_ok(), anonymous_served);
        caller.identity = Some(issue(&clients, &["billing.example"], "billing"));
        assert!(caller.ask(address, "a.example", "a.example").await.unwrap().starts_with("HTTP/1.1 200"));
        let certificate = seen.lock().unwrap().pop().unwrap().unwrap();
        assert_eq!(certificate.common_name.as_deref(), Some("billing"));
        assert_eq!(certificate.san_dns, [Box::from("billing.example")]);
        caller.identity = Some(issue(&authority(), &["billing.example"], "billing"));
        assert!(caller.ask(address, "a.example", "a.example").await.is_err(), "a stranger's authority");
        // The client may know before the gate has counted.
        while gate.gateway.stats().handshakes_failed.now() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn http2_is_agreed_on_by_alpn() {
    let directory = tempfile::tempdir().unwrap();
    let authority = authority();
    let source = write(directory.path(), "a", &issue(&authority, &["a.example"], "a"));
    let store = CertificateStore::load(vec![source], now()).unwrap();
    let behind = Behind::ok().await;
    let plan = secured(&store, ClientCertificates::Off, serving(vec![endpoint("GET /", &behind.upstream())]));
    let gate = gate(plan);
    let caller = Caller { alpn: b"h2", ..Caller::trusting(authority.der().clone()) };
    let stream = caller.connect(gate.gateway.addresses()["main"], "a.example").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) = hyper::client::conn::http2::handshake(
        hyper_util::rt::TokioExecutor::new(),
        hyper_util::rt::TokioIo::new(stream),
    )
    .await
    .unwrap();
    tokio::spawn(connection);
    for (uri, status) in [("https://a.example/", 200), ("https://b.example/", 421)] {
        let request = http::Request::get(uri).body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap();
        assert_eq!(sender.send_request(request).await.unwrap().status(), status, "{uri}");
    }
    assert!(behind.asked()[0].contains("host: a.example\r\n"), "{:?}", behind.asked());
}

#[test]
fn what_cannot_be_used_is_said() {
    assert!(matches!(CertificateStore::load(Vec::new(), now()), Err(TlsError::Nothing)));
    let missing = CertificateSource::Files { chain: "/nowhere/a.pem".into(), key: "/nowhere/a.key".into() };
    let error = CertificateStore::load(vec![missing], now()).unwrap_err();
    assert_eq!(error.to_string(), "cannot read or write `/nowhere/a.pem`");
    let directory = tempfile::tempdir().unwrap();
    let source = CertificateSource::Local { directory: directory.path().into(), names: Vec::new() };
    let store = CertificateStore::load(vec![source], now()).unwrap();
    let settings = |roots: &[u8]| TlsSettings {
        certificates: Arc::clone(&store),
        min_version: MinVersion::Tls12,
        protocols: Protocols::H1,
        clients: ClientCertificates::Required(roots.into()),
    };
    assert!(matches!(server_config(settings(b"")), Err(TlsError::ClientRoots(_))));
}
