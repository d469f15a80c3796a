//! Kinds of things behind the API, from what names one in which operation.

use std::collections::BTreeMap;

use super::pool::{makes, singular, thing_of};
use crate::{
    model::{Effect, Kind, Place},
    world::{Resource, World},
};

/// All kinds of things that some operation reads, changes or deletes by a name of theirs.
pub(crate) fn resources(world: &World) -> Vec<Resource> {
    let mut found: BTreeMap<String, Resource> = BTreeMap::new();
    for (index, operation) in world.model.all() {
        let fed = world.edges.iter().find(|edge| edge.to == index).map(|edge| edge.slot.clone());
        let named = world.slots(index).iter().rev().find(|slot| {
            let name = slot.place.name().to_ascii_lowercase();
            matches!(slot.place, Place::Path(_))
                || operation.rest().is_none()
                    && matches!(slot.kind, Kind::Integer | Kind::Text)
                    && name.ends_with("id")
        });
        let thing = singular(&thing_of(operation));
        let slot = named.map(|slot| slot.place.clone()).or(fed);
        let resource =
            found.entry(thing.clone()).or_insert_with(|| Resource { name: thing, ..Resource::default() });
        match (operation.effect, slot) {
            (Effect::Reads, Some(slot)) => resource.read.push((index, slot)),
            (Effect::Reads, None) => resource.list.push(index),
            (Effect::Changes, Some(slot)) => resource.change.push((index, slot)),
            (Effect::Deletes, Some(slot)) => resource.delete.push((index, slot)),
            (Effect::Creates, _) if makes(operation, &resource.name) && resource.create.is_none() => {
                resource.create = Some(index);
            }
            _ => {}
        }
    }
    found
        .into_values()
        .filter(|it| !(it.read.is_empty() && it.change.is_empty() && it.delete.is_empty()))
        .collect()
}
