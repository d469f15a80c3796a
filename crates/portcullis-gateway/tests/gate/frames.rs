//! HTTP/2 frame by frame: a client that breaks its rules, floods, gives up or reads nothing.
#![expect(clippy::disallowed_methods, reason = "bodies of our own making, and small")]

use std::time::Duration;

use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use portcullis_core::{
    event::{Outcome, Protocol},
    verdict::Denial,
};
use portcullis_gateway::plan::{ListenerLimits, ListenerPlan};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::support::*;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH: u8 = 5;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;
const WINDOW: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
const WHOLE: u8 = END_STREAM | END_HEADERS;

/// `GET http://h/`.
const GET: &[u8] = b"\x82\x86\x84\x01\x01h";
/// `POST http://h/`.
const POST: &[u8] = b"\x83\x86\x84\x01\x01h";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A frame that the gate sent.
#[derive(Debug)]
struct Got {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Got {
    /// The last four bytes: the code of a reset or farewell.
    fn code(&self) -> u32 {
        u32::from_be_bytes(*self.payload[..8.min(self.payload.len())].last_chunk().unwrap())
    }
}

struct Talk(TcpStream);

impl Talk {
    /// Connects, greets and takes the gate's greeting.
    async fn new(gate: &Gate) -> Self {
        let mut talk = Self::silent(gate).await;
        talk.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        talk.send(&frame(SETTINGS, 0, 0, b"")).await;
        let settings = talk.next().await.unwrap();
        assert_eq!((settings.kind, settings.flags & ACK), (SETTINGS, 0));
        assert_eq!(talk.next().await.unwrap().kind, WINDOW);
        assert_eq!(talk.next().await.unwrap().flags, ACK);
        talk
    }

    async fn silent(gate: &Gate) -> Self {
        Self(TcpStream::connect(gate.gateway.addresses()["main"]).await.unwrap())
    }

    async fn send(&mut self, bytes: &[u8]) {
        // The gate may have closed in the midst of a flood.
        let _ = self.0.write_all(bytes).await;
    }

    /// `None` once the gate has closed.
    async fn next(&mut self) -> Option<Got> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let [l0, l1, l2, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, l0, l1, l2]) as usize];
        self.0.read_exact(&mut payload).await.ok()?;
        Some(Got { kind, flags, stream: u32::from_be_bytes(stream), payload })
    }

    async fn until(&mut self, kind: u8) -> Got {
        loop {
            let got = self.next().await.unwrap_or_else(|| panic!("no frame of kind {kind}"));
            if got.kind == kind {
                return got;
            }
        }
    }

    /// The code of the farewell, behind which nothing comes.
    async fn farewell(&mut self) -> u32 {
        let code = self.until(GO_AWAY).await.code();
        assert!(self.next().await.is_none());
        code
    }

    /// The status of a stream's answer and its body.
    async fn answer(&mut self, stream: u32) -> (String, Vec<u8>) {
        let (mut status, mut body) = (String::new(), Vec::new());
        loop {
            let got = self.next().await.expect("an answer");
            if got.stream != stream {
                continue;
            }
            match got.kind {
                HEADERS if status.is_empty() => {
                    status = match got.payload[0] {
                        0x88 => "200".to_owned(),
                        0x8c => "400".to_owned(),
                        0x8d => "404".to_owned(),
                        _ => String::from_utf8_lossy(&got.payload[2..5]).into_owned(),
                    }
                }
                DATA => body.extend_from_slice(&got.payload),
                RESET => panic!("reset: {}", got.code()),
                _ => {}
            }
            if got.flags & END_STREAM != 0 && matches!(got.kind, HEADERS | DATA) {
                return (status, body);
            }
        }
    }
}

async fn gate_of(change: impl FnOnce(&mut ListenerLimits)) -> Gate {
    let behind = Behind::ok().await;
    let mut plan: ListenerPlan = serving(vec![endpoint("* /", &behind.upstream())]);
    change(&mut plan.limits);
    gate(plan)
}

