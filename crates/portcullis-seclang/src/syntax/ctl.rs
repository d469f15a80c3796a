//! `ctl:` actions: changes of the engine for the rest of one transaction.

use super::setting::{AuditEngine, BodyProcessor, EngineMode, XmlIntoArgs};
use super::target::Target;

/// One `ctl:` action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ctl {
    /// `auditEngine=`: whether this transaction is recorded.
    AuditEngine(AuditEngine),
    /// `auditLogParts=+E`: parts of the record added, removed or set.
    AuditLogParts(PartsChange, Box<[u8]>),
    /// `debugLogLevel=`: 0 to 9; no effect here, kept for the host.
    DebugLogLevel(u8),
    /// `forceRequestBodyVariable=`: fill `REQUEST_BODY` whatever processor runs.
    ForceRequestBodyVariable(bool),
    /// `parseXmlIntoArgs=`: leaves of an XML body become arguments.
    ParseXmlIntoArgs(XmlIntoArgs),
    /// `requestBodyAccess=`: whether the body is read.
    RequestBodyAccess(bool),
    /// `requestBodyProcessor=`: how the body is read.
    RequestBodyProcessor(BodyProcessor),
    /// `responseBodyAccess=`: whether the answer's body is read.
    ResponseBodyAccess(bool),
    /// `ruleEngine=`: off, on, or detection only.
    RuleEngine(EngineMode),
    /// `ruleRemoveById/ByTag/ByMsg=`: rules that no longer run.
    RuleRemove(RuleSelection),
    /// `ruleRemoveTargetById/ByTag/ByMsg=…;TARGET`: a target that rules no longer look at. The target's mode is
    /// [`super::TargetMode::Exclude`].
    RuleRemoveTarget(RuleSelection, Target),
}

/// What happens to the parts of the audit record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartsChange {
    /// `+`.
    Add,
    /// `-`.
    Remove,
    /// No sign.
    Set,
}

/// Which rules are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleSelection {
    /// By number, single or in ranges; never empty.
    Ids(Vec<IdRange>),
    /// Rules with a tag equal to this text, as ModSecurity v3 compares.
    Tag(Box<[u8]>),
    /// Rules with a message equal to this text.
    Msg(Box<[u8]>),
}

/// Rule numbers from first to last, both included; `first <= last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdRange {
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
}

impl IdRange {
    /// Whether the number lies in the range.
    #[must_use]
    pub const fn contains(self, id: u64) -> bool {
        self.first <= id && id <= self.last
    }
}
