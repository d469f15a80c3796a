//! How a check tells its trial: straight down, asking for answers as it goes.
//!
//! `script.send(call)?` gives the answer if it is there already, and otherwise leaves the telling with the step that is
//! needed next. The engine takes the step, puts its outcome into the [`Trace`] and has the trial told again. So a check
//! reads like a story, needs no state of its own, and can be tested with answers made up beforehand.

#[cfg(test)]
#[allow(dead_code, reason = "a box of tools for the tests of checks; not every one is in use at any time")]
pub(crate) mod rehearse;

use std::{fmt::Write as _, sync::Arc};

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};

use crate::{
    call::{Call, IdentityId},
    check::{Check, Target, Verdict},
    identity::{Identity, Role},
    wire::Answer,
    world::World,
};

/// What is to be done next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Make this call.
    Send(Call),
    /// Make all these calls at the same time, as near as can be.
    Together(Vec<Call>),
    /// Get a fresh identity of this role that may be used up, or a fresh session of one that is there.
    Identity(Want),
    /// Wait for the out-of-band listener to be called with this token, until it was, or the scan's bound has passed.
    Await(String),
    /// What the listener answers whoever calls it with this token, from now on.
    Plant(String, Planted),
}

/// What kind of identity is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// A new user like one of this role, registered for this trial.
    Fresh(Role),
    /// A further session of the same user: logged in once more.
    Login(IdentityId),
}

/// What the listener answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planted {
    /// The status.
    pub status: u16,
    /// Header fields.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// What came of a step.
#[derive(Clone, Debug)]
pub enum StepOutcome {
    /// One answer.
    Answer(Arc<Answer>),
    /// One for each call, in the calls' order.
    Answers(Vec<Arc<Answer>>),
    /// An identity, or why there is none.
    Identity(Result<Arc<Identity>, String>),
    /// What came to the listener with that token; empty: nothing.
    Hits(Vec<Hit>),
    /// Done.
    Planted,
}

/// One visit to the out-of-band listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// `http` or `dns`.
    pub by: String,
    /// The request's head, or the name that was asked for, cut at 2 KiB.
    pub text: String,
}

/// All that a trial has seen so far.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Outcomes in the order of the steps.
    pub outcomes: Vec<StepOutcome>,
}

/// The trial cannot go on before this step is taken, or ever.
#[derive(Clone, Debug, PartialEq)]
pub enum Pending {
    /// Take this step.
    Step(Box<Step>),
    /// Give up: something that is needed cannot be had.
    Skip(String),
}

/// A value, or what is needed for it.
pub type Flow<T> = Result<T, Pending>;

/// What a trial comes to next.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Take this step and ask again.
    Step(Step),
    /// It is over.
    Done(Verdict),
}

/// A trial being told.
#[derive(Debug)]
pub struct Script<'a> {
    trace: &'a Trace,
    at: usize,
    /// Number of the last answer given out, counted over all answers of the trial.
    answers: usize,
    chance: ChaCha8Rng,
    listener: Option<&'a Listener>,
    trial: [u8; 32],
    tokens: u32,
}

/// How to make an address at the out-of-band listener.
#[derive(Clone, Debug)]
pub struct Listener {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// The zone that its DNS answers for, or empty.
    pub zone: String,
    /// The key of its tokens.
    pub key: [u8; 32],
}

impl<'a> Script<'a> {
    /// Begins the telling. The seed is the trial's own: made of the scan's seed, the check, and the target.
    pub fn new(trace: &'a Trace, seed: [u8; 32], listener: Option<&'a Listener>) -> Self {
        Self {
            trace,
            at: 0,
            answers: 0,
            chance: ChaCha8Rng::from_seed(seed),
            listener,
            trial: seed,
            tokens: 0,
        }
    }

    /// The answer to a call, with its number for [`crate::check::Proof::exchanges`].
    ///
    /// # Errors
    /// It has not been sent yet.
    pub fn send(&mut self, call: Call) -> Flow<(usize, Arc<Answer>)> {
        match self.outcome(|| Step::Send(call))? {
            StepOutcome::Answer(answer) => {
                let number = self.answers;
                self.answers += 1;
                Ok((number, Arc::clone(answer)))
            }
            _ => Err(mismatch()),
        }
    }

    /// The answers to calls made at the same time, each with its number.
    ///
    /// # Errors
    /// They have not been sent yet.
    pub fn together(&mut self, calls: Vec<Call>) -> Flow<Vec<(usize, Arc<Answer>)>> {
        match self.outcome(|| Step::Together(calls))? {
            StepOutcome::Answers(answers) => {
                let first = self.answers;
                self.answers += answers.len();
                Ok(answers.iter().enumerate().map(|(at, answer)| (first + at, Arc::clone(answer))).collect())
            }
            _ => Err(mismatch()),
        }
    }

