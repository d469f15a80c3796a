//! Public keys (RFC 9580 §5.5.2), and which of them may sign in the name of a fingerprint.

use std::{fmt, str::FromStr};

use anyhow::{Context as _, bail, ensure};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::{
    packet::{self, Bytes},
    signature::{self, Signature},
};

/// The fingerprint of a version 4 key: what people compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 20]);

/// A key that can verify.
pub(super) struct PublicKey<'a> {
    pub(super) fingerprint: Fingerprint,
    /// Seconds since the Unix epoch.
    pub(super) created: u32,
    /// Seconds after its creation; 0 is never.
    pub(super) lasts: u32,
    pub(super) material: Material<'a>,
    body: &'a [u8],
}

/// What a key verifies with.
pub(super) enum Material<'a> {
    Rsa { modulus: &'a [u8], exponent: &'a [u8] },
    Ed25519(&'a [u8]),
}

/// The curve's object identifier in keys of algorithm 22 (RFC 9580 §9.2).
const ED25519_LEGACY: [u8; 9] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];

impl<'a> PublicKey<'a> {
    /// The key of this fingerprint, and the subkeys that it lets sign. A revoked key is an error.
    pub(super) fn trusted(keys: &'a [u8], fingerprint: &Fingerprint) -> anyhow::Result<Vec<Self>> {
        let mut trusted: Vec<Self> = Vec::new();
        // The subkey that signatures speak of, until the next key.
        let mut subkey: Option<Self> = None;
        let mut is_ours = false;
        for packet in packet::packets(keys) {
            let packet = packet.context("the key cannot be read")?;
            match packet.tag {
                packet::PUBLIC_KEY => {
                    let key = Self::parse(packet.body);
                    is_ours = trusted.is_empty() && Fingerprint::of(packet.body) == *fingerprint;
                    subkey = None;
                    if is_ours {
                        trusted.push(key.context("the key cannot be used")?);
                    }
                }
                // A subkey of another algorithm, to encrypt with, is none of ours.
                packet::PUBLIC_SUBKEY if is_ours => subkey = Self::parse(packet.body).ok(),
                packet::SIGNATURE if is_ours => {
                    let Ok(vouching) = Signature::parse(packet.body) else { continue };
                    let Some(primary) = trusted.first_mut() else { continue };
                    primary.hear(&vouching, &mut subkey)?;
                    if vouching.kind == signature::BINDS_A_SUBKEY
                        && vouching.may_sign()
                        && let Some(mut bound) = subkey.take()
                        && vouching.verify(primary, &[&primary.framed(), &bound.framed()]).is_ok()
                    {
                        bound.lasts = vouching.key_lasts();
                        trusted.push(bound);
                    }
                }
                _ => {}
            }
        }
        ensure!(!trusted.is_empty(), "there is no key {fingerprint} in it");
        Ok(trusted)
    }

    /// Heeds what the key says of itself: that it is revoked, that a subkey is, when it ends.
    fn hear(&mut self, said: &Signature<'_>, subkey: &mut Option<Self>) -> anyhow::Result<()> {
        match said.kind {
            signature::REVOKES_THE_KEY if said.verify(self, &[&self.framed()]).is_ok() => {
                bail!("the key {} is revoked", self.fingerprint)
            }
            signature::REVOKES_A_SUBKEY => {
                let revoked = subkey
                    .as_ref()
                    .is_some_and(|it| said.verify(self, &[&self.framed(), &it.framed()]).is_ok());
                if revoked {
                    *subkey = None;
                }
            }
            // About the key itself; those about a name are over the name too, and say the same end.
            signature::ABOUT_THE_KEY if said.verify(self, &[&self.framed()]).is_ok() => {
                self.lasts = said.key_lasts();
            }
            _ => {}
        }
        Ok(())
    }

    fn parse(body: &'a [u8]) -> anyhow::Result<Self> {
        let mut bytes = Bytes(body);
        let version = bytes.byte()?;
        ensure!(version == 4, "keys of version {version} are not taken here");
        let created = bytes.number(4)?;
        let material = match bytes.byte()? {
            1 | 3 => Material::Rsa { modulus: bytes.integer()?, exponent: bytes.integer()? },
            22 => {
                let length = usize::from(bytes.byte()?);
                ensure!(bytes.take(length)? == ED25519_LEGACY, "the key is of an unknown curve");
                match bytes.integer()? {
                    [0x40, point @ ..] if point.len() == 32 => Material::Ed25519(point),
                    _ => bail!("the key's point is no Ed25519 point"),
                }
            }
            27 => Material::Ed25519(bytes.take(32)?),
            other => bail!("keys of algorithm {other} are not taken here: RSA and Ed25519 are"),
        };
        Ok(Self { fingerprint: Fingerprint::of(body), created, lasts: 0, material, body })
    }

    /// The key as it is hashed (RFC 9580 §5.2.4).
    fn framed(&self) -> Vec<u8> {
        framed(self.body)
    }
}

fn framed(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap_or(u16::MAX);
    let mut framed = vec![0x99];
    framed.extend(length.to_be_bytes());
    framed.extend(body);
    framed
}

impl Fingerprint {
    fn of(body: &[u8]) -> Self {
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &framed(body));
        let mut bytes = [0; 20];
        bytes.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
        Self(bytes)
    }

    /// Whether these bytes are its end: a key id is the last eight.
    pub(super) fn ends_with(&self, bytes: &[u8]) -> bool {
        self.0.ends_with(bytes)
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits: Vec<u8> = text.bytes().filter(|byte| !b" :".contains(byte)).collect();
        let mut bytes = [0; 20];
        if digits.len() != 40 {
            return Err("a fingerprint has 40 hexadecimal digits".to_owned());
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).unwrap_or_default();
            *byte = u8::from_str_radix(pair, 16)
                .map_err(|_| "a fingerprint has 40 hexadecimal digits".to_owned())?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}
