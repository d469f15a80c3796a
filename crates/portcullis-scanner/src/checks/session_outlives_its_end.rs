//! A session is still good after its user logged out, revoked it or changed the password.

use serde_json::Value;

use super::parts::{
    entrance::{entered, login_call},
    jwt::Token,
    leaves::{leaves, substantial},
    own,
};
use crate::{
    call::{Call, Credential, Edit},
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    identity::{Identity, Role},
    model::{Effect, Operation, OperationIndex, Place},
    oracle::{Mask, similarity},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct SessionOutlivesItsEnd;

static INFO: Info = Info {
    id: "session_outlives_its_end",
    title: "A session is still valid after logout, revocation or a change of password",
    section: Section::Security,
    severity: Severity::Medium,
    risk: Risk::Intrusive,
    phase: Phase::Destroy,
    owasp: "API2:2023",
    cwe: 613,
    wfc: None,
    remedy: "Keep a list of ended sessions (or the time from which a user's tokens count) and look at it on every \
             call; end all sessions when the password changes.",
    oracle: "An account made for the trial reads its own data, ends its session, and presents the old credential \
             again: the same data must not come. A made-up credential must be refused. Tokens that end by themselves \
             within ten minutes are left alone. Shown twice.",
    requests_max: 40,
};

/// Tokens with a shorter life than this need no list of ended ones.
const SHORT_LIFE_SECS: i64 = 600;

/// How a session is ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Logout,
    Password,
}

impl Check for SessionOutlivesItsEnd {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let all = world.model.all().filter(|(index, operation)| end_of(world, *index, operation).is_some());
        all.map(|(index, _)| Target::operation(index)).collect()
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let Some((index, end)) = target
            .operation
            .and_then(|index| Some((index, end_of(world, index, world.model.operation(index)?)?)))
        else {
            return script.skip("it ends no session");
        };
        let Some(look) = super::expired_token_accepted::look(world) else {
            return script.skip("nothing shows whose session it is");
        };
        let mut exchanges = Vec::new();
        for round in ["probe", "confirmation"] {
            let user = script.fresh_identity(Role::A)?;
            if short_lived(&user) {
                return Ok(Verdict::Clean);
            }
            let mut mine = look
                .clone()
                .by(user.id)
                .edited(Edit::Credential(Credential::Text(user.session.secret.clone())));
            own::rename(world, &mut mine, &user);
            let (before, open) = script.send(mine.clone())?;
            if !open.done() || !substantial(&open) {
                return script.skip("its user cannot read anything of its own");
            }
            let Some(ending) = ending(world, script, index, &user, end)? else { return Ok(Verdict::Clean) };
            let (after, late) = script.send(mine.clone())?;
            if !late.done() || similarity(&open, &late, &Mask::default()).share < 0.7 {
                return Ok(Verdict::Clean);
            }
            exchanges.extend([(before, "baseline"), (ending, "control"), (after, round)]);
            if round == "probe" {
                let made_up = Call { edits: Vec::new(), ..mine }
                    .edited(Edit::Credential(Credential::Text(script.word(30))));
                let (control, nobody) = script.send(made_up)?;
                if nobody.done() && similarity(&open, &nobody, &Mask::default()).share >= 0.7 {
                    return Ok(Verdict::Clean);
                }
                exchanges.push((control, "control"));
            }
        }
        let words = match end {
            End::Logout => "a session was still good after it had been ended",
            End::Password => "a session was still good after the password had been changed",
        };
        Ok(Verdict::Found(vec![Proof::confirmed(words, exchanges, Shield::Token)]))
    }
}

fn end_of(world: &World, index: OperationIndex, operation: &Operation) -> Option<End> {
    let login = world.login.as_ref()?;
    if login.operation == index
        || login.register == Some(index)
        || operation.effect == Effect::Reads && login.logout != Some(index)
    {
        return None;
    }
    let words = own::words(operation);
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    if login.logout == Some(index) || has(&["logout", "signout", "revoke"]) {
        return Some(End::Logout);
    }
    let mut call = Call::of(index, crate::call::ANONYMOUS);
    for slot in world.slots(index) {
        call.set(&slot.place, Value::from("x"));
    }
    let call = world.good(index).map_or(call, |good| good.call.clone());
    let named = own::named(world, &call);
    let stranger = named.iter().any(|(place, _)| matches!(place, Place::Body(_)));
    let sets = super::account_changed_by_stranger::new_password(&call).is_some();
    (sets && own::demands(operation) && !stranger).then_some(End::Password)
}

