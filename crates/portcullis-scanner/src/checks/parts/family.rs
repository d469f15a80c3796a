//! Kinds of tokens that the API gives out, and a call that shows whom it takes a token's bearer for.

use std::sync::Arc;

use serde_json::Value;

use super::{
    jwt::Token,
    leaves::{leaves, substantial},
    own,
};
use crate::{
    call::{Call, Credential, Edit, IdentityId},
    check::Target,
    identity::Identity,
    model::{Effect, OperationIndex, Place},
    oracle::{Mask, similarity},
    script::{Flow, Script},
    wire::Answer,
    world::World,
};

/// Where tokens of a family come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The sessions of the scan's identities.
    Session,
    /// The answers of another operation, at a JSON pointer.
    Operation(OperationIndex, String),
}

/// Two users' tokens of one family, with a call that tells the users apart.
#[derive(Clone, Debug)]
pub struct Family {
    /// The forger's own token, as text and taken apart.
    pub mine: (String, Token),
    /// The victim's.
    pub theirs: (String, Token),
    /// The call that shows whom a token is taken for.
    pub call: Call,
    /// What it answers the forger, with the number.
    pub my_answer: (usize, Arc<Answer>),
    /// What it answers the victim, with the number.
    pub their_answer: (usize, Arc<Answer>),
}

/// Families with a signed token, as targets: the sessions, and other operations that answered with a token of another
/// algorithm or issuer.
pub fn targets(world: &World) -> Vec<Target> {
    let Some((_, a)) = own::strangers(world) else { return Vec::new() };
    let session = Token::parse(&a.session.secret);
    let mut targets = Vec::new();
    if session.is_some() {
        targets.push(Target::server("session"));
    }
    let mut seen: Vec<String> = session.iter().map(kind).collect();
    for (index, _, good) in world.reached() {
        let entered = world.login.as_ref().is_some_and(|login| login.operation == index);
        let asks = good.call.body.as_ref().is_some_and(|body| {
            leaves(body).iter().any(|(pointer, _)| pointer.to_ascii_lowercase().contains("pass"))
        });
        if entered || !asks {
            continue;
        }
        let Some((_, token)) = good.answer.json.as_ref().and_then(token_in) else { continue };
        if !seen.contains(&kind(&token)) {
            seen.push(kind(&token));
            targets.push(Target { operation: Some(index), slot: None, variant: "tokens".to_owned() });
        }
    }
    targets
}

fn kind(token: &Token) -> String {
    let part = |map: &serde_json::Map<String, Value>, name: &str| {
        map.get(name).map(Value::to_string).unwrap_or_default()
    };
    format!("{} {} {}", token.alg(), part(&token.header, "kid"), part(&token.claims, "iss"))
}

/// A token somewhere in an answer, with its pointer.
pub fn token_in(json: &Value) -> Option<(String, Token)> {
    let all = leaves(json).into_iter();
    all.filter_map(|(pointer, value)| Some((pointer, Token::parse(value.as_str()?)?))).next()
}

impl Family {
    /// Gets two users' tokens and finds the call; `None` where no call tells whose token it is.
    ///
    /// # Errors
    /// An answer is not there yet.
    pub fn of(world: &World, script: &mut Script<'_>, target: &Target) -> Flow<Option<Self>> {
        let Some((b, a)) = own::strangers(world) else { return script.skip("two ordinary users are needed") };
        let source = match target.operation.and_then(|at| world.good(at).map(|good| (at, good))) {
            Some((at, good)) => match good.answer.json.as_ref().and_then(token_in) {
                Some((pointer, _)) => Source::Operation(at, pointer),
                None => return Ok(None),
            },
            None => Source::Session,
        };
        let mine = token_of(world, script, &source, a)?;
        let theirs = token_of(world, script, &source, b)?;
        let (Some(mine), Some(theirs)) = (mine, theirs) else {
            return script.skip("its tokens are not signed ones");
        };
        for call in candidates(world, &source).into_iter().take(6) {
            let call = call.by(a.id);
            let (number, answer) = script.send(with(&call, &mine.0))?;
            if !answer.done() || !substantial(&answer) {
                continue;
            }
            // What anybody gets says nothing of a token.
            let (_, nobody) = script.send(with(&call, "no-token"))?;
            if nobody.done() && similarity(&answer, &nobody, &Mask::default()).share >= 0.5 {
                continue;
            }
            let (their_number, their_answer) = script.send(with(&call, &theirs.0))?;
            if their_answer.done() {
                let my_answer = (number, answer);
                return Ok(Some(Self {
                    mine,
                    theirs,
                    call,
                    my_answer,
                    their_answer: (their_number, their_answer),
                }));
            }
        }
        Ok(None)
    }

