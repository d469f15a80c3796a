//! Whether a client that lets itself be served for long is still there, and takes what it asked for.

use std::{pin::Pin, task::Context, time::Duration};

use tokio::time::{Instant, Sleep};

use crate::{connection::io::ClientIo, h1::wire::Wire, h2::frame, plan::ListenerLimits};

/// What the pings of the gate carry, so that their answers can be told.
pub(super) const FAREWELL: &[u8; 8] = b"farewell";
const PULSE: &[u8; 8] = b"are you?";

/// A ping after a silence during exchanges, and how long its answer may take. A watchdog cuts silence without any.
pub(super) struct Pulse {
    sleep: Pin<Box<Sleep>>,
    armed: bool,
    silence: Duration,
    patience: Duration,
    /// Anything came since it was last looked.
    heard: bool,
    asked: bool,
    /// Some of an answer's body went out since it was last looked.
    moved: bool,
    stalled: bool,
}

/// What a connection is doing when it is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Nothing,
    Serving,
    /// Answers wait for room that the client does not give (CVE-2019-9517).
    Waiting,
}

impl Pulse {
    pub(super) fn new(limits: &ListenerLimits) -> Self {
        Self {
            sleep: Box::pin(tokio::time::sleep(limits.idle_timeout)),
            armed: false,
            silence: limits.idle_timeout,
            patience: limits.header_timeout,
            heard: false,
            asked: false,
            moved: false,
            stalled: false,
        }
    }

    pub(super) fn hear(&mut self) {
        self.heard = true;
    }

    pub(super) fn moved(&mut self) {
        self.moved = true;
    }

    /// Whether a busy client has not answered in time, or not given room for longer than it may be silent; asks it where
    /// it has been silent.
    pub(super) fn is_lost(
        &mut self,
        cx: &mut Context<'_>,
        doing: impl Fn() -> Doing,
        wire: &mut Wire<ClientIo>,
    ) -> bool {
        // A wake-up for anything else must not touch the timer.
        if self.armed && !self.sleep.is_elapsed() {
            return false;
        }
        while self.sleep.as_mut().poll(cx).is_ready() {
            let doing = doing();
            let was_stalled = std::mem::replace(
                &mut self.stalled,
                doing == Doing::Waiting && !std::mem::take(&mut self.moved),
            );
            if was_stalled && self.stalled {
                return true;
            }
            let next = if doing == Doing::Nothing || std::mem::take(&mut self.heard) {
                self.asked = false;
                self.silence
            } else if self.asked {
                return true;
            } else {
                self.asked = true;
                frame::ping(wire.output(), 0, PULSE);
                self.patience
            };
            self.sleep.as_mut().reset(Instant::now() + next);
        }
        self.armed = true;
        false
    }
}
