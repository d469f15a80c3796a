//! Who keeps a connection busy, and how long it may keep it (CWE-400: slow heads, slow readers, idle crowds).
//!
//! The parts of a connection only set flags and count; no clock is read and no timer set for a request. A watchdog
//! looks at them at a fixed pace and judges by what has not changed since it last looked, so that a bound is kept to
//! within half of the head's time.

use std::{
    pin::Pin,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    task::{Context, Poll},
    time::Duration,
};

use http::Version;
use tokio::time::{Instant, Sleep};

use crate::plan::ListenerLimits;

/// The flags and counts.
pub(crate) struct Watch {
    heads: Heads,
    busy: AtomicU32,
    begun: AtomicU32,
    /// Bytes came while no exchange was under way.
    head_begun: AtomicBool,
    write_waits: AtomicBool,
    writes: AtomicU32,
}

/// Whether bytes between exchanges can only be the next head.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heads {
    /// HTTP/1.
    Only,
    /// HTTP/2, where they may be anything.
    AmongOthers,
}

impl Watch {
    pub(super) fn new(version: Version, head_begun: bool) -> Self {
        Self {
            heads: if version == Version::HTTP_2 { Heads::AmongOthers } else { Heads::Only },
            busy: AtomicU32::new(0),
            begun: AtomicU32::new(0),
            head_begun: AtomicBool::new(head_begun),
            write_waits: AtomicBool::new(false),
            writes: AtomicU32::new(0),
        }
    }

    pub(super) fn began(&self) {
        self.busy.fetch_add(1, Ordering::Relaxed);
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.head_begun.store(false, Ordering::Relaxed);
    }

    pub(super) fn ended(&self) {
        self.busy.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) {
        if self.busy.load(Ordering::Relaxed) == 0 {
            self.head_begun.store(true, Ordering::Relaxed);
        }
    }

    /// What came between two exchanges belonged to the one before.
    pub(super) fn settled(&self) {
        self.head_begun.store(false, Ordering::Relaxed);
    }

    pub(super) fn write_waits(&self) {
        self.write_waits.store(true, Ordering::Relaxed);
    }

    pub(super) fn wrote(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.write_waits.store(false, Ordering::Relaxed);
    }

    fn seen(&self) -> Seen {
        let begun = self.begun.load(Ordering::Relaxed);
        let state = if self.write_waits.load(Ordering::Relaxed) {
            State::Writing
        } else if self.busy.load(Ordering::Relaxed) > 0 {
            State::Busy
        } else if self.heads == Heads::Only && (self.head_begun.load(Ordering::Relaxed) || begun == 0) {
            State::Head
        } else {
            State::Idle
        };
        // Writes that nobody waits for are no sign of life: HTTP/2 answers pings by itself.
        let writes = if state == State::Writing { self.writes.load(Ordering::Relaxed) } else { 0 };
        Seen { state, begun, writes }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
    state: State,
    begun: u32,
    writes: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// An exchange is under way; upstream and body have their own times.
    Busy,
    /// A head is awaited that has begun, or the first one.
    Head,
    /// Nothing is under way.
    Idle,
    /// The client does not take what is written.
    Writing,
}

/// What becomes of the connection.
pub(super) enum Sentence {
    Live,
    /// Idle for long enough: it may end in order.
    EndSoon,
    /// Too slow: it is closed at once.
    Cut,
}

/// Looks at a [`Watch`] at a fixed pace.
pub(super) struct Watchdog {
    pace: Duration,
    sleep: Pin<Box<Sleep>>,
    armed: bool,
    seen: Option<Seen>,
    unchanged: u32,
    head_looks: u32,
    idle_looks: u32,
}

impl Watchdog {
    pub(super) fn new(limits: &ListenerLimits) -> Self {
        const PACE_MIN: Duration = Duration::from_millis(20);
        let pace = (limits.header_timeout.min(limits.idle_timeout) / 2).max(PACE_MIN);
        let looks = |time: Duration| {
            u32::try_from(time.as_millis().div_ceil(pace.as_millis().max(1))).unwrap_or(u32::MAX).max(1)
        };
        Self {
            pace,
            sleep: Box::pin(tokio::time::sleep(pace)),
            armed: false,
            seen: None,
            unchanged: 0,
            head_looks: looks(limits.header_timeout),
            idle_looks: looks(limits.idle_timeout),
        }
    }

