//! A server behind the gate that says exactly the bytes a test gives it, and then behaves as badly as asked.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What a rude upstream does about one request.
#[derive(Clone, Debug)]
pub enum Say {
    /// Sends these bytes and waits for the next request.
    Bytes(Vec<u8>),
    /// Sends these bytes and closes the connection.
    ThenClose(Vec<u8>),
    /// Sends these bytes and resets the connection.
    ThenReset(Vec<u8>),
    /// Sends these bytes and says nothing more, for as long as it lives.
    ThenSilence(Vec<u8>),
}

/// A running rude upstream. Stopped when dropped.
pub struct RudeUpstream {
    /// Where it listens.
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    server: JoinHandle<()>,
}

impl RudeUpstream {
    /// Does what `say` says: it is given the number of the request, from 0, and its head.
    pub async fn saying<F>(say: F) -> Self
    where
        F: Fn(usize, &str) -> Say + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let say = Arc::new(say);
        let server = tokio::spawn({
            let seen = Arc::clone(&seen);
            async move {
                loop {
                    let (stream, _) = listener.accept().await.expect("connections can be accepted");
                    let (seen, say) = (Arc::clone(&seen), Arc::clone(&say));
                    tokio::spawn(async move { serve(stream, &seen, &*say).await });
                }
            }
        });
        Self { address, seen, server }
    }

    /// Always says these bytes and closes.
    pub async fn always(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::saying(move |_, _| Say::ThenClose(bytes.clone())).await
    }

    /// `http://ADDRESS`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads of the requests that reached it so far.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("no test panicked here").clone()
    }
}

impl Drop for RudeUpstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// An address where nobody listens.
pub async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("an address")
}

async fn serve<F>(mut stream: TcpStream, seen: &Mutex<Vec<String>>, say: &F)
where
    F: Fn(usize, &str) -> Say,
{
    while let Some(head) = request(&mut stream).await {
        let number = {
            let mut seen = seen.lock().expect("no test panicked here");
            seen.push(head.clone());
            seen.len() - 1
        };
        let said = say(number, &head);
        let (Say::Bytes(bytes) | Say::ThenClose(bytes) | Say::ThenReset(bytes) | Say::ThenSilence(bytes)) =
            &said;
        // The gate may have hung up on nonsense before all of it was said.
        let _hung_up = stream.write_all(bytes).await;
        match said {
            Say::Bytes(_) => {}
            Say::ThenClose(_) => {
                let _gone = stream.shutdown().await;
                return;
            }
            Say::ThenReset(_) => {
                stream.set_zero_linger().expect("a connection can be set to reset");
                return;
            }
            Say::ThenSilence(_) => std::future::pending::<()>().await,
        }
    }
}

/// Reads one request with its body; its head.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    let end = loop {
        if let Some(at) = read.windows(4).position(|it| it == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&read[..end]).into_owned();
    let lower = head.to_ascii_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let chunked = lower.contains("transfer-encoding: chunked");
    while if chunked { !read.ends_with(b"0\r\n\r\n") } else { read.len() < end + length } {
        if stream.read_buf(&mut read).await.ok()? == 0 {
            break;
        }
    }
    Some(head)
}
