//! Whether a client that lets itself be served for long is still there.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

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
        }
    }

    pub(super) fn hear(&mut self) {
        self.heard = true;
    }

    /// Whether a busy client has not answered in time; asks it where it has been silent.
    pub(super) fn is_lost(&mut self, cx: &mut Context<'_>, is_busy: bool, wire: &mut Wire<ClientIo>) -> bool {
        // A wake-up for anything else must not touch the timer.
        if self.armed && !self.sleep.is_elapsed() {
            return false;
        }
        loop {
            match self.sleep.as_mut().poll(cx) {
                Poll::Pending => {
                    self.armed = true;
                    return false;
                }
                Poll::Ready(()) if !is_busy || std::mem::take(&mut self.heard) => {
                    self.asked = false;
                    self.sleep.as_mut().reset(Instant::now() + self.silence);
                }
                Poll::Ready(()) if self.asked => return true,
                Poll::Ready(()) => {
                    self.asked = true;
                    frame::ping(wire.output(), 0, PULSE);
                    self.sleep.as_mut().reset(Instant::now() + self.patience);
                }
            }
        }
    }
}
