//! TLS at the gate: 1.3 alone unless said otherwise, the local authority, and HTTP/2 by agreement.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use std::{net::SocketAddr, process::Command, sync::Arc};

use portcullis_e2e::{Gate, SHOP, SecureCaller, Upstream};
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::net::TcpStream;

async fn gate(upstream: &Upstream, listener: &str) -> Gate {
    let config = format!(
        "
admin: {{ address: 127.0.0.1:0 }}
listeners: {{ main: {{ address: 127.0.0.1:0, {listener} }} }}
apis:
  shop: {{ spec: shop.yaml, upstream: \"{}\", auth: anonymous }}
",
        upstream.url()
    );
    Gate::new(&config).file("shop.yaml", SHOP).start().await
}

/// What `curl` says: exit code and the version of HTTP with the status.
fn curl(gate: &Gate, more: &[&str]) -> (i32, String) {
    let url = format!("https://localhost:{}/orders", gate.address().port());
    let output = Command::new("curl")
        .args(["-sS", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", "--max-time", "10"])
        .args(more)
        .arg(url)
        .output()
        .expect("curl can be started");
    (output.status.code().unwrap_or(-1), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_local_authority_vouches_for_this_machine() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "tls: auto").await;
    let authority = gate.data().join("tls/ca.pem");
    let authority_path = authority.to_str().unwrap();
    assert_eq!(curl(&gate, &["--cacert", authority_path]), (0, "2 200".to_owned()));
    assert_eq!(
        curl(&gate, &["--cacert", authority_path, "--http1.1", "--tlsv1.3"]),
        (0, "1.1 200".to_owned())
    );
    assert_eq!(curl(&gate, &[]).0, 60, "nobody else trusts it");
    let pem = std::fs::read_to_string(&authority).unwrap();
    let answer = SecureCaller::new(gate.address(), &pem, None).get("/orders", &[]).await.unwrap();
    assert_eq!(answer.status, 200);
    let events = gate.events(3).await;
    let protocols: Vec<_> = events.iter().map(|event| event["protocol"].as_str().unwrap()).collect();
    assert_eq!(protocols, ["h2", "http/1.1", "http/1.1"]);
    assert!(events.iter().all(|event| event["tls"] == true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_1_2_is_spoken_by_choice_alone() {
    let upstream = Upstream::agreeable().await;
    for (listener, old_works) in
        [("tls: auto", false), ("tls: { certificates: auto, min_version: \"1.2\" }", true)]
    {
        let gate = gate(&upstream, listener).await;
        let pem = std::fs::read_to_string(gate.data().join("tls/ca.pem")).unwrap();
        let old = handshake(gate.address(), &pem, &rustls::version::TLS12).await;
        assert_eq!(old, old_works.then_some(rustls::ProtocolVersion::TLSv1_2), "{listener}");
        let new = handshake(gate.address(), &pem, &rustls::version::TLS13).await;
        assert_eq!(new, Some(rustls::ProtocolVersion::TLSv1_3), "{listener}");
    }
}

#[tokio::test]
async fn clear_text_at_a_secure_port_is_not_served() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "tls: auto").await;
    let answer =
        portcullis_e2e::Caller::of(gate.address()).raw(b"GET /orders HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(!answer.contains("200"), "{answer}");
    assert!(upstream.seen().is_empty());
}

/// The version agreed on; `None` when the gate refuses.
async fn handshake(
    address: SocketAddr,
    authority: &str,
    version: &'static SupportedProtocolVersion,
) -> Option<rustls::ProtocolVersion> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()?;
    stream.get_ref().1.protocol_version()
}