#[tokio::test]
async fn a_call_is_served_and_recorded_once() {
    let gate = gate_of(|_| {}).await;
    let mut talk = Talk::new(&gate).await;
    talk.send(&frame(HEADERS, WHOLE, 1, GET)).await;
    assert_eq!(talk.answer(1).await, ("200".to_owned(), b"ok".to_vec()));
    let event = gate.record.one().await;
    assert_eq!((event.outcome, event.protocol, event.response_bytes), (Outcome::Served, Protocol::H2, 2));
}

#[tokio::test]
async fn broken_rules_end_the_connection_with_their_code_and_are_recorded() {
    let greeting = || [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(SETTINGS, 0, 0, b"")].concat();
    let ended = || [frame(HEADERS, WHOLE, 1, GET), frame(RESET, 0, 1, &[0, 0, 0, 8])].concat();
    for (what, sent, code) in [
        ("data before the settings", [&greeting()[..24], &frame(DATA, 0, 1, b"")].concat(), 1),
        (
            "an acknowledgement instead of settings",
            [&greeting()[..24], &frame(SETTINGS, ACK, 0, b"")].concat(),
            1,
        ),
        ("headers on stream 0", [greeting(), frame(HEADERS, WHOLE, 0, GET)].concat(), 1),
        ("an even stream", [greeting(), frame(HEADERS, WHOLE, 2, GET)].concat(), 1),
        ("data for a stream to come", [greeting(), frame(DATA, 0, 1, b"x")].concat(), 1),
        ("a reset for a stream to come", [greeting(), frame(RESET, 0, 1, &[0; 4])].concat(), 1),
        ("room for a stream to come", [greeting(), frame(WINDOW, 0, 1, &[0, 0, 1, 0])].concat(), 1),
        ("a ping of seven bytes", [greeting(), frame(PING, 0, 0, &[0; 7])].concat(), 6),
        ("settings of five bytes", [greeting(), frame(SETTINGS, 0, 0, &[0; 5])].concat(), 6),
        ("a frame too large", [greeting(), frame(DATA, 0, 1, &[0; 16_385])].concat(), 6),
        ("push allowed twice", [greeting(), frame(SETTINGS, 0, 0, &[0, 2, 0, 0, 0, 2])].concat(), 1),
        ("too large a window", [greeting(), frame(SETTINGS, 0, 0, &[0, 4, 0x80, 0, 0, 0])].concat(), 3),
        ("no room", [greeting(), frame(WINDOW, 0, 0, &[0; 4])].concat(), 1),
        (
            "more room than can be counted",
            [greeting(), frame(WINDOW, 0, 0, &[0x7f, 0xff, 0xff, 0xff])].concat(),
            3,
        ),
        ("a push", [greeting(), frame(PUSH, END_HEADERS, 1, &[0; 4])].concat(), 1),
        ("a continuation of nothing", [greeting(), frame(CONTINUATION, END_HEADERS, 1, GET)].concat(), 1),
        (
            "a ping within a header block",
            [greeting(), frame(HEADERS, END_STREAM, 1, GET), frame(PING, 0, 0, &[0; 8])].concat(),
            1,
        ),
        (
            "a continuation of another stream",
            [greeting(), frame(HEADERS, END_STREAM, 1, GET), frame(CONTINUATION, END_HEADERS, 3, b"")]
                .concat(),
            1,
        ),
        ("a field from no table", [greeting(), frame(HEADERS, WHOLE, 1, b"\xff\x80\x01")].concat(), 9),
        ("padding beyond the end", [greeting(), frame(HEADERS, WHOLE | 8, 1, b"\x09\x82")].concat(), 1),
        ("data on an ended stream", [greeting(), ended(), frame(DATA, 0, 1, b"x")].concat(), 5),
        ("headers on an ended stream", [greeting(), ended(), frame(HEADERS, WHOLE, 1, GET)].concat(), 5),
        (
            "a smaller stream",
            [greeting(), frame(HEADERS, WHOLE, 5, GET), frame(HEADERS, WHOLE, 3, GET)].concat(),
            5,
        ),
    ] {
        let gate = gate_of(|_| {}).await;
        let mut talk = Talk::silent(&gate).await;
        talk.send(&sent).await;
        assert_eq!(talk.farewell().await, code, "{what}");
        assert_eq!(
            gate.record.ruled("http/malformed").await.outcome,
            Outcome::Denied(Denial::Malformed),
            "{what}"
        );
    }
}

