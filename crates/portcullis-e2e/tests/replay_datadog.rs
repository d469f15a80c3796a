//! Real traffic through the gate: calls recorded by Datadog's own client libraries, each answered by the service, against
//! Datadog's own document. Every refusal of such a call is a mistake of the document, of the recording, or of ours.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a failure here is a failed test; the summary is for people"
)]

#[path = "replay_datadog/recording.rs"]
mod recording;
#[path = "replay_datadog/summary.rs"]
mod summary;

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use portcullis_e2e::{Answer, Caller, Gate, Recorded, Upstream, corpora, shared};

use recording::{Call, recorded};
use summary::{Refusal, Side, Summary};

const DOCUMENT: &str = "datadog-v1.openapi.yaml";
/// Tells the upstream which recorded answer to give.
const CALL: &str = "x-recorded-call";
/// Tells the upstream to answer with a body that no schema allows, in the recorded answer's status and media type.
const PROBE: &str = "x-probe";

/// Answers as Datadog did.
async fn service(calls: &Arc<Vec<Call>>) -> Upstream {
    let calls = Arc::clone(calls);
    Upstream::answering(move |request: &Recorded| {
        let number: usize = request.headers[CALL].to_str().unwrap().parse().unwrap();
        let call = &calls[number];
        let probe = request.headers.contains_key(PROBE);
        let body = if probe { Bytes::from_static(b"no JSON") } else { call.answer_body() };
        let mut answer = Response::builder().status(call.status);
        if let Some(media) = &call.resp_type {
            answer = answer.header("content-type", media);
        }
        answer.body(Full::new(body)).expect("an answer")
    })
    .await
}

async fn send(caller: &mut Caller, number: usize, call: &Call, probe: bool) -> Answer {
    let number = number.to_string();
    let mut headers = vec![("host", call.host.as_str()), (CALL, &number)];
    headers.extend(call.req_type.as_deref().map(|media| ("content-type", media)));
    if probe {
        headers.push((PROBE, "1"));
    }
    caller.call(call.method(), &call.path, &headers, call.request_body()).await
}

/// Reads the document again, as changed by a comment, and returns what the gate says of it.
fn reload(gate: &Gate, document: &str) -> String {
    gate.write(DOCUMENT, format!("{document}\n# changed\n"));
    let output = gate.reload();
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    output.stdout.trim().to_owned()
}

#[tokio::test]
async fn recorded_calls_of_datadog_conform_to_its_document() {
    let (Some(shared), Some(corpora)) = (shared(), corpora()) else { return };
    let document = std::fs::read_to_string(shared.join("corpora").join(DOCUMENT)).expect("the document");
    let calls = Arc::new(recorded(&corpora));
    let upstream = service(&calls).await;
    let config = format!(
        "
listen: 127.0.0.1:0
admin: {{ address: 127.0.0.1:0 }}
tls: off
apis:
  datadog:
    spec: {DOCUMENT}
    upstream: {}
    auth: anonymous
    schema: {{ request: block, response: block }}
",
        upstream.url()
    );
    let gate = Gate::new(&config).file(DOCUMENT, &document).argument("--no-watch").start().await;
    let mut summary = Summary { loaded: reload(&gate, &document), calls: calls.len(), ..Summary::default() };

    let mut caller = Caller::of(gate.address());
    // Whether the document says anything of an operation's answer of some status and media type.
    let mut judged: BTreeMap<(String, u16, Option<String>), bool> = BTreeMap::new();
    let mut references = Vec::new();
    for (number, call) in calls.iter().enumerate() {
        if call.request_is_cut() {
            // Not counted, but a control: half a body must not pass.
            let before = upstream.seen_count();
            let answer = send(&mut caller, number, call, false).await;
            assert_eq!((answer.status, upstream.seen_count()), (400, before), "{call:?}");
            summary.requests_cut += 1;
            continue;
        }
        summary.requests_judged += 1;
        let before = upstream.seen_count();
        let answer = send(&mut caller, number, call, false).await;
        if upstream.seen_count() == before {
            references.push((Side::Request, number, answer.reference()));
            continue;
        }
        summary.requests_conform += 1;
        if call.answer_is_cut() {
            summary.answers_cut += 1;
            continue;
        }
        if call.answer_is_empty() {
            summary.answers_empty += 1;
            continue;
        }
        let declared = (call.operation(), call.status, call.resp_type.clone());
        if !judged.contains_key(&declared) {
            let is_judged = send(&mut caller, number, call, true).await.status == 502;
            judged.insert(declared.clone(), is_judged);
        }
        if !judged[&declared] {
            assert_eq!(answer.status, call.status, "an answer that is not judged passes: {call:?}");
            summary.undeclared(call);
            continue;
        }
        summary.answers_judged += 1;
        if answer.status == 502 {
            references.push((Side::Answer, number, answer.reference()));
            continue;
        }
        assert_eq!(answer.status, call.status, "{call:?}");
        assert_eq!(answer.body, call.answer_body(), "an answer that conforms passes as it is");
        summary.answers_conform += 1;
    }

    let events = gate.events(summary.calls).await;
    let events: BTreeMap<&str, _> = events.iter().filter_map(|it| Some((it["id"].as_str()?, it))).collect();
    for (side, number, reference) in references {
        summary.refused.push(Refusal::of(side, &calls[number], events[reference.as_str()]));
    }
    println!("{summary}");

    assert!(summary.calls > 700, "{} calls", summary.calls);
    assert!(summary.requests_conform * 100 >= summary.requests_judged * 99, "99 % of the requests conform");
    assert!(summary.answers_judged > 250, "{} answers", summary.answers_judged);
    assert!(summary.answers_conform * 100 >= summary.answers_judged * 95, "95 % of the answers conform");
    let unexplained: Vec<_> = summary.refused.iter().filter(|it| it.fault().is_none()).collect();
    assert!(unexplained.is_empty(), "refusals that nobody has looked into: {unexplained:#?}");
}
