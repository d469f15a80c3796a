//! The path: whole and raw for what spans segments, and each segment decoded once.

use super::pairs::{Plus, decoded};
use crate::{
    decode::Buffer,
    inspector::{Judging, Spot},
    leaf::{Field, Where},
};

/// Segments looked at by themselves; deeper paths are still looked at as a whole.
const SEGMENTS_MAX: usize = 64;

impl Judging<'_> {
    /// Looks at a path as on the wire: as a whole, then segment by segment.
    pub fn path(&mut self, path: &[u8]) {
        let whole = Spot { declared: Some(Field::Unknown), ..Spot::named(Where::Path, "") };
        self.value(&whole, path);
        let segment_spot = Spot { declared: Some(Field::Token), ..whole };
        let segments = path.split(|byte| *byte == b'/').filter(|segment| !segment.is_empty());
        for segment in segments.take(SEGMENTS_MAX) {
            self.value(&segment_spot, decoded(segment, Plus::Itself, &mut Buffer::new()));
        }
    }
}
