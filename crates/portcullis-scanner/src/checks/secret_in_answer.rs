//! Answers hold what nobody should be told: passwords, keys, card numbers, other people's data.

use std::collections::BTreeMap;

use serde_json::Value;

use super::parts::{
    declared::declares,
    leaves::{leaves, marks, text_of},
    own,
    secrets::{Secret, judge},
};
use crate::{
    call::ANONYMOUS,
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::{Effect, OperationIndex},
    script::{Flow, Script},
    wire::Answer,
    world::{Sample, World},
};

/// The check.
pub(super) struct SecretInAnswer;

static INFO: Info = Info {
    id: "secret_in_answer",
    title: "An answer holds secrets or other people's data",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Safe,
    phase: Phase::Passive,
    owasp: "API3:2023",
    cwe: 213,
    wfc: None,
    remedy: "Answer with a type of its own that has the few members a client needs; never with the stored record.",
    oracle: "Members of answers are judged by form, with check digits where there are any, and by name: password \
             hashes, private keys, card and account numbers, second factors. What the caller sent itself, masked \
             values and placeholders do not count. Addresses and telephones count where anybody gets them and the \
             description does not declare them. The call is repeated, without a credential where that works.",
    requests_max: 6,
};

/// What one answer gives away, by the member's place without list positions.
type Given = BTreeMap<String, (Secret, usize)>;

impl Check for SecretInAnswer {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let all = world.model.all().filter(|(index, _)| {
            samples(world, *index).any(|sample| {
                !given(world, *index, sample).is_empty()
                    || !personal(world, *index, &sample.answer).is_empty()
            })
        });
        all.map(|(index, _)| Target::operation(index)).collect()
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let Some(index) = target.operation else { return script.skip("no operation") };
        let best = samples(world, index).max_by_key(|sample| {
            let all = given(world, index, sample).values().map(|it| it.1).sum::<usize>();
            (all, sample.call.by == ANONYMOUS)
        });
        let Some(sample) = best else { return Ok(Verdict::Clean) };
        if world.effect(index) != Some(Effect::Reads) {
            return told_once(world, index, sample, script);
        }
        let (open, anonymous) = script.send(sample.call.clone().by(ANONYMOUS))?;
        let bare = Sample { call: sample.call.clone().by(ANONYMOUS), answer: anonymous };
        let mut proofs = Vec::new();
        let (number, again) = if bare.answer.done() {
            (open, bare)
        } else {
            let (number, answer) = script.send(sample.call.clone())?;
            (number, Sample { call: sample.call.clone(), answer })
        };
        let public = again.call.by == ANONYMOUS;
        for (place, (secret, count)) in given(world, index, &again) {
            let many = count > 1;
            // One's own number or key, shown to oneself alone, may be what the operation is for.
            let own = !public && !many && !of_another(world, &again);
            let certain =
                !own || matches!(secret, Secret::Password | Secret::PasswordHash | Secret::PrivateKey);
            let whose = if public { "to anybody" } else { "to its caller" };
            let words = format!("`{place}` shows {} {whose}", secret.words());
            let shield = Shield::StripField { fields: vec![place.clone()], answer: true };
            let exchanges = vec![(number, "probe")];
            let mut proof = if certain {
                Proof::confirmed(words, exchanges, shield)
            } else {
                Proof::suspected(words, exchanges, shield)
            };
            proof.severity = Some(if public && matches!(secret, Secret::Password | Secret::PrivateKey) {
                Severity::Critical
            } else {
                Severity::High
            });
            proof.variant = place;
            proofs.push(proof);
        }
        if public {
            for place in personal(world, index, &again.answer) {
                let words = format!(
                    "`{place}`, which the description does not declare, shows people's data to anybody"
                );
                let shield = Shield::StripField { fields: vec![place.clone()], answer: true };
                let mut proof = Proof::confirmed(words, vec![(number, "probe")], shield);
                proof.severity = Some(Severity::Medium);
                proof.variant = place;
                proofs.push(proof);
            }
        }
        Ok(if proofs.is_empty() { Verdict::Clean } else { Verdict::Found(proofs) })
    }
}

fn samples(world: &World, index: OperationIndex) -> impl Iterator<Item = &Sample> {
    world.samples.iter().filter(move |sample| {
        sample.call.operation == Some(index) && sample.answer.done() && sample.call.edits.is_empty()
    })
}

/// A call that changes things is not repeated: what it told once is told, in fewer words.
fn told_once(
    world: &World,
    index: OperationIndex,
    sample: &Sample,
    script: &mut Script<'_>,
) -> Flow<Verdict> {
    let all = given(world, index, sample);
    let Some((place, (secret, _))) = all.into_iter().find(|(_, (secret, _))| {
        matches!(secret, Secret::PasswordHash | Secret::PrivateKey | Secret::Password)
    }) else {
        return Ok(Verdict::Clean);
    };
    if world.bounds.read_only {
        return script.skip("it changes things and is not repeated");
    }
    let prepared = world.prepare(script, index, sample.call.by)?;
    let (number, answer) = script.send(prepared.call.clone())?;
    let again = Sample { call: prepared.call, answer };
    if !given(world, index, &again).contains_key(&place) {
        return Ok(Verdict::Clean);
    }
    let shield = Shield::StripField { fields: vec![place.clone()], answer: true };
    let mut proof =
        Proof::confirmed(format!("`{place}` shows {}", secret.words()), vec![(number, "probe")], shield);
    proof.variant = place;
    Ok(Verdict::Found(vec![proof]))
}

