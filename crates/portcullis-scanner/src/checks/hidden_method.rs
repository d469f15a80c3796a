//! Methods that the description does not know are answered: hidden operations, TRACE, overrides, invented ones.

use serde_json::Value;

use super::parts::{leaves::substantial, own};
use crate::{
    call::{ANONYMOUS, Call, Edit, IdentityId},
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    identity::Role,
    model::{Effect, OperationIndex},
    oracle::{Mask, similarity},
    script::{Flow, Script},
    wire::Outcome,
    world::World,
};

/// The check.
pub(super) struct HiddenMethod;

static INFO: Info = Info {
    id: "hidden_method",
    title: "A method that is not declared is served",
    section: Section::Security,
    severity: Severity::Medium,
    risk: Risk::Intrusive,
    phase: Phase::Destroy,
    owasp: "API9:2023",
    cwe: 650,
    wfc: Some("F210"),
    remedy: "Route by method as well as by path, and answer 405 with `Allow` to every other; switch off TRACE and \
             override header fields.",
    oracle: "On a path of the description: DELETE and PUT on an object made for the trial must not change what is read \
             back; TRACE must not repeat a random header field; an invented method must not give what GET gives; \
             override fields must not turn one method into another. A good answer to OPTIONS is no finding. A random \
             path must not be answered alike.",
    requests_max: 50,
};

const OVERRIDES: [&str; 3] = ["x-http-method-override", "x-method-override", "x-http-method"];

impl Check for HiddenMethod {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let reads = world.reached().filter(|(_, operation, _)| {
            operation.effect == Effect::Reads && operation.rest().is_some_and(|(method, _)| method == "GET")
        });
        let reads: Vec<OperationIndex> = reads.map(|(index, _, _)| index).collect();
        let object = |index: &OperationIndex| {
            world
                .model
                .operation(*index)
                .and_then(|it| it.rest())
                .is_some_and(|(_, path)| path.ends_with('}'))
        };
        let mut targets: Vec<Target> =
            reads.iter().filter(|it| object(it)).take(24).map(|it| Target::operation(*it)).collect();
        // What a server does with methods altogether is seen on one plain path.
        if let Some(first) = reads.iter().find(|it| !object(it)).or_else(|| reads.first()) {
            targets.push(Target { operation: Some(*first), slot: None, variant: "server".to_owned() });
        }
        targets
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let Some(index) = target.operation else { return script.skip("no operation") };
        if target.variant == "server" { whole(world, script, index) } else { object(world, script, index) }
    }
}

/// Methods declared on the path of an operation.
fn declared(world: &World, index: OperationIndex) -> Vec<String> {
    let path = world.model.operation(index).and_then(|it| it.rest()).map(|(_, path)| path);
    let all = world.model.operations.iter().filter_map(|it| it.rest());
    all.filter(|(_, own)| Some(*own) == path).map(|(method, _)| method.to_owned()).collect()
}

fn caller(world: &World, index: OperationIndex) -> IdentityId {
    let open = own::open_to_all(world, index);
    let by = world.good(index).map_or(ANONYMOUS, |good| good.call.by);
    if open { ANONYMOUS } else { world.who(Role::B).map_or(by, |it| it.id) }
}

/// An undeclared PUT or DELETE on an object that exists: seen by reading it again.
fn object(world: &World, script: &mut Script<'_>, index: OperationIndex) -> Flow<Verdict> {
    let known = declared(world, index);
    let mut proofs = Vec::new();
    let path = world
        .model
        .operation(index)
        .and_then(|it| it.rest())
        .map(|(_, path)| path.to_owned())
        .unwrap_or_default();
    // Only objects made for the trial are put at risk; others are asked with a body that changes nothing they have.
    let made = world.good(index).is_some_and(|good| !own::made_slots(world, good).is_empty());
    for method in ["PUT", "PATCH", "DELETE"] {
        if known.iter().any(|it| it == method) || (!made && method == "DELETE") {
            continue;
        }
        if let Some(exchanges) = changed(world, script, index, method)? {
            let words = format!("`{method} {path}` is not declared, and what it did stands there afterwards");
            let shield = Shield::MethodDeny { method: method.to_owned(), path: path.clone() };
            let mut proof = Proof::confirmed(words, exchanges, shield);
            proof.severity = Some(Severity::High);
            method.clone_into(&mut proof.variant);
            proofs.push(proof);
        }
    }
    Ok(if proofs.is_empty() { Verdict::Clean } else { Verdict::Found(proofs) })
}

