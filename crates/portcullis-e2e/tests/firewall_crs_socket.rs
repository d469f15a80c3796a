//! The regression suite of the OWASP Core Rule Set over a socket: the cases that survive strict HTTP, against the running
//! gate. What the gate refuses before any rule, or reads otherwise than it was sent, is counted by reason. What has passed
//! once must pass; `PORTCULLIS_ACCEPT=1` adds what passes now to the list.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a failure here is a failed test"
)]

#[path = "firewall_crs_socket/wire.rs"]
mod wire;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use portcullis_e2e::{Gate, Recorded, Upstream, shared};
use portcullis_ftw::{
    backend,
    cases::{Case, CaseId, Output},
    client,
    expect::{self, Outcome},
    files,
    front::{self, Received},
    id_list,
};
use serde_json::Value;

/// The limits and methods that the suite's authors test with; the CRS leaves them to the operator.
const SETUP: &str = r#"
SecAction "id:10,phase:1,pass,nolog,setvar:tx.max_num_args=255,setvar:tx.arg_name_length=100,setvar:tx.arg_length=400"
SecAction "id:11,phase:1,pass,nolog,setvar:tx.total_arg_length=6400,setvar:tx.max_file_size=64100,setvar:tx.combined_file_sizes=65535"
SecAction "id:12,phase:1,pass,nolog,setvar:'tx.allowed_methods=GET HEAD POST OPTIONS'"
"#;

/// Rules that add up what others have found. The record tells what was found, and no machinery.
const MACHINERY: [u64; 3] = [949, 959, 980];

/// Cases that expect one particular server's reading, as the suite's run in process declares them too.
const DECLARED: [(CaseId, &str); 1] =
    [(CaseId { rule: 920_620, test: 1 }, "expects one Content-Type where two were sent, as Apache hands on")];

/// One exchange of a case.
struct Exchange {
    sent: Vec<u8>,
    answer: wire::Answer,
    /// What reached the upstream, if anything did.
    arrived: Option<Recorded>,
}

/// What became of a case.
enum Fate {
    Passed,
    /// Strict HTTP, or what the record holds, keeps it from being judged; why.
    Unjudged(String),
    Failed(String),
}

#[tokio::test]
async fn what_survives_strict_http_passes_over_a_socket() {
    let Some(shared) = shared() else { return };
    let crs = shared.join("crs").canonicalize().unwrap();
    let mut cases =
        files::load(&[crs.join("regression/tests")]).unwrap_or_else(|errors| panic!("{errors:#?}"));
    cases.retain(|case| case.file.ends_with(".yaml"));
    let upstream = Upstream::answering(answer).await;
    let gate = gate(&crs, &upstream).await;

    let mut exchanges = Vec::new();
    for case in &cases {
        exchanges.push(run(gate.address(), &upstream, case).await);
    }
    let events = Events::read(&gate, exchanges.iter().flatten()).await;

    let (mut passed, mut failed) = (BTreeSet::new(), Vec::new());
    let mut unjudged: BTreeMap<String, usize> = BTreeMap::new();
    for (case, exchanges) in cases.iter().zip(&exchanges) {
        match judge(case, exchanges, &events) {
            Fate::Passed => drop(passed.insert(case.id)),
            Fate::Unjudged(why) => *unjudged.entry(why).or_default() += 1,
            Fate::Failed(why) => failed.push(format!("{}: {why}", case.id)),
        }
    }
    let counted: usize = unjudged.values().sum();
    eprintln!(
        "{} cases sent: {} passed, {counted} not judged, {} failed",
        cases.len(),
        passed.len(),
        failed.len()
    );
    unjudged.iter().for_each(|(why, count)| eprintln!("  {count:>4}  {why}"));
    failed.iter().for_each(|it| eprintln!("  failed  {it}"));
    hold_against_the_list(&passed);
    assert!(failed.is_empty(), "{} cases fail without a reason of HTTP's", failed.len());
}

