//! The end of an exchange: guards are told, places given back, one record made.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::Bytes;
use http::{HeaderValue, Response, Version};
use portcullis_core::{
    event::{Event, Outcome, Protocol, Tally, UpstreamFault},
    id::ReferenceId,
    verdict::{Denial, Reason, RuleId, Severity},
};

use super::Exchange;
use crate::{chance, connection::Connection, denied, forwarded::X_REQUEST_ID, listener::Stage};

impl Exchange {
    /// Counts bytes of the answer's body handed to the connection.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.response_bytes += bytes as u64;
    }

    /// The answer's body has come to its end.
    pub(crate) fn sent_whole(&mut self) {
        self.outcome.get_or_insert(Outcome::Served);
    }

    /// The upstream was lost in the middle of the answer's body. The client has had its status by then, so the reason
    /// is all that tells the operator what became of the rest.
    pub(crate) fn cut_off(&mut self, detail: String) {
        if self.outcome.is_none() {
            self.outcome = Some(Outcome::UpstreamFailed(UpstreamFault::CutOff));
            self.remark(Reason::new(RuleId::new("upstream/cut_off"), Severity::Medium, detail));
        }
    }

    /// What a tunnel moved, which counts as bodies.
    pub(crate) fn moved(&mut self, from_client: u64, to_client: u64) {
        self.tunnel_bytes = from_client;
        self.response_bytes = to_client;
        self.sent_whole();
    }

    /// Ends when the listener cuts what is left of its connections.
    pub(crate) fn closing(&self) -> impl Future<Output = ()> + use<> {
        let listener = Arc::clone(&self.connection.listener);
        async move {
            loop {
                let changed = listener.drain.changed();
                if listener.drain.stage() == Stage::Closing {
                    return;
                }
                changed.await;
            }
        }
    }

    fn ended_as(&self) -> Outcome {
        if std::thread::panicking() {
            return Outcome::Panicked;
        }
        if let Some(outcome) = self.outcome {
            return outcome;
        }
        // A connection may stop asking for more once it has the declared length.
        if self.status != 0 && self.response_bytes_expected == Some(self.response_bytes) {
            return Outcome::Served;
        }
        match self.intake.as_ref().and_then(|intake| intake.fault()) {
            Some(fault) if self.status == 0 => Outcome::Denied(fault.denial()),
            Some(_) | None => Outcome::ClientGone,
        }
    }

    /// Whether the call went as calls should, so that an operator may not want to read of it.
    fn went_plainly(&self, outcome: Outcome) -> bool {
        matches!(outcome, Outcome::Served | Outcome::Answered)
            && self.status < 500
            && self.cx.notes.reasons.is_empty()
    }

    fn took_micros(&self) -> u64 {
        let now = self.connection.listener.world.clock.now();
        u64::try_from(now.since(self.cx.now).as_micros()).unwrap_or(u64::MAX)
    }

    fn request_bytes(&self) -> u64 {
        self.intake.as_ref().map_or(self.tunnel_bytes, |intake| intake.bytes())
    }

    fn tally(&mut self, outcome: Outcome) -> Tally {
        Tally {
            took_micros: self.took_micros(),
            request_bytes: self.request_bytes(),
            api: self.api.take(),
            operation: self.cx.operation.take(),
            outcome,
            status: self.status,
            upstream_micros: self.upstream_micros,
            response_bytes: self.response_bytes,
        }
    }

    fn event(&mut self, outcome: Outcome) -> Event {
        let (took_micros, request_bytes) = (self.took_micros(), self.request_bytes());
        let cx = &mut self.cx;
        let operation = cx.operation.as_ref();
        Event {
            id: cx.reference,
            at: cx.now,
            took_micros,
            upstream_micros: self.upstream_micros,
            listener: Arc::clone(&cx.client.listener),
            client: cx.client.ip,
            protocol: protocol(cx.request.version),
            tls: cx.client.tls.is_some(),
            host: std::mem::take(&mut cx.request.host),
            method: cx.request.method.as_str().into(),
            path: std::mem::take(&mut cx.request.path),
            api: operation.map(|it| Arc::clone(&it.api)).or_else(|| self.api.take()),
            operation: operation.map(|it| Arc::clone(&it.id)),
            template: operation.map(|it| Arc::clone(&it.template)),
            principal: cx.notes.principal.take(),
            outcome,
            status: if outcome == Outcome::Panicked && self.status == 0 { 503 } else { self.status },
            reasons: std::mem::take(&mut cx.notes.reasons),
            request_bytes,
            response_bytes: self.response_bytes,
            upstream: self.upstream.take(),
            trace: self.trace.take(),
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let outcome = self.ended_as();
        if let Some(endpoint) = self.endpoint.take() {
            // A second panic while unwinding would end the process.
            let told = catch_unwind(AssertUnwindSafe(|| endpoint.chain.finish(&self.cx, &outcome)));
            if told.is_err() {
                tracing::error!(operation = %endpoint.operation.id, "a guard panicked at the end of an exchange");
            }
        }
        let world = Arc::clone(&self.connection.listener.world);
        if outcome == Outcome::Panicked {
            world.stats.panics.add();
        }
        world.stats.in_flight.fall();
        self.connection.ended();
        if self.went_plainly(outcome) && !world.recorder.keeps_served() {
            world.recorder.count(self.tally(outcome));
        } else {
            world.recorder.record(self.event(outcome));
        }
    }
}

/// Records a message that was refused before it became an exchange; the answer to it, where one can be given.
pub(crate) fn refused(
    connection: &Connection,
    version: Version,
    denial: Denial,
    reason: Reason,
) -> Response<Bytes> {
    let listener = &connection.listener;
    let world = &listener.world;
    let now = world.clock.now();
    world.stats.malformed.add();
    let reference = ReferenceId::new(now, chance::draw(&*world.entropy));
    world.recorder.record(Event {
        id: reference,
        at: now,
        took_micros: 0,
        upstream_micros: None,
        listener: Arc::clone(&listener.name),
        client: connection.peer.ip().to_canonical(),
        protocol: protocol(version),
        tls: connection.tls.is_some(),
        host: Box::default(),
        method: Box::default(),
        path: Box::default(),
        api: None,
        operation: None,
        template: None,
        principal: None,
        outcome: Outcome::Denied(denial),
        status: denial.status(),
        reasons: vec![reason],
        request_bytes: 0,
        response_bytes: 0,
        upstream: None,
        trace: None,
    });
    let mut answer = denied::response(denial, denied::Told::of_no_exchange(reference, version));
    if let Ok(reference) = HeaderValue::from_str(&reference.to_string()) {
        answer.headers_mut().insert(X_REQUEST_ID, reference);
    }
    answer
}

fn protocol(version: Version) -> Protocol {
    if version == Version::HTTP_2 {
        Protocol::H2
    } else if version == Version::HTTP_10 {
        Protocol::Http10
    } else {
        Protocol::Http11
    }
}
