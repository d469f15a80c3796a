//! Rehearsals: a check's trial against a small service made up in a test, without a server.
//!
//! [`Stage`] builds a world tersely; [`Fake`] turns steps into [`Ask`]s, keeps clones and what was planted, and asks a
//! closure for the answers.

pub(crate) mod grpc;
pub(crate) mod soap;
mod stage;

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Hit, Next, Planted, Step, StepOutcome, Trace, Want, next};
use crate::{
    call::{ANONYMOUS, Call, Credential, Edit, IdentityId},
    check::{Check, Proof, Target, Verdict},
    finding::Certainty,
    identity::{Identity, Role},
    model::{Effect, Place, Wire},
    wire::{Answer, Outcome, Request},
    world::World,
};

pub(crate) use self::stage::Stage;
use self::stage::person;

/// A: identity 1.
pub(crate) const A: IdentityId = IdentityId(1);
/// B: identity 2.
pub(crate) const B: IdentityId = IdentityId(2);
/// High: identity 3.
pub(crate) const HIGH: IdentityId = IdentityId(3);

/// A place in the path.
pub(crate) fn path(name: &str) -> Place {
    Place::Path(name.into())
}

/// A place in the body.
pub(crate) fn body(pointer: &str) -> Place {
    Place::Body(pointer.into())
}

/// A place in the query.
pub(crate) fn query(name: &str) -> Place {
    Place::Query(name.into())
}

/// An answer with JSON.
pub(crate) fn answer(status: u16, value: Value) -> Answer {
    let mut answer = text(status, "application/json", &value.to_string());
    answer.json = Some(value);
    answer
}

/// An answer with text.
pub(crate) fn text(status: u16, media: &str, body: &str) -> Answer {
    let request = Request {
        method: String::new(),
        target: String::new(),
        headers: Vec::new(),
        body: Bytes::new(),
        http2: false,
    };
    Answer {
        request: Arc::new(request),
        status,
        headers: vec![("content-type".to_owned(), media.to_owned())],
        body: Bytes::from(body.to_owned()),
        truncated: false,
        json: None,
        outcome: Outcome::of_status(status),
        micros: 1_000,
        fault: None,
    }
}

/// What reaches the made-up service.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// The operation, by id; empty for a bare request.
    pub(crate) operation: String,
    /// The method; for GraphQL `POST`.
    pub(crate) method: String,
    /// The path, filled in; the query apart.
    pub(crate) path: String,
    /// Path parameters and query by name, body members of the top.
    pub(crate) values: BTreeMap<String, Value>,
    /// The body.
    pub(crate) body: Value,
    /// Header fields set by edits and parameters, names lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// What stands as the credential, scheme apart.
    pub(crate) credential: Option<String>,
    /// Who called.
    pub(crate) by: IdentityId,
    /// That one's name; the user of a clone is called by the clone's name.
    pub(crate) user: String,
}

