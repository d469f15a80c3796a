//! What scanners call themselves.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::{class::Class, hit::Hit, view::View};

/// Tools that look for holes. Crawlers and clients of any kind are not among them.
pub(super) const TOOLS: &[&str] = &[
    "nikto",
    "sqlmap",
    "nuclei",
    "nmap scripting",
    "masscan",
    "acunetix",
    "nessus",
    "wpscan",
    "dirbuster",
    "gobuster",
    "zgrab",
    "openvas",
    "w3af",
    "arachni",
    "havij",
    "hydra",
    "wfuzz",
    "fuzz faster",
    "ffuf",
    "burpsuite",
    "burp collaborator",
    "jorgee",
    "zmeu",
    "metasploit",
    "netsparker",
    "whatweb",
    "xsstrike",
    "feroxbuster",
    "dirsearch",
    "skipfish",
    "qualys",
    "appspider",
    "webinspect",
    "grabber",
    "commix",
    "libredtail",
    "projectdiscovery",
    "muieblackcat",
    "morfeus",
    "absinthe",
    "paros/",
    "vega/",
    "zap/",
    "owasp",
    "sqlninja",
    "bsqlbf",
    "openssl-scan",
    "vulnscan",
    "webscarab",
    "n-stealth",
    "cgichk",
    "pangolin",
    "fimap",
    "internetmeasurement",
    "dotdotpwn",
    "interactsh",
    "detectify",
    "probely",
    "invicti",
    "kadimus",
    "tplmap",
    "nosqlmap",
    "joomscan",
    "droopescan",
    "cmsmap",
];

#[expect(clippy::expect_used, reason = "the names are constants, and a few dozen of them fit any automaton")]
static FINDER: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder().match_kind(MatchKind::Standard).build(TOOLS).expect("constant names")
});

/// The scanner that an agent says it is.
pub(super) fn find(view: &View<'_>) -> Option<Hit> {
    let found = FINDER.find(view.lower)?;
    Some(Hit {
        class: Class::Fingerprint,
        rule: "scanner_agent",
        score: 10,
        span: found.range(),
        why: "a tool that looks for holes, by its own name",
    })
}
