//! The learn pass: one good call an operation, and how operations feed each other. Examples first, then what other
//! operations gave, then what the schema allows.

mod generate;
mod pattern;
mod pool;
mod resources;

use serde_json::Value;

pub use self::generate::{Fill, Generator, resolved, type_of};
pub(crate) use self::{
    pool::{Pool, Source, Supply},
    resources::resources,
};
use crate::{
    call::{ANONYMOUS, Call, IdentityId},
    engine::Engine,
    identity::{Role, discover},
    model::{Effect, Kind, Operation, OperationIndex, Place, Slot},
    wire::{Answer, Outcome},
    world::{Edge, Feed, Good, Ingredient, Origin},
};

/// Calls tried for one operation, at most.
const ATTEMPTS_MAX: usize = 10;

/// Fills a call: required parameters always, the body where there is one.
pub fn ground(operation: &Operation, generator: &mut Generator<'_>, call: &mut Call) {
    for slot in &operation.parameters {
        if slot.required
            || generator.fill == Fill::All && !matches!(slot.place, Place::Header(_) | Place::Cookie(_))
        {
            let value = match slot.examples.first() {
                Some(example) => example.clone(),
                None => generator.value(&slot.schema, slot.place.name()),
            };
            call.parameters.insert(slot.place.clone(), value);
        }
    }
    if let Some(body) = &operation.body {
        let example = body.examples.first().filter(|_| generator.fill == Fill::All);
        call.body = Some(match example {
            Some(example) => example.clone(),
            None => generator.value(&body.schema, ""),
        });
    }
}

/// One attempt at an operation: the call, and what in it came from where.
struct Attempt {
    call: Call,
    supplies: Vec<(Place, Supply)>,
}

