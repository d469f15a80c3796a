//! Refuses what rules in the ModSecurity language refuse: the OWASP CRS, and the operator's own.
//!
//! One transaction of the engine accompanies the exchange; each of the four phases is a step of the chain.

mod place;
mod telling;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use http::{HeaderMap, Method, Version, header::HOST};
use portcullis_core::{
    chain::{Guard, Phase},
    context::Context,
    event::Outcome,
    verdict::Verdict,
};
use portcullis_seclang::{Engine, Field, Intervention, RequestHead, ResponseHead, Transaction};
use smallvec::SmallVec;

use crate::inspection::{Inspection, Looked};

/// The guard's name.
const NAME: &str = "rules";

/// A compiled rule set as one operation uses it.
pub struct RuleBook {
    /// The rules.
    pub engine: Engine,
    /// What rules are told of the operation: variables of `TX`, by name.
    pub facts: Vec<(Box<str>, Arc<[u8]>)>,
    /// How much of a request's body is looked at.
    pub inspection: Inspection,
}

/// One phase of the rules.
pub struct Rules {
    book: Arc<RuleBook>,
    phase: Phase,
}

/// What rides with the exchange. Behind a lock because the last phase runs where the context can only be read.
struct Judged {
    transaction: Transaction,
    /// Matches told already.
    told: usize,
}

impl Rules {
    /// The rules of one phase; a chain has all four, or none.
    pub fn new(book: Arc<RuleBook>, phase: Phase) -> Self {
        Self { book, phase }
    }

    fn request_head(&self, cx: &mut Context) -> Verdict {
        let mut transaction = self.book.engine.transaction();
        for (name, value) in &self.book.facts {
            transaction.set_tx(name, Arc::clone(value));
        }
        let request = &cx.request;
        let target = match &request.query {
            Some(query) => format!("{}?{query}", request.path),
            None => request.path.to_string(),
        };
        let mut fields = fields(&request.headers);
        if !request.headers.contains_key(HOST) {
            fields.push((b"host", request.host.as_bytes()));
        }
        let protocol = protocol(request.version);
        let mut stop = transaction.request_head(&RequestHead {
            // What was read is what is judged: the line is put together again from its parts.
            line: b"",
            method: request.method.as_str().as_bytes(),
            uri: target.as_bytes(),
            protocol,
            fields: &fields,
            client: SocketAddr::new(cx.client.ip, cx.client.peer.port()),
            server: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        });
        // A body that is not held back leaves the rules of the second phase with what is known already.
        if stop.is_none() && !self.book.inspection.wants(cx) {
            stop = transaction.request_body(b"");
        }
        let mut judged = Judged { transaction, told: 0 };
        let verdict = judged.verdict(stop, cx, Phase::RequestHead);
        cx.notes.rules = Some(Box::new(Mutex::new(judged)));
        verdict
    }

    fn request_body(&self, cx: &mut Context) -> Verdict {
        let Some(body) = cx.request.body.clone() else { return Verdict::Pass };
        let (seen, remark) = match self.book.inspection.look(NAME, &cx.request.headers, &body) {
            Looked::Whole(seen) => (seen, None),
            Looked::Prefix(seen, remark) => (seen, Some(remark)),
            Looked::Nothing(Verdict::Flag(remark)) => (Default::default(), Some(remark)),
            Looked::Nothing(verdict) => return verdict,
        };
        let verdict = with(cx, |judged, cx| {
            let stop = judged.transaction.request_body(&seen);
            judged.verdict(stop, cx, Phase::RequestBody)
        });
        match (verdict, remark) {
            (Verdict::Pass, Some(remark)) => Verdict::Flag(remark),
            (verdict, _) => verdict,
        }
    }

