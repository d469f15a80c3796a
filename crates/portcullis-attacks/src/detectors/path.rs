//! Path traversal and disclosure of well-known files (CWE-22, CWE-73, CWE-98).
//!
//! A value is read as a file system reads a path: dots and separators in any of the spellings that some decoder takes
//! for them, the ways up counted, the file at the end known or not. Ways up alone are common in source code; ways up in
//! disguise are not common anywhere.

mod families;
mod files;
mod runs;
mod wrappers;

use super::Detector;
use crate::{
    class::Class,
    hit::{Hit, Hits},
    leaf::{Field, Where},
    view::View,
};

/// Finds ways up, disguised separators, well-known files and stream wrappers.
pub(super) struct Path;

impl Detector for Path {
    fn class(&self) -> Class {
        Class::Path
    }

    fn literals(&self) -> &'static [&'static str] {
        &[
            "..",
            "./",
            ".\\",
            "etc",
            "proc",
            ".ini",
            ".log",
            "windows",
            "winnt",
            "system32",
            "-inf",
            "0x2e",
            "0x2f",
            "0x5c",
            "%u",
            "%2e",
            "%c0",
            "%c1",
            "%00",
            "\0",
            "\u{fffd}",
            "://",
            "file:",
            "jar:",
            ".config",
            ".conf",
            ".ssh",
            ".aws",
            "htpasswd",
            "_history",
            ".netrc",
            ".pgpass",
            "credentials",
            "passwd",
            "shadow",
            "/var/",
            "/root/",
            "c:\\",
            "c:/",
            "\\\\",
            ".php",
            "database.yml",
        ]
    }

    fn inspect(&self, view: &View<'_>, hits: &mut Hits) {
        let traversal = runs::read(view.lower);
        let file = files::find(view.lower, view.leaf.at);
        if let Some(traversal) = &traversal
            && let Some(hit) = judge_traversal(view, traversal, file.as_ref())
        {
            hits.push(hit);
        }
        if let Some(file) = file
            && let Some(hit) = judge_file(view, file, traversal.as_ref())
        {
            hits.push(hit);
        }
        if let Some(hit) = wrappers::find(view) {
            hits.push(hit);
        }
        if let Some(hit) = cut_by_nul(view) {
            hits.push(hit);
        }
    }
}

/// What of a path reaches a score: ways up in any number are everyday in source code, one is everyday in a file's field.
fn judge_traversal(view: &View<'_>, run: &runs::Traversal, file: Option<&files::Found>) -> Option<Hit> {
    let is_led_to_file = file.is_some() || leads_to_system(view.lower, run);
    let (rule, why) = if run.is_disguised {
        ("disguised_dot_dot", "ways up a directory tree, spelt so that a filter misses them")
    } else if run.is_parameter_trick {
        ("dot_dot_semicolon", "a way up that servers and proxies read differently")
    } else {
        ("dot_dot_traversal", "ways up a directory tree")
    };
    let strength = match (run.ups, run.is_disguised || run.is_parameter_trick, is_led_to_file) {
        (0, false, _) => return None,
        (_, _, true) | (3.., _, _) => 10,
        (2, true, _) => 10,
        (2, false, false) => 9,
        // A client resolves ways up in a path before it sends it (RFC 3986 §5.2.4), so that one who does not means it.
        (_, _, false) if view.leaf.at == Where::Path => 10,
        // Neither does an address' parameter or a form's file lie beside where the program runs.
        (_, _, false) if run.at_start && is_of_request(view) && !is_of_source_tree(view.lower) => 10,
        (_, true, false) => 8,
        (_, false, false) if run.at_start || run.after_slash => 6,
        (_, false, false) => 4,
    };
    let is_rooted = run.at_start || run.after_slash;
    let score = match view.leaf.field {
        Field::Prose | Field::Markup | Field::Query if is_led_to_file => 6,
        Field::Prose | Field::Markup | Field::Query => strength.min(3),
        Field::Code => strength.min(2),
        // Imports, patches and manifests name their neighbours: `../lib/list.ts`.
        Field::File | Field::Url if is_of_source_tree(view.lower) && !is_led_to_file => strength.min(3),
        Field::UserAgent | Field::Referer | Field::Opaque => strength,
        Field::Unknown | Field::Token | Field::File | Field::Url if is_rooted || run.ups > 1 => {
            match strength {
                // A whole value that begins with ways up, or a path that holds two, is nothing an API asks for.
                9 => 10,
                other => other,
            }
        }
        Field::Unknown | Field::Token | Field::File | Field::Url => strength,
    };
    Some(Hit { class: Class::Path, rule, score, span: run.span.clone(), why })
}