impl Engine<'_> {
    /// One good call an operation, in the order in which they feed each other.
    pub(crate) async fn learn(&mut self) {
        let mut pool = Pool::default();
        let learner = self.learner().await;
        pool.know_identity(self.identity_of(learner));
        let order = self.learning_order();
        // Twice: what a later operation made may be what an earlier one needs.
        for round in 0..2 {
            for index in &order {
                let known = self.world.good(*index).is_some() || self.world.quarantined.contains(index);
                if known && (round > 0 || self.is_door(*index)) {
                    continue;
                }
                self.learn_one(*index, learner, &mut pool).await;
            }
        }
        if !self.world.quarantined.is_empty() {
            self.learn_reads_again().await;
        }
        self.world.resources = resources(&self.world);
        let mut times: Vec<u64> = self.world.good.iter().flatten().map(|good| good.answer.micros).collect();
        times.sort_unstable();
        self.world.usual_micros = times.get(times.len() / 2).copied().unwrap_or_default();
    }

    /// Whoever called before the service was set back is gone: what plain reads show, they show of others now.
    async fn learn_reads_again(&mut self) {
        for (index, good) in self.world.good.clone().into_iter().enumerate() {
            let index = OperationIndex(index);
            let Some(good) = good.filter(|good| good.recipe.is_empty()) else { continue };
            if self.world.effect(index) != Some(Effect::Reads) {
                continue;
            }
            let call = self.own(&good.call, good.call.by);
            let answer = self.call_for_learning(&call, index).await;
            if answer.done() {
                self.know(index, Good { call, answer, ..good });
            }
        }
    }

    /// Who learns: a user of its own, so that what goes wrong on the way goes wrong for nobody that is needed later.
    async fn learner(&mut self) -> IdentityId {
        if self.world.who(Role::B).is_some()
            && !self.options_read_only()
            && let Ok(mut learner) = self.register(Role::Disposable, "learner").await
        {
            learner.role = Role::Disposable;
            let id = learner.id;
            self.world.identities.push(learner);
            return id;
        }
        self.world
            .who(Role::A)
            .or_else(|| self.world.who(Role::High))
            .map_or(ANONYMOUS, |identity| identity.id)
    }

    /// Plain reads, then what makes things, then reads of single things, actions, changes; what deletes, ends sessions or
    /// sounds as if it set everything back comes last.
    fn learning_order(&self) -> Vec<OperationIndex> {
        let mut order: Vec<(u32, usize, OperationIndex)> = self
            .world
            .model
            .all()
            .map(|(index, operation)| {
                let single =
                    operation.parameters.iter().filter(|slot| matches!(slot.place, Place::Path(_))).count();
                let rank = match operation.effect {
                    _ if sounds_dangerous(operation) => 9,
                    _ if self.is_logout(index) => 8,
                    Effect::Reads if single == 0 => 0,
                    Effect::Creates => 1,
                    Effect::Reads => 2,
                    Effect::Acts => 3,
                    Effect::Changes => 4,
                    Effect::Deletes => 7,
                };
                (rank, single, index)
            })
            .collect();
        order.sort_unstable();
        order.into_iter().map(|(.., index)| index).collect()
    }

    async fn learn_one(&mut self, index: OperationIndex, learner: IdentityId, pool: &mut Pool) {
        let Some(operation) = self.world.model.operation(index) else { return };
        let (changes, dangerous) = (operation.effect.changes_state(), sounds_dangerous(operation));
        if (changes || dangerous) && self.options_read_only() {
            return;
        }
        let ends = operation.effect == Effect::Deletes || self.is_logout(index) || dangerous;
        let attempts = self.attempts(index, learner, pool);
        let mut by_others = Vec::new();
        for attempt in &attempts {
            let answer = self.call_for_learning(&attempt.call, index).await;
            // A redirect that the description promises is as good an answer as any.
            let promised = answer.outcome == Outcome::Elsewhere && self.promises(index, answer.status);
            match answer.outcome {
                Outcome::Elsewhere if promised => {
                    self.learnt(index, attempt, &answer, pool);
                    return;
                }
                Outcome::Done => {
                    self.learnt(index, attempt, &answer, pool);
                    // A read that takes somebody's account away sets the whole service back: it is never called again.
                    let lost = ends && self.revive().await;
                    if lost && !self.is_logout(index) && self.world.effect(index) != Some(Effect::Deletes) {
                        self.quarantine(index);
                    }
                    return;
                }
                Outcome::Unauthenticated | Outcome::Forbidden => {
                    by_others.push(attempt.call.clone());
                    if by_others.len() > 1 {
                        break;
                    }
                }
                Outcome::Elsewhere | Outcome::Unreached | Outcome::NotOffered => break,
                Outcome::Absent | Outcome::Refused | Outcome::Limited | Outcome::Broken => {}
            }
        }
        // The learner may not: perhaps somebody of a higher role may. Only where nothing that is needed can be harmed.
        let high =
            self.world.who(Role::High).map(|identity| identity.id).filter(|id| *id != learner && !ends);
        let call = by_others.into_iter().next();
        if let (Some(high), Some(call)) = (high, call) {
            let attempt = Attempt { call: call.by(high), supplies: Vec::new() };
            let answer = self.call_for_learning(&attempt.call, index).await;
            if answer.done() {
                self.learnt(index, &attempt, &answer, pool);
            }
        }
    }

    /// Whether the description declares this status.
    fn promises(&self, index: OperationIndex, status: u16) -> bool {
        let declared = self.world.model.operation(index).into_iter().flat_map(|it| &it.answers);
        let (exact, class) = (status.to_string(), format!("{}XX", status / 100));
        declared.into_iter().any(|it| it.status == exact || it.status.eq_ignore_ascii_case(&class))
    }

    /// Calls worth trying, the likeliest first.
    fn attempts(&mut self, index: OperationIndex, learner: IdentityId, pool: &Pool) -> Vec<Attempt> {
        let Some(operation) = self.world.model.operation(index).cloned() else { return Vec::new() };
        let mut bases: Vec<Call> = Vec::new();
        for example in operation.examples.iter().take(3) {
            let mut call = self.grounded(&operation, index, learner, Fill::Required);
            call.parameters.extend(example.parameters.clone());
            if example.body.is_some() {
                call.body.clone_from(&example.body);
            }
            call.media = example.media.as_deref().map(Into::into);
            bases.push(call);
        }
        for fill in [Fill::Required, Fill::All] {
            let call = self.grounded(&operation, index, learner, fill);
            if !bases.contains(&call) {
                bases.push(call);
            }
        }
        // Without a schema that says what is required, everything is likelier than nothing.
        if operation.body.is_some()
            && bases.first().is_some_and(|call| call.body.as_ref().is_some_and(is_empty))
        {
            bases.rotate_left(1);
        }
        let slots: Vec<Slot> = self.world.slots(index).to_vec();
        let wanted: Vec<(Place, Vec<Supply>)> = slots
            .iter()
            .filter(|slot| slot.required || matches!(slot.place, Place::Path(_) | Place::Body(_)))
            .map(|slot| (slot.place.clone(), pool.for_slot(&self.world.model, index, slot)))
            .filter(|(_, supplies)| !supplies.is_empty())
            .collect();
        let mut attempts: Vec<Attempt> = Vec::new();
        let deepest = wanted.iter().map(|(_, supplies)| supplies.len()).max().unwrap_or(0).clamp(1, 4);
        for choice in 0..deepest {
            for base in &bases {
                let mut attempt = Attempt { call: base.clone(), supplies: Vec::new() };
                for (place, supplies) in &wanted {
                    let present = matches!(place, Place::Path(_)) || base.value(place).is_some();
                    if let Some(supply) = supplies.get(choice.min(supplies.len() - 1)).filter(|_| present) {
                        attempt.call.set(place, supply.value.clone());
                        attempt.supplies.push((place.clone(), supply.clone()));
                    }
                }
                if !attempts.iter().any(|other| other.call == attempt.call) {
                    attempts.push(attempt);
                }
            }
        }
        if !wanted.is_empty() {
            // As the description shows it, without anything of ours.
            attempts.extend(bases.into_iter().take(2).map(|call| Attempt { call, supplies: Vec::new() }));
        }
        attempts.truncate(ATTEMPTS_MAX);
        attempts
    }

    fn grounded(&mut self, operation: &Operation, index: OperationIndex, by: IdentityId, fill: Fill) -> Call {
        let mut call = Call::of(index, by);
        let mut generator = self.generator(fill);
        ground(operation, &mut generator, &mut call);
        call
    }

    /// Writes down a good call: with what it needs, and where it must be new each time.
    fn learnt(
        &mut self,
        index: OperationIndex,
        attempt: &Attempt,
        answer: &std::sync::Arc<Answer>,
        pool: &mut Pool,
    ) {
        let mut recipe: Vec<Ingredient> = Vec::new();
        let mut own = Vec::new();
        for (place, supply) in &attempt.supplies {
            match &supply.source {
                Source::Identity(key) => own.push((place.clone(), key.clone())),
                Source::Operation(from, origin) => {
                    self.world.edges.push(Edge {
                        from: *from,
                        origin: origin.clone(),
                        to: index,
                        slot: place.clone(),
                        confirmed: true,
                    });
                    self.add_ingredient(&mut recipe, *from, origin, place);
                }
            }
        }
        // Feeds name the call itself by the recipe's length, which is known only now.
        let length = recipe.len();
        for ingredient in &mut recipe {
            for feed in &mut ingredient.feeds {
                if feed.to == usize::MAX {
                    feed.to = length;
                }
            }
        }
        let creates = self.world.effect(index) == Some(Effect::Creates);
        let fresh = if creates { self.fresh_places(index, attempt) } else { Vec::new() };
        pool.know_answer(&self.world.model, index, &attempt.call, answer, creates);
        let good =
            Good { call: attempt.call.clone(), answer: std::sync::Arc::clone(answer), recipe, fresh, own };
        self.know(index, good);
    }

    /// Puts a producer, and what it needs itself, before the call; only what makes things is made again.
    fn add_ingredient(
        &self,
        recipe: &mut Vec<Ingredient>,
        from: OperationIndex,
        origin: &Origin,
        place: &Place,
    ) {
        if self.world.effect(from) != Some(Effect::Creates) {
            return;
        }
        let Some(producer) = self.world.good(from) else { return };
        let feed = Feed { from: origin.clone(), to: usize::MAX, slot: place.clone() };
        if let Some(there) = recipe.iter_mut().find(|it| it.call.operation == Some(from)) {
            there.feeds.push(feed);
            return;
        }
        if recipe.len() + producer.recipe.len() >= 4 {
            return;
        }
        let offset = recipe.len();
        for ingredient in &producer.recipe {
            let mut ingredient = ingredient.clone();
            for feed in &mut ingredient.feeds {
                feed.to += offset;
            }
            recipe.push(ingredient);
        }
        recipe.push(Ingredient {
            call: producer.call.clone(),
            fresh: producer.fresh.clone(),
            feeds: vec![feed],
        });
    }

    /// Texts of what a creating call chooses itself: names and addresses that may have to be unique.
    fn fresh_places(&self, index: OperationIndex, attempt: &Attempt) -> Vec<Place> {
        let bound: Vec<&Place> = attempt.supplies.iter().map(|(place, _)| place).collect();
        self.world
            .slots(index)
            .iter()
            .filter(|slot| {
                let schema = resolved(&self.world.model.schemas, &slot.schema);
                let free =
                    !["enum", "const", "format", "pattern"].iter().any(|key| schema.contains_key(*key))
                        || schema.get("format").and_then(Value::as_str) == Some("email");
                let short = schema.get("maxLength").and_then(Value::as_u64).is_some_and(|most| most < 10);
                slot.kind == Kind::Text
                    && free
                    && !short
                    && !bound.contains(&&slot.place)
                    && !matches!(slot.place, Place::Path(_) | Place::Header(_) | Place::Cookie(_))
                    && !discover::takes_password(slot.place.name())
                    && attempt.call.value(&slot.place).and_then(Value::as_str).is_some_and(may_be_anything)
            })
            .map(|slot| slot.place.clone())
            .collect()
    }
}

