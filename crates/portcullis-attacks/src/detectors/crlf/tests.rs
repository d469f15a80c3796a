//! The crlf detector on attacks, on what looks like one and is none, and on any bytes.

use super::Crlf;
use crate::{
    detectors::trial::{Trial, is_linear, lets_pass, never_panics, refuses},
    leaf::{Field, Where},
};

#[test]
fn headers_after_a_line_end() {
    refuses(
        &Crlf,
        "injected_header",
        &[
            "x\r\nSet-Cookie: a=b",
            "x\nContent-Length: 0",
            "\u{560d}\u{560a}Set-Cookie:a=b",
            "x\\r\\nSet-Cookie: a",
            "x%0d%0aContent-Type: text/html",
        ],
    );
    refuses(&Crlf, "split_response", &["x\r\n\r\nHTTP/1.1 200 OK\r\n"]);
    refuses(&Crlf, "injected_mail_header", &["a@b.example\nBcc: c@d.example"]);
}

#[test]
fn lines_of_text_pass() {
    lets_pass(
        &Crlf,
        &[
            "Dear all,\r\nsubject: lunch\r\nbye",
            "one\ntwo\nthree",
            "key: value\nother: value",
            "Cache-Control: no-cache\r\nContent-Type: text/html\r\n",
            "set-cookie: a=b",
            "x\nlocations: many",
        ],
    );
}

#[test]
fn a_path_has_no_lines() {
    assert_eq!(Trial::new("/admin/%0dtest").at(Where::Path).score(&Crlf), 10);
    assert_eq!(Trial::new("/admin/test").at(Where::Path).score(&Crlf), 0);
}

#[test]
fn texts_weigh_less() {
    let text = "x\r\nSet-Cookie: a=b";
    assert!(Trial::new(text).at(Where::Body).field(Field::Prose).score(&Crlf) <= 3);
    let dump = "GET / HTTP/1.1\r\nHost: a\r\nAccept: b\r\nX-C: d\r\nContent-Type: e\r\n";
    assert!(Trial::new(dump).at(Where::Body).score(&Crlf) < 7);
}

const FRAGMENTS: &[&str] = &[
    "\r",
    "\n",
    "%0d",
    "%0a",
    "\\r",
    "\\n",
    "\u{560a}",
    "\u{560d}",
    "\u{85}",
    "\u{2028}",
    "Set-Cookie",
    ":",
    " ",
    "HTTP/1.1",
    "<html",
    "bcc",
    "x-a",
    "Location",
    "a",
];

#[test]
fn any_value_is_read() {
    never_panics(&Crlf, FRAGMENTS);
}

#[test]
fn long_values_are_read_once() {
    is_linear(&Crlf, FRAGMENTS);
}
