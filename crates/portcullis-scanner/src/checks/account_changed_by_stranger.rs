//! The password or address of one user is changed, or the whole account deleted, by another one.

use serde_json::Value;

use super::parts::{
    entrance::{entered, login_call},
    leaves::leaves,
    own,
    read_back::Change,
    read_back::before,
    read_back::readers,
};
use crate::{
    call::Call,
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    identity::{Identity, Role},
    model::{Effect, OperationIndex, Place},
    script::{Flow, Script},
    world::{Prepared, World},
};

/// The check.
pub(super) struct AccountChangedByStranger;

static INFO: Info = Info {
    id: "account_changed_by_stranger",
    title: "Another user's password or account can be changed",
    section: Section::Security,
    severity: Severity::Critical,
    risk: Risk::Intrusive,
    phase: Phase::Destroy,
    owasp: "API1:2023",
    cwe: 639,
    wfc: Some("F206"),
    remedy: "Take the account that is changed from the session, never from the request; ask for the old password \
             before a new one is set.",
    oracle: "Two accounts are registered for the trial alone. One changes the other's password; then the other's name \
             with the new password logs in, and with the old one no longer. Other changes are read back by their \
             owner. Shown twice with fresh accounts.",
    requests_max: 60,
};

impl Check for AccountChangedByStranger {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let writes = world.reached().filter(|(index, operation, good)| {
            matches!(operation.effect, Effect::Changes | Effect::Deletes | Effect::Acts)
                && !own::is_entrance(world, *index)
                && !super::parts::privilege::for_the_few(operation)
                && own::named(world, &good.call).iter().any(|(place, _)| names_account(place))
        });
        writes.map(|(index, _, _)| Target::operation(index)).collect()
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let Some(index) = target.operation else { return script.skip("no operation") };
        let Some(first) = taken(world, script, index)? else { return Ok(Verdict::Clean) };
        let Some(second) = taken(world, script, index)? else { return Ok(Verdict::Clean) };
        let id = world.model.operation(index).map(|it| it.id.to_string()).unwrap_or_default();
        let mut exchanges = first.exchanges;
        exchanges.extend(second.exchanges.into_iter().map(|it| (it.0, "confirmation")));
        let words = format!("`{id}`: one user {} of another", first.what);
        let mut proof = Proof::confirmed(words, exchanges, Shield::Ownership);
        proof.slot = Some(first.slot);
        Ok(Verdict::Found(vec![proof]))
    }
}

