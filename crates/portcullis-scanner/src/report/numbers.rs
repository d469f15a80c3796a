//! Numbers that several formats show alike.

use super::Report;
use crate::finding::{Certainty, Section, Severity};

/// Confirmed security findings by severity, worst first.
pub(super) fn confirmed(report: &Report) -> [(Severity, usize); 5] {
    let count = |severity| {
        report
            .findings
            .iter()
            .filter(|it| it.section == Section::Security && it.certainty == Certainty::Confirmed)
            .filter(|it| it.severity == severity)
            .count()
    };
    Severity::ALL.map(|it| (it, count(it)))
}

/// How many there are of a section and certainty.
pub(super) fn count(report: &Report, section: Section, certainty: Certainty) -> usize {
    report.findings.iter().filter(|it| it.section == section && it.certainty == certainty).count()
}

/// The whole in a sentence.
pub(super) fn verdict(report: &Report) -> String {
    let parts: Vec<String> = confirmed(report)
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{count} {}", severity.word()))
        .collect();
    let total = count(report, Section::Security, Certainty::Confirmed);
    let mut text = match total {
        0 => "No confirmed weakness".to_owned(),
        1 => format!("1 confirmed weakness ({})", parts.join(", ")),
        many => format!("{many} confirmed weaknesses ({})", parts.join(", ")),
    };
    let suspected = count(report, Section::Security, Certainty::Suspected);
    if suspected > 0 {
        text.push_str(&format!(", {suspected} suspected"));
    }
    let contract = report.findings.iter().filter(|it| it.section == Section::Contract).count();
    if contract > 0 {
        text.push_str(&format!(", {contract} departures from the description"));
    }
    text
}

/// `1m 07s`, `12.3 s`, `450 ms`.
pub(super) fn duration(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        _ => format!("{}m {:02}s", millis / 60_000, millis % 60_000 / 1_000),
    }
}

/// Whole percent, rounded down, so that only all is a hundred.
pub(super) fn percent((part, all): (usize, usize)) -> usize {
    part.saturating_mul(100).checked_div(all).unwrap_or(0)
}
