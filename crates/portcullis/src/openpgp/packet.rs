//! Packets and the numbers in them (RFC 9580 §3.2, §4.2).

use anyhow::{Context as _, bail};

pub(super) const SIGNATURE: u8 = 2;
pub(super) const PUBLIC_KEY: u8 = 6;
pub(super) const USER_ID: u8 = 13;
pub(super) const PUBLIC_SUBKEY: u8 = 14;
pub(super) const USER_ATTRIBUTE: u8 = 17;

/// One packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) tag: u8,
    pub(super) body: &'a [u8],
}

/// A cursor over bytes.
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn take(&mut self, count: usize) -> anyhow::Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).context("it ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> anyhow::Result<u8> {
        let (first, rest) = self.0.split_first().context("it ends too early")?;
        self.0 = rest;
        Ok(*first)
    }

    /// A big-endian number of `count` bytes, at most four.
    pub(super) fn number(&mut self, count: usize) -> anyhow::Result<u32> {
        Ok(self.take(count)?.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    /// A multiprecision integer without its leading zeros.
    pub(super) fn integer(&mut self) -> anyhow::Result<&'a [u8]> {
        let bits = self.number(2)? as usize;
        self.take(bits.div_ceil(8))
    }
}

/// The packets of a sequence; ends after the first that cannot be read.
pub(super) fn packets(bytes: &[u8]) -> impl Iterator<Item = anyhow::Result<Packet<'_>>> {
    let mut rest = Bytes(bytes);
    std::iter::from_fn(move || {
        if rest.0.is_empty() {
            return None;
        }
        let packet = next(&mut rest);
        if packet.is_err() {
            rest = Bytes(&[]);
        }
        Some(packet)
    })
}

fn next<'a>(rest: &mut Bytes<'a>) -> anyhow::Result<Packet<'a>> {
    let first = rest.byte()?;
    if first & 0x80 == 0 {
        bail!("it is no OpenPGP packet");
    }
    let (tag, length) = if first & 0x40 != 0 {
        (first & 0x3f, new_length(rest)?)
    } else {
        let length = match first & 0x03 {
            0 => rest.number(1)?,
            1 => rest.number(2)?,
            2 => rest.number(4)?,
            _ => bail!("a packet does not say its length"),
        };
        (first >> 2 & 0x0f, length)
    };
    Ok(Packet { tag, body: rest.take(length as usize)? })
}

/// The length in a packet's new format, and of a subpacket.
pub(super) fn new_length(rest: &mut Bytes<'_>) -> anyhow::Result<u32> {
    match rest.byte()? {
        short @ 0..192 => Ok(u32::from(short)),
        high @ 192..224 => Ok((u32::from(high) - 192 << 8) + u32::from(rest.byte()?) + 192),
        255 => rest.number(4),
        224..255 => bail!("packets in parts are not taken here"),
    }
}
