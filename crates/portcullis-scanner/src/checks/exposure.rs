//! Header fields, cross-origin rules, cookies and errors that help an attacker.

use std::sync::LazyLock;

use regex::Regex;

use super::parts::own;
use crate::{
    call::{ANONYMOUS, Call, Edit},
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    identity::Role,
    model::{Effect, OperationIndex, Place},
    script::{Flow, Script},
    wire::{Answer, Outcome},
    world::World,
};

/// The check.
pub(super) struct Exposure;

static INFO: Info = Info {
    id: "exposure",
    title: "Header fields or errors tell or allow more than they should",
    section: Section::Security,
    severity: Severity::Low,
    risk: Risk::Safe,
    phase: Phase::Passive,
    owasp: "API8:2023",
    cwe: 209,
    wfc: Some("F209"),
    remedy: "Answer errors with a text of your own and keep the stack in the log; name no versions; allow origins one \
             by one, and credentials only to those; set `Secure`, `HttpOnly` and `SameSite` on session cookies.",
    oracle: "Answers that came anyway are looked through for stacks and versions. A good call is sent with two random \
             origins and with `null`: to be allowed with credentials, each must come back. A cookie counts where it \
             is one that proves who its bearer is, or is named like a session.",
    requests_max: 10,
};

/// Beginnings of stacks in usual languages: two lines at least, so that a word in a text is none.
static STACK: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"Traceback \(most recent call last\):\s+File|",
        r#"File "[^"\n]+\.py", line \d+, in |"#,
        r"(?:\s|\\n)at [\w$.<>]+\([\w$]+\.(?:java|kt|scala):\d+\)|",
        r"(?:\s|\\n)at (?:[\w$.<> \[\]]+ \()?(?:file://|node:|/)[^\s()]+:\d+:\d+\)?|",
        r"(?:\s|\\n)at [\w.`<>\[\]]+\([^)]*\) in [^\n]+:line \d+|",
        r"goroutine \d+ \[running\]:|",
        r"thread '[^'\n]+' panicked at [^\n]+\.rs:\d+|",
        r"#\d+ /[^\n]+\.php\(\d+\): |",
        r"[\w/.-]+\.rb:\d+:in [`'][^'\n]+'",
    ))
    .ok()
});

/// A product with a version of its own.
static BANNER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)[a-z][a-z_.+-]*/v?\d+\.\d+|^PHP/|ASP\.NET|^Express$").ok());

impl Check for Exposure {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let mut targets = Vec::new();
        for (index, _) in world.model.all() {
            let stack = world.samples.iter().any(|it| it.call.operation == Some(index) && stack(&it.answer));
            if stack {
                targets.push(Target { operation: Some(index), slot: None, variant: "stack".to_owned() });
            }
        }
        targets.extend(["cors", "banner", "cookie", "headers", "error"].map(Target::server));
        targets
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let proof = match (target.operation, target.variant.as_str()) {
            (Some(index), _) => shown_stack(world, script, index)?,
            (None, "cors") => cors(world, script)?,
            (None, "banner") => banner(world, script)?,
            (None, "cookie") => cookie(world, script)?,
            (None, "error") => provoked(world, script)?,
            (None, _) => headers(world, script)?,
        };
        Ok(proof.map_or(Verdict::Clean, |it| Verdict::Found(vec![it])))
    }
}

fn stack(answer: &Answer) -> bool {
    let wrong = matches!(answer.outcome, Outcome::Broken | Outcome::Refused) || answer.status >= 400;
    wrong && STACK.as_ref().is_some_and(|it| it.is_match(&answer.text()))
}

/// A sampled call that showed a stack is made once more.
fn shown_stack(world: &World, script: &mut Script<'_>, index: OperationIndex) -> Flow<Option<Proof>> {
    let Some(sample) = world.samples.iter().find(|it| it.call.operation == Some(index) && stack(&it.answer))
    else {
        return Ok(None);
    };
    let (number, answer) = script.send(sample.call.clone())?;
    Ok(stack(&answer).then(|| {
        let mut proof = Proof::confirmed(
            "an error shows the stack",
            vec![(number, "probe")],
            Shield::None {
                words: "Answer errors without their stack; the gate can replace bodies of 5xx answers"
                    .to_owned(),
            },
        );
        proof.severity = Some(Severity::Low);
        "stack".clone_into(&mut proof.variant);
        proof
    }))
}

