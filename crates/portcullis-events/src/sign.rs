//! Signed checkpoints: a C2SP signed note (c2sp.org/signed-note, Ed25519, RFC 8032) whose text follows
//! c2sp.org/tlog-checkpoint, except that the hash is the head of the chain and not the root of a tree.
//!
//! ```text
//! portcullis/audit              the log's origin
//! 1042                          how many records it covers
//! 3q2+7w…=                      the hash of the last of them
//! at 1800000000000000           when, in microseconds since the epoch
//! next 1024                     the following checkpoint comes within so many records
//!
//! — portcullis/audit Az3grl…    who signed, and the signature
//! ```

use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use portcullis_core::clock::{Entropy, Timestamp};

use crate::{chain::Hash, error::EventsError};

/// The origin of checkpoints and the name of the key.
pub const ORIGIN: &str = "portcullis/audit";

/// The signature type of Ed25519 in a signed note.
const ED25519_TYPE: u8 = 0x01;

/// The longest note that is read. A note is 250 bytes.
const NOTE_BYTES_MAX: usize = 4096;

/// What a checkpoint states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// How many records it covers: all with a smaller number.
    pub size: u64,
    /// The hash of the last of them.
    pub hash: Hash,
    /// When it was signed.
    pub at: Timestamp,
    /// The following checkpoint comes within so many records.
    pub within: u64,
}

impl Statement {
    fn text(&self) -> String {
        let hash = STANDARD.encode(self.hash.0);
        format!("{ORIGIN}\n{}\n{hash}\nat {}\nnext {}\n", self.size, self.at.as_micros(), self.within)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        if lines.next()? != ORIGIN {
            return None;
        }
        let size = lines.next()?.parse().ok()?;
        let hash = STANDARD.decode(lines.next()?).ok()?.try_into().ok().map(Hash)?;
        let at = Timestamp::from_micros(lines.next()?.strip_prefix("at ")?.parse().ok()?);
        let within = lines.next()?.strip_prefix("next ")?.parse().ok()?;
        lines.next().is_none().then_some(Self { size, hash, at, within })
    }
}

/// The private key of the audit log.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: VerifyingKey,
}

impl SigningKey {
    /// A key from 32 secret bytes (RFC 8032 §5.1.5).
    ///
    /// # Errors
    /// When the library refuses the seed.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, EventsError> {
        Self::new(Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| EventsError::Sign)?)
    }

    /// Reads `audit.key` (PKCS#8 in PEM, mode 0600) from the data directory, or makes it at the first start, and
    /// writes the public half beside it to `audit.pub`, as one line that note verifiers take.
    ///
    /// # Errors
    /// When a file cannot be used or does not hold a key.
    pub fn open(directory: &Path, entropy: &dyn Entropy) -> Result<Self, EventsError> {
        let path = directory.join("audit.key");
        let failed = |e| EventsError::file(&path, e);
        let key = match fs::read_to_string(&path) {
            Ok(pem) => Self::from_pem(&pem).ok_or_else(|| EventsError::Key {
                path: path.clone(),
                what: "an Ed25519 key in PKCS#8 PEM form",
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let mut seed = [0; 32];
                entropy.fill(&mut seed);
                let key = Self::from_seed(&seed)?;
                let mut file = OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(&path)
                    .map_err(failed)?;
                file.write_all(key.pem()?.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
                key
            }
            Err(error) => return Err(failed(error)),
        };
        let public = directory.join("audit.pub");
        let line = format!("{}\n", key.public.line());
        if fs::read_to_string(&public).ok().as_deref() != Some(&line) {
            fs::write(&public, line).map_err(|e| EventsError::file(&public, e))?;
        }
        Ok(key)
    }

    /// The public half.
    pub const fn public(&self) -> &VerifyingKey {
        &self.public
    }

    /// The signed note of a statement.
    ///
    /// # Errors
    /// When the library cannot sign.
    pub fn sign(&self, statement: &Statement) -> Result<String, EventsError> {
        let mut note = statement.text();
        let signature = self.pair.try_sign(note.as_bytes()).map_err(|_| EventsError::Sign)?;
        let mut blob = self.public.id.to_vec();
        blob.extend_from_slice(signature.as_ref());
        // Writing to a string cannot fail.
        let _ = write!(note, "\n— {ORIGIN} {}\n", STANDARD.encode(blob));
        Ok(note)
    }

    fn new(pair: Ed25519KeyPair) -> Result<Self, EventsError> {
        let bytes: [u8; 32] = pair.public_key().as_ref().try_into().map_err(|_| EventsError::Sign)?;
        Ok(Self { pair, public: VerifyingKey::new(bytes) })
    }

    fn pem(&self) -> Result<String, EventsError> {
        let document = self.pair.to_pkcs8v1().map_err(|_| EventsError::Sign)?;
        let text = STANDARD.encode(document.as_ref());
        let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
        let mut rest = text.as_str();
        while let Some((line, after)) = rest.split_at_checked(64) {
            pem.push_str(line);
            pem.push('\n');
            rest = after;
        }
        pem.push_str(rest);
        pem.push_str("\n-----END PRIVATE KEY-----\n");
        Ok(pem)
    }

    fn from_pem(pem: &str) -> Option<Self> {
        let inner = pem.trim().strip_prefix("-----BEGIN PRIVATE KEY-----")?;
        let inner: String = inner.strip_suffix("-----END PRIVATE KEY-----")?.split_whitespace().collect();
        let der = STANDARD.decode(inner).ok()?;
        Self::new(Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).ok()?).ok()
    }
}

