//! TLS towards clients: rustls on aws-lc-rs, 1.3 unless the configuration says otherwise.

use std::{io, sync::Arc};

use portcullis_core::context::TlsSession;
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

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
pub(crate) async fn accept(
    config: Arc<rustls::ServerConfig>,
    socket: TcpStream,
) -> io::Result<(TlsStream<TcpStream>, Session)> {
    let stream = TlsAcceptor::from(config).accept(socket).await?;
    let (_, connection) = stream.get_ref();
    let protocol = if connection.alpn_protocol() == Some(b"h2") { Agreed::H2 } else { Agreed::H1 };
    let facts = TlsSession {
        server_name: connection.server_name().map(|name| name.to_ascii_lowercase().into()),
        client_certificate: None,
    };
    Ok((stream, Session { protocol, facts }))
}
