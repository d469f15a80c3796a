//! The secret that tokens are signed with is a word from a list.

use serde_json::json;

use super::parts::{
    family::{self, Family},
    jwt::{Hash, as_another, sign},
    weak_keys,
};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct WeakTokenKey;

static INFO: Info = Info {
    id: "weak_token_key",
    title: "Tokens are signed with a secret that can be guessed",
    section: Section::Security,
    severity: Severity::Critical,
    risk: Risk::Safe,
    phase: Phase::Read,
    owasp: "API2:2023",
    cwe: 326,
    wfc: Some("F207"),
    remedy: "Sign with a key of at least 256 random bits that is in no source code, or with a private key; invalidate \
             all tokens made with the old one.",
    oracle: "A user's token is tried offline against a list of words. With the word found, a token with another \
             user's claims is made; it must show that user's data, while one made with another key is refused. Shown \
             twice, the second time with the users changed.",
    requests_max: 20,
};

impl Check for WeakTokenKey {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        family::targets(world)
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        if target.operation.is_none() {
            // Offline first: where no word fits a session's token, nothing need be sent.
            let token = world
                .who(crate::identity::Role::A)
                .and_then(|it| super::parts::jwt::Token::parse(&it.session.secret));
            if token.and_then(|it| weak_keys::all().find(|key| it.signed_by(key.as_bytes()))).is_none() {
                return Ok(Verdict::Clean);
            }
        }
        let Some(family) = Family::of(world, script, target)? else { return Ok(Verdict::Clean) };
        let Some(key) = weak_keys::all().find(|key| family.mine.1.signed_by(key.as_bytes())) else {
            return Ok(Verdict::Clean);
        };
        let Some(hash) = Hash::of(family.mine.1.alg()) else { return Ok(Verdict::Clean) };
        let forged = |family: &Family, key: &str| {
            let claims = as_another(&family.mine.1.claims, &family.theirs.1.claims);
            sign(&family.mine.1.header, &claims, hash, key.as_bytes())
        };
        let (probe, believed) = family.taken(script, &forged(&family, &key))?;
        if !believed {
            return Ok(Verdict::Clean);
        }
        let other = script.word(40);
        let (control, anything) = family.taken(script, &forged(&family, &other))?;
        let turned = family.turned();
        let (again, twice) = turned.taken(script, &forged(&turned, &key))?;
        if anything || !twice {
            return Ok(Verdict::Clean);
        }
        let mut exchanges = vec![
            (family.their_answer.0, "baseline"),
            (control, "control"),
            (probe, "probe"),
            (again, "confirmation"),
        ];
        let mut words =
            format!("tokens are signed with `{key}`; one made with it was taken for another user's");
        let mut past = family.mine.1.claims.clone();
        if past.contains_key("exp") {
            past.insert("exp".to_owned(), json!(1_000_000_000));
            let old = sign(&family.mine.1.header, &past, hash, key.as_bytes());
            let (number, answer) = script.send(family::with(&family.call, &old))?;
            if answer.done()
                && crate::oracle::similarity(&answer, &family.my_answer.1, &crate::oracle::Mask::default())
                    .same()
            {
                exchanges.push((number, "probe"));
                words.push_str("; one that expired long ago is accepted as well");
            }
        }
        let mut proof = Proof::confirmed(words, exchanges, Shield::Token);
        proof.operation = family.call.operation;
        Ok(Verdict::Found(vec![proof]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checks::parts::jwt::Token,
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer},
        wire::Answer,
    };

    fn world(key: &[u8]) -> World {
        let mut world =
            Stage::new().op("GET /me", Effect::Reads, json!({"email": "alice@mail.example", "n": 1})).world;
        for identity in &mut world.identities {
            let claims = json!({"sub": identity.name, "exp": 9}).as_object().cloned().unwrap();
            let header = json!({"alg": "HS256"}).as_object().cloned().unwrap();
            identity.session.secret = sign(&header, &claims, Hash::Sha256, key);
        }
        world
    }

    fn serve(key: &'static [u8]) -> impl FnMut(&Ask) -> Answer {
        move |ask| match Token::parse(&ask.credential.clone().unwrap_or_default()) {
            Some(token) if token.signed_by(key) => answer(
                200,
                json!({"email": format!("{}@mail.example", token.claims["sub"].as_str().unwrap()), "n": 1}),
            ),
            _ => answer(401, json!({})),
        }
    }

    #[test]
    fn finds_a_word_and_acts_with_it() {
        let mut fake = Fake::new(&world(b"random"), serve(b"random"));
        assert_eq!(fake.confirmed(&WeakTokenKey), 1);
    }

    #[test]
    fn sends_nothing_where_no_word_fits() {
        let mut fake = Fake::new(&world(b"0f3a9c77e1bb"), serve(b"0f3a9c77e1bb"));
        assert!(fake.all(&WeakTokenKey).is_empty());
        assert_eq!(fake.calls, 0);
    }

    #[test]
    fn is_silent_where_the_server_takes_the_guessed_key_no_more() {
        let mut fake = Fake::new(&world(b"secret"), serve(b"0f3a9c77e1bb"));
        assert!(fake.all(&WeakTokenKey).is_empty());
    }
}
