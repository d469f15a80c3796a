//! A delete says that it was done, and the object is still there.

use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::{OperationIndex, Place},
    script::{Flow, Script},
    wire::Outcome,
    world::World,
};

static INFO: Info = Info {
    id: "delete_without_effect",
    title: "A delete says that it was done, and the object is still there",
    section: Section::Contract,
    severity: Severity::Low,
    risk: Risk::Intrusive,
    phase: Phase::Destroy,
    owasp: "API8:2023",
    cwe: 404,
    wfc: None,
    remedy: "Delete before saying so, or answer 202 where it happens later.",
    oracle: "An object of the scan's own was read, deleted with an answer other than 202 that says so, and read again \
             unchanged; twice with fresh objects.",
    requests_max: 30,
};

/// The check.
pub(super) struct DeleteWithoutEffect;

impl Check for DeleteWithoutEffect {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        if world.bounds.read_only {
            return Vec::new();
        }
        // Only what a recipe makes anew is deleted.
        let pairs = world.resources.iter().filter(|it| !it.read.is_empty()).flat_map(|it| &it.delete);
        let made = pairs.filter(|(index, _)| world.good(*index).is_some_and(|good| !good.recipe.is_empty()));
        made.map(|(index, place)| Target::slot(*index, place.clone())).collect()
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let (Some(index), Some(place)) = (target.operation, target.slot.as_ref()) else {
            return script.skip("it is tried on deletes of one object");
        };
        let read = world.resource_of(index).and_then(|it| it.read.first());
        let Some((read, read_place)) = read else { return script.skip("nothing reads the object") };
        let mut exchanges = Vec::new();
        for part in ["probe", "confirmation"] {
            match still_there(world, script, (index, place), (*read, read_place))? {
                Some((deleted, again)) => exchanges.extend([(deleted, part), (again, "read back")]),
                None => return Ok(Verdict::Clean),
            }
        }
        let shield = Shield::None { words: "the service must delete what it says it deleted".to_owned() };
        let summary = "the object can be read unchanged after it was deleted";
        Ok(Verdict::Found(vec![Proof::confirmed(summary, exchanges, shield)]))
    }
}

/// Makes, reads, deletes and reads: the numbers of delete and second read, where the object is still there.
fn still_there(
    world: &World,
    script: &mut Script<'_>,
    delete: (OperationIndex, &Place),
    read: (OperationIndex, &Place),
) -> Flow<Option<(usize, usize)>> {
    let Some(good) = world.good(delete.0) else { return Ok(None) };
    let by = good.call.by;
    let prepared = world.prepare(script, delete.0, by)?;
    let (Some(id), Some(reading)) = (prepared.call.value(delete.1).cloned(), world.good(read.0)) else {
        return Ok(None);
    };
    let reading = reading.call.clone().with(read.1, id).by(by);
    let (_, before) = script.send(reading.clone())?;
    if !before.done() {
        return Ok(None);
    }
    let (deleted, answer) = script.send(prepared.call)?;
    if !answer.done() || answer.status == 202 {
        return Ok(None);
    }
    let (again, after) = script.send(reading)?;
    Ok((after.outcome == Outcome::Done && after.body == before.body).then_some((deleted, again)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer, path},
        world::{Origin, Resource},
    };

    fn trial(deletes: bool) -> usize {
        let id = Origin::Answer("/id".to_owned());
        let stage = Stage::new()
            .op("POST /marks", Effect::Creates, json!({"id": 1}))
            .op("GET /marks/{id}", Effect::Reads, json!({"id": 1}))
            .made_by("POST /marks", id.clone(), path("id"), json!(1))
            .op("DELETE /marks/{id}", Effect::Deletes, Value::Null)
            .made_by("POST /marks", id, path("id"), json!(1));
        let (read, delete) = (stage.index("GET /marks/{id}"), stage.index("DELETE /marks/{id}"));
        let stage = stage.resource(Resource {
            name: "mark".to_owned(),
            create: Some(OperationIndex(0)),
            read: vec![(read, path("id"))],
            delete: vec![(delete, path("id"))],
            ..Resource::default()
        });
        let mut kept = std::collections::BTreeSet::new();
        let mut next = 0;
        let mut fake = Fake::new(&stage.world, move |ask: &Ask| match ask.method.as_str() {
            "POST" => {
                next += 1;
                kept.insert(next.to_string());
                answer(201, json!({"id": next}))
            }
            "DELETE" => {
                if deletes {
                    kept.remove(&ask.text("id"));
                }
                answer(204, Value::Null)
            }
            _ if kept.contains(&ask.text("id")) => answer(200, json!({"id": ask.text("id")})),
            _ => answer(404, json!({})),
        });
        fake.confirmed(&DeleteWithoutEffect)
    }

    #[test]
    fn finds_a_delete_that_does_not_delete() {
        assert_eq!(trial(false), 1);
        assert_eq!(trial(true), 0);
    }
}
