//! Passwords and codes may be guessed, and costly things asked for, without end.

use std::sync::Arc;

use serde_json::Value;

use super::parts::{
    entrance::{entered, login_call},
    own,
};
use crate::{
    call::{ANONYMOUS, Call, Edit},
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    identity::Role,
    model::{Effect, Operation, OperationIndex, Place},
    script::{Flow, Script},
    wire::{Answer, Outcome},
    world::World,
};

/// The check.
pub(super) struct GuessingUnlimited;

static INFO: Info = Info {
    id: "guessing_unlimited",
    title: "Guessing is not limited",
    section: Section::Security,
    severity: Severity::Medium,
    risk: Risk::Intrusive,
    phase: Phase::Flood,
    owasp: "API4:2023",
    cwe: 307,
    wfc: None,
    remedy: "Limit failed attempts for each account and each address; believe `X-Forwarded-For` only from proxies of \
             your own.",
    oracle: "A bounded burst of wrong passwords for an account made for the trial, in several rounds: no refusal, no \
             delay, no other answer may come, and the right password must still work at once. Where there is a limit, \
             a new `X-Forwarded-For` with every attempt must not lift it.",
    requests_max: 90,
};

/// What is tried many times over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Login,
    Code,
    Costly,
}

impl Check for GuessingUnlimited {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let all = world.model.all().filter(|(index, operation)| kind(world, *index, operation).is_some());
        all.take(6).map(|(index, _)| Target::operation(index)).collect()
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let Some((index, kind)) =
            target.operation.and_then(|at| Some((at, kind(world, at, world.model.operation(at)?)?)))
        else {
            return script.skip("nothing to guess");
        };
        let user = script.fresh_identity(Role::A)?;
        let mut call = match kind {
            Kind::Login => match login_call(world, &user, "x") {
                Some(call) => call,
                None => return script.skip("it is not known how to log in"),
            },
            Kind::Code => match world.good(index) {
                Some(good) => good.call.clone().by(ANONYMOUS),
                None => from_slots(world, index),
            },
            Kind::Costly => world.prepare_for(script, index, &user)?.call.by(user.id),
        };
        if kind == Kind::Code {
            own::rename(world, &mut call, &user);
        }
        let rounds = (world.bounds.burst / 10).clamp(2, 6);
        let mut first: Option<Arc<Answer>> = None;
        let mut last = 0;
        for _ in 0..rounds {
            let calls = (0..10).map(|_| guess(world, script, kind, &call)).collect();
            for (number, answer) in script.together(calls)? {
                let reference = Arc::clone(first.get_or_insert_with(|| Arc::clone(&answer)));
                if protects(world, kind, &reference, &answer) {
                    return rotated(world, script, kind, &call, (number, &answer));
                }
                last = number;
            }
        }
        let Some(reference) = first else { return Ok(Verdict::Clean) };
        // A costly operation must have been done each time, a guess refused each time, for the burst to say anything.
        let told = match kind {
            Kind::Costly => reference.done(),
            Kind::Login | Kind::Code => !matches!(reference.outcome, Outcome::Absent | Outcome::NotOffered),
        };
        if !told {
            return Ok(Verdict::Clean);
        }
        let burst = rounds * 10;
        let mut exchanges = vec![(0, "baseline"), (last, "probe")];
        let words = match kind {
            Kind::Login => {
                let Some(good) = login_call(world, &user, user.text("password").unwrap_or_default()) else {
                    return script.skip("it is not known how to log in");
                };
                let (number, answer) = script.send(good)?;
                if entered(world, &answer).is_none() {
                    // It was locked without saying so.
                    return Ok(Verdict::Clean);
                }
                exchanges.push((number, "confirmation"));
                format!("after {burst} wrong passwords in a burst the right one worked at once")
            }
            Kind::Code => format!("{burst} wrong codes in a burst were answered like the first"),
            Kind::Costly => format!("{burst} calls of a costly operation in a burst were all done"),
        };
        let mut proof = Proof::confirmed(words, exchanges, Shield::Limit);
        if kind == Kind::Costly {
            proof.severity = Some(Severity::Low);
        }
        Ok(Verdict::Found(vec![proof]))
    }
}

fn kind(world: &World, index: OperationIndex, operation: &Operation) -> Option<Kind> {
    if world.login.as_ref().is_some_and(|login| login.operation == index) {
        return Some(Kind::Login);
    }
    if own::is_entrance(world, index)
        || operation.effect == Effect::Reads
        || operation.effect == Effect::Deletes
    {
        return None;
    }
    // Only what it is called counts here: descriptions speak of codes and exports in passing.
    let mut called = operation.clone();
    called.words = Vec::new();
    let words = own::words(&called);
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    let code = world.slots(index).iter().any(|slot| code_like(&slot.place));
    if code && has(&["otp", "verify", "mfa", "pin", "totp", "confirm", "2fa", "code"]) {
        return Some(Kind::Code);
    }
    let costly = has(&["export", "exports", "report", "reports", "render", "generate", "bulk"]);
    (costly && world.good(index).is_some_and(|good| good.recipe.is_empty())).then_some(Kind::Costly)
}

fn code_like(place: &Place) -> bool {
    let name = place.name().to_ascii_lowercase();
    ["otp", "code", "pin", "totp"]
        .iter()
        .any(|it| name == *it || name.ends_with(&format!("_{it}")) || name.starts_with(&format!("{it}_")))
}

