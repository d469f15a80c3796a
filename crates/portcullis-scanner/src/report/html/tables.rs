//! What was reached, tried and left out.

use std::collections::BTreeMap;

use crate::report::{
    Report,
    text::{line, markup},
};

/// Rows of one table; the rest is counted.
const ROWS_MAX: usize = 2_000;

/// All tables, folded.
pub(super) fn all(report: &Report, out: &mut String) {
    out.push_str("<section class=\"tables\"><h2>What was done</h2>\n");
    coverage(report, out);
    checks(report, out);
    skipped(report, out);
    callers(report, out);
    fixed(report, out);
    notes(report, out);
    out.push_str("</section>\n");
}

/// A folded table; nothing where it has no rows.
fn table(title: &str, heads: &[&str], rows: &[Vec<String>], open: bool, out: &mut String) {
    if rows.is_empty() {
        return;
    }
    let open = if open { " open" } else { "" };
    out.push_str(&format!(
        "<details class=\"table\"{open}><summary>{} <span class=\"count\">{}</span></summary><div \
         class=\"scroll\"><table><thead><tr>",
        markup(title),
        rows.len()
    ));
    heads.iter().for_each(|it| out.push_str(&format!("<th scope=\"col\">{}</th>", markup(it))));
    out.push_str("</tr></thead><tbody>");
    for row in rows.iter().take(ROWS_MAX) {
        out.push_str("<tr>");
        row.iter().for_each(|it| out.push_str(&format!("<td>{}</td>", markup(&line(it)))));
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>");
    if let Some(rest) = rows.len().checked_sub(ROWS_MAX).filter(|it| *it > 0) {
        out.push_str(&format!("<p class=\"quiet\">and {rest} more</p>"));
    }
    out.push_str("</details>\n");
}

fn coverage(report: &Report, out: &mut String) {
    let row = |reached: bool| {
        let own = report.coverage.iter().filter(move |it| it.reached == reached);
        own.map(|it| vec![it.operation.clone(), it.why.clone()]).collect::<Vec<_>>()
    };
    table("Operations not reached", &["Operation", "Why"], &row(false), true, out);
    let reached: Vec<Vec<String>> =
        row(true).into_iter().map(|it| it.into_iter().take(1).collect()).collect();
    table("Operations reached", &["Operation"], &reached, false, out);
}

fn checks(report: &Report, out: &mut String) {
    let found = |id: &str| report.findings.iter().filter(|it| it.check == id).count();
    let rows: Vec<Vec<String>> = report
        .checks
        .iter()
        .map(|it| {
            vec![
                it.title.clone(),
                it.owasp.clone(),
                it.tried.to_string(),
                it.skipped.to_string(),
                found(&it.id).to_string(),
                it.requests.to_string(),
            ]
        })
        .collect();
    table("Checks", &["Check", "OWASP", "Tried", "Not tried", "Found", "Requests"], &rows, false, out);
}

/// Trials that could not be made, alike ones together.
fn skipped(report: &Report, out: &mut String) {
    let mut groups: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for it in &report.skipped {
        *groups.entry((&it.check, &it.why)).or_default() += 1;
    }
    let rows: Vec<Vec<String>> = groups
        .into_iter()
        .map(|((check, why), count)| vec![check.to_owned(), count.to_string(), why.to_owned()])
        .collect();
    table("Trials that could not be made", &["Check", "Times", "Why"], &rows, false, out);
}

fn callers(report: &Report, out: &mut String) {
    let rows: Vec<Vec<String>> = report
        .identities
        .iter()
        .map(|it| {
            let role = format!("{:?}", it.role).to_lowercase();
            vec![it.name.clone(), role, it.by.clone(), if it.alive { "yes" } else { "lost" }.to_owned()]
        })
        .collect();
    table("Identities", &["Name", "Role", "From", "Alive at the end"], &rows, false, out);
}

fn fixed(report: &Report, out: &mut String) {
    let Some(compared) = &report.baseline else { return };
    for (title, list) in
        [("Fixed since the earlier scan", &compared.fixed), ("Not tried again", &compared.untried)]
    {
        let rows: Vec<Vec<String>> = list
            .iter()
            .map(|it| {
                vec![it.severity.word().to_owned(), it.title.clone(), it.operation.clone(), it.slot.clone()]
            })
            .collect();
        table(title, &["Severity", "Weakness", "Operation", "Place"], &rows, false, out);
    }
}

fn notes(report: &Report, out: &mut String) {
    let rows: Vec<Vec<String>> =
        report.notes.iter().map(|it| vec![it.place.clone(), it.text.clone()]).collect();
    table("Remarks about the description", &["Place", "Remark"], &rows, false, out);
}