#[tokio::test]
async fn floods_end_the_connection() {
    let flood = |frame: Vec<u8>, count: usize| frame.repeat(count);
    let rapid: Vec<u8> = (0..2_000_u32)
        .flat_map(|at| {
            [frame(HEADERS, WHOLE, at * 2 + 1, GET), frame(RESET, 0, at * 2 + 1, &[0, 0, 0, 8])].concat()
        })
        .collect();
    let endless = [frame(HEADERS, 0, 1, GET), flood(frame(CONTINUATION, 0, 1, b""), 100)].concat();
    let large = [frame(HEADERS, 0, 1, GET), flood(frame(CONTINUATION, 0, 1, &[0x82; 16_384]), 8)].concat();
    for (what, sent) in [
        ("pings", flood(frame(PING, 0, 0, &[0; 8]), 20_000)),
        ("settings", flood(frame(SETTINGS, 0, 0, b""), 20_000)),
        ("priorities", flood(frame(PRIORITY, 0, 1, &[0; 5]), 20_000)),
        ("unknown frames", flood(frame(99, 0, 0, b""), 20_000)),
        (
            "tiny room",
            [frame(HEADERS, END_HEADERS, 1, POST), flood(frame(WINDOW, 0, 1, &[0, 0, 0, 1]), 20_000)]
                .concat(),
        ),
        (
            "empty data",
            [frame(HEADERS, END_HEADERS, 1, POST), flood(frame(DATA, 0, 1, b""), 20_000)].concat(),
        ),
        ("requests given up", rapid),
        ("a header block without an end", endless),
        ("a header block of many bytes", large),
    ] {
        let gate = gate_of(|_| {}).await;
        let talk = Talk::new(&gate).await;
        let (mut reading, mut writing) = talk.0.into_split();
        let writer = tokio::spawn(async move {
            let _ = writing.write_all(&sent).await;
            writing
        });
        let mut came = Vec::new();
        let _ = reading.read_to_end(&mut came).await;
        let writing = writer.await.unwrap();
        drop(writing);
        let go_away = frame(GO_AWAY, 0, 0, &[0; 8]);
        let at =
            came.windows(9).rposition(|window| window == &go_away[..9]).unwrap_or_else(|| panic!("{what}"));
        assert_eq!(came[at + 13..at + 17], [0, 0, 0, 11], "{what}");
        gate.record.ruled("http/flood").await;
    }
}

#[tokio::test]
async fn a_bad_head_is_answered_and_the_connection_stays() {
    let gate = gate_of(|_| {}).await;
    let mut talk = Talk::new(&gate).await;
    for (stream, sent, rule) in [
        (1, frame(HEADERS, WHOLE, 1, &[GET, b"\x00\x01X\x01y"].concat()), "framing/field"),
        (3, frame(HEADERS, WHOLE, 3, &[GET, b"\x00\x0aconnection\x05close"].concat()), "framing/field"),
        (5, frame(HEADERS, WHOLE, 5, &GET[..2]), "framing/request_line"),
        (
            7,
            frame(HEADERS, END_HEADERS, 7, &[GET, b"\x00\x0econtent-length\x01x"].concat()),
            "framing/length",
        ),
    ] {
        gate.record.clear();
        talk.send(&sent).await;
        let (status, body) = talk.answer(stream).await;
        assert_eq!(status, "400", "{rule}");
        let body = String::from_utf8_lossy(&body);
        assert!(body.contains(&gate.record.one().await.id.to_string()), "{rule}: {body}");
        let event = gate.record.one().await;
        assert_eq!(
            (event.outcome, rules(&event)),
            (Outcome::Denied(Denial::Malformed), vec![rule.to_owned()])
        );
    }
    // The last one still had a body to come.
    assert_eq!(talk.until(RESET).await.code(), 0);
    talk.send(&frame(DATA, END_STREAM, 7, b"late")).await;
    talk.send(&frame(HEADERS, WHOLE, 9, GET)).await;
    assert_eq!(talk.answer(9).await.0, "200");
}