fn changed(
    world: &World,
    script: &mut Script<'_>,
    index: OperationIndex,
    method: &str,
) -> Flow<Option<Vec<(usize, &'static str)>>> {
    let by = caller(world, index);
    let mut exchanges = Vec::new();
    for round in ["probe", "confirmation"] {
        let read = world.prepare(script, index, by)?.call.by(by);
        let (before, was) = script.send(read.clone())?;
        if !was.done() || !substantial(&was) {
            return Ok(None);
        }
        let mark = script.word(14);
        let mut write = read.clone().edited(Edit::Method(method.to_owned()));
        if method != "DELETE" {
            let Some(body) = was.json.as_ref().and_then(|json| marked(json, &mark)) else { return Ok(None) };
            write = write
                .edited(Edit::SetHeader("content-type".to_owned(), "application/json".to_owned()))
                .edited(Edit::RawBody(body.into_bytes()));
        }
        let (number, answer) = script.send(write)?;
        if matches!(
            answer.outcome,
            Outcome::NotOffered | Outcome::Unauthenticated | Outcome::Forbidden | Outcome::Unreached
        ) {
            return Ok(None);
        }
        let (after, now) = script.send(read)?;
        let took =
            if method == "DELETE" { now.outcome == Outcome::Absent } else { now.done() && now.holds(&mark) };
        if !took {
            return Ok(None);
        }
        exchanges.extend([(before, "baseline"), (number, round), (after, "read back")]);
    }
    Ok(Some(exchanges))
}

/// The object as it was read, with a mark in its first text that is no id.
fn marked(json: &Value, mark: &str) -> Option<String> {
    let mut body = json.as_object()?.clone();
    let (_, text) = body.iter_mut().find(|(name, value)| {
        value.is_string()
            && !name.to_ascii_lowercase().ends_with("id")
            && *name != "username"
            && *name != "email"
    })?;
    *text = Value::from(mark);
    serde_json::to_string(&body).ok()
}

/// What the server does with methods on any path.
fn whole(world: &World, script: &mut Script<'_>, index: OperationIndex) -> Flow<Verdict> {
    let by = caller(world, index);
    let read = world.prepare(script, index, by)?.call.by(by);
    let (baseline, good) = script.send(read.clone())?;
    if !good.done() || !substantial(&good) {
        return script.skip("its good call is not answered well any more");
    }
    let path = world
        .model
        .operation(index)
        .and_then(|it| it.rest())
        .map(|(_, path)| path.to_owned())
        .unwrap_or_default();
    let mut proofs = Vec::new();
    let deny = |method: &str| Shield::MethodDeny { method: method.to_owned(), path: path.clone() };

    let (one, two) = (script.word(16), script.word(16));
    let trace = |mark: &str| {
        read.clone()
            .edited(Edit::Method("TRACE".to_owned()))
            .edited(Edit::SetHeader("x-trial".to_owned(), mark.to_owned()))
    };
    let (probe, first) = script.send(trace(&one))?;
    if first.done() && first.text().contains(&one) {
        let (again, second) = script.send(trace(&two))?;
        let (control, plain) =
            script.send(read.clone().edited(Edit::SetHeader("x-trial".to_owned(), two.clone())))?;
        // A service that repeats header fields to GET as well is an echo, not a TRACE.
        if second.done() && second.text().contains(&two) && !plain.text().contains(&two) {
            let exchanges = vec![(probe, "probe"), (again, "confirmation"), (control, "control")];
            let mut proof = Proof::confirmed(
                "TRACE repeats header fields, credentials with them",
                exchanges,
                deny("TRACE"),
            );
            "TRACE".clone_into(&mut proof.variant);
            proofs.push(proof);
        }
    }

    let invented = format!("X{}", script.word(5).to_ascii_uppercase());
    let (probe, answer) = script.send(read.clone().edited(Edit::Method(invented)))?;
    let (control, nowhere) = nowhere(script, by)?;
    let alike = |it: &crate::wire::Answer| it.done() && similarity(&good, it, &Mask::default()).share >= 0.8;
    if alike(&answer) && !alike(&nowhere) {
        let other = format!("Y{}", script.word(5).to_ascii_uppercase());
        let (again, second) = script.send(read.clone().edited(Edit::Method(other)))?;
        if alike(&second) {
            let exchanges =
                vec![(baseline, "baseline"), (probe, "probe"), (control, "control"), (again, "confirmation")];
            let words = "an invented method is answered like GET, so that rules by method are passed by";
            let mut proof = Proof::confirmed(words, exchanges, deny("*"));
            "invented".clone_into(&mut proof.variant);
            proofs.push(proof);
        }
    }
    if let Some(proof) = overridden(script, &read, &good, baseline)? {
        proofs.push(proof);
    }
    Ok(if proofs.is_empty() { Verdict::Clean } else { Verdict::Found(proofs) })
}

