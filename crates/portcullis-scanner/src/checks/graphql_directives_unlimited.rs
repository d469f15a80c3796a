//! One field may carry any number of directives.

use super::parts::graphql::{Endpoint, data, errors, targets};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct GraphqlDirectivesUnlimited;

static INFO: Info = Info {
    id: "graphql_directives_unlimited",
    title: "GraphQL directives are not limited",
    section: Section::Security,
    severity: Severity::Low,
    risk: Risk::Safe,
    phase: Phase::Flood,
    owasp: "API4:2023",
    cwe: 770,
    wfc: None,
    remedy: "Bound the directives of a document and the errors of an answer; stop validating at the first few errors, and refuse a directive that is repeated where it may stand once.",
    oracle: "A field with 400 directives that nobody has is refused with an error for each, so that a small document costs a large answer; or one directive that may stand once is served though repeated 400 times. Again with other names and another number; without them the field is served.",
    requests_max: 8,
};

impl Check for GraphqlDirectivesUnlimited {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        targets(world)
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let endpoint = Endpoint::of(world, target, script)?;
        let name = script.word(8);
        let (control, served) =
            endpoint.ask(script, &format!("{{ {name}: __typename @include(if: true) }}"))?;
        if data(&served).is_none_or(|it| it.get(&name).is_none()) {
            return Ok(Verdict::Clean);
        }
        let (mut repeated, mut complained) = (vec![(control, "control")], vec![(control, "control")]);
        for (count, part) in [(MANY, "probe"), (MANY - 100, "confirmation")] {
            let (name, unknown) = (script.word(8), script.word(8));
            let document = format!("{{ {name}: __typename {} }}", "@include(if: true) ".repeat(count));
            let (number, answer) = endpoint.ask(script, &document)?;
            if data(&answer).is_some_and(|it| it.get(&name).is_some()) {
                repeated.push((number, part));
                continue;
            }
            let document = format!("{{ {name}: __typename {} }}", format!("@{unknown} ").repeat(count));
            let (number, answer) = endpoint.ask(script, &document)?;
            if errors(&answer).iter().filter(|it| it.contains(&unknown)).count() >= count {
                complained.push((number, part));
            }
        }
        let (exchanges, summary) = if repeated.len() == 3 {
            (repeated, format!("a directive that may stand once was accepted {MANY} times on one field"))
        } else if complained.len() == 3 {
            (complained, format!("{MANY} directives that nobody has were refused with an error each"))
        } else {
            return Ok(Verdict::Clean);
        };
        Ok(Verdict::Found(vec![Proof::confirmed(summary, exchanges, Shield::Cost)]))
    }
}

/// Directives on one field; more than the hundred errors at which careful servers stop.
const MANY: usize = 400;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer},
        wire::Answer,
    };

    fn stage() -> Stage {
        Stage::new().field("query users", Effect::Reads, json!([{"name": "ann"}]))
    }

    fn check(serve: impl FnMut(&Ask) -> Answer) -> usize {
        let stage = stage();
        Fake::new(&stage.world, serve).confirmed(&GraphqlDirectivesUnlimited)
    }

    fn document(ask: &Ask) -> String {
        ask.body["query"].as_str().unwrap_or_default().to_owned()
    }

    fn serve(ask: &Ask, repeats: bool, errors_max: usize) -> Answer {
        let document = document(ask);
        let name = document.get(2..).unwrap().split(':').next().unwrap().to_owned();
        let count = document.matches('@').count();
        if document.contains("@include") && (count == 1 || repeats) {
            return answer(200, json!({"data": {name: "Query"}}));
        }
        let error = json!({"message": format!("Unknown directive {}", document.split('@').nth(1).unwrap())});
        answer(400, json!({"errors": vec![error; count.min(errors_max)]}))
    }

    #[test]
    fn finds_directives_only_where_they_are_not_limited() {
        assert_eq!(check(|ask| serve(ask, true, 1)), 1);
        assert_eq!(check(|ask| serve(ask, false, 10_000)), 1);
        assert_eq!(check(|ask| serve(ask, false, 100)), 0);
        let _: Value = json!(null);
    }
}
