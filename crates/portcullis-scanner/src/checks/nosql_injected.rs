//! A value is read as an operator or an expression of a document store.

use serde_json::{Value, json};

use super::probing::{Aim, Pair, all_slots, text_like, told_apart};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::Place,
    script::{Flow, Script},
    world::World,
};

static INFO: Info = Info {
    id: "nosql_injected",
    title: "A value becomes an operator of a document store's query",
    section: Section::Security,
    severity: Severity::Critical,
    risk: Risk::Safe,
    phase: Phase::Probe,
    owasp: "API8:2023",
    cwe: 943,
    wfc: Some("F200"),
    remedy: "Check the type of every value before it goes into a query: where text is meant, take text alone. Never build \
             `$where` expressions from input.",
    oracle: "An operator object that means the good value (`$eq`, `$in`) gets the good answer and one that means another \
             does not, or a true JavaScript comparison behind the value does and a false one does not, five times over \
             with fresh words.",
    requests_max: 40,
};

/// The check.
pub(super) struct NosqlInjected;

impl Check for NosqlInjected {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        all_slots(world, |_, _, slot| {
            text_like(slot) && !matches!(slot.place, Place::Header(_) | Place::Cookie(_))
        })
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let aim = Aim::take(world, target, script)?;
        let value = aim.value().to_owned();
        let expression = |script: &mut Script<'_>| {
            let word = script.word(6);
            Pair::of(format!("{value}' && '{word}'=='{word}"), format!("{value}' && '{word}'=='{word}x"))
        };
        let sent = expression(script).same;
        let (_, answer) = aim.send(script, sent.clone())?;
        if aim.looks_good(&answer, sent.as_str().unwrap_or_default())
            && let Some(exchanges) = told_apart(&aim, script, &expression)?
        {
            return Ok(found(&aim, exchanges, "a comparison in JavaScript behind the text is computed"));
        }
        match &aim.place {
            Place::Body(_) => body(&aim, script, &value),
            Place::Query(name) => brackets(&aim, script, name, &value),
            Place::Path(_) | Place::Header(_) | Place::Cookie(_) => Ok(Verdict::Clean),
        }
    }
}

fn body(aim: &Aim<'_>, script: &mut Script<'_>, value: &str) -> Flow<Verdict> {
    let sent = json!({"$eq": value});
    let (_, answer) = aim.send(script, sent.clone())?;
    if !aim.looks_good(&answer, &sent.to_string()) {
        return Ok(Verdict::Clean);
    }
    let pair = |script: &mut Script<'_>| {
        let word = script.word(12);
        if script.between(0, 1) == 0 {
            Pair::of(json!({"$in": [value, word]}), json!({"$in": [word]}))
        } else {
            Pair::of(json!({"$eq": value}), json!({"$eq": word}))
        }
    };
    match told_apart(aim, script, &pair)? {
        Some(exchanges) => Ok(found(aim, exchanges, "operators in place of the value are computed")),
        None => Ok(Verdict::Clean),
    }
}

/// `name[$ne]=…`: frameworks read brackets in a query as an object. Sent as a parameter of that name beside none of the
/// own, so the slot under trial is another place; the pair is told by hand.
fn brackets(aim: &Aim<'_>, script: &mut Script<'_>, name: &str, value: &str) -> Flow<Verdict> {
    let place = |operator: &str| Place::Query(format!("{name}[{operator}]").into());
    let call = |script: &mut Script<'_>, operator: &str, value: &str| {
        aim.bare(script).with(&place(operator), Value::from(value))
    };
    let equal = call(script, "$eq", value);
    let (_, answer) = script.send(equal)?;
    if !aim.looks_good(&answer, "") {
        return Ok(Verdict::Clean);
    }
    // Without the parameter a service may well list everything: a bracket that is simply not known must differ.
    let word = script.word(12);
    let unequal = call(script, "$eq", &word);
    let (_, answer) = script.send(unequal)?;
    if aim.looks_good(&answer, "") {
        return Ok(Verdict::Clean);
    }
    let baseline = aim.baseline(script)?;
    let mut exchanges = Vec::new();
    for round in 0..4 {
        let word = script.word(12);
        let same = call(script, "$eq", value);
        let (probe, same) = script.send(same)?;
        let other = call(script, "$eq", &word);
        let (control, other) = script.send(other)?;
        let good = |answer| {
            aim.is_good(answer, "", &baseline.mask)
                || aim.alike((answer, ""), (&baseline.answer, ""), &baseline.mask)
        };
        if !good(&same) || good(&other) || !other.done() {
            return Ok(Verdict::Clean);
        }
        if round < 2 {
            exchanges
                .extend([(probe, if round == 0 { "probe" } else { "confirmation" }), (control, "control")]);
        }
    }
    Ok(found(aim, exchanges, "an operator in brackets behind its name is computed"))
}

