//! Events counted by what they came to.

use portcullis_core::event::Outcome;

/// Events by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Served by the upstream or answered by the gate.
    pub served: u64,
    /// Refused.
    pub denied: u64,
    /// Upstream failed, client gone, panicked.
    pub failed: u64,
}

impl Counts {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.served + self.denied + self.failed
    }

    pub(crate) const fn since(&self, earlier: &Self) -> Self {
        Self {
            served: self.served - earlier.served,
            denied: self.denied - earlier.denied,
            failed: self.failed - earlier.failed,
        }
    }
}

/// What a call came to, as far as drops tell it apart.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Served,
    Denied,
    Failed,
}

impl Kind {
    pub(crate) const fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Served | Outcome::Answered => Self::Served,
            Outcome::Denied(_) => Self::Denied,
            Outcome::UpstreamFailed(_) | Outcome::ClientGone | Outcome::Panicked => Self::Failed,
        }
    }
}
