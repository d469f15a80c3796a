//! Values that are new each time, so that they are seen where they land and clash with nothing.

use serde_json::Value;

use super::{leaves::leaves, own};
use crate::{
    call::Call,
    model::{Effect, OperationIndex, Place},
    script::Script,
    world::{Ingredient, Origin, World},
};

/// Places of a call that makes something which must be new although nobody said so: the name that its maker chose and
/// others call it by, and texts of several words.
pub fn chosen(world: &World, ingredient: &Ingredient) -> Vec<Place> {
    let call = &ingredient.call;
    let Some(index) = call.operation.filter(|at| world.effect(*at) == Some(Effect::Creates)) else {
        return Vec::new();
    };
    let named: Vec<Place> = own::named(world, call).into_iter().map(|(place, _)| place).collect();
    let mut places: Vec<Place> = Vec::new();
    for feed in &ingredient.feeds {
        if let Origin::Call(place @ Place::Body(_)) = &feed.from {
            places.push(place.clone());
        }
    }
    for (pointer, value) in leaves(call.body.as_ref().unwrap_or(&Value::Null)).into_iter().take(32) {
        let place = Place::Body(pointer.into());
        let words = value.as_str().is_some_and(|text| text.trim().contains(' '));
        if words && free(world, index, &place) && !places.contains(&place) {
            places.push(place);
        }
    }
    places.retain(|place| !named.contains(place) && call.value(place).is_some_and(Value::is_string));
    places
}

/// Whether a text at this place may be anything.
fn free(world: &World, index: OperationIndex, place: &Place) -> bool {
    world.slot(index, place).is_none_or(|slot| {
        ["enum", "const", "format", "pattern"].iter().all(|key| slot.schema.get(*key).is_none())
    })
}

/// Gives the texts of a body that may be anything a new value, and moves its plain numbers by one.
pub fn novel(world: &World, index: OperationIndex, call: &mut Call, script: &mut Script<'_>) {
    let Some(body) = call.body.clone() else { return };
    let named: Vec<Place> = own::named(world, call).into_iter().map(|(place, _)| place).collect();
    for (pointer, value) in leaves(&body).into_iter().take(16) {
        let place = Place::Body(pointer.into());
        let name = place.name().to_ascii_lowercase();
        if named.contains(&place) || !free(world, index, &place) || name.ends_with("id") {
            continue;
        }
        match value {
            Value::String(text) => {
                let plain =
                    text.bytes().all(|it| it.is_ascii_alphabetic() || matches!(it, b' ' | b'.' | b','));
                if plain && text.len() >= 3 {
                    call.set(&place, Value::from(script.word(12)));
                }
            }
            Value::Number(number) => {
                if let Some(number) = number.as_i64().filter(|it| (0..1_000_000).contains(it)) {
                    call.set(&place, Value::from(number + 1));
                }
            }
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::script::rehearse::{Stage, body, path};

    #[test]
    fn a_chosen_name_and_texts_of_words_are_new() {
        let stage = Stage::new()
            .op("POST /vaults", Effect::Creates, json!({}))
            .slot(body("/name"), json!("safe"))
            .slot(body("/secret"), json!("under the mat"))
            .slot(body("/country"), json!("US"))
            .op("GET /vaults/{name}", Effect::Reads, json!({}))
            .made_by("POST /vaults", Origin::Call(body("/name")), path("name"), json!("safe"));
        let good = stage.world.good(stage.index("GET /vaults/{name}")).unwrap();
        assert_eq!(chosen(&stage.world, &good.recipe[0]), [body("/name"), body("/secret")]);
    }
}
