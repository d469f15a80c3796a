//! The provider's process, and its token endpoint.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use portcullis_e2e::Caller;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// `shop-frontend` and its secret, as `provider.mjs` knows them (RFC 6749 §2.3.1).
const CLIENT: &str = "Basic c2hvcC1mcm9udGVuZDphLXNlY3JldC1vZi10aGUtdGVzdHMtb25seS0wMTIzNDU2Nzg5";

/// How a provider issues tokens.
pub(crate) struct Issuing {
    /// The port; any free one for 0.
    pub(crate) port: u16,
    /// The signature algorithm.
    pub(crate) algorithm: &'static str,
    /// The id of its only key.
    pub(crate) kid: &'static str,
    /// How long tokens live.
    pub(crate) ttl_secs: u32,
}

impl Default for Issuing {
    fn default() -> Self {
        Self { port: 0, algorithm: "ES256", kid: "first", ttl_secs: 300 }
    }
}

/// A running provider. Killed when dropped.
pub(crate) struct Provider {
    /// Its issuer.
    pub(crate) issuer: String,
    process: Child,
}

impl Provider {
    /// Starts one; `None`, said visibly, where npm's `oidc-provider` is not installed.
    pub(crate) async fn start(issuing: &Issuing) -> Option<Self> {
        let npm = npm()?;
        let settings = json!({
            "port": issuing.port, "alg": issuing.algorithm, "kid": issuing.kid, "ttl": issuing.ttl_secs,
        });
        let mut process = Command::new("node")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oidc/provider.mjs"))
            .arg(settings.to_string())
            .env("PORTCULLIS_NPM", npm)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .expect("node can be started");
        let mut lines = BufReader::new(process.stdout.take().expect("an output")).lines();
        while let Some(line) = lines.next_line().await.expect("lines") {
            if let Some(issuer) = line.strip_prefix("READY ") {
                let issuer = issuer.to_owned();
                // Read to the end, so that the provider never waits for a reader.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Some(Self { issuer, process });
            }
        }
        panic!("the provider ended before it was ready: {:?}", process.wait().await);
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.issuer.rsplit(':').next().and_then(|port| port.parse().ok()).expect("an issuer has a port")
    }

    /// A token by client credentials (RFC 6749 §4.4) for a resource (RFC 8707).
    pub(crate) async fn token(&self, resource: &str, scope: &str) -> String {
        let address = self.issuer.trim_start_matches("http://").parse().expect("an address");
        let form = format!("grant_type=client_credentials&resource={resource}&scope={scope}");
        let headers = [("authorization", CLIENT), ("content-type", "application/x-www-form-urlencoded")];
        let answer = Caller::of(address).call(http::Method::POST, "/token", &headers, form).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer: Value = answer.json();
        answer["access_token"].as_str().expect("a token").to_owned()
    }

    /// Ends it and waits until its port is free.
    pub(crate) async fn end(mut self) {
        self.process.kill().await.expect("it can be ended");
    }
}

/// The folder with `node_modules`: `PORTCULLIS_NPM`, or the one that `cargo xtask test` fills.
fn npm() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    let folder = std::env::var_os("PORTCULLIS_NPM").map_or_else(|| target.join("tools/npm"), PathBuf::from);
    if folder.join("node_modules/oidc-provider").is_dir() {
        return Some(folder);
    }
    eprintln!(
        "skipped: no npm `oidc-provider` below {} (run `cargo xtask test`, or set PORTCULLIS_NPM)",
        folder.display()
    );
    None
}
