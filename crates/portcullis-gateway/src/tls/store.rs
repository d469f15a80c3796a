//! The certificates of a listener: chosen by the server name, read again when their files change.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use hashbrown::HashMap;
use portcullis_core::clock::Timestamp;
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::{TlsError, authority, identity, provider};

/// Where a certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateSource {
    /// PEM files: the chain, own certificate first, and its key.
    Files {
        /// The chain's file.
        chain: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// A certificate issued at load by an authority of our own, which lives in a directory as `ca.pem` and `ca.key`
    /// and is made there at first. For `localhost`, 127.0.0.1, `::1` and these names and addresses besides.
    Local {
        /// The directory.
        directory: PathBuf,
        /// Further names and addresses.
        names: Vec<String>,
    },
}

/// What is known about one certificate, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateStatus {
    /// The names it stands for.
    pub names: Vec<Box<str>>,
    /// The end of its validity.
    pub not_after: Timestamp,
}

/// The certificates of a listener. The first one answers clients that name no server or one that nobody has.
#[derive(Debug)]
pub struct CertificateStore {
    sources: Vec<CertificateSource>,
    current: ArcSwap<Current>,
    /// One reload at a time.
    reloading: Mutex<()>,
}

#[derive(Debug)]
struct Current {
    exact: HashMap<Box<str>, Arc<CertifiedKey>>,
    /// By what follows `*.`.
    wildcard: HashMap<Box<str>, Arc<CertifiedKey>>,
    default: Arc<CertifiedKey>,
    status: Vec<CertificateStatus>,
}

impl CertificateStore {
    /// Loads every certificate.
    pub fn load(sources: Vec<CertificateSource>, now: Timestamp) -> Result<Arc<Self>, TlsError> {
        let current = ArcSwap::from_pointee(Current::load(&sources, now)?);
        Ok(Arc::new(Self { sources, current, reloading: Mutex::new(()) }))
    }

    /// Reads everything again: to be called when a file has changed, and once a day so that local certificates are
    /// renewed. When anything is wrong, everything stays as it was.
    pub fn reload(&self, now: Timestamp) -> Result<(), TlsError> {
        let _one = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        self.current.store(Arc::new(Current::load(&self.sources, now)?));
        Ok(())
    }

    /// What it was loaded from: an unchanged listener keeps its store over reloads.
    pub fn sources(&self) -> &[CertificateSource] {
        &self.sources
    }

    /// The files to watch.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.sources.iter().flat_map(|source| match source {
            CertificateSource::Files { chain, key } => vec![chain.as_path(), key.as_path()],
            CertificateSource::Local { .. } => Vec::new(),
        })
    }

    /// What is known about each certificate, in the order of the sources.
    pub fn status(&self) -> Vec<CertificateStatus> {
        self.current.load().status.clone()
    }
}

impl ResolvesServerCert for CertificateStore {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.current.load();
        let Some(name) = hello.server_name() else {
            return Some(Arc::clone(&current.default));
        };
        let name = name.to_ascii_lowercase();
        let parent = name.split_once('.').map(|(_, parent)| parent);
        let found = current.exact.get(&*name).or_else(|| current.wildcard.get(parent?));
        Some(Arc::clone(found.unwrap_or(&current.default)))
    }
}

impl Current {
    fn load(sources: &[CertificateSource], now: Timestamp) -> Result<Self, TlsError> {
        let (mut exact, mut wildcard) = (HashMap::new(), HashMap::new());
        let (mut default, mut status) = (None, Vec::new());
        for source in sources {
            let (key, known) = match source {
                CertificateSource::Files { chain, key } => from_files(chain, key)?,
                CertificateSource::Local { directory, names } => authority::issue(directory, names, now)?,
            };
            for name in &known.names {
                // The first source that has a name keeps it.
                match name.strip_prefix("*.") {
                    Some(parent) => wildcard.entry(Box::from(parent)).or_insert_with(|| Arc::clone(&key)),
                    None => exact.entry(name.clone()).or_insert_with(|| Arc::clone(&key)),
                };
            }
            default.get_or_insert(key);
            status.push(known);
        }
        Ok(Self { exact, wildcard, default: default.ok_or(TlsError::Nothing)?, status })
    }
}

fn from_files(
    chain_path: &Path,
    key_path: &Path,
) -> Result<(Arc<CertifiedKey>, CertificateStatus), TlsError> {
    let chain_pem = read_file(chain_path)?;
    let key_pem = read_file(key_path)?;
    let no_chain = || TlsError::Content { path: chain_path.into(), what: "certificate" };
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&chain_pem).collect::<Result<_, _>>().map_err(|_| no_chain())?;
    let key = PrivateKeyDer::from_pem_slice(&key_pem)
        .map_err(|_| TlsError::Content { path: key_path.into(), what: "private key" })?;
    certified(chain, key, chain_path, key_path)
}

/// Puts a chain and its key together.
pub(super) fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    chain_path: &Path,
    key_path: &Path,
) -> Result<(Arc<CertifiedKey>, CertificateStatus), TlsError> {
    let (names, not_after) = chain
        .first()
        .and_then(identity::names)
        .ok_or_else(|| TlsError::Content { path: chain_path.into(), what: "certificate" })?;
    let key = CertifiedKey::from_der(chain, key, &provider())
        .map_err(|source| TlsError::Key { path: key_path.into(), source })?;
    Ok((Arc::new(key), CertificateStatus { names, not_after }))
}

/// Reads a certificate or key file, which is never large.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, TlsError> {
    use std::io::Read as _;
    const BYTES_MAX: u64 = 1024 * 1024;
    let read = || {
        let mut bytes = Vec::new();
        let mut file = std::fs::File::open(path)?.take(BYTES_MAX);
        std::io::copy(&mut file, &mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|source| TlsError::File { path: path.into(), source })
}