/// A broken body and a broken query, on one operation each: what is told about the error.
fn provoked(world: &World, script: &mut Script<'_>) -> Flow<Option<Proof>> {
    let body = world
        .reached()
        .find(|(_, operation, _)| operation.body.is_some() && operation.effect != Effect::Deletes);
    let mut tried = Vec::new();
    if let Some((_, _, good)) = body {
        tried.push(good.call.clone().edited(Edit::RawBody(b"{\"broken\": ".to_vec())));
    }
    if let Some(call) = plain(world) {
        tried.push(call.edited(Edit::AppendTarget("?a[=%ff%00".to_owned())));
    }
    for call in tried {
        let (number, answer) = script.send(call.clone())?;
        if stack(&answer) {
            let (again, second) = script.send(call.clone())?;
            if stack(&second) {
                let mut proof = Proof::confirmed(
                    "an error shows the stack",
                    vec![(number, "probe"), (again, "confirmation")],
                    Shield::None {
                        words:
                            "Answer errors without their stack; the gate can replace bodies of 5xx answers"
                                .to_owned(),
                    },
                );
                proof.operation = call.operation;
                "stack".clone_into(&mut proof.variant);
                return Ok(Some(proof));
            }
        }
    }
    Ok(None)
}

/// A reading that needs nothing, one with a credential first.
fn plain(world: &World) -> Option<Call> {
    let mut found: Vec<(u8, Call)> = Vec::new();
    for (index, operation, good) in world.reached() {
        if operation.effect == Effect::Reads
            && good.recipe.is_empty()
            && operation.rest().is_some_and(|(method, _)| method == "GET")
        {
            let protected = own::demands(operation) && !own::open_to_all(world, index);
            found.push((u8::from(!protected), good.call.clone()));
        }
    }
    let by = world.who(Role::A).map_or(ANONYMOUS, |it| it.id);
    found.into_iter().min_by_key(|it| it.0).map(|(_, call)| call.by(by))
}

/// Whether the answer lets this origin read with credentials.
fn allows(answer: &Answer, origin: &str) -> bool {
    answer.header("access-control-allow-origin") == Some(origin)
        && answer.header("access-control-allow-credentials").is_some_and(|it| it.eq_ignore_ascii_case("true"))
}

fn cors(world: &World, script: &mut Script<'_>) -> Flow<Option<Proof>> {
    let Some(call) = plain(world) else { return script.skip("no plain reading is known") };
    let asked = |origin: &str| call.clone().edited(Edit::SetHeader("origin".to_owned(), origin.to_owned()));
    let (one, two) =
        (format!("https://{}.example", script.word(12)), format!("https://{}.example", script.word(12)));
    let (probe, first) = script.send(asked(&one))?;
    let (words, exchanges, variant) = if allows(&first, &one) {
        let (again, second) = script.send(asked(&two))?;
        if !allows(&second, &two) {
            return Ok(None);
        }
        ("any origin may read with credentials", vec![(probe, "probe"), (again, "confirmation")], "reflected")
    } else {
        let (null, third) = script.send(asked("null"))?;
        let (again, fourth) = script.send(asked("null"))?;
        if !(allows(&third, "null") && allows(&fourth, "null")) {
            return Ok(None);
        }
        (
            "the origin `null` may read with credentials",
            vec![(probe, "control"), (null, "probe"), (again, "confirmation")],
            "null",
        )
    };
    let shield = Shield::Header { name: "access-control-allow-credentials".to_owned(), value: String::new() };
    let mut proof = Proof::confirmed(words, exchanges, shield);
    proof.severity = Some(Severity::Medium);
    proof.slot = Some(Place::Header("origin".into()));
    variant.clone_into(&mut proof.variant);
    Ok(Some(proof))
}

fn banner(world: &World, script: &mut Script<'_>) -> Flow<Option<Proof>> {
    let Some(call) = plain(world) else { return script.skip("no plain reading is known") };
    let (number, answer) = script.send(call)?;
    for name in ["server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version"] {
        let Some(value) = answer.header(name) else { continue };
        if BANNER.as_ref().is_some_and(|it| it.is_match(value)) || name.ends_with("version") {
            let shield = Shield::Header { name: name.to_owned(), value: String::new() };
            // It helps to choose an attack and is none; nothing is shown by an effect, so it never fails a build.
            let words = format!("`{name}` names software and version: `{value}`");
            let mut proof = Proof::suspected(words, vec![(number, "probe")], shield);
            proof.severity = Some(Severity::Info);
            "banner".clone_into(&mut proof.variant);
            return Ok(Some(proof));
        }
    }
    Ok(None)
}

/// A cookie that is a credential lacks its flags.
fn cookie(world: &World, script: &mut Script<'_>) -> Flow<Option<Proof>> {
    let sample = world.samples.iter().find(|it| {
        it.answer.done()
            && it
                .answer
                .headers
                .iter()
                .any(|(name, value)| name == "set-cookie" && unflagged(world, value).is_some())
    });
    let Some(sample) = sample else { return Ok(None) };
    let call = match sample.call.operation {
        Some(index) if world.effect(index) != Some(Effect::Reads) && !own::is_entrance(world, index) => {
            world.prepare(script, index, sample.call.by)?.call
        }
        _ => sample.call.clone(),
    };
    let (number, answer) = script.send(call.clone())?;
    let again = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie")
        .find_map(|(_, value)| unflagged(world, value));
    let Some((name, missing)) = again else { return Ok(None) };
    let words = format!("the cookie `{name}` lacks {missing}");
    let mut proof = Proof::confirmed(
        words,
        vec![(number, "probe")],
        Shield::Header {
            name: "set-cookie".to_owned(),
            value: "with Secure, HttpOnly and SameSite".to_owned(),
        },
    );
    proof.operation = call.operation;
    "cookie".clone_into(&mut proof.variant);
    Ok(Some(proof))
}

