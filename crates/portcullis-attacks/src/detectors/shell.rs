//! Operating-system command injection, Unix and Windows (CWE-78, CWE-88, CWE-97).
//!
//! A value is read as a shell reads a line: where may a command begin, which words follow once quotes, escapes, empty
//! variables and globs are gone, and do they fit the command. A word that also is English needs more about it than one
//! that only a machine reads; prose after it tells that it is prose.

mod commands;
mod glob;
mod line;
mod marks;
mod places;
mod score;
mod words;

use super::Detector;
use crate::{class::Class, hit::Hits, view::View};

/// Finds commands in places where a shell would run them.
pub(super) struct Shell;

impl Detector for Shell {
    fn class(&self) -> Class {
        Class::Shell
    }

    fn literals(&self) -> &'static [&'static str] {
        &[
            ";",
            "|",
            "&",
            "`",
            "$",
            "\n",
            "\r",
            "\\n",
            "<(",
            "() {",
            "(){",
            "<!--#",
            "%0a",
            "/bin/",
            "/dev/tcp",
            "{ :;",
            "/?",
            "?/",
            "*/",
            "/*",
            "ls ",
            "cat ",
            "cat+",
            "id ",
            "dir ",
            "ping ",
            "curl ",
            "wget ",
            "echo ",
            "sleep ",
            "nc ",
            "nc.",
            "bash",
            "sh ",
            "whoami",
            "ipconfig",
            "ifconfig",
            "netstat",
            "systeminfo",
            "uname",
            "nslookup",
            "powershell",
            "cmd.exe",
            "cmd /",
            "certutil",
            "bitsadmin",
            "mshta",
            "-oproxycommand",
            "upload-pack",
            "files-in-pager",
            "checkpoint-action",
            "allow_url_include",
            "auto_prepend",
            "net user",
            "net view",
            "type c:",
            "printenv",
            "tasklist",
            "python",
            "perl ",
            "php ",
            "ruby ",
            "find /",
            "rm ",
            "touch ",
            "chmod ",
            "expr ",
            "^",
            "ld_preload",
            ":~",
            "c/p",
            "c/s",
            "n/c",
            "-enc",
            "%3b",
            "%7c",
            "invoke-",
            "iex",
            "downloadstring",
            "cmd=",
            "exec ",
            "eval(",
            "exec(",
            "head ",
            "tail ",
            "id",
            "ls",
            "pwd",
        ]
    }

    fn inspect(&self, view: &View<'_>, hits: &mut Hits) {
        marks::find(view, hits);
        if let Some(hit) = score::best_command(view) {
            hits.push(hit);
        }
        if let Some(hit) = glob::find(view) {
            hits.push(hit);
        }
    }
}

#[cfg(test)]
#[path = "shell/tests.rs"]
mod tests;
