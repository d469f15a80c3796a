//! The command line's end of the control socket.

use std::path::Path;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

/// A status page of a gate with many upstreams is some hundred KiB at most.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// No gate answers on the socket.
#[derive(Debug, thiserror::Error)]
#[error("no running gate answers on `{0}` (is it running, with this `data:` directory?)")]
pub(crate) struct NoGate(std::path::PathBuf);

/// Sends one request over the socket; the status and the whole body.
pub(crate) fn ask(
    socket: &Path,
    method: http::Method,
    path: &str,
) -> anyhow::Result<(http::StatusCode, Bytes)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let Ok(stream) = UnixStream::connect(socket).await else {
            bail!(NoGate(socket.to_owned()));
        };
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(connection);
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::HOST, "localhost")
            .body(Empty::<Bytes>::new())?;
        let response = sender.send_request(request).await.context("the gate closed the control socket")?;
        let status = response.status();
        #[expect(clippy::disallowed_methods, reason = "bounded by `Limited`")]
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        driver.abort();
        let body = body.map_err(|error| anyhow::anyhow!("the gate's answer could not be read: {error}"))?;
        Ok((status, body.to_bytes()))
    })
}
