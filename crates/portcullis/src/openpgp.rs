//! Detached OpenPGP signatures (RFC 9580, version 4 packets), verified against one key whose fingerprint is known: what
//! releases of the OWASP CRS are signed with. RSA and Ed25519 with SHA-2; anything else is refused, not skipped.

mod armor;
mod key;
mod packet;
mod signature;

use anyhow::{Context as _, bail};

pub(crate) use self::key::Fingerprint;
use self::{key::PublicKey, signature::Signature};

/// Verifies that one of the signatures in `signature` (armored or binary) was made over `data` by the key with this
/// fingerprint, or by a signing subkey that it vouches for. `keys` are the public keys to look in.
///
/// # Errors
/// When no signature is by that key, or the one that is does not fit.
pub(crate) fn verify(
    data: &[u8],
    signature: &[u8],
    keys: &[u8],
    fingerprint: &Fingerprint,
) -> anyhow::Result<()> {
    let signature = armor::bytes(signature, "SIGNATURE").context("the signature cannot be read")?;
    let keys = armor::bytes(keys, "PUBLIC KEY BLOCK").context("the key cannot be read")?;
    let signing = PublicKey::trusted(&keys, fingerprint)?;
    let (mut by_others, mut misfit) = (0, None);
    for packet in packet::packets(&signature) {
        let packet = packet.context("the signature cannot be read")?;
        if packet.tag != packet::SIGNATURE {
            continue;
        }
        let signature = Signature::parse(packet.body).context("the signature cannot be read")?;
        if signature.kind != signature::OF_A_DOCUMENT {
            continue;
        }
        let mut is_by_others = true;
        for key in signing.iter().filter(|key| signature.may_be_by(key)) {
            is_by_others = false;
            match signature.verify(key, &[data]) {
                Ok(()) => return Ok(()),
                Err(error) => misfit = Some(error),
            }
        }
        by_others += usize::from(is_by_others);
    }
    if let Some(misfit) = misfit {
        return Err(misfit.context("the signature does not fit: the file is not what was signed"));
    }
    match by_others {
        0 => bail!("there is no signature of a document in it"),
        _ => bail!("the signature is not by the key {fingerprint}"),
    }
}
