//! What is for administrators is done by an ordinary user.

use super::parts::{
    leaves::substantial,
    novel::novel,
    own,
    privilege::{for_the_few, peers_that_deny},
    read_back::{Change, before, readers},
};
use crate::{
    call::ANONYMOUS,
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    identity::{Identity, Role},
    model::{Effect, OperationIndex},
    oracle::{Mask, similarity},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct PrivilegedOperationDoneByOrdinaryUser;

static INFO: Info = Info {
    id: "privileged_operation_done_by_ordinary_user",
    title: "An ordinary user can do what is for administrators",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Intrusive,
    phase: Phase::Destroy,
    owasp: "API5:2023",
    cwe: 285,
    wfc: Some("F206"),
    remedy: "Deny by default; check the caller's role in one place for every operation, not in those that somebody \
             remembered.",
    oracle: "Operations that path, name, tags or scopes reserve for administrators are called by a new ordinary user; \
             the answer must hold what an administrator sees, or a change must be read back. An anonymous caller must \
             be turned away. Without an administrator to compare with, and without operations of the kind that deny, \
             it is only suspected.",
    requests_max: 40,
};

impl Check for PrivilegedOperationDoneByOrdinaryUser {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let reserved = world.reached().filter(|(index, operation, _)| {
            !own::is_entrance(world, *index)
                && !own::open_to_all(world, *index)
                && (for_the_few(operation) || denied_sometimes(world, *index))
        });
        reserved.map(|(index, _, _)| Target::operation(index)).collect()
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let Some(index) = target.operation else { return script.skip("no operation") };
        let first = script.fresh_identity(Role::A)?;
        let done = if world.effect(index) == Some(Effect::Reads) {
            read(world, script, index, &first)?
        } else {
            written(world, script, index, &first)?
        };
        let Some(done) = done else { return Ok(Verdict::Clean) };
        let id = world.model.operation(index).map(|it| it.id.to_string()).unwrap_or_default();
        let roles = vec!["admin".to_owned()];
        let words = format!("`{id}`: {} by an ordinary user", done.what);
        let proof = if done.sure || peers_that_deny(world, index) > 0 {
            Proof::confirmed(words, done.exchanges, Shield::Identity { roles })
        } else {
            Proof::suspected(words, done.exchanges, Shield::Identity { roles })
        };
        Ok(Verdict::Found(vec![proof]))
    }
}

