//! A slot under trial: the good call around it, its good value, and the answer to that.

use std::sync::Arc;

use serde_json::Value;

use super::as_if;
use crate::{
    call::Call,
    check::Target,
    model::{OperationIndex, Place},
    oracle::{Mask, similarity},
    script::{Flow, Script},
    wire::{Answer, Outcome},
    world::{World, freshened},
};

/// The slot.
pub(crate) struct Aim<'w> {
    world: &'w World,
    /// Whose it is.
    pub(crate) index: OperationIndex,
    /// Where it is.
    pub(crate) place: Place,
    call: Call,
    fresh: Vec<Place>,
    /// The answer to the good call, as it was learnt.
    pub(crate) good: Arc<Answer>,
    /// The good value as text.
    pub(crate) text: String,
    /// What was seen to vary between answers to the good call while learning.
    mask: Mask,
}

/// What answers to the good call have in common now.
pub(crate) struct Baseline {
    /// What varies by itself.
    pub(crate) mask: Mask,
    /// The numbers of the answers.
    pub(crate) numbers: Vec<usize>,
    /// One of them.
    pub(crate) answer: Arc<Answer>,
}

impl<'w> Aim<'w> {
    /// Takes aim; skips where nothing good is known of the slot. Where the good call leaves the slot out, a value that the
    /// description shows is put there first, and what it gets is the good answer.
    pub(crate) fn take(world: &'w World, target: &Target, script: &mut Script<'_>) -> Flow<Self> {
        let (Some(index), Some(place)) = (target.operation, target.slot.clone()) else {
            return script.skip("it is tried on slots alone");
        };
        let Some(known) = world.good(index) else { return script.skip("no good call of it is known") };
        let fresh = known.fresh.iter().filter(|it| **it != place).cloned().collect();
        let (call, good) = (known.call.clone(), Arc::clone(&known.answer));
        let (text, mask) = (String::new(), Mask::default());
        let mut aim = Self { world, index, place, call, fresh, good, text, mask };
        if aim.call.value(&aim.place).is_none()
            && let Some(value) = shown(world, index, &aim.place)
        {
            let (_, answer) = aim.send(script, value.clone())?;
            if answer.outcome == aim.good.outcome {
                aim.call.set(&aim.place, value);
                aim.good = answer;
            }
        } else {
            let again = world.samples.iter().filter(|it| it.call == aim.call);
            let again = again.filter(|it| it.answer.outcome == aim.good.outcome);
            let mut answers = vec![&*aim.good];
            answers.extend(again.map(|it| &*it.answer).take(4));
            aim.mask = Mask::of(&answers);
        }
        aim.text = match aim.call.value(&aim.place) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        Ok(aim)
    }

    /// The good value, or a plain word where there is none to build on.
    pub(crate) fn value(&self) -> &str {
        if self.text.is_empty() { "probe" } else { &self.text }
    }

    /// The call with this value at the slot, and new values where they must be new.
    pub(crate) fn call(&self, value: impl Into<Value>, script: &mut Script<'_>) -> Call {
        freshened(self.call.clone(), &self.fresh, self.world, script).with(&self.place, value.into())
    }

    /// The call without anything at the slot.
    pub(crate) fn bare(&self, script: &mut Script<'_>) -> Call {
        freshened(self.call.clone(), &self.fresh, self.world, script).without(&self.place)
    }

    /// The answer to this value at the slot.
    pub(crate) fn send(
        &self,
        script: &mut Script<'_>,
        value: impl Into<Value>,
    ) -> Flow<(usize, Arc<Answer>)> {
        let call = self.call(value, script);
        let (number, answer) = script.send(call)?;
        if matches!(answer.outcome, Outcome::Limited) {
            return script.skip("the target limits calls");
        }
        Ok((number, answer))
    }

    /// The answer to the good call, sent once more: with a new value at the slot where it must be new.
    pub(crate) fn send_good(&self, script: &mut Script<'_>) -> Flow<(usize, Arc<Answer>)> {
        let value = self.call.value(&self.place).cloned().unwrap_or(Value::Null);
        let must_be_new = self.world.good(self.index).is_some_and(|good| good.fresh.contains(&self.place));
        let call = self.call(value, script);
        let call = if must_be_new {
            freshened(call, std::slice::from_ref(&self.place), self.world, script)
        } else if self.call.value(&self.place).is_none() {
            call.without(&self.place)
        } else {
            call
        };
        script.send(call)
    }

    /// Two more answers to the good call, and what varies between them and the one that was learnt; skips where they
    /// do not even agree in outcome.
    pub(crate) fn baseline(&self, script: &mut Script<'_>) -> Flow<Baseline> {
        let (first, one) = self.send_good(script)?;
        let (second, two) = self.send_good(script)?;
        let mask = Mask::of(&[&self.good, &one, &two]);
        if mask.unstable || one.outcome != self.good.outcome {
            return script.skip("answers to the good call vary by themselves");
        }
        Ok(Baseline { mask, numbers: vec![first, second], answer: two })
    }

    /// Whether an answer to a value is what the good value would have got, by what is known from learning.
    pub(crate) fn looks_good(&self, answer: &Answer, sent: &str) -> bool {
        self.is_good(answer, sent, &self.mask)
    }

    /// The same under a mask.
    pub(crate) fn is_good(&self, answer: &Answer, sent: &str, mask: &Mask) -> bool {
        similarity(&as_if(answer, sent, self.value()), &as_if(&self.good, &self.text, self.value()), mask)
            .same()
    }

    /// Whether two answers are the same, each as if the good value had been sent.
    pub(crate) fn alike(&self, a: (&Answer, &str), b: (&Answer, &str), mask: &Mask) -> bool {
        similarity(&as_if(a.0, a.1, self.value()), &as_if(b.0, b.1, self.value()), mask).same()
    }
}

/// A value that the description shows for a slot.
fn shown(world: &World, index: OperationIndex, place: &Place) -> Option<Value> {
    let slot = world.slot(index, place)?;
    let keywords = super::keywords(&world.model.schemas, &slot.schema);
    let listed = keywords.get("enum").and_then(Value::as_array).and_then(|all| all.first());
    let written = ["example", "default"].iter().find_map(|key| keywords.get(*key));
    let first = keywords.get("examples").and_then(Value::as_array).and_then(|all| all.first());
    let value = slot.examples.first().or(written).or(first).or(listed)?;
    (value.is_string() || value.is_number()).then(|| value.clone())
}
