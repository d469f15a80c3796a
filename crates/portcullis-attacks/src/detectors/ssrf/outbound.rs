//! Domains whose only use is to tell a tester that a server has called.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::{class::Class, hit::Hit, leaf::Field, view::View};

/// Zones of the public services for it. Their own documentation names them; new ones of the same shape are taken by the
/// label `oast` and by the word `collaborator` in a host.
const ZONES: &[&str] = &[
    "oastify.com",
    "burpcollaborator.net",
    "burpcollaborator",
    ".oast.",
    "interact.sh",
    "interactsh",
    "dnslog.cn",
    "dnslog.",
    "ceye.io",
    "bxss.me",
    "bxss.in",
    "xss.ht",
    "xss.report",
    "canarytokens.com",
    "requestbin.net",
    "requestbin.com",
    "pingb.in",
    "eyes.sh",
    "dnsbin.zhack.ca",
    "r87.me",
    "burp-collaborator",
    ".collaborator.",
    "ns.evil",
    "log4shell.huntress.com",
    "ssrf.cvssadvisor",
    "dig.pm",
    "requestrepo.com",
    "postb.in",
    "callback.red",
    "tu4.org",
    "1433.eu.org",
];

#[expect(clippy::expect_used, reason = "the zones are constants, and a few dozen of them fit any automaton")]
static FINDER: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder().match_kind(MatchKind::Standard).build(ZONES).expect("constant zones")
});

/// The first such domain in a value, with or without a scheme.
pub(super) fn find(view: &View<'_>) -> Option<Hit> {
    let found = FINDER.find(view.lower)?;
    let before = view.lower.get(..found.start()).unwrap_or_default();
    let label = before
        .iter()
        .rev()
        .take(80)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'{' | b'}'))
        .count();
    let start = found.start() - label;
    // The zone by itself is the service's own site, which people name.
    let is_called = label >= 4 && view.lower.get(start..found.start()) != Some(b"www.");
    let strength = if is_called { 10 } else { 6 };
    let score = match view.leaf.field {
        Field::Code | Field::Prose | Field::Markup | Field::Query => 4,
        _ => strength,
    };
    let why = "a domain that only tells a tester that a server has called";
    Some(Hit { class: Class::Ssrf, rule: "out_of_band_domain", score, span: start..found.end(), why })
}
