//! Reading corpora of recorded requests.

use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use portcullis_attacks::{Inspector, Judgement, Parts};
use serde_json::Value;

/// A recorded request with what it is known to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) is_attack: bool,
    pub(crate) category: String,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Case {
    /// What the inspector thinks of it.
    pub(crate) fn judge(&self, inspector: &Inspector) -> Judgement {
        let headers: Vec<(&str, &[u8])> =
            self.headers.iter().map(|it| (it.0.as_str(), it.1.as_slice())).collect();
        inspector.request(&Parts {
            method: &self.method,
            target: &self.target,
            headers: &headers,
            body: &self.body,
        })
    }
}

/// The files of requests in a folder: conformance and discovery sets have other shapes.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let listing = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<PathBuf> = listing.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    let is_wanted = |path: &PathBuf| {
        let name = name(path);
        path.extension().is_some_and(|it| it == "jsonl")
            && !name.starts_with("conf-")
            && !name.starts_with("discovery-")
    };
    files.retain(is_wanted);
    files.sort();
    if files.is_empty() {
        return Err(format!("no corpora in {}", folder.display()));
    }
    Ok(files)
}

/// A corpus' name: its file's without the ending.
pub(crate) fn name(file: &Path) -> String {
    file.file_stem().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
}

/// All cases of a file.
pub(crate) fn read(file: &Path) -> Result<Vec<Case>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let numbered = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    numbered
        .map(|(number, line)| case(line).ok_or_else(|| format!("{}:{}: no case", file.display(), number + 1)))
        .collect()
}

fn case(line: &str) -> Option<Case> {
    let value: Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let headers = value.get("headers")?.as_array()?.iter().filter_map(|pair| {
        let name = pair.get(0)?.as_str()?.to_owned();
        Some((name, pair.get(1)?.as_str()?.as_bytes().to_vec()))
    });
    let body = match (text("body"), text("body_b64")) {
        (Some(body), _) if !body.is_empty() => body.into_bytes(),
        (_, Some(coded)) => STANDARD.decode(coded).ok()?,
        _ => Vec::new(),
    };
    Some(Case {
        id: text("id")?,
        is_attack: text("label")? == "attack",
        category: text("category")?,
        method: text("method")?,
        target: text("path")?,
        headers: headers.collect(),
        body,
    })
}