fn found(aim: &Aim<'_>, exchanges: Vec<(usize, &'static str)>, how: &str) -> Verdict {
    let summary = format!("`{}` is read as a query of a document store: {how}", aim.place);
    Verdict::Found(vec![Proof::confirmed(summary, exchanges, Shield::AttackRule)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer, body as body_place, query},
    };

    fn login() -> Stage {
        Stage::new()
            .op("POST /login", Effect::Acts, json!({"welcome": "keeper"}))
            .slot(body_place("/name"), json!("keeper"))
    }

    fn welcome(yes: bool) -> crate::wire::Answer {
        if yes { answer(200, json!({"welcome": "keeper"})) } else { answer(401, json!({"detail": "no"})) }
    }

    #[test]
    fn finds_operators_that_are_computed() {
        let stage = login();
        let mut fake = Fake::new(&stage.world, |ask: &Ask| {
            let name = ask.body.get("name").cloned().unwrap_or_default();
            let means = |value: &Value| value == "keeper";
            welcome(match &name {
                Value::Object(it) => it.iter().all(|(key, value)| match key.as_str() {
                    "$eq" => means(value),
                    "$in" => value.as_array().unwrap().iter().any(means),
                    _ => false,
                }),
                other => means(other),
            })
        });
        assert_eq!(fake.confirmed(&NosqlInjected), 1);
    }

    #[test]
    fn finds_brackets_and_expressions() {
        let stage =
            Stage::new().op("GET /events", Effect::Reads, json!(["fair"])).slot(query("type"), json!("fair"));
        let rows = |yes| answer(200, if yes { json!(["fair"]) } else { json!([]) });
        let mut brackets = Fake::new(&stage.world, |ask: &Ask| {
            rows(ask.text("type[$eq]") == "fair" || ask.text("type") == "fair")
        });
        assert_eq!(brackets.confirmed(&NosqlInjected), 1);
        let mut expression = Fake::new(&stage.world, |ask: &Ask| {
            let sent = ask.text("type");
            let (value, holds) = match sent.split_once("' && '") {
                Some((value, rest)) => (value, rest.split_once("'=='").is_some_and(|(a, b)| a == b)),
                None => (sent.as_str(), true),
            };
            rows(value == "fair" && holds)
        });
        assert_eq!(expression.confirmed(&NosqlInjected), 1);
    }

    #[test]
    fn is_silent_where_text_is_text() {
        let stage = login();
        let mut strict = Fake::new(&stage.world, |ask: &Ask| welcome(ask.text("name") == "keeper"));
        assert!(strict.all(&NosqlInjected).is_empty());
        let mut careless = Fake::new(&stage.world, |_: &Ask| welcome(true));
        assert!(careless.all(&NosqlInjected).is_empty());
        let stage =
            Stage::new().op("GET /events", Effect::Reads, json!(["fair"])).slot(query("type"), json!("fair"));
        let mut listing = Fake::new(&stage.world, |ask: &Ask| {
            answer(200, if ask.text("type").len() > 4 { json!([]) } else { json!(["fair"]) })
        });
        assert!(listing.all(&NosqlInjected).is_empty());
    }
}
