//! SARIF 2.1.0 (OASIS): for code scanning of GitHub, Azure DevOps and others.

use std::collections::BTreeSet;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::{CheckRun, Report, Status, numbers, text::visible};
use crate::finding::{Certainty, Exchange, Finding, Section, Severity};

/// The name of the fingerprint; another way to make it must have another.
const FINGERPRINT: &str = "portcullisFinding/v1";
/// Where a CWE is explained.
const CWE_URL: &str = "https://cwe.mitre.org/data/definitions/";

/// The report.
pub fn render(report: &Report) -> String {
    let rules: Vec<&CheckRun> = rules(report);
    let absent = report.baseline.iter().flat_map(|it| &it.fixed);
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|it| {
            result(report, it, &rules, report.is_new(it).map(|new| if new { "new" } else { "unchanged" }))
        })
        .chain(absent.map(|it| result(report, it, &rules, Some("absent"))))
        .collect();
    let mut run = json!({
        "tool": {"driver": {
            "name": "Portcullis",
            "version": report.tool_version,
            "semanticVersion": report.tool_version,
            "rules": rules.iter().map(|it| rule(it)).collect::<Vec<_>>(),
            "supportedTaxonomies": [{"name": "CWE", "index": 0}],
        }},
        "automationDetails": {"id": "portcullis/scan/"},
        "columnKind": "unicodeCodePoints",
        "taxonomies": [taxonomy(&rules)],
        "invocations": [invocation(report)],
        "results": results,
        "properties": properties(report),
    });
    if report.tool_version.is_empty()
        && let Some(Value::Object(driver)) = run.pointer_mut("/tool/driver")
    {
        driver.shift_remove("version");
        driver.shift_remove("semanticVersion");
    }
    let mut log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    });
    show(&mut log);
    let mut text = serde_json::to_string_pretty(&log).unwrap_or_default();
    text.push('\n');
    text
}

