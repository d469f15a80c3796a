//! All that is known about the target when a check is tried: the model, one good call an operation, how operations feed
//! each other, who can call, what was seen.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    call::{Call, IdentityId},
    identity::{Identity, Role},
    model::{Effect, Kind, Model, Operation, OperationIndex, Place, Slot},
    script::{Flow, Listener, Script},
    wire::Answer,
};

/// What is known.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// What the API has.
    pub model: Model,
    /// A call that was answered well, by operation; `None` where none was found.
    pub good: Vec<Option<Good>>,
    /// Every leaf slot of each operation, by operation: parameters, and the parts of the body down to scalars.
    pub slots: Vec<Vec<Slot>>,
    /// How operations feed each other.
    pub edges: Vec<Edge>,
    /// Things that operations create, read, change and delete.
    pub resources: Vec<Resource>,
    /// Everybody that can call; [`crate::call::ANONYMOUS`] first.
    pub identities: Vec<Identity>,
    /// Calls with their answers, a few of each outcome an operation: what passive checks look at.
    pub samples: Vec<Sample>,
    /// The out-of-band listener, where there is one.
    pub listener: Option<Listener>,
    /// What the operator allows.
    pub bounds: Bounds,
    /// What is known of the login operation, where there is one.
    pub login: Option<Login>,
    /// Operations after which somebody's account was gone: they are reached, and never called again.
    pub quarantined: Vec<OperationIndex>,
    /// Whether the base is HTTPS, for checks of transport.
    pub secure: bool,
    /// How long a good call usually takes, in microseconds (median), for flood and timing checks.
    pub usual_micros: u64,
}

/// What the operator allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Only checks that read.
    pub read_only: bool,
    /// Calls of one burst, at most (default 40).
    pub burst: u32,
    /// Bytes of a large body, at most (default 1 MiB).
    pub body_bytes_max: usize,
    /// The delays of timing checks, in milliseconds (default 200, 600, 1,200).
    pub delays: [u32; 3],
}

impl Default for Bounds {
    fn default() -> Self {
        Self { read_only: false, burst: 40, body_bytes_max: 1 << 20, delays: [200, 600, 1_200] }
    }
}

/// A call that was answered well.
#[derive(Clone, Debug)]
pub struct Good {
    /// The call, by the identity it worked for.
    pub call: Call,
    /// The answer.
    pub answer: Arc<Answer>,
    /// Calls that make what this one needs, in order; empty where it needs nothing.
    pub recipe: Vec<Ingredient>,
    /// Where a value must be new each time (names, addresses that must be unique, texts that may be anything): found by
    /// type, name and trying.
    pub fresh: Vec<Place>,
    /// Where a value of the caller stands (its user name, its number), by the key in [`Identity::values`].
    pub own: Vec<(Place, String)>,
}

/// A call that makes what a later one needs.
#[derive(Clone, Debug)]
pub struct Ingredient {
    /// The call.
    pub call: Call,
    /// Where a value must be new each time.
    pub fresh: Vec<Place>,
    /// What of it goes where.
    pub feeds: Vec<Feed>,
}

/// A value on its way from one call to a later one.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed {
    /// Where it comes from.
    pub from: Origin,
    /// The later call: an index of the recipe; its length means the call itself.
    pub to: usize,
    /// Its place there.
    pub slot: Place,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A JSON pointer into the answer.
    Answer(String),
    /// A place of the call: the caller chose the name.
    Call(Place),
}

/// An operation feeds another.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// What produces.
    pub from: OperationIndex,
    /// The value.
    pub origin: Origin,
    /// What consumes.
    pub to: OperationIndex,
    /// Where.
    pub slot: Place,
    /// Whether a value was seen to work there.
    pub confirmed: bool,
}

/// A kind of thing behind the API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// Its name: `user`, `order`.
    pub name: String,
    /// What makes one.
    pub create: Option<OperationIndex>,
    /// What reads one, with the slot that names it.
    pub read: Vec<(OperationIndex, Place)>,
    /// What lists them.
    pub list: Vec<OperationIndex>,
    /// What changes one.
    pub change: Vec<(OperationIndex, Place)>,
    /// What deletes one.
    pub delete: Vec<(OperationIndex, Place)>,
}

/// What is known of logging in.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    /// The operation.
    pub operation: OperationIndex,
    /// Where the name goes.
    pub name: Place,
    /// Where the password goes.
    pub password: Place,
    /// Where the token is in the answer; `None`: a cookie.
    pub token: Option<String>,
    /// The operation that registers, where there is one.
    pub register: Option<OperationIndex>,
    /// The operation that ends a session, where there is one.
    pub logout: Option<OperationIndex>,
}

/// A call with its answer.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The call.
    pub call: Call,
    /// The answer.
    pub answer: Arc<Answer>,
}

/// A call that is ready, and what was made for it.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The call, bound to what was made.
    pub call: Call,
    /// The calls that made it, with the numbers of their answers and the answers.
    pub made: Vec<(Call, usize, Arc<Answer>)>,
}

impl World {
    /// The good call of an operation.
    pub fn good(&self, index: OperationIndex) -> Option<&Good> {
        self.good.get(index.0)?.as_ref()
    }

    /// The leaf slots of an operation.
    pub fn slots(&self, index: OperationIndex) -> &[Slot] {
        self.slots.get(index.0).map(Vec::as_slice).unwrap_or_default()
    }

    /// A leaf slot by its place.
    pub fn slot(&self, index: OperationIndex, place: &Place) -> Option<&Slot> {
        self.slots(index).iter().find(|slot| slot.place == *place)
    }

