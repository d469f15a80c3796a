//! An object is read by someone to whom it does not belong.

use serde_json::Value;

use super::parts::{
    leaves::{canaries, has_leaf, leaves, rare, substantial, text_of},
    own,
};
use crate::{
    call::ANONYMOUS,
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    identity::Identity,
    model::{Effect, OperationIndex, Place},
    oracle::{Mask, similarity},
    script::{Flow, Script},
    world::{Good, World},
};

/// The check.
pub(super) struct ObjectReadByStranger;

static INFO: Info = Info {
    id: "object_read_by_stranger",
    title: "An object can be read by someone it does not belong to",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Intrusive,
    phase: Phase::Read,
    owasp: "API1:2023",
    cwe: 639,
    wfc: Some("F206"),
    remedy: "Look the object up together with its owner, from the session, and answer as if it were not there \
             when they do not belong together. An id that is hard to guess is no protection.",
    oracle: "One user makes an object with a random text in it and reads it back. Another ordinary user asks for it: \
             the text must not come. Objects that anonymous callers may read, or that stand in the other user's own \
             list, are public or shared and are left alone. Shown twice, the second time with the roles changed.",
    requests_max: 40,
};

/// What one side of the trial saw.
struct Seen {
    exchanges: Vec<(usize, &'static str)>,
    what: String,
    slot: Place,
    sure: bool,
}

impl Check for ObjectReadByStranger {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        world
            .reached()
            .filter(|(index, operation, good)| {
                matches!(operation.effect, Effect::Reads | Effect::Acts | Effect::Creates)
                    && !own::is_entrance(world, *index)
                    && !own::open_to_all(world, *index)
                    && object_slot(world, good).is_some()
            })
            .map(|(index, _, _)| Target::operation(index))
            .collect()
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let (Some(index), Some((owner, stranger))) = (target.operation, own::strangers(world)) else {
            return script.skip("two ordinary users are needed");
        };
        let Some(first) = seen(world, script, index, owner, stranger)? else { return Ok(Verdict::Clean) };
        let Some(second) = seen(world, script, index, stranger, owner)? else { return Ok(Verdict::Clean) };
        let id = world.model.operation(index).map(|it| it.id.to_string()).unwrap_or_default();
        let mut exchanges = first.exchanges;
        exchanges.extend(
            second
                .exchanges
                .into_iter()
                .filter(|(_, part)| *part == "probe")
                .map(|it| (it.0, "confirmation")),
        );
        let words = format!("`{id}`: {}'s {} was read by {}", owner.name, first.what, stranger.name);
        let mut proof = if first.sure && second.sure {
            Proof::confirmed(words, exchanges, Shield::Ownership)
        } else {
            Proof::suspected(words, exchanges, Shield::Ownership)
        };
        proof.slot = Some(first.slot);
        Ok(Verdict::Found(vec![proof]))
    }
}

/// The slot that names the object, what was made before what was found, what was found before the caller's own name.
fn object_slot(world: &World, good: &Good) -> Option<Place> {
    let made = own::made_slots(world, good);
    let found = own::found_slots(world, good);
    let named = own::named(world, &good.call).into_iter().map(|(place, _)| place);
    made.into_iter().chain(found).chain(named).next()
}

