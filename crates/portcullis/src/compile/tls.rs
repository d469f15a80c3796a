//! `tls:` → what a listener's handshakes are made with.

use std::{path::Path, sync::Arc};

use portcullis_config::{
    Outside,
    model::{Certificates, ClientCertificateMode, Listener, TlsSettings as Written, TlsVersion},
    units::FilePath,
};
use portcullis_gateway::tls::{
    self, CertificateSource, CertificateStore, ClientCertificates, MinVersion, TlsSettings,
};

use super::{World, listeners, problem::Problem};

/// Builds the TLS of a listener; `None` for clear text, and where nothing may be written (the local authority of a
/// configuration that is only looked at).
pub(crate) fn compile(
    name: &Arc<str>,
    listener: &Listener,
    outside: &dyn Outside,
    world: &World,
) -> Result<Option<Arc<rustls::ServerConfig>>, Vec<Problem>> {
    let Some(written) = listener.tls.on() else {
        return Ok(None);
    };
    let subject = format!("listener {name}");
    let Some(sources) = sources(&subject, written, outside, world)? else {
        return Ok(None);
    };
    let failed = |error: tls::TlsError| vec![Problem::of(&subject, &error)];
    let settings = TlsSettings {
        certificates: CertificateStore::load(sources, world.clock.now()).map_err(failed)?,
        min_version: match written.min_version {
            TlsVersion::Tls12 => MinVersion::Tls12,
            TlsVersion::Tls13 => MinVersion::Tls13,
        },
        protocols: listeners::protocols(&listener.protocols),
        clients: clients(&subject, written, outside)?,
    };
    tls::server_config(settings).map(Some).map_err(failed)
}

fn sources(
    subject: &str,
    written: &Written,
    outside: &dyn Outside,
    world: &World,
) -> Result<Option<Vec<CertificateSource>>, Vec<Problem>> {
    match &written.certificates {
        Certificates::Auto => {
            // Making an authority is a change: not for a configuration that is only looked at.
            let names = written.names.iter().map(ToString::to_string).collect();
            let local = |data: &std::path::PathBuf| {
                vec![CertificateSource::Local { directory: data.join("tls"), names }]
            };
            Ok(world.data.as_ref().map(local))
        }
        Certificates::Files(files) => {
            let mut sources = Vec::new();
            for file in files {
                if !file.names.is_empty() {
                    let message =
                        "`names` beside a certificate is not supported yet: it is served for the names in it";
                    return Err(vec![Problem::error(subject, message)]);
                }
                // Read here as well, so that the watcher knows the files and a missing one is named.
                for path in [&file.certificate, &file.key] {
                    read(subject, &path.0, outside)?;
                }
                let (FilePath(chain), FilePath(key)) = (file.certificate.clone(), file.key.clone());
                sources.push(CertificateSource::Files { chain, key });
            }
            Ok(Some(sources))
        }
    }
}

fn clients(
    subject: &str,
    written: &Written,
    outside: &dyn Outside,
) -> Result<ClientCertificates, Vec<Problem>> {
    let clients = &written.client_certificates;
    let roots = |ca: &Option<FilePath>| match ca {
        Some(path) => read(subject, &path.0, outside).map(|text| Arc::<[u8]>::from(text.into_bytes())),
        None => Err(vec![Problem::error(subject, "client certificates need the authorities that sign them")]),
    };
    match clients.mode {
        ClientCertificateMode::Off => Ok(ClientCertificates::Off),
        ClientCertificateMode::Optional => roots(&clients.ca).map(ClientCertificates::Optional),
        ClientCertificateMode::Required => roots(&clients.ca).map(ClientCertificates::Required),
    }
}

fn read(subject: &str, path: &Path, outside: &dyn Outside) -> Result<String, Vec<Problem>> {
    outside
        .read(path)
        .map_err(|error| vec![Problem::error(subject, format!("cannot read `{}`: {error}", path.display()))])
}
