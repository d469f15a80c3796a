//! From a file's name to something that can be put in force, or to the whole explanation why not.

use std::{fmt, io::IsTerminal as _, os::unix::fs::OpenOptionsExt as _, path::Path, sync::Arc};

use anyhow::Context as _;
use base64::Engine as _;
use portcullis_auth::internal_token::SigningKey;
use portcullis_config::{
    Outside, Sources, Style,
    model::{self, Config},
};
use portcullis_core::{
    clock::{Entropy as _, Timestamp},
    secret::Secret,
};

use crate::{
    compile::{
        self, Compiled, World,
        problem::{Problem, Weight},
    },
    system::SystemEntropy,
};

/// A configuration as read, without mistakes of the language.
pub(crate) struct Loaded {
    /// What was written.
    pub(crate) config: Config,
    /// Warnings, rendered.
    pub(crate) warnings: String,
}

/// The configuration is refused; the text is all that is wrong with it.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.trim_end())
    }
}

impl std::error::Error for Refused {}

/// Reads a configuration.
pub(crate) fn read(path: &Path, outside: &dyn Outside, now: Timestamp) -> Result<Loaded, Refused> {
    let loaded = portcullis_config::load(path, outside, now);
    let text = rendered(&loaded.diagnostics, &loaded.sources);
    match loaded.config {
        Some(config) => Ok(Loaded { config, warnings: text }),
        None => Err(Refused(text)),
    }
}

/// Compiles what was read.
pub(crate) fn compile(
    loaded: &Loaded,
    outside: &dyn Outside,
    world: &World,
    before: Option<&Compiled>,
    generation: u64,
) -> Result<Compiled, Refused> {
    let (compiled, problems) = compile::compile(&loaded.config, outside, world, before, generation);
    match compiled {
        Some(compiled) => {
            for problem in &problems {
                tracing::warn!("{problem}");
            }
            Ok(compiled)
        }
        None => Err(Refused(problems_text(&problems))),
    }
}

/// All problems, one below the other, the worst first.
pub(crate) fn problems_text(problems: &[Problem]) -> String {
    let of = |weight: Weight| problems.iter().filter(move |it| it.severity == weight);
    let all = of(Weight::Error).chain(of(Weight::Warning));
    all.map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Whether text for a person goes to a terminal that shows colours (no-color.org).
pub(crate) fn colour() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// All remarks with their snippets; empty when there are none.
pub(crate) fn rendered(diagnostics: &[portcullis_config::Diagnostic], sources: &Sources) -> String {
    if diagnostics.is_empty() {
        return String::new();
    }
    // The counts at its end are left to the caller, who has more to count.
    let text = portcullis_config::render(diagnostics, sources, style());
    text.trim_end()
        .rsplit_once('\n')
        .map_or_else(|| text.clone(), |(remarks, _counts)| remarks.trim_end().to_owned())
}

/// How text for a person is written.
fn style() -> Style {
    if colour() { Style::Colour } else { Style::Plain }
}

/// The ending of a plural.
pub(crate) const fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// The provider that keys of this gate belong to: the first of that kind, or the usual name.
pub(crate) fn api_key_provider(config: &Config) -> Arc<str> {
    let is_keys = |provider: &model::Provider| matches!(provider, model::Provider::ApiKeys(_));
    let found = config.identity.providers.iter().find(|(_, it)| is_keys(it));
    found.map_or_else(|| "api_keys".into(), |(name, _)| Arc::clone(name))
}

/// Authorities that identity providers may be signed by besides the public ones: `SSL_CERT_FILE`, as OpenSSL has it.
pub(crate) fn extra_authorities() -> anyhow::Result<Option<Vec<u8>>> {
    let Some(path) = std::env::var_os("SSL_CERT_FILE") else {
        return Ok(None);
    };
    let read =
        std::fs::read(&path).with_context(|| format!("cannot read `{}` (SSL_CERT_FILE)", path.display()))?;
    Ok(Some(read))
}

/// A new Ed25519 key, and the same as PKCS #8 in PEM (RFC 8410 §7).
pub(crate) fn new_identity_key() -> anyhow::Result<(SigningKey, Secret<String>)> {
    /// Version 0, algorithm 1.3.101.112, an octet string of 34 bytes holding one of 32.
    const PREFIX: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let mut seed = [0u8; 32];
    SystemEntropy.fill(&mut seed);
    let der: Secret<Vec<u8>> = Secret::new(PREFIX.iter().chain(&seed).copied().collect());
    zeroize::Zeroize::zeroize(&mut seed);
    let text = base64::engine::general_purpose::STANDARD.encode(der.reveal());
    let pem = Secret::new(format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"));
    Ok((SigningKey::from_pem(pem.reveal())?, pem))
}

/// Makes a directory that nobody else may enter: it holds signing keys.
pub(crate) fn make_private(directory: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    if directory.exists() && !directory.is_dir() {
        anyhow::bail!("the data directory `{}` is not a directory", directory.display());
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .with_context(|| format!("the data directory `{}` cannot be made", directory.display()))?;
    let mode = std::fs::metadata(directory)?.permissions().mode();
    if mode & 0o007 != 0 {
        tracing::warn!(
            "the data directory `{}` is open to others (mode {:o})",
            directory.display(),
            mode & 0o777
        );
    }
    Ok(())
}

/// Writes a file that nobody else may read, whole or not at all.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    use std::io::Write as _;
    let fresh = path.with_extension("fresh");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)
        .with_context(|| format!("cannot write `{}`", fresh.display()))?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&fresh, path).with_context(|| format!("cannot write `{}`", path.display()))
}
