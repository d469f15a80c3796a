//! Small rule programs put to small exchanges.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use portcullis_seclang::source::{MemoryFiles, Source};
use portcullis_seclang::{
    Clock, Collections, CompileOptions, Engine, Ports, RequestHead, ResponseHead, Stored, Transaction,
    UniqueIds,
};

/// What every program starts with.
pub const BASE: &str = "SecRuleEngine On\nSecRequestBodyAccess On\nSecResponseBodyAccess On\n";

/// Instances by collection and key.
type Kept = HashMap<(String, Vec<u8>), Vec<Stored>>;

#[derive(Default)]
pub struct World {
    micros: AtomicU64,
    kept: Mutex<Kept>,
}

impl World {
    pub fn advance_secs(&self, secs: u64) {
        self.micros.fetch_add(secs * 1_000_000, Ordering::Relaxed);
    }

    fn change<T>(&self, collection: &str, key: &[u8], change: impl FnOnce(&mut Vec<Stored>) -> T) -> T {
        let now = self.unix_micros() / 1_000_000;
        let mut kept = self.kept.lock().unwrap();
        let stored = kept.entry((collection.to_owned(), key.to_vec())).or_default();
        stored.retain(|each| each.expires.is_none_or(|expires| expires > now));
        change(stored)
    }
}

impl Clock for World {
    fn unix_micros(&self) -> u64 {
        1_700_000_000_000_000 + self.micros.load(Ordering::Relaxed)
    }
}

impl UniqueIds for World {
    fn unique_id(&self) -> String {
        "0123456789abcdef".to_owned()
    }
}

impl Collections for World {
    fn load(&self, collection: &str, key: &[u8]) -> Vec<Stored> {
        self.change(collection, key, |stored| stored.clone())
    }

    fn add(&self, collection: &str, key: &[u8], name: &[u8], delta: i64) -> i64 {
        let before = self.load(collection, key);
        let before = before.iter().find(|each| each.name == name);
        let before: i64 =
            before.and_then(|each| std::str::from_utf8(&each.value).ok()?.parse().ok()).unwrap_or(0);
        let sum = before + delta;
        self.set(collection, key, name, sum.to_string().as_bytes());
        sum
    }

    fn set(&self, collection: &str, key: &[u8], name: &[u8], value: &[u8]) {
        self.change(collection, key, |stored| match stored.iter_mut().find(|each| each.name == name) {
            Some(each) => each.value = value.to_vec(),
            None => stored.push(Stored { name: name.to_vec(), value: value.to_vec(), expires: None }),
        });
    }

    fn unset(&self, collection: &str, key: &[u8], name: &[u8]) {
        self.change(collection, key, |stored| stored.retain(|each| each.name != name));
    }

    fn expire(&self, collection: &str, key: &[u8], name: &[u8], secs: u64) {
        let now = self.unix_micros() / 1_000_000;
        self.change(collection, key, |stored| {
            if let Some(each) = stored.iter_mut().find(|each| each.name == name) {
                each.expires = Some(now + secs);
            }
        });
    }
}

pub fn ports(world: &Arc<World>) -> Ports {
    Ports {
        clock: Arc::clone(world) as _,
        ids: Arc::clone(world) as _,
        collections: Some(Arc::clone(world) as _),
        outside: None,
    }
}

pub fn try_engine(
    text: &str,
    world: &Arc<World>,
    options: &CompileOptions<'_>,
) -> Result<Engine, Vec<String>> {
    let files = MemoryFiles::new().with("words.data", "needle\nhay stack\n");
    let sources = [Source::new("test.conf", format!("{BASE}{text}"))];
    let texts = |faults: Vec<portcullis_seclang::diagnostic::Diagnostic>| {
        faults.iter().map(ToString::to_string).collect()
    };
    let rules = portcullis_seclang::load(&sources, &files).map_err(texts)?;
    Engine::compile(rules, &files, ports(world), options).map_err(texts)
}

