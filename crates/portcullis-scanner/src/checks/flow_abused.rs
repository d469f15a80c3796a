//! A flow is abused: what is for once is used twice or ten times at once, a step is skipped, an amount is negative.

use std::sync::Arc;

use serde_json::Value;

use super::parts::{
    leaves::{leaves, substantial},
    own,
    read_back::produced,
};
use crate::{
    call::{ANONYMOUS, Call},
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    identity::{Identity, Role},
    model::{Effect, Kind, Operation, OperationIndex, Place},
    oracle::{Mask, similarity},
    script::{Flow, Script},
    wire::Answer,
    world::{Prepared, World},
};

/// The check.
pub(super) struct FlowAbused;

static INFO: Info = Info {
    id: "flow_abused",
    title: "A flow can be repeated, raced, cut short or run backwards",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Intrusive,
    phase: Phase::Destroy,
    owasp: "API6:2023",
    cwe: 841,
    wfc: None,
    remedy: "Check and use up in one transaction what may be used once; keep a state for every process and let each \
             step move it on only from the one before; bound amounts from below.",
    oracle: "A one-time value made for the trial is used twice, then another ten times at once; what it changes must \
             change once. A later step is taken without the one before it and its effect read back. A negative amount \
             must not raise a balance. Each is repeated with fresh values.",
    requests_max: 60,
};

/// Names of values that are for once.
const ONCE: &[&str] =
    &["code", "coupon", "voucher", "ticket", "gift", "redeem", "promo", "otp", "nonce", "claim"];
/// Words that a description uses for them.
const SAID: &[&str] = &["once", "single", "onetime"];
/// Steps that come late in a process, and those that must come before.
const LATE: &[&str] =
    &["ship", "deliver", "fulfil", "fulfill", "complete", "finish", "finalize", "dispatch", "release"];
const EARLY: &[&str] = &["pay", "payment", "approve", "confirm", "verify", "authorize", "authorise", "sign"];
/// Members of answers that hold what somebody has.
const HELD: &[&str] = &["balance", "credit", "credits", "points", "wallet", "funds", "remaining"];
/// Calls of one race.
const RACE: usize = 10;

impl Check for FlowAbused {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let mut targets = Vec::new();
        for (index, operation) in world.model.all() {
            if own::is_entrance(world, index) {
                continue;
            }
            let with = |variant: &str, slot: Option<Place>| Target {
                operation: Some(index),
                slot,
                variant: variant.to_owned(),
            };
            if world.good(index).is_some() {
                if let Some(place) = once_slot(world, index, operation) {
                    targets.push(with("twice", Some(place.clone())));
                    targets.push(with("race", Some(place)));
                }
                if let Some(place) = amount_slot(world, index, operation) {
                    targets.push(with("negative", Some(place)));
                }
            }
            if early_sibling(world, operation).is_some() {
                targets.push(with("skipped", None));
            }
        }
        targets
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let Some(index) = target.operation else { return script.skip("no operation") };
        let proof = match (target.variant.as_str(), &target.slot) {
            ("twice", _) => twice(world, script, index)?,
            ("race", _) => race(world, script, index)?,
            ("negative", Some(place)) => negative(world, script, index, place)?,
            _ => skipped(world, script, index)?,
        };
        Ok(proof.map_or(Verdict::Clean, |mut it| {
            target.variant.clone_into(&mut it.variant);
            Verdict::Found(vec![it])
        }))
    }
}

/// The slot of a value that is for once.
fn once_slot(world: &World, index: OperationIndex, operation: &Operation) -> Option<Place> {
    let good = world.good(index)?;
    let made: Vec<Place> =
        own::made_slots(world, good).into_iter().chain(own::found_slots(world, good)).collect();
    let words = own::words(operation);
    let said = words.iter().any(|word| SAID.contains(&word.as_str()));
    let named = |place: &Place| {
        let name = place.name().to_ascii_lowercase();
        ONCE.iter().any(|it| name.contains(it))
    };
    let worded = words.iter().any(|word| matches!(word.as_str(), "redeem" | "claim"));
    let once = made.iter().find(|place| {
        named(place) && (operation.effect != Effect::Reads || said || place.name().contains("ticket"))
    });
    once.or_else(|| made.first().filter(|_| worded || said)).cloned()
}

