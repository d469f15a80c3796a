//! A vulnerable service of our own, for proving a scanner: every weakness has a secure twin behind a switch, and
//! traps stand beside them where a hasty scanner cries wolf. For tests only; it is part of no release.
//!
//! It listens on loopback and calls out to loopback alone, keeps everything in memory, and is deterministic for one
//! seed and one order of calls (its clock apart).

mod app;
mod engines;
mod graphql;
mod grpc;
mod http;
mod identity;
mod rest;
mod soap;
mod state;
mod traps;
pub mod truth;
pub mod weakness;

use std::{io, net::SocketAddr, sync::Arc};

use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use self::app::App;
pub use self::weakness::{Weakness, Weaknesses};

/// How to start it.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Port for REST, GraphQL and SOAP; 0 takes a free one.
    pub port: u16,
    /// Port for gRPC; 0 takes a free one.
    pub grpc_port: u16,
    /// Same seed, same ids and tokens.
    pub seed: u64,
    /// What is switched on.
    pub weaknesses: Weaknesses,
    /// Addresses that even the secure twins fetch from: partners whom the operator allowed.
    pub partners: Vec<SocketAddr>,
}

/// A range that is up. Stops when it is dropped.
pub struct Running {
    address: SocketAddr,
    grpc_address: SocketAddr,
    app: Arc<App>,
    tasks: Vec<JoinHandle<()>>,
}

/// Binds and serves.
///
/// # Errors
/// The port is taken, or a built-in schema or key is unusable.
pub async fn start(options: Options) -> io::Result<Running> {
    let app = App::new(options.seed, options.weaknesses, options.partners, rest::routes());
    let app = Arc::new(app.map_err(io::Error::other)?);
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await?;
    let address = listener.local_addr()?;
    let document = http::openapi::document(&app.routes, &format!("http://{address}"));
    let _ = app.openapi.set(document);
    let grpc_listener = TcpListener::bind(("127.0.0.1", options.grpc_port)).await?;
    let grpc_address = grpc_listener.local_addr()?;
    let tasks = vec![
        tokio::spawn(http::serve::accept(listener, Arc::clone(&app))),
        tokio::spawn(grpc::accept(grpc_listener, Arc::clone(&app))),
    ];
    Ok(Running { address, grpc_address, app, tasks })
}

impl Running {
    /// Where REST, GraphQL and SOAP are served.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where gRPC is served, over HTTP/2 without TLS.
    #[must_use]
    pub const fn grpc_address(&self) -> SocketAddr {
        self.grpc_address
    }

    /// An absolute URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What a starter wants to know: addresses, and where the specifications are.
    #[must_use]
    pub fn announcement(&self) -> Value {
        json!({
            "http": self.url(""),
            "port": self.address.port(),
            "openapi": self.url("/openapi.json"),
            "graphql": self.url("/graphql"),
            "graphql_sdl": self.url("/graphql/schema.graphql"),
            "wsdl": self.url("/soap/warehouse?wsdl"),
            "grpc": format!("http://{}", self.grpc_address),
            "grpc_port": self.grpc_address.port(),
            "grpc_descriptors": self.url("/grpc/descriptors.bin"),
            "jwks": self.url("/.well-known/jwks.json"),
        })
    }

    /// Puts the range's clock forward, for what expires.
    pub fn advance(&self, secs: i64) {
        self.app.advance(secs);
    }

    /// The range's clock, in seconds since 1970.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.app.now()
    }

    /// Stops serving.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
