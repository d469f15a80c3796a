//! What the description protects is served without a valid credential.

use super::parts::{
    leaves::{canaries, substantial},
    own,
    read_back::{Change, before, readers},
};
use crate::{
    call::{Call, Credential, Edit},
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::{Effect, OperationIndex},
    oracle::{Mask, similarity},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct CredentialNotRequired;

static INFO: Info = Info {
    id: "credential_not_required",
    title: "A protected operation is served without a valid credential",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Intrusive,
    phase: Phase::Write,
    owasp: "API2:2023",
    cwe: 306,
    wfc: Some("F207"),
    remedy: "Check the credential in one place in front of all operations, and except the public ones by name.",
    oracle: "A user's own data is read with the user's credential, then with none, with a made-up one, with one of \
             another scheme and with an expired one: the same data must not come. Changes are read back by their owner.",
    requests_max: 40,
};

/// A token that expired in 2001, for nobody, signed by nobody.
const EXPIRED: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIwIiwiZXhwIjoxMDAwMDAwMDAwfQ.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

impl Check for CredentialNotRequired {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let protected = world.reached().filter(|(index, operation, good)| {
            let known = world.identity(good.call.by).is_none_or(|who| !who.session.secret.is_empty());
            own::demands(operation)
                && known
                && !own::is_entrance(world, *index)
                && !an_entrance_by_name(operation)
        });
        protected.map(|(index, _, _)| Target::operation(index)).collect()
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let (Some(index), Some((owner, _))) = (target.operation, own::strangers(world)) else {
            return script.skip("a user is needed");
        };
        let owner = owner.id;
        let presented = forms(script);
        for (what, credential) in presented {
            let edit = Edit::Credential(credential);
            let proven = if world.effect(index) == Some(Effect::Reads) {
                read(world, script, index, owner, &edit)?
            } else if what == "none" {
                written(world, script, index, owner, &edit)?
            } else {
                None
            };
            if let Some((exchanges, sure)) = proven {
                let id = world.model.operation(index).map(|it| it.id.to_string()).unwrap_or_default();
                let words =
                    format!("`{id}`: served with {} credential", if what == "none" { "no" } else { what });
                let shield = Shield::Identity { roles: Vec::new() };
                let mut proof = if sure {
                    Proof::confirmed(words, exchanges, shield)
                } else {
                    Proof::suspected(words, exchanges, shield)
                };
                what.clone_into(&mut proof.variant);
                return Ok(Verdict::Found(vec![proof]));
            }
        }
        Ok(Verdict::Clean)
    }
}

/// What is presented, weakest first: one finding an operation says enough.
fn forms(script: &mut Script<'_>) -> Vec<(&'static str, Credential)> {
    let garbage = script.word(24);
    vec![
        ("none", Credential::None),
        ("a made-up", Credential::Text(garbage)),
        ("another scheme's", Credential::Authorization("Basic YWRtaW46YWRtaW4=".to_owned())),
        ("an expired", Credential::Text(EXPIRED.to_owned())),
    ]
}

/// Whether names say that it is how one gets a credential in the first place.
fn an_entrance_by_name(operation: &crate::model::Operation) -> bool {
    const WORDS: &[&str] = &[
        "login",
        "signin",
        "signup",
        "register",
        "registration",
        "token",
        "forgot",
        "reset",
        "health",
        "ping",
    ];
    own::words(operation).iter().any(|word| WORDS.contains(&word.as_str()))
}

/// Whether security is declared operation by operation: then it is meant where it is declared.
fn declared_on_purpose(world: &World) -> bool {
    world.model.operations.iter().any(|operation| !own::demands(operation))
}