pub fn engine_in(text: &str, world: &Arc<World>) -> Engine {
    try_engine(text, world, &CompileOptions::default())
        .unwrap_or_else(|faults| panic!("{}", faults.join("\n")))
}

pub fn engine(text: &str) -> Engine {
    engine_in(text, &Arc::new(World::default()))
}

/// One exchange, written down.
#[derive(Clone)]
pub struct Exchange {
    pub method: &'static str,
    pub uri: String,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub status: u16,
    pub response_fields: Vec<(String, String)>,
    pub response_body: Vec<u8>,
}

pub fn get(uri: &str) -> Exchange {
    Exchange {
        method: "GET",
        uri: uri.to_owned(),
        fields: vec![("Host".to_owned(), "example.com:8080".to_owned())],
        body: Vec::new(),
        status: 200,
        response_fields: vec![("Content-Type".to_owned(), "text/html; charset=utf-8".to_owned())],
        response_body: b"hello".to_vec(),
    }
}

pub fn post(content_type: &str, body: impl Into<Vec<u8>>) -> Exchange {
    let mut exchange = get("/post").with("Content-Type", content_type);
    exchange.method = "POST";
    exchange.body = body.into();
    exchange
}

pub fn form(body: &str) -> Exchange {
    post("application/x-www-form-urlencoded", body)
}

impl Exchange {
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn answered(mut self, status: u16, body: &str) -> Self {
        self.status = status;
        self.response_body = body.into();
        self
    }

    /// Puts the exchange to the engine, as far as it gets.
    pub fn run(&self, engine: &Engine) -> Transaction {
        let mut transaction = engine.transaction();
        self.run_in(&mut transaction);
        transaction
    }

    pub fn run_in(&self, transaction: &mut Transaction) {
        let fields = pairs(&self.fields);
        let line = format!("{} {} HTTP/1.1", self.method, self.uri);
        let head = RequestHead {
            line: line.as_bytes(),
            method: self.method.as_bytes(),
            uri: self.uri.as_bytes(),
            protocol: b"HTTP/1.1",
            fields: &fields,
            client: SocketAddr::from(([192, 0, 2, 7], 4321)),
            server: SocketAddr::from(([198, 51, 100, 1], 443)),
        };
        let response_fields = pairs(&self.response_fields);
        let response = ResponseHead { status: self.status, protocol: b"HTTP/1.1", fields: &response_fields };
        let stopped = transaction.request_head(&head).is_some()
            || transaction.request_body(&self.body).is_some()
            || transaction.response_head(&response).is_some()
            || transaction.response_body(&self.response_body).is_some();
        assert_eq!(stopped, transaction.intervention().is_some());
        transaction.finish();
    }
}

fn pairs(fields: &[(String, String)]) -> Vec<(&[u8], &[u8])> {
    fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
}

/// The ids that matched, in order, and the rule that interrupted.
pub fn outcome(transaction: &Transaction) -> String {
    let mut words: Vec<String> = transaction.matches().iter().map(|each| each.id.to_string()).collect();
    if let Some(stop) = transaction.intervention() {
        words.push(format!("-> {:?} {} by {} in {}", stop.disruption, stop.status, stop.rule, stop.phase));
    }
    words.join(" ")
}

/// Checks the ids that an exchange gives, in order.
pub fn check(program: &str, exchange: &Exchange, expected: &str) {
    let engine = engine(program);
    // Twice: the second time much is remembered.
    for _ in 0..2 {
        assert_eq!(outcome(&exchange.run(&engine)), expected, "{program}");
    }
}

/// Checks message and logdata of the last match.
pub fn check_text(program: &str, exchange: &Exchange, message: &str, logdata: &str) {
    let transaction = exchange.run(&engine(program));
    let last = transaction.matches().last().unwrap_or_else(|| panic!("no match: {program}"));
    assert_eq!(String::from_utf8_lossy(&last.message), message, "{program}");
    assert_eq!(String::from_utf8_lossy(&last.logdata), logdata, "{program}");
}
