//! What a rule looks at: `ARGS|!ARGS:token|&REQUEST_HEADERS:Host`.

use super::variable::Variable;
use crate::source::Place;

/// One item of a rule's first argument.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// Value, count or exclusion.
    pub mode: TargetMode,
    /// Which variable.
    pub variable: Variable,
    /// Which of its values.
    pub selector: Selector,
    /// Where the item begins.
    pub place: Place,
}

/// What is done with the values chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TargetMode {
    /// Look at each value.
    Value,
    /// `&`: look at their number.
    Count,
    /// `!`: leave them out.
    Exclude,
}

/// Which values of a variable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Selector {
    /// All of them.
    All,
    /// `:name`, compared without regard to case (as v3 does), kept as written.
    Key(Box<[u8]>),
    /// `:/regex/` or `:'/regex/'`: names that the pattern finds; the pattern without its slashes, `\/` undone.
    Regex(Box<[u8]>),
    /// `XML:/*`: an XPath, kept as written.
    XPath(Box<[u8]>),
}