/// A call with an example, or a word, in every slot that must be there.
fn from_slots(world: &World, index: OperationIndex) -> Call {
    let mut call = Call::of(index, ANONYMOUS);
    for slot in world.slots(index).iter().filter(|slot| slot.required) {
        let value = slot.examples.first().cloned().unwrap_or_else(|| Value::from("x"));
        call.set(&slot.place, value);
    }
    call
}

/// One attempt: another wrong password or code each time.
fn guess(world: &World, script: &mut Script<'_>, kind: Kind, call: &Call) -> Call {
    match kind {
        Kind::Login => match &world.login {
            Some(login) => call.clone().with(&login.password, Value::from(format!("Zq9-{}", script.word(8)))),
            None => call.clone(),
        },
        Kind::Code => {
            let places = call.operation.map(|index| world.slots(index)).unwrap_or_default();
            let mut call = call.clone();
            for slot in places.iter().filter(|slot| code_like(&slot.place)) {
                let digits =
                    call.value(&slot.place).and_then(Value::as_str).map_or(6, |it| it.len().clamp(4, 9));
                let code = format!("{:0digits$}", script.between(0, 10_u64.pow(digits.min(9) as u32) - 1));
                let number = slot.kind == crate::model::Kind::Integer;
                call.set(
                    &slot.place,
                    if number {
                        Value::from(code.parse::<u64>().unwrap_or_default())
                    } else {
                        Value::from(code)
                    },
                );
            }
            call
        }
        Kind::Costly => call.clone(),
    }
}

/// Whether an answer shows that somebody counts: another meaning, another status, a long wait, other words, a challenge.
fn protects(world: &World, kind: Kind, first: &Answer, now: &Answer) -> bool {
    if matches!(now.outcome, Outcome::Limited | Outcome::Unreached | Outcome::Broken)
        || now.status != first.status
    {
        return true;
    }
    let slow = first.micros.max(world.usual_micros).saturating_mul(8).max(1_500_000);
    let telling = ["captcha", "locked", "too many", "try again later", "blocked"];
    let text = now.text().to_ascii_lowercase();
    let began = first.text().to_ascii_lowercase();
    now.header("retry-after").is_some()
        || now.micros > slow
        || telling.iter().any(|it| text.contains(it) && !began.contains(it))
        || (kind != Kind::Costly && now.body.len().abs_diff(first.body.len()) > 64)
}

/// There is a limit: whether a new address in `X-Forwarded-For` lifts it.
fn rotated(
    world: &World,
    script: &mut Script<'_>,
    kind: Kind,
    call: &Call,
    limited: (usize, &Answer),
) -> Flow<Verdict> {
    if limited.1.outcome != Outcome::Limited {
        return Ok(Verdict::Clean);
    }
    let mut exchanges = vec![(limited.0, "control")];
    for _ in 0..8 {
        let address = format!("198.18.{}.{}", script.between(0, 255), script.between(1, 254));
        let call =
            guess(world, script, kind, call).edited(Edit::SetHeader("x-forwarded-for".to_owned(), address));
        let (number, answer) = script.send(call)?;
        if matches!(answer.outcome, Outcome::Limited | Outcome::Unreached) {
            return Ok(Verdict::Clean);
        }
        exchanges.push((number, "probe"));
    }
    let still = guess(world, script, kind, call);
    let (number, answer) = script.send(still)?;
    if answer.outcome != Outcome::Limited {
        // The limit has passed by itself meanwhile.
        return Ok(Verdict::Clean);
    }
    exchanges.push((number, "control"));
    let mut proof = Proof::confirmed(
        "a new `X-Forwarded-For` with every attempt lifts the limit",
        exchanges,
        Shield::Limit,
    );
    proof.slot = Some(Place::Header("x-forwarded-for".into()));
    "forwarded_for".clone_into(&mut proof.variant);
    Ok(Verdict::Found(vec![proof]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::script::rehearse::{Ask, Fake, Stage, answer, body};

    /// A login that locks or limits after so many failures; the limit goes by address where it believes the field.
    fn found(limit: usize, locks: bool, believes: bool) -> Vec<String> {
        let world = Stage::new()
            .op("POST /login", Effect::Acts, json!({"token": "t"}))
            .slot(body("/username"), json!("alice"))
            .slot(body("/password"), json!("x"))
            .login()
            .world;
        let mut failures = 0;
        let service = move |ask: &Ask| {
            let other = believes && ask.header("x-forwarded-for").is_some();
            if failures >= limit && !other {
                return if locks { answer(401, json!({"m": "wrong"})) } else { answer(429, json!({})) };
            }
            if ask.text("password") == format!("pass-{}-1", ask.text("username")) {
                return answer(200, json!({"token": "t"}));
            }
            failures += 1;
            answer(401, json!({"m": "wrong"}))
        };
        Fake::new(&world, service).all(&GuessingUnlimited).into_iter().map(|it| it.variant).collect()
    }

    #[test]
    fn finds_a_login_without_a_limit_and_one_whose_limit_can_be_lifted() {
        assert_eq!(found(usize::MAX, false, false), [""]);
        assert_eq!(found(12, false, true), ["forwarded_for"]);
    }

    #[test]
    fn is_silent_where_logins_are_limited_or_locked() {
        assert!(found(12, false, false).is_empty());
        assert!(found(12, true, false).is_empty());
    }
}
