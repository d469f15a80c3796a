//! HTML: one file that one would show to a customer.
//!
//! It runs nothing: no script, and a policy that lets none run; styles are allowed by their hash alone. Filters are
//! check boxes and CSS. Whatever a target said is escaped, and what it hides is written out.

mod findings;
mod page;
mod tables;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    OWASP, Report, Status, numbers,
    text::{line, markup},
};
use crate::finding::{Certainty, Section, Severity};

/// The report.
pub fn render(report: &Report) -> String {
    let style = page::STYLE;
    let hash = STANDARD.encode(digest(&SHA256, style.as_bytes()));
    let title = if report.title.is_empty() { "API" } else { &report.title };
    let mut out = String::with_capacity(64 << 10);
    out.push_str(&format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'\">\n<meta \
         name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light \
         dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>{} — API security scan</title>\n\
         <style>{style}</style>\n</head>\n<body>\n<main>\n",
        markup(title)
    ));
    head(report, title, &mut out);
    summary(report, &mut out);
    owasp(report, &mut out);
    findings::all(report, &mut out);
    tables::all(report, &mut out);
    out.push_str(&format!(
        "</main>\n<footer>Portcullis {} · seed <code>{}</code> · the same seed gives the same scan again</footer>\n\
         </body>\n</html>\n",
        markup(&report.tool_version),
        markup(&report.seed)
    ));
    out
}

fn head(report: &Report, title: &str, out: &mut String) {
    out.push_str(&format!(
        "<header><p class=\"kicker\">API security scan</p><h1>{}</h1><dl class=\"facts\">",
        markup(&line(title))
    ));
    let requests = report.requests.to_string();
    let duration = numbers::duration(report.duration_millis);
    let checks = report.checks.len().to_string();
    for (name, value) in [
        ("Target", report.target.as_str()),
        ("Described by", report.source.as_str()),
        ("Started", report.started.as_str()),
        ("Took", duration.as_str()),
        ("Requests", requests.as_str()),
        ("Checks", checks.as_str()),
    ] {
        if !value.is_empty() {
            out.push_str(&format!("<div><dt>{name}</dt><dd>{}</dd></div>", markup(&line(value))));
        }
    }
    out.push_str("</dl></header>\n");
    if report.status == Status::Incomplete {
        out.push_str(
            "<section class=\"banner bad\" role=\"status\"><strong>This scan is incomplete.</strong> What it did not find \
             may be there.<ul>",
        );
        for why in &report.incomplete {
            out.push_str(&format!("<li>{}</li>", markup(why)));
        }
        out.push_str("</ul></section>\n");
    }
}

/// The verdict, bars by severity, coverage, and the comparison.
fn summary(report: &Report, out: &mut String) {
    let counts = numbers::confirmed(report);
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    let total = numbers::count(report, Section::Security, Certainty::Confirmed);
    let class = if total == 0 { "good" } else { "bad" };
    out.push_str(&format!(
        "<section class=\"cards\"><div class=\"card wide {class}\"><h2>Result</h2><p class=\"verdict\">{}</p>\
         <table class=\"bars\"><tbody>",
        markup(&numbers::verdict(report))
    ));
    for (severity, count) in counts {
        let word = severity.word();
        let width = count * 300 / most;
        out.push_str(&format!(
            "<tr><th scope=\"row\">{word}</th><td class=\"bar\"><svg viewBox=\"0 0 300 10\" preserveAspectRatio=\"none\" \
             role=\"img\" aria-label=\"{count} {word}\"><rect class=\"track\" width=\"300\" height=\"10\" rx=\"2\"/><rect \
             class=\"fill {word}\" width=\"{width}\" height=\"10\" rx=\"2\"/></svg></td><td \
             class=\"number\">{count}</td></tr>"
        ));
    }
    out.push_str("</tbody></table></div>\n");
    let reached = report.reached();
    let percent = numbers::percent(reached);
    out.push_str(&format!(
        "<div class=\"card\"><h2>Coverage</h2>{}<p>{} of {} operations were answered well</p></div>\n",
        ring(percent),
        reached.0,
        reached.1
    ));
    if let Some(compared) = &report.baseline {
        out.push_str(&format!(
            "<div class=\"card\"><h2>Since {}</h2><ul class=\"since\"><li><b>{}</b> new</li><li><b>{}</b> still \
             there</li><li><b>{}</b> fixed</li><li><b>{}</b> not tried again</li></ul></div>\n",
            markup(if compared.earlier.is_empty() { "the earlier scan" } else { &compared.earlier }),
            compared.new.len(),
            compared.persisting.len(),
            compared.fixed.len(),
            compared.untried.len()
        ));
    }
    out.push_str("</section>\n");
}

/// A ring of so much of a hundred; its circumference is a hundred too.
fn ring(percent: usize) -> String {
    format!(
        "<svg class=\"ring\" viewBox=\"0 0 36 36\" role=\"img\" aria-label=\"{percent} percent\"><circle class=\"track\" \
         cx=\"18\" cy=\"18\" r=\"15.9155\"/><circle class=\"part\" cx=\"18\" cy=\"18\" r=\"15.9155\" \
         stroke-dasharray=\"{percent} {}\" transform=\"rotate(-90 18 18)\"/><text x=\"18\" y=\"20.5\">{percent}%</text></svg>",
        100 - percent.min(100)
    )
}

/// The ten categories: what was tried in each, and what was found.
fn owasp(report: &Report, out: &mut String) {
    out.push_str("<section><h2>OWASP API Security Top 10 2023</h2><ol class=\"owasp\">");
    for (code, name) in OWASP {
        let own = |it: &str| it == code;
        let tried: u32 = report.checks.iter().filter(|it| own(&it.owasp)).map(|it| it.tried).sum();
        let found: Vec<Severity> = report
            .findings
            .iter()
            .filter(|it| own(&it.owasp) && it.section == Section::Security)
            .filter(|it| it.certainty == Certainty::Confirmed)
            .map(|it| it.severity)
            .collect();
        let (class, text) = match (found.iter().max(), tried) {
            (Some(worst), _) => (worst.word(), format!("{} found", found.len())),
            (None, 0) => ("untried", "not tried".to_owned()),
            (None, tried) => ("clean", format!("clean, {tried} trials")),
        };
        let short = code.split(':').next().unwrap_or(code);
        out.push_str(&format!(
            "<li class=\"{class}\"><span class=\"code\">{short}</span><span class=\"name\">{name}</span><span \
             class=\"state\">{text}</span></li>"
        ));
    }
    out.push_str("</ol></section>\n");
}