struct Taken {
    exchanges: Vec<(usize, &'static str)>,
    what: &'static str,
    slot: Place,
}

/// A place that says whose account is meant; a new address in a body does not.
fn names_account(place: &Place) -> bool {
    match place {
        Place::Path(_) | Place::Query(_) => true,
        Place::Body(pointer) => {
            let name = pointer.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
            name.contains("user") || name.ends_with("id") || name == "login"
        }
        Place::Header(_) | Place::Cookie(_) => false,
    }
}

/// The place of a new password in a call: named like one, and not like the old one.
pub(super) fn new_password(call: &Call) -> Option<Place> {
    let body = call.body.as_ref()?;
    let mut found: Vec<(u8, Place)> = Vec::new();
    for (pointer, value) in leaves(body).into_iter().filter(|(_, value)| value.is_string()) {
        let _ = value;
        let name = pointer.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        if name.contains("pass") && !["old", "current", "existing"].iter().any(|it| name.contains(it)) {
            found.push((u8::from(!name.contains("new")), Place::Body(pointer.into())));
        }
    }
    found.into_iter().min().map(|(_, place)| place)
}

/// Two fresh accounts; one acts on the other.
fn taken(world: &World, script: &mut Script<'_>, index: OperationIndex) -> Flow<Option<Taken>> {
    let victim = script.fresh_identity(Role::B)?;
    let attacker = script.fresh_identity(Role::A)?;
    let Some(good) = world.good(index) else { return script.skip("no good call of it is known") };
    let places: Vec<(Place, String)> =
        own::named(world, &good.call).into_iter().filter(|(place, _)| names_account(place)).collect();
    let Some(slot) = places.first().map(|it| it.0.clone()) else { return Ok(None) };
    let prepared = world.prepare_for(script, index, &attacker)?;
    let mut call = prepared.call.clone();
    for (place, key) in &places {
        let Some(value) = victim.values.get(key) else {
            return script.skip(format!("the `{key}` of a new account is not known"));
        };
        call.set(place, value.clone());
    }
    match new_password(&call) {
        Some(place) => password(world, script, &victim, call.by(attacker.id), place, slot),
        None => otherwise(
            world,
            script,
            index,
            &victim,
            Prepared { call: call.by(attacker.id), ..prepared },
            slot,
        ),
    }
}

fn password(
    world: &World,
    script: &mut Script<'_>,
    victim: &Identity,
    call: Call,
    place: Place,
    slot: Place,
) -> Flow<Option<Taken>> {
    let fresh = format!("Zq9-{}", script.word(12));
    let call = call.with(&place, Value::from(fresh.as_str()));
    let (Some(new), Some(old)) = (
        login_call(world, victim, &fresh),
        victim.text("password").and_then(|it| login_call(world, victim, it)),
    ) else {
        return script.skip("it is not known how to log in");
    };
    let (number, refused) = script.send(new.clone())?;
    if entered(world, &refused).is_some() {
        // Any password logs in: nothing can be told here.
        return Ok(None);
    }
    let (probe, _) = script.send(call)?;
    let (opened, with_new) = script.send(new)?;
    if entered(world, &with_new).is_none() {
        return Ok(None);
    }
    let (shut, with_old) = script.send(old)?;
    if entered(world, &with_old).is_some() {
        return Ok(None);
    }
    let exchanges = vec![(number, "control"), (probe, "probe"), (opened, "read back"), (shut, "read back")];
    Ok(Some(Taken { exchanges, what: "set the password", slot }))
}

fn otherwise(
    world: &World,
    script: &mut Script<'_>,
    index: OperationIndex,
    victim: &Identity,
    prepared: Prepared,
    slot: Place,
) -> Flow<Option<Taken>> {
    let mut readers = readers(world, index, &prepared);
    readers.retain(|reader| !reader.list);
    for (_, operation, good) in world.reached() {
        // What shows a caller its own account needs nothing but its session.
        let own =
            operation.effect == Effect::Reads && good.recipe.is_empty() && good.call.parameters.is_empty();
        let texts = world.identity(good.call.by).map(own::private_texts).unwrap_or_default();
        if own && texts.iter().any(|text| good.answer.holds(text)) {
            readers.push(super::parts::read_back::Reader { call: good.call.clone(), list: false });
        }
    }
    let Some(before) = before(script, readers, victim.id)? else {
        return script.skip("nothing shows its owner what became of the account");
    };
    let (probe, _) = script.send(prepared.call.clone())?;
    let (after, change) = before.after(script, victim.id, &prepared.call)?;
    let what = match change {
        Change::Took(_) => "changed the account",
        Change::Gone => "deleted the account",
        Change::Ended if world.effect(index) == Some(Effect::Deletes) => "deleted the account",
        Change::None | Change::Ended | Change::Differs => return Ok(None),
    };
    Ok(Some(Taken {
        exchanges: vec![(before.answer.0, "baseline"), (probe, "probe"), (after, "read back")],
        what,
        slot,
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::{
        script::rehearse::{Ask, Fake, Stage, answer, body, path},
        wire::Answer,
    };

    fn world() -> World {
        Stage::new()
            .op("POST /login", Effect::Acts, json!({"token": "t"}))
            .slot(body("/username"), json!("alice"))
            .slot(body("/password"), json!("pass-alice-1"))
            .login()
            .op("PUT /users/{username}/password", Effect::Changes, json!({}))
            .slot(path("username"), json!("alice"))
            .slot(body("/password"), json!("x"))
            .world
    }

    /// Answers 204 to every change; `victim` says whose password is changed.
    fn serve(victim: impl Fn(&Ask) -> String) -> impl FnMut(&Ask) -> Answer {
        let mut passwords: BTreeMap<String, String> = BTreeMap::new();
        move |ask| {
            if ask.method == "POST" {
                let name = ask.text("username");
                let right = passwords.get(&name).cloned().unwrap_or_else(|| format!("pass-{name}-1"));
                return if right == ask.text("password") {
                    answer(200, json!({"token": "t"}))
                } else {
                    answer(401, json!({}))
                };
            }
            passwords.insert(victim(ask), ask.text("password"));
            answer(204, Value::Null)
        }
    }

    #[test]
    fn finds_a_password_set_by_another() {
        let service = serve(|ask| ask.text("username"));
        assert_eq!(Fake::new(&world(), service).confirmed(&AccountChangedByStranger), 1);
    }

    #[test]
    fn is_silent_where_only_ones_own_is_set_whatever_is_answered() {
        let service = serve(|ask| ask.user.clone());
        assert!(Fake::new(&world(), service).all(&AccountChangedByStranger).is_empty());
    }

    #[test]
    fn is_silent_where_every_login_succeeds() {
        let service = |_: &Ask| answer(200, json!({"token": "t"}));
        assert!(Fake::new(&world(), service).all(&AccountChangedByStranger).is_empty());
    }
}