/// Writes out what is hidden in any text, names of a hostile description included. The walk is as deep as the log.
fn show(at: &mut Value) {
    match at {
        Value::String(text) => *text = visible(text),
        Value::Array(items) => items.iter_mut().for_each(show),
        Value::Object(members) => members.iter_mut().for_each(|(_, it)| show(it)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Checks that ran; those that only an earlier report knows have no rule and are named by id.
fn rules(report: &Report) -> Vec<&CheckRun> {
    let mut seen = BTreeSet::new();
    report.checks.iter().filter(|it| seen.insert(it.id.as_str())).collect()
}

fn rule(check: &CheckRun) -> Value {
    let mut tags = vec![
        match check.section {
            Section::Security => "security".to_owned(),
            Section::Contract => "correctness".to_owned(),
        },
        format!("external/cwe/cwe-{}", check.cwe),
        check.owasp.clone(),
    ];
    tags.extend(check.wfc.iter().map(|it| format!("wfc/{it}")));
    tags.retain(|it| !it.is_empty());
    let help = format!("{}\n\nHow it is shown: {}", check.remedy, check.oracle);
    let mut properties = Map::new();
    properties.insert("tags".to_owned(), json!(tags));
    properties.insert("precision".to_owned(), json!("very-high"));
    if check.section == Section::Security {
        properties.insert("security-severity".to_owned(), json!(score(check.severity)));
    }
    json!({
        "id": check.id,
        "name": pascal(&check.id),
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": non_empty(&check.oracle, &check.title)},
        "help": {
            "text": help,
            "markdown": format!("**Remedy.** {}\n\n**How it is shown.** {}", check.remedy, check.oracle),
        },
        "helpUri": format!("{CWE_URL}{}.html", check.cwe),
        "defaultConfiguration": {"level": level(check.severity)},
        "relationships": [{
            "target": {"id": check.cwe.to_string(), "toolComponent": {"name": "CWE", "index": 0}},
            "kinds": ["superset"],
        }],
        "properties": properties,
    })
}

fn taxonomy(rules: &[&CheckRun]) -> Value {
    let numbers: BTreeSet<u32> = rules.iter().map(|it| it.cwe).collect();
    let taxa: Vec<Value> = numbers
        .into_iter()
        .map(|it| json!({"id": it.to_string(), "helpUri": format!("{CWE_URL}{it}.html")}))
        .collect();
    json!({
        "name": "CWE",
        "organization": "MITRE",
        "shortDescription": {"text": "Common Weakness Enumeration"},
        "informationUri": "https://cwe.mitre.org/",
        "isComprehensive": false,
        "taxa": taxa,
    })
}

fn invocation(report: &Report) -> Value {
    let note = |level: &str, text: String| json!({"level": level, "message": {"text": visible(&text)}});
    let unreached = report.coverage.iter().filter(|it| !it.reached);
    let notes: Vec<Value> = report
        .incomplete
        .iter()
        .map(|it| note("error", it.clone()))
        .chain(unreached.map(|it| note("warning", format!("`{}` was not reached: {}", it.operation, it.why))))
        .chain(report.notes.iter().map(|it| note("note", format!("{}: {}", it.place, it.text))))
        .collect();
    let mut out = json!({
        "executionSuccessful": report.status == Status::Completed,
        "toolExecutionNotifications": notes,
    });
    if let (Ok(started), Some(members)) = (report.started.parse::<jiff::Timestamp>(), out.as_object_mut()) {
        members.insert("startTimeUtc".to_owned(), json!(started.to_string()));
        let millis = i64::try_from(report.duration_millis).unwrap_or(i64::MAX);
        if let Ok(ended) = started.checked_add(jiff::SignedDuration::from_millis(millis)) {
            members.insert("endTimeUtc".to_owned(), json!(ended.to_string()));
        }
    }
    out
}

fn properties(report: &Report) -> Value {
    let (reached, all) = report.reached();
    json!({
        "target": report.target,
        "seed": report.seed,
        "requests": report.requests,
        "operationsReached": reached,
        "operations": all,
        "verdict": numbers::verdict(report),
    })
}

fn result(report: &Report, finding: &Finding, rules: &[&CheckRun], state: Option<&str>) -> Value {
    let suspected = finding.certainty == Certainty::Suspected;
    let message = format!(
        "{}{}{}",
        if suspected { "Suspected: " } else { "" },
        non_empty(&finding.summary, &finding.title),
        if finding.curl.is_empty() { String::new() } else { format!("\n\n{}", finding.curl) },
    );
    let mut out = json!({
        "ruleId": finding.check,
        // Suspected ones are to be looked at, not to stop anybody.
        "level": if suspected { "note" } else { level(finding.severity) },
        "message": {"text": visible(&message)},
        "locations": [location(report, finding)],
        "partialFingerprints": {FINGERPRINT: finding.fingerprint},
        "properties": {
            "certainty": if suspected { "suspected" } else { "confirmed" },
            "severity": finding.severity.word(),
            "security-severity": score(finding.severity),
            "owasp": finding.owasp,
            "cwe": format!("CWE-{}", finding.cwe),
            "protocol": finding.protocol,
            "curl": finding.curl,
            "remedy": finding.remedy,
        },
    });
    let Value::Object(members) = &mut out else { return out };
    if let Some(index) = rules.iter().position(|it| it.id == finding.check) {
        members.insert("ruleIndex".to_owned(), json!(index));
    }
    if let Some(state) = state {
        members.insert("baselineState".to_owned(), json!(state));
    }
    let shown = finding.exchanges.iter().find(|it| it.part == "probe").or_else(|| finding.exchanges.first());
    if let Some(exchange) = shown {
        members.insert("webRequest".to_owned(), web_request(exchange));
        members.insert("webResponse".to_owned(), web_response(exchange));
    }
    out
}

/// The operation in the description, and by its name. Viewers want a file: where no line is known, the input as a whole.
fn location(report: &Report, finding: &Finding) -> Value {
    let line = report.lines.get(&finding.operation);
    let file = line.map_or(report.source.as_str(), |it| it.file.as_str());
    let file = non_empty(file, "api-description");
    let mut region = json!({"startLine": line.map_or(1, |it| it.line.max(1))});
    if let (Some(line), Some(members)) = (line, region.as_object_mut()) {
        members.insert("startColumn".to_owned(), json!(line.column.max(1)));
    }
    let operation = non_empty(&finding.operation, "server");
    let mut logical = vec![json!({"name": operation, "fullyQualifiedName": operation, "kind": "function"})];
    if !finding.slot.is_empty() {
        logical.push(json!({
            "name": finding.slot,
            "fullyQualifiedName": format!("{operation} {}", finding.slot),
            "kind": "parameter",
        }));
    }
    json!({
        "physicalLocation": {"artifactLocation": {"uri": uri(file)}, "region": region},
        "logicalLocations": logical,
    })
}

/// A file name, or a URL, as a URI reference (RFC 3986).
fn uri(file: &str) -> String {
    const ILLEGAL: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'<')
        .add(b'>')
        .add(b'\\')
        .add(b'^')
        .add(b'`')
        .add(b'{')
        .add(b'|')
        .add(b'}');
    let file = file.strip_prefix("./").unwrap_or(file);
    let written = utf8_percent_encode(file, ILLEGAL).to_string();
    if written.contains("://") {
        return written;
    }
    let path = written.replace('#', "%23").replace('?', "%3F");
    // A colon in the first segment would make a scheme of it.
    match path.split_once('/') {
        Some((first, rest)) if !first.contains(':') => format!("{first}/{rest}"),
        Some(_) => format!("./{path}"),
        None if path.contains(':') => format!("./{path}"),
        None => path,
    }
}

fn fields(list: &[(String, String)]) -> Map<String, Value> {
    let mut out: Map<String, Value> = Map::new();
    for (name, value) in list {
        match out.get_mut(name) {
            Some(Value::String(text)) => {
                text.push_str(", ");
                text.push_str(&visible(value));
            }
            Some(_) | None => drop(out.insert(name.clone(), Value::from(visible(value)))),
        }
    }
    out
}

fn web_request(exchange: &Exchange) -> Value {
    json!({
        "protocol": "HTTP",
        "method": exchange.method,
        "target": visible(&exchange.url),
        "headers": fields(&exchange.request_headers),
        "body": {"text": visible(&exchange.request_body)},
    })
}

fn web_response(exchange: &Exchange) -> Value {
    json!({
        "protocol": "HTTP",
        "statusCode": exchange.status,
        "headers": fields(&exchange.answer_headers),
        "body": {"text": visible(&exchange.answer_body)},
        "noResponseReceived": exchange.status == 0,
    })
}

fn non_empty<'t>(text: &'t str, otherwise: &'t str) -> &'t str {
    if text.is_empty() { otherwise } else { text }
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// The middle of the range that viewers give the word (CVSS v3.1 §5).
const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.5",
        Severity::Info => "0.1",
    }
}

/// `object_read_by_stranger` as `ObjectReadByStranger`.
fn pascal(id: &str) -> String {
    id.split('_')
        .filter_map(|word| {
            let mut characters = word.chars();
            let first = characters.next()?.to_ascii_uppercase();
            Some(format!("{first}{}", characters.as_str()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_become_references() {
        for (file, expected) in [
            ("./a b/o.yaml", "a%20b/o.yaml"),
            ("c:o.yaml", "./c:o.yaml"),
            ("a#b.yaml", "a%23b.yaml"),
            ("https://x/o.yaml?a=1", "https://x/o.yaml?a=1"),
        ] {
            assert_eq!(uri(file), expected);
        }
        assert_eq!(pascal("object_read_by_stranger"), "ObjectReadByStranger");
    }
}