    pub(super) fn poll(mut self: Pin<&mut Self>, watch: &Watch, cx: &mut Context<'_>) -> Sentence {
        let this = &mut *self;
        // A wake-up for anything else must not touch the timer.
        if this.armed && !this.sleep.is_elapsed() {
            return Sentence::Live;
        }
        loop {
            match this.sleep.as_mut().poll(cx) {
                Poll::Pending => {
                    this.armed = true;
                    return Sentence::Live;
                }
                Poll::Ready(()) => {
                    let sentence = this.look(watch.seen());
                    this.sleep.as_mut().reset(Instant::now() + this.pace);
                    match sentence {
                        Sentence::Live => {}
                        Sentence::EndSoon | Sentence::Cut => return sentence,
                    }
                }
            }
        }
    }

    fn look(&mut self, now: Seen) -> Sentence {
        if self.seen != Some(now) {
            self.seen = Some(now);
            self.unchanged = 0;
            return Sentence::Live;
        }
        self.unchanged = self.unchanged.saturating_add(1);
        match now.state {
            State::Busy => Sentence::Live,
            State::Head if self.unchanged >= self.head_looks => Sentence::Cut,
            State::Idle if self.unchanged == self.idle_looks => Sentence::EndSoon,
            State::Idle if self.unchanged > self.idle_looks.saturating_add(self.head_looks) => Sentence::Cut,
            State::Writing if self.unchanged >= self.idle_looks => Sentence::Cut,
            State::Head | State::Idle | State::Writing => Sentence::Live,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> ListenerLimits {
        ListenerLimits {
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            ..ListenerLimits::default()
        }
    }

    /// After how many looks the connection is sentenced, and to what.
    async fn looks(watch: &Watch, mut each: impl FnMut(&Watch)) -> (u32, &'static str) {
        let mut dog = Watchdog::new(&limits());
        for look in 1..100 {
            each(watch);
            match dog.look(watch.seen()) {
                Sentence::Live => {}
                Sentence::EndSoon => return (look, "end soon"),
                Sentence::Cut => return (look, "cut"),
            }
        }
        (100, "live")
    }

    #[tokio::test]
    async fn a_head_that_trickles_is_cut() {
        let watch = Watch::new(Version::HTTP_11, false);
        assert_eq!(looks(&watch, Watch::read).await, (3, "cut"));
    }

    #[tokio::test]
    async fn a_connection_that_never_speaks_is_cut() {
        assert_eq!(looks(&Watch::new(Version::HTTP_11, false), |_| {}).await, (3, "cut"));
    }

    #[tokio::test]
    async fn an_idle_connection_ends_in_order() {
        let watch = Watch::new(Version::HTTP_11, false);
        watch.began();
        watch.ended();
        assert_eq!(looks(&watch, |_| {}).await, (13, "end soon"));
    }

    #[tokio::test]
    async fn a_busy_connection_lives() {
        let watch = Watch::new(Version::HTTP_11, false);
        watch.began();
        assert_eq!(looks(&watch, |_| {}).await, (100, "live"));
    }

    #[tokio::test]
    async fn a_reader_that_takes_nothing_is_cut() {
        let watch = Watch::new(Version::HTTP_11, false);
        watch.began();
        watch.write_waits();
        assert_eq!(looks(&watch, |_| {}).await, (13, "cut"));
    }

    #[tokio::test]
    async fn a_slow_reader_that_takes_something_lives() {
        let watch = Watch::new(Version::HTTP_11, false);
        watch.began();
        let each = |watch: &Watch| {
            watch.wrote();
            watch.write_waits();
        };
        assert_eq!(looks(&watch, each).await, (100, "live"));
    }

    #[tokio::test]
    async fn calls_keep_a_connection_alive() {
        let watch = Watch::new(Version::HTTP_11, false);
        let each = |watch: &Watch| {
            watch.began();
            watch.ended();
        };
        assert_eq!(looks(&watch, each).await, (100, "live"));
    }
}