#[tokio::test]
async fn a_head_over_the_bound_is_answered_however_it_is_cut() {
    let gate = gate_of(|limits| limits.head_bytes_max = 16 * 1024).await;
    let mut talk = Talk::new(&gate).await;
    let large = [GET, b"\x00\x01x\x7f\xa1\x9b\x01", &[b'y'; 20_000]].concat();
    let (first, rest) = large.split_at(16_000);
    talk.send(&[frame(HEADERS, END_STREAM, 1, first), frame(CONTINUATION, END_HEADERS, 1, rest)].concat())
        .await;
    assert_eq!(talk.answer(1).await.0, "431");
    assert_eq!(rules(&gate.record.one().await), ["head/too_large"]);
    talk.send(&frame(HEADERS, END_STREAM, 3, &GET[..1])).await;
    talk.send(&frame(CONTINUATION, END_HEADERS, 3, &GET[1..])).await;
    assert_eq!(talk.answer(3).await.0, "200");
}

#[tokio::test]
async fn a_body_of_another_length_breaks_its_stream_alone() {
    let gate = gate_of(|_| {}).await;
    let mut talk = Talk::new(&gate).await;
    let head = [POST, b"\x00\x0econtent-length\x013"].concat();
    for (stream, frames) in [
        (1, vec![frame(DATA, END_STREAM, 1, b"ab")]),
        (3, vec![frame(DATA, 0, 3, b"abcd")]),
        (5, vec![frame(DATA, 0, 5, b"ab"), frame(HEADERS, WHOLE, 5, b"\x00\x01x\x01y")]),
        (7, vec![frame(DATA, 0, 7, b"abc"), frame(HEADERS, WHOLE, 7, b"\x84")]),
        (9, vec![frame(DATA, 0, 9, b"abc"), frame(HEADERS, END_HEADERS, 9, b"\x00\x01x\x01y")]),
    ] {
        gate.record.clear();
        talk.send(&[frame(HEADERS, END_HEADERS, stream, &head), frames.concat()].concat()).await;
        let reset = talk.until(RESET).await;
        assert_eq!((reset.stream, reset.code()), (stream, 1));
        let event = gate.record.one().await;
        assert_eq!(event.outcome, Outcome::Denied(Denial::Malformed), "{stream}");
    }
    talk.send(&[frame(HEADERS, END_HEADERS, 11, &head), frame(DATA, END_STREAM, 11, b"abc")].concat()).await;
    assert_eq!(talk.answer(11).await.0, "200");
}

#[tokio::test]
async fn more_than_the_window_breaks_the_stream() {
    let (behind, _held) = silent_behind().await;
    let mut endless = endpoint("POST /", &upstream(behind));
    endless.body_bytes_max = u64::MAX;
    let gate = gate(serving(vec![endless]));
    let mut talk = Talk::new(&gate).await;
    talk.send(&frame(HEADERS, END_HEADERS, 1, POST)).await;
    let (reading, mut writing) = talk.0.into_split();
    // Nobody reads behind the gate, so that it stops to give room once what lies in sockets is full.
    let writer = tokio::spawn(async move {
        let piece = frame(DATA, 0, 1, &[0; 16_384]);
        while writing.write_all(&piece).await.is_ok() {}
    });
    let mut reading = reading;
    let reset = loop {
        let mut head = [0; 9];
        reading.read_exact(&mut head).await.unwrap();
        let mut payload = vec![0; usize::from(head[2])];
        reading.read_exact(&mut payload).await.unwrap();
        if head[3] == RESET {
            break payload;
        }
        assert_eq!(head[3], WINDOW);
    };
    assert_eq!(reset, [0, 0, 0, 3]);
    // A writer that goes on for long enough breaks its connection too, which is an event of its own.
    assert_eq!(gate.record.ruled("body/broken").await.outcome, Outcome::Denied(Denial::Malformed));
    writer.abort();
}

