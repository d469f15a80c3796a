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

/// Sends the bytes and tells what came of it. `open` begins the judgement of the request as it was read, and says what its
/// orders to stop do; `None` where no rules judge it. `answer` is the backend's where that is said beforehand.
pub fn run(
    bytes: &[u8],
    answer: Option<&Answer>,
    open: &mut dyn FnMut(&Received) -> Option<(Transaction, Stops)>,
) -> Outcome {
    let Ok(request) = front::read(bytes) else {
        return Outcome { status: Some(400), ..Outcome::default() };
    };
    let mut outcome = Outcome::default();
    let Some((mut transaction, stops)) = open(&request) else {
        serve(&request, answer, &mut outcome);
        return outcome;
    };
    let mut stopped = judge_request(&mut transaction, &request);
    if stopped.is_none() || stops == Stops::Reported {
        let answer = serve(&request, answer, &mut outcome);
        stopped = stopped.or_else(|| judge_answer(&mut transaction, &answer?));
    } else {
        outcome.status = served_status(&request);
    }
    transaction.finish();
    if let Some(intervention) = stopped.filter(|_| stops == Stops::Enforced) {
        outcome.status = Some(intervention.status);
        outcome.body.clear();
    }
    let matches = transaction.matches();
    outcome.ids = matches.iter().map(|it| it.id).collect();
    outcome.lines = matches.iter().map(log_line).collect();
    outcome
}

/// What the client gets where no rule stops anything; the answer that the backend gave, if it was asked.
fn serve(request: &Received, answer: Option<&Answer>, outcome: &mut Outcome) -> Option<Answer> {
    outcome.status = served_status(request);
    if request.service != Service::Served {
        return None;
    }
    let answer = answer.cloned().unwrap_or_else(|| backend::answer(request));
    outcome.status = Some(answer.status);
    outcome.body.clone_from(&answer.body);
    Some(answer)
}

/// The status by the server alone; `None` where what it answers is no HTTP of today.
fn served_status(request: &Received) -> Option<u16> {
    match request.service {
        Service::Served => Some(200),
        Service::Refused => Some(400),
        Service::Headless => None,
    }
}

fn judge_request(transaction: &mut Transaction, request: &Received) -> Option<Intervention> {
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
    transaction.request_head(&head).or_else(|| transaction.request_body(&request.body))
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use portcullis_seclang::{
        CompileOptions, Engine, Ports,
        source::{NoFiles, Source},
    };

    use super::*;

    const RULES: &str = r#"
SecResponseBodyAccess On
SecRule ARGS:q "@contains bad" "id:1,phase:1,deny,status:403,msg:'A bad word',tag:'words'"
SecRule RESPONSE_BODY "@contains oops" "id:2,phase:4,deny,status:502,msg:'A fault'"
SecRule RESPONSE_STATUS "@streq 200" "id:3,phase:5,pass,log"
"#;

    struct Nothing;

    impl portcullis_seclang::Clock for Nothing {
        fn unix_micros(&self) -> u64 {
            0
        }
    }

    impl portcullis_seclang::UniqueIds for Nothing {
        fn unique_id(&self) -> String {
            String::new()
        }
    }

    fn sent(target: &str, answer: Option<&Answer>, stops: Stops) -> Outcome {
        let ports =
            Ports { clock: Arc::new(Nothing), ids: Arc::new(Nothing), collections: None, outside: None };
        let rules = portcullis_seclang::load(&[Source::new("own.conf", RULES)], &NoFiles).unwrap();
        let engine = Engine::compile(rules, &NoFiles, ports, &CompileOptions::default()).unwrap();
        let bytes = format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n");
        run(bytes.as_bytes(), answer, &mut |_| Some((engine.transaction(), stops)))
    }

    #[test]
    fn what_is_enforced_ends_the_exchange() {
        let outcome = sent("/?q=bad", None, Stops::Enforced);
        assert_eq!((outcome.status, &outcome.ids[..]), (Some(403), &[1][..]));
        let line = String::from_utf8(outcome.lines[0].clone()).unwrap();
        assert!(line.contains(r#"[id "1"]"#) && line.contains(r#"[tag "words"]"#), "{line}");
        let fault = Answer::new(200, Vec::new(), b"oops".to_vec());
        let outcome = sent("/", Some(&fault), Stops::Enforced);
        assert_eq!((outcome.status, &outcome.ids[..], outcome.body.len()), (Some(502), &[2, 3][..], 0));
    }

    #[test]
    fn what_is_reported_lets_the_answer_out() {
        let answer = Answer::new(201, Vec::new(), b"made".to_vec());
        let outcome = sent("/?q=bad", Some(&answer), Stops::Reported);
        assert_eq!(
            (outcome.status, &outcome.ids[..], &outcome.body[..]),
            (Some(201), &[1][..], &b"made"[..])
        );
        let outcome = sent("/?q=good", None, Stops::Reported);
        assert_eq!((outcome.status, &outcome.ids[..]), (Some(200), &[3][..]));
    }

    #[test]
    fn what_no_rules_judge_is_answered() {
        let outcome = run(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", None, &mut |_| None);
        assert_eq!((outcome.status, outcome.ids.len()), (Some(200), 0));
        assert_eq!(run(b"GET / HTTP/1.1\r\nA\r\n\r\n", None, &mut |_| None).status, Some(400));
    }
}