fn judge_file(view: &View<'_>, file: files::Found, run: Option<&runs::Traversal>) -> Option<Hit> {
    let strength = match (file.worth, run) {
        (files::Worth::Secret, _) => 10,
        (files::Worth::Telling, Some(run)) if run.ups > 0 => 10,
        // A whole parameter of an address that names a log or a configuration asks for it.
        (files::Worth::Telling, _) if view.leaf.at == Where::Query && file.span.start <= 8 => 10,
        (files::Worth::Telling, _) => 5,
        (files::Worth::NameInPath, _) => 10,
        (files::Worth::Name, Some(run)) if run.ups > 0 || run.is_disguised => 10,
        (files::Worth::Name, _) if file.span.start <= 1 && file.span.end + 1 >= view.text.len() => 7,
        (files::Worth::Name, _) => 3,
    };
    let score = match view.leaf.field {
        Field::Prose | Field::Markup => strength.min(4),
        Field::Code | Field::Query => strength.min(3),
        Field::UserAgent if run.is_none() && file.span.start > 8 => strength.min(6),
        Field::Unknown
        | Field::Token
        | Field::Url
        | Field::File
        | Field::Opaque
        | Field::UserAgent
        | Field::Referer => strength,
    };
    Some(Hit { class: Class::Path, rule: file.rule, score, span: file.span, why: file.why })
}

/// Whether the ways up lead into a directory that every system has.
fn leads_to_system(lower: &[u8], run: &runs::Traversal) -> bool {
    const DIRECTORIES: [&[u8]; 14] = [
        b"etc", b"proc", b"var", b"usr", b"root", b"home", b"opt", b"windows", b"winnt", b"log", b"logs",
        b"boot", b"web-inf", b"conf",
    ];
    let rest = lower.get(run.span.end..).unwrap_or_default();
    let length =
        rest.iter().take(12).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    let is_directory = matches!(rest.get(length), Some(b'/' | b'\\' | b'%' | 0x80..));
    run.ups > 0 && is_directory && rest.get(..length).is_some_and(|name| DIRECTORIES.contains(&name))
}

/// Whether a value is chosen per request, unlike one in a document that describes a program.
fn is_of_request(view: &View<'_>) -> bool {
    match view.leaf.at {
        Where::Query | Where::Cookie | Where::Path => true,
        Where::Body => matches!(view.leaf.field, Field::File | Field::Url),
        Where::Header | Where::Name => false,
    }
}

/// Files that stand beside other files of a program, and are read by whoever builds it.
fn is_of_source_tree(lower: &[u8]) -> bool {
    const ENDINGS: [&[u8]; 14] = [
        b".ts", b".tsx", b".js", b".jsx", b".mjs", b".css", b".scss", b".md", b".rs", b".go", b".py",
        b".svg", b".png", b".h",
    ];
    ENDINGS.iter().any(|ending| lower.ends_with(ending))
}

/// A NUL ends the name for the system but not for the check of its ending: `config.php%00.png` (CWE-158).
fn cut_by_nul(view: &View<'_>) -> Option<Hit> {
    let nul = memchr::memchr(0, view.lower)
        .map(|at| (at, 1))
        .or_else(|| memchr::memmem::find(view.lower, b"%00").map(|at| (at, 3)))?;
    let (before, after) = view.lower.split_at_checked(nul.0)?;
    let after = after.get(nul.1..)?;
    let ends_as_file = after.first() == Some(&b'.') && (2..=6).contains(&after.len());
    let stem = before.rsplit(|byte| matches!(byte, b'/' | b'\\')).next()?;
    let is_named =
        stem.iter().any(u8::is_ascii_alphanumeric) && stem.iter().all(|byte| (0x21..0x7f).contains(byte));
    let looks_like_path = before.iter().any(|byte| matches!(byte, b'/' | b'\\')) || stem.contains(&b'.');
    if !(is_named && looks_like_path && (ends_as_file || after.is_empty())) {
        return None;
    }
    let score = match view.leaf.field {
        Field::Code | Field::Prose | Field::Markup | Field::Query => 3,
        Field::Opaque => 4,
        _ if ends_as_file => 10,
        _ => 6,
    };
    Some(Hit {
        class: Class::Path,
        rule: "name_cut_by_nul",
        score,
        span: nul.0..nul.0 + nul.1,
        why: "a NUL that ends a file's name before its checked ending",
    })
}

#[cfg(test)]
#[path = "path/tests.rs"]
mod tests;
