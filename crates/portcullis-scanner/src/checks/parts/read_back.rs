//! How the owner of a thing sees what became of it: nothing is judged by the status that a change was answered with.

use std::sync::Arc;

use serde_json::Value;

use super::{
    leaves::{entry_of, has_leaf, leaves, marks, text_of},
    own,
};
use crate::{
    call::{Call, IdentityId},
    model::{Effect, OperationIndex, Place},
    oracle::{Mask, similarity},
    script::{Flow, Script},
    wire::Answer,
    world::{Origin, Prepared, World},
};

/// A call that shows the state of what another call acts on.
#[derive(Clone, Debug)]
pub struct Reader {
    /// The call, by nobody in particular.
    pub call: Call,
    /// Whether it lists many, so that gone means no longer in it.
    pub list: bool,
}

/// Readers of what a prepared call acts on, best first: the same path read, readings of what was made for it, lists of
/// its kind; three at most.
pub fn readers(world: &World, index: OperationIndex, prepared: &Prepared) -> Vec<Reader> {
    let mut found: Vec<Reader> = Vec::new();
    for (at, _, good) in world.reached().filter(|(_, operation, _)| operation.effect == Effect::Reads) {
        if let Some(call) = same_path(world, index, &prepared.call, at, &good.call) {
            found.insert(0, Reader { call, list: false });
        } else if let Some(call) = same_maker(prepared, at, world) {
            found.push(Reader { call, list: false });
        }
    }
    let lists = world.resource_of(index).map(|resource| resource.list.as_slice()).unwrap_or_default();
    for at in lists {
        if let Some(good) = world.good(*at).filter(|good| good.recipe.is_empty()) {
            found.push(Reader { call: good.call.clone(), list: true });
        }
    }
    // What shows a caller its own account, and lists that end like the path that is acted on.
    let last = |index| {
        let path = world.model.operation(index).and_then(crate::model::Operation::rest).map(|(_, path)| path);
        path.and_then(|path| path.rsplit('/').find(|it| !it.contains('{'))).unwrap_or_default().to_owned()
    };
    let account = !own::named(world, &prepared.call).is_empty();
    for (at, operation, good) in world.reached() {
        let bare = good.recipe.is_empty() && good.call.parameters.is_empty();
        if !bare || operation.effect != Effect::Reads {
            continue;
        }
        let texts = world.identity(good.call.by).map(own::private_texts).unwrap_or_default();
        if account && own::demands(operation) && texts.iter().any(|text| good.answer.holds(text)) {
            found.push(Reader { call: good.call.clone(), list: false });
        } else if last(at) == last(index) && !last(at).is_empty() {
            found.push(Reader { call: good.call.clone(), list: true });
        }
    }
    found.dedup_by(|a, b| a.call == b.call);
    found.truncate(4);
    found
}

/// A reading whose path is the beginning of (or the same as) the path that is acted on, with the same names in it.
fn same_path(
    world: &World,
    index: OperationIndex,
    call: &Call,
    at: OperationIndex,
    good: &Call,
) -> Option<Call> {
    let (_, path) = world.model.operation(index)?.rest()?;
    let (_, own) = world.model.operation(at)?.rest()?;
    let rest = path.strip_prefix(own)?;
    if !own.contains('{') || !(rest.is_empty() || rest.starts_with('/')) {
        return None;
    }
    let mut read = good.clone();
    for (place, value) in &call.parameters {
        if matches!(place, Place::Path(_)) && read.parameters.contains_key(place) {
            read.set(place, value.clone());
        }
    }
    Some(read)
}

/// A reading that is fed by what was made for the call.
fn same_maker(prepared: &Prepared, at: OperationIndex, world: &World) -> Option<Call> {
    let good = world.good(at)?;
    let to = good.recipe.len();
    let mut read = good.call.clone();
    let mut bound = 0_usize;
    for ingredient in &good.recipe {
        let maker = prepared.made.iter().find(|(call, _, _)| call.operation == ingredient.call.operation);
        for feed in ingredient.feeds.iter().filter(|feed| feed.to == to) {
            let (call, _, answer) = maker?;
            read.set(&feed.slot, produced(call, answer, &feed.from)?);
            bound += 1;
        }
    }
    (bound > 0).then_some(read)
}

