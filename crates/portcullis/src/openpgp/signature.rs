//! Signature packets (RFC 9580 §5.2.3).

use anyhow::{Context as _, anyhow, bail, ensure};
use aws_lc_rs::{
    digest::{SHA256, SHA384, SHA512, digest},
    signature::{
        ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
        RsaPublicKeyComponents, UnparsedPublicKey,
    },
};

use super::{
    key::{Material, PublicKey},
    packet::{Bytes, new_length},
};

pub(super) const OF_A_DOCUMENT: u8 = 0x00;
/// Certifications of a key's name, from generic to positive.
pub(super) const ABOUT_A_NAME: std::ops::RangeInclusive<u8> = 0x10..=0x13;
pub(super) const BINDS_A_SUBKEY: u8 = 0x18;
pub(super) const ABOUT_THE_KEY: u8 = 0x1f;
pub(super) const REVOKES_THE_KEY: u8 = 0x20;
pub(super) const REVOKES_A_SUBKEY: u8 = 0x28;

/// One signature.
pub(super) struct Signature<'a> {
    pub(super) kind: u8,
    algorithm: u8,
    hash: u8,
    /// All that is itself signed, from the version to the hashed subpackets.
    signed: &'a [u8],
    hashed: &'a [u8],
    unhashed: &'a [u8],
    /// The algorithm's numbers.
    value: &'a [u8],
}

impl<'a> Signature<'a> {
    pub(super) fn parse(body: &'a [u8]) -> anyhow::Result<Self> {
        let mut bytes = Bytes(body);
        let version = bytes.byte()?;
        ensure!(version == 4, "signatures of version {version} are not taken here");
        let (kind, algorithm, hash) = (bytes.byte()?, bytes.byte()?, bytes.byte()?);
        let hashed_length = bytes.number(2)? as usize;
        let hashed = bytes.take(hashed_length)?;
        let signed = body.get(..6 + hashed_length).context("it ends too early")?;
        let unhashed_length = bytes.number(2)? as usize;
        let unhashed = bytes.take(unhashed_length)?;
        // The first two bytes of the hash, to fail early by; the signature itself decides.
        bytes.take(2)?;
        Ok(Self { kind, algorithm, hash, signed, hashed, unhashed, value: bytes.0 })
    }

    /// Whether it names this key as its maker, or none.
    pub(super) fn may_be_by(&self, key: &PublicKey<'_>) -> bool {
        const ISSUER_KEY_ID: u8 = 16;
        const ISSUER_FINGERPRINT: u8 = 33;
        let named = |kind| subpacket(self.hashed, kind).or_else(|| subpacket(self.unhashed, kind));
        match (named(ISSUER_FINGERPRINT), named(ISSUER_KEY_ID)) {
            // Its first byte is the key's version.
            (Some([_, fingerprint @ ..]), _) => key.fingerprint.ends_with(fingerprint),
            (_, Some(id)) => key.fingerprint.ends_with(id),
            _ => true,
        }
    }

    /// Whether it lets the key that it is about sign (RFC 9580 §5.2.3.29).
    pub(super) fn may_sign(&self) -> bool {
        const KEY_FLAGS: u8 = 27;
        matches!(subpacket(self.hashed, KEY_FLAGS), Some([flags, ..]) if flags & 0x02 != 0)
    }

    /// How long the key that it is about lasts, in seconds after its creation; 0 is for ever.
    pub(super) fn key_lasts(&self) -> u32 {
        const KEY_EXPIRATION: u8 = 9;
        seconds(subpacket(self.hashed, KEY_EXPIRATION))
    }

    /// When it was made, in seconds since the Unix epoch.
    pub(super) fn made(&self) -> u32 {
        const CREATION: u8 = 2;
        seconds(subpacket(self.hashed, CREATION))
    }

    /// Verifies it over the parts, one behind the other, and that the key signed within its life.
    pub(super) fn verify(&self, key: &PublicKey<'_>, parts: &[&[u8]]) -> anyhow::Result<()> {
        let made = self.made();
        ensure!(made >= key.created, "it is older than the key");
        let ended = key.lasts != 0 && made > key.created.saturating_add(key.lasts);
        ensure!(!ended, "the key had expired when it was made");
        self.fits(key, parts)
    }

    /// Verifies it whenever it was made: what a key says of itself may lengthen its life.
    pub(super) fn fits(&self, key: &PublicKey<'_>, parts: &[&[u8]]) -> anyhow::Result<()> {
        let mut message: Vec<u8> = parts.concat();
        message.extend(self.signed);
        message.extend([0x04, 0xff]);
        message.extend(u32::try_from(self.signed.len()).unwrap_or(u32::MAX).to_be_bytes());
        let mut value = Bytes(self.value);
        match (&key.material, self.algorithm) {
            (Material::Rsa { modulus, exponent }, 1 | 3) => {
                let algorithm = match self.hash {
                    8 => &RSA_PKCS1_2048_8192_SHA256,
                    9 => &RSA_PKCS1_2048_8192_SHA384,
                    10 => &RSA_PKCS1_2048_8192_SHA512,
                    other => bail!("hashes of algorithm {other} are not taken here: SHA-2 is"),
                };
                // Leading zeros are not written, and are part of the signature.
                let written = value.integer()?;
                let mut padded = vec![0; modulus.len().saturating_sub(written.len())];
                padded.extend(written);
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(algorithm, &message, &padded)
                    .map_err(|_| anyhow!("it is not by this key over this"))
            }
            (Material::Ed25519(point), 22 | 27) => {
                let algorithm = match self.hash {
                    8 => &SHA256,
                    9 => &SHA384,
                    10 => &SHA512,
                    other => bail!("hashes of algorithm {other} are not taken here: SHA-2 is"),
                };
                let mut both = [0; 64];
                if self.algorithm == 27 {
                    both.copy_from_slice(value.take(64)?);
                } else {
                    for half in both.chunks_mut(32) {
                        let written = value.integer()?;
                        let at =
                            half.len().checked_sub(written.len()).context("it is no Ed25519 signature")?;
                        half.iter_mut().skip(at).zip(written).for_each(|(to, from)| *to = *from);
                    }
                }
                UnparsedPublicKey::new(&ED25519, point)
                    .verify(digest(algorithm, &message).as_ref(), &both)
                    .map_err(|_| anyhow!("it is not by this key over this"))
            }
            (Material::Rsa { .. } | Material::Ed25519(_), other) => {
                bail!("its algorithm {other} is not that of the key")
            }
        }
    }
}

fn seconds(bytes: Option<&[u8]>) -> u32 {
    bytes.and_then(|bytes| Bytes(bytes).number(4).ok()).unwrap_or_default()
}

/// The first subpacket of this kind.
fn subpacket(area: &[u8], kind: u8) -> Option<&[u8]> {
    let mut bytes = Bytes(area);
    while !bytes.0.is_empty() {
        let length = new_length(&mut bytes).ok()? as usize;
        let (first, body) = bytes.take(length).ok()?.split_first()?;
        // The highest bit says "critical".
        if first & 0x7f == kind {
            return Some(body);
        }
    }
    None
}