struct Done {
    exchanges: Vec<(usize, &'static str)>,
    what: &'static str,
    sure: bool,
}

/// Whether an ordinary user was once turned away where an administrator was not.
fn denied_sometimes(world: &World, index: OperationIndex) -> bool {
    let Some(high) = world.who(Role::High) else { return false };
    let of = |by| {
        world.samples.iter().filter(move |sample| {
            sample.call.operation == Some(index) && sample.call.by == by && sample.call.edits.is_empty()
        })
    };
    let low = world.who(Role::Low).or_else(|| world.who(Role::A));
    of(high.id).any(|sample| sample.answer.done())
        && low.is_some_and(|low| of(low.id).any(|sample| sample.answer.denied()))
}

fn read(world: &World, script: &mut Script<'_>, index: OperationIndex, low: &Identity) -> Flow<Option<Done>> {
    let maker = world.who(Role::High).or_else(|| world.who(Role::B)).map_or(low.id, |it| it.id);
    let call = world.prepare(script, index, maker)?.call;
    let (probe, got) = script.send(call.clone().by(low.id))?;
    if !got.done() || !substantial(&got) {
        return Ok(None);
    }
    let (open, anonymous) = script.send(call.clone().by(ANONYMOUS))?;
    if anonymous.done() && similarity(&got, &anonymous, &Mask::default()).share >= 0.8 {
        return Ok(None);
    }
    let mut exchanges = vec![(probe, "probe"), (open, "control")];
    // What belongs to others is in it: the answer is not made for the caller alone.
    let others = world.identities.iter().filter(|it| it.id != ANONYMOUS && it.id != low.id);
    let mut sure = others.filter(|it| own::private_texts(it).iter().any(|text| got.holds(text))).count() >= 2;
    if let Some(high) = world.who(Role::High) {
        let (number, theirs) = script.send(call.clone().by(high.id))?;
        exchanges.push((number, "baseline"));
        sure = theirs.done() && similarity(&got, &theirs, &Mask::default()).share >= 0.8;
        if !sure {
            return Ok(None);
        }
    }
    let second = script.fresh_identity(Role::A)?;
    let (number, again) = script.send(call.by(second.id))?;
    exchanges.push((number, "confirmation"));
    Ok((again.done() && substantial(&again)).then_some(Done { exchanges, what: "read", sure }))
}

fn written(
    world: &World,
    script: &mut Script<'_>,
    index: OperationIndex,
    low: &Identity,
) -> Flow<Option<Done>> {
    let mut exchanges = Vec::new();
    let mut caller = low.id;
    for round in ["probe", "confirmation"] {
        // Whoever is acted on is made for the trial: the operation may delete accounts.
        let owner = script.fresh_identity(Role::B)?;
        let prepared = world.prepare_for(script, index, &owner)?;
        let Some(before) = before(script, readers(world, index, &prepared), owner.id)? else {
            return script.skip("nothing shows what became of it");
        };
        let mut call = prepared.call;
        novel(world, index, &mut call, script);
        let (number, answer) = script.send(call.clone().by(caller))?;
        if answer.denied() {
            return Ok(None);
        }
        let (after, change) = before.after(script, owner.id, &call)?;
        exchanges.extend([(before.answer.0, "baseline"), (number, round), (after, "read back")]);
        let ended = world.effect(index) == Some(Effect::Deletes) && change == Change::Ended;
        if !(matches!(change, Change::Took(_) | Change::Gone) || ended) {
            return Ok(None);
        }
        if round == "probe" {
            caller = script.fresh_identity(Role::A)?.id;
        }
    }
    let owner = script.fresh_identity(Role::B)?;
    let prepared = world.prepare_for(script, index, &owner)?;
    let (open, anonymous) = script.send(prepared.call.by(ANONYMOUS))?;
    exchanges.push((open, "control"));
    let sure = world.model.operation(index).is_some_and(for_the_few) || world.who(Role::High).is_some();
    Ok((!anonymous.done()).then_some(Done { exchanges, what: "changed", sure }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::script::rehearse::{Ask, Fake, Stage, answer};

    fn world() -> World {
        Stage::new().op("GET /admin/users", Effect::Reads, json!([])).world
    }

    fn users(ask: &Ask, may: impl Fn(&Ask) -> bool) -> crate::wire::Answer {
        match &ask.credential {
            None => answer(401, json!({})),
            Some(_) if may(ask) => answer(200, json!([{"name": "alice"}, {"name": "bobby", "id": 17}])),
            Some(_) => answer(403, json!({"error": "for administrators", "see": "the manual"})),
        }
    }

    #[test]
    fn finds_a_list_for_administrators_that_anybody_with_an_account_reads() {
        let check = &PrivilegedOperationDoneByOrdinaryUser;
        assert_eq!(Fake::new(&world(), |ask: &Ask| users(ask, |_| true)).confirmed(check), 1);
    }

    #[test]
    fn is_silent_where_only_the_administrator_reads_or_answers_differ() {
        let check = &PrivilegedOperationDoneByOrdinaryUser;
        assert!(Fake::new(&world(), |ask: &Ask| users(ask, |ask| ask.user == "admin")).all(check).is_empty());
        let soft = |ask: &Ask| match users(ask, |ask| ask.user == "admin") {
            it if it.status == 403 => answer(200, it.json.unwrap()),
            it => it,
        };
        assert!(Fake::new(&world(), soft).all(check).is_empty());
    }

    #[test]
    fn is_silent_where_everything_is_answered_well() {
        let check = &PrivilegedOperationDoneByOrdinaryUser;
        assert!(Fake::new(&world(), |_: &Ask| answer(200, json!({"id": 1, "a": "b"}))).all(check).is_empty());
    }
}
