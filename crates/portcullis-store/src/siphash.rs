//! SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, 2012): a keyed hash fast enough for every
//! call, which nobody without the key can aim at a collision.

/// The secret key of the hash.
#[derive(Clone)]
pub struct SipKey(u64, u64);

impl SipKey {
    /// A key from sixteen secret bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        let [low, high] = halves(u128::from_le_bytes(bytes));
        Self(low, high)
    }

    /// Begins a hash under this key.
    pub const fn hasher(&self) -> SipHasher {
        SipHasher {
            v: [
                self.0 ^ 0x736f_6d65_7073_6575,
                // The 0xee tells the 128-bit variant from the 64-bit one.
                self.1 ^ 0x646f_7261_6e64_6f6d ^ 0xee,
                self.0 ^ 0x6c79_6765_6e65_7261,
                self.1 ^ 0x7465_6462_7974_6573,
            ],
            pending: 0,
            length: 0,
        }
    }
}

const fn halves(whole: u128) -> [u64; 2] {
    [whole as u64, (whole >> 64) as u64]
}

/// A hash in the making.
pub struct SipHasher {
    v: [u64; 4],
    /// Bytes not yet mixed in, the earliest lowest; `length % 8` of them.
    pending: u64,
    length: u64,
}

impl SipHasher {
    /// Takes more bytes in. Two writes are the same as one of both together.
    pub fn write(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        // Up to the next boundary byte by byte, then word by word.
        while !self.length.is_multiple_of(8) {
            let Some((byte, after)) = rest.split_first() else { return };
            self.byte(*byte);
            rest = after;
        }
        let (words, tail) = rest.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
            self.length = self.length.wrapping_add(8);
        }
        for byte in tail {
            self.byte(*byte);
        }
    }

    /// The hash of all that was written.
    pub fn finish(mut self) -> u128 {
        self.word(self.pending | (self.length << 56));
        self.v[2] ^= 0xee;
        let low = self.squeeze();
        self.v[1] ^= 0xdd;
        let high = self.squeeze();
        u128::from(low) | (u128::from(high) << 64)
    }

    fn byte(&mut self, byte: u8) {
        self.pending |= u64::from(byte) << (8 * (self.length % 8));
        self.length = self.length.wrapping_add(1);
        if self.length.is_multiple_of(8) {
            let word = std::mem::take(&mut self.pending);
            self.word(word);
        }
    }

    fn word(&mut self, word: u64) {
        self.v[3] ^= word;
        self.round();
        self.round();
        self.v[0] ^= word;
    }

    fn squeeze(&mut self) -> u64 {
        for _ in 0..4 {
            self.round();
        }
        let [a, b, c, d] = self.v;
        a ^ b ^ c ^ d
    }

    fn round(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.v;
        a = a.wrapping_add(b);
        b = b.rotate_left(13) ^ a;
        a = a.rotate_left(32);
        c = c.wrapping_add(d);
        d = d.rotate_left(16) ^ c;
        a = a.wrapping_add(d);
        d = d.rotate_left(21) ^ a;
        c = c.wrapping_add(b);
        b = b.rotate_left(17) ^ c;
        c = c.rotate_left(32);
        self.v = [a, b, c, d];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(parts: &[&[u8]]) -> String {
        let key = SipKey::new(std::array::from_fn(|i| u8::try_from(i).unwrap()));
        let mut hasher = key.hasher();
        for part in parts {
            hasher.write(part);
        }
        hasher.finish().to_le_bytes().iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn agrees_with_the_authors_vectors() {
        let input: Vec<u8> = (0..64).collect();
        assert_eq!(hash(&[&input[..0]]), "a3817f04ba25a8e66df67214c7550293");
        assert_eq!(hash(&[&input[..1]]), "da87c1d86b99af44347659119b22fc45");
        assert_eq!(hash(&[&input[..2]]), "8177228da4a45dc7fca38bdef60affe4");
        assert_eq!(hash(&[&input[..15]]), "5493e99933b0a8117e08ec0f97cfc3d9");
        assert_eq!(hash(&[&input[..63]]), "5150d1772f50834a503e069a973fbd7c");
    }

    #[test]
    fn the_cut_between_writes_does_not_matter() {
        let input: Vec<u8> = (0..40).collect();
        let whole = hash(&[&input]);
        for cut in 0..=input.len() {
            let (a, b) = input.split_at(cut);
            assert_eq!(hash(&[a, b]), whole, "cut at {cut}");
        }
    }
}
