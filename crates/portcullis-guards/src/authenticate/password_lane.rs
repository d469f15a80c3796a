//! Where passwords are checked: beside the data threads, few at a time, with a short queue. Each check takes tens
//! of milliseconds and about 19 MiB, so without these bounds a flood of guesses stops the gate (CWE-400).

use std::{
    fmt,
    sync::{Arc, atomic::AtomicU32},
};

use portcullis_auth::mechanisms::{PasswordVerdict, basic::PasswordCheck};
use portcullis_core::{clock::Timestamp, limit::Permit};
use tokio::sync::Semaphore;

/// The lane of a process.
pub struct PasswordLane {
    running: Arc<Semaphore>,
    places: Arc<AtomicU32>,
    places_max: u32,
}

/// The queue is full, or the check could not be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

impl PasswordLane {
    /// At most `running_max` checks at a time and `queued_max` waiting; each at least 1.
    pub fn new(running_max: usize, queued_max: u32) -> Self {
        let running_max = running_max.clamp(1, 64);
        Self {
            running: Arc::new(Semaphore::new(running_max)),
            places: Arc::default(),
            places_max: queued_max.max(1).saturating_add(u32::try_from(running_max).unwrap_or(1)),
        }
    }

    /// Runs a check when its turn comes.
    ///
    /// # Errors
    /// [`Busy`] at once when the queue is full.
    pub async fn run(&self, check: PasswordCheck, now: Timestamp) -> Result<PasswordVerdict, Busy> {
        let place = Permit::take(&self.places, self.places_max).ok_or(Busy)?;
        let turn = Arc::clone(&self.running).acquire_owned().await.map_err(|_| Busy)?;
        // Both go along: a caller who hangs up does not make room before the work is done.
        let work = move || {
            let verdict = check.run(now);
            drop((turn, place));
            verdict
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| Busy)
    }
}

impl Default for PasswordLane {
    /// Two at a time, 64 waiting: about two seconds of queue.
    fn default() -> Self {
        Self::new(2, 64)
    }
}

impl fmt::Debug for PasswordLane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordLane").field("places_max", &self.places_max).finish_non_exhaustive()
    }
}
