//! The operators of ModSecurity v3 (`@rx`, `@pm`, ...), each in its own file, compiled once and then asked often.
//!
//! [`OperatorKind`] is the name; [`Operator`] is the name with its argument compiled. Where the argument holds a macro the
//! rule keeps the kind and asks [`OperatorKind::matches_expanded`] with the text that the macro became.

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::SmallVec;

/// An operator's name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OperatorKind {
    /// `@rx`
    Rx,
}

/// What the load of operators may ask of the world. Without a port the operators that need it are refused at load.
#[derive(Clone, Copy)]
pub struct OperatorPorts<'a> {
    /// Reads the files that `@pmFromFile` and `@ipMatchFromFile` name.
    pub files: Option<&'a dyn RuleFiles>,
    /// Judges what lies outside the value: address lists of the DNS, GeoIP, scripts on uploaded files.
    pub outside: Option<&'a dyn OutsideChecks>,
}

/// Reads a file that a rule names, at load only.
pub trait RuleFiles {
    /// The content of the file `name`, as written in the rule; the caller knows the directory of the rule's own file.
    ///
    /// # Errors
    /// A message for the operator of the gate: why the file could not be read.
    fn read(&self, name: &str) -> Result<Vec<u8>, String>;
}

/// Makes the checks of operators that need DNS, databases or programs.
pub trait OutsideChecks {
    /// Prepares `operator` with its argument.
    ///
    /// # Errors
    /// A message when this operator is not offered or its argument is wrong.
    fn prepare(&self, operator: OperatorKind, argument: &[u8]) -> Result<Arc<dyn OutsideCheck>, String>;
}

/// One prepared check outside.
pub trait OutsideCheck: std::fmt::Debug + Send + Sync {
    /// Whether the operator matches the value.
    fn matches(&self, value: &[u8]) -> bool;
    /// What the check learnt, for the collection `GEO`: pairs of key and value.
    fn facts(&self, value: &[u8]) -> Vec<(String, Vec<u8>)> {
        let _ = value;
        Vec::new()
    }
}

/// What an operator leaves in `TX.0`, `TX.1` and on: the number and the bytes. Groups that took no part are absent.
pub type Captures<'v> = SmallVec<[(usize, Cow<'v, [u8]>); 4]>;

/// Why an operator could not be compiled.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct OperatorError {
    /// What is wrong, in the terms of the rule's author.
    pub message: String,
    /// Where in the argument, in bytes from its start, when a place is known.
    pub offset: Option<usize>,
}

/// An operator with its argument compiled.
#[derive(Clone, Debug)]
pub struct Operator {}

impl OperatorKind {
    /// The operator of that name, in any case and without its `@`; `None` when there is no such.
    pub fn named(name: &str) -> Option<Self> {
        let _ = name;
        None
    }

    /// The name as ModSecurity writes it.
    pub const fn name(self) -> &'static str {
        ""
    }

    /// Whether `%{...}` in the argument is expanded for each transaction. Others take their argument as it is written.
    pub const fn expands_macros(self) -> bool {
        false
    }

    /// Judges with an argument that became known only now. An expression that does not compile matches nothing.
    pub fn matches_expanded(self, argument: &[u8], value: &[u8]) -> bool {
        let _ = (argument, value);
        false
    }

    /// As [`Operator::captures`], with an argument that became known only now.
    pub fn captures_expanded<'v>(self, argument: &[u8], value: &'v [u8]) -> Captures<'v> {
        let _ = (argument, value);
        Captures::new()
    }
}

impl Operator {
    /// Compiles the operator `name` with its argument as written.
    ///
    /// # Errors
    /// When there is no such operator, the argument is malformed, or what it needs has no port.
    pub fn compile(name: &str, argument: &[u8], ports: OperatorPorts<'_>) -> Result<Self, OperatorError> {
        let _ = (name, argument, ports);
        Ok(Self {})
    }

    /// Which operator this is.
    pub fn kind(&self) -> OperatorKind {
        OperatorKind::Rx
    }

    /// Whether the operator matches, before any negation.
    pub fn matches(&self, value: &[u8]) -> bool {
        let _ = value;
        false
    }

    /// What a rule with `capture` keeps of a value that [`Self::matches`].
    pub fn captures<'v>(&self, value: &'v [u8]) -> Captures<'v> {
        let _ = value;
        Captures::new()
    }
}
