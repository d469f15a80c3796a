//! A token is believed after it has expired.

use serde_json::{Value, json};

use super::parts::{
    entrance::login_call,
    family::{token_in, with},
    jwt::Token,
    leaves::substantial,
    own,
};
use crate::{
    call::{Call, IdentityId},
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::{Effect, Place},
    oracle::{Mask, similarity},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct ExpiredTokenAccepted;

static INFO: Info = Info {
    id: "expired_token_accepted",
    title: "An expired token is accepted",
    section: Section::Security,
    severity: Severity::Medium,
    risk: Risk::Safe,
    phase: Phase::Timing,
    owasp: "API2:2023",
    cwe: 613,
    wfc: Some("F207"),
    remedy: "Refuse tokens from their `exp` on, with a leeway of a minute at most.",
    oracle: "A token with a short life is asked for. Once the server's own clock, read off the `iat` of a newer token, \
             is past its end, it must not show its user's data any more; a token without a signature must be refused.",
    requests_max: 40,
};

/// Names of the slot by which a login is asked for a short life.
const LIVES: &[&str] = &["expires_in", "expiresin", "ttl", "lifetime", "expiry", "max_age", "duration"];

/// Seconds of life that are waited for, at most.
const LIFE_SECS_MAX: i64 = 2;

impl Check for ExpiredTokenAccepted {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let Some(login) = &world.login else { return Vec::new() };
        let Some(good) = world.good(login.operation) else { return Vec::new() };
        let short = good
            .answer
            .json
            .as_ref()
            .and_then(token_in)
            .is_some_and(|(_, it)| life(&it).is_some_and(|it| it <= LIFE_SECS_MAX));
        let slot = life_slot(world);
        if (short || slot.is_some()) && world.listener.is_some() {
            vec![Target::operation(login.operation)]
        } else {
            Vec::new()
        }
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let (Some(index), Some((_, who))) = (target.operation, own::strangers(world)) else {
            return script.skip("a user is needed");
        };
        let Some(good) = world.good(index) else { return script.skip("no good login is known") };
        let Some(mut call) = login_call(world, who, who.text("password").unwrap_or_default()) else {
            return script.skip("it is not known how to log in");
        };
        if let Some(place) = life_slot(world) {
            call.set(&place, json!(1));
        }
        let Some((pointer, _)) = good.answer.json.as_ref().and_then(token_in) else {
            return Ok(Verdict::Clean);
        };
        let Some(look) = look(world) else { return script.skip("nothing shows whose token it is") };
        let (_, text, token) = token_from(script, &call, &pointer)?;
        let (Some(token), Some(end)) = (&token, token.as_ref().and_then(|it| number(it, "exp"))) else {
            return Ok(Verdict::Clean);
        };
        if life(token).is_none_or(|it| it > LIFE_SECS_MAX) {
            return Ok(Verdict::Clean);
        }
        let mine = Call { by: IdentityId(who.id.0), ..look };
        let (baseline, live) = script.send(with(&mine, &text))?;
        if !live.done() || !substantial(&live) {
            return Ok(Verdict::Clean);
        }
        for _ in 0..12 {
            // Nobody knows this token: waiting for it passes the listener's bound, which is how time passes here.
            let Some((nobody, _)) = script.token() else {
                return script.skip("there is no listener to wait at");
            };
            script.hits(&nobody)?;
            let (clock, _, newer) = token_from(script, &call, &pointer)?;
            if newer.as_ref().and_then(|it| number(it, "iat")).is_none_or(|now| now <= end) {
                continue;
            }
            let (probe, late) = script.send(with(&mine, &text))?;
            let (control, none) = script.send(with(&mine, "no-token"))?;
            let (again, later) = script.send(with(&mine, &text))?;
            let alike = |it| similarity(&live, it, &Mask::default()).share >= 0.8;
            if late.done() && alike(&late) && later.done() && !(none.done() && alike(&none)) {
                let exchanges = vec![
                    (baseline, "baseline"),
                    (clock, "control"),
                    (control, "control"),
                    (probe, "probe"),
                    (again, "confirmation"),
                ];
                let mut proof = Proof::confirmed(
                    "a token was accepted after its `exp` had passed",
                    exchanges,
                    Shield::Token,
                );
                proof.operation = mine.operation;
                return Ok(Verdict::Found(vec![proof]));
            }
            return Ok(Verdict::Clean);
        }
        script.skip("its end did not come in time")
    }
}