/// The name of a cookie that proves who its bearer is, with the flags that it lacks.
fn unflagged(world: &World, value: &str) -> Option<(String, String)> {
    let name = value.split('=').next().unwrap_or_default().trim().to_owned();
    let plain = name.to_ascii_lowercase();
    let credential = world.identities.iter().any(|it| it.session.cookies.iter().any(|(own, _)| *own == name))
        || ["sess", "sid", "token", "auth", "remember"].iter().any(|it| plain.contains(it));
    let csrf = plain.contains("csrf") || plain.contains("xsrf");
    let flags = value.to_ascii_lowercase();
    let mut missing = Vec::new();
    if !flags.contains("httponly") {
        missing.push("HttpOnly");
    }
    if world.secure && !flags.split(';').any(|it| it.trim() == "secure") {
        missing.push("Secure");
    }
    if !flags.contains("samesite") {
        missing.push("SameSite");
    }
    (credential && !csrf && !missing.is_empty()).then(|| (name, missing.join(", ")))
}

/// Fields whose absence matters for an API: those against sniffing and framing on answers that a browser would show,
/// and transport security over HTTPS. Said as information.
fn headers(world: &World, script: &mut Script<'_>) -> Flow<Option<Proof>> {
    let Some(call) = plain(world) else { return script.skip("no plain reading is known") };
    let (number, answer) = script.send(call)?;
    if !answer.done() {
        return Ok(None);
    }
    let mut missing = Vec::new();
    if answer.header("x-content-type-options").is_none() {
        missing.push("x-content-type-options");
    }
    if answer.header("cache-control").is_none() {
        missing.push("cache-control");
    }
    if world.secure && answer.header("strict-transport-security").is_none() {
        missing.push("strict-transport-security");
    }
    let Some(first) = missing.first() else { return Ok(None) };
    let value = match *first {
        "x-content-type-options" => "nosniff",
        "cache-control" => "no-store",
        _ => "max-age=31536000",
    };
    let shield = Shield::Header { name: (*first).to_owned(), value: value.to_owned() };
    let mut proof =
        Proof::suspected(format!("answers lack {}", missing.join(", ")), vec![(number, "probe")], shield);
    proof.severity = Some(Severity::Info);
    "headers".clone_into(&mut proof.variant);
    Ok(Some(proof))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::script::rehearse::{A, Ask, Fake, Stage, answer, text};

    fn found(serve: impl Fn(&Ask) -> Answer) -> Vec<String> {
        let world = Stage::new().op("GET /goods", Effect::Reads, json!([])).world;
        let service = |ask: &Ask| {
            let mut it = serve(ask);
            for (name, value) in [("x-content-type-options", "nosniff"), ("cache-control", "no-store")] {
                it.headers.push((name.to_owned(), value.to_owned()));
            }
            it
        };
        Fake::new(&world, service).all(&Exposure).into_iter().map(|it| it.variant).collect()
    }

    fn with(fields: &[(&str, &str)]) -> Answer {
        let mut it = answer(200, json!([]));
        it.headers.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        it
    }

    #[test]
    fn finds_origins_that_are_reflected_with_credentials_and_null() {
        let credentials = ("access-control-allow-credentials", "true");
        let any = |ask: &Ask| {
            with(&[("access-control-allow-origin", ask.header("origin").unwrap_or("")), credentials])
        };
        assert_eq!(found(any), ["reflected"]);
        assert_eq!(found(|_| with(&[("access-control-allow-origin", "null"), credentials])), ["null"]);
        assert!(found(|_| with(&[("access-control-allow-origin", "*")])).is_empty());
        assert!(
            found(|ask| with(&[("access-control-allow-origin", ask.header("origin").unwrap_or(""))]))
                .is_empty()
        );
    }

    #[test]
    fn knows_a_version_from_a_name() {
        assert_eq!(found(|_| with(&[("server", "nginx/1.22.1")])), ["banner"]);
        assert!(found(|_| with(&[("server", "nginx")])).is_empty());
    }

    #[test]
    fn finds_a_stack_in_an_error_and_not_in_a_good_answer() {
        let stack = "Traceback (most recent call last):\n  File \"/srv/app.py\", line 3, in main\nValueError";
        let broken = text(500, "text/plain", stack);
        let world = Stage::new().op("GET /goods", Effect::Reads, json!([])).sample(A, broken.clone()).world;
        let variants = |it: Answer| -> Vec<String> {
            let all = Fake::new(&world, move |_: &Ask| it.clone()).all(&Exposure);
            all.into_iter().map(|it| it.variant).collect()
        };
        assert!(variants(broken).contains(&"stack".to_owned()));
        assert!(!variants(text(200, "text/plain", stack)).contains(&"stack".to_owned()));
    }
}