fn amount_slot(world: &World, index: OperationIndex, operation: &Operation) -> Option<Place> {
    let moves = own::words(operation).iter().any(|word| {
        matches!(word.as_str(), "transfer" | "transfers" | "withdraw" | "payout" | "send" | "payments")
    });
    let slot = world.slots(index).iter().find(|slot| {
        let name = slot.place.name().to_ascii_lowercase();
        matches!(slot.kind, Kind::Integer | Kind::Number)
            && ["amount", "sum", "value", "points"].iter().any(|it| name.contains(it))
    });
    slot.filter(|_| moves && operation.effect != Effect::Reads).map(|slot| slot.place.clone())
}

/// The step before, on the same thing: `…/{id}/pay` for `…/{id}/ship`.
fn early_sibling(world: &World, operation: &Operation) -> Option<OperationIndex> {
    let (_, path) = operation.rest()?;
    let (parent, last) = path.rsplit_once('/')?;
    if !LATE.contains(&last.to_ascii_lowercase().as_str()) {
        return None;
    }
    let siblings = world.model.all().filter_map(|(at, other)| Some((at, other.rest()?.1.rsplit_once('/')?)));
    let mut early = siblings
        .filter(|(_, (own, last))| *own == parent && EARLY.contains(&last.to_ascii_lowercase().as_str()));
    early.next().map(|(at, _)| at)
}

/// Makes what the call needs, used by nobody yet.
fn fresh(world: &World, script: &mut Script<'_>, index: OperationIndex, user: &Identity) -> Flow<Prepared> {
    let mut prepared = world.prepare_for(script, index, user)?;
    prepared.call = prepared.call.by(user.id);
    Ok(prepared)
}

/// Calls that show what the caller has: a member named like a balance.
fn purse(world: &World, script: &mut Script<'_>, user: &Identity) -> Flow<Option<(Call, String)>> {
    for (_, operation, good) in world.reached() {
        if operation.effect != Effect::Reads || !good.recipe.is_empty() || good.call.by == ANONYMOUS {
            continue;
        }
        let Some(pointer) = good.answer.json.as_ref().and_then(held) else { continue };
        let mut call = good.call.clone();
        own::rename(world, &mut call, user);
        let call = call.by(user.id);
        let (_, answer) = script.send(call.clone())?;
        if amount(&answer, &pointer).is_some() {
            return Ok(Some((call, pointer)));
        }
    }
    Ok(None)
}

fn held(json: &Value) -> Option<String> {
    let all = leaves(json).into_iter();
    all.filter(|(_, value)| value.is_number())
        .map(|(pointer, _)| pointer)
        .find(|pointer| pointer.to_ascii_lowercase().split('/').any(|it| HELD.contains(&it)))
}

fn amount(answer: &Answer, pointer: &str) -> Option<f64> {
    answer.json.as_ref().filter(|_| answer.done())?.pointer(pointer)?.as_f64()
}

fn has(script: &mut Script<'_>, purse: Option<&(Call, String)>) -> Flow<Option<(usize, f64)>> {
    let Some((call, pointer)) = purse else { return Ok(None) };
    let (number, answer) = script.send(call.clone())?;
    Ok(amount(&answer, pointer).map(|it| (number, it)))
}

