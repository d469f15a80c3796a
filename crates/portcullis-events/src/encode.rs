//! An event as JSON, the way its derived form has it, without the machinery of deriving: it is written for every
//! exchange, and most of it is plain.

use std::io::Write as _;

use portcullis_core::event::{Event, Outcome, Protocol};
use serde::Serialize;

use crate::text::LineFormatter;

/// Writes the event. On an error what was written so far is of no use.
///
/// # Errors
/// When a reason or principal cannot be written as JSON.
pub(crate) fn event(event: &Event, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    // Every field is named, so that a new one cannot be forgotten here.
    let Event {
        id,
        at,
        took_micros,
        upstream_micros,
        listener,
        client,
        protocol,
        tls,
        host,
        method,
        path,
        api,
        operation,
        template,
        principal,
        outcome,
        status,
        reasons,
        request_bytes,
        response_bytes,
        upstream,
        trace,
    } = event;
    out.extend_from_slice(b"{\"id\":\"");
    out.extend_from_slice(&id.text());
    out.extend_from_slice(b"\",\"at\":");
    decimal(out, at.as_micros());
    number(out, ",\"took_micros\":", *took_micros);
    if let Some(micros) = upstream_micros {
        number(out, ",\"upstream_micros\":", *micros);
    }
    string(out, ",\"listener\":", listener)?;
    write!(out, ",\"client\":\"{client}\"").map_err(serde_json::Error::io)?;
    string(
        out,
        ",\"protocol\":",
        match protocol {
            Protocol::Http10 => "http/1.0",
            Protocol::Http11 => "http/1.1",
            Protocol::H2 => "h2",
        },
    )?;
    out.extend_from_slice(b",\"tls\":");
    out.extend_from_slice(if *tls { b"true" } else { b"false" });
    string(out, ",\"host\":", host)?;
    string(out, ",\"method\":", method)?;
    string(out, ",\"path\":", path)?;
    for (key, text) in [(",\"api\":", api), (",\"operation\":", operation), (",\"template\":", template)] {
        if let Some(text) = text {
            string(out, key, text)?;
        }
    }
    if let Some(principal) = principal {
        out.extend_from_slice(b",\"principal\":");
        derived(out, principal)?;
    }
    match outcome {
        Outcome::Served => string(out, ",\"outcome\":", "served")?,
        other => {
            out.extend_from_slice(b",\"outcome\":");
            derived(out, other)?;
        }
    }
    number(out, ",\"status\":", u64::from(*status));
    if !reasons.is_empty() {
        out.extend_from_slice(b",\"reasons\":");
        derived(out, reasons)?;
    }
    number(out, ",\"request_bytes\":", *request_bytes);
    number(out, ",\"response_bytes\":", *response_bytes);
    if let Some(upstream) = upstream {
        string(out, ",\"upstream\":", upstream)?;
    }
    if let Some(trace) = trace {
        string(out, ",\"trace\":", trace)?;
    }
    out.push(b'}');
    Ok(())
}

/// A number behind its name, which stands there as it is written.
fn number(out: &mut Vec<u8>, name: &str, number: u64) {
    out.extend_from_slice(name.as_bytes());
    decimal(out, number);
}

/// A text behind its name, which stands there as it is written.
fn string(out: &mut Vec<u8>, name: &str, text: &str) -> Result<(), serde_json::Error> {
    out.extend_from_slice(name.as_bytes());
    // Without an early exit, so that many bytes are looked at in one step.
    let plain = text
        .bytes()
        .fold(true, |plain, byte| plain & (b' '..0x7f).contains(&byte) & (byte != b'"') & (byte != b'\\'));
    if !plain {
        return derived(out, text);
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
    Ok(())
}

fn derived<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), serde_json::Error> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, LineFormatter))
}

/// Decimal digits, the last ones first into a buffer for the longest number.
pub(crate) fn decimal(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [b'0'; 20];
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        used += 1;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(event: &Event) -> (String, String) {
        let mut own = Vec::new();
        super::event(event, &mut own).unwrap();
        let mut derived_form = Vec::new();
        derived(&mut derived_form, event).unwrap();
        (String::from_utf8(own).unwrap(), String::from_utf8(derived_form).unwrap())
    }

    #[test]
    fn is_the_derived_form_to_the_byte() {
        let plain = serde_json::json!({
            "id": "018bcfe5-6800-7fff-bfff-ffffffffffff", "at": 0, "took_micros": 10, "listener": "main",
            "client": "192.0.2.1", "protocol": "http/1.1", "tls": false, "host": "h", "method": "GET", "path": "/",
            "outcome": "served", "status": 200, "request_bytes": 0, "response_bytes": u64::MAX,
        });
        let mut full = plain.clone();
        for (key, value) in [
            ("at", serde_json::json!(1_800_000_000_000_000_u64)),
            ("upstream_micros", serde_json::json!(1)),
            ("client", serde_json::json!("2001:db8::1")),
            ("protocol", serde_json::json!("h2")),
            ("tls", serde_json::json!(true)),
            ("path", serde_json::json!("/a\"b\\c\n\u{202e}é漢😀")),
            ("api", serde_json::json!("orders")),
            ("operation", serde_json::json!("get\tOrder")),
            ("template", serde_json::json!("/orders/{id}")),
            ("outcome", serde_json::json!({ "denied": "forbidden" })),
            ("upstream", serde_json::json!("http://127.0.0.1:1")),
            ("trace", serde_json::json!("0af7651916cd43dd8448eb211c80319c")),
        ] {
            full[key] = value;
        }
        for event in [plain, full] {
            let event: Event = serde_json::from_value(event).unwrap();
            let (own, derived_form) = both(&event);
            assert_eq!(own, derived_form);
            assert_eq!(serde_json::from_str::<Event>(&own).unwrap(), event);
        }
    }

    #[test]
    fn digits_are_all_there() {
        for number in [0, 9, 10, 1_000, 1_234_567, u64::MAX] {
            let mut out = Vec::new();
            decimal(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }
}