fn seen(
    world: &World,
    script: &mut Script<'_>,
    index: OperationIndex,
    owner: &Identity,
    stranger: &Identity,
) -> Flow<Option<Seen>> {
    let Some((good, slot)) = world.good(index).and_then(|good| Some((good, object_slot(world, good)?)))
    else {
        return Ok(None);
    };
    let prepared = world.prepare_for(script, index, owner)?;
    let call = prepared.call;
    let Some(id) = call.value(&slot).cloned() else { return Ok(None) };
    let (owned, mine) = script.send(call.clone().by(owner.id))?;
    if !mine.done() || !substantial(&mine) {
        return script.skip("its owner cannot read it either");
    }
    let makers = prepared.made.iter().filter(|(made, _, _)| {
        made.operation.and_then(|at| world.effect(at)).is_some_and(Effect::changes_state)
    });
    let mut canaries = canaries(makers.map(|(made, _, _)| made), &call, &mine);
    let made = !canaries.is_empty();
    if !made {
        // Nothing was made, or nothing of it comes back: what only the owner's answer holds must do.
        let texts = own::private_texts(owner).into_iter();
        canaries = texts.filter(|text| mine.holds(text) && text_of(&id) != *text).collect();
    }
    let (probe, theirs) = script.send(call.clone().by(stranger.id))?;
    let holds = if canaries.is_empty() {
        theirs.done() && similarity(&mine, &theirs, &Mask::default()).share >= 0.8
    } else {
        theirs.done() && canaries.iter().any(|canary| theirs.holds(canary))
    };
    if !holds {
        return Ok(None);
    }
    let (open, anonymous) = script.send(call.clone().by(ANONYMOUS))?;
    let public = anonymous.done()
        && (canaries.iter().any(|canary| anonymous.holds(canary))
            || similarity(&mine, &anonymous, &Mask::default()).share >= 0.8);
    if public || !(anonymous.denied() || canaries.iter().all(|canary| !anonymous.holds(canary))) {
        return Ok(None);
    }
    if listed(world, script, index, &slot, &id, stranger, &canaries)? {
        return Ok(None);
    }
    let mut exchanges = vec![(owned, "baseline"), (probe, "probe"), (open, "control")];
    if canaries.is_empty() {
        // Equal answers prove nothing where a thing that is not there is answered alike.
        let other = elsewhere(&id, script);
        let (number, none) = script.send(call.clone().with(&slot, other).by(stranger.id))?;
        if none.done() && similarity(&theirs, &none, &Mask::default()).share >= 0.8 {
            return Ok(None);
        }
        exchanges.push((number, "control"));
    }
    let said = world.model.operation(index).map(own::words).unwrap_or_default();
    let shared = said.iter().any(|word| matches!(word.as_str(), "public" | "shared" | "share"));
    let fed = own::made_slots(world, good).contains(&slot) || own::found_slots(world, good).contains(&slot);
    let mut sure = !shared && (made || fed || !canaries.is_empty());
    if !sure && matches!(slot, Place::Query(_)) {
        // A list filtered by its owner: it shows what the stranger's own list does not.
        let mut own_list = call.clone();
        for (place, key) in own::named(world, &call).into_iter().filter(|(place, _)| *place == slot) {
            if let Some(value) = stranger.values.get(&key) {
                own_list.set(&place, value.clone());
            }
        }
        let (number, own_list) = script.send(own_list.by(stranger.id))?;
        exchanges.push((number, "control"));
        let texts = mine.json.as_ref().map(leaves).unwrap_or_default().into_iter().filter(|(_, it)| rare(it));
        let mut only = texts.map(|(_, it)| text_of(it)).filter(|text| !own_list.holds(text));
        sure = !shared && own_list.done() && only.any(|text| theirs.holds(&text));
    }
    Ok(Some(Seen { exchanges, what: format!("object `{}`", text_of(&id)), slot, sure }))
}

/// An id of the same look that names nothing.
fn elsewhere(id: &Value, script: &mut Script<'_>) -> Value {
    match id {
        Value::Number(_) => Value::from(script.between(900_000_000, 999_999_999)),
        other => {
            let text = text_of(other);
            let swapped = text.chars().map(|letter| match letter {
                '0'..='9' => char::from(b'0' + script.between(0, 9) as u8),
                'a'..='f' => char::from(b'a' + script.between(0, 5) as u8),
                'g'..='z' => char::from(b'g' + script.between(0, 19) as u8),
                'A'..='Z' => char::from(b'A' + script.between(0, 25) as u8),
                other => other,
            });
            Value::from(swapped.collect::<String>())
        }
    }
}

