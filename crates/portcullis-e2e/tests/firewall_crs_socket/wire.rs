//! One request over a connection of its own, as the suite's client sends it: bytes out, one answer in.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// How long an answer is waited for. A request that breaks off gets none: the gate waits for the rest of it.
const PATIENCE: Duration = Duration::from_secs(1);

/// What came back.
#[derive(Debug, Default)]
pub struct Answer {
    /// The status; `None` where nothing came that is HTTP.
    pub status: Option<u16>,
    /// The body as it was sent, chunks and all.
    pub body: Vec<u8>,
}

impl Answer {
    /// The reference of a refusal of the gate itself (RFC 9457).
    pub fn reference(&self) -> Option<String> {
        let problem: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        problem["instance"].as_str()?.strip_prefix("urn:uuid:").map(str::to_owned)
    }
}

/// Sends the bytes and reads one answer.
pub async fn send(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    // The gate may refuse, and close, before it has read everything.
    let _refused_early = stream.write_all(bytes).await;
    let mut read = Vec::new();
    let without_body = bytes.starts_with(b"HEAD ");
    let until_end = async {
        let mut chunk = vec![0; 16 * 1024];
        while !is_complete(&read, without_body) {
            match stream.read(&mut chunk).await {
                Ok(0) | Err(_) => break,
                Ok(count) => read.extend_from_slice(&chunk[..count]),
            }
        }
    };
    let _nothing_came = tokio::time::timeout(PATIENCE, until_end).await;
    let Some((head, body)) = split(&read) else { return Answer::default() };
    let status =
        head.strip_prefix(b"HTTP/1.").and_then(|it| str::from_utf8(it.get(2..5)?).ok()?.parse().ok());
    Answer { status, body: body.to_vec() }
}

fn split(read: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = read.windows(4).position(|it| it == b"\r\n\r\n")?;
    Some((&read[..end], &read[end + 4..]))
}

fn is_complete(read: &[u8], without_body: bool) -> bool {
    let Some((head, body)) = split(read) else { return false };
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    match field("content-length:") {
        _ if without_body => true,
        Some(length) => length.parse() == Ok(body.len()),
        None if field("transfer-encoding:").is_some() => body.ends_with(b"0\r\n\r\n"),
        None => false,
    }
}
