//! A field that gives power, ownership or value is taken from the request.

use std::sync::Arc;

use serde_json::Value;

use super::parts::{
    entrance::{entered, login_call},
    leaves::{entry_of, leaves, text_of},
    own,
    privilege::{fields, gives_power},
    read_back::produced,
};
use crate::{
    call::{ANONYMOUS, Call, Credential, Edit},
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    identity::{Identity, Role},
    model::{Effect, OperationIndex, Place},
    script::{Flow, Script},
    wire::Answer,
    world::World,
};

/// The check.
pub(super) struct MassAssignment;

static INFO: Info = Info {
    id: "mass_assignment",
    title: "A field that is not the caller's to set is taken from the request",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Intrusive,
    phase: Phase::Write,
    owasp: "API3:2023",
    cwe: 915,
    wfc: Some("F203"),
    remedy: "Bind requests to a type that has only what a caller may set; refuse members that it does not have.",
    oracle: "Fields that answers show and requests do not declare, read-only ones, and usual names of power, ownership \
             and value are added to a good call. Another operation then shows the object: the value must stand there, \
             and must not in one made without it. Shown twice, with another value where there can be one.",
    requests_max: 60,
};

/// Fields tried by themselves where a call with all of them is refused, at most.
const SINGLE_MAX: usize = 6;

/// A field that is tried: where it goes, and two values.
#[derive(Clone, Debug)]
struct Field {
    place: Place,
    first: Value,
    second: Value,
    /// An answer shows it: it is there to be set.
    twin: bool,
}

impl Check for MassAssignment {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let writes = world.reached().filter(|(index, operation, good)| {
            let register = world.login.as_ref().is_some_and(|login| login.register == Some(*index));
            let login = world
                .login
                .as_ref()
                .is_some_and(|login| login.operation == *index || login.logout == Some(*index));
            let sets_password =
                super::account_changed_by_stranger::new_password(&good.call).is_some() && !register;
            matches!(operation.effect, Effect::Creates | Effect::Changes | Effect::Acts)
                && good.call.body.as_ref().is_some_and(Value::is_object)
                && !login
                && !sets_password
                && (register || !worded_entrance(operation))
        });
        writes.map(|(index, _, _)| Target::operation(index)).collect()
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let Some(index) = target.operation else { return script.skip("no operation") };
        let user = script.fresh_identity(Role::A)?;
        let Some((number, plain)) = told(world, script, index, &user, &[], false)? else {
            return script.skip("nothing shows what became of it");
        };
        let fields = candidates(world, index, &user, &plain);
        if fields.is_empty() {
            return Ok(Verdict::Clean);
        }
        let mut exchanges = vec![(number, "control")];
        let mut taken: Vec<Field> = Vec::new();
        match told(world, script, index, &user, &fields, false)? {
            Some((number, answer)) => {
                exchanges.push((number, "probe"));
                taken.extend(fields.iter().filter(|it| took(&plain, &answer, it, false)).cloned());
            }
            None => {
                // Refused as a whole, for one of them: each that an answer shows is tried by itself.
                for field in fields.iter().filter(|it| it.twin).take(SINGLE_MAX) {
                    if let Some((number, answer)) =
                        told(world, script, index, &user, std::slice::from_ref(field), false)?
                        && took(&plain, &answer, field, false)
                    {
                        exchanges.push((number, "probe"));
                        taken.push(field.clone());
                    }
                }
            }
        }
        if taken.is_empty() {
            return Ok(Verdict::Clean);
        }
        let Some((number, again)) = told(world, script, index, &user, &taken, true)? else {
            return Ok(Verdict::Clean);
        };
        exchanges.push((number, "confirmation"));
        // A last one without the fields: what is there by itself by now was not our doing. A change of one account
        // leaves the value there, so only what is made anew is looked at.
        let renewed = world.effect(index) == Some(Effect::Creates);
        let last = if renewed { told(world, script, index, &user, &[], false)? } else { None };
        let mut proofs = Vec::new();
        for field in taken.iter().filter(|it| took(&plain, &again, it, true)) {
            if last.as_ref().is_some_and(|(_, it)| took(&plain, it, field, true)) {
                continue;
            }
            let words =
                format!("`{}` was taken from the request: {}", field.place.name(), text_of(&field.first));
            let fields = vec![pointer_of(&field.place)];
            let mut proof =
                Proof::confirmed(words, exchanges.clone(), Shield::StripField { fields, answer: false });
            proof.slot = Some(field.place.clone());
            proofs.push(proof);
        }
        Ok(if proofs.is_empty() { Verdict::Clean } else { Verdict::Found(proofs) })
    }
}

