//! Findings, each with its proof.

use crate::{
    finding::{Certainty, Exchange, Finding, Section, Severity, Shield},
    report::{
        Report,
        text::{line, markup},
    },
};

/// All findings, in three parts.
pub(super) fn all(report: &Report, out: &mut String) {
    let security = report.ordered(Section::Security);
    let contract = report.ordered(Section::Contract);
    if security.is_empty() && contract.is_empty() {
        out.push_str("<section><h2>Findings</h2><p class=\"quiet\">Nothing was found.</p></section>\n");
        return;
    }
    // The boxes stand before all they filter; CSS does the rest.
    out.push_str("<section class=\"findings\"><h2>Findings</h2><div class=\"filters\">");
    for severity in Severity::ALL {
        let word = severity.word();
        let count = report.findings.iter().filter(|it| it.severity == severity).count();
        if count > 0 {
            out.push_str(&format!(
                "<label><input type=\"checkbox\" id=\"show-{word}\" checked> <span class=\"badge {word}\">{word}</span> \
                 {count}</label>"
            ));
        }
    }
    out.push_str("</div>\n");
    let of =
        |certainty| security.iter().filter(move |it| it.certainty == certainty).copied().collect::<Vec<_>>();
    for (title, why, findings) in [
        (
            "Confirmed",
            "Shown by their effect, with a control, and shown again with fresh values.",
            of(Certainty::Confirmed),
        ),
        (
            "Suspected",
            "Signs that may have a harmless cause: to be looked at by somebody.",
            of(Certainty::Suspected),
        ),
        ("Departures from the description", "The API and its description disagree.", contract),
    ] {
        if findings.is_empty() {
            continue;
        }
        out.push_str(&format!(
            "<h3>{title} <span class=\"count\">{}</span></h3><p class=\"quiet\">{why}</p>\n",
            findings.len()
        ));
        for finding in findings {
            one(report, finding, out);
        }
    }
    out.push_str("</section>\n");
}

fn one(report: &Report, finding: &Finding, out: &mut String) {
    let word = finding.severity.word();
    let operation = if finding.operation.is_empty() { "the server" } else { &finding.operation };
    let new = if report.is_new(finding) == Some(true) { " <span class=\"badge new\">new</span>" } else { "" };
    let slot = if finding.slot.is_empty() {
        String::new()
    } else {
        format!(" <code class=\"slot\">{}</code>", markup(&line(&finding.slot)))
    };
    out.push_str(&format!(
        "<details class=\"finding is-{word}\" id=\"f-{}\"><summary><span class=\"badge {word}\">{word}</span><span \
         class=\"what\"><span class=\"title\">{}{new}</span><span class=\"where\"><code>{}</code>{slot}</span></span></summary>\
         <div class=\"body\"><p class=\"summary\">{}</p>",
        // Only hexadecimal digits may come here; whatever else does is escaped all the same.
        markup(&finding.fingerprint),
        markup(&line(&finding.title)),
        markup(&line(operation)),
        markup(&finding.summary)
    ));
    let mut codes = vec![
        finding.owasp.clone(),
        format!("CWE-{}", finding.cwe),
        finding.wfc.clone().map(|it| format!("WFC {it}")).unwrap_or_default(),
        finding.check.clone(),
        finding.fingerprint.clone(),
    ];
    codes.retain(|it| !it.is_empty());
    out.push_str("<p class=\"codes\">");
    for code in codes {
        out.push_str(&format!("<span>{}</span>", markup(&line(&code))));
    }
    out.push_str("</p>");
    if let Some(place) = report.lines.get(&finding.operation) {
        let text = format!("{}:{}:{}", place.file, place.line, place.column);
        out.push_str(&format!("<p class=\"quiet\">Described at <code>{}</code></p>", markup(&line(&text))));
    }
    if !finding.curl.is_empty() {
        out.push_str(&format!("<h4>See it again</h4><pre class=\"curl\">{}</pre>", markup(&finding.curl)));
    }
    if !finding.exchanges.is_empty() {
        out.push_str("<h4>Proof</h4>");
        finding.exchanges.iter().enumerate().for_each(|(at, it)| exchange(at + 1, it, out));
    }
    out.push_str(&format!("<h4>Remedy</h4><p>{}</p>", markup(&finding.remedy)));
    out.push_str(&format!(
        "<h4>At the gate</h4><p>{}</p></div></details>\n",
        markup(&shield(&finding.shield))
    ));
}

fn exchange(number: usize, exchange: &Exchange, out: &mut String) {
    let head = |fields: &[(String, String)]| {
        fields.iter().map(|(name, value)| format!("{}: {}\n", line(name), line(value))).collect::<String>()
    };
    let status = if exchange.status == 0 { "no answer".to_owned() } else { exchange.status.to_string() };
    let request = format!(
        "{} {}\n{}\n{}",
        line(&exchange.method),
        line(&exchange.url),
        head(&exchange.request_headers),
        exchange.request_body
    );
    let answer = format!("{status}\n{}\n{}", head(&exchange.answer_headers), exchange.answer_body);
    out.push_str(&format!(
        "<figure class=\"exchange\"><figcaption><b>{number}. {}</b> by {} → {status} <span class=\"quiet\">{}.{} \
         ms</span></figcaption><div class=\"pair\"><pre>{}</pre><pre>{}</pre></div></figure>",
        markup(&line(&exchange.part)),
        markup(&line(&exchange.by)),
        exchange.micros / 1_000,
        exchange.micros % 1_000 / 100,
        markup(request.trim_end()),
        markup(answer.trim_end())
    ));
}

/// What the gate would do about it, in words.
fn shield(shield: &Shield) -> String {
    match shield {
        Shield::Schema => "A tighter type at this place, learnt from good values.".to_owned(),
        Shield::Ownership => "Only the owner of the object is let through.".to_owned(),
        Shield::Identity { roles } if roles.is_empty() => "Callers must prove who they are.".to_owned(),
        Shield::Identity { roles } => format!("Callers must have one of the roles {}.", roles.join(", ")),
        Shield::Token => "The gate judges tokens itself: algorithm, key, expiry.".to_owned(),
        Shield::StripField { fields, answer } => format!(
            "These fields are taken out of {}: {}.",
            if *answer { "answers" } else { "requests" },
            fields.join(", ")
        ),
        Shield::Limit => "Fewer calls a caller.".to_owned(),
        Shield::Cost => "A bound on size, depth, page or query cost.".to_owned(),
        Shield::MethodDeny { method, path } => format!("{method} is refused on {path}."),
        Shield::AttackRule => "Attack detection blocks for this operation.".to_owned(),
        Shield::Header { name, value } if value.is_empty() => {
            format!("The field {name} is removed from answers.")
        }
        Shield::Header { name, value } => format!("Answers get {name}: {value}."),
        Shield::None { words } => format!("Nothing at a gate mends this: {words}"),
    }
}