/// What has passed once must pass.
fn hold_against_the_list(passed: &BTreeSet<CaseId>) {
    let list = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/firewall_crs_socket/passing.txt"));
    let kept = id_list::parse(&fs::read_to_string(&list).unwrap()).unwrap();
    if std::env::var_os("PORTCULLIS_ACCEPT").is_some() {
        fs::write(&list, id_list::write(&kept.union(passed).copied().collect())).unwrap();
    }
    assert!(!kept.is_empty(), "no case has ever passed");
    let lost: Vec<String> = kept.difference(passed).map(ToString::to_string).collect();
    assert!(lost.is_empty(), "{} cases no longer pass: {}", lost.len(), lost.join(" "));
}

/// Every rule runs and none refuses, so that the answer's rules have their say too.
async fn gate(crs: &Path, upstream: &Upstream) -> Gate {
    let config = format!(
        "
listen: 127.0.0.1:0
admin: {{ address: 127.0.0.1:0 }}
tls: off
firewall:
  attacks: off
  rules: [files: [setup.conf], crs: {}]
  rules_mode: report
  paranoia: 4
  inbound_threshold: 1000000
  outbound_threshold: 1000000
apis:
  any: {{ spec: none, auth: anonymous, upstream: {} }}
",
        crs.display(),
        upstream.url()
    );
    Gate::new(&config).file("setup.conf", SETUP).start().await
}

/// The suite's backend.
fn answer(request: &Recorded) -> Response<Full<Bytes>> {
    let received = Received {
        method: request.method.as_str().into(),
        target: request.target.clone().into(),
        body: request.body.to_vec(),
        ..Received::default()
    };
    let answer = backend::answer(&received);
    let mut response = Response::builder().status(answer.status);
    // The server counts the bytes itself.
    for (name, value) in answer.fields.iter().filter(|(name, _)| name != "Content-Length" && name != "Date") {
        response = response.header(name, value);
    }
    response.body(Full::new(answer.body.into())).expect("the suite asks for answers that can be sent")
}

/// Sends the stages of a case one after the other.
async fn run(address: SocketAddr, upstream: &Upstream, case: &Case) -> Vec<Exchange> {
    let mut exchanges = Vec::new();
    for stage in &case.stages {
        let before = upstream.seen_count();
        let sent = client::request(&stage.input);
        let answer = wire::send(address, &sent).await;
        exchanges.push(Exchange { sent, answer, arrived: upstream.seen_from(before).into_iter().next() });
    }
    exchanges
}

/// The record, by what ties an exchange to it.
struct Events {
    by_trace: HashMap<String, Value>,
    by_reference: HashMap<String, Value>,
}

impl Events {
    async fn read(gate: &Gate, exchanges: impl Iterator<Item = &Exchange>) -> Self {
        let count = exchanges.filter(|it| it.arrived.is_some() || it.answer.reference().is_some()).count();
        let mut events = Self { by_trace: HashMap::new(), by_reference: HashMap::new() };
        for event in gate.events(count).await {
            if let Some(trace) = event["trace"].as_str() {
                events.by_trace.insert(trace.to_owned(), event);
            } else if let Some(id) = event["id"].as_str() {
                events.by_reference.insert(id.to_owned(), event);
            }
        }
        events
    }

    fn of(&self, exchange: &Exchange) -> Option<&Value> {
        match &exchange.arrived {
            Some(arrived) => {
                // `version-trace-parent-flags` (W3C Trace Context).
                let parent = arrived.headers.get("traceparent")?.to_str().ok()?;
                self.by_trace.get(parent.split('-').nth(1)?)
            }
            None => self.by_reference.get(&exchange.answer.reference()?),
        }
    }
}

