//! An object is changed or deleted by someone to whom it does not belong.

use super::parts::{
    leaves::{has_leaf, text_of},
    novel::novel,
    own,
    read_back::{Change, before, readers},
};
use crate::{
    call::ANONYMOUS,
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    identity::Identity,
    model::{Effect, OperationIndex, Place},
    script::{Flow, Script},
    world::{Good, Prepared, World},
};

/// The check.
pub(super) struct ObjectWrittenByStranger;

static INFO: Info = Info {
    id: "object_written_by_stranger",
    title: "An object can be changed or deleted by someone it does not belong to",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Intrusive,
    phase: Phase::Destroy,
    owasp: "API1:2023",
    cwe: 639,
    wfc: Some("F206"),
    remedy: "Change and delete only objects that were looked up together with their owner, from the session.",
    oracle: "One user makes an object and looks at it. Another ordinary user changes or deletes it; the owner looks \
             again. What was answered to the change counts for nothing: the new value must stand there, or the object \
             be gone. The same by an anonymous caller must fail. Shown twice with fresh objects.",
    requests_max: 60,
};

impl Check for ObjectWrittenByStranger {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let writes = world.reached().filter(|(index, operation, good)| {
            matches!(operation.effect, Effect::Changes | Effect::Deletes | Effect::Acts)
                && !own::is_entrance(world, *index)
                && made_slot(world, good).is_some()
        });
        writes.map(|(index, _, _)| Target::operation(index)).collect()
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let (Some(index), Some((owner, stranger))) = (target.operation, own::strangers(world)) else {
            return script.skip("two ordinary users are needed");
        };
        let Some(first) = written(world, script, index, owner, Some(stranger))? else {
            return Ok(Verdict::Clean);
        };
        let Some(second) = written(world, script, index, stranger, Some(owner))? else {
            return Ok(Verdict::Clean);
        };
        if written(world, script, index, owner, None)?.is_some() {
            // Anybody at all may: that is another weakness, or a common board.
            return Ok(Verdict::Clean);
        }
        let id = world.model.operation(index).map(|it| it.id.to_string()).unwrap_or_default();
        let mut exchanges = first.exchanges;
        exchanges.extend(
            second.exchanges.into_iter().filter(|it| it.1 != "baseline").map(|it| (it.0, "confirmation")),
        );
        let words = format!(
            "`{id}`: {}'s object `{}` was {} by {}",
            owner.name, first.object, first.what, stranger.name
        );
        let mut proof = if first.shared && second.shared {
            Proof::suspected(words, exchanges, Shield::Ownership)
        } else {
            Proof::confirmed(words, exchanges, Shield::Ownership)
        };
        proof.slot = Some(first.slot);
        Ok(Verdict::Found(vec![proof]))
    }
}

