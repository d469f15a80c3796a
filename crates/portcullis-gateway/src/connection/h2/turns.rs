//! Which streams have something to do.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Wake, Waker},
};

use futures_util::task::AtomicWaker;

/// One bit a place of a stream, set by whatever wakes it; and the connection's task, which is woken with the first.
pub(super) struct Bell {
    words: Box<[AtomicU64]>,
    task: AtomicWaker,
}

/// What wakes the stream at one place.
struct Turn {
    bell: Arc<Bell>,
    place: usize,
}

impl Bell {
    pub(super) fn new(places: usize) -> Arc<Self> {
        let words = (0..places.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Self { words, task: AtomicWaker::new() })
    }

    /// A waker that outlives the streams at its place: a late call wakes a stranger for nothing.
    pub(super) fn waker(self: &Arc<Self>, place: usize) -> Waker {
        Waker::from(Arc::new(Turn { bell: Arc::clone(self), place }))
    }

    /// Comes before looking at the bits.
    pub(super) fn listen(&self, waker: &Waker) {
        self.task.register(waker);
    }

    /// Takes up to 64 bits, of the places from `64 * word` on; `None` behind the last.
    pub(super) fn take(&self, word: usize) -> Option<u64> {
        let bits = self.words.get(word)?;
        // Most often there are none, which costs no writing.
        Some(if bits.load(Ordering::Relaxed) == 0 { 0 } else { bits.swap(0, Ordering::AcqRel) })
    }

    /// Sets a bit from within the connection's own turn.
    pub(super) fn mark(&self, place: usize) {
        if let Some(word) = self.words.get(place / 64) {
            word.fetch_or(1 << (place % 64), Ordering::Relaxed);
        }
    }

    fn ring(&self, place: usize) {
        let Some(word) = self.words.get(place / 64) else { return };
        let bit = 1 << (place % 64);
        // Where the bit was set, the task has been woken and has not looked yet.
        if word.fetch_or(bit, Ordering::AcqRel) & bit == 0 {
            self.task.wake();
        }
    }
}

impl Wake for Turn {
    fn wake(self: Arc<Self>) {
        self.bell.ring(self.place);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.bell.ring(self.place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Woken(AtomicU64);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn each_place_has_a_bit_and_the_task_is_woken_once_for_it() {
        let woken = Arc::new(Woken::default());
        let bell = Bell::new(130);
        bell.listen(&Waker::from(Arc::clone(&woken)));
        bell.waker(0).wake_by_ref();
        let far = bell.waker(129);
        far.wake_by_ref();
        bell.listen(&Waker::from(Arc::clone(&woken)));
        far.wake();
        assert!(woken.0.load(Ordering::Relaxed) >= 1);
        assert_eq!(
            (bell.take(0), bell.take(1), bell.take(2), bell.take(3)),
            (Some(1), Some(0), Some(2), None)
        );
        assert_eq!(bell.take(2), Some(0));
    }
}
