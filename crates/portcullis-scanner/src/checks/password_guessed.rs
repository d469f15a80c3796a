//! An account of the operator has a password that is in every list.

use crate::{
    call::{ANONYMOUS, Call},
    model::{Kind, Place},
    wire::{Answer, Outcome},
};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};
use serde_json::json;

/// The check.
pub(super) struct PasswordGuessed;

static INFO: Info = Info {
    id: "password_guessed",
    title: "An account opens with a common password",
    section: Section::Security,
    severity: Severity::Critical,
    risk: Risk::Safe,
    phase: Phase::Probe,
    owasp: "API2:2023",
    cwe: 1391,
    wfc: Some("F207"),
    remedy: "Change the password now; refuse passwords of the common lists where they are set, and slow down or lock where they are guessed.",
    oracle: "Three random passwords for a usual name of an operator are answered alike. A common one is answered otherwise, two times, with another random one answered like the first three in between.",
    requests_max: 40,
};

impl Check for PasswordGuessed {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let of = |index| slots(world, index).map(|_| Target::operation(index));
        world.model.all().filter_map(|(index, _)| of(index)).take(6).collect()
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let Some(index) = target.operation else { return Ok(Verdict::Clean) };
        let Some((name, password)) = slots(world, index) else { return Ok(Verdict::Clean) };
        // Whatever else it takes is as in a known call; without one the two alone may do.
        let base = world.good(index).map_or_else(|| filled(world, index), |it| it.call.clone());
        for who in ["admin", "root"] {
            let with =
                |word: &str| base.clone().by(ANONYMOUS).with(&name, json!(who)).with(&password, json!(word));
            let mut usual: Option<String> = None;
            let mut control = 0;
            for _ in 0..3 {
                let word = script.word(12);
                let (number, answer) = script.send(with(&word))?;
                let shown = shown(&answer, &word);
                if answer.outcome == Outcome::Limited || answer.outcome == Outcome::Unreached {
                    return script.skip("guesses are limited");
                }
                if usual.get_or_insert_with(|| shown.clone()) != &shown {
                    return script.skip("wrong passwords are not answered alike");
                }
                control = number;
            }
            let Some(usual) = usual else { return Ok(Verdict::Clean) };
            for word in COMMON {
                let (probe, answer) = script.send(with(word))?;
                if matches!(answer.outcome, Outcome::Limited | Outcome::Unreached) {
                    return Ok(Verdict::Clean);
                }
                if shown(&answer, word) == usual || !answer.done() {
                    continue;
                }
                let wrong = script.word(12);
                let (still, refused) = script.send(with(&wrong))?;
                let (again, answer) = script.send(with(word))?;
                if shown(&refused, &wrong) == usual && shown(&answer, word) != usual && answer.done() {
                    let mut proof = Proof::confirmed(
                        format!("the account `{who}` opens with `{word}`"),
                        vec![
                            (control, "control"),
                            (probe, "probe"),
                            (still, "control"),
                            (again, "confirmation"),
                        ],
                        Shield::Limit,
                    );
                    proof.slot = Some(password);
                    return Ok(Verdict::Found(vec![proof]));
                }
            }
        }
        Ok(Verdict::Clean)
    }
}

/// Passwords that come with things or that everybody takes.
const COMMON: [&str; 16] = [
    "admin",
    "changeme",
    "password",
    "123456",
    "admin123",
    "12345678",
    "root",
    "test",
    "secret",
    "qwerty",
    "letmein",
    "welcome",
    "default",
    "password1",
    "1234",
    "toor",
];

/// Where a name and a password go; `None` for an operation that has no such places, or that makes accounts.
fn slots(world: &World, index: crate::model::OperationIndex) -> Option<(Place, Place)> {
    let operation = world.model.operation(index)?;
    let makes = matches!(
        operation.effect,
        crate::model::Effect::Creates | crate::model::Effect::Changes | crate::model::Effect::Deletes
    );
    if makes || world.login.as_ref().is_some_and(|it| it.register == Some(index)) {
        return None;
    }
    let of = |names: &[&str]| {
        let mut slots = world.slots(index).iter().filter(|it| matches!(it.kind, Kind::Text | Kind::Any));
        slots.find(|it| names.contains(&it.place.name().to_lowercase().as_str())).map(|it| it.place.clone())
    };
    Some((
        of(&["username", "user", "login", "user_name", "name", "email"])?,
        of(&["password", "passwd", "pass", "pwd"])?,
    ))
}

/// A call with an example or a plain word in each slot that must be there.
fn filled(world: &World, index: crate::model::OperationIndex) -> Call {
    let mut call = Call::of(index, ANONYMOUS);
    for slot in world.slots(index) {
        let value = match slot.kind {
            Kind::Integer | Kind::Number => json!(1),
            Kind::Boolean => json!(false),
            Kind::Text | Kind::Any => json!("id"),
            Kind::List | Kind::Record | Kind::File => continue,
        };
        call.set(&slot.place, slot.examples.first().cloned().unwrap_or(value));
    }
    call
}

/// What an answer shows, the password itself taken out.
fn shown(answer: &Answer, word: &str) -> String {
    format!("{:?} {} {}", answer.outcome, answer.status, answer.text().replace(word, "*"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer, body},
    };

    fn check(serve: impl FnMut(&Ask) -> Answer) -> usize {
        let stage = Stage::new()
            .op("POST /login", Effect::Acts, json!({"token": "t"}))
            .slot(body("/username"), json!("ann"))
            .slot(body("/password"), json!("x"));
        Fake::new(&stage.world, serve).confirmed(&PasswordGuessed)
    }

    #[test]
    fn finds_common_passwords_only_where_they_open() {
        let serve = |ask: &Ask, secret: &str| {
            let opens = ask.text("username") == "admin" && ask.text("password") == secret;
            if opens {
                answer(200, json!({"token": "t"}))
            } else {
                answer(401, json!({"wrong": ask.text("password")}))
            }
        };
        assert_eq!(check(|ask| serve(ask, "changeme")), 1);
        assert_eq!(check(|ask| serve(ask, "no list has this")), 0);
        // Anything opens: that is another finding. Answers that differ each time tell nothing.
        assert_eq!(check(|_| answer(200, json!({"token": "t"}))), 0);
        let mut count = 0;
        assert_eq!(
            check(move |_| {
                count += 1;
                answer(200, json!(count))
            }),
            0
        );
        assert_eq!(check(|_| answer(429, json!({}))), 0);
    }
}