type Shown = Option<(Vec<(usize, &'static str)>, bool)>;

fn read(
    world: &World,
    script: &mut Script<'_>,
    index: OperationIndex,
    owner: crate::call::IdentityId,
    edit: &Edit,
) -> Flow<Shown> {
    let mut exchanges = Vec::new();
    let mut sure = declared_on_purpose(world);
    for round in ["probe", "confirmation"] {
        let prepared = world.prepare(script, index, owner)?;
        let call = prepared.call.clone().by(owner);
        let bare = call.clone().edited(edit.clone());
        let (number, without) = script.send(bare)?;
        if !without.done() || !substantial(&without) {
            return Ok(None);
        }
        let (valid, with) = script.send(call.clone())?;
        if !with.done() || similarity(&with, &without, &Mask::default()).share < 0.8 {
            return Ok(None);
        }
        let made = canaries(prepared.made.iter().map(|(call, _, _)| call), &call, &with);
        let texts = world.identity(owner).map(own::private_texts).unwrap_or_default();
        let owned = made.iter().chain(&texts).any(|text| with.holds(text) && without.holds(text));
        sure |= owned;
        exchanges.extend([(valid, "baseline"), (number, round)]);
        if round == "probe" && !owned {
            let (control, nowhere) = nowhere(script, edit)?;
            if nowhere.done() && similarity(&without, &nowhere, &Mask::default()).share >= 0.8 {
                return Ok(None);
            }
            exchanges.push((control, "control"));
        }
    }
    Ok(Some((exchanges, sure)))
}

/// What a path that is nothing's is answered with.
fn nowhere(script: &mut Script<'_>, edit: &Edit) -> Flow<(usize, std::sync::Arc<crate::wire::Answer>)> {
    let path = format!("/{}", script.word(14));
    script.send(Call::bare("GET", &path, crate::call::ANONYMOUS).edited(edit.clone()))
}

fn written(
    world: &World,
    script: &mut Script<'_>,
    index: OperationIndex,
    owner: crate::call::IdentityId,
    edit: &Edit,
) -> Flow<Shown> {
    let mut exchanges = Vec::new();
    for round in ["probe", "confirmation"] {
        let prepared = world.prepare(script, index, owner)?;
        let looked = before(script, readers(world, index, &prepared), owner)?;
        let call = prepared.call.clone().by(owner).edited(edit.clone());
        let (number, answer) = script.send(call.clone())?;
        exchanges.push((number, round));
        match looked {
            Some(before) => {
                let (after, change) = before.after(script, owner, &call)?;
                exchanges.push((after, "read back"));
                if !matches!(change, Change::Took(_) | Change::Gone) {
                    return Ok(None);
                }
            }
            None => {
                if !answer.done() {
                    return Ok(None);
                }
                // Without a look at the state a good answer only raises suspicion.
                return Ok((world.effect(index) == Some(Effect::Creates)
                    && substantial(&answer)
                    && prepared.call.body.is_some())
                .then_some((exchanges, false)));
            }
        }
    }
    Ok(Some((exchanges, true)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        check::Verdict,
        script::rehearse::{Ask, Fake, Stage, answer},
        wire::Answer,
    };

    fn world() -> World {
        Stage::new().op("GET /me", Effect::Reads, json!({"email": "alice@mail.example", "id": 1})).world
    }

    fn me(ask: &Ask, accepts: impl Fn(Option<&str>) -> bool) -> Answer {
        if ask.path == "/me" && accepts(ask.credential.as_deref()) {
            answer(200, json!({"email": format!("{}@mail.example", ask.user), "id": 1}))
        } else {
            answer(401, json!({"error": "who are you"}))
        }
    }

    #[test]
    fn finds_each_kind_of_missing_check() {
        for (accepts, variant) in [
            (Box::new(|_: Option<&str>| true) as Box<dyn Fn(Option<&str>) -> bool>, "none"),
            (Box::new(|it: Option<&str>| it.is_some()), "a made-up"),
            (
                Box::new(|it: Option<&str>| {
                    it.is_some_and(|it| it.starts_with("eyJ") || it.starts_with("token"))
                }),
                "an expired",
            ),
        ] {
            let proofs = Fake::new(&world(), |ask: &Ask| me(ask, &accepts)).all(&CredentialNotRequired);
            assert_eq!(proofs.len(), 1);
            assert_eq!(proofs[0].variant, variant);
        }
    }

    #[test]
    fn is_silent_where_credentials_are_checked() {
        let check = |it: Option<&str>| it.is_some_and(|it| it.starts_with("token-"));
        assert!(Fake::new(&world(), |ask: &Ask| me(ask, check)).all(&CredentialNotRequired).is_empty());
    }

    #[test]
    fn is_silent_where_everything_is_answered_alike() {
        let mut fake = Fake::new(&world(), |_: &Ask| answer(200, json!({"page": "welcome all", "n": 5})));
        let target = CredentialNotRequired.targets(&world()).remove(0);
        assert_eq!(fake.trial(&CredentialNotRequired, &target), Verdict::Clean);
    }
}