fn worded_entrance(operation: &crate::model::Operation) -> bool {
    own::words(operation).iter().any(|word| {
        matches!(word.as_str(), "login" | "signin" | "token" | "recover" | "challenge" | "logout")
    })
}

fn pointer_of(place: &Place) -> String {
    match place {
        Place::Body(pointer) => pointer.to_string(),
        other => other.name().to_owned(),
    }
}

/// What the object shows that a call with these fields made or changed, by another operation; `None` where the call was
/// refused or nothing shows it.
fn told(
    world: &World,
    script: &mut Script<'_>,
    index: OperationIndex,
    user: &Identity,
    extra: &[Field],
    second: bool,
) -> Flow<Option<(usize, Arc<Answer>)>> {
    let mut prepared = world.prepare_for(script, index, user)?;
    for field in extra {
        let value = if second { &field.second } else { &field.first };
        prepared.call.set(&field.place, value.clone());
    }
    let register = world.login.as_ref().is_some_and(|login| login.register == Some(index));
    let by = if register { ANONYMOUS } else { user.id };
    let call = prepared.call.by(by);
    let (_, answer) = script.send(call.clone())?;
    if !answer.done() {
        return Ok(None);
    }
    if register {
        return registered(world, script, &call);
    }
    for read in readers(world, index, &call, &answer, &prepared.made) {
        let (number, shown) = script.send(read.by(user.id))?;
        if shown.done() && shown.json.is_some() {
            return Ok(Some((number, shown)));
        }
    }
    Ok(None)
}

/// What a newly registered account shows of itself, or what a list shows of it.
fn registered(world: &World, script: &mut Script<'_>, call: &Call) -> Flow<Option<(usize, Arc<Answer>)>> {
    let mut values = std::collections::BTreeMap::new();
    for (pointer, value) in leaves(call.body.as_ref().unwrap_or(&Value::Null)) {
        let name = pointer.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let key = if name.contains("pass") {
            "password"
        } else if name.contains("mail") {
            "email"
        } else if name.contains("user") || name == "login" {
            "username"
        } else {
            continue;
        };
        values.entry(key.to_owned()).or_insert_with(|| value.clone());
    }
    let newcomer = Identity { values, ..Identity::anonymous() };
    let password = newcomer.text("password").unwrap_or_default().to_owned();
    let Some(login) = login_call(world, &newcomer, &password) else { return Ok(None) };
    let (_, answer) = script.send(login)?;
    let Some(token) = entered(world, &answer) else { return Ok(None) };
    let names: Vec<String> =
        ["username", "email"].iter().filter_map(|key| newcomer.text(key)).map(str::to_owned).collect();
    let carrier = world.who(Role::A).map_or(ANONYMOUS, |it| it.id);
    for read in own_readings(world).into_iter().take(3) {
        let (number, shown) =
            script.send(read.by(carrier).edited(Edit::Credential(Credential::Text(token.clone()))))?;
        // A list shows others as well: only the newcomer's own entry counts.
        let entry =
            shown.json.as_ref().filter(|_| shown.done()).and_then(|json| entry_of(json, &names)).cloned();
        if let Some(entry) = entry {
            return Ok(Some((number, Arc::new(Answer { json: Some(entry), ..Answer::clone(&shown) }))));
        }
    }
    Ok(None)
}

/// Readings without anything to fill in that showed their caller's name.
fn own_readings(world: &World) -> Vec<Call> {
    let mut found: Vec<(u8, Call)> = Vec::new();
    for (_, operation, good) in world.reached() {
        let bare =
            good.recipe.is_empty() && good.call.parameters.is_empty() && operation.effect == Effect::Reads;
        let texts: Vec<String> = world.identities.iter().flat_map(own::private_texts).collect();
        if bare && texts.iter().any(|text| good.answer.holds(text)) {
            let powers = good
                .answer
                .json
                .as_ref()
                .is_some_and(|json| leaves(json).iter().any(|(at, _)| gives_power(last(at))));
            found.push((u8::from(!powers), good.call.clone()));
        }
    }
    found.sort_by_key(|it| it.0);
    found.into_iter().map(|it| it.1).collect()
}

