//! The path detector on attacks, on what looks like one and is none, and on any bytes.

use super::Path;
use crate::{
    detectors::trial::{Trial, is_linear, lets_pass, never_panics, refuses},
    leaf::{Field, Where},
};

#[test]
fn ways_up() {
    refuses(
        &Path,
        "dot_dot_traversal",
        &["../../x", "a/../../../b", "..\\..\\x.txt", "....//....//x", "../conf/x", "..///..///x"],
    );
    refuses(&Path, "dot_dot_semicolon", &["/a/..;/..;/b"]);
    refuses(
        &Path,
        "disguised_dot_dot",
        &[
            "..%2f..%2fx",
            "%2e%2e/%2e%2e/x",
            "..%c0%af..%c0%afx",
            "0x2e0x2e/0x2e0x2e/x",
            "%u002e%u002e/..%u2215x",
            "..%01/..%01/x",
            "..\u{2215}..\u{2215}x",
        ],
    );
    let raw: &[u8] = b"..\xc0\xaf..\xc0\xafx";
    assert_eq!(Trial::new(raw).score(&Path), 10);
}

#[test]
fn well_known_files() {
    refuses(
        &Path,
        "unix_account_file",
        &["/etc/passwd", "file=/etc/shadow", "/././etc/passwd", "/etc%c0%afpasswd", "??/??/etc/issue"],
    );
    refuses(&Path, "process_file", &["/proc/self/environ", "/proc/version"]);
    refuses(
        &Path,
        "windows_system_file",
        &["c:\\windows\\win.ini", "C:/WINNT/win.ini", "x/boot.ini", "?./?./boot.ini"],
    );
    refuses(&Path, "java_application_file", &["/WEB-INF/web.xml", "a/WEB-INF/classes/x.properties"]);
    refuses(&Path, "key_file", &["/root/.ssh/id_rsa", "~/.aws/credentials"]);
}

#[test]
fn wrappers_and_nul() {
    refuses(
        &Path,
        "stream_wrapper",
        &["php://filter/read=x/resource=y", "phar://x.jpg/a", "expect://id", "zip://a%23b"],
    );
    refuses(&Path, "file_scheme", &["file:///srv/x", "jar:file:///a!/b"]);
    refuses(&Path, "name_cut_by_nul", &["config.php%00.png", "a/b.txt\0.jpg"]);
}

#[test]
fn everyday_paths_pass() {
    lets_pass(
        &Path,
        &[
            "wait... what? etc. and so on",
            "v1.0...v1.1",
            "master..feature",
            "https://example.com/a/b.html",
            "https://example.com/etc/passwd-manager/",
            "reports/2026/q1.pdf",
            "passwords",
            "processes/selfie",
            "12/24/2026",
            "https%3A%2F%2Fexample.com%2Fpath",
            "group etc. hosts",
            "profile: a description of files",
            "no.../maybe",
            "/private/group",
        ],
    );
}

#[test]
fn imports_and_texts_weigh_less() {
    let import = "../../lib/list.ts";
    assert!(Trial::new(import).at(Where::Body).field(Field::File).score(&Path) <= 3);
    assert!(
        Trial::new("import x from '../../lib/list'; cat /etc/passwd")
            .at(Where::Body)
            .field(Field::Code)
            .score(&Path)
            <= 3
    );
    assert!(
        Trial::new("see /etc/passwd for the users").at(Where::Body).field(Field::Prose).score(&Path) <= 4
    );
    assert_eq!(Trial::new("../../../../etc/passwd").at(Where::Body).field(Field::File).score(&Path), 10);
}

#[test]
fn a_client_resolves_its_path() {
    assert_eq!(Trial::new("/static/../x").at(Where::Path).score(&Path), 10);
    assert_eq!(Trial::new("/compare/v1...v2").at(Where::Path).score(&Path), 0);
}

const FRAGMENTS: &[&str] = &[
    "..", "/", "\\", ".", "%2e", "%c0%af", "%u2215", "0x2f", "0x5c", ";/", "etc", "passwd", "boot.ini", "?",
    "%00", "\0", "php://", "file:", "\u{fffd}", "\u{2215}", "a", "windows", "%%", "proc", "self", ":",
    "jar:", ".ssh", " ", "http://x",
];

#[test]
fn any_value_is_read() {
    never_panics(&Path, FRAGMENTS);
}

#[test]
fn long_values_are_read_once() {
    is_linear(&Path, FRAGMENTS);
    is_linear(&Path, &["http://x/etc/passwd ", "../", "etcpasswd", "/:", "a\0", "x://etc/group/"]);
}
