//! The one Huffman code of header compression (RFC 7541 §5.2, Appendix B). It is canonical, so that the lengths of its codes
//! are all there is to write down; the compiler makes the tables.

use bytes::{BufMut as _, BytesMut};

use super::Broken;

/// The end of a string, of which no more than a beginning may ever be seen.
const END: usize = 256;
const SYMBOLS: usize = 257;

/// Bits of each symbol's code.
#[rustfmt::skip]
const LENGTHS: [u8; SYMBOLS] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7,
    7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
    23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24,
    21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

/// All codes of one length.
#[derive(Clone, Copy)]
struct Group {
    bits: u8,
    /// The first code and the one behind the last, at the top of 32 bits.
    first: u64,
    behind: u64,
    /// Where the group begins in [`Tables::order`].
    at: usize,
}

struct Tables {
    codes: [u32; SYMBOLS],
    /// Symbols by their codes.
    order: [u16; SYMBOLS],
    groups: [Group; 31],
    /// Symbol and length for every byte that begins with a code of up to eight bits; length 0 for the others.
    short: [(u8, u8); 256],
}

static TABLES: Tables = tables();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler alone, which refuses an index out of bounds"
)]
const fn tables() -> Tables {
    let mut tables = Tables {
        codes: [0; SYMBOLS],
        order: [0; SYMBOLS],
        groups: [Group { bits: 0, first: 0, behind: 0, at: 0 }; 31],
        short: [(0, 0); 256],
    };
    let (mut code, mut at, mut bits) = (0_u32, 0, 1);
    while bits <= 30 {
        code <<= 1;
        let shift = 32 - bits;
        let group = Group { bits: bits as u8, first: (code as u64) << shift, behind: 0, at };
        tables.groups[bits] = group;
        let mut symbol = 0;
        while symbol < SYMBOLS {
            if LENGTHS[symbol] as usize == bits {
                tables.codes[symbol] = code;
                tables.order[at] = symbol as u16;
                if bits <= 8 {
                    let mut byte = (code as usize) << (8 - bits);
                    while byte < ((code as usize) + 1) << (8 - bits) {
                        tables.short[byte] = (symbol as u8, bits as u8);
                        byte += 1;
                    }
                }
                code += 1;
                at += 1;
            }
            symbol += 1;
        }
        tables.groups[bits].behind = (code as u64) << shift;
        bits += 1;
    }
    tables
}

/// Writes what the coded bytes say.
pub(super) fn decode(coded: &[u8], output: &mut BytesMut) -> Result<(), Broken> {
    let mut input = coded.iter();
    // The bits that wait, at the top, and how many they are.
    let (mut bits, mut have) = (0_u64, 0_u32);
    loop {
        while have <= 56 {
            let Some(byte) = input.next() else { break };
            bits |= u64::from(*byte) << (56 - have);
            have += 8;
        }
        let [top, ..] = bits.to_be_bytes();
        let (symbol, len) = TABLES.short.get(usize::from(top)).copied().unwrap_or_default();
        let (symbol, len) = match u32::from(len) {
            len @ 1.. if len <= have => (symbol, len),
            _ if have < 8 => {
                // What is left fills the last byte, with the beginning of the end's code and nothing else.
                let filled = (1_u64 << have) - 1;
                let left = if have == 0 { 0 } else { bits >> (64 - have) };
                return if left == filled { Ok(()) } else { Err(Broken::Huffman) };
            }
            _ => long(bits >> 32).filter(|(_, len)| *len <= have).ok_or(Broken::Huffman)?,
        };
        output.put_u8(symbol);
        bits <<= len;
        have -= len;
    }
}

/// The symbol whose code of more than eight bits begins these 32, and its length.
fn long(bits: u64) -> Option<(u8, u32)> {
    let group = TABLES.groups.get(9..)?.iter().find(|group| bits < group.behind)?;
    let among = bits.checked_sub(group.first)? >> (32 - group.bits);
    let symbol = TABLES.order.get(group.at + usize::try_from(among).ok()?)?;
    // The end itself does not fit.
    Some((u8::try_from(*symbol).ok()?, u32::from(group.bits)))
}

/// How many bytes the coded form has.
pub(super) fn encoded_len(plain: &[u8]) -> usize {
    let length = |byte: &u8| LENGTHS.get(usize::from(*byte)).copied().map_or(0, usize::from);
    plain.iter().map(length).sum::<usize>().div_ceil(8)
}

/// Writes the coded form.
pub(super) fn encode(plain: &[u8], output: &mut Vec<u8>) {
    let (mut bits, mut have) = (0_u64, 0_u32);
    for byte in plain {
        let at = usize::from(*byte);
        let code = TABLES.codes.get(at).copied().unwrap_or_default();
        let len = LENGTHS.get(at).copied().map_or(0, u32::from);
        bits = bits << len | u64::from(code);
        have += len;
        while have >= 8 {
            have -= 8;
            output.push((bits >> have).to_le_bytes()[0]);
        }
    }
    if have > 0 {
        let end = TABLES.codes.get(END).copied().unwrap_or_default();
        let fill = 8 - have;
        output.push((bits << fill | u64::from(end >> (30 - fill))).to_le_bytes()[0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(coded: &[u8]) -> Result<Vec<u8>, Broken> {
        let mut output = BytesMut::new();
        decode(coded, &mut output).map(|()| output.to_vec())
    }

    #[test]
    fn the_examples_of_the_standard_hold() {
        // RFC 7541 §C.4, §C.6.
        for (plain, coded) in [
            (
                "www.example.com",
                &[0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff][..],
            ),
            ("no-cache", &[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf]),
            ("302", &[0x64, 0x02]),
            ("private", &[0xae, 0xc3, 0x77, 0x1a, 0x4b]),
        ] {
            assert_eq!(decoded(coded).unwrap(), plain.as_bytes());
            let mut output = Vec::new();
            encode(plain.as_bytes(), &mut output);
            assert_eq!((&output[..], encoded_len(plain.as_bytes())), (coded, coded.len()));
        }
    }

    #[test]
    fn the_code_is_complete() {
        assert_eq!(TABLES.codes[END], 0x3fff_ffff);
        assert_eq!(TABLES.groups[30].behind, 1 << 32);
    }

    #[test]
    fn bad_endings_are_refused() {
        // `0` is five zeroes: three more bits that are not all ones, a whole byte of ones, and the end's own code.
        for coded in [&[0x00][..], &[0x07, 0xff], &[0xff], &[0xff; 4], &[0x06]] {
            assert_eq!(decoded(coded), Err(Broken::Huffman), "{coded:x?}");
        }
        assert_eq!(decoded(&[0x07]).unwrap(), b"0");
        assert_eq!(decoded(&[]).unwrap(), b"");
    }

    proptest::proptest! {
        #[test]
        fn every_string_comes_back(plain: Vec<u8>) {
            let mut coded = Vec::new();
            encode(&plain, &mut coded);
            proptest::prop_assert_eq!(coded.len(), encoded_len(&plain));
            proptest::prop_assert_eq!(decoded(&coded).unwrap(), plain);
        }

        #[test]
        fn what_is_taken_is_written_so(coded: Vec<u8>) {
            if let Ok(plain) = decoded(&coded) {
                let mut again = Vec::new();
                encode(&plain, &mut again);
                proptest::prop_assert_eq!(again, coded);
            }
        }
    }
}
