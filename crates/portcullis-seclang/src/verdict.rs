//! What the rules have to say: interventions, and the matches that explain them.

use std::sync::Arc;

use crate::rules::Sanitise;
use crate::syntax::{AuditEngine, PartsChange};

/// What a disruptive action asks the host to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disruption {
    /// Answer with the intervention's status.
    Deny,
    /// Close the connection without an answer.
    Drop,
    /// Answer with the intervention's status and this `Location`.
    Redirect(Vec<u8>),
}

/// A rule's order to stop this exchange. After one, only phase 5 still runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intervention {
    /// What to do.
    pub disruption: Disruption,
    /// The status to answer with.
    pub status: u16,
    /// The rule that decided; 0 where a limit of the configuration did.
    pub rule: u64,
    /// The phase it was decided in, 1 to 5.
    pub phase: u8,
}

/// A rule that matched and asked to be logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleMatch {
    /// The rule's id (of a chain: its first rule's).
    pub id: u64,
    /// The phase, 1 to 5.
    pub phase: u8,
    /// `msg`, macros expanded.
    pub message: Vec<u8>,
    /// `logdata`, macros expanded.
    pub logdata: Vec<u8>,
    /// The tags, macros expanded, in order.
    pub tags: Vec<Arc<[u8]>>,
    /// `severity`, 0 (emergency) to 7 (debug).
    pub severity: Option<u8>,
    /// The variable that matched last, with its selector: `ARGS:id`.
    pub variable: Vec<u8>,
    /// That variable's value after the transformations.
    pub value: Vec<u8>,
    /// Whether this match ended the exchange.
    pub disruptive: bool,
    /// Whether it is machinery of a rule set: every condition looks at `TX` alone, and a match adds to no score.
    pub infrastructure: bool,
}

/// A wish about the record of the exchange. The engine keeps no record; the host that does follows these in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordChange {
    /// `ctl:auditEngine`: whether to record.
    AuditEngine(AuditEngine),
    /// `ctl:auditLogParts`.
    AuditLogParts(PartsChange, Box<[u8]>),
    /// `sanitise…`: what not to show.
    Sanitise(Sanitise),
}
