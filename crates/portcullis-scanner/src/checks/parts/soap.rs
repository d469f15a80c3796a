//! Messages of SOAP made by hand: a known call's envelope with other text in it.

use serde_json::Value;

use crate::{
    call::{Call, Edit},
    check::Target,
    model::{Effect, Kind, Operation, Place, Wire},
    script::{Flow, Pending, Script},
    wire::soap,
    world::{Good, World},
};

/// Stands for the text until it is put in: nothing else in an envelope looks like it.
const MARK: &str = "zqportcullismarkqz";

/// SOAP operations that were answered well and make nothing.
pub fn letters(world: &World) -> Vec<Target> {
    let reached = world.reached().filter(|(_, operation, _)| {
        matches!(operation.wire, Wire::Soap { .. })
            && matches!(operation.effect, Effect::Reads | Effect::Acts)
    });
    reached.map(|(index, _, _)| Target::operation(index)).collect()
}

/// A known call of a SOAP operation and a place for text in it.
pub struct Letter<'w> {
    world: &'w World,
    operation: &'w Operation,
    /// How it goes over the wire.
    pub wire: &'w Wire,
    /// The name of the body's element.
    pub element: &'w str,
    /// The known call.
    pub good: &'w Good,
    /// The first place for text.
    pub slot: Place,
}

impl<'w> Letter<'w> {
    /// The letter of a target of [`letters`]; the trial is skipped where it has no place for text.
    ///
    /// # Errors
    /// There is none.
    pub fn of(world: &'w World, target: &Target, script: &Script<'_>) -> Flow<Self> {
        let known = target
            .operation
            .and_then(|index| Some((index, world.model.operation(index)?, world.good(index)?)));
        let Some((index, operation, good)) = known else { return script.skip("no good call of it is known") };
        let Wire::Soap { element, .. } = &operation.wire else {
            return script.skip("it is no SOAP operation");
        };
        let slots = world.slots(index).iter();
        let slot = slots
            .filter(|it| it.kind == Kind::Text)
            .find(|it| good.call.value(&it.place).is_some_and(Value::is_string));
        let Some(slot) = slot else { return script.skip("it has no place for text") };
        Ok(Self { world, operation, wire: &operation.wire, element, good, slot: slot.place.clone() })
    }

    /// The envelope with this text, escaped.
    ///
    /// # Errors
    /// The trial is skipped where it cannot be written.
    pub fn envelope(&self, text: &str) -> Flow<String> {
        self.written(text, &self.own_header())
    }

    /// The envelope with this header in place of the caller's own.
    ///
    /// # Errors
    /// The trial is skipped where it cannot be written.
    pub fn with_header(&self, header: &str) -> Flow<String> {
        let text = self.good.call.value(&self.slot).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.written(&text, header)
    }

    /// The envelope with a document type that declares these entities, and this as it stands in the text's place.
    ///
    /// # Errors
    /// The trial is skipped where it cannot be written.
    pub fn declared(&self, entities: &str, raw: &str) -> Flow<String> {
        let envelope = self.written(MARK, &self.own_header())?.replace(MARK, raw);
        Ok(envelope.replacen("?>", &format!("?><!DOCTYPE soap:Envelope [{entities}]>"), 1))
    }

    /// The known call with this envelope.
    pub fn call(&self, envelope: &str) -> Call {
        self.good.call.clone().edited(Edit::RawBody(envelope.as_bytes().to_vec()))
    }

    fn written(&self, text: &str, header: &str) -> Flow<String> {
        let call = self.good.call.clone().with(&self.slot, Value::from(text));
        soap::envelope(&self.world.model, self.operation, &call, header)
            .map_err(|error| Pending::Skip(error.to_string()))
    }

    /// The caller's UsernameToken, where the operation asks for one.
    fn own_header(&self) -> String {
        if !soap::wants_username_token(&self.world.model, self.operation) {
            return String::new();
        }
        let session = self.world.identity(self.good.call.by).map(|it| &it.session);
        let pair = session.and_then(soap::name_and_password);
        pair.map(|(name, password)| soap::security_header(&name, &password, "")).unwrap_or_default()
    }
}