fn last(pointer: &str) -> &str {
    pointer.rsplit('/').find(|it| !it.bytes().all(|byte| byte.is_ascii_digit())).unwrap_or_default()
}

/// Calls that show what another call made or changed.
fn readers(
    world: &World,
    index: OperationIndex,
    call: &Call,
    answer: &Answer,
    made: &[(Call, usize, Arc<Answer>)],
) -> Vec<Call> {
    let mut found = Vec::new();
    for edge in
        world.edges.iter().filter(|edge| edge.from == index && world.effect(edge.to) == Some(Effect::Reads))
    {
        if let (Some(good), Some(value)) = (world.good(edge.to), produced(call, answer, &edge.origin)) {
            found.push(good.call.clone().with(&edge.slot, value));
        }
    }
    let path = world.model.operation(index).and_then(|it| it.rest()).map(|(_, path)| path.to_owned());
    for (at, operation, good) in world.reached().filter(|(_, operation, _)| operation.effect == Effect::Reads)
    {
        if operation.rest().map(|(_, own)| own.to_owned()) == path && path.is_some() {
            let mut read = good.call.clone();
            for (place, value) in call.parameters.iter().filter(|(place, _)| matches!(place, Place::Path(_)))
            {
                read.set(place, value.clone());
            }
            found.push(read);
        } else if let Some(feed) = world
            .edges
            .iter()
            .find(|edge| edge.to == at && made.iter().any(|it| it.0.operation == Some(edge.from)))
        {
            let maker = made.iter().find(|it| it.0.operation == Some(feed.from));
            if let Some(value) = maker.and_then(|(call, _, answer)| produced(call, answer, &feed.origin)) {
                found.push(good.call.clone().with(&feed.slot, value));
            }
        }
    }
    found.truncate(3);
    found
}

/// What is tried on this call: fields that the object shows and the request does not declare, then usual names.
fn candidates(world: &World, index: OperationIndex, user: &Identity, plain: &Answer) -> Vec<Field> {
    let declared: Vec<String> =
        world.slots(index).iter().map(|slot| slot.place.name().to_ascii_lowercase()).collect();
    let sent: Vec<String> = world
        .good(index)
        .and_then(|good| good.call.body.as_ref())
        .map(|body| leaves(body).iter().map(|(at, _)| last(at).to_ascii_lowercase()).collect())
        .unwrap_or_default();
    let known = |name: &str| declared.iter().chain(&sent).any(|own| *own == name.to_ascii_lowercase());
    let other = world.identities.iter().find(|it| it.id != user.id && it.role == Role::B);
    let mut found: Vec<Field> = Vec::new();
    for (pointer, value) in plain.json.as_ref().map(leaves).unwrap_or_default() {
        let name = last(&pointer);
        if !gives_power(name) || known(name) || found.iter().any(|it| it.place.name() == name) {
            continue;
        }
        let Some((first, second)) = opposite(name, value, user, other) else { continue };
        found.push(Field { place: Place::Body(inner(&pointer).into()), first, second, twin: true });
    }
    for (name, first, second) in fields() {
        if !known(name) && !found.iter().any(|it| it.place.name().eq_ignore_ascii_case(name)) {
            found.push(Field { place: Place::Body(format!("/{name}").into()), first, second, twin: false });
        }
    }
    found.truncate(24);
    found
}

/// A member's place in the request: that in the answer without an envelope (`data`, `user`, a list's position).
fn inner(pointer: &str) -> String {
    const ENVELOPES: &[&str] = &[
        "data",
        "result",
        "results",
        "user",
        "users",
        "item",
        "items",
        "attributes",
        "profile",
        "account",
        "me",
    ];
    let mut tokens: Vec<&str> = pointer.split('/').skip(1).collect();
    while tokens.len() > 1 {
        let Some(first) = tokens.first() else { break };
        if !(ENVELOPES.contains(first) || first.bytes().all(|it| it.is_ascii_digit())) {
            break;
        }
        tokens.remove(0);
    }
    format!("/{}", tokens.join("/"))
}