fn twice(world: &World, script: &mut Script<'_>, index: OperationIndex) -> Flow<Option<Proof>> {
    let user = script.fresh_identity(Role::A)?;
    let purse = purse(world, script, &user)?;
    let mut exchanges = Vec::new();
    for round in ["probe", "confirmation"] {
        let call = fresh(world, script, index, &user)?.call;
        let start = has(script, purse.as_ref())?;
        let (first, one) = script.send(call.clone())?;
        let middle = has(script, purse.as_ref())?;
        let (second, two) = script.send(call)?;
        let end = has(script, purse.as_ref())?;
        if !one.done() || !two.done() {
            return Ok(None);
        }
        match (start, middle, end) {
            (Some((_, start)), Some((_, middle)), Some((number, end))) if (middle - start).abs() > 1e-9 => {
                // Something is counted: it must have been counted once.
                if (end - middle - (middle - start)).abs() > 1e-9 {
                    return Ok(None);
                }
                exchanges.push((number, "read back"));
            }
            // Nothing is counted: what was given the second time must be what was given the first.
            _ if world.effect(index) == Some(Effect::Reads) || given(&one) => {
                if !alike(&one, &two) || !substantial_or_text(&two) {
                    return Ok(None);
                }
            }
            _ => return Ok(None),
        }
        exchanges.extend([(first, "baseline"), (second, round)]);
    }
    Ok(Some(Proof::confirmed(
        "a value that is for once was good a second time",
        exchanges,
        none("Use it up in the transaction that checks it"),
    )))
}

fn none(words: &str) -> Shield {
    Shield::None { words: words.to_owned() }
}

fn substantial_or_text(answer: &Answer) -> bool {
    substantial(answer) || (answer.json.is_none() && answer.body.len() >= 16)
}

/// Whether an answer says that something was handed out.
fn given(answer: &Answer) -> bool {
    let all = answer.json.as_ref().map(leaves).unwrap_or_default();
    all.iter().any(|(pointer, value)| {
        let name = pointer.to_ascii_lowercase();
        value.is_number()
            && HELD
                .iter()
                .chain(&["amount", "value", "discount", "claimed", "granted"])
                .any(|it| name.contains(it))
    })
}

fn alike(one: &Answer, two: &Answer) -> bool {
    similarity(one, two, &Mask::default()).share >= 0.5
}

fn race(world: &World, script: &mut Script<'_>, index: OperationIndex) -> Flow<Option<Proof>> {
    if world.effect(index) == Some(Effect::Reads) {
        return Ok(None);
    }
    let user = script.fresh_identity(Role::A)?;
    // One after the other it must be refused the second time: only then do several at once mean something.
    let call = fresh(world, script, index, &user)?.call;
    let (first, one) = script.send(call.clone())?;
    let (second, two) = script.send(call)?;
    if !one.done() || two.done() {
        return Ok(None);
    }
    let mut exchanges = vec![(first, "baseline"), (second, "control")];
    let mut most = 0;
    for round in ["probe", "confirmation", "confirmation"] {
        let call = fresh(world, script, index, &user)?.call;
        let answers = script.together(vec![call; RACE])?;
        let done: Vec<usize> =
            answers.iter().filter(|(_, it)| it.done()).map(|(number, _)| *number).collect();
        if done.len() > 1 {
            most = most.max(done.len());
            exchanges.extend(done.into_iter().take(2).map(|number| (number, round)));
        } else if round == "probe" {
            return Ok(None);
        }
    }
    let again = exchanges.iter().any(|it| it.1 == "confirmation");
    let words = format!("a value that is for once was good {most} times at once");
    let shield = none("Check and use it up in one transaction, or under a lock");
    Ok(Some(if again {
        Proof::confirmed(words, exchanges, shield)
    } else {
        Proof::suspected(words, exchanges, shield)
    }))
}