/// A server that takes connections and reads nothing.
async fn silent_behind() -> (u16, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let held = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    (port, held)
}

#[tokio::test]
async fn a_stream_beyond_the_bound_is_refused_and_may_be_tried_again() {
    let (behind, _held) = silent_behind().await;
    let mut plan = serving(vec![endpoint("GET /", &upstream(behind))]);
    plan.limits.streams_max = 2;
    let gate = gate(plan);
    let mut talk = Talk::new(&gate).await;
    for stream in [1, 3, 5] {
        talk.send(&frame(HEADERS, WHOLE, stream, GET)).await;
    }
    let reset = talk.until(RESET).await;
    assert_eq!((reset.stream, reset.code()), (5, 7));
    talk.send(&frame(RESET, 0, 1, &[0, 0, 0, 8])).await;
    assert_eq!(gate.record.one().await.outcome, Outcome::ClientGone);
    talk.send(&[frame(HEADERS, WHOLE, 7, GET), frame(PING, 0, 0, b"still up")].concat()).await;
    assert_eq!((talk.next().await.unwrap().kind, gate.gateway.stats().in_flight.now()), (PING, 2));
}

#[tokio::test]
async fn an_answer_waits_for_room_and_others_pass_it() {
    let gate = gate_of(|_| {}).await;
    let mut talk = Talk::new(&gate).await;
    talk.send(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])).await;
    assert_eq!(talk.next().await.unwrap().flags, ACK);
    for stream in [1, 3] {
        talk.send(&frame(HEADERS, WHOLE, stream, GET)).await;
        let head = talk.next().await.unwrap();
        assert_eq!((head.kind, head.flags & END_STREAM), (HEADERS, 0));
    }
    talk.send(&frame(WINDOW, 0, 3, &[0, 0, 0, 1])).await;
    let data = talk.next().await.unwrap();
    assert_eq!((data.stream, data.flags, &data.payload[..]), (3, 0, &b"o"[..]));
    talk.send(&frame(WINDOW, 0, 3, &[0, 0, 0, 1])).await;
    let data = talk.next().await.unwrap();
    assert_eq!((data.stream, data.flags, &data.payload[..]), (3, END_STREAM, &b"k"[..]));
    talk.send(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 1, 0])).await;
    let mut rest = [talk.next().await.unwrap(), talk.next().await.unwrap()];
    rest.sort_by_key(|got| got.stream);
    assert_eq!((rest[0].kind, rest[1].stream, &rest[1].payload[..]), (SETTINGS, 1, &b"ok"[..]));
    gate.record.events(2).await;
}

#[tokio::test]
async fn a_client_that_waits_for_a_word_to_go_on_gets_it() {
    let gate = gate_of(|_| {}).await;
    let mut talk = Talk::new(&gate).await;
    let head = [POST, b"\x00\x06expect\x0c100-continue\x00\x0econtent-length\x013"].concat();
    talk.send(&frame(HEADERS, END_HEADERS, 1, &head)).await;
    let word = talk.next().await.unwrap();
    assert_eq!((word.kind, word.flags, &word.payload[..]), (HEADERS, END_HEADERS, &b"\x08\x03100"[..]));
    talk.send(&frame(DATA, END_STREAM, 1, b"abc")).await;
    assert_eq!(talk.answer(1).await.0, "200");
}

#[tokio::test]
async fn padding_is_no_part_of_a_body_and_takes_its_room() {
    let gate = gate_of(|_| {}).await;
    let mut talk = Talk::new(&gate).await;
    let head = [POST, b"\x00\x0econtent-length\x013"].concat();
    talk.send(&frame(HEADERS, END_HEADERS, 1, &head)).await;
    talk.send(&frame(DATA, END_STREAM | 8, 1, b"\x05abc\0\0\0\0\0")).await;
    assert_eq!(talk.answer(1).await.0, "200");
    assert_eq!(gate.record.one().await.request_bytes, 3);
}