/// Two values that the field does not have by itself.
fn opposite(name: &str, value: &Value, user: &Identity, other: Option<&Identity>) -> Option<(Value, Value)> {
    let plain = name.to_ascii_lowercase();
    let owner = ["owner", "user", "author", "customer", "created", "account", "tenant", "org"]
        .iter()
        .any(|it| plain.contains(it));
    match value {
        Value::Bool(it) => Some((Value::from(!it), Value::from(!it))),
        Value::Number(_) if owner => {
            let theirs = other.and_then(|it| it.values.get("id")).cloned();
            let value = theirs.unwrap_or_else(|| Value::from(1));
            Some((value.clone(), value))
        }
        Value::Number(it) if it.is_f64() => Some((Value::from(0.25), Value::from(0.75))),
        Value::Number(_) => Some((Value::from(731_907), Value::from(604_811))),
        Value::String(text) if owner => {
            let key = user.values.iter().find(|(_, own)| text_of(own) == *text).map(|(key, _)| key.clone());
            let theirs = key.and_then(|key| other.and_then(|it| it.values.get(&key))).cloned()?;
            Some((theirs.clone(), theirs))
        }
        Value::String(text) => match plain.as_str() {
            it if it.contains("role") || it.contains("type") || it.contains("group") => {
                (text != "admin").then(|| (Value::from("admin"), Value::from("admin")))
            }
            "status" | "state" => Some((Value::from("approved"), Value::from("paid"))),
            "plan" | "tier" => Some((Value::from("enterprise"), Value::from("premium"))),
            _ => None,
        },
        Value::Null if owner => other.and_then(|it| it.values.get("id")).map(|it| (it.clone(), it.clone())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether the object shows the value at a member of the field's name, and did not without it.
fn took(plain: &Answer, now: &Answer, field: &Field, second: bool) -> bool {
    let wanted = if second { &field.second } else { &field.first };
    let name = field.place.name();
    let shows = |answer: &Answer| {
        let all = answer.json.as_ref().map(leaves).unwrap_or_default();
        all.into_iter().any(|(pointer, value)| last(&pointer) == name && same(value, wanted))
    };
    shows(now) && !shows(plain)
}

/// Equal, numbers by value.
fn same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() < 1e-9,
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::script::rehearse::{Ask, Fake, Stage, answer, body};

    /// `/me` with a profile that takes these fields from a change; refuses others where it is strict.
    fn found(takes: &'static [&'static str], strict: bool) -> Vec<String> {
        let me =
            json!({"email": "alice@mail.example", "name": "x", "is_admin": false, "wallet": {"balance": 5}});
        let world = Stage::new()
            .op("GET /me", Effect::Reads, me.clone())
            .op("PATCH /me", Effect::Changes, me.clone())
            .slot(body("/name"), json!("x"))
            .world;
        let mut all: BTreeMap<String, Value> = BTreeMap::new();
        let service = move |ask: &Ask| {
            let it = all.entry(ask.user.clone()).or_insert_with(|| me.clone());
            // A reading has no body, which is one leaf without a name.
            for (pointer, value) in leaves(&ask.body).into_iter().filter(|(pointer, _)| !pointer.is_empty()) {
                if pointer == "/name" || takes.contains(&pointer.as_str()) {
                    *it.pointer_mut(&pointer).unwrap() = value.clone();
                } else if strict {
                    return answer(400, json!({"unknown": pointer}));
                }
            }
            answer(200, it.clone())
        };
        let proofs = Fake::new(&world, service).all(&MassAssignment);
        proofs.into_iter().map(|it| it.slot.unwrap().to_string()).collect()
    }

    #[test]
    fn finds_fields_that_are_taken_also_inside_others_and_where_unknown_ones_are_refused() {
        assert_eq!(found(&["/is_admin"], false), ["body:/is_admin"]);
        assert_eq!(found(&["/wallet/balance"], false), ["body:/wallet/balance"]);
        assert_eq!(found(&["/is_admin"], true), ["body:/is_admin"]);
    }

    #[test]
    fn is_silent_where_they_are_ignored_or_refused() {
        assert!(found(&[], false).is_empty());
        assert!(found(&[], true).is_empty());
    }
}