fn negative(
    world: &World,
    script: &mut Script<'_>,
    index: OperationIndex,
    place: &Place,
) -> Flow<Option<Proof>> {
    let user = script.fresh_identity(Role::A)?;
    let Some(purse) = purse(world, script, &user)? else {
        return script.skip("nothing shows what its caller has");
    };
    let mut exchanges = Vec::new();
    for (round, sum) in [("probe", 7_u32), ("confirmation", 13)] {
        let call = fresh(world, script, index, &user)?.call.with(place, Value::from(-i64::from(sum)));
        let Some((before, start)) = has(script, Some(&purse))? else { return Ok(None) };
        let (number, _) = script.send(call)?;
        let Some((after, end)) = has(script, Some(&purse))? else { return Ok(None) };
        if (end - start - f64::from(sum)).abs() > 1e-6 {
            return Ok(None);
        }
        exchanges.extend([(before, "baseline"), (number, round), (after, "read back")]);
    }
    let mut proof =
        Proof::confirmed("a negative amount raised its sender's balance", exchanges, Shield::Schema);
    proof.slot = Some(place.clone());
    Ok(Some(proof))
}

/// The later step on something new, without the earlier one; its effect must be seen by reading.
fn skipped(world: &World, script: &mut Script<'_>, index: OperationIndex) -> Flow<Option<Proof>> {
    let user = script.fresh_identity(Role::A)?;
    let Some(early) = world.model.operation(index).and_then(|it| early_sibling(world, it)) else {
        return Ok(None);
    };
    let mut exchanges = Vec::new();
    for round in ["probe", "confirmation"] {
        // The earlier step's recipe makes the same thing, and leaves that step itself out.
        let source = if world.good(index).is_some() && !uses(world, index, early) { index } else { early };
        if world.good(source).is_none() {
            return script.skip("no good call of the step or the one before is known");
        }
        let prepared = fresh(world, script, source, &user)?;
        let mut call = if source == index {
            prepared.call.clone()
        } else {
            world.good(index).map_or_else(|| Call::of(index, user.id), |good| good.call.clone()).by(user.id)
        };
        for (place, value) in
            prepared.call.parameters.iter().filter(|(place, _)| matches!(place, Place::Path(_)))
        {
            call.set(place, value.clone());
        }
        let reader = reader(world, index, &prepared, &call);
        let before = match &reader {
            Some(read) => Some(script.send(read.clone().by(user.id))?),
            None => None,
        };
        let (number, answer) = script.send(call)?;
        if !answer.done() {
            return Ok(None);
        }
        exchanges.push((number, round));
        let (Some(read), Some((_, was))) = (reader, before) else {
            if substantial(&answer) || says_state(&answer) {
                continue;
            }
            return Ok(None);
        };
        let (after, now) = script.send(read.by(user.id))?;
        let moved = state(&was) != state(&now) && state(&now).is_some();
        if !moved {
            return Ok(None);
        }
        exchanges.push((after, "read back"));
    }
    let name = world.model.operation(early).map(|it| it.id.to_string()).unwrap_or_default();
    let words = format!("the step was done without `{name}` before it");
    Ok(Some(Proof::confirmed(
        words,
        exchanges,
        none("Let each step move the state on only from the one before"),
    )))
}

fn uses(world: &World, index: OperationIndex, early: OperationIndex) -> bool {
    world.good(index).is_some_and(|good| good.recipe.iter().any(|it| it.call.operation == Some(early)))
}

fn says_state(answer: &Answer) -> bool {
    state(answer).is_some()
}

/// The member that says how far a thing has come.
fn state(answer: &Answer) -> Option<String> {
    let json = answer.json.as_ref()?;
    let all = leaves(json).into_iter();
    all.filter(|(pointer, _)| {
        let name = pointer.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        matches!(
            name.as_str(),
            "status" | "state" | "shipped" | "delivered" | "completed" | "stage" | "step" | "phase"
        )
    })
    .map(|(_, value)| value.to_string())
    .next()
}

