//! Windows: how many bytes of bodies may be under way (RFC 9113 §5.2, §6.9).

use super::{Fault, settings::WINDOW_MAX};

/// Room that the other side gives. A change of its settings may make it less than nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room(i64);

impl Room {
    pub(crate) fn new(bytes: u32) -> Self {
        Self(i64::from(bytes))
    }

    /// Bytes that may be sent now.
    pub(crate) fn bytes(self) -> usize {
        usize::try_from(self.0).unwrap_or(0)
    }

    pub(crate) fn take(&mut self, bytes: usize) {
        self.0 -= i64::try_from(bytes).unwrap_or(i64::MAX);
    }

    /// More room, or less, which no window may outgrow.
    pub(crate) fn change(&mut self, by: i64) -> Result<(), Fault> {
        self.0 = self.0.saturating_add(by);
        if self.0 > i64::from(WINDOW_MAX) { Err(Fault::Window) } else { Ok(()) }
    }
}

/// Room that the gate gives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given {
    size: u32,
    left: u32,
    /// Taken off our hands, and not given anew yet.
    taken: u32,
}

impl Given {
    pub(crate) const fn new(size: u32) -> Self {
        Self { size, left: size, taken: 0 }
    }

    /// So many bytes have come.
    pub(crate) fn came(&mut self, bytes: usize) -> Result<(), Fault> {
        let left = u32::try_from(bytes).ok().and_then(|bytes| self.left.checked_sub(bytes));
        self.left = left.ok_or(Fault::Window)?;
        Ok(())
    }

    /// So many of them take no more memory. How many to give anew, once it is worth a frame.
    pub(crate) fn took(&mut self, bytes: usize) -> Option<u32> {
        self.taken = self.taken.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        if self.taken < self.size / 2 {
            return None;
        }
        let more = std::mem::take(&mut self.taken).min(self.size - self.left);
        self.left += more;
        (more > 0).then_some(more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_may_fall_below_nothing_and_not_grow_beyond_all() {
        let mut room = Room::new(10);
        room.take(7);
        room.change(-5).unwrap();
        assert_eq!(room.bytes(), 0);
        room.change(3).unwrap();
        assert_eq!(room.bytes(), 1);
        assert_eq!(room.change(i64::from(WINDOW_MAX)), Err(Fault::Window));
    }

    #[test]
    fn room_is_given_anew_by_halves_and_never_overrun() {
        let mut given = Given::new(100);
        given.came(100).unwrap();
        assert_eq!(given.came(1), Err(Fault::Window));
        assert_eq!(given.took(49), None);
        assert_eq!(given.took(1), Some(50));
        given.came(50).unwrap();
        assert!(given.came(1).is_err());
    }
}