impl Ask {
    /// A value as text: strings bare, others as JSON.
    pub(crate) fn text(&self, name: &str) -> String {
        match self.values.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    /// A header field.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// A made-up service.
pub(crate) struct Fake<F> {
    world: World,
    people: Vec<Identity>,
    /// What was planted, by token.
    pub(crate) planted: BTreeMap<String, Planted>,
    /// What the service visited, as `token` with the text of the visit.
    pub(crate) visits: Vec<(String, String)>,
    /// How many calls were made.
    pub(crate) calls: usize,
    serve: F,
}

impl<F: FnMut(&Ask) -> Answer> Fake<F> {
    /// A service that answers by this closure.
    pub(crate) fn new(world: &World, serve: F) -> Self {
        Self {
            people: world.identities.clone(),
            world: world.clone(),
            planted: BTreeMap::new(),
            visits: Vec::new(),
            calls: 0,
            serve,
        }
    }

    fn call(&mut self, call: &Call) -> Arc<Answer> {
        self.calls += 1;
        let ask = self.ask(call);
        let mut answer = (self.serve)(&ask);
        answer.request = Arc::new(Request {
            method: ask.method,
            target: ask.path,
            headers: ask.headers,
            body: Bytes::from(ask.body.to_string()),
            http2: false,
        });
        Arc::new(answer)
    }

    fn ask(&self, call: &Call) -> Ask {
        let who = self.people.iter().find(|it| it.id == call.by).cloned().unwrap_or_else(Identity::anonymous);
        let operation = call.operation.and_then(|at| self.world.model.operation(at));
        let (mut method, mut path) = match operation.map(|it| &it.wire) {
            Some(Wire::Rest { method, path }) => (method.clone(), path.clone()),
            Some(Wire::GraphQl { path, .. }) => ("POST".to_owned(), path.clone()),
            _ => ("GET".to_owned(), "/".to_owned()),
        };
        let mut values = BTreeMap::new();
        let mut headers = Vec::new();
        for (place, value) in &call.parameters {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match place {
                Place::Path(name) => path = path.replace(&format!("{{{name}}}"), &text),
                Place::Header(name) => headers.push((name.to_string(), text)),
                Place::Query(_) | Place::Cookie(_) | Place::Body(_) => {}
            }
            values.insert(place.name().to_owned(), value.clone());
        }
        let mut body = call.body.clone().unwrap_or(Value::Null);
        let mut credential = (who.id != ANONYMOUS).then(|| who.session.secret.clone());
        for edit in &call.edits {
            match edit {
                Edit::Method(it) => method = it.clone(),
                Edit::Target(it) => path = it.clone(),
                Edit::AppendTarget(it) => path.push_str(it),
                Edit::SetHeader(name, value) | Edit::AddHeader(name, value) => {
                    headers.push((name.to_ascii_lowercase(), value.clone()));
                }
                Edit::RemoveHeader(name) => headers.retain(|(own, _)| own != name),
                Edit::RawBody(bytes) => {
                    body = serde_json::from_slice(bytes)
                        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(bytes).into_owned()));
                }
                Edit::Credential(Credential::None) => credential = None,
                Edit::Credential(Credential::Text(it)) => credential = Some(it.clone()),
                Edit::Credential(Credential::Authorization(it)) => credential = Some(it.clone()),
                Edit::GraphQlDocument(_) | Edit::Repeat(_) => {}
            }
        }
        if let Value::Object(members) = &body {
            for (name, value) in members {
                values.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        Ask {
            operation: operation.map(|it| it.id.to_string()).unwrap_or_default(),
            method,
            path,
            values,
            body,
            headers,
            credential,
            by: call.by,
            user: who.name,
        }
    }

    fn step(&mut self, step: &Step) -> StepOutcome {
        match step {
            Step::Send(call) => StepOutcome::Answer(self.call(call)),
            Step::Together(calls) => StepOutcome::Answers(calls.iter().map(|call| self.call(call)).collect()),
            Step::Identity(want) => {
                let id = 100 + self.people.len() as u32;
                let identity = match want {
                    Want::Fresh(role) => person(id, &format!("clone{id}"), *role),
                    Want::Login(old) => {
                        let old = self.people.iter().find(|it| it.id == *old).unwrap();
                        let fresh = person(id, &old.name, old.role);
                        Identity { values: old.values.clone(), ..fresh }
                    }
                };
                self.people.push(identity.clone());
                StepOutcome::Identity(Ok(Arc::new(identity)))
            }
            Step::Await(token) => {
                let hits = self.visits.iter().filter(|(own, _)| own == token);
                StepOutcome::Hits(
                    hits.map(|(_, text)| Hit { by: "http".to_owned(), text: text.clone() }).collect(),
                )
            }
            Step::Plant(token, planted) => {
                self.planted.insert(token.clone(), planted.clone());
                StepOutcome::Planted
            }
        }
    }

    /// One trial.
    pub(crate) fn trial(&mut self, check: &dyn Check, target: &Target) -> Verdict {
        let mut trace = Trace::default();
        let world = self.world.clone();
        for _ in 0..1_000 {
            match next(check, &world, target, [5; 32], &trace) {
                Next::Done(verdict) => return verdict,
                Next::Step(step) => {
                    let outcome = self.step(&step);
                    trace.outcomes.push(outcome);
                }
            }
        }
        panic!("the trial does not end");
    }

    /// All targets; what was proven.
    pub(crate) fn all(&mut self, check: &dyn Check) -> Vec<Proof> {
        let mut proofs = Vec::new();
        for target in check.targets(&self.world.clone()) {
            if let Verdict::Found(found) = self.trial(check, &target) {
                proofs.extend(found);
            }
        }
        proofs
    }

    /// All targets; how many proofs were confirmed.
    pub(crate) fn confirmed(&mut self, check: &dyn Check) -> usize {
        self.all(check).iter().filter(|proof| proof.certainty == Certainty::Confirmed).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fake_fills_in_paths_and_edits() {
        let stage = Stage::new().op("GET /orders/{id}", Effect::Reads, json!({})).slot(path("id"), json!(1));
        let at = stage.index("GET /orders/{id}");
        let mut fake = Fake::new(&stage.world, |ask: &Ask| answer(200, json!([ask.path, ask.credential])));
        let call = Call::of(at, B).with(&path("id"), json!(17));
        assert_eq!(fake.call(&call).json, Some(json!(["/orders/17", "token-2"])));
        let call =
            call.edited(Edit::Credential(Credential::None)).edited(Edit::AppendTarget("?x=1".to_owned()));
        assert_eq!(fake.call(&call).json, Some(json!(["/orders/17?x=1", null])));
        let StepOutcome::Identity(Ok(clone)) = fake.step(&Step::Identity(Want::Fresh(Role::B))) else {
            panic!()
        };
        assert_eq!(fake.call(&Call::bare("GET", "/", clone.id)).json, Some(json!(["/", "token-104"])));
        assert_eq!(fake.calls, 3);
    }
}
