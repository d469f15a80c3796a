//! The gate between a test client and a test upstream.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use portcullis_core::{
    chain::{Chain, Guard, Mode, Phase},
    clock::{Clock, Entropy, Timestamp},
    context::{Context, Operation},
    event::Event,
    ports::Recorder,
    verdict::Verdict,
};
use portcullis_gateway::{
    Gateway, Options,
    plan::{
        ApiPlan, Endpoint, HeadPolicy, ListenerLimits, ListenerPlan, OptionsPolicy, Plan, Protocols, Unknown,
    },
    router::Router,
    upstream::{Scheme, ServerSettings, Upstream, UpstreamSettings},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the tests' clock")]
        let now = std::time::SystemTime::now();
        Timestamp::from_micros(now.duration_since(std::time::UNIX_EPOCH).unwrap().as_micros() as u64)
    }
}

#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let next = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed).to_le_bytes();
            chunk.copy_from_slice(&next[..chunk.len()]);
        }
    }
}

/// Keeps what was recorded.
#[derive(Default)]
pub(crate) struct Record(Mutex<Vec<Event>>);

impl Recorder for Record {
    fn record(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl Record {
    /// The events once there are `count`, which must not take long; never more.
    pub(crate) async fn events(&self, count: usize) -> Vec<Event> {
        for _ in 0..500 {
            if self.0.lock().unwrap().len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // One more moment for events that should not be.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let events = self.0.lock().unwrap().clone();
        assert_eq!(events.len(), count, "{events:#?}");
        events
    }

    pub(crate) async fn one(&self) -> Event {
        self.events(1).await.remove(0)
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    /// The first event with this rule, which must not take long.
    pub(crate) async fn ruled(&self, rule: &str) -> Event {
        for _ in 0..500 {
            let found = self.0.lock().unwrap().iter().find(|event| rules(event) == [rule]).cloned();
            if let Some(event) = found {
                return event;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no event with {rule}: {:#?}", self.0.lock().unwrap());
    }
}

/// The rule ids of an event.
pub(crate) fn rules(event: &Event) -> Vec<String> {
    event.reasons.iter().map(|reason| reason.rule.as_str().to_owned()).collect()
}

pub(crate) struct Gate {
    pub(crate) gateway: Gateway,
    pub(crate) record: Arc<Record>,
}

/// Starts a gate with one listener `main` in the clear.
pub(crate) fn gate(listener: ListenerPlan) -> Gate {
    let record = Arc::new(Record::default());
    let options = Options {
        threads: NonZeroUsize::new(2).unwrap(),
        backlog: 128,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(Counting::default()),
        recorder: Arc::clone(&record) as Arc<dyn Recorder>,
    };
    let gateway = Gateway::start(plan(listener), options).unwrap();
    Gate { gateway, record }
}

pub(crate) fn plan(listener: ListenerPlan) -> Plan {
    Plan { generation: 1, listeners: [(Arc::from("main"), Arc::new(listener))].into() }
}

pub(crate) fn listener(apis: Vec<ApiPlan>) -> ListenerPlan {
    ListenerPlan {
        address: "127.0.0.1:0".parse().unwrap(),
        protocols: Protocols::Both,
        tls: None,
        router: Router::new(apis).map_err(|errors| format!("{errors:?}")).unwrap(),
        limits: ListenerLimits::default(),
        trusted_proxies: Box::default(),
        identity_headers: [http::HeaderName::from_static("x-user-id")].into(),
        hsts: None,
    }
}

/// A listener with one API `t` of these endpoints.
pub(crate) fn serving(endpoints: Vec<Endpoint>) -> ListenerPlan {
    listener(vec![api(endpoints)])
}

pub(crate) fn api(endpoints: Vec<Endpoint>) -> ApiPlan {
    ApiPlan {
        name: "t".into(),
        hosts: Vec::new(),
        prefix: Box::default(),
        endpoints: endpoints.into_iter().map(Arc::new).collect(),
        unknown: Unknown { paths: Mode::Block, methods: Mode::Block, endpoint: None },
        cors: None,
        head: HeadPolicy::AsGet,
        options: OptionsPolicy::Declared,
    }
}

/// An endpoint of `METHOD /template`.
pub(crate) fn endpoint(route: &str, upstream: &Arc<Upstream>) -> Endpoint {
    let (method, template) = route.split_once(' ').unwrap();
    let operation =
        Operation { api: "t".into(), id: route.into(), method: method.into(), template: template.into() };
    Endpoint::new(operation, Arc::clone(upstream))
}

/// An upstream of the server on that port.
pub(crate) fn upstream(port: u16) -> Arc<Upstream> {
    upstream_with(port, |_| {})
}

pub(crate) fn upstream_with(port: u16, change: impl FnOnce(&mut UpstreamSettings)) -> Arc<Upstream> {
    let server = ServerSettings {
        scheme: Scheme::Http,
        host: "127.0.0.1".into(),
        port,
        weight: 1,
        base_path: Box::default(),
    };
    let mut settings = UpstreamSettings::new("behind", vec![server]);
    settings.ejection = None;
    change(&mut settings);
    Upstream::new(settings, 2, &Counting::default()).unwrap()
}

impl Gate {
    pub(crate) async fn connect(&self) -> Client {
        Client(TcpStream::connect(self.gateway.addresses()["main"]).await.unwrap())
    }

    /// Sends raw bytes on a new connection and reads one answer.
    pub(crate) async fn ask(&self, request: &str) -> Answer {
        let mut client = self.connect().await;
        client.send(request).await;
        client.answer(request.starts_with("HEAD")).await
    }
}

/// A raw HTTP/1.1 client.
pub(crate) struct Client(pub(crate) TcpStream);

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// A header field by its lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (it, value) = line.split_once(':')?;
            it.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: &str) {
        self.0.write_all(bytes.as_bytes()).await.unwrap();
    }

    pub(crate) async fn answer(&mut self, head_only: bool) -> Answer {
        let reading = self.read_answer(head_only);
        tokio::time::timeout(Duration::from_secs(20), reading).await.expect("an answer in time")
    }

    async fn read_answer(&mut self, head_only: bool) -> Answer {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match self.0.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => break,
            }
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.get(9..12).and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut answer = Answer { status, head, body: String::new() };
        if head_only || status == 204 || status == 304 || status == 101 || status == 0 {
            return answer;
        }
        let mut body = Vec::new();
        if let Some(length) = answer.header("content-length") {
            body.resize(length.parse().unwrap(), 0);
            self.0.read_exact(&mut body).await.unwrap();
        } else {
            while !body.ends_with(b"0\r\n\r\n") {
                match self.0.read_u8().await {
                    Ok(byte) => body.push(byte),
                    Err(_) => break,
                }
            }
        }
        answer.body = String::from_utf8(body).unwrap();
        answer
    }

    /// Whether the other side has closed; waits for it.
    pub(crate) async fn closed(&mut self, within: Duration) -> bool {
        let mut rest = [0; 1024];
        let reading = async {
            loop {
                match self.0.read(&mut rest).await {
                    Ok(0) | Err(_) => return,
                    Ok(_) => {}
                }
            }
        };
        tokio::time::timeout(within, reading).await.is_ok()
    }
}

/// What a test upstream was asked, and what it answers: the raw request up to the end of its declared body in, raw
/// bytes out.
pub(crate) struct Behind {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Behind {
    /// Answers every request by `answer`, keeping the connection.
    pub(crate) async fn start(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen) = (Arc::new(answer), Arc::clone(&asked));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(converse(stream, Arc::clone(&answer), Arc::clone(&seen)));
            }
        });
        Self { port, asked }
    }

    /// Answers 200 with `ok`.
    pub(crate) async fn ok() -> Self {
        Self::start(|_| "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned()).await
    }

    pub(crate) fn upstream(&self) -> Arc<Upstream> {
        upstream(self.port)
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn converse(
    mut stream: TcpStream,
    answer: Arc<impl Fn(&str) -> String>,
    asked: Arc<Mutex<Vec<String>>>,
) {
    loop {
        let mut request = Vec::new();
        while !whole(&request) {
            match stream.read_u8().await {
                Ok(byte) => request.push(byte),
                Err(_) => return,
            }
        }
        let request = String::from_utf8_lossy(&request).into_owned();
        asked.lock().unwrap().push(request.clone());
        let text = answer(&request);
        let (text, close) = match text.strip_suffix("<close>") {
            Some(text) => (text, true),
            None => (&*text, false),
        };
        if text.contains("<never>") {
            std::future::pending::<()>().await;
        }
        for part in text.split("<pause>") {
            if stream.write_all(part.as_bytes()).await.is_err() {
                return;
            }
            if text.contains("<pause>") {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        if close {
            return;
        }
    }
}

fn whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    if head.contains("transfer-encoding: chunked") {
        return body.ends_with("0\r\n\r\n") || (body.contains("\r\n0\r\n") && body.ends_with("\r\n\r\n"));
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// A guard made of a function.
pub(crate) struct Fn1<F> {
    pub(crate) phase: Phase,
    pub(crate) check: F,
}

impl<F: Fn(&mut Context) -> Verdict + Send + Sync> Guard for Fn1<F> {
    fn name(&self) -> &'static str {
        "test"
    }

    fn phase(&self) -> Phase {
        self.phase
    }

    fn check(&self, cx: &mut Context) -> Verdict {
        (self.check)(cx)
    }
}

/// An endpoint whose chain is this one guard.
pub(crate) fn guarded(
    mut endpoint: Endpoint,
    phase: Phase,
    check: impl Fn(&mut Context) -> Verdict + Send + Sync + 'static,
) -> Endpoint {
    let mut chain = Chain::default();
    chain.guard(Mode::Block, Arc::new(Fn1 { phase, check }));
    endpoint.chain = chain;
    endpoint
}
