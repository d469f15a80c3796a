//! A plain HTTP client, and the one question that every test asks of both twins.

use std::net::SocketAddr;

use portcullis_range::{Options, Running, Weakness, Weaknesses, start};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
}

/// A running range and how to call it.
pub(crate) struct Client {
    pub(crate) range: Running,
}

impl Client {
    pub(crate) async fn start(weaknesses: Weaknesses, partners: Vec<SocketAddr>) -> Self {
        let options = Options { seed: 7, weaknesses, partners, ..Options::default() };
        Self { range: start(options).await.expect("starts") }
    }

    /// Sends one call as it is written.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.range.address()).await.expect("connects");
        // A refused body may close the connection while it is still being written.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let at = answer.windows(4).position(|it| it == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8_lossy(&answer[..at]).into_owned();
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
        Answer { status, head, body: answer[at + 4..].to_vec() }
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        target: &str,
        fields: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut head =
            format!("{method} {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.range.address());
        for (name, value) in fields {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("content-length: {}\r\n\r\n", body.len());
        self.raw(&[head.as_bytes(), body].concat()).await
    }

    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.send("GET", target, &[], b"").await
    }

    pub(crate) async fn post(&self, target: &str, body: &Value) -> Answer {
        self.send("POST", target, &[("content-type", "application/json")], body.to_string().as_bytes()).await
    }

    /// With a bearer token, and a JSON body unless it is null.
    pub(crate) async fn call(&self, token: &str, method: &str, target: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let fields = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        if body.is_null() {
            return self.send(method, target, &fields[..1], b"").await;
        }
        self.send(method, target, &fields, body.to_string().as_bytes()).await
    }

    pub(crate) async fn login(&self, name: &str) -> String {
        let password = match name {
            "alice" => "Harbour-Gate-17",
            "bob" => "Quiet-Lantern-42",
            "carol" => "Copper-Kettle-88",
            _ => "Tall-Lighthouse-03",
        };
        self.login_with(name, password).await
    }

    pub(crate) async fn login_with(&self, name: &str, password: &str) -> String {
        let answer = self.post("/auth/login", &json!({"username": name, "password": password})).await;
        answer.json()["access_token"].as_str().expect("a token").to_owned()
    }
}

fn weakness(id: &str) -> Weakness {
    *Weakness::ALL.iter().find(|it| it.id() == id).unwrap_or_else(|| panic!("no weakness {id}"))
}

/// The weakness shows when it alone is on, and when all are on; not in the secure range.
pub(crate) async fn twins(id: &str, shows: impl AsyncFn(&Client) -> bool) {
    let wanted = weakness(id);
    let alone = Weaknesses::from_iter([wanted]);
    for (name, on, expected) in
        [("alone", alone, true), ("with all", Weaknesses::all(), true), ("secure", Weaknesses::none(), false)]
    {
        let client = Client::start(on, Vec::new()).await;
        assert_eq!(shows(&client).await, expected, "{id}, {name}");
    }
}

/// A server that remembers the targets it was asked for and answers all alike.
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    asked: std::sync::Arc<std::sync::Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Listener {
    pub(crate) async fn start(media_type: &str, body: &str) -> Self {
        Self::answering(format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ))
        .await
    }

    pub(crate) async fn redirecting(to: &str) -> Self {
        Self::answering(format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")).await
    }

    async fn answering(answer: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let address = listener.local_addr().expect("has an address");
        let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = std::sync::Arc::clone(&asked);
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = vec![0; 8192];
                let count = stream.read(&mut head).await.unwrap_or_default();
                let text = String::from_utf8_lossy(&head[..count]).into_owned();
                let target = text.split(' ').nth(1).unwrap_or_default().to_owned();
                seen.lock().expect("no panic").push(target);
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { address, asked, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn was_asked(&self, text: &str) -> bool {
        self.asked.lock().expect("no panic").iter().any(|it| it.contains(text))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}