/// Whether the answer is about somebody other than its caller.
fn of_another(world: &World, sample: &Sample) -> bool {
    let others = world.identities.iter().filter(|it| it.id != sample.call.by);
    others.flat_map(own::private_texts).any(|text| sample.answer.holds(&text))
}

/// Secrets of an answer that its call did not bring along.
fn given(world: &World, index: OperationIndex, sample: &Sample) -> Given {
    let mut given = Given::new();
    let Some(json) = sample.answer.json.as_ref().filter(|_| sample.answer.done()) else { return given };
    let sent = marks(&sample.call);
    let mut said: Vec<String> = sample.call.parameters.values().map(text_of).collect();
    said.extend(
        leaves(sample.call.body.as_ref().unwrap_or(&Value::Null))
            .into_iter()
            .map(|(_, value)| text_of(value)),
    );
    let entrance = own::is_entrance(world, index);
    for (pointer, value) in leaves(json) {
        if !(value.is_string() || value.is_number()) {
            continue;
        }
        let text = text_of(value);
        let name =
            pointer.rsplit('/').find(|it| !it.bytes().all(|byte| byte.is_ascii_digit())).unwrap_or_default();
        if sent.contains(&text) || said.contains(&text) {
            continue;
        }
        if let Some(secret) = judge(name, &text)
            .filter(|it| !(entrance && *it == Secret::OneTime))
            .or_else(|| internal(name, &text))
        {
            let entry = given.entry(plain(&pointer)).or_insert((secret, 0));
            entry.1 += 1;
        }
    }
    given
}

/// A token that a name calls internal.
fn internal(name: &str, text: &str) -> Option<Secret> {
    let name = name.to_ascii_lowercase();
    let inside = ["internal", "private", "service", "master"].iter().any(|it| name.contains(it));
    let key = ["token", "key", "secret"].iter().any(|it| name.ends_with(it));
    (inside && key && text.len() >= 12 && !text.contains(' ')).then_some(Secret::ServiceKey)
}

/// Members with addresses or telephones that the description does not declare.
fn personal(world: &World, index: OperationIndex, answer: &Answer) -> Vec<String> {
    let (Some(json), Some(operation)) = (&answer.json, world.model.operation(index)) else {
        return Vec::new();
    };
    let mut found: Vec<String> = Vec::new();
    for (pointer, value) in leaves(json) {
        let Some(text) = value.as_str() else { continue };
        let name = pointer.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let mail =
            name.contains("mail") && text.split_once('@').is_some_and(|(_, domain)| domain.contains('.'));
        let phone = (name.contains("phone") || name.contains("mobile"))
            && text.bytes().filter(u8::is_ascii_digit).count() >= 7;
        if (mail || phone) && declares(&world.model, operation, answer.status, &pointer) == Some(false) {
            found.push(plain(&pointer));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// A pointer whose list positions are all the same.
fn plain(pointer: &str) -> String {
    let tokens = pointer.split('/').map(|token| {
        if !token.is_empty() && token.bytes().all(|it| it.is_ascii_digit()) { "*" } else { token }
    });
    tokens.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::script::rehearse::{Fake, Stage, answer};

    fn found(open: bool, json: Value) -> Vec<(String, bool)> {
        let world = Stage::new().op("GET /users", Effect::Reads, json.clone()).world;
        let service = move |ask: &crate::script::rehearse::Ask| {
            if open || ask.credential.is_some() { answer(200, json.clone()) } else { answer(401, json!({})) }
        };
        let proofs = Fake::new(&world, service).all(&SecretInAnswer);
        proofs
            .into_iter()
            .map(|it| (it.variant, it.certainty == crate::finding::Certainty::Confirmed))
            .collect()
    }

    #[test]
    fn finds_passwords_in_a_list() {
        let list = json!({"users": [{"name": "a", "password": "pass1"}, {"name": "b", "password": "pass2"}]});
        assert_eq!(found(true, list), [("/users/*/password".to_owned(), true)]);
    }

    #[test]
    fn only_suspects_ones_own_card_and_leaves_masked_ones() {
        let card = json!({"card_number": "4111 1111 1111 1111"});
        assert_eq!(found(false, card.clone()), [("/card_number".to_owned(), false)]);
        assert_eq!(found(true, card), [("/card_number".to_owned(), true)]);
        assert!(found(true, json!({"card_number": "**** 1111", "password": "********"})).is_empty());
    }

    #[test]
    fn leaves_public_profiles_as_they_are_declared() {
        assert!(found(true, json!([{"name": "a", "email": "a@mail.example"}])).is_empty());
    }
}