#[tokio::test]
async fn a_draining_gate_says_so_twice_and_serves_what_was_begun() {
    let gate = gate_of(|_| {}).await;
    let mut talk = Talk::new(&gate).await;
    let drained = gate.gateway.drain(Duration::from_secs(10));
    let leave = async {
        let first = talk.until(GO_AWAY).await;
        assert_eq!((&first.payload[..4], first.code()), (&[0x7f, 0xff, 0xff, 0xff][..], 0));
        let ping = talk.until(PING).await;
        // This one was on its way already.
        talk.send(&frame(HEADERS, WHOLE, 1, GET)).await;
        assert_eq!(talk.answer(1).await.0, "200");
        talk.send(&frame(PING, ACK, 0, &ping.payload)).await;
        let last = talk.until(GO_AWAY).await;
        assert_eq!((&last.payload[..4], last.code()), (&[0, 0, 0, 1][..], 0));
        talk.send(&frame(HEADERS, WHOLE, 3, GET)).await;
        assert!(talk.next().await.is_none());
    };
    let (cut, ()) = tokio::join!(drained, leave);
    assert_eq!(cut, 0);
    gate.record.one().await;
}

/// Answers with what it was sent.
async fn echo_behind() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = hyper::service::service_fn(|request: Request<hyper::body::Incoming>| async {
                Ok::<_, std::convert::Infallible>(Response::new(request.into_body()))
            });
            let served =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(served);
        }
    });
    port
}

#[tokio::test]
async fn large_bodies_pass_both_ways_on_many_streams_at_a_time() {
    const BYTES: usize = 1_500_000;
    let upstream = upstream(echo_behind().await);
    let mut echo = endpoint("POST /", &upstream);
    echo.body_bytes_max = BYTES as u64;
    let gate = gate(serving(vec![echo]));
    let stream = TcpStream::connect(gate.gateway.addresses()["main"]).await.unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let calls = (0..8_u8).map(|number| {
        let mut sender = sender.clone();
        async move {
            let body: bytes::Bytes = (0..BYTES).map(|at| (at / 7) as u8 ^ number).collect();
            let request = Request::post("http://h/").body(Full::new(body.clone())).unwrap();
            let answer = sender.send_request(request).await.unwrap();
            assert_eq!(answer.status(), 200);
            assert!(answer.into_body().collect().await.unwrap().to_bytes() == body, "{number}");
        }
    });
    futures_util::future::join_all(calls).await;
    for event in gate.record.events(8).await {
        assert_eq!(
            (event.outcome, event.request_bytes, event.response_bytes),
            (Outcome::Served, BYTES as u64, BYTES as u64)
        );
    }
}

#[tokio::test]
async fn a_head_alone_is_answered_by_a_head_alone() {
    let gate = gate_of(|_| {}).await;
    let stream = TcpStream::connect(gate.gateway.addresses()["main"]).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::head("http://h/").body(Empty::<bytes::Bytes>::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["content-length"]), (200, &"2".parse().unwrap()));
    assert!(answer.headers().contains_key("date"));
    assert!(answer.into_body().collect().await.unwrap().to_bytes().is_empty());
    assert_eq!(gate.record.one().await.outcome, Outcome::Served);
}

#[tokio::test]
async fn an_answer_cut_off_behind_the_gate_is_reset() {
    let behind = Behind::start(|_| "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok<close>".to_owned()).await;
    let gate = gate(serving(vec![endpoint("GET /", &behind.upstream())]));
    let mut talk = Talk::new(&gate).await;
    talk.send(&frame(HEADERS, WHOLE, 1, GET)).await;
    let reset = talk.until(RESET).await;
    assert_eq!((reset.stream, reset.code()), (1, 2));
    assert_eq!(rules(&gate.record.one().await), ["upstream/cut_off"]);
}
