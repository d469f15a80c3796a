//! What each side tells the other about itself (RFC 9113 §6.5).

use super::{
    Fault,
    frame::{self, Kind, PAYLOAD_BYTES_MAX},
};

/// The largest window (RFC 9113 §6.9.1).
pub(crate) const WINDOW_MAX: u32 = 0x7fff_ffff;
/// Every window, before a word about it.
pub(crate) const WINDOW_USUAL: u32 = 65_535;

const HEADER_TABLE_SIZE: u16 = 1;
const ENABLE_PUSH: u16 = 2;
const MAX_CONCURRENT_STREAMS: u16 = 3;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_FRAME_SIZE: u16 = 5;
const MAX_HEADER_LIST_SIZE: u16 = 6;

/// What a client's settings change here. What else it may set, the gate heeds by itself: it pushes nothing and sends no
/// frame larger than every receiver takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Bytes of the table for what the gate writes.
    pub(crate) table: Option<u32>,
    /// Room for the body of each answer.
    pub(crate) window: Option<u32>,
}

/// Reads a payload.
pub(crate) fn read(payload: &[u8]) -> Result<Changes, Fault> {
    let mut changes = Changes::default();
    let mut rest = payload;
    while let Some((&[i0, i1, v0, v1, v2, v3], more)) = rest.split_first_chunk::<6>() {
        rest = more;
        let value = u32::from_be_bytes([v0, v1, v2, v3]);
        match u16::from_be_bytes([i0, i1]) {
            HEADER_TABLE_SIZE => changes.table = Some(value),
            ENABLE_PUSH if value > 1 => return Err(Fault::Setting),
            INITIAL_WINDOW_SIZE if value > WINDOW_MAX => return Err(Fault::Window),
            INITIAL_WINDOW_SIZE => changes.window = Some(value),
            MAX_FRAME_SIZE if !(PAYLOAD_BYTES_MAX..=0xff_ffff).contains(&(value as usize)) => {
                return Err(Fault::Setting);
            }
            _ => {}
        }
    }
    if rest.is_empty() { Ok(changes) } else { Err(Fault::FrameSize) }
}

/// The gate's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    pub(crate) streams_max: u32,
    pub(crate) head_bytes_max: u32,
    pub(crate) stream_window: u32,
    pub(crate) connection_window: u32,
}

impl Own {
    /// Writes what the server's side of a connection begins with.
    pub(crate) fn write(self, output: &mut Vec<u8>) {
        let settings = [
            (MAX_CONCURRENT_STREAMS, self.streams_max),
            (INITIAL_WINDOW_SIZE, self.stream_window),
            (MAX_HEADER_LIST_SIZE, self.head_bytes_max),
        ];
        frame::head(output, settings.len() * 6, Kind::Settings, 0, 0);
        for (name, value) in settings {
            output.extend_from_slice(&name.to_be_bytes());
            output.extend_from_slice(&value.to_be_bytes());
        }
        frame::window_update(output, 0, self.connection_window.saturating_sub(WINDOW_USUAL).max(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(settings: &[(u16, u32)]) -> Vec<u8> {
        settings
            .iter()
            .flat_map(|(name, value)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat())
            .collect()
    }

    #[test]
    fn what_concerns_the_gate_is_taken_and_the_last_word_counts() {
        let changes = read(&payload(&[(1, 0), (4, 9), (99, 1), (4, 7), (3, 0), (2, 0)])).unwrap();
        assert_eq!(changes, Changes { table: Some(0), window: Some(7) });
        assert_eq!(read(&[]), Ok(Changes::default()));
    }

    #[test]
    fn values_that_cannot_be_are_refused() {
        for (setting, fault) in [
            ((2, 2), Fault::Setting),
            ((4, WINDOW_MAX + 1), Fault::Window),
            ((5, 16_383), Fault::Setting),
            ((5, 1 << 24), Fault::Setting),
        ] {
            assert_eq!(read(&payload(&[setting])), Err(fault));
        }
        assert_eq!(read(&[0; 5]), Err(Fault::FrameSize));
    }
}
