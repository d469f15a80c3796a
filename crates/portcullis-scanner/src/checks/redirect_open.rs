//! A value decides where a browser is sent to, to any host.

use super::probing::{Aim, named, slots, text_like, url_like};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::Place,
    script::{Flow, Script},
    wire::{Answer, Outcome},
    world::World,
};

static INFO: Info = Info {
    id: "redirect_open",
    title: "A value sends browsers to any host",
    section: Section::Security,
    severity: Severity::Medium,
    risk: Risk::Safe,
    phase: Phase::Probe,
    owasp: "API8:2023",
    cwe: 601,
    wfc: None,
    remedy: "Redirect to paths of the own host, or to hosts from a list, compared after parsing the address.",
    oracle: "The answer's `Location` (or `Refresh`) leads, as a browser reads it, to a host with a random name of ours; \
             twice with fresh names.",
    requests_max: 10,
};

/// The check.
pub(super) struct RedirectOpen;

/// Ways to name a host; `@` is ours, `~` the one that is expected.
const WAYS: &[&str] =
    &["https://@/", "//@/", "/\\@/", "https:@", "https://~@@/", "https://~.@/", "https://@/~"];

impl Check for RedirectOpen {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        const WORDS: &[&str] = &[
            "next", "return", "redirect", "continue", "goto", "go_to", "back", "target", "dest", "to",
            "forward", "out", "location", "page", "url", "uri", "rurl", "cont",
        ];
        slots(world, |index, _, slot| {
            let good = world.good(index);
            let value = good.and_then(|it| it.call.value(&slot.place));
            let redirects = good.is_some_and(|it| it.answer.outcome == Outcome::Elsewhere);
            let short = ["to", "out", "back", "next", "dest", "cont", "page"];
            let name = slot.place.name().to_ascii_lowercase();
            let by_name = WORDS
                .iter()
                .any(|word| if short.contains(word) { name == *word } else { named(slot, &[word]) });
            text_like(slot)
                && matches!(slot.place, Place::Query(_) | Place::Path(_) | Place::Body(_))
                && (redirects || by_name || url_like(slot, value))
        })
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let aim = Aim::take(world, target, script)?;
        let expected = host(&aim.text).unwrap_or_default();
        // Only a service that redirects at all is worth the odd ways.
        let mut redirects = aim.good.outcome == Outcome::Elsewhere || leads(&aim.good).is_some();
        for (at, way) in WAYS.iter().enumerate() {
            if (way.contains('~') && expected.is_empty()) || (at > 0 && !redirects) {
                continue;
            }
            let (first, answer) = {
                let (name, value) = value(script, way, &expected);
                let (number, answer) = aim.send(script, value)?;
                redirects |= leads(&answer).is_some();
                (leads_to(&answer, &name).then_some(number), answer)
            };
            drop(answer);
            let Some(first) = first else { continue };
            let (name, value) = value(script, way, &expected);
            let (second, answer) = aim.send(script, value)?;
            if !leads_to(&answer, &name) {
                continue;
            }
            let summary = format!("`{}` sent a browser to `{name}`, a host of ours", aim.place);
            let exchanges = vec![(first, "probe"), (second, "confirmation")];
            return Ok(Verdict::Found(vec![Proof::confirmed(summary, exchanges, Shield::AttackRule)]));
        }
        Ok(Verdict::Clean)
    }
}

/// A fresh host and the value that names it.
fn value(script: &mut Script<'_>, way: &str, expected: &str) -> (String, String) {
    let name = format!("{}.example", script.word(12));
    // `@@` is an at sign and then ours.
    let value = way.replace("@@", "\u{1}@").replace('@', &name).replace('\u{1}', "@").replace('~', expected);
    (name, value)
}

/// Where the answer leads, as it stands.
fn leads(answer: &Answer) -> Option<String> {
    if let Some(place) = answer.header("location").filter(|_| (300..400).contains(&answer.status)) {
        return Some(place.to_owned());
    }
    let refresh = answer.header("refresh")?;
    let (_, place) = refresh.split_once('=')?;
    Some(place.trim_matches(['"', '\'', ' ']).to_owned())
}

fn leads_to(answer: &Answer, name: &str) -> bool {
    leads(answer)
        .and_then(|it| host(&it))
        .is_some_and(|host| host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')))
}

/// The host of an address as a browser reads it (URL Standard): backslashes are slashes, a special scheme needs none,
/// what stands before the last `@` is a user.
fn host(address: &str) -> Option<String> {
    let plain = address.trim().replace('\\', "/");
    let lower = plain.to_ascii_lowercase();
    let rest = ["https:", "http:"]
        .iter()
        .find_map(|scheme| lower.strip_prefix(scheme))
        .or_else(|| lower.starts_with("//").then_some(lower.as_str()))?;
    let authority = rest.trim_start_matches('/').split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    (!host.is_empty()).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer, query},
    };

    fn trial(good: &str, leads: impl Fn(&str) -> Option<String>) -> usize {
        let stage = Stage::new().op("GET /go", Effect::Reads, json!(1)).slot(query("next"), json!(good));
        let mut fake = Fake::new(&stage.world, |ask: &Ask| match leads(&ask.text("next")) {
            Some(place) => {
                let mut answer = answer(302, json!(1));
                answer.headers.push(("location".into(), place));
                answer
            }
            None => answer(400, json!({"detail": "no"})),
        });
        fake.confirmed(&RedirectOpen)
    }

    #[test]
    fn finds_redirects_to_any_host() {
        assert_eq!(trial("/a", |next| Some(next.to_owned())), 1);
        assert_eq!(
            trial("/a", |next| next.starts_with('/').then(|| next.to_owned()).or(Some("/".into()))),
            1
        );
        let prefix = |next: &str| next.starts_with("https://own.example").then(|| next.to_owned());
        assert_eq!(trial("https://own.example/a", |next| prefix(next).or(Some("/".into()))), 1);
    }

    #[test]
    fn is_silent_within_the_host() {
        assert_eq!(trial("/a", |_| Some("/products".to_owned())), 0);
        assert_eq!(trial("/a", |next| Some(format!("/login?next={next}"))), 0);
        assert_eq!(trial("/a", |next| Some(format!("https://own.example/{next}"))), 0);
        assert_eq!(trial("/a", |next| (next == "/a").then(|| next.to_owned())), 0);
    }

    #[test]
    fn reads_hosts_as_browsers_do() {
        for (address, expected) in [
            ("https://a.example/x", Some("a.example")),
            ("//a.example", Some("a.example")),
            ("/\\a.example", Some("a.example")),
            ("https:a.example", Some("a.example")),
            ("https://own.example@a.example/", Some("a.example")),
            ("/a.example", None),
            ("x?next=https://a.example", None),
        ] {
            assert_eq!(host(address).as_deref(), expected, "{address}");
        }
    }
}
