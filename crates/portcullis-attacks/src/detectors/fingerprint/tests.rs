//! The fingerprint detector on attacks, on what looks like one and is none, and on any bytes.

use super::{Fingerprint, paths};
use crate::{
    detectors::{
        Detector as _,
        trial::{Trial, is_linear, never_panics},
    },
    leaf::{Field, Where},
};

fn path(path: &str) -> u8 {
    Trial::new(path).at(Where::Path).name("").score(&Fingerprint)
}

fn agent(agent: &str) -> u8 {
    Trial::new(agent).at(Where::Header).field(Field::UserAgent).name("user-agent").score(&Fingerprint)
}

fn upload(filename: &str) -> u8 {
    Trial::new(filename).at(Where::Body).field(Field::File).name("filename").score(&Fingerprint)
}

#[test]
fn scanners() {
    assert_eq!(agent("sqlmap/1.7#stable (https://sqlmap.org)"), 10);
    assert_eq!(agent("Mozilla/5.00 (Nikto/2.1.6) (Evasions:None)"), 10);
    assert_eq!(
        agent(
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"
        ),
        0
    );
    assert_eq!(agent("curl/8.5.0"), 0);
    assert_eq!(agent("python-requests/2.31"), 0);
}

#[test]
fn probed_paths() {
    for probed in [
        "/.git/config",
        "/app/.svn/entries",
        "/.env",
        "/.env.production",
        "/.DS_Store",
        "/web.config",
        "/index.php.bak",
        "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
        "/uploads/shell.php",
        "/img/x.php.jpeg",
        "/do.php;.png",
        "/backup.gz",
    ] {
        assert_eq!(path(probed), 10, "{probed}");
    }
    assert_eq!(path("/server-status"), 9);
    assert_eq!(path("/actuator/heapdump"), 8);
}

#[test]
fn paths_of_apis_pass() {
    for plain in [
        "/v1/users/5",
        "/.well-known/openid-configuration",
        "/repos/a/b/contents/.github/workflows/ci.yml",
        "/repos/a/b.git/info/refs",
        "/console",
        "/environments/5",
        "/api/backup/jobs",
        "/compare/v1...v2",
        "/files/report.sqlite",
        "/actuator/health",
        "/index.php",
        "/gitignore/templates",
        "/my_index/_snapshot/x",
    ] {
        assert!(path(plain) < 7, "{plain}: {}", path(plain));
    }
}

#[test]
fn uploads() {
    for script in ["shell.php", "a.jsp", "x.php.jpeg", "x.php;.png", "x.aspx", "..\\x.asp", "../../x.jsp"] {
        assert_eq!(upload(script), 10, "{script}");
    }
    for plain in ["report.pdf", "photo.jpeg", "php.png", "archive.tar.gz", "src/index.php", "my.php5th.txt"] {
        assert_eq!(upload(plain), 0, "{plain}");
    }
}

#[test]
fn bound_parameters() {
    let name = |name: &str| Trial::new(name).at(Where::Name).score(&Fingerprint);
    assert_eq!(name("class.module.classLoader.resources.context"), 10);
    assert_eq!(name("classLoader"), 0);
    assert_eq!(name("unix:/var/run/x|http://evil.example/"), 10);
    assert_eq!(name("unix:time"), 0);
}

#[test]
fn every_family_passes_the_prefilter() {
    for text in paths::texts().chain(super::agents::TOOLS.iter().copied()) {
        let shown = format!("/{text}");
        let has = Fingerprint.literals().iter().any(|literal| shown.contains(literal));
        assert!(has, "no literal lets `{text}` through");
    }
}

const FRAGMENTS: &[&str] = &[
    "/",
    ".git",
    ".env",
    "wp-login.php",
    ".php",
    ".png",
    ";",
    "classLoader",
    "class",
    ".",
    "unix:",
    "|",
    "aaaaaaaaaaaaaaaaaaaa",
    "sqlmap",
    "%00",
    "cgi-bin",
    "actuator/env",
    "~",
    "shell",
];

#[test]
fn any_value_is_read() {
    never_panics(&Fingerprint, FRAGMENTS);
}

#[test]
fn long_values_are_read_once() {
    is_linear(&Fingerprint, FRAGMENTS);
}