    /// Operations that were answered well at least once.
    pub fn reached(&self) -> impl Iterator<Item = (OperationIndex, &Operation, &Good)> {
        self.model.all().filter_map(|(index, operation)| Some((index, operation, self.good(index)?)))
    }

    /// The first identity of a role.
    pub fn who(&self, role: Role) -> Option<&Identity> {
        self.identities.iter().find(|identity| identity.role == role)
    }

    /// An identity by its number; clones made for a trial are not here.
    pub fn identity(&self, id: IdentityId) -> Option<&Identity> {
        self.identities.iter().find(|identity| identity.id == id)
    }

    /// The resource that an operation's slot names an instance of.
    pub fn resource_of(&self, index: OperationIndex) -> Option<&Resource> {
        self.resources.iter().find(|resource| {
            let names = [&resource.read, &resource.change, &resource.delete];
            names.iter().any(|list| list.iter().any(|(own, _)| *own == index))
        })
    }

    /// What an operation does, by its index.
    pub fn effect(&self, index: OperationIndex) -> Option<Effect> {
        self.model.operation(index).map(|operation| operation.effect)
    }

    /// Makes all that a good call of this operation needs, as somebody, with fresh values, and gives the call ready to be
    /// sent. A call that needs nothing is given as it is, fresh values in its own fresh places.
    ///
    /// # Errors
    /// Something has not been sent yet; the trial is skipped where the operation has no good call or something that it
    /// needs cannot be made any more.
    pub fn prepare(&self, script: &mut Script<'_>, index: OperationIndex, by: IdentityId) -> Flow<Prepared> {
        self.prepare_as(script, index, by, self.identity(by))
    }

    /// The same for somebody who may be a clone made for the trial: values in which the known calls name their own
    /// caller (a user name in the path) name this one.
    ///
    /// # Errors
    /// As [`World::prepare`].
    pub fn prepare_for(
        &self,
        script: &mut Script<'_>,
        index: OperationIndex,
        who: &Identity,
    ) -> Flow<Prepared> {
        self.prepare_as(script, index, who.id, Some(who))
    }

    fn prepare_as(
        &self,
        script: &mut Script<'_>,
        index: OperationIndex,
        by: IdentityId,
        who: Option<&Identity>,
    ) -> Flow<Prepared> {
        let Some(good) = self.good(index) else {
            return script.skip("no good call of it is known");
        };
        let mut bound: Vec<Call> = good.recipe.iter().map(|it| it.call.clone()).collect();
        bound.push(good.call.clone());
        if let Some(who) = who {
            for call in &mut bound {
                crate::checks::parts::own::rename(self, call, who);
            }
        }
        let mut made = Vec::with_capacity(good.recipe.len());
        for (at, ingredient) in good.recipe.iter().enumerate() {
            let Some(call) = bound.get(at).cloned() else { break };
            // The name by which the thing is called later, and texts that may be anything, are new each time.
            let mut fresh = ingredient.fresh.clone();
            for place in crate::checks::parts::novel::chosen(self, ingredient) {
                if !fresh.contains(&place) {
                    fresh.push(place);
                }
            }
            let call = freshened(call, &fresh, self, script).by(by);
            let (number, answer) = script.send(call.clone())?;
            if !answer.done() {
                return script.skip(format!("what it needs could not be made: status {}", answer.status));
            }
            for feed in &ingredient.feeds {
                let value = match &feed.from {
                    Origin::Answer(pointer) => answer.json.as_ref().and_then(|json| json.pointer(pointer)),
                    Origin::Call(place) => call.value(place),
                };
                let Some(value) = value.cloned() else {
                    return script.skip("what it needs is not in the answer any more");
                };
                if let Some(later) = bound.get_mut(feed.to) {
                    later.set(&feed.slot, value);
                }
            }
            made.push((call, number, answer));
        }
        let mut call = bound.pop().unwrap_or_else(|| good.call.clone());
        if let Some(identity) = self.identity(by) {
            for (place, key) in &good.own {
                if let Some(value) = identity.values.get(key) {
                    call.set(place, value.clone());
                }
            }
        }
        Ok(Prepared { call: freshened(call, &good.fresh, self, script).by(by), made })
    }
}

/// The call with new values where it must have them: of the same kind and look as those it has.
pub fn freshened(mut call: Call, places: &[Place], world: &World, script: &mut Script<'_>) -> Call {
    for place in places {
        let kind = call.operation.and_then(|index| world.slot(index, place)).map(|slot| slot.kind);
        if let Some(value) = call.value(place).map(|old| fresh_like(old, kind, script)) {
            call.set(place, value);
        }
    }
    call
}

/// A new value of the same look: an address stays an address, a number a number.
fn fresh_like(old: &Value, kind: Option<Kind>, script: &mut Script<'_>) -> Value {
    match old {
        Value::String(text) => match text.split_once('@') {
            Some((_, domain)) if domain.contains('.') => Value::from(format!("{}@{domain}", script.word(12))),
            _ if kind == Some(Kind::Integer)
                || (!text.is_empty() && text.bytes().all(|it| it.is_ascii_digit())) =>
            {
                Value::from(script.between(1_000_000, 9_999_999).to_string())
            }
            _ => Value::from(script.word(text.chars().count().clamp(10, 16))),
        },
        Value::Number(_) => Value::from(script.between(1_000_000, 9_999_999)),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => old.clone(),
    }
}