/// The public key of an audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    bytes: [u8; 32],
    id: [u8; 4],
}

/// Why a note is not a checkpoint of this log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteFlaw {
    /// It is not a signed note, or its text is not a checkpoint.
    Malformed,
    /// It is signed by another key only.
    OtherKey,
    /// The signature does not fit the text.
    Forged,
}

impl VerifyingKey {
    fn new(bytes: [u8; 32]) -> Self {
        let mut input = ORIGIN.as_bytes().to_vec();
        input.extend_from_slice(&[b'\n', ED25519_TYPE]);
        input.extend_from_slice(&bytes);
        let [a, b, c, d, ..] = Hash::of(&input).0;
        Self { bytes, id: [a, b, c, d] }
    }

    /// The key as one line: `name+id+base64`.
    pub fn line(&self) -> String {
        let mut blob = vec![ED25519_TYPE];
        blob.extend_from_slice(&self.bytes);
        let [a, b, c, d] = self.id;
        format!("{ORIGIN}+{a:02x}{b:02x}{c:02x}{d:02x}+{}", STANDARD.encode(blob))
    }

    /// Reads the form that [`VerifyingKey::line`] writes.
    pub fn parse(line: &str) -> Option<Self> {
        // The base64 may hold a `+` itself.
        let mut parts = line.trim().splitn(3, '+');
        if parts.next()? != ORIGIN {
            return None;
        }
        let id = parts.next()?;
        let blob = STANDARD.decode(parts.next()?).ok()?;
        let (ED25519_TYPE, bytes) = blob.split_first().map(|(kind, rest)| (*kind, rest))? else {
            return None;
        };
        let key = Self::new(bytes.try_into().ok()?);
        let [a, b, c, d] = key.id;
        (id == format!("{a:02x}{b:02x}{c:02x}{d:02x}")).then_some(key)
    }

    /// Reads `audit.pub` or a copy of it kept elsewhere.
    ///
    /// # Errors
    /// When the file cannot be read or does not hold a key.
    pub fn open(path: &Path) -> Result<Self, EventsError> {
        let text = fs::read_to_string(path).map_err(|e| EventsError::file(path, e))?;
        Self::parse(&text).ok_or_else(|| EventsError::Key {
            path: path.to_owned(),
            what: "the public key of an audit log (`portcullis/audit+…`)",
        })
    }

    /// What a note states, if this key signed it.
    ///
    /// # Errors
    /// Says why it is not a checkpoint of this log.
    pub fn verify(&self, note: &str) -> Result<Statement, NoteFlaw> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteFlaw::Malformed);
        }
        let at = note.find("\n\n").ok_or(NoteFlaw::Malformed)?;
        let (text, signatures) = note.split_at_checked(at + 1).ok_or(NoteFlaw::Malformed)?;
        let statement = Statement::parse(text).ok_or(NoteFlaw::Malformed)?;
        for line in signatures.lines() {
            let Some((name, blob)) = line.strip_prefix("— ").and_then(|it| it.split_once(' ')) else {
                continue;
            };
            let Ok(blob) = STANDARD.decode(blob) else { continue };
            let Some((id, signature)) = blob.split_at_checked(4) else { continue };
            if name == ORIGIN && id == self.id {
                let key = UnparsedPublicKey::new(&ED25519, self.bytes);
                let sound = key.verify(text.as_bytes(), signature).is_ok();
                return if sound { Ok(statement) } else { Err(NoteFlaw::Forged) };
            }
        }
        Err(NoteFlaw::OtherKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement() -> Statement {
        Statement { size: 1042, hash: Hash::of(b"x"), at: Timestamp::from_secs(1_800_000_000), within: 1024 }
    }

    #[test]
    fn a_note_reads_back_under_its_key_only() {
        let key = SigningKey::from_seed(&[7; 32]).unwrap();
        let note = key.sign(&statement()).unwrap();
        assert_eq!(key.public().verify(&note), Ok(statement()));
        let forged = note.replace("\n1042\n", "\n1041\n");
        assert_eq!(key.public().verify(&forged), Err(NoteFlaw::Forged));
        let other = SigningKey::from_seed(&[8; 32]).unwrap();
        assert_eq!(other.public().verify(&note), Err(NoteFlaw::OtherKey));
        for cut in 0..note.len() {
            if let Some(part) = note.get(..cut) {
                assert!(cut == note.len() - 1 || key.public().verify(part).is_err(), "{cut}");
            }
        }
        let line = key.public().line();
        assert_eq!(VerifyingKey::parse(&line).as_ref(), Some(key.public()));
        assert_eq!(VerifyingKey::parse(&line.replace("portcullis", "elsewhere")), None);
    }

    struct Fixed;

    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(9);
        }
    }

    #[test]
    fn the_key_is_made_once_and_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let key = SigningKey::open(dir.path(), &Fixed).unwrap();
        let again = SigningKey::open(dir.path(), &Fixed).unwrap();
        assert_eq!(key.public(), again.public());
        assert_eq!(&VerifyingKey::open(&dir.path().join("audit.pub")).unwrap(), key.public());
        let mode = fs::metadata(dir.path().join("audit.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(dir.path().join("audit.key"), "nonsense").unwrap();
        assert!(matches!(SigningKey::open(dir.path(), &Fixed), Err(EventsError::Key { .. })));
    }
}
