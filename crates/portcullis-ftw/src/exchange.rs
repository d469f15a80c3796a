//! One exchange from the client's bytes to the log: the server, the engine, the backend.

use std::net::SocketAddr;

use portcullis_seclang::{Intervention, RequestHead, ResponseHead, RuleMatch, Transaction};

use crate::{
    backend::{self, Answer},
    expect::Outcome,
    front::{self, Received, Service},
};

/// What a rule's order to stop an exchange does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stops {
    /// The exchange ends with the status that the rule says.
    Enforced,
    /// It is logged, and the answer goes out; the rules have had their say all the same.
    Reported,
}

/// Sends the bytes and tells what came of it. `open` begins the judgement of the request as it was read; `answer` is the
/// backend's where that is said beforehand.
pub fn run(
    bytes: &[u8],
    answer: Option<&Answer>,
    stops: Stops,
    open: &mut dyn FnMut(&Received) -> Transaction,
) -> Outcome {
    let Ok(request) = front::read(bytes) else {
        return Outcome { status: Some(400), ..Outcome::default() };
    };
    let fields = request.field_slices();
    let head = RequestHead {
        line: &request.line,
        method: &request.method,
        uri: &request.target,
        protocol: &request.protocol,
        fields: &fields,
        client: SocketAddr::from(([127, 0, 0, 1], 50_000)),
        server: SocketAddr::from(([127, 0, 0, 1], 80)),
    };
    let mut transaction = open(&request);
    let mut stopped = transaction.request_head(&head).or_else(|| transaction.request_body(&request.body));
    let mut status = match request.service {
        Service::Served => Some(200),
        Service::Refused => Some(400),
        Service::Headless => None,
    };
    let mut body = Vec::new();
    let is_forwarded = stopped.is_none() || stops == Stops::Reported;
    if is_forwarded && request.service == Service::Served {
        let answer = answer.cloned().unwrap_or_else(|| backend::answer(&request));
        if stopped.is_none() {
            stopped = judge_answer(&mut transaction, &answer);
        }
        status = Some(answer.status);
        body = answer.body;
    }
    transaction.finish();
    if let Some(intervention) = stopped.filter(|_| stops == Stops::Enforced) {
        status = Some(intervention.status);
        body.clear();
    }
    let matches = transaction.matches();
    Outcome {
        status,
        ids: matches.iter().map(|it| it.id).collect(),
        lines: matches.iter().map(log_line).collect(),
        body,
    }
}

fn judge_answer(transaction: &mut Transaction, answer: &Answer) -> Option<Intervention> {
    let fields: Vec<_> =
        answer.fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let head = ResponseHead { status: answer.status, protocol: b"HTTP/1.1", fields: &fields };
    transaction.response_head(&head).or_else(|| {
        if transaction.wants_response_body() { transaction.response_body(&answer.body) } else { None }
    })
}

/// A match as ModSecurity writes it into the error log, which is the form that the cases' patterns know.
fn log_line(found: &RuleMatch) -> Vec<u8> {
    let mut line = format!("ModSecurity: Warning. Matched phase {} at ", found.phase).into_bytes();
    line.extend_from_slice(&found.variable);
    line.extend_from_slice(format!(". [id \"{}\"]", found.id).as_bytes());
    let mut part = |name: &str, value: &[u8]| {
        line.extend_from_slice(format!(" [{name} \"").as_bytes());
        line.extend_from_slice(value);
        line.extend_from_slice(b"\"]");
    };
    part("msg", &found.message);
    part("data", &found.logdata);
    for tag in &found.tags {
        part("tag", tag);
    }
    // One match is one line: what the rules quote may hold line ends.
    line.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
    line
}
