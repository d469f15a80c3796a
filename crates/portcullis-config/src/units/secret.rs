//! References to secrets. The value is fetched when it is needed and is never part of the configuration.

use std::path::PathBuf;

use portcullis_core::secret::Secret;
use schemars::{Schema, SchemaGenerator};

use crate::{
    codes,
    outside::Outside,
    read::{Read, Reader, text_schema},
    yaml::Node,
};

/// Where a secret is: `env:NAME` or `file:/path`. A literal is taken with a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// In an environment variable.
    Env(String),
    /// In a file; a line end at the end of it does not count.
    File(PathBuf),
    /// In the configuration itself.
    Literal(Secret<String>),
}

/// A secret that cannot be had. It names the reference, never the value.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set.
    #[error("the environment variable `{0}` is not set")]
    NoVariable(String),
    /// The file cannot be read.
    #[error("the secret file `{path}` cannot be read")]
    NoFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is nothing in it.
    #[error("the secret in {0} is empty")]
    Empty(String),
}

impl SecretRef {
    /// Fetches the secret.
    ///
    /// # Errors
    /// When the variable or file does not exist or is empty.
    pub fn resolve(&self, outside: &dyn Outside) -> Result<Secret<String>, SecretError> {
        let value = match self {
            Self::Env(name) => {
                Secret::new(outside.variable(name).ok_or_else(|| SecretError::NoVariable(name.clone()))?)
            }
            Self::File(path) => {
                let source = |source| SecretError::NoFile { path: path.clone(), source };
                let text = Secret::new(outside.read(path).map_err(source)?);
                Secret::new(text.reveal().trim_end_matches(['\r', '\n']).to_owned())
            }
            Self::Literal(secret) => secret.clone(),
        };
        if value.reveal().is_empty() {
            return Err(SecretError::Empty(self.to_string()));
        }
        Ok(value)
    }
}

/// The reference; for a literal a word in its place.
impl std::fmt::Display for SecretRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Literal(_) => f.write_str("(written in the configuration)"),
        }
    }
}

impl Read for SecretRef {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.scalar(node, "a reference to a secret")?;
        if let Some(name) = text.strip_prefix("env:") {
            let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if name.is_empty() || !plain {
                reader.note(&codes::BAD_VALUE, node.span, "an environment variable is written `env:NAME`");
                return None;
            }
            return Some(Self::Env(name.to_owned()));
        }
        if let Some(path) = text.strip_prefix("file:") {
            return Some(Self::File(reader.sources.directory(node.span).join(path)));
        }
        let key = reader.path.last().cloned().unwrap_or_default();
        let at = reader.diagnostics.len();
        let message = format!("the secret `{key}` is written in the configuration");
        reader.advise(&codes::LITERAL_SECRET, node.span, message, "write `env:NAME` or `file:/path`");
        if let Some(it) = reader.diagnostics.get_mut(at) {
            it.conceal = true;
        }
        Some(Self::Literal(Secret::new(text.to_owned())))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_schema("a reference to a secret: env:NAME or file:/path", None)
    }
}
