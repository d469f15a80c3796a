//! A decoded view of a value, as detectors see it.

use crate::leaf::Leaf;

/// One reading of a value: as it came, or after a layer of decoding.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The bytes in this reading.
    pub text: &'a [u8],
    /// The same bytes with ASCII letters in lower case; same length, so that spans hold in both.
    pub lower: &'a [u8],
    /// The leaf it came from.
    pub leaf: Leaf<'a>,
    /// How many layers were taken off to get here; 0 is the value as it came.
    pub depth: u8,
}