struct Written {
    exchanges: Vec<(usize, &'static str)>,
    what: &'static str,
    object: String,
    slot: Place,
    /// It stands in the stranger's own list and does not say whose it is.
    shared: bool,
}

/// The slot that names what was made.
fn made_slot(world: &World, good: &Good) -> Option<Place> {
    own::made_slots(world, good).into_iter().next()
}

/// The owner makes an object, the other (or nobody) writes it, the owner looks.
fn written(
    world: &World,
    script: &mut Script<'_>,
    index: OperationIndex,
    owner: &Identity,
    other: Option<&Identity>,
) -> Flow<Option<Written>> {
    let Some(slot) = world.good(index).and_then(|good| made_slot(world, good)) else { return Ok(None) };
    let prepared = world.prepare_for(script, index, owner)?;
    let Some(id) = prepared.call.value(&slot).cloned() else { return Ok(None) };
    let mut call = prepared.call.clone();
    novel(world, index, &mut call, script);
    let writer = other.map_or(ANONYMOUS, |it| it.id);
    let Some(before) = before(script, readers(world, index, &prepared), owner.id)? else {
        return unread(world, script, index, &prepared, owner, writer, slot);
    };
    let (probe, answer) = script.send(call.clone().by(writer))?;
    if matches!(answer.outcome, crate::wire::Outcome::Unreached) {
        return Ok(None);
    }
    let (after, change) = before.after(script, owner.id, &call)?;
    let deletes = world.effect(index) == Some(Effect::Deletes);
    let what = match change {
        Change::Took(_) => "changed",
        Change::Gone => "deleted",
        // A difference without one of our values counts where the caller was told that something was done.
        Change::Differs if answer.done() && !deletes => "changed",
        Change::Differs | Change::Ended | Change::None => return Ok(None),
    };
    let mut shared = false;
    if let Some(other) = other {
        let says_whose = own::private_texts(owner).iter().any(|text| before.answer.1.holds(text))
            || owner
                .values
                .get("id")
                .is_some_and(|own| text_of(own) != text_of(&id) && has_leaf(&before.answer.1, own));
        shared = !says_whose && in_list(world, script, index, owner, other, &slot)?;
    }
    let exchanges = vec![(before.answer.0, "baseline"), (probe, "probe"), (after, "read back")];
    Ok(Some(Written { exchanges, what, object: text_of(&id), slot, shared }))
}

/// No reader is known. A deletion can still be seen by repeating it: the owner's second one fails, so where the owner's
/// first one fails after the stranger's, the stranger's was done.
fn unread(
    world: &World,
    script: &mut Script<'_>,
    index: OperationIndex,
    prepared: &Prepared,
    owner: &Identity,
    writer: crate::call::IdentityId,
    slot: Place,
) -> Flow<Option<Written>> {
    if world.effect(index) != Some(Effect::Deletes) {
        return script.skip("nothing shows its owner what became of it");
    }
    let object = prepared.call.value(&slot).map(text_of).unwrap_or_default();
    let (probe, _) = script.send(prepared.call.clone().by(writer))?;
    let (after, gone) = script.send(prepared.call.clone().by(owner.id))?;
    if gone.outcome != crate::wire::Outcome::Absent {
        return Ok(None);
    }
    let control = world.prepare_for(script, index, owner)?;
    let (number, first) = script.send(control.call.by(owner.id))?;
    if !first.done() {
        return Ok(None);
    }
    let exchanges = vec![(number, "control"), (probe, "probe"), (after, "read back")];
    Ok(Some(Written { exchanges, what: "deleted", object, slot, shared: false }))
}

/// Whether another object of the owner's stands in the stranger's list.
fn in_list(
    world: &World,
    script: &mut Script<'_>,
    index: OperationIndex,
    owner: &Identity,
    stranger: &Identity,
    slot: &Place,
) -> Flow<bool> {
    let lists = world.resource_of(index).map(|it| it.list.clone()).unwrap_or_default();
    let list = lists.into_iter().filter_map(|at| world.good(at)).find(|good| good.recipe.is_empty());
    let Some(list) = list else { return Ok(false) };
    let control = world.prepare_for(script, index, owner)?;
    let Some(id) = control.call.value(slot) else { return Ok(false) };
    let (_, answer) = script.send(list.call.clone().by(stranger.id))?;
    Ok(answer.done() && has_leaf(&answer, id))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::{
        script::rehearse::{Ask, Fake, Stage, answer, body, path},
        wire::Answer,
        world::Origin,
    };

    fn world() -> World {
        let id = || Origin::Answer("/id".to_owned());
        Stage::new()
            .op("POST /notes", Effect::Creates, json!({"id": 1}))
            .fresh(body("/text"), json!("some text"))
            .op("GET /notes/{id}", Effect::Reads, json!({"text": "some text"}))
            .made_by("POST /notes", id(), path("id"), json!(1))
            .op("PUT /notes/{id}", Effect::Changes, json!({}))
            .made_by("POST /notes", id(), path("id"), json!(1))
            .slot(body("/text"), json!("other text"))
            .op("DELETE /notes/{id}", Effect::Deletes, json!({}))
            .made_by("POST /notes", id(), path("id"), json!(1))
            .world
    }

    /// Writes are answered 204 whoever asks; the closure says whether they are done.
    fn serve(may: impl Fn(&Ask, &str) -> bool) -> impl FnMut(&Ask) -> Answer {
        let mut notes: BTreeMap<u64, (String, Value)> = BTreeMap::new();
        let mut next = 0;
        move |ask| {
            let id: u64 = ask.text("id").parse().unwrap_or_default();
            let owner = notes.get(&id).map(|it| it.0.clone()).unwrap_or_default();
            match ask.method.as_str() {
                "POST" => {
                    next += 1;
                    notes.insert(next, (ask.user.clone(), ask.values["text"].clone()));
                    answer(201, json!({"id": next}))
                }
                "GET" => match notes.get(&id) {
                    Some((owner, text)) if *owner == ask.user => answer(200, json!({"text": text})),
                    _ => answer(404, json!({})),
                },
                "PUT" => {
                    if may(ask, &owner) {
                        notes.insert(id, (owner, ask.values["text"].clone()));
                    }
                    answer(204, Value::Null)
                }
                _ => {
                    if may(ask, &owner) {
                        notes.remove(&id);
                    }
                    answer(204, Value::Null)
                }
            }
        }
    }

    #[test]
    fn finds_changes_and_deletions_by_any_user() {
        let proofs =
            Fake::new(&world(), serve(|ask, _| ask.credential.is_some())).all(&ObjectWrittenByStranger);
        assert_eq!(proofs.len(), 2);
        assert!(proofs.iter().all(|it| it.certainty == crate::finding::Certainty::Confirmed));
    }

    #[test]
    fn is_not_misled_by_a_good_status() {
        let proofs = Fake::new(&world(), serve(|ask, owner| ask.user == owner)).all(&ObjectWrittenByStranger);
        assert!(proofs.is_empty(), "{proofs:?}");
    }

    #[test]
    fn leaves_what_anybody_may_write() {
        assert!(Fake::new(&world(), serve(|_, _| true)).all(&ObjectWrittenByStranger).is_empty());
    }
}
