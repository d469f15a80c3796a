//! What the learn pass needs of the engine.

use std::sync::Arc;

use super::Engine;
use crate::{
    call::{Call, IdentityId},
    identity::Identity,
    learn::{Fill, Generator},
    model::{OperationIndex, Place},
    wire::Answer,
    world::Good,
};

impl Engine<'_> {
    /// Sends a call of the learn pass.
    pub(crate) async fn call_for_learning(&mut self, call: &Call, index: OperationIndex) -> Arc<Answer> {
        let id =
            self.world.model.operation(index).map(|operation| operation.id.to_string()).unwrap_or_default();
        self.label = format!("learn {id}");
        let (done, of) = (self.world.good.iter().flatten().count(), self.world.good.len());
        (self.tell)(super::Progress::Step { done, of, what: id, requests: self.pace.requests });
        if let Some(why) = self.pace.exhausted() {
            return Arc::new(super::not_sent(why));
        }
        self.call(call).await
    }

    /// Remembers the good call of an operation.
    pub(crate) fn know(&mut self, index: OperationIndex, good: Good) {
        if let Some(slot) = self.world.good.get_mut(index.0) {
            *slot = Some(good);
        }
    }

    /// The same for a call that needs nothing.
    pub(super) fn know_good(&mut self, call: &Call, answer: &Answer, fresh: Vec<Place>) {
        if let Some(index) = call.operation
            && self.world.good(index).is_none()
        {
            let (call, answer) = (call.clone(), Arc::new(answer.clone()));
            self.know(index, Good { call, answer, recipe: Vec::new(), fresh, own: Vec::new() });
        }
    }

    /// Takes an operation out of everything that follows.
    pub(crate) fn quarantine(&mut self, index: OperationIndex) {
        if let Some(slot) = self.world.good.get_mut(index.0) {
            *slot = None;
        }
        self.world.quarantined.push(index);
        let id =
            self.world.model.operation(index).map(|operation| operation.id.to_string()).unwrap_or_default();
        self.note(format!("`{id}` sets the service back: users were gone after it; it is not called again"));
    }

    /// A generator of values.
    pub(crate) fn generator(&mut self, fill: Fill) -> Generator<'_> {
        Generator { schemas: &self.world.model.schemas, chance: &mut self.chance, fill }
    }

    /// An identity by its number.
    pub(crate) fn identity_of(&self, id: IdentityId) -> Option<&Identity> {
        self.identity(id)
    }

    /// Whether nothing may be changed.
    pub(crate) fn options_read_only(&self) -> bool {
        self.options.bounds.read_only
    }

    /// Whether an operation ends sessions.
    pub(crate) fn is_logout(&self, index: OperationIndex) -> bool {
        self.doors.logout.contains(&index)
    }

    /// Whether an operation registers users or logs them in.
    pub(crate) fn is_door(&self, index: OperationIndex) -> bool {
        self.doors.register.iter().chain(&self.doors.login).any(|door| door.operation == index)
    }
}
