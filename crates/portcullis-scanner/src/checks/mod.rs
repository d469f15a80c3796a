//! The checks, one file each. This list is their order within a phase, and what the reference is made of.

use crate::check::Check;

/// All checks.
pub const ALL: &[&dyn Check] = &[];