/// The value that a call produced.
pub fn produced(call: &Call, answer: &Answer, origin: &Origin) -> Option<Value> {
    match origin {
        Origin::Answer(pointer) => answer.json.as_ref()?.pointer(pointer).cloned(),
        Origin::Call(place) => call.value(place).cloned(),
    }
}

/// The state as it was seen before: a reader that works, its answers and what varies by itself.
#[derive(Clone, Debug)]
pub struct Before {
    /// The reader.
    pub reader: Reader,
    /// The last answer with its number.
    pub answer: (usize, Arc<Answer>),
    mask: Mask,
}

/// What became of a thing.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Nothing that can be seen.
    None,
    /// A value that the changing call carried stands there now, and did not before.
    Took(String),
    /// It is gone.
    Gone,
    /// Its owner is no longer known: the account is gone.
    Ended,
    /// It is different, though not by a value of the call.
    Differs,
}

/// Looks at the state twice, as its owner, with the first reader that works; `None` where none does.
///
/// # Errors
/// An answer is not there yet.
pub fn before(script: &mut Script<'_>, readers: Vec<Reader>, owner: IdentityId) -> Flow<Option<Before>> {
    for reader in readers {
        let (_, first) = script.send(reader.call.clone().by(owner))?;
        if !first.done() {
            continue;
        }
        let answer = script.send(reader.call.clone().by(owner))?;
        let mask = Mask::of(&[&first, &answer.1]);
        if !mask.unstable {
            return Ok(Some(Before { reader, answer, mask }));
        }
    }
    Ok(None)
}

impl Before {
    /// Looks again, and says what a change did; with the number of the answer that shows it.
    ///
    /// # Errors
    /// An answer is not there yet.
    pub fn after(
        &self,
        script: &mut Script<'_>,
        owner: IdentityId,
        changing: &Call,
    ) -> Flow<(usize, Change)> {
        let (number, now) = script.send(self.reader.call.clone().by(owner))?;
        let change = self.judge(&now, changing);
        Ok((number, change))
    }

    fn judge(&self, now: &Answer, changing: &Call) -> Change {
        let was = &self.answer.1;
        if self.reader.list {
            let ids: Vec<&Value> = changing.parameters.values().collect();
            if now.done() && ids.iter().any(|id| has_leaf(was, id)) && !ids.iter().any(|id| has_leaf(now, id))
            {
                return Change::Gone;
            }
        } else if matches!(now.outcome, crate::wire::Outcome::Absent) {
            return Change::Gone;
        }
        if now.outcome == crate::wire::Outcome::Unauthenticated && was.done() {
            return Change::Ended;
        }
        if !now.done() {
            return Change::None;
        }
        if let Some(mark) = marks(changing).into_iter().find(|mark| now.holds(mark) && !was.holds(mark)) {
            return Change::Took(mark);
        }
        // A short value counts where a member of the thing's own entry has become what the call carried.
        let ids: Vec<String> = changing.parameters.values().map(text_of).collect();
        let own = |answer: &Answer| {
            let json = answer.json.as_ref()?;
            if self.reader.list { entry_of(json, &ids).cloned() } else { Some(json.clone()) }
        };
        let body = changing.body.as_ref().unwrap_or(&Value::Null);
        let sent: Vec<Value> = leaves(body).into_iter().map(|it| it.1.clone()).collect();
        if let (Some(was), Some(now)) = (own(was), own(now)) {
            let taken = leaves(&now).into_iter().find(|(pointer, value)| {
                sent.contains(value)
                    && was.pointer(pointer).is_some_and(|old| old != *value)
                    && !self.mask.covers(pointer)
            });
            if let Some((_, value)) = taken {
                return Change::Took(text_of(value));
            }
        }
        if similarity(was, now, &self.mask).same() || self.reader.list {
            Change::None
        } else {
            Change::Differs
        }
    }
}