/// A POST that a header field turns into a GET: harmless, and shows that the field is obeyed.
fn overridden(
    script: &mut Script<'_>,
    read: &Call,
    good: &crate::wire::Answer,
    baseline: usize,
) -> Flow<Option<Proof>> {
    // An unknown method is never served; where a field turns it into GET, the field decides.
    let post = read.clone().edited(Edit::Method("POST".to_owned()));
    let (control, plain) = script.send(post.clone())?;
    let alike = |it: &crate::wire::Answer| it.done() && similarity(good, it, &Mask::default()).share >= 0.8;
    if alike(&plain) {
        return Ok(None);
    }
    for field in OVERRIDES {
        let call = post.clone().edited(Edit::SetHeader(field.to_owned(), "GET".to_owned()));
        let (probe, answer) = script.send(call.clone())?;
        if !alike(&answer) {
            continue;
        }
        let (again, second) = script.send(call)?;
        let other = format!("X{}", script.word(5).to_ascii_uppercase());
        let (refused, third) = script.send(post.clone().edited(Edit::SetHeader(field.to_owned(), other)))?;
        if alike(&second) && !alike(&third) {
            let exchanges = vec![
                (baseline, "baseline"),
                (control, "control"),
                (probe, "probe"),
                (again, "confirmation"),
                (refused, "control"),
            ];
            let words = format!("`{field}` changes the method, so that rules by method are passed by");
            let shield = Shield::None {
                words: format!("Remove `{field}` from requests before the service sees them"),
            };
            let mut proof = Proof::confirmed(words, exchanges, shield);
            proof.slot = Some(crate::model::Place::Header(field.into()));
            "override".clone_into(&mut proof.variant);
            return Ok(Some(proof));
        }
    }
    Ok(None)
}

fn nowhere(script: &mut Script<'_>, by: IdentityId) -> Flow<(usize, std::sync::Arc<crate::wire::Answer>)> {
    let path = format!("/{}", script.word(14));
    script.send(Call::bare("GET", &path, by))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        script::rehearse::{Ask, Fake, Stage, answer, text},
        wire::Answer,
    };

    fn found(service: impl FnMut(&Ask) -> Answer) -> Vec<String> {
        let world =
            Stage::new().op("GET /goods", Effect::Reads, json!([{"id": 1, "name": "a"}])).open().world;
        Fake::new(&world, service).all(&HiddenMethod).into_iter().map(|it| it.variant).collect()
    }

    fn goods(ask: &Ask, method: &str) -> Answer {
        match (method, ask.path.as_str()) {
            ("GET", "/goods") => answer(200, json!([{"id": 1, "name": "abcdefgh"}])),
            (_, "/goods") => answer(405, json!({})),
            _ => answer(404, json!({})),
        }
    }

    #[test]
    fn finds_trace_invented_methods_and_overrides() {
        let trace = |ask: &Ask| match ask.method.as_str() {
            "TRACE" => text(
                200,
                "message/http",
                &format!("TRACE / HTTP/1.1\nx-trial: {}", ask.header("x-trial").unwrap()),
            ),
            method => goods(ask, method),
        };
        assert_eq!(found(trace), ["TRACE"]);
        let any =
            |ask: &Ask| goods(ask, if ask.method.starts_with(['X', 'Y']) { "GET" } else { &ask.method });
        assert_eq!(found(any), ["invented"]);
        let over = |ask: &Ask| goods(ask, ask.header("x-method-override").unwrap_or(&ask.method));
        assert_eq!(found(over), ["override"]);
    }

    #[test]
    fn is_silent_where_methods_are_refused_or_everything_is_answered_alike() {
        assert!(found(|ask| goods(ask, &ask.method)).is_empty());
        assert!(found(|_| answer(200, json!({"page": "welcome here"}))).is_empty());
    }

    #[test]
    fn finds_an_undeclared_put_by_reading_back() {
        let world =
            Stage::new().op("GET /goods/{id}", Effect::Reads, json!({"id": 1, "name": "abcdefgh"})).world;
        let count = |works: bool| {
            let mut name = json!("abcdefgh");
            let service = move |ask: &Ask| match ask.method.as_str() {
                "PUT" if works => {
                    name = ask.body["name"].clone();
                    answer(204, Value::Null)
                }
                "GET" if ask.path.starts_with("/goods/") => answer(200, json!({"id": 1, "name": name})),
                "PUT" => answer(200, json!({"ok": 1})),
                _ => answer(404, json!({})),
            };
            Fake::new(&world, service).all(&HiddenMethod).len()
        };
        assert_eq!(count(true), 1);
        assert_eq!(count(false), 0);
    }
}