fn reader(world: &World, index: OperationIndex, prepared: &Prepared, call: &Call) -> Option<Call> {
    let (_, path) = world.model.operation(index)?.rest()?;
    for (at, operation, good) in world.reached().filter(|(_, operation, _)| operation.effect == Effect::Reads)
    {
        let parent = operation.rest().is_some_and(|(_, own)| {
            own.contains('{') && path.rsplit_once('/').is_some_and(|(it, _)| it == own)
        });
        if parent {
            let mut read = good.call.clone();
            for (place, value) in call.parameters.iter().filter(|(place, _)| matches!(place, Place::Path(_)))
            {
                read.set(place, value.clone());
            }
            return Some(read);
        }
        let edge = world
            .edges
            .iter()
            .find(|edge| edge.to == at && prepared.made.iter().any(|it| it.0.operation == Some(edge.from)));
        if let Some(edge) = edge {
            let maker: Option<&(Call, usize, Arc<Answer>)> =
                prepared.made.iter().find(|it| it.0.operation == Some(edge.from));
            if let Some(value) = maker.and_then(|(call, _, answer)| produced(call, answer, &edge.origin)) {
                return Some(good.call.clone().with(&edge.slot, value));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::{
        script::rehearse::{Ask, Fake, Stage, answer, body, path},
        world::Origin,
    };

    /// Gift cards of five that raise a balance; the closure says how often one may be used: used so far, at once.
    fn gift(uses_max: usize) -> Vec<String> {
        let world = Stage::new()
            .op("GET /me", Effect::Reads, json!({"balance": 5, "email": "alice@mail.example"}))
            .op("POST /cards", Effect::Creates, json!({"code": "c1"}))
            .op("POST /cards/redeem", Effect::Acts, json!({"balance": 10}))
            .made_by("POST /cards", Origin::Answer("/code".to_owned()), body("/code"), json!("c1"))
            .world;
        let (mut balance, mut used, mut made) = (0, BTreeMap::<String, usize>::new(), 0);
        let service = move |ask: &Ask| match ask.path.as_str() {
            "/me" => answer(200, json!({"balance": balance, "email": "x@mail.example"})),
            "/cards" => {
                made += 1;
                answer(201, json!({"code": format!("c{made}")}))
            }
            _ => {
                let times = used.entry(ask.text("code")).or_default();
                *times += 1;
                if *times > uses_max {
                    return answer(409, json!({}));
                }
                balance += 5;
                answer(200, json!({"balance": balance}))
            }
        };
        Fake::new(&world, service).all(&FlowAbused).into_iter().map(|it| it.variant).collect()
    }

    #[test]
    fn finds_a_card_that_is_good_twice_and_leaves_one_that_is_not() {
        assert_eq!(gift(usize::MAX), ["twice"]);
        assert!(gift(1).is_empty());
    }

    #[test]
    fn finds_a_step_without_the_one_before() {
        let id = || Origin::Answer("/id".to_owned());
        let world = Stage::new()
            .op("POST /checkouts", Effect::Creates, json!({"id": 1}))
            .op("GET /checkouts/{id}", Effect::Reads, json!({"status": "new"}))
            .made_by("POST /checkouts", id(), path("id"), json!(1))
            .op("POST /checkouts/{id}/pay", Effect::Acts, json!({}))
            .made_by("POST /checkouts", id(), path("id"), json!(1))
            .op("POST /checkouts/{id}/ship", Effect::Acts, json!({}))
            .unreached()
            .world;
        let count = |checks: bool| {
            let mut all: Vec<&str> = Vec::new();
            let service = move |ask: &Ask| {
                let at = ask.text("id").parse::<usize>().unwrap_or_default();
                match (ask.method.as_str(), ask.path.rsplit('/').next().unwrap()) {
                    ("POST", "checkouts") => {
                        all.push("new");
                        return answer(201, json!({"id": all.len() - 1}));
                    }
                    ("POST", "pay") => all[at] = "paid",
                    ("POST", "ship") if checks && all[at] != "paid" => return answer(409, json!({})),
                    ("POST", "ship") => all[at] = "shipped",
                    _ => {}
                }
                answer(200, json!({"status": all[at]}))
            };
            Fake::new(&world, service).confirmed(&FlowAbused)
        };
        assert_eq!(count(false), 1);
        assert_eq!(count(true), 0);
    }
}
