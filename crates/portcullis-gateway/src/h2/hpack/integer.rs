//! Numbers with a prefix (RFC 7541 §5.1).

use super::Broken;

/// Reads a number whose first byte, of which `prefix` bits count, was taken already.
pub(super) fn decode(first: u8, prefix: u32, input: &mut &[u8]) -> Result<usize, Broken> {
    /// Nothing here is as large as 2^28, and a number may be written with any number of zeroes behind it.
    const BYTES_MAX: u32 = 4;
    let mask = (1_u16 << prefix).wrapping_sub(1).to_le_bytes()[0];
    let low = first & mask;
    if low < mask {
        return Ok(usize::from(low));
    }
    let mut number = usize::from(mask);
    for at in 0..BYTES_MAX {
        let (byte, rest) = input.split_first().ok_or(Broken::Short)?;
        *input = rest;
        number += usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Broken::Integer)
}

/// Writes a number behind the bits that `first` has before its prefix.
pub(super) fn encode(first: u8, prefix: u32, number: usize, output: &mut Vec<u8>) {
    let mask = (1_usize << prefix) - 1;
    let Some(mut rest) = number.checked_sub(mask) else {
        output.push(first | number.to_le_bytes()[0]);
        return;
    };
    output.push(first | mask.to_le_bytes()[0]);
    while rest >= 0x80 {
        output.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    output.push(rest.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standard_hold() {
        // RFC 7541 §C.1.
        for (number, prefix, bytes) in
            [(10, 5, &[0x0a][..]), (1337, 5, &[0x1f, 0x9a, 0x0a]), (42, 8, &[0x2a])]
        {
            let mut output = Vec::new();
            encode(0, prefix, number, &mut output);
            assert_eq!(output, bytes);
            let (first, mut rest) = output.split_first().unwrap();
            assert_eq!(decode(*first, prefix, &mut rest), Ok(number));
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn what_does_not_end_is_refused() {
        assert_eq!(decode(0xff, 7, &mut &[0x80, 0x80][..]), Err(Broken::Short));
        assert_eq!(decode(0xff, 7, &mut &[0x80; 9][..]), Err(Broken::Integer));
        assert_eq!(decode(0xff, 7, &mut &[0xff, 0xff, 0xff, 0xff, 0x0f][..]), Err(Broken::Integer));
    }

    proptest::proptest! {
        #[test]
        fn every_number_comes_back(number in 0_usize..1 << 28, prefix in 4_u32..=8) {
            let mut output = Vec::new();
            encode(0, prefix, number, &mut output);
            let (first, mut rest) = output.split_first().unwrap();
            proptest::prop_assert_eq!(decode(*first, prefix, &mut rest), Ok(number));
        }
    }
}
