//! How much and how fast: a budget of requests and time, and standing back where the target says so.

use std::time::Duration;

use tokio::time::Instant;

use crate::wire::{Answer, Outcome};

/// What a scan may spend.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Requests in all (default 20,000).
    pub requests_max: u64,
    /// Time in all (default an hour).
    pub time_max: Duration,
    /// Requests a second, at most; 0: as fast as answers come.
    pub rate_max: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { requests_max: 20_000, time_max: Duration::from_secs(3_600), rate_max: 0 }
    }
}

/// What was spent, and how long to wait before the next request.
#[derive(Debug)]
pub(super) struct Pace {
    budget: Budget,
    begun: Instant,
    /// Requests sent.
    pub requests: u64,
    /// Whether 429 is what the running check asks for.
    pub expects_limits: bool,
    stand_back: Duration,
    /// Answers in a row that did not come.
    unreached: u32,
    next_at: Option<Instant>,
}

/// Answers in a row that did not come, after which the target counts as dead.
const UNREACHED_MAX: u32 = 8;
const STAND_BACK_MAX: Duration = Duration::from_secs(8);

impl Pace {
    /// Begins now.
    pub(super) fn new(budget: Budget) -> Self {
        Self {
            budget,
            begun: Instant::now(),
            requests: 0,
            expects_limits: false,
            stand_back: Duration::ZERO,
            unreached: 0,
            next_at: None,
        }
    }

    /// Time since the scan began.
    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Why nothing more may be sent, if so.
    pub(super) fn exhausted(&self) -> Option<String> {
        if self.requests >= self.budget.requests_max {
            return Some(format!("the budget of {} requests is spent", self.budget.requests_max));
        }
        if self.begun.elapsed() >= self.budget.time_max {
            return Some(format!("the budget of {:?} is spent", self.budget.time_max));
        }
        (self.unreached >= UNREACHED_MAX)
            .then(|| format!("the target did not answer {UNREACHED_MAX} times in a row"))
    }

    /// Waits until the next request may go.
    pub(super) async fn turn(&mut self) {
        if self.stand_back > Duration::ZERO && !self.expects_limits {
            tokio::time::sleep(self.stand_back).await;
        }
        if let Some(at) = self.next_at {
            tokio::time::sleep_until(at).await;
        }
        if let Some(gap) = 1_000_000_u32.checked_div(self.budget.rate_max) {
            self.next_at = Some(Instant::now() + Duration::from_micros(u64::from(gap)));
        }
        self.requests += 1;
    }

    /// Learns from an answer: 429 and 503 with `Retry-After` make it stand back, doubling up to eight seconds; good
    /// answers halve that.
    pub(super) fn learn(&mut self, answer: &Answer) {
        self.unreached = if answer.outcome == Outcome::Unreached { self.unreached + 1 } else { 0 };
        let asked = answer.header("retry-after").and_then(|it| it.trim().parse::<u64>().ok());
        // A target that hangs over one call gets time to come back before the next.
        if answer.outcome == Outcome::Unreached && answer.micros >= 1_000_000 {
            self.stand_back = (self.stand_back * 2).clamp(Duration::from_secs(2), STAND_BACK_MAX);
            return;
        }
        let limited = answer.outcome == Outcome::Limited || (answer.status == 503 && asked.is_some());
        if limited && !self.expects_limits {
            let asked = asked.map_or(self.stand_back * 2, Duration::from_secs);
            self.stand_back = asked.clamp(Duration::from_millis(250), STAND_BACK_MAX);
        } else if !limited {
            self.stand_back /= 2;
            if self.stand_back < Duration::from_millis(20) {
                self.stand_back = Duration::ZERO;
            }
        }
    }
}
