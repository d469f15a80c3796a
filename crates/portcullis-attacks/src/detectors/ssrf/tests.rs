//! The ssrf detector on attacks, on what looks like one and is none, and on any bytes.

use super::Ssrf;
use crate::{
    detectors::trial::{Trial, is_linear, lets_pass, never_panics, refuses},
    leaf::{Field, Where},
};

#[test]
fn addresses_of_the_server_and_its_cloud() {
    refuses(
        &Ssrf,
        "loopback_address",
        &[
            "http://localhost/admin",
            "http://127.0.0.1/x",
            "https://[::1]/a",
            "http://0.0.0.0/x",
            "//localhost/x",
        ],
    );
    refuses(
        &Ssrf,
        "cloud_metadata",
        &[
            "http://169.254.169.254/latest/meta-data/",
            "http://metadata.google.internal/x",
            "http://100.100.100.200/",
            "http://[fd00:ec2::254]/",
        ],
    );
    refuses(&Ssrf, "rebinding_domain", &["http://127.0.0.1.nip.io/", "http://a.lvh.me/x"]);
    assert_eq!(Trial::new("http://192.168.0.1/x").rule(&Ssrf), "private_address");
}

#[test]
fn odd_spellings() {
    refuses(
        &Ssrf,
        "odd_local_address",
        &[
            "http://2130706433/",
            "http://0x7f000001/",
            "http://017700000001/",
            "http://127.1/",
            "http://0x7f.0.0.1/",
            "http://0251.0376.0251.0376/",
            "http://425.510.425.510/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://2852039166/",
        ],
    );
    refuses(
        &Ssrf,
        "odd_address",
        &["http://[::ffff:203.0.113.9]/", "http://0xcb007109/", "http://\u{2461}.\u{24d0}/"],
    );
}

#[test]
fn schemes_tricks_and_inclusion() {
    refuses(
        &Ssrf,
        "forging_scheme",
        &["gopher://x:6379/_a", "dict://x:11211/", "ldap://evil.example/a", "tftp://x/y", "netdoc:///x"],
    );
    refuses(&Ssrf, "pretended_host", &["http://good.example#@evil.example/"]);
    refuses(&Ssrf, "ambiguous_address", &["///evil.example"]);
    refuses(&Ssrf, "remote_inclusion", &["http://evil.example/shell.txt?"]);
    refuses(
        &Ssrf,
        "out_of_band_domain",
        &["http://abcdef123456.oast.pro/", "x abcdef.burpcollaborator.net", "a1b2c3.dnslog.cn"],
    );
    assert_eq!(Trial::new("http://evil.example/x.php").name("page").score(&Ssrf), 10);
    assert_eq!(Trial::new("\\\\evil.example\\share").score(&Ssrf), 8);
}

#[test]
fn addresses_of_the_world_pass() {
    lets_pass(
        &Ssrf,
        &[
            "https://hooks.example.com/services/T0/B0/x?y=1",
            "http://93.184.216.34/x",
            "https://example.com:8443/a",
            "mailto:a@b.example",
            "https://user:secret@example.com/a",
            "1.2.3.4",
            "http://example.com//a//b",
            "see http://localhost:3000/ for the demo",
            "// a comment",
            "https://example.com/page.php",
            "https://example.com/@user",
            "C:\\Users\\x",
            "http://1/",
        ],
    );
}

#[test]
fn where_a_client_goes_back_to_weighs_less() {
    assert!(Trial::new("http://localhost:3000/cb").field(Field::Url).name("redirect_uri").score(&Ssrf) <= 3);
    assert_eq!(
        Trial::new("http://localhost/x").at(Where::Header).field(Field::Referer).name("referer").score(&Ssrf),
        0
    );
    assert!(
        Trial::new("http://localhost:8080").at(Where::Body).field(Field::Url).name("url").score(&Ssrf) <= 7
    );
    assert!(Trial::new("curl http://169.254.169.254/x").at(Where::Body).field(Field::Code).score(&Ssrf) <= 2);
    assert_eq!(
        Trial::new("http://169.254.169.254/x").at(Where::Body).field(Field::Url).name("webhook").score(&Ssrf),
        10
    );
}

const FRAGMENTS: &[&str] = &[
    "http",
    "://",
    "//",
    "/",
    "\\",
    "@",
    "#",
    ":",
    "[",
    "]",
    "::1",
    "127.0.0.1",
    "0x7f",
    "0",
    ".",
    "localhost",
    "gopher",
    "169.254.169.254",
    ".php",
    "?",
    "%00",
    ".oast.pro",
    "a",
    " ",
    "99999999999999999999",
    "ffff",
];

#[test]
fn any_value_is_read() {
    never_panics(&Ssrf, FRAGMENTS);
}

#[test]
fn long_values_are_read_once() {
    is_linear(&Ssrf, FRAGMENTS);
    is_linear(&Ssrf, &["http://a", "a://", "//@", "oast", "x.oast."]);
}