/// Whether a text is a name or a title rather than a word with a meaning (a URL, a date, a code, a file).
fn may_be_anything(text: &str) -> bool {
    let plain =
        !text.contains("://") && !text.starts_with('/') && !text.starts_with('<') && !text.starts_with('{');
    let dated = text.len() >= 8
        && text.bytes().take(4).all(|it| it.is_ascii_digit())
        && text.as_bytes().get(4) == Some(&b'-');
    plain
        && !dated
        && text.chars().count() >= 3
        && (text.chars().any(char::is_lowercase) || text.contains('@'))
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty) || value.is_null()
}

/// Whether an operation's name says that it sets everything back or ends something for everybody.
pub(crate) fn sounds_dangerous(operation: &Operation) -> bool {
    let words = discover::words(operation);
    let reads = operation.rest().is_some_and(|(method, _)| method == "GET");
    let list: &[&str] =
        &["resetdb", "dropdb", "wipe", "shutdown", "reboot", "restart", "factory", "purge", "truncate"];
    let of_reads: &[&str] = &[
        "createdb", "initdb", "populate", "seed", "migrate", "install", "setup", "reset", "delete", "clear",
        "drop",
    ];
    list.iter().any(|word| words.contains(word)) || reads && of_reads.iter().any(|word| words.contains(word))
}
