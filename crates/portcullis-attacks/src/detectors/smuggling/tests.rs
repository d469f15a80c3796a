//! The smuggling detector on attacks, on what looks like one and is none, and on any bytes.

use super::Smuggling;
use crate::{
    detectors::trial::{Trial, is_linear, lets_pass, never_panics, refuses},
    leaf::{Field, Where},
};

#[test]
fn requests_inside_values() {
    refuses(
        &Smuggling,
        "request_line",
        &["0\r\n\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n", "x\nPOST /a HTTP/1.1\r\n"],
    );
    refuses(
        &Smuggling,
        "chunked_framing",
        &["x\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding : chunked"],
    );
}

#[test]
fn talk_of_http_passes() {
    lets_pass(
        &Smuggling,
        &[
            "we speak HTTP/1.1 and HTTP/2",
            "the get method of HTTP/1.1",
            "the transfer-encoding header",
            "Mozilla/5.0 HTTP/1.0",
            "a forget /x HTTPS",
        ],
    );
}

#[test]
fn texts_weigh_less() {
    let text = "x\nGET / HTTP/1.1\r\n";
    assert!(Trial::new(text).at(Where::Body).field(Field::Prose).score(&Smuggling) <= 4);
    assert!(Trial::new(text).at(Where::Body).field(Field::Code).score(&Smuggling) <= 2);
}

const FRAGMENTS: &[&str] = &[
    "GET",
    "POST",
    " ",
    "/",
    "*",
    "http",
    " HTTP/1.1",
    "\r\n",
    "\n",
    "\\n",
    "Transfer-Encoding",
    ":",
    "chunked",
    "0",
    "a",
];

#[test]
fn any_value_is_read() {
    never_panics(&Smuggling, FRAGMENTS);
}

#[test]
fn long_values_are_read_once() {
    is_linear(&Smuggling, FRAGMENTS);
}
