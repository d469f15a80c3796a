//! The out-of-band listener: whoever a payload makes call us is written down by the token it carries.
//!
//! HTTP and DNS on one address, loopback unless the operator says otherwise. A token is the first segment of a path, the
//! first label of a name, or the first label of the `Host`. What comes in is hostile: heads, packets, connections, hits
//! a token and hits in all are bounded, and nothing that comes in is ever sent back.

mod book;
mod dns;
mod http;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, UdpSocket},
    task::JoinHandle,
};

use self::book::Book;
use crate::script::{self, Hit, Planted};

/// Where and as what to listen.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address of HTTP; port 0: any that is free.
    pub http: SocketAddr,
    /// The address of DNS over UDP; `None`: no DNS.
    pub dns: Option<SocketAddr>,
    /// The zone that is delegated to us, without a leading dot; empty: none, and no check uses names.
    pub zone: String,
    /// How the target reaches our HTTP, `http://HOST:PORT` without a trailing `/`, where that is not the address itself
    /// (behind a translation, or listening on all addresses).
    pub public: Option<String>,
    /// The key of the tokens.
    pub key: [u8; 32],
}

/// A running listener; dropping it ends it.
#[derive(Debug)]
pub struct Listener {
    book: Arc<Book>,
    http: SocketAddr,
    dns: Option<SocketAddr>,
    tasks: Vec<JoinHandle<()>>,
}

impl Listener {
    /// Listens for HTTP at the address and for DNS on any free port beside it, and says how tokens become addresses.
    ///
    /// # Errors
    /// An address cannot be bound.
    pub async fn start(addr: SocketAddr, key: [u8; 32]) -> io::Result<(Self, script::Listener)> {
        let dns = Some(SocketAddr::new(addr.ip(), 0));
        Self::start_with(Options { http: addr, dns, zone: String::new(), public: None, key }).await
    }

    /// The same with every choice.
    ///
    /// # Errors
    /// An address cannot be bound.
    pub async fn start_with(options: Options) -> io::Result<(Self, script::Listener)> {
        let book = Arc::new(Book::default());
        let socket = TcpListener::bind(options.http).await?;
        let http = socket.local_addr()?;
        let mut tasks = Vec::with_capacity(2);
        let dns = match options.dns {
            Some(addr) => {
                let socket = UdpSocket::bind(addr).await?;
                let bound = socket.local_addr()?;
                let own = reachable(bound.ip());
                tasks.push(tokio::spawn(dns::serve(socket, own, options.zone.clone(), Arc::clone(&book))));
                Some(bound)
            }
            None => None,
        };
        tasks.push(tokio::spawn(http::serve(socket, Arc::clone(&book))));
        let url = options
            .public
            .map(|url| url.trim_end_matches('/').to_owned())
            .unwrap_or_else(|| format!("http://{}", SocketAddr::new(reachable(http.ip()), http.port())));
        let known = script::Listener { url, zone: options.zone, key: options.key };
        Ok((Self { book, http, dns, tasks }, known))
    }

    /// The address of HTTP.
    pub const fn http_addr(&self) -> SocketAddr {
        self.http
    }

    /// The address of DNS, where there is DNS.
    pub const fn dns_addr(&self) -> Option<SocketAddr> {
        self.dns
    }

    /// Lays down what is answered to whoever calls with this token, from now on.
    pub fn plant(&self, token: &str, planted: Planted) {
        self.book.plant(token, planted);
    }

    /// What came with this token, as soon as anything has, or nothing once the bound has passed.
    pub async fn wait(&self, token: &str, bound: Duration) -> Vec<Hit> {
        self.book.expect(token);
        // A timeout is an answer here: whatever is there by then.
        let _ = tokio::time::timeout(bound, self.book.arrival(token)).await;
        self.book.hits(token)
    }

