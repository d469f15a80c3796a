//! Values seen so far, and which of them may fit a slot: by name, by path, by type.

use serde_json::Value;

use crate::{
    call::Call,
    identity::Identity,
    model::{Effect, Kind, Model, Operation, OperationIndex, Place, Slot},
    wire::Answer,
    world::Origin,
};

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    /// The caller itself, by the key in [`Identity::values`].
    Identity(String),
    /// What an operation was told, or answered.
    Operation(OperationIndex, Origin),
}

/// A value for a slot.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Supply {
    /// The value.
    pub(crate) value: Value,
    /// Where it comes from.
    pub(crate) source: Source,
}

/// What is known of a value.
struct Known {
    supply: Supply,
    /// The name it goes by, as one word of small letters and digits.
    name: String,
    /// The kind of thing it belongs to, from path or field.
    thing: String,
    /// Whether the learner made what it belongs to.
    made: bool,
}

/// Values seen so far.
#[derive(Default)]
pub(crate) struct Pool {
    known: Vec<Known>,
}

const KNOWN_MAX: usize = 4_096;
const OF_AN_ANSWER_MAX: usize = 120;

impl Pool {
    /// What is known of who learns.
    pub(crate) fn know_identity(&mut self, identity: Option<&Identity>) {
        for (key, value) in identity.into_iter().flat_map(|identity| &identity.values) {
            if key != "password" {
                let supply = Supply { value: value.clone(), source: Source::Identity(key.clone()) };
                self.known.push(Known { supply, name: plain(key), thing: "user".to_owned(), made: true });
            }
        }
    }