    /// A new user like one of this role, for this trial alone; the trial is skipped where there can be none.
    ///
    /// # Errors
    /// It is not there yet.
    pub fn fresh_identity(&mut self, role: Role) -> Flow<Arc<Identity>> {
        self.identity(Want::Fresh(role))
    }

    /// The same user with a further session; the trial is skipped where it cannot log in.
    ///
    /// # Errors
    /// It is not there yet.
    pub fn login(&mut self, id: IdentityId) -> Flow<Arc<Identity>> {
        self.identity(Want::Login(id))
    }

    fn identity(&mut self, want: Want) -> Flow<Arc<Identity>> {
        match self.outcome(|| Step::Identity(want))? {
            StepOutcome::Identity(Ok(identity)) => Ok(Arc::clone(identity)),
            StepOutcome::Identity(Err(why)) => Err(Pending::Skip(why.clone())),
            _ => Err(mismatch()),
        }
    }

    /// What came to the listener with that token.
    ///
    /// # Errors
    /// Nobody has waited yet.
    pub fn hits(&mut self, token: &str) -> Flow<Vec<Hit>> {
        match self.outcome(|| Step::Await(token.to_owned()))? {
            StepOutcome::Hits(hits) => Ok(hits.clone()),
            _ => Err(mismatch()),
        }
    }

    /// Lays down what the listener answers to that token.
    ///
    /// # Errors
    /// It has not been laid down yet.
    pub fn plant(&mut self, token: &str, planted: Planted) -> Flow<()> {
        match self.outcome(|| Step::Plant(token.to_owned(), planted))? {
            StepOutcome::Planted => Ok(()),
            _ => Err(mismatch()),
        }
    }

    /// Gives the trial up, with why.
    pub fn skip<T>(&self, why: impl Into<String>) -> Flow<T> {
        Err(Pending::Skip(why.into()))
    }

    fn outcome(&mut self, step: impl FnOnce() -> Step) -> Flow<&'a StepOutcome> {
        match self.trace.outcomes.get(self.at) {
            Some(outcome) => {
                self.at += 1;
                Ok(outcome)
            }
            None => Err(Pending::Step(Box::new(step()))),
        }
    }

    /// How many steps have been told.
    pub fn steps(&self) -> usize {
        self.at
    }

    /// A random number; the same each time the trial is told.
    pub fn chance(&mut self) -> u64 {
        self.chance.next_u64()
    }

    /// A random number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.chance.next_u64() % (high.saturating_sub(low) + 1)
    }

    /// A random word of lower-case letters, which is found in nobody's answer by accident from twelve letters on.
    pub fn word(&mut self, letters: usize) -> String {
        (0..letters).map(|_| char::from(b'a' + (self.chance.next_u64() % 26) as u8)).collect()
    }

    /// A fresh token and its URL at the out-of-band listener; `None` where there is no listener.
    pub fn token(&mut self) -> Option<(String, String)> {
        let listener = self.listener?;
        self.tokens += 1;
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &listener.key);
        let mut text = self.trial.to_vec();
        text.extend_from_slice(&self.tokens.to_be_bytes());
        let tag = aws_lc_rs::hmac::sign(&key, &text);
        let mut token = String::with_capacity(20);
        for byte in tag.as_ref().iter().take(10) {
            // Writing to a string cannot fail.
            let _ = write!(token, "{byte:02x}");
        }
        let url = format!("{}/{token}", listener.url);
        Some((token, url))
    }

    /// The DNS name of a token, where the listener has a zone.
    pub fn token_name(&self, token: &str) -> Option<String> {
        self.listener
            .filter(|listener| !listener.zone.is_empty())
            .map(|listener| format!("{token}.{}", listener.zone))
    }
}

/// The trace does not fit the telling: the check is not pure. The trial ends; nothing is claimed.
fn mismatch() -> Pending {
    Pending::Skip("the check told its trial differently the second time".to_owned())
}

/// What a trial comes to with what it has seen.
pub fn next(check: &dyn Check, world: &World, target: &Target, seed: [u8; 32], trace: &Trace) -> Next {
    let mut script = Script::new(trace, seed, world.listener.as_ref());
    match check.run(world, target, &mut script) {
        Ok(verdict) => Next::Done(verdict),
        Err(Pending::Step(step)) => Next::Step(*step),
        Err(Pending::Skip(why)) => Next::Done(Verdict::Skipped(why)),
    }
}
