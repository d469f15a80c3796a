//! Plain HTTP: parameters into target and header fields, bodies into their media type.

use std::sync::Arc;

use super::{Answer, Outcome, Received, Request, Uncomposable};
use crate::{call::Call, identity::Session, model::Model};

/// Composes a call of plain HTTP.
pub(super) fn compose(_model: &Model, _call: &Call, _session: &Session) -> Result<Request, Uncomposable> {
    Err(Uncomposable::UnknownOperation)
}

/// Reads an answer of plain HTTP.
pub(super) fn read(_model: &Model, _call: &Call, request: Arc<Request>, received: Received) -> Answer {
    let Received { status, headers, body, truncated, micros, fault } = received;
    let json = serde_json::from_slice(&body).ok();
    Answer {
        request,
        status,
        headers,
        body,
        truncated,
        json,
        outcome: Outcome::of_status(status),
        micros,
        fault,
    }
}
