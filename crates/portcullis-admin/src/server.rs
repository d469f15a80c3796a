//! Serving the interface over TCP and over the control socket.

use std::{
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use portcullis_core::secret::Secret;
use tokio::net::{TcpListener, UnixListener, UnixStream};

use crate::{control::Control, health, keys, metrics, reload, status, token};

/// What every resource may reach.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) control: Arc<dyn Control>,
    pub(crate) token: Option<Arc<Secret<String>>>,
}

/// The admin interface could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The TCP address cannot be bound.
    #[error("cannot listen on the admin address `{address}`")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Beyond loopback anyone could read metrics and reload.
    #[error("the admin address `{0}` is not loopback, so `admin.token` is required")]
    TokenRequired(SocketAddr),
    /// Another gate runs with this data directory.
    #[error("another gate answers on `{0}`: give each its own `data:` directory")]
    Occupied(PathBuf),
    /// The control socket cannot be made.
    #[error("cannot open the control socket `{path}`")]
    Socket {
        /// The socket's path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// A bound admin interface, not yet serving.
pub struct Admin {
    tcp: Option<TcpListener>,
    socket: UnixListener,
    token: Option<Arc<Secret<String>>>,
}

impl Admin {
    /// Binds the TCP address (if any) and the control socket, the latter with mode 0600.
    ///
    /// # Errors
    /// When an address is taken, when another gate answers on the socket, or when a public address has no token.
    pub async fn bind(
        address: Option<SocketAddr>,
        token: Option<Secret<String>>,
        socket: &Path,
    ) -> Result<Self, AdminError> {
        let tcp = match address {
            Some(address) if !address.ip().is_loopback() && token.is_none() => {
                return Err(AdminError::TokenRequired(address));
            }
            Some(address) => Some(
                TcpListener::bind(address).await.map_err(|source| AdminError::Bind { address, source })?,
            ),
            None => None,
        };
        // A socket that nobody answers on is a leftover of a process that was killed.
        if UnixStream::connect(socket).await.is_ok() {
            return Err(AdminError::Occupied(socket.to_owned()));
        }
        let failed = |source| AdminError::Socket { path: socket.to_owned(), source };
        match std::fs::remove_file(socket) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            Ok(()) | Err(_) => (),
        }
        let listener = UnixListener::bind(socket).map_err(failed)?;
        std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self { tcp, socket: listener, token: token.map(Arc::new) })
    }

    /// The TCP address, as bound.
    pub fn address(&self) -> Option<SocketAddr> {
        self.tcp.as_ref().and_then(|it| it.local_addr().ok())
    }

    /// Serves until the future is dropped. The socket asks for no token: its file mode is the credential.
    pub async fn serve(self, control: Arc<dyn Control>) {
        let over_socket =
            axum::serve(self.socket, routes(Shared { control: Arc::clone(&control), token: None }));
        let over_tcp = async {
            match self.tcp {
                Some(tcp) => {
                    let shared = Shared { control, token: self.token };
                    let guarded = middleware::from_fn_with_state(shared.clone(), same_site_only);
                    axum::serve(tcp, routes(shared).layer(guarded)).await
                }
                None => std::future::pending().await,
            }
        };
        let ended = tokio::join!(over_socket.into_future(), over_tcp);
        tracing::error!(?ended, "the admin interface ended");
    }
}

fn routes(shared: Shared) -> Router {
    Router::new()
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::text))
        .route("/v1/status", get(status::show))
        .route("/v1/reload", post(reload::now))
        .route("/v1/keys/refresh", post(keys::refresh))
        .layer(middleware::from_fn_with_state(shared.clone(), token::required))
        .layer(middleware::from_fn_with_state(shared.clone(), no_store))
        .with_state(shared)
}

async fn no_store(State(_): State<Shared>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

/// A browser on the same machine must not be made to talk to the admin listener: a page elsewhere can neither
/// set its own `Host` (DNS rebinding) nor drop `Origin` from a cross-site POST (CWE-350, CWE-352).
async fn same_site_only(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    let literal = name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>().is_ok();
    // Only a token that is then compared speaks for its sender: any page can send some.
    let has_token = shared.token.is_some() && headers.contains_key(header::AUTHORIZATION);
    if headers.contains_key(header::ORIGIN) || !(literal || name == "localhost" || has_token) {
        return (StatusCode::FORBIDDEN, "the admin interface is not for browsers\n").into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests;
