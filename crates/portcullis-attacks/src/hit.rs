//! What a detector answers.

use std::ops::Range;

use smallvec::SmallVec;

use crate::class::Class;

/// One recognised piece of an attack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The class of attack.
    pub class: Class,
    /// The pattern recognised, snake case, named for the bad thing it finds: `union_select`, `dot_dot_traversal`.
    pub rule: &'static str,
    /// How sure the detector is, 1 to 10. 10 alone refuses a call at the default threshold; 5 is "suspicious, needs
    /// company"; 1 to 3 is a mere mark. The scale already weighs [`crate::Field`].
    pub score: u8,
    /// The bytes recognised, in the view that was inspected.
    pub span: Range<usize>,
    /// One sentence for the operator: lower case, no full stop.
    pub why: &'static str,
}

/// What was recognised in one view of a value.
pub type Hits = SmallVec<[Hit; 2]>;