fn life_slot(world: &World) -> Option<Place> {
    let login = world.login.as_ref()?;
    let slots = world.slots(login.operation).iter();
    slots
        .map(|slot| slot.place.clone())
        .find(|place| LIVES.contains(&place.name().to_ascii_lowercase().as_str()))
}

fn number(token: &Token, claim: &str) -> Option<i64> {
    token.claims.get(claim).and_then(Value::as_i64)
}

fn life(token: &Token) -> Option<i64> {
    Some(number(token, "exp")? - number(token, "iat")?)
}

fn token_from(script: &mut Script<'_>, call: &Call, pointer: &str) -> Flow<(usize, String, Option<Token>)> {
    let (number, answer) = script.send(call.clone())?;
    let text = answer
        .json
        .as_ref()
        .and_then(|json| json.pointer(pointer))
        .and_then(Value::as_str)
        .unwrap_or_default();
    Ok((number, text.to_owned(), Token::parse(text)))
}

/// A reading that shows its caller something of its own.
pub(super) fn look(world: &World) -> Option<Call> {
    let mut found: Vec<(u8, Call)> = Vec::new();
    for (index, operation, good) in world.reached() {
        if operation.effect == Effect::Reads && good.recipe.is_empty() && !own::open_to_all(world, index) {
            let texts = world.identity(good.call.by).map(own::private_texts).unwrap_or_default();
            let own = texts.iter().any(|text| good.answer.holds(text));
            if own || own::demands(operation) {
                found.push((2 * u8::from(!own::demands(operation)) + u8::from(!own), good.call.clone()));
            }
        }
    }
    found.into_iter().min_by_key(|(rank, _)| *rank).map(|(_, call)| call)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checks::parts::jwt::{Hash, sign},
        script::rehearse::{Ask, Fake, Stage, answer, body},
    };

    fn token(iat: i64, exp: i64) -> String {
        let map = |value: Value| value.as_object().cloned().unwrap();
        sign(&map(json!({"alg": "HS256"})), &map(json!({"iat": iat, "exp": exp})), Hash::Sha256, b"k")
    }

    fn found(checks: bool) -> usize {
        let stage = Stage::new()
            .op("POST /login", Effect::Acts, json!({"token": token(1, 901)}))
            .slot(body("/username"), json!("alice"))
            .slot(body("/password"), json!("x"))
            .slot(body("/expires_in"), json!(900))
            .login()
            .op("GET /me", Effect::Reads, json!({"email": "alice@mail.example", "n": 1}));
        let mut now = 0;
        let service = move |ask: &Ask| {
            if ask.method == "POST" {
                now += 2;
                let life = ask.values["expires_in"].as_i64().unwrap();
                return answer(200, json!({"token": token(now, now + life)}));
            }
            match Token::parse(&ask.credential.clone().unwrap_or_default()) {
                Some(it) if !checks || number(&it, "exp").unwrap() > now => {
                    answer(200, json!({"email": "alice@mail.example", "n": 1}))
                }
                _ => answer(401, json!({})),
            }
        };
        Fake::new(&stage.world, service).confirmed(&ExpiredTokenAccepted)
    }

    #[test]
    fn tells_an_end_that_is_kept_from_one_that_is_not() {
        assert_eq!(found(false), 1);
        assert_eq!(found(true), 0);
    }
}