/// Whether the object stands in a list that the stranger may see: two lists are looked at.
fn listed(
    world: &World,
    script: &mut Script<'_>,
    index: OperationIndex,
    slot: &Place,
    id: &Value,
    stranger: &Identity,
    canaries: &[String],
) -> Flow<bool> {
    let resource = world.resource_of(index).map(|it| it.list.clone()).unwrap_or_default();
    let feeding =
        world.edges.iter().filter(|edge| edge.to == index && edge.slot == *slot).map(|edge| edge.from);
    let mut lists: Vec<OperationIndex> = resource.into_iter().chain(feeding).collect();
    lists.sort_unstable();
    lists.dedup();
    lists.retain(|at| {
        *at != index
            && world.effect(*at) == Some(Effect::Reads)
            && world.good(*at).is_some_and(|good| good.recipe.is_empty())
    });
    for at in lists.into_iter().take(2) {
        let Some(good) = world.good(at) else { continue };
        let mut call = good.call.clone();
        own::rename(world, &mut call, stranger);
        let (_, list) = script.send(call.by(stranger.id))?;
        // With a text of the object to look for, its mere id in a list says nothing: lists often name what they do not
        // show.
        let shown =
            if canaries.is_empty() { has_leaf(&list, id) } else { canaries.iter().any(|it| list.holds(it)) };
        if list.done() && shown {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::{
        script::rehearse::{Ask, Fake, Stage, answer, body, path},
        wire::Answer,
        world::{Origin, Resource},
    };

    fn world() -> World {
        let stage = Stage::new()
            .op("POST /notes", Effect::Creates, json!({"id": 1}))
            .fresh(body("/text"), json!("some text here"))
            .op("GET /notes", Effect::Reads, json!([]))
            .op("GET /notes/{id}", Effect::Reads, json!({"id": 1, "text": "some text here"}))
            .made_by("POST /notes", Origin::Answer("/id".to_owned()), path("id"), json!(1));
        let (list, read) = (stage.index("GET /notes"), stage.index("GET /notes/{id}"));
        let notes = Resource {
            name: "note".to_owned(),
            read: vec![(read, path("id"))],
            list: vec![list],
            ..Resource::default()
        };
        stage.resource(notes).world
    }

    /// A service of notes; the closure says whether a caller may read and list one of this owner.
    fn serve(may: impl Fn(&Ask, &str) -> (bool, bool)) -> impl FnMut(&Ask) -> Answer {
        let mut notes: BTreeMap<u64, (String, Value)> = BTreeMap::new();
        move |ask| match ask.operation.as_str() {
            "POST /notes" => {
                let id = notes.len() as u64 + 1;
                notes.insert(id, (ask.user.clone(), ask.values["text"].clone()));
                answer(201, json!({"id": id}))
            }
            "GET /notes" => {
                let seen = notes.iter().filter(|(_, (owner, _))| may(ask, owner).1);
                answer(200, seen.map(|(id, (_, text))| json!({"id": id, "text": text})).collect())
            }
            _ => match ask.text("id").parse().ok().and_then(|id: u64| notes.get(&id)) {
                Some((owner, text)) if may(ask, owner).0 => {
                    answer(200, json!({"id": ask.values["id"], "text": text, "at": 7}))
                }
                _ => answer(404, json!({"error": "no such note"})),
            },
        }
    }

    fn count(service: impl FnMut(&Ask) -> Answer) -> usize {
        Fake::new(&world(), service).all(&ObjectReadByStranger).len()
    }

    #[test]
    fn finds_a_note_that_any_user_reads() {
        let service = serve(|ask, owner| (ask.credential.is_some(), ask.user == owner));
        let proofs = Fake::new(&world(), service).all(&ObjectReadByStranger);
        assert_eq!(proofs.len(), 1);
        assert_eq!(proofs[0].certainty, crate::finding::Certainty::Confirmed);
        assert_eq!(proofs[0].slot, Some(path("id")));
    }

    #[test]
    fn is_silent_where_only_the_owner_reads() {
        assert_eq!(count(serve(|ask, owner| (ask.user == owner, ask.user == owner))), 0);
    }

    #[test]
    fn is_silent_about_public_and_shared_notes() {
        assert_eq!(count(serve(|_, _| (true, true))), 0);
        assert_eq!(count(serve(|ask, _| (ask.credential.is_some(), ask.credential.is_some()))), 0);
    }

    #[test]
    fn is_silent_where_everything_is_answered_well_or_echoed() {
        assert_eq!(count(|ask: &Ask| answer(200, json!({"id": 3, "asked": ask.path, "name": "x"}))), 0);
        let mut inner = serve(|ask, owner| (ask.user == owner, ask.user == owner));
        let echo = move |ask: &Ask| {
            let it = inner(ask);
            if it.status == 404 { answer(200, json!({"error": format!("no {} here", ask.path)})) } else { it }
        };
        assert_eq!(count(echo), 0);
    }

    #[test]
    fn finds_a_profile_by_the_users_own_name() {
        let stage = Stage::new()
            .op("GET /profiles/{username}", Effect::Reads, json!({"email": "alice@mail.example", "n": 1}))
            .slot(path("username"), json!("alice"));
        let open = |ask: &Ask| match ask.credential {
            Some(_) => {
                answer(200, json!({"email": format!("{}@mail.example", ask.text("username")), "n": 1}))
            }
            None => answer(401, json!({})),
        };
        assert_eq!(Fake::new(&stage.world, open).confirmed(&ObjectReadByStranger), 1);
        let shut = |ask: &Ask| {
            if ask.user == ask.text("username") { open(ask) } else { answer(403, json!({})) }
        };
        assert_eq!(Fake::new(&stage.world, shut).all(&ObjectReadByStranger).len(), 0);
    }

    #[test]
    fn finds_it_in_graphql_as_well() {
        let stage = Stage::new()
            .field("mutation addNote", Effect::Creates, json!({"id": "1"}))
            .fresh(body("/text"), json!("some text here"))
            .field("query note", Effect::Reads, json!({"text": "some text here"}))
            .made_by("mutation addNote", Origin::Answer("/id".to_owned()), body("/id"), json!("1"));
        let mut texts: Vec<String> = Vec::new();
        let service = move |ask: &Ask| match ask.operation.as_str() {
            "mutation addNote" => {
                texts.push(ask.text("text"));
                answer(200, json!({"id": (texts.len() - 1).to_string()}))
            }
            _ if ask.credential.is_none() => answer(401, json!({})),
            _ => answer(200, json!({"text": texts[ask.text("id").parse::<usize>().unwrap()]})),
        };
        assert_eq!(Fake::new(&stage.world, service).confirmed(&ObjectReadByStranger), 1);
    }
}
