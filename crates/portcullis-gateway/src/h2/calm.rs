//! How much of what costs only us a client may send.

use std::time::Duration;

use super::Fault;

/// Two measures, each filled by what a client does and emptied by time and by requests that were really served.
/// No clock is read for a request that is just served.
#[derive(Debug)]
pub(crate) struct Calm {
    idle: Measure,
    given_up: Measure,
}

#[derive(Debug)]
struct Measure {
    level: u32,
    max: u32,
    a_second: u32,
    /// Since the connection began, in milliseconds: up to when it has been emptied.
    emptied: u64,
}

/// Frames that carry nothing: at once, and a second. A body in small pieces opens a window for each.
const IDLE_MAX: u32 = 2_000;
const IDLE_A_SECOND: u32 = 500;
/// Requests given up: at once, and a second. A page that is left gives all its requests up at once.
const GIVEN_UP_MAX: u32 = 250;
const GIVEN_UP_A_SECOND: u32 = 25;

impl Calm {
    pub(crate) const fn new() -> Self {
        Self {
            idle: measure_of(IDLE_MAX, IDLE_A_SECOND),
            given_up: measure_of(GIVEN_UP_MAX, GIVEN_UP_A_SECOND),
        }
    }

    /// A frame that carries nothing. `age` is how long the connection has been.
    pub(crate) fn idle_frame(&mut self, age: impl FnOnce() -> Duration) -> Result<(), Fault> {
        if self.idle.fill(age) { Ok(()) } else { Err(Fault::Flood) }
    }

    /// A request that was given up before its answer had been sent.
    pub(crate) fn given_up(&mut self, age: impl FnOnce() -> Duration) -> Result<(), Fault> {
        if self.given_up.fill(age) { Ok(()) } else { Err(Fault::RapidReset) }
    }

    /// A request that was served to its end.
    pub(crate) fn served(&mut self) {
        /// Pings, settings and priorities that clients send with a request.
        const IDLE_FRAMES: u32 = 4;
        self.idle.level = self.idle.level.saturating_sub(IDLE_FRAMES);
        self.given_up.level = self.given_up.level.saturating_sub(1);
    }
}

const fn measure_of(max: u32, a_second: u32) -> Measure {
    Measure { level: 0, max, a_second, emptied: 0 }
}

impl Measure {
    /// One more; whether it fits.
    fn fill(&mut self, age: impl FnOnce() -> Duration) -> bool {
        self.level += 1;
        if self.level > self.max / 2 {
            // The clock is read only where it matters.
            let now = u64::try_from(age().as_millis()).unwrap_or(u64::MAX);
            let drops = now.saturating_sub(self.emptied).saturating_mul(u64::from(self.a_second)) / 1_000;
            if drops > 0 {
                self.emptied = now;
                self.level = self.level.saturating_sub(u32::try_from(drops).unwrap_or(u32::MAX));
            }
        }
        self.level <= self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_from_a_stream() {
        let mut calm = Calm::new();
        let now = || Duration::from_secs(1);
        assert!((0..IDLE_MAX).all(|_| calm.idle_frame(now).is_ok()));
        let more = (0..=IDLE_A_SECOND).find_map(|_| calm.idle_frame(now).err());
        assert_eq!(more, Some(Fault::Flood));
        let mut calm = Calm::new();
        for second in 0..1_000 {
            for _ in 0..IDLE_A_SECOND {
                assert_eq!(calm.idle_frame(|| Duration::from_secs(second)), Ok(()));
            }
        }
    }

    #[test]
    fn who_lets_itself_be_served_may_give_up_as_often() {
        let mut calm = Calm::new();
        for _ in 0..10 * GIVEN_UP_MAX {
            calm.served();
            assert_eq!(calm.given_up(|| Duration::ZERO), Ok(()));
        }
        let fault = (0..=GIVEN_UP_MAX).find_map(|_| calm.given_up(|| Duration::ZERO).err());
        assert_eq!(fault, Some(Fault::RapidReset));
    }
}
