//! Reads a file and the files it includes.

use std::{
    collections::{BTreeSet, VecDeque},
    io,
    path::{Path, PathBuf},
};

use super::glob;
use crate::{
    codes::{self, Code},
    diagnostic::Diagnostic,
    outside::Outside,
    source::{Sources, Span},
    yaml::{self, Node, Value},
};

/// Files of one configuration.
const FILES_MAX: usize = 10_000;

/// The system's words and numbers say little about files to those who do not program.
fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::IsADirectory => "it is a directory, not a file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::InvalidData => "it is no text in UTF-8".to_owned(),
        _ => error.to_string(),
    }
}

/// All documents, the main file first. Files that cannot be read or parsed are noted and left out.
pub(super) fn read_all(
    main: &Path,
    outside: &dyn Outside,
    sources: &mut Sources,
) -> (Vec<Node>, Vec<Diagnostic>) {
    let mut trees = Vec::new();
    let mut diagnostics = Vec::new();
    let mut seen = BTreeSet::from([main.to_path_buf()]);
    let mut open: VecDeque<(PathBuf, Option<Span>)> = VecDeque::from([(main.to_path_buf(), None)]);
    while let Some((path, from)) = open.pop_front() {
        let text = match outside.read(&path) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("`{}` cannot be read: {}", path.display(), why(&error));
                let is_missing = from.is_none() && error.kind() == io::ErrorKind::NotFound;
                let hint = is_missing.then(|| "`-c FILE` names another".to_owned());
                diagnostics.push(Diagnostic { hint, ..remark(&codes::UNREADABLE, message, from, sources) });
                continue;
            }
        };
        let file = sources.add(path, text);
        let text =
            sources.file(Span { file, start: 0, end: 0 }).map(|it| it.text.as_str()).unwrap_or_default();
        let (tree, mistakes) = yaml::parse(text, file);
        for mistake in mistakes {
            let also = mistake.also.map(|(span, label)| (span, sources.origin(span), label));
            let hint = mistake.hint;
            let it = remark(mistake.code, mistake.message, Some(mistake.span), sources);
            diagnostics.push(Diagnostic { hint, also, ..it });
        }
        let Some(tree) = tree else { continue };
        for (pattern, span) in includes(&tree, sources, &mut diagnostics) {
            let files = match glob::files_matching(&sources.directory(span), &pattern, outside) {
                Ok(files) => files,
                Err(error) => {
                    let message = format!("`{pattern}` cannot be followed: {error}");
                    diagnostics.push(remark(&codes::TOO_LARGE, message, Some(span), sources));
                    continue;
                }
            };
            if files.is_empty() {
                let message = format!("`{pattern}` matches no file");
                diagnostics.push(remark(&codes::NOTHING_INCLUDED, message, Some(span), sources));
            }
            for file in files {
                if glob::is_pattern(&pattern) && file.extension().is_none() {
                    continue;
                }
                if seen.insert(file.clone()) {
                    open.push_back((file, Some(span)));
                }
            }
        }
        trees.push(tree);
        if seen.len() > FILES_MAX {
            diagnostics.push(remark(
                &codes::TOO_LARGE,
                format!("more than {FILES_MAX} files"),
                None,
                sources,
            ));
            break;
        }
    }
    (trees, diagnostics)
}

/// The patterns that a document includes.
fn includes(tree: &Node, sources: &Sources, diagnostics: &mut Vec<Diagnostic>) -> Vec<(String, Span)> {
    let Some(node) = tree.key("include") else { return Vec::new() };
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        Value::Null | Value::Scalar(_) | Value::Map(_) => std::slice::from_ref(node),
    };
    let mut patterns = Vec::new();
    for item in items {
        match item.scalar() {
            Some(text) => patterns.push((text.to_owned(), item.span)),
            None => {
                let message = format!("expected a pattern of file names, found {}", item.kind());
                diagnostics.push(remark(&codes::WRONG_TYPE, message, Some(item.span), sources));
            }
        }
    }
    patterns
}

pub(super) fn remark(
    code: &'static Code,
    message: String,
    span: Option<Span>,
    sources: &Sources,
) -> Diagnostic {
    let origin = span.map(|span| sources.origin(span));
    Diagnostic { span, origin, ..Diagnostic::new(code, message) }
}
