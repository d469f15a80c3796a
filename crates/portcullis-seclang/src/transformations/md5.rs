//! `t:md5`: the raw digest of 16 bytes (RFC 1321). Rules compare fingerprints with it; nothing here relies on its strength.

use std::borrow::Cow;

use md5::{Digest, Md5};

use super::ChangedBy;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Anything;

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    Cow::Owned(Md5::digest(value).to_vec())
}

#[cfg(test)]
mod tests {
    use super::super::hex_encode;
    use super::apply;

    #[test]
    fn digests_the_vectors_of_the_rfc() {
        assert_eq!(&*hex_encode::apply(&apply(b"")), b"d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(&*hex_encode::apply(&apply(b"abc")), b"900150983cd24fb0d6963f7d28e17f72");
    }
}