    /// Sends a token in place of one's own, and says whether its bearer was taken for the victim.
    ///
    /// # Errors
    /// The answer is not there yet.
    pub fn taken(&self, script: &mut Script<'_>, token: &str) -> Flow<(usize, bool)> {
        let (number, answer) = script.send(with(&self.call, token))?;
        Ok((number, self.as_victim(&answer)))
    }

    /// Whether an answer is the victim's.
    pub fn as_victim(&self, answer: &Answer) -> bool {
        let theirs = similarity(&self.their_answer.1, answer, &Mask::default()).share;
        let mine = similarity(&self.my_answer.1, answer, &Mask::default()).share;
        answer.done() && theirs >= 0.7 && (theirs > mine || !self.tells_apart())
    }

    /// Whether the call answers the two users differently.
    pub fn tells_apart(&self) -> bool {
        similarity(&self.my_answer.1, &self.their_answer.1, &Mask::default()).share < 1.0
    }

    /// The same with the roles changed: for the second showing.
    #[must_use]
    pub fn turned(&self) -> Self {
        Self {
            mine: self.theirs.clone(),
            theirs: self.mine.clone(),
            call: self.call.clone(),
            my_answer: self.their_answer.clone(),
            their_answer: self.my_answer.clone(),
        }
    }
}

/// The call with another token.
pub fn with(call: &Call, token: &str) -> Call {
    call.clone().edited(Edit::Credential(Credential::Text(token.to_owned())))
}

fn token_of(
    world: &World,
    script: &mut Script<'_>,
    source: &Source,
    who: &Identity,
) -> Flow<Option<(String, Token)>> {
    let text = match source {
        Source::Session => who.session.secret.clone(),
        Source::Operation(at, pointer) => {
            let Some(good) = world.good(*at) else { return Ok(None) };
            let mut call = good.call.clone();
            rename_all(world, &mut call, who);
            let (_, answer) = script.send(call.by(crate::call::ANONYMOUS))?;
            let token = answer.json.as_ref().and_then(|json| json.pointer(pointer)).and_then(Value::as_str);
            token.unwrap_or_default().to_owned()
        }
    };
    Ok(Token::parse(&text).map(|token| (text, token)))
}

/// Names somebody in a login: name and password by the slots' names.
fn rename_all(world: &World, call: &mut Call, who: &Identity) {
    let body = call.body.clone().unwrap_or(Value::Null);
    for (pointer, _) in leaves(&body) {
        let place = Place::Body(pointer.into());
        let name = place.name().to_ascii_lowercase();
        let key = if name.contains("pass") {
            "password"
        } else if name.contains("mail") {
            "email"
        } else if name.contains("user") || name == "login" || name == "name" {
            "username"
        } else {
            continue;
        };
        if let Some(value) = who.values.get(key) {
            call.set(&place, value.clone());
        }
    }
    own::rename(world, call, who);
}

/// Readings that need nothing but a credential, those first whose answer holds something of its caller; for tokens of
/// another family those first that no session was good for.
fn candidates(world: &World, source: &Source) -> Vec<Call> {
    let mut found: Vec<(u8, Call)> = Vec::new();
    for (index, operation) in world.model.all() {
        let needs = operation.parameters.iter().any(|slot| slot.required);
        if operation.effect != Effect::Reads
            || needs
            || !own::demands(operation) && world.good(index).is_none()
        {
            continue;
        }
        match world.good(index) {
            Some(good) if good.recipe.is_empty() && !own::open_to_all(world, index) => {
                let texts = world.identity(good.call.by).map(own::private_texts).unwrap_or_default();
                let own = texts.iter().any(|text| good.answer.holds(text));
                // A list of everybody holds one's own name as well; what demands a credential goes first.
                let rank = 1 + 2 * u8::from(!own::demands(operation)) + u8::from(!own);
                found.push((rank, good.call.clone()));
            }
            Some(_) => {}
            None => {
                found.push((if *source == Source::Session { 9 } else { 0 }, Call::of(index, IdentityId(0))))
            }
        }
    }
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().filter(|(rank, _)| *rank < 9).map(|(_, call)| call).collect()
}