    /// All that ever came, by token in order: read it at the end of a scan for visits that came late.
    pub fn all(&self) -> Vec<(String, Vec<Hit>)> {
        self.book.all()
    }

    /// Visits that were not written down because a bound was reached.
    pub fn dropped(&self) -> u64 {
        self.book.dropped()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// An address that can be called: loopback where the listener takes all addresses.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(v4) if v4.is_unspecified() => IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        IpAddr::V6(v6) if v6.is_unspecified() => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };

    use super::*;

    async fn started() -> Listener {
        Listener::start(SocketAddr::from(([127, 0, 0, 1], 0)), [7; 32]).await.unwrap().0
    }

    async fn talk(listener: &Listener, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(listener.http_addr()).await.unwrap();
        let mut answer = Vec::new();
        // A head beyond the bound is cut off: the rest can then not be written, and nothing be read.
        if stream.write_all(bytes).await.is_ok() {
            let _ = stream.read_to_end(&mut answer).await;
        }
        String::from_utf8(answer).unwrap()
    }

    const TOKEN: &str = "00112233445566778899";

    #[tokio::test]
    async fn writes_visits_down_by_their_token_and_answers_what_was_laid_down() {
        let listener = started().await;
        listener.plant(
            TOKEN,
            Planted {
                status: 302,
                headers: vec![("location".into(), "http://a/\r\nx: y".into())],
                body: "hi".into(),
            },
        );
        let answer = talk(&listener, format!("GET /{TOKEN}/x HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 302 "), "{answer}");
        assert!(answer.ends_with("\r\n\r\nhi"), "{answer}");
        assert!(!answer.contains("\r\nx: y"), "{answer}");
        let hits = listener.wait(TOKEN, Duration::from_secs(60)).await;
        assert_eq!(hits.len(), 1);
        assert_eq!(hits[0].by, "http");
        assert!(hits[0].text.starts_with("GET /00112233445566778899/x HTTP/1.1"));
    }

    #[tokio::test]
    async fn waits_for_a_visit_that_is_yet_to_come() {
        let listener = Arc::new(started().await);
        let waiting = tokio::spawn({
            let listener = Arc::clone(&listener);
            async move { listener.wait(TOKEN, Duration::from_secs(60)).await }
        });
        talk(&listener, format!("POST / HTTP/1.1\r\nhost: {TOKEN}.example.org\r\n\r\n").as_bytes()).await;
        assert_eq!(waiting.await.unwrap().len(), 1);
        assert!(listener.wait("ffffffffffffffffffff", Duration::ZERO).await.is_empty());
    }

    #[tokio::test]
    async fn knows_nobody_without_a_token_and_survives_nonsense() {
        let listener = started().await;
        assert!(talk(&listener, b"GET /favicon.ico HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 404 "));
        assert_eq!(talk(&listener, b"\x16\x03\x01\r\n\r\n").await, "");
        assert_eq!(talk(&listener, &[b'a'; 70_000]).await, "");
        assert!(listener.all().is_empty());
    }

    #[tokio::test]
    async fn answers_names_with_its_own_address() {
        let listener = started().await;
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.send_to(b"nonsense", listener.dns_addr().unwrap()).await.unwrap();
        let mut packet = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x14".to_vec();
        packet.extend_from_slice(TOKEN.as_bytes());
        packet.extend_from_slice(b"\x03OOB\x04test\x00\x00\x01\x00\x01");
        socket.send_to(&packet, listener.dns_addr().unwrap()).await.unwrap();
        let mut answer = [0; 512];
        let length = socket.recv(&mut answer).await.unwrap();
        assert_eq!(answer[..2], [0x12, 0x34]);
        assert!(answer[..length].ends_with(&[127, 0, 0, 1]));
        let hits = listener.wait(TOKEN, Duration::from_secs(60)).await;
        assert_eq!(hits[0], Hit { by: "dns".into(), text: format!("A {TOKEN}.oob.test") });
    }
}