    /// What a good call and its answer show.
    pub(crate) fn know_answer(
        &mut self,
        model: &Model,
        index: OperationIndex,
        call: &Call,
        answer: &Answer,
        creates: bool,
    ) {
        let thing = model.operation(index).map(thing_of).unwrap_or_default();
        if let Some(json) = &answer.json {
            let mut left = OF_AN_ANSWER_MAX;
            self.walk(json, &mut String::new(), "", &thing, index, creates, &mut left, 0);
        }
        if creates {
            let mut said = Vec::new();
            scalars(call.body.as_ref(), &mut String::new(), &mut said, 0);
            for (pointer, value) in said {
                let place = Place::Body(pointer.as_str().into());
                let name = plain(place.name());
                self.add(Known {
                    supply: Supply { value, source: Source::Operation(index, Origin::Call(place)) },
                    name,
                    thing: thing.clone(),
                    made: true,
                });
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one walk, all of whose state is told at each step")]
    fn walk(
        &mut self,
        value: &Value,
        at: &mut String,
        key: &str,
        thing: &str,
        index: OperationIndex,
        made: bool,
        left: &mut usize,
        depth: usize,
    ) {
        if *left == 0 || depth > 8 {
            return;
        }
        let length = at.len();
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    at.push('/');
                    at.push_str(&crate::call::escape(name));
                    // A member that is an object or list of its own names the thing it holds.
                    let inner = if member.is_object() || member.is_array() {
                        singular(&plain(name))
                    } else {
                        String::new()
                    };
                    let generic =
                        ["data", "result", "results", "items", "response", ""].contains(&inner.as_str());
                    self.walk(
                        member,
                        at,
                        name,
                        if generic { thing } else { &inner },
                        index,
                        made,
                        left,
                        depth + 1,
                    );
                    at.truncate(length);
                }
            }
            Value::Array(items) => {
                for (number, item) in items.iter().enumerate().take(3) {
                    at.push('/');
                    at.push_str(&number.to_string());
                    self.walk(item, at, key, thing, index, made, left, depth + 1);
                    at.truncate(length);
                }
            }
            Value::String(_) | Value::Number(_) => {
                *left -= 1;
                self.add(Known {
                    supply: Supply {
                        value: value.clone(),
                        source: Source::Operation(index, Origin::Answer(at.clone())),
                    },
                    name: plain(key),
                    thing: thing.to_owned(),
                    made,
                });
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn add(&mut self, known: Known) {
        if self.known.len() < KNOWN_MAX {
            self.known.push(known);
        }
    }

    /// What may fit, the best first; at most five different values.
    pub(crate) fn for_slot(&self, model: &Model, index: OperationIndex, slot: &Slot) -> Vec<Supply> {
        let Some(operation) = model.operation(index) else { return Vec::new() };
        let name = plain(slot.place.name());
        let thing = thing_before(operation, &slot.place);
        let mut fitting: Vec<(i32, usize, &Known)> = self
            .known
            .iter()
            .enumerate()
            .filter_map(|(at, known)| {
                let linked = links(model, operation, slot, known);
                let score = if linked { 20 } else { score(&name, &thing, slot, known) };
                (score >= 4).then_some((score, at, known))
            })
            .collect();
        // The best, and among equals the newest.
        fitting.sort_by_key(|(score, at, _)| (-score, usize::MAX - at));
        let mut supplies: Vec<Supply> = Vec::new();
        for (.., known) in fitting {
            if !supplies.iter().any(|own| own.value == known.supply.value) {
                supplies.push(known.supply.clone());
            }
            if supplies.len() == 5 {
                break;
            }
        }
        supplies
    }
}

/// Whether the description itself says that this value goes there.
fn links(model: &Model, operation: &Operation, slot: &Slot, known: &Known) -> bool {
    let Source::Operation(from, Origin::Answer(pointer)) = &known.supply.source else { return false };
    model.operation(*from).is_some_and(|producer| {
        producer
            .links
            .iter()
            .any(|link| link.operation == operation.id && link.slot == slot.place && link.from == *pointer)
    })
}

fn score(name: &str, thing: &str, slot: &Slot, known: &Known) -> i32 {
    let number = known.supply.value.is_number()
        || known.supply.value.as_str().is_some_and(|it| it.parse::<i64>().is_ok());
    if matches!(slot.kind, Kind::Integer | Kind::Number) && !number
        || matches!(slot.kind, Kind::Boolean | Kind::List | Kind::Record | Kind::File)
    {
        return 0;
    }
    let in_path = matches!(slot.place, Place::Path(_));
    let identifies =
        ["id", "uuid", "guid", "key", "slug", "number", "code", "name"].iter().any(|it| name.ends_with(it));
    let same_thing = !thing.is_empty() && known.thing == thing;
    let mut score = 0;
    if known.name == name {
        // A path asks for something that is there; a body mostly says something new, unless it points at a thing.
        score += if name == "id" {
            i32::from(same_thing) * 6
        } else if in_path {
            6
        } else if name.len() > 2 && name.ends_with("id") {
            5
        } else {
            0
        };
    } else if !known.name.is_empty() && identifies {
        let (full, bare) = (format!("{}{}", known.thing, known.name), known.name.as_str());
        if full == name && !known.thing.is_empty() {
            score += 6;
        } else if in_path && same_thing && ["id", "uuid", "guid"].contains(&bare) {
            score += 5;
        } else if in_path && same_thing && name.ends_with(bare) {
            score += 3;
        }
    } else if in_path && same_thing && ["id", "uuid"].contains(&known.name.as_str()) {
        score += 4;
    }
    if score == 0 {
        return 0;
    }
    score + i32::from(same_thing) + i32::from(known.made)
}

/// Letters and digits, small.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|it| it.to_ascii_lowercase()).collect()
}

/// A word without its plural.
pub(crate) fn singular(word: &str) -> String {
    match word {
        _ if word.len() > 4 && word.ends_with("ies") => {
            format!("{}y", word.strip_suffix("ies").unwrap_or(word))
        }
        _ if word.len() > 4
            && (word.ends_with("sses") || word.ends_with("xes") || word.ends_with("ches")) =>
        {
            word.strip_suffix("es").unwrap_or(word).to_owned()
        }
        _ if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") => {
            word.strip_suffix('s').unwrap_or(word).to_owned()
        }
        _ => word.to_owned(),
    }
}

/// The kind of thing that an operation is about: the last word of its path that names something; for other protocols
/// the name without its verb.
pub(crate) fn thing_of(operation: &Operation) -> String {
    match operation.rest() {
        Some((_, path)) => path
            .split('/')
            .rev()
            .find(|segment| is_thing(segment))
            .map(|segment| singular(&plain(segment)))
            .unwrap_or_default(),
        None => {
            let name = if operation.name.is_empty() { &operation.id } else { operation.name.as_str() };
            let last = name.rsplit(['/', ' ', '.']).next().unwrap_or_default();
            let mut word = plain(last);
            for verb in [
                "create", "update", "delete", "remove", "get", "list", "add", "edit", "find", "place",
                "fetch", "all",
            ] {
                if let Some(rest) = word.strip_prefix(verb).filter(|rest| rest.len() > 2) {
                    word = rest.to_owned();
                }
            }
            singular(&word)
        }
    }
}

/// The kind of thing that a slot names: in a path the segment before it.
fn thing_before(operation: &Operation, place: &Place) -> String {
    let (Some((_, path)), Place::Path(name)) = (operation.rest(), place) else {
        return match place {
            Place::Body(_) | Place::Query(_) => {
                let name = plain(place.name());
                let stem = ["uuid", "id"].iter().find_map(|it| name.strip_suffix(it)).unwrap_or_default();
                if stem.is_empty() { thing_of(operation) } else { singular(stem) }
            }
            Place::Path(_) | Place::Header(_) | Place::Cookie(_) => thing_of(operation),
        };
    };
    let slot = format!("{{{name}}}");
    path.split('/')
        .take_while(|segment| **segment != *slot)
        .filter(|segment| is_thing(segment))
        .last()
        .map(|segment| singular(&plain(segment)))
        .unwrap_or_default()
}

/// Whether a segment of a path names a kind of thing: no parameter, no version, no prefix that all have, no verb.
fn is_thing(segment: &str) -> bool {
    let word = plain(segment);
    let version = word
        .strip_prefix('v')
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|it| it.is_ascii_digit()));
    !segment.starts_with('{')
        && !word.is_empty()
        && !version
        && !["api", "rest", "register", "signup", "login", "create", "new", "add", "search", "list", "me"]
            .contains(&word.as_str())
}

/// Scalars of a body by pointer.
fn scalars(value: Option<&Value>, at: &mut String, into: &mut Vec<(String, Value)>, depth: usize) {
    if depth > 6 || into.len() >= OF_AN_ANSWER_MAX {
        return;
    }
    let length = at.len();
    match value {
        Some(Value::Object(members)) => {
            for (name, member) in members {
                at.push('/');
                at.push_str(&crate::call::escape(name));
                scalars(Some(member), at, into, depth + 1);
                at.truncate(length);
            }
        }
        Some(scalar @ (Value::String(_) | Value::Number(_))) => into.push((at.clone(), scalar.clone())),
        _ => {}
    }
}

/// Whether an operation makes things of this kind.
pub(crate) fn makes(operation: &Operation, thing: &str) -> bool {
    operation.effect == Effect::Creates && thing_of(operation) == thing
}
