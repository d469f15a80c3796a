//! `t:sha1`: the raw digest of 20 bytes (FIPS 180-4). Rules compare fingerprints with it; nothing here relies on its strength.

use std::borrow::Cow;

use sha1::{Digest, Sha1};

use super::ChangedBy;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Anything;

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    Cow::Owned(Sha1::digest(value).to_vec())
}

#[cfg(test)]
mod tests {
    use super::super::hex_encode;
    use super::apply;

    #[test]
    fn digests_the_vectors_of_the_standard() {
        assert_eq!(&*hex_encode::apply(&apply(b"")), b"da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(&*hex_encode::apply(&apply(b"abc")), b"a9993e364706816aba3e25717850c26c9cd0d89d");
    }
}
