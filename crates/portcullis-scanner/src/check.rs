//! What a check is.

use serde::{Deserialize, Serialize};

use crate::{
    finding::{Certainty, Section, Severity, Shield},
    model::{OperationIndex, Place},
    script::{Flow, Script},
    world::World,
};

/// What is known of a check before it runs; the reference and every report are made of it.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// Stable, for people, flags and fingerprints: `object_read_by_stranger`. Named for the bad pattern it finds.
    pub id: &'static str,
    /// The same in words: `An object can be read by someone it does not belong to`.
    pub title: &'static str,
    /// The part of the report.
    pub section: Section,
    /// How bad it is unless the proof says otherwise.
    pub severity: Severity,
    /// What trying it does to the target.
    pub risk: Risk,
    /// When it runs.
    pub phase: Phase,
    /// OWASP API Security Top 10 2023: `API1:2023`.
    pub owasp: &'static str,
    /// CWE number.
    pub cwe: u32,
    /// Fault code of Web Fuzzing Commons.
    pub wfc: Option<&'static str>,
    /// How to mend it, in a few sentences.
    pub remedy: &'static str,
    /// How it is shown, in a few sentences: for the reference.
    pub oracle: &'static str,
    /// Requests it may send for one target, at most; more end the trial as skipped.
    pub requests_max: u32,
}

/// What trying a check does to the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// It looks at answers that came anyway; it sends nothing.
    Passive,
    /// It only reads: `--safe=read` leaves it in.
    Safe,
    /// It creates, changes or deletes objects of its own.
    Intrusive,
}

/// When a check runs; earlier ones never see what later ones break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Good calls only: the contract.
    Contract,
    /// Reads.
    Read,
    /// Writes to objects of its own.
    Write,
    /// Strange values: injection, fuzzing.
    Probe,
    /// Deletes, logouts, password changes, of clones.
    Destroy,
    /// Bursts, large inputs.
    Flood,
    /// Measured delays.
    Timing,
    /// Over all that was seen.
    Passive,
}

/// One place that a check is tried on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The operation; `None` for the server as a whole.
    pub operation: Option<OperationIndex>,
    /// The slot; `None` for the operation as a whole.
    pub slot: Option<Place>,
    /// What tells it apart otherwise: a path that is no operation's, a variant.
    pub variant: String,
}

/// What came of one trial.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Nothing.
    Clean,
    /// It could not be tried: why.
    Skipped(String),
    /// Something.
    Found(Vec<Proof>),
}

/// What was shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    /// How sure.
    pub certainty: Certainty,
    /// How bad, where it is not the check's usual.
    pub severity: Option<Severity>,
    /// What was shown, in a sentence with the values: `B's order 17 was read by A`.
    pub summary: String,
    /// The answers that prove it, by [`crate::script::Script::mark`]ed number, each with its part (`probe`, `control`,
    /// …), in order.
    pub exchanges: Vec<(usize, &'static str)>,
    /// The slot, where the proof knows it better than the target.
    pub slot: Option<Place>,
    /// The operation, where it is another than the target's.
    pub operation: Option<OperationIndex>,
    /// What tells it apart from another of the same check, operation and slot; part of the fingerprint.
    pub variant: String,
    /// The shield.
    pub shield: Shield,
}

impl Proof {
    /// A confirmed one; add what else is known to its fields.
    pub fn confirmed(
        summary: impl Into<String>,
        exchanges: Vec<(usize, &'static str)>,
        shield: Shield,
    ) -> Self {
        Self {
            certainty: Certainty::Confirmed,
            severity: None,
            summary: summary.into(),
            exchanges,
            slot: None,
            operation: None,
            variant: String::new(),
            shield,
        }
    }

    /// The same, only suspected.
    #[must_use]
    pub fn suspected(
        summary: impl Into<String>,
        exchanges: Vec<(usize, &'static str)>,
        shield: Shield,
    ) -> Self {
        Self { certainty: Certainty::Suspected, ..Self::confirmed(summary, exchanges, shield) }
    }
}

impl Target {
    /// An operation as a whole.
    pub fn operation(operation: OperationIndex) -> Self {
        Self { operation: Some(operation), slot: None, variant: String::new() }
    }

    /// A slot of an operation.
    pub fn slot(operation: OperationIndex, slot: Place) -> Self {
        Self { operation: Some(operation), slot: Some(slot), variant: String::new() }
    }

    /// The server as a whole.
    pub fn server(variant: impl Into<String>) -> Self {
        Self { operation: None, slot: None, variant: variant.into() }
    }
}

/// A check: static facts, the places it is tried on, and a trial told as a script.
///
/// Both functions are pure. `run` is told again from its start after every answer, up to the first one that is not
/// there yet, so it must not depend on anything but its arguments: what it draws from [`Script`] (chance, tokens) is the
/// same each time.
pub trait Check: Sync {
    /// What is known before.
    fn info(&self) -> &'static Info;

    /// Where it is to be tried, in order.
    fn targets(&self, world: &World) -> Vec<Target>;

    /// One trial.
    ///
    /// # Errors
    /// [`crate::script::Pending`] where an answer is needed that is not there yet: pass it on with `?`.
    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict>;
}
