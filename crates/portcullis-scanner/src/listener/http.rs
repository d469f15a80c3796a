//! HTTP/1, as much as one needs to be visited: a bounded head in, one answer out, the connection closed.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};

use super::book::{Book, token};
use crate::script::Planted;

/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 8_192;
/// Bytes of a body that are read away before answering, so that a polite client reads our answer.
const BODY_BYTES_MAX: usize = 65_536;
/// Connections at a time; further ones wait in the system's queue.
const CONNECTIONS_MAX: usize = 64;
/// From the first byte to the last of one visit.
const VISIT_MAX: Duration = Duration::from_secs(5);

/// Answers visits until the task is ended.
pub(super) async fn serve(socket: TcpListener, book: Arc<Book>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = socket.accept().await else {
            // Out of descriptors, most likely: give those in use the time to be given back.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let book = Arc::clone(&book);
        tokio::spawn(async move {
            // A visitor that is slow or breaks off has been written down already, or has said nothing.
            let _ = timeout(VISIT_MAX, visit(stream, &book)).await;
            drop(place);
        });
    }
}

async fn visit(mut stream: TcpStream, book: &Book) -> std::io::Result<()> {
    let Some((head, behind)) = read_head(&mut stream).await? else { return Ok(()) };
    let text = String::from_utf8_lossy(&head);
    let Some(visitor) = Visitor::read(&text) else { return Ok(()) };
    let answer = match &visitor.token {
        Some(token) => {
            book.write(token, "http", text.trim_end());
            book.planted(token).unwrap_or_else(|| plain(200, ""))
        }
        None => plain(404, ""),
    };
    let mut left = visitor.body_bytes.min(BODY_BYTES_MAX).saturating_sub(behind);
    let mut waste = [0; 4_096];
    while left > 0 {
        let read = stream.read(&mut waste).await?;
        if read == 0 {
            break;
        }
        left = left.saturating_sub(read);
    }
    stream.write_all(&written(&answer, visitor.head_only)).await?;
    stream.shutdown().await
}

fn plain(status: u16, body: &str) -> Planted {
    Planted { status, headers: vec![("content-type".into(), "text/plain".into())], body: body.into() }
}

/// The head, with how many bytes came behind it already; `None` where there is none within the bound.
async fn read_head(stream: &mut TcpStream) -> std::io::Result<Option<(Vec<u8>, usize)>> {
    let mut bytes = Vec::with_capacity(1_024);
    let mut piece = [0; 1_024];
    while bytes.len() <= HEAD_BYTES_MAX {
        let read = stream.read(&mut piece).await?;
        if read == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(piece.get(..read).unwrap_or_default());
        let end = memchr::memmem::find(&bytes, b"\r\n\r\n").map(|at| at + 4);
        if let Some(end) = end.or_else(|| memchr::memmem::find(&bytes, b"\n\n").map(|at| at + 2)) {
            let behind = bytes.len().saturating_sub(end);
            bytes.truncate(end);
            return Ok(Some((bytes, behind)));
        }
    }
    Ok(None)
}

/// What matters of a request's head.
#[derive(Debug, PartialEq, Eq)]
struct Visitor {
    token: Option<String>,
    body_bytes: usize,
    head_only: bool,
}

impl Visitor {
    /// Reads a head leniently: whatever makes a target call us writes requests in its own way.
    fn read(head: &str) -> Option<Self> {
        let mut lines = head.lines();
        let mut words = lines.next()?.split(' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        if !version.starts_with("HTTP/1.") || method.is_empty() {
            return None;
        }
        let path = match target.split_once("://") {
            Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
            None => target.trim_start_matches('/'),
        };
        let mut found = token(path.split(['/', '?', '#', ';', '.', '&']).next().unwrap_or_default());
        let mut body_bytes = 0;
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("host") && found.is_none() {
                found = token(value.trim().split('.').next().unwrap_or_default());
            } else if name.eq_ignore_ascii_case("content-length") {
                body_bytes = value.trim().parse().unwrap_or(0);
            }
        }
        Some(Self { token: found, body_bytes, head_only: method == "HEAD" })
    }
}

fn written(answer: &Planted, head_only: bool) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {} Answer\r\n", answer.status.clamp(200, 599));
    for (name, value) in &answer.headers {
        // What is laid down may hold what a target said: one line stays one line.
        let clean = |text: &str| -> String { text.chars().filter(|it| !it.is_control()).collect() };
        out.push_str(&format!("{}: {}\r\n", clean(name), clean(value)));
    }
    out.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", answer.body.len()));
    if !head_only {
        out.push_str(&answer.body);
    }
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "00112233445566778899";

    #[test]
    fn finds_the_token_wherever_a_client_puts_it() {
        let token = Some(TOKEN.to_owned());
        for head in [
            format!("GET /{TOKEN} HTTP/1.1"),
            format!("GET /{TOKEN}.dtd HTTP/1.0"),
            format!("GET http://127.0.0.1:80/{TOKEN}?a HTTP/1.1"),
            format!("GET /x HTTP/1.1\r\nHost: {TOKEN}.oob.test:80"),
        ] {
            assert_eq!(Visitor::read(&head).unwrap().token, token, "{head}");
        }
        assert_eq!(Visitor::read("GET /x HTTP/1.1").unwrap().token, None);
        assert_eq!(Visitor::read("nonsense"), None);
        assert_eq!(Visitor::read("GET / SMTP/1.1"), None);
    }

    #[test]
    fn keeps_the_body_back_from_a_head_request() {
        let answer = plain(204, "body");
        assert!(!String::from_utf8(written(&answer, true)).unwrap().ends_with("body"));
    }
}