/// Whether the credential ends by itself soon.
fn short_lived(user: &Identity) -> bool {
    let number = |token: &Token, claim: &str| token.claims.get(claim).and_then(Value::as_i64);
    Token::parse(&user.session.secret)
        .and_then(|token| Some(number(&token, "exp")? - number(&token, "iat")?))
        .is_some_and(|life| life <= SHORT_LIFE_SECS)
}

/// Ends the session; the number of the answer that shows that it was done, `None` where it was not.
fn ending(
    world: &World,
    script: &mut Script<'_>,
    index: OperationIndex,
    user: &Identity,
    end: End,
) -> Flow<Option<usize>> {
    // Without a good call every slot gets something; those with a meaning are filled below.
    let mut call = Call::of(index, user.id);
    for slot in world.slots(index) {
        call.set(&slot.place, Value::from("x"));
    }
    if let Some(good) = world.good(index) {
        call = good.call.clone();
        own::rename(world, &mut call, user);
        call = call.by(user.id);
    }
    let password = user.text("password").unwrap_or_default().to_owned();
    let fresh = format!("Zq9-{}", script.word(12));
    let body = call.body.clone().unwrap_or(Value::Null);
    let new = super::account_changed_by_stranger::new_password(&call);
    let slots = world.slots(index).iter().map(|slot| slot.place.clone());
    let places: Vec<Place> =
        slots.chain(leaves(&body).into_iter().map(|(pointer, _)| Place::Body(pointer.into()))).collect();
    for place in places {
        let name = place.name().to_ascii_lowercase();
        if Some(&place) == new.as_ref()
            || (name.contains("pass") && (name.contains("confirm") || name.contains("repeat")))
        {
            call.set(&place, Value::from(fresh.as_str()));
        } else if name.contains("pass") {
            call.set(&place, Value::from(password.as_str()));
        } else if name.contains("token") && matches!(place, Place::Body(_) | Place::Query(_)) {
            call.set(&place, Value::from(user.session.secret.as_str()));
        }
    }
    let (number, answer) = script.send(call)?;
    if end == End::Logout {
        return Ok((answer.done() || answer.outcome == crate::wire::Outcome::Elsewhere).then_some(number));
    }
    let Some(call) = login_call(world, user, &fresh) else {
        return script.skip("it is not known how to log in");
    };
    let (number, with_new) = script.send(call)?;
    Ok(entered(world, &with_new).map(|_| number))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::{
        script::rehearse::{Ask, Fake, Stage, answer},
        wire::Answer,
    };

    fn found(ends: bool, checks: bool) -> usize {
        let mut world = Stage::new()
            .op("POST /login", Effect::Acts, json!({"token": "t"}))
            .login()
            .op("POST /logout", Effect::Acts, json!({}))
            .op("GET /me", Effect::Reads, json!({"email": "alice@mail.example", "n": 1}))
            .world;
        world.login.as_mut().unwrap().logout = Some(OperationIndex(1));
        let mut ended: BTreeSet<String> = BTreeSet::new();
        let service = move |ask: &Ask| -> Answer {
            let token = ask.credential.clone().unwrap_or_default();
            if checks && (!token.starts_with("token-") || ended.contains(&token)) {
                return answer(401, json!({}));
            }
            if ask.path == "/logout" && ends {
                ended.insert(token);
            }
            answer(200, json!({"email": format!("{}@mail.example", ask.user), "n": 1}))
        };
        Fake::new(&world, service).confirmed(&SessionOutlivesItsEnd)
    }

    #[test]
    fn tells_a_logout_that_ends_from_one_that_does_not() {
        assert_eq!(found(false, true), 1);
        assert_eq!(found(true, true), 0);
    }

    #[test]
    fn is_silent_where_credentials_do_not_matter() {
        assert_eq!(found(false, false), 0);
    }
}
