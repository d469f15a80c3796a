//! One exchange from the client's bytes to the log: the server, the engine, the backend.

use std::net::SocketAddr;

use portcullis_seclang::{Engine, RequestHead, ResponseHead, RuleMatch};

use super::{
    backend,
    expect::Outcome,
    front::{self, Service},
};

/// Sends the bytes and tells what came of it.
pub fn run(engine: &Engine, bytes: &[u8]) -> Outcome {
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
    let mut transaction = engine.transaction();
    let mut stopped = transaction.request_head(&head).or_else(|| transaction.request_body(&request.body));
    let mut status = match request.service {
        Service::Served => Some(200),
        Service::Refused => Some(400),
        Service::Headless => None,
    };
    if stopped.is_none() && request.service == Service::Served {
        let answer = backend::answer(&request);
        let fields: Vec<_> =
            answer.fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let head = ResponseHead { status: answer.status, protocol: b"HTTP/1.1", fields: &fields };
        stopped = transaction.response_head(&head).or_else(|| {
            if transaction.wants_response_body() { transaction.response_body(&answer.body) } else { None }
        });
        status = Some(answer.status);
    }
    transaction.finish();
    if let Some(intervention) = stopped {
        status = Some(intervention.status);
    }
    let matches = transaction.matches();
    Outcome {
        status,
        ids: matches.iter().map(|it| it.id).collect(),
        lines: matches.iter().map(log_line).collect(),
    }
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
