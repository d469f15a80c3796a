//! Paths of files, relative to the file that names them.

use std::path::{Path, PathBuf};

use schemars::{Schema, SchemaGenerator};

use crate::{
    codes,
    read::{Read, Reader, text_schema},
    yaml::Node,
};

/// A file or directory: `specs/orders.yaml` or `file:/etc/portcullis/ca.pem`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct FilePath(pub PathBuf);

impl std::ops::Deref for FilePath {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Read for FilePath {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.scalar(node, "the path of a file")?;
        let path = text.strip_prefix("file:").unwrap_or(text);
        if path.is_empty() || path.contains('\0') {
            reader.note(&codes::BAD_VALUE, node.span, format!("`{text}` is no path"));
            return None;
        }
        if let Some((scheme, _)) = path.split_once("://") {
            let message = format!("a file is expected, not a `{scheme}:` address");
            reader.advise(&codes::BAD_VALUE, node.span, message, "write `file:/path` or a relative path");
            return None;
        }
        Some(Self(reader.sources.directory(node.span).join(path)))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_schema("the path of a file", None)
    }
}
