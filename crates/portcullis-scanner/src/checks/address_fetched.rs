//! The service calls an address that the caller names.

use super::probing::{Aim, slots, url_like};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::Place,
    script::{Flow, Planted, Script},
    world::World,
};

static INFO: Info = Info {
    id: "address_fetched",
    title: "The service fetches any address that a caller names",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Safe,
    phase: Phase::Probe,
    owasp: "API7:2023",
    cwe: 918,
    wfc: Some("F202"),
    remedy: "Call named hosts only, compared after parsing the address; resolve names once, refuse private and local \
             addresses, and follow no redirects.",
    oracle: "The out-of-band listener was called with a token that nobody else could know, or an answer holds what the \
             listener alone answers. Calls that come later, when a stored address is used, count too.",
    requests_max: 4,
};

/// The check.
pub(super) struct AddressFetched;

impl Check for AddressFetched {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let good = |index, place: &Place| world.good(index).and_then(|good| good.call.value(place).cloned());
        slots(world, |index, _, slot| url_like(slot, good(index, &slot.place).as_ref()))
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let aim = Aim::take(world, target, script)?;
        for way in ways(&aim.text) {
            let Some((token, url)) = script.token() else { return script.skip("there is no listener") };
            let word = script.word(16);
            let headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
            script.plant(&token, Planted { status: 200, headers, body: word.clone() })?;
            let (number, answer) = aim.send(script, way(&url, &aim.text))?;
            let hits = script.hits(&token)?;
            let reflected = answer.holds(&word);
            if let Some(hit) = hits.first() {
                let how = if reflected { ", and its content is shown" } else { "" };
                let line = hit.text.lines().next().unwrap_or_default();
                let summary =
                    format!("`{}` made the service call us by {}{how}: `{line}`", aim.place, hit.by);
                let mut proof = Proof::confirmed(summary, vec![(number, "probe")], Shield::AttackRule);
                proof.severity = reflected.then_some(Severity::Critical);
                return Ok(Verdict::Found(vec![proof]));
            }
            if answer.done() {
                break;
            }
        }
        Ok(Verdict::Clean)
    }
}

type Way = fn(&str, &str) -> String;

/// The address plainly; then, where that is refused, behind the host that is expected.
fn ways(value: &str) -> Vec<Way> {
    let plain: Way = |url, _| url.to_owned();
    let behind: Way = |url, value| match (url.split_once("://"), host(value)) {
        (Some((scheme, rest)), Some(host)) => format!("{scheme}://{host}@{rest}"),
        _ => url.to_owned(),
    };
    if host(value).is_some() { vec![plain, behind] } else { vec![plain] }
}

fn host(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("://")?;
    rest.split(['/', '?', '#']).next().filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer, query},
    };

    fn stage() -> Stage {
        Stage::new()
            .op("GET /preview", Effect::Reads, json!("a picture"))
            .slot(query("url"), json!("https://images.example/a.png"))
    }

    #[test]
    fn finds_a_call_to_the_listener() {
        let stage = stage();
        // The token of the first address is the same each time: learn it from a first trial.
        let mut seen = String::new();
        let mut first = Fake::new(&stage.world, |ask: &Ask| {
            seen = ask.text("url");
            answer(200, json!("fetched"))
        });
        assert!(first.all(&AddressFetched).is_empty());
        drop(first);
        let token = seen.rsplit('/').next().unwrap().to_owned();
        let mut fake = Fake::new(&stage.world, |_: &Ask| answer(200, json!("fetched")));
        fake.visits.push((token, "GET / HTTP/1.1".to_owned()));
        assert_eq!(fake.confirmed(&AddressFetched), 1);
    }

    #[test]
    fn is_silent_where_nobody_calls() {
        let stage = stage();
        let mut refusing = Fake::new(&stage.world, |ask: &Ask| {
            answer(422, json!({"detail": format!("{} is not accepted", ask.text("url"))}))
        });
        assert!(refusing.all(&AddressFetched).is_empty());
        assert_eq!(refusing.calls, 2);
    }

    #[test]
    fn hides_the_address_behind_the_expected_host() {
        let way = ways("https://images.example/a.png")[1];
        assert_eq!(
            way("http://127.0.0.1:9/t", "https://images.example/a.png"),
            "http://images.example@127.0.0.1:9/t"
        );
    }
}
