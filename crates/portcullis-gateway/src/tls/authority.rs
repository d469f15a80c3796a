//! An authority of our own for `tls: auto`: one root per data directory, which a developer trusts once.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
    time::Duration,
};

use portcullis_core::clock::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};

use super::{
    TlsError, identity,
    store::{CertificateStatus, certified, read_file},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Browsers refuse longer ones, and a reload issues anew.
const LEAF_VALID: Duration = DAY.saturating_mul(90);
const ROOT_VALID: Duration = DAY.saturating_mul(3650);
/// Clocks of clients are wrong by less.
const BACKDATED: Duration = DAY;

/// Issues a certificate for this machine and `names`, making the authority where there is none. The key of the
/// certificate is never written; that of the authority is readable by its owner alone.
pub(super) fn issue(
    directory: &Path,
    names: &[String],
    now: Timestamp,
) -> Result<(Arc<CertifiedKey>, CertificateStatus), TlsError> {
    let (root_path, key_path) = (directory.join("ca.pem"), directory.join("ca.key"));
    if !root_path.exists() {
        create(directory, &root_path, &key_path, now)?;
    }
    let root_pem = text(&root_path)?;
    let no_key = || TlsError::Content { path: key_path.clone(), what: "private key" };
    let root_key = KeyPair::from_pem(&text(&key_path)?).map_err(|_| no_key())?;
    let no_root = || TlsError::Content { path: root_path.clone(), what: "certificate" };
    let root = CertificateDer::from_pem_slice(root_pem.as_bytes()).map_err(|_| no_root())?;
    let (_, not_after) = identity::names(&root).ok_or_else(no_root)?;
    if not_after <= now {
        return Err(TlsError::Content { path: root_path, what: "certificate: it has expired" });
    }
    let issuer = Issuer::new(root_params(), root_key);

    let mut all = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    all.extend(names.iter().map(|name| name.to_ascii_lowercase()).filter(|name| !name.is_empty()));
    all.dedup();
    let mut params = CertificateParams::new(all).map_err(TlsError::Authority)?;
    params.distinguished_name = named("Portcullis on this machine");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    set_validity(&mut params, now, LEAF_VALID);
    let key = KeyPair::generate().map_err(TlsError::Authority)?;
    let leaf = params.signed_by(&key, &issuer).map_err(TlsError::Authority)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    certified(vec![leaf.der().clone(), root], key, &root_path, &key_path)
}

fn create(directory: &Path, root_path: &Path, key_path: &Path, now: Timestamp) -> Result<(), TlsError> {
    let key = KeyPair::generate().map_err(TlsError::Authority)?;
    let mut params = root_params();
    set_validity(&mut params, now, ROOT_VALID);
    let root = params.self_signed(&key).map_err(TlsError::Authority)?;
    fs::create_dir_all(directory).map_err(|source| TlsError::File { path: directory.into(), source })?;
    // The key first: an authority without its key would never be mended.
    write(key_path, key.serialize_pem().as_bytes(), 0o600)?;
    write(root_path, root.pem().as_bytes(), 0o644)
}

/// What every authority made here has in common, so that its name need not be read back from its certificate.
fn root_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named("Portcullis local authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), TlsError> {
    // A key left behind by a start that died between the two files has signed nothing.
    let _ = fs::remove_file(path);
    let written = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    written().map_err(|source| TlsError::File { path: path.into(), source })
}

fn text(path: &Path) -> Result<String, TlsError> {
    String::from_utf8(read_file(path)?)
        .map_err(|_| TlsError::Content { path: path.into(), what: "certificate or key" })
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn set_validity(params: &mut CertificateParams, now: Timestamp, valid: Duration) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let now = Duration::from_secs(now.as_secs());
    params.not_before = epoch + now.saturating_sub(BACKDATED);
    params.not_after = epoch + (now + valid);
}
