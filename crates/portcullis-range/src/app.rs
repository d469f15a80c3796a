//! What one process of the range holds.

use std::{
    net::SocketAddr,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

use crate::{
    engines::sql::Pool,
    http::{route::Route, validate::Validators},
    identity::Keys,
    state::State,
    weakness::{Weakness, Weaknesses},
};

/// Shared by all calls.
pub(crate) struct App {
    pub(crate) weaknesses: Weaknesses,
    pub(crate) routes: Vec<Route>,
    pub(crate) validators: Validators,
    pub(crate) keys: Keys,
    pub(crate) sql: Pool,
    /// Hosts that a careful service may fetch from.
    pub(crate) partners: Vec<SocketAddr>,
    pub(crate) openapi: OnceLock<Value>,
    state: Mutex<State>,
    clock_shift_secs: AtomicI64,
}

impl App {
    /// # Errors
    /// Says which schema or key is unusable.
    pub(crate) fn new(
        seed: u64,
        weaknesses: Weaknesses,
        partners: Vec<SocketAddr>,
        routes: Vec<Route>,
    ) -> Result<Self, String> {
        let mut state = State::new(seed);
        Ok(Self {
            validators: Validators::new(&routes)?,
            keys: Keys::new(weaknesses.contains(Weakness::JwtWeakKey), &mut state.dice)?,
            sql: Pool::default(),
            weaknesses,
            routes,
            partners,
            openapi: OnceLock::new(),
            state: Mutex::new(state),
            clock_shift_secs: AtomicI64::new(0),
        })
    }

    /// The data. A handler that panicked has left it usable: every change is one assignment.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seconds since 1970, by this range's own clock.
    pub(crate) fn now(&self) -> i64 {
        #[expect(
            clippy::disallowed_methods,
            reason = "the range is a stand-in for a foreign service with a clock of its own"
        )]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs());
        i64::try_from(now).unwrap_or(i64::MAX).saturating_add(self.clock_shift_secs.load(Ordering::Relaxed))
    }

    /// Puts the clock forward.
    pub(crate) fn advance(&self, secs: i64) {
        self.clock_shift_secs.fetch_add(secs, Ordering::Relaxed);
    }
}