fn judge(case: &Case, exchanges: &[Exchange], events: &Events) -> Fate {
    for (stage, exchange) in case.stages.iter().zip(exchanges) {
        let event = events.of(exchange);
        let outcome = Outcome {
            status: exchange.answer.status,
            ids: event.map(rules).unwrap_or_default(),
            body: exchange.answer.body.clone(),
            lines: Vec::new(),
        };
        let differences = expect::differences(&stage.output, &outcome);
        // Nothing of a rule's may count as passed where no rule had its say.
        let is_blind = exchange.arrived.is_none() && stage.output.status.is_none();
        if differences.is_empty() && !is_blind {
            continue;
        }
        let declared = DECLARED.iter().find(|(id, _)| *id == case.id).map(|(_, why)| (*why).to_owned());
        return match declared.or_else(|| why_not(&stage.output, exchange, event)) {
            Some(why) => Fate::Unjudged(why),
            None => Fate::Failed(format!("{}; on record: {:?}", differences.join(", "), outcome.ids)),
        };
    }
    Fate::Passed
}

/// Every rule that an event names.
fn rules(event: &Value) -> Vec<u64> {
    let mut ids = Vec::new();
    let mut add = |name: &Value| {
        ids.extend(name.as_str().and_then(|it| it.strip_prefix("rules/")?.parse::<u64>().ok()));
    };
    for reason in event["reasons"].as_array().into_iter().flatten() {
        add(&reason["rule"]);
        reason["evidence"].as_array().into_iter().flatten().for_each(|it| add(&it["rule"]));
        reason["others"].as_array().into_iter().flatten().for_each(&mut add);
    }
    ids
}

/// Why a case cannot come out as it does before a lenient server; `None` where it should.
fn why_not(expected: &Output, exchange: &Exchange, event: Option<&Value>) -> Option<String> {
    let Some(arrived) = &exchange.arrived else {
        let Some(status) = exchange.answer.status else {
            return Some("no answer: the request breaks off".to_owned());
        };
        let last = event.and_then(|it| it["reasons"].as_array()?.last());
        let why = last.map_or("", |it| it["rule"].as_str().unwrap_or_default());
        return Some(format!("refused by strict HTTP: {status} {why}"));
    };
    if expected.patterns().next().is_some() || expected.unwanted_patterns().next().is_some() {
        return Some("asks for the text of a log line".to_owned());
    }
    if expected.log.expect_ids.iter().any(|id| MACHINERY.contains(&(id / 1_000))) {
        return Some("asks for the machinery of the rule set, which the record leaves out".to_owned());
    }
    changed_on_the_way(&exchange.sent, arrived)
        .map(|what| format!("reached the rules otherwise than sent: {what}"))
}

/// What of a request the gate had read in its one way before any rule saw it.
fn changed_on_the_way(sent: &[u8], arrived: &Recorded) -> Option<&'static str> {
    let sent = front::read(sent).ok()?;
    let values = |name: &str| -> Vec<&[u8]> {
        let own = sent.fields.iter().filter(|(it, _)| it.eq_ignore_ascii_case(name.as_bytes()));
        own.map(|(_, value)| value.as_slice()).collect()
    };
    if sent.target != arrived.target.as_bytes() {
        return Some("the target");
    }
    if sent.body != arrived.body[..] {
        return Some("the body");
    }
    // The connection's own fields end at the gate, which puts the host there that was asked for.
    if values("host").is_empty() {
        return Some("no host");
    }
    if !values("connection").iter().all(|it| [&b"close"[..], b"keep-alive"].contains(it)) {
        return Some("the connection's options");
    }
    let names: BTreeSet<String> =
        sent.fields.iter().map(|(name, _)| String::from_utf8_lossy(name).to_ascii_lowercase()).collect();
    let differs = names.iter().find(|name| {
        let seen: Vec<&[u8]> =
            arrived.headers.get_all(name.as_str()).iter().map(|it| it.as_bytes()).collect();
        !["connection", "keep-alive", "host"].contains(&name.as_str()) && values(name) != seen
    });
    differs.map(|_| "a header field")
}
