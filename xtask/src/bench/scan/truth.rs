//! What the range says about itself, and a report held against it.

use std::collections::BTreeSet;

use serde_json::Value;

/// A table of `truth.toml`.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    /// A weakness; otherwise a trap.
    pub(super) weakness: bool,
    id: String,
    /// The kind of weakness, in the range's own words.
    check: String,
    /// Further kinds that the same slot may rightly be reported for.
    also: String,
    protocol: String,
    operation: String,
    slot: String,
    cwe: String,
    owasp: String,
}

/// A report held against the truth.
#[derive(Clone, Debug, Default)]
pub(super) struct Judged {
    pub(super) confirmed: Vec<String>,
    /// Only suspected.
    pub(super) suspected: Vec<String>,
    pub(super) missed: Vec<String>,
    /// Confirmed, but nothing of the kind is there.
    pub(super) false_alarms: Vec<String>,
}

/// Reads the file: flat tables of text, which is all the notation that it uses.
pub(super) fn entries(text: &str) -> Vec<Entry> {
    let mut all: Vec<Entry> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("[[") {
            all.push(Entry { weakness: line == "[[weakness]]", ..Entry::default() });
        }
        let (Some((key, value)), Some(entry)) = (line.split_once(" = "), all.last_mut()) else { continue };
        let value = value.trim_matches('"').to_owned();
        match key {
            "id" => entry.id = value,
            "check" => entry.check = value,
            "also" => entry.also = value,
            "protocol" => entry.protocol = value,
            "operation" => entry.operation = value,
            "slot" => entry.slot = value,
            "cwe" => entry.cwe = value,
            "owasp" => entry.owasp = value,
            _ => {}
        }
    }
    all
}

/// Holds the confirmed and suspected findings of a report against the truth; on the secure side nothing is there to be
/// found. Only plain HTTP is looked at: the other protocols are scanned by themselves.
pub(super) fn judge(entries: &[Entry], vulnerable: bool, report: &Value) -> Judged {
    let mut judged = Judged::default();
    let text =
        |finding: &Value, key: &str| finding.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let findings: Vec<&Value> =
        report.get("findings").and_then(Value::as_array).into_iter().flatten().collect();
    let there: Vec<&Entry> =
        entries.iter().filter(|it| vulnerable && it.weakness && it.protocol == "rest").collect();
    let mut met: BTreeSet<(String, bool)> = BTreeSet::new();
    for finding in findings.iter().filter(|it| text(it, "section") != "contract" || vulnerable) {
        let confirmed = text(finding, "certainty") == "confirmed";
        let mut fits = there.iter().any(|entry| entry.allows(finding, entries));
        for entry in there.iter().filter(|entry| entry.fits(finding)) {
            fits = true;
            met.insert((entry.id.clone(), confirmed));
        }
        let told = text(finding, "severity") == "info" || text(finding, "section") == "contract";
        if confirmed && !fits && !told {
            judged.false_alarms.push(format!(
                "{} {} {}",
                text(finding, "check"),
                text(finding, "operation"),
                text(finding, "slot")
            ));
        }
    }
    for entry in there {
        let list = if met.contains(&(entry.id.clone(), true)) {
            &mut judged.confirmed
        } else if met.contains(&(entry.id.clone(), false)) {
            &mut judged.suspected
        } else {
            &mut judged.missed
        };
        list.push(format!("{} ({} {})", entry.id, entry.operation, entry.slot));
    }
    judged
}

impl Entry {
    /// Whether a finding speaks of this: the same operation and slot, and the same kind by CWE or by OWASP's ten.
    fn fits(&self, finding: &Value) -> bool {
        let text = |key: &str| finding.get(key).and_then(Value::as_str).unwrap_or_default();
        let cwe =
            finding.get("cwe").and_then(Value::as_u64).map(|it| format!("CWE-{it}")).unwrap_or_default();
        let operation = self.operation == "*" || self.operation == text("operation");
        // The range names a part of a body as `body:filter.brand`, findings by pointer: `body:/filter/brand`.
        let slot_found = text("slot").replace("body:/", "body:").replace('/', ".").to_ascii_lowercase();
        let slot =
            self.slot.ends_with('-') || slot_found.is_empty() || self.slot.eq_ignore_ascii_case(&slot_found);
        // Departures from the description are of one kind, whatever number each has.
        let contract = self.check == "contract" && text("section") == "contract";
        operation && slot && (contract || cwe == self.cwe || text("owasp") == self.owasp)
    }

    /// Whether a finding speaks of something else that is rightly to be seen there while this weakness is on.
    fn allows(&self, finding: &Value, entries: &[Self]) -> bool {
        let owasp = finding.get("owasp").and_then(Value::as_str).unwrap_or_default();
        let kinds = entries.iter().filter(|it| self.also.contains(&format!("\"{}\"", it.check)));
        kinds.into_iter().any(|kind| {
            kind.owasp == owasp && Self { owasp: kind.owasp.clone(), ..self.clone() }.fits(finding)
        })
    }
}
