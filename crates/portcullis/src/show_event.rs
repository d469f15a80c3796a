//! An event as a line for people.

use jiff::{Timestamp as Moment, tz::TimeZone};
use portcullis_core::{
    clock::Timestamp,
    event::{Event, Outcome, UpstreamFault},
    verdict::{Place, Reason},
};

/// One line: when, status, call, caller, time taken; for a refusal the rule, the place and the reference.
pub(crate) fn line(event: &Event) -> String {
    let who = event.principal.as_ref().map_or_else(|| event.client.to_string(), |it| it.id.to_string());
    let millis = event.took_micros as f64 / 1_000.0;
    let mut line = format!(
        "{}  {:>3}  {:<6} {}  {who}  {millis:.1} ms",
        clock(event.at),
        event.status,
        event.method,
        event.path
    );
    match event.outcome {
        Outcome::Served | Outcome::Answered => (),
        Outcome::Denied(denial) => line.push_str(&format!("  {}", denial.word())),
        Outcome::UpstreamFailed(fault) => {
            line.push_str(&format!("  upstream failed: {}", fault_words(fault)));
        }
        Outcome::ClientGone => line.push_str("  client gone"),
        Outcome::Panicked => line.push_str("  DEFECT: a guard panicked"),
    }
    if let Some(reason) = telling(event) {
        let would = if reason.reported_only { "would refuse: " } else { "" };
        line.push_str(&format!("  {would}{}", short(reason)));
    }
    if !event.reasons.is_empty() {
        line.push_str(&format!("  [{}]", event.id));
    }
    line
}

/// How an upstream failed, in the operator's words.
pub(crate) const fn fault_words(fault: UpstreamFault) -> &'static str {
    match fault {
        UpstreamFault::NoServer => "no server is healthy",
        UpstreamFault::Connect => "no connection",
        UpstreamFault::Tls => "no TLS",
        UpstreamFault::Timeout => "too slow",
        UpstreamFault::Reset => "connection lost before the answer",
        UpstreamFault::Nonsense => "the answer is not HTTP",
        UpstreamFault::CutOff => "connection lost within the answer",
        UpstreamFault::Overloaded => "no room for another connection",
    }
}

/// The reason that decided: the last one for a refusal, the first reported one otherwise.
pub(crate) fn telling(event: &Event) -> Option<&Reason> {
    match event.outcome {
        Outcome::Denied(_) => {
            event.reasons.iter().rev().find(|it| !it.reported_only).or(event.reasons.last())
        }
        _ => event.reasons.iter().find(|it| it.reported_only).or(event.reasons.first()),
    }
}

/// Rule, place and message of a reason.
pub(crate) fn short(reason: &Reason) -> String {
    match reason.evidence.first() {
        Some(evidence) => {
            format!("{} at {}: {}", reason.rule.as_str(), place(&evidence.place), reason.message)
        }
        None => format!("{}: {}", reason.rule.as_str(), reason.message),
    }
}

/// A place in the operator's words.
pub(crate) fn place(place: &Place) -> String {
    match place {
        Place::Connection => "the connection".to_owned(),
        Place::Method => "the method".to_owned(),
        Place::Path => "the path".to_owned(),
        Place::PathParameter(name) => format!("path parameter `{name}`"),
        Place::Query(name) => format!("query parameter `{name}`"),
        Place::Header(name) => format!("header `{name}`"),
        Place::Cookie(name) => format!("cookie `{name}`"),
        Place::Body(pointer) if pointer.is_empty() => "the body".to_owned(),
        Place::Body(pointer) => format!("body `{pointer}`"),
        Place::ResponseStatus => "the answer's status".to_owned(),
        Place::ResponseHeader(name) => format!("answer header `{name}`"),
        Place::ResponseBody(pointer) if pointer.is_empty() => "the answer's body".to_owned(),
        Place::ResponseBody(pointer) => format!("answer body `{pointer}`"),
    }
}

/// A moment in UTC to the millisecond (RFC 3339).
pub(crate) fn moment(at: Timestamp) -> String {
    zoned(at).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn clock(at: Timestamp) -> String {
    zoned(at).strftime("%m-%d %H:%M:%S").to_string()
}

fn zoned(at: Timestamp) -> jiff::Zoned {
    let micros = i64::try_from(at.as_micros()).unwrap_or(i64::MAX);
    Moment::from_microsecond(micros).unwrap_or(Moment::MAX).to_zoned(TimeZone::UTC)
}
