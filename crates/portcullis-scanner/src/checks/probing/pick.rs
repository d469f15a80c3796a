//! Which slots a check is tried on.

use serde_json::Value;

use crate::{
    check::Target,
    model::{Effect, Kind, Operation, OperationIndex, Place, Slot},
    world::World,
};

/// Slots of one scan that a check is tried on, at most.
const SLOTS_MAX: usize = 2_000;

/// Slots of reached operations, reading operations first. Left out: operations that delete (a value that a language
/// reads might delete more), and those that change a password or end a session, since the scan needs its identities.
pub(crate) fn slots(
    world: &World,
    wanted: impl Fn(OperationIndex, &Operation, &Slot) -> bool,
) -> Vec<Target> {
    all_slots(world, |index, operation, slot| !is_credential(slot) && wanted(index, operation, slot))
}

/// The same with passwords and the like among them, for checks of very few calls.
pub(crate) fn all_slots(
    world: &World,
    wanted: impl Fn(OperationIndex, &Operation, &Slot) -> bool,
) -> Vec<Target> {
    let mut found: Vec<(bool, Target)> = Vec::new();
    for (index, operation, _) in world.reached() {
        if operation.effect == Effect::Deletes
            || world.quarantined.contains(&index)
            || touches_identity(world, index, operation)
        {
            continue;
        }
        for slot in world.slots(index).iter().filter(|slot| wanted(index, operation, slot)) {
            found.push((operation.effect.changes_state(), Target::slot(index, slot.place.clone())));
        }
    }
    found.sort_by_key(|(changes, _)| *changes);
    found.truncate(SLOTS_MAX);
    found.into_iter().map(|(_, target)| target).collect()
}

/// Whether calling it could cost the scan an identity: it ends sessions, or changes what somebody logs in with.
fn touches_identity(world: &World, index: OperationIndex, operation: &Operation) -> bool {
    let (login, register) = world.login.as_ref().map_or((None, None), |it| (Some(it.operation), it.register));
    if Some(index) == login || Some(index) == register {
        return false;
    }
    if world.login.as_ref().is_some_and(|it| it.logout == Some(index)) {
        return true;
    }
    // Another login than the scan's own takes a password and changes nothing.
    let enters = operation.effect == Effect::Acts && holds(&operation.id, &["login", "signin", "sign-in"]);
    matches!(operation.effect, Effect::Changes | Effect::Acts)
        && !enters
        && (world.slots(index).iter().any(|slot| holds(slot.place.name(), &["password", "passwd"]))
            || holds(&operation.id, &["logout", "revoke", "password", "signout"]))
}

/// A field that carries the caller's own credential is nobody's input; and each wrong password counts against the one
/// whose it is, until the scan is locked out.
fn is_credential(slot: &Slot) -> bool {
    if holds(slot.place.name(), &["password", "passwd", "passphrase"]) {
        return true;
    }
    match &slot.place {
        Place::Header(name) => matches!(&**name, "authorization" | "cookie" | "content-type" | "accept"),
        Place::Path(_) | Place::Query(_) | Place::Cookie(_) | Place::Body(_) => false,
    }
}

fn holds(text: &str, words: &[&str]) -> bool {
    let text = text.to_ascii_lowercase();
    words.iter().any(|word| text.contains(word))
}

/// Whether text may stand there that a language could read: no number, no truth value, no closed format.
pub(crate) fn text_like(slot: &Slot) -> bool {
    let format = slot.schema.get("format").and_then(Value::as_str).unwrap_or_default();
    matches!(slot.kind, Kind::Text | Kind::Any)
        && !matches!(format, "date" | "date-time" | "time" | "byte" | "binary")
}

/// Whether a number stands there.
pub(crate) fn number_like(slot: &Slot) -> bool {
    matches!(slot.kind, Kind::Integer | Kind::Number)
}

/// Whether an address of something elsewhere may stand there, by format, example or name.
pub(crate) fn url_like(slot: &Slot, good: Option<&Value>) -> bool {
    const WORDS: &[&str] = &[
        "url",
        "uri",
        "link",
        "href",
        "callback",
        "webhook",
        "hook",
        "redirect",
        "host",
        "domain",
        "endpoint",
        "feed",
        "avatar",
        "image",
        "picture",
        "photo",
        "src",
        "source",
        "referer",
        "referrer",
        "proxy",
        "fetch",
        "site",
        "target",
        "dest",
        "import",
        "server",
        "address_of",
        "origin",
        "forward",
    ];
    let format = slot.schema.get("format").and_then(Value::as_str).unwrap_or_default();
    let is_url = |value: &Value| value.as_str().is_some_and(|it| it.contains("://"));
    text_like(slot)
        && (matches!(format, "uri" | "url" | "uri-reference" | "iri" | "hostname")
            || good.is_some_and(is_url)
            || slot.examples.iter().any(is_url)
            || named(slot, WORDS))
}

/// Whether the slot's name holds one of these words.
pub(crate) fn named(slot: &Slot, words: &[&str]) -> bool {
    holds(slot.place.name(), words)
}
