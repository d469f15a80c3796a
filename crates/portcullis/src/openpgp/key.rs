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

/// A subkey with what the key says of it.
struct Subkey<'a> {
    key: PublicKey<'a>,
    /// When the latest vouching was made, whether it lets the subkey sign, and how long the subkey lasts.
    vouched: Option<(u32, bool, u32)>,
    is_revoked: bool,
}

impl<'a> PublicKey<'a> {
    /// The key of this fingerprint, and the subkeys that it lets sign. A revoked key is an error.
    pub(super) fn trusted(keys: &'a [u8], fingerprint: &Fingerprint) -> anyhow::Result<Vec<Self>> {
        let mut primary: Option<Self> = None;
        let mut subkeys: Vec<Option<Subkey<'a>>> = Vec::new();
        // What the next signatures speak of: a name of the key, or else the last subkey, or else the key.
        let mut name: Option<&[u8]> = None;
        let mut is_ours = false;
        let mut said_last = 0;
        for packet in packet::packets(keys) {
            let packet = packet.context("the key cannot be read")?;
            match packet.tag {
                packet::PUBLIC_KEY => {
                    is_ours = primary.is_none() && Fingerprint::of(packet.body) == *fingerprint;
                    name = None;
                    if is_ours {
                        primary = Some(Self::parse(packet.body).context("the key cannot be used")?);
                    }
                }
                // A subkey of another algorithm, to encrypt with, is none of ours.
                packet::PUBLIC_SUBKEY if is_ours => {
                    let key = Self::parse(packet.body).ok();
                    subkeys.push(key.map(|key| Subkey { key, vouched: None, is_revoked: false }));
                }
                packet::USER_ID if is_ours => name = Some(packet.body),
                packet::USER_ATTRIBUTE if is_ours => name = None,
                packet::SIGNATURE if is_ours => {
                    let Ok(said) = Signature::parse(packet.body) else { continue };
                    let Some(primary) = primary.as_mut() else { continue };
                    primary.hear(&said, name, &mut said_last)?;
                    if let Some(Some(subkey)) = subkeys.last_mut() {
                        subkey.hear(&said, primary);
                    }
                }
                _ => {}
            }
        }
        let primary = primary.with_context(|| format!("there is no key {fingerprint} in it"))?;
        let mut trusted = vec![primary];
        trusted.extend(subkeys.into_iter().flatten().filter_map(Subkey::signing));
        Ok(trusted)
    }

    /// Heeds what the key says of itself: that it is revoked, and when it ends, by the latest word on that, whether
    /// about the key or about one of its names (RFC 9580 §5.2.3.13).
    fn hear(&mut self, said: &Signature<'_>, name: Option<&[u8]>, said_last: &mut u32) -> anyhow::Result<()> {
        let is_about = match said.kind {
            signature::REVOKES_THE_KEY if said.fits(self, &[&self.framed()]).is_ok() => {
                bail!("the key {} is revoked", self.fingerprint)
            }
            signature::ABOUT_THE_KEY => said.fits(self, &[&self.framed()]).is_ok(),
            kind if signature::ABOUT_A_NAME.contains(&kind) => name.is_some_and(|name| {
                let length = u32::try_from(name.len()).unwrap_or(u32::MAX).to_be_bytes();
                said.fits(self, &[&self.framed(), &[0xb4], &length, name]).is_ok()
            }),
            _ => false,
        };
        if is_about && said.made() >= *said_last {
            *said_last = said.made();
            self.lasts = said.key_lasts();
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

impl<'a> Subkey<'a> {
    /// Heeds what the key says of it, in whatever order.
    fn hear(&mut self, said: &Signature<'_>, primary: &PublicKey<'_>) {
        if !matches!(said.kind, signature::BINDS_A_SUBKEY | signature::REVOKES_A_SUBKEY)
            || said.fits(primary, &[&primary.framed(), &self.key.framed()]).is_err()
        {
            return;
        }
        if said.kind == signature::REVOKES_A_SUBKEY {
            self.is_revoked = true;
        } else if self.vouched.is_none_or(|(made, ..)| made <= said.made()) {
            self.vouched = Some((said.made(), said.may_sign(), said.key_lasts()));
        }
    }

    /// The subkey, where it may sign.
    fn signing(self) -> Option<PublicKey<'a>> {
        match self.vouched {
            Some((_, true, lasts)) if !self.is_revoked => Some(PublicKey { lasts, ..self.key }),
            _ => None,
        }
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
