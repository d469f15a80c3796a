//! Calls that read, write or load: files, modules, pages.

use super::{
    calls::{self, Call},
    cursor,
    functions::starts,
};

/// How surely a call to a function of files is an exploit's.
pub(super) fn file(call: &Call<'_>, quoted: bool) -> u8 {
    match call.name.as_slice() {
        b"file_put_contents" | b"highlight_file" | b"show_source" | b"writefilesync" if quoted => 10,
        b"file_get_contents" | b"readfilesync" | b"readdirsync" if quoted => 10,
        b"readfile" | b"scandir" | b"fputs" if quoted => 7,
        b"file_get_contents" | b"file_put_contents" => 6,
        b"unlink" if starts(call.arguments, &[b"__file__"]) => 10,
        b"fopen" if quoted => 6,
        _ => 1,
    }
}

/// How surely a call that loads a module is an exploit's.
pub(super) fn module(call: &Call<'_>) -> u8 {
    let names = |texts: &[&[u8]]| {
        let rest = cursor::part(call.arguments, cursor::skip_filler(call.arguments, 0), call.arguments.len());
        let rest = rest.strip_prefix(b"\\").unwrap_or(rest);
        let Some((b'\'' | b'"' | b'`', rest)) = rest.split_first() else { return false };
        let rest = rest.strip_prefix(b"node:").unwrap_or(rest);
        texts.iter().any(|text| rest.starts_with(text) && !cursor::is_word(cursor::at(rest, text.len())))
    };
    let is_used = cursor::has_any(call.arguments, &[b").", b"')[", b"\")["]);
    match call.name.as_slice() {
        b"__import__" if calls::is_quoted(call.arguments) => 10,
        b"import_module" if names(&[b"os", b"subprocess", b"sys", b"pty"]) => 10,
        b"require" | b"import" if names(&[b"child_process"]) => 10,
        b"require" if cursor::has_any(call.qualifier, &[b"mainmodule", b"process.", b"global."]) => 10,
        b"require" | b"import"
            if is_used && names(&[b"fs", b"os", b"http", b"https", b"net", b"vm", b"repl", b"cluster"]) =>
        {
            8
        }
        b"require" | b"require_once" | b"include" | b"include_once" if is_foreign_page(call.arguments) => 10,
        _ => 1,
    }
}

/// Whether what is included comes from the request or from elsewhere.
fn is_foreign_page(arguments: &[u8]) -> bool {
    const PAGES: [&[u8]; 9] =
        [b"$_", b"'php:", b"\"php:", b"'http", b"\"http", b"'ftp:", b"\"ftp:", b"'data:", b"\"data:"];
    starts(arguments, &PAGES)
}
