//! HAR 1.2: every exchange of the scan where they were kept, or those that prove its findings.

use serde_json::{Value, json};

use super::Report;
use crate::finding::Exchange;

/// The report. Credentials in exchanges are masked before they come here.
pub fn render(report: &Report) -> String {
    let entries: Vec<Value> = if report.traffic.is_empty() {
        let of_findings = report.findings.iter().flat_map(|finding| {
            let comment = format!("{} {} {}", finding.check, finding.operation, finding.fingerprint);
            finding.exchanges.iter().map(move |it| entry(report, it, &format!("{comment} {}", it.part)))
        });
        of_findings.collect()
    } else {
        report.traffic.iter().map(|it| entry(report, it, &it.part)).collect()
    };
    let har = json!({"log": {
        "version": "1.2",
        "creator": {"name": "Portcullis", "version": report.tool_version},
        "comment": format!("scan of {} with seed {}", report.target, report.seed),
        "entries": entries,
    }});
    let mut text = serde_json::to_string_pretty(&har).unwrap_or_default();
    text.push('\n');
    text
}

fn entry(report: &Report, exchange: &Exchange, comment: &str) -> Value {
    let millis = millis(exchange.micros);
    let media = |fields: &[(String, String)]| {
        let field = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        field.map_or(String::new(), |(_, value)| value.clone())
    };
    let fields = |fields: &[(String, String)]| -> Vec<Value> {
        fields.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
    };
    let mut request = json!({
        "method": exchange.method,
        "url": exchange.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": fields(&exchange.request_headers),
        "queryString": query(&exchange.url),
        "headersSize": -1,
        "bodySize": exchange.request_body.len(),
    });
    if let (false, Value::Object(members)) = (exchange.request_body.is_empty(), &mut request) {
        let data = json!({"mimeType": media(&exchange.request_headers), "text": exchange.request_body});
        members.insert("postData".to_owned(), data);
    }
    json!({
        "startedDateTime": report.started,
        "time": millis,
        "request": request,
        "response": {
            "status": exchange.status,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": fields(&exchange.answer_headers),
            "content": {
                "size": exchange.answer_body.len(),
                "mimeType": media(&exchange.answer_headers),
                "text": exchange.answer_body,
            },
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": exchange.answer_body.len(),
        },
        "cache": {},
        "timings": {"send": 0, "wait": millis, "receive": 0},
        "comment": format!("{comment} by {}", exchange.by),
    })
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds to three places")]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

fn query(url: &str) -> Vec<Value> {
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let query = url.split('#').next().and_then(|it| it.split_once('?')).map_or("", |(_, query)| query);
    query
        .split('&')
        .filter(|it| !it.is_empty())
        .map(|it| it.split_once('=').unwrap_or((it, "")))
        .map(|(name, value)| json!({"name": decoded(name), "value": decoded(value)}))
        .collect()
}
