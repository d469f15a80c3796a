//! Markdown, for a comment on a pull request: short, folded where long, and nobody mentioned by accident.

use super::{
    Report, Status, numbers,
    text::{cut, line, visible},
};
use crate::finding::{Certainty, Finding, Section};

/// Findings told in full; the rest is counted. A comment may have 65,536 characters.
const FINDINGS_MAX: usize = 25;
/// Characters of all.
const LENGTH_MAX: usize = 60_000;

/// The report.
pub fn render(report: &Report) -> String {
    let mut out = format!("## API security scan: {}\n\n", prose(&numbers::verdict(report)));
    if report.status == Status::Incomplete {
        out.push_str("> **The scan is incomplete**: what it did not find may be there.\n");
        for why in &report.incomplete {
            out.push_str(&format!("> - {}\n", prose(why)));
        }
        out.push('\n');
    }
    let (reached, all) = report.reached();
    out.push_str(&format!(
        "{} · {reached} of {all} operations reached · {} requests in {}\n\n",
        code(&report.target),
        report.requests,
        numbers::duration(report.duration_millis)
    ));
    if let Some(compared) = &report.baseline {
        out.push_str(&format!(
            "Since the earlier scan: **{} new**, {} still there, {} fixed, {} not tried again.\n\n",
            compared.new.len(),
            compared.persisting.len(),
            compared.fixed.len(),
            compared.untried.len()
        ));
    }
    let security = report.ordered(Section::Security);
    table(report, &security, &mut out);
    for finding in security.iter().take(FINDINGS_MAX) {
        let told = details(finding);
        if out.len() + told.len() > LENGTH_MAX {
            break;
        }
        out.push_str(&told);
    }
    let missed: Vec<_> = report.coverage.iter().filter(|it| !it.reached).collect();
    if !missed.is_empty() {
        out.push_str(&format!("<details><summary>{} operations not reached</summary>\n\n", missed.len()));
        for it in missed.iter().take(100) {
            let item = format!("- {}: {}\n", code(&it.operation), prose(&it.why));
            if out.len() + item.len() > LENGTH_MAX {
                break;
            }
            out.push_str(&item);
        }
        out.push_str("\n</details>\n");
    }
    out
}

fn table(report: &Report, findings: &[&Finding], out: &mut String) {
    if findings.is_empty() {
        return;
    }
    out.push_str("| | Weakness | Operation | |\n|---|---|---|---|\n");
    for finding in findings.iter().take(FINDINGS_MAX) {
        let slot = if finding.slot.is_empty() { String::new() } else { format!(" {}", code(&finding.slot)) };
        let mut marks = Vec::new();
        if finding.certainty == Certainty::Suspected {
            marks.push("suspected");
        }
        if report.is_new(finding) == Some(true) {
            marks.push("**new**");
        }
        out.push_str(&format!(
            "| {} | {} | {}{slot} | {} |\n",
            finding.severity.word(),
            prose(&finding.title),
            code(if finding.operation.is_empty() { "the server" } else { &finding.operation }),
            marks.join(", ")
        ));
    }
    if let Some(rest) = findings.len().checked_sub(FINDINGS_MAX).filter(|it| *it > 0) {
        out.push_str(&format!("\nand {rest} more\n"));
    }
    out.push('\n');
}

fn details(finding: &Finding) -> String {
    let operation = if finding.operation.is_empty() { "the server" } else { &finding.operation };
    let mut out = format!(
        "<details><summary>{} — {}</summary>\n\n{}\n\n{} · CWE-{} · {}\n\n",
        prose(&finding.title),
        prose(operation),
        prose(&cut(&finding.summary, 1_000)),
        prose(&finding.owasp),
        finding.cwe,
        code(&finding.check),
    );
    if !finding.curl.is_empty() {
        out.push_str(&fenced("sh", &finding.curl));
    }
    out.push_str(&format!("**Remedy.** {}\n\n</details>\n\n", prose(&finding.remedy)));
    out
}

/// Text that means only itself: no markup, no mention, no link.
fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in line(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // An entity is text and nothing else, wherever it stands.
            '@' | '#' | '|' | '`' | '*' | '_' | '[' | ']' | '!' | '~' | '\\' | '$' => {
                out.push_str(&format!("&#{};", u32::from(character)));
            }
            it => out.push(it),
        }
    }
    // What looks like a URL would become a link.
    out.replace("://", "&#58;//").replace("www.", "www&#46;")
}

/// A code span that its content cannot end.
fn code(text: &str) -> String {
    let text = line(text).replace('|', "\u{2502}");
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A code block that its content cannot end.
fn fenced(language: &str, text: &str) -> String {
    let text = visible(text);
    let fence = "`".repeat((longest_run(&text) + 1).max(3));
    format!("{fence}{language}\n{text}\n{fence}\n\n")
}

fn longest_run(text: &str) -> usize {
    text.split(|it| it != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_target_is_markup() {
        assert_eq!(prose("<b> @all [x](http://y)"), "&lt;b&gt; &#64;all &#91;x&#93;(http&#58;//y)");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`a"), "`` `a ``");
        assert_eq!(fenced("sh", "```\n"), "````sh\n```\n\n````\n\n");
    }
}
