//! An answer is not what the description says: status, media type, or content.

use serde_json::Value;

use super::probing::validator;
use crate::{
    call::Call,
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::{DeclaredAnswer, Effect, Model, Operation, Wire},
    script::{Flow, Script},
    wire::{Answer, Outcome},
    world::World,
};

static INFO: Info = Info {
    id: "answer_undeclared",
    title: "An answer is not as the description says",
    section: Section::Contract,
    severity: Severity::Info,
    risk: Risk::Safe,
    phase: Phase::Contract,
    owasp: "API9:2023",
    cwe: 1059,
    wfc: Some("F101"),
    remedy: "Bring the description and the service together: declare every status, media type and field that clients get.",
    oracle: "A status, media type or content that the description does not allow, in the answer to a good call, and again \
             when it is sent once more.",
    requests_max: 4,
};

/// The check.
pub(super) struct AnswerUndeclared;

impl Check for AnswerUndeclared {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let declared = world.reached().filter(|(_, operation, _)| {
            matches!(operation.wire, Wire::Rest { .. }) && !operation.answers.is_empty()
        });
        declared.map(|(index, _, _)| Target::operation(index)).collect()
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let known =
            target.operation.and_then(|index| Some((world.model.operation(index)?, world.good(index)?)));
        let Some((operation, good)) = known else { return script.skip("no good call of it is known") };
        let mut proofs: Vec<Proof> = Vec::new();
        if let Some((variant, _)) = fault(&world.model, operation, &good.answer) {
            // A call that changes something is not made twice for the sake of its description.
            if operation.effect != Effect::Reads || !good.recipe.is_empty() {
                let call = world
                    .prepare(
                        script,
                        target.operation.unwrap_or(crate::model::OperationIndex(0)),
                        good.call.by,
                    )?
                    .call;
                proofs.extend(again(world, operation, call, variant, script)?);
            } else {
                proofs.extend(again(world, operation, good.call.clone(), variant, script)?);
            }
        }
        Ok(if proofs.is_empty() { Verdict::Clean } else { Verdict::Found(proofs) })
    }
}

/// Sends the call once more and sees whether the fault is there again.
fn again(
    world: &World,
    operation: &Operation,
    call: Call,
    variant: &'static str,
    script: &mut Script<'_>,
) -> Flow<Option<Proof>> {
    let (number, answer) = script.send(call)?;
    let Some((same, words)) = fault(&world.model, operation, &answer) else { return Ok(None) };
    if same != variant {
        return Ok(None);
    }
    let shield = Shield::None { words: "the description or the service is to be mended".to_owned() };
    let mut proof = Proof::confirmed(words, vec![(number, "confirmation")], shield);
    proof.variant = variant.to_owned();
    Ok(Some(proof))
}

/// What is wrong with an answer: its variant, and a sentence.
fn fault(model: &Model, operation: &Operation, answer: &Answer) -> Option<(&'static str, String)> {
    if matches!(answer.outcome, Outcome::Unreached | Outcome::Limited) || answer.truncated {
        return None;
    }
    let Some(declared) = declared(operation, answer.status) else {
        return Some(("status", format!("status {} is not declared", answer.status)));
    };
    let media = answer.media();
    if !answer.body.is_empty()
        && !declared.media.is_empty()
        && !declared.media.iter().any(|it| allows(it, &media))
    {
        return Some(("media", format!("media type `{media}` is not declared for {}", answer.status)));
    }
    let schema = declared.schema.as_ref().filter(|_| media.ends_with("json"))?;
    let json = answer.json.as_ref()?;
    let validator = validator(&model.schemas, schema)?;
    let error = validator.iter_errors(json).next()?;
    let at = error.instance_path().to_string();
    let kind = kind_of(json.pointer(&at));
    Some(("schema", format!("the content at `{at}` ({kind}) is not as declared for {}", answer.status)))
}

/// The declaration of a status: its own, its class's, the default.
fn declared(operation: &Operation, status: u16) -> Option<&DeclaredAnswer> {
    let exact = status.to_string();
    let class = format!("{}XX", status / 100);
    let by = |wanted: &str| operation.answers.iter().find(|it| it.status.eq_ignore_ascii_case(wanted));
    by(&exact).or_else(|| by(&class)).or_else(|| by("default"))
}

/// Whether a declared media range holds a media type.
fn allows(declared: &str, media: &str) -> bool {
    let declared = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match declared.strip_suffix("/*") {
        Some("*") => true,
        Some(class) => media.strip_prefix(class).is_some_and(|rest| rest.starts_with('/')),
        None => declared == media,
    }
}

fn kind_of(value: Option<&Value>) -> &'static str {
    match value {
        None => "missing",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "a truth value",
        Some(Value::Number(_)) => "a number",
        Some(Value::String(_)) => "text",
        Some(Value::Array(_)) => "a list",
        Some(Value::Object(_)) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::script::rehearse::{Ask, Fake, Stage, answer, text};

    fn trial(given: &Answer) -> Vec<String> {
        let mut stage = Stage::new().op("GET /stock", Effect::Reads, json!({"count": 1}));
        stage.world.model.schemas = json!({"$defs": {"Count": {"type": "integer"}}});
        stage.world.model.operations[0].answers.push(DeclaredAnswer {
            status: "200".to_owned(),
            media: vec!["application/json".to_owned()],
            schema: Some(json!({"type": "object", "properties": {"count": {"$ref": "#/$defs/Count"}}})),
            headers: Vec::new(),
        });
        stage.world.good[0].as_mut().unwrap().answer = Arc::new(given.clone());
        let mut fake = Fake::new(&stage.world, |_: &Ask| given.clone());
        fake.all(&AnswerUndeclared).into_iter().map(|proof| proof.variant).collect()
    }

    #[test]
    fn finds_what_the_description_does_not_say() {
        assert_eq!(trial(&answer(203, json!({"count": 1}))), ["status"]);
        assert_eq!(trial(&text(200, "text/plain", "1")), ["media"]);
        assert_eq!(trial(&answer(200, json!({"count": "one"}))), ["schema"]);
    }

    #[test]
    fn is_silent_where_it_is_as_declared() {
        assert!(trial(&answer(200, json!({"count": 2, "more": true}))).is_empty());
        let mut charset = answer(200, json!({"count": 2}));
        charset.headers = vec![("content-type".into(), "application/json; charset=utf-8".into())];
        assert!(trial(&charset).is_empty());
    }
}
