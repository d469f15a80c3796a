//! The wire form of protocol buffers: enough to read and write small messages.

/// Fields of one message that are read.
const FIELDS_MAX: usize = 1_000;

/// A field's value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message; none if it is not one.
pub(super) fn read(mut rest: &[u8]) -> Option<Vec<(u64, Wire<'_>)>> {
    let mut fields = Vec::new();
    while !rest.is_empty() {
        if fields.len() >= FIELDS_MAX {
            return None;
        }
        let key = varint(&mut rest)?;
        let value = match key & 7 {
            0 => Wire::Number(varint(&mut rest)?),
            1 => {
                let (bytes, tail) = rest.split_first_chunk::<8>()?;
                rest = tail;
                Wire::Number(u64::from_le_bytes(*bytes))
            }
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                let (bytes, tail) = rest.split_at_checked(length)?;
                rest = tail;
                Wire::Bytes(bytes)
            }
            5 => {
                let (bytes, tail) = rest.split_first_chunk::<4>()?;
                rest = tail;
                Wire::Number(u64::from(u32::from_le_bytes(*bytes)))
            }
            _ => return None,
        };
        fields.push((key >> 3, value));
    }
    Some(fields)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, tail) = rest.split_first()?;
        *rest = tail;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// A message that is being written.
#[derive(Debug, Default, Clone)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
            value >>= 7;
        }
        self.0.push(u8::try_from(value).unwrap_or_default());
    }

    pub(super) fn number(mut self, field: u64, value: u64) -> Self {
        self.varint(field << 3);
        self.varint(value);
        self
    }

    pub(super) fn double(mut self, field: u64, value: f64) -> Self {
        self.varint(field << 3 | 1);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(super) fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(u64::try_from(value.len()).unwrap_or_default());
        self.0.extend_from_slice(value);
        self
    }

    pub(super) fn text(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_refuses_the_rest() {
        let written = Writer::default().number(1, 300).text(2, "a").double(3, 1.5).0;
        let fields = read(&written).expect("a message");
        assert_eq!(fields[0], (1, Wire::Number(300)));
        assert_eq!(fields[1], (2, Wire::Bytes(b"a")));
        assert_eq!(fields[2], (3, Wire::Number(1.5_f64.to_bits())));
        for broken in [&[0x0a_u8, 5, 1][..], &[0x08], &[0x0b], &[0xff; 12]] {
            assert_eq!(read(broken), None, "{broken:?}");
        }
    }
}