    fn response_head(&self, cx: &mut Context) -> Verdict {
        with(cx, |judged, cx| {
            let Some(response) = &cx.response else { return Verdict::Pass };
            let mut stop = judged.transaction.response_head(&ResponseHead {
                status: response.status.as_u16(),
                protocol: protocol(cx.request.version),
                fields: &fields(&response.headers),
            });
            if stop.is_none() && !is_read(judged, cx) {
                stop = judged.transaction.response_body(b"");
            }
            judged.verdict(stop, cx, Phase::ResponseHead)
        })
    }

    fn response_body(&self, cx: &mut Context) -> Verdict {
        with(cx, |judged, cx| {
            let Some(body) = cx.response.as_ref().and_then(|response| response.body.clone()) else {
                return Verdict::Pass;
            };
            let stop = judged.transaction.response_body(&body);
            judged.verdict(stop, cx, Phase::ResponseBody)
        })
    }
}

impl Guard for Rules {
    fn name(&self) -> &'static str {
        NAME
    }

    fn phase(&self) -> Phase {
        self.phase
    }

    fn wants_body(&self, cx: &Context) -> bool {
        match self.phase {
            Phase::RequestHead | Phase::ResponseHead => false,
            Phase::RequestBody => self.book.inspection.wants(cx),
            Phase::ResponseBody => {
                let Some(judged) = judged(cx) else { return false };
                is_read(&judged.lock().unwrap_or_else(PoisonError::into_inner), cx)
            }
        }
    }

    fn check(&self, cx: &mut Context) -> Verdict {
        match self.phase {
            Phase::RequestHead => self.request_head(cx),
            Phase::RequestBody => self.request_body(cx),
            Phase::ResponseHead => self.response_head(cx),
            Phase::ResponseBody => self.response_body(cx),
        }
    }

    fn wants_finish(&self) -> bool {
        self.phase == Phase::RequestHead
    }

    fn finish(&self, cx: &Context, _outcome: &Outcome) {
        if let Some(judged) = judged(cx) {
            judged.lock().unwrap_or_else(PoisonError::into_inner).transaction.finish();
        }
    }
}

impl Judged {
    /// What is told of one phase: the refusal, or what matched without leading to one.
    fn verdict(&mut self, stop: Option<Intervention>, cx: &Context, phase: Phase) -> Verdict {
        let matches = self.transaction.matches();
        let fresh = matches.get(self.told..).unwrap_or_default();
        self.told = matches.len();
        match stop {
            // What earlier phases found is part of why the score is what it is.
            Some(stop) => telling::refusal(&stop, matches, cx, phase),
            None => telling::remark(fresh, cx, phase),
        }
    }
}

/// Whether the answer's body is read: where a rule asks for it, and there is one (RFC 9110 §9.3.2).
fn is_read(judged: &Judged, cx: &Context) -> bool {
    cx.request.method != Method::HEAD && cx.response.is_some() && judged.transaction.wants_response_body()
}

fn judged(cx: &Context) -> Option<&Mutex<Judged>> {
    cx.notes.rules.as_ref()?.downcast_ref()
}

/// Goes on with the exchange's transaction; passes where there is none, because its first phase did not run.
fn with(cx: &mut Context, judge: impl FnOnce(&mut Judged, &Context) -> Verdict) -> Verdict {
    let Some(kept) = cx.notes.rules.take() else { return Verdict::Pass };
    let verdict = match kept.downcast_ref::<Mutex<Judged>>() {
        Some(judged) => judge(&mut judged.lock().unwrap_or_else(PoisonError::into_inner), cx),
        None => Verdict::Pass,
    };
    cx.notes.rules = Some(kept);
    verdict
}

fn fields(headers: &HeaderMap) -> SmallVec<[Field<'_>; 24]> {
    headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes())).collect()
}

const fn protocol(version: Version) -> &'static [u8] {
    match version {
        Version::HTTP_10 => b"HTTP/1.0",
        Version::HTTP_2 => b"HTTP/2.0",
        _ => b"HTTP/1.1",
    }
}
