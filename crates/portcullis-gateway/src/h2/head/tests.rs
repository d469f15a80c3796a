//! What a head may and may not hold.

use super::*;
use crate::h2::hpack::Decoder;

const BOUNDS: Bounds = Bounds { bytes_max: 1_000, fields_max: 5 };

fn draft(fields: &[(&str, &str)]) -> Draft {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            let mut number = text.len();
            if number < 127 {
                block.push(number.to_le_bytes()[0]);
            } else {
                number -= 127;
                block.push(0x7f);
                while number >= 128 {
                    block.push(number.to_le_bytes()[0] | 0x80);
                    number >>= 7;
                }
                block.push(number.to_le_bytes()[0]);
            }
            block.extend_from_slice(text.as_bytes());
        }
    }
    let mut draft = Draft::new(BOUNDS);
    Decoder::new().decode(&block, |field| draft.add(field)).unwrap();
    draft
}

fn request(fields: &[(&str, &str)], ends: bool) -> Result<RequestHead, HeadFault> {
    draft(fields).request(ends, &mut None)
}

const LINE: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "https"), (":authority", "h.example:8443"), (":path", "/a?b=c")];

fn with<'a>(fields: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    LINE.iter().chain(fields).copied().collect()
}

#[test]
fn a_head_is_read() {
    let head = request(&with(&[("accept", "*/*"), ("te", "trailers")]), true).unwrap();
    let request = head.request;
    assert_eq!((request.method(), request.version()), (&Method::GET, Version::HTTP_2));
    assert_eq!(request.uri(), "https://h.example:8443/a?b=c");
    assert_eq!(
        (request.headers().len(), &request.headers()["accept"]),
        (2, &HeaderValue::from_static("*/*"))
    );
    assert!(!head.waits_for_continue);
}

#[test]
fn an_authority_may_be_a_host_and_is_remembered() {
    let line: Vec<_> =
        LINE.iter().copied().filter(|(name, _)| *name != ":authority").chain([("host", "h")]).collect();
    let head = request(&line, true).unwrap();
    assert_eq!(
        (head.request.uri().authority(), &head.request.headers()["host"]),
        (None, &HeaderValue::from_static("h"))
    );
    let mut known = None;
    draft(&LINE).request(true, &mut known).unwrap();
    assert_eq!(known.as_ref().map(Authority::as_str), Some("h.example:8443"));
    let mut other = LINE;
    other[2].1 = "other";
    assert_eq!(draft(&other).request(true, &mut known).unwrap().request.uri().host(), Some("other"));
}

#[test]
fn crumbs_of_a_cookie_become_one() {
    let head = request(&with(&[("cookie", "a=b"), ("x", "y"), ("cookie", "c=d")]), true).unwrap();
    let cookies: Vec<_> = head.request.headers().get_all(COOKIE).iter().collect();
    assert_eq!(cookies, ["a=b; c=d"]);
}

#[test]
fn the_pseudo_header_fields_are_each_once_and_first() {
    for missing in [":method", ":scheme", ":path"] {
        let line: Vec<_> = LINE.iter().copied().filter(|(name, _)| *name != missing).collect();
        assert_eq!(request(&line, true).unwrap_err(), HeadFault::Pseudo, "{missing}");
    }
    for more in [(":path", "/a?b=c"), (":status", "200")] {
        assert_eq!(request(&with(&[more]), true).unwrap_err(), HeadFault::Pseudo, "{more:?}");
    }
    let late: Vec<_> = [("x", "y")].into_iter().chain(LINE).collect();
    assert_eq!(request(&late, true).unwrap_err(), HeadFault::Pseudo);
    assert_eq!(request(&with(&[(":protocol", "websocket")]), true).unwrap_err(), HeadFault::Field);
}

#[test]
fn bad_heads_are_refused() {
    for (field, fault) in [
        (("X", "y"), HeadFault::Field),
        (("x y", "z"), HeadFault::Field),
        (("x", "a\rb"), HeadFault::Field),
        (("x", "a\nb"), HeadFault::Field),
        (("x", "a\0b"), HeadFault::Field),
        (("x", " a"), HeadFault::Field),
        (("x", "a\t"), HeadFault::Field),
        (("", "a"), HeadFault::Field),
        (("connection", "close"), HeadFault::OfConnection),
        (("keep-alive", "1"), HeadFault::OfConnection),
        (("proxy-connection", "close"), HeadFault::OfConnection),
        (("transfer-encoding", "chunked"), HeadFault::OfConnection),
        (("upgrade", "websocket"), HeadFault::OfConnection),
        (("te", "gzip"), HeadFault::OfConnection),
        (("content-length", "1"), HeadFault::Length),
        (("content-length", "+0"), HeadFault::Length),
        (("content-length", ""), HeadFault::Length),
        (("content-length", "18446744073709551616"), HeadFault::Length),
    ] {
        assert_eq!(request(&with(&[field]), true).unwrap_err(), fault, "{field:?}");
    }
    let twice = [("content-length", "1"), ("content-length", "1")];
    assert_eq!(request(&with(&twice), false).unwrap_err(), HeadFault::Length);
    assert_eq!(request(&with(&[("content-length", "1")]), false).unwrap().length, Some(1));
}

#[test]
fn bad_lines_are_refused() {
    for (at, value, fault) in [
        (0, "G T", HeadFault::Method),
        (0, "", HeadFault::Method),
        (1, "ht tp", HeadFault::Authority),
        (2, "u:p@h", HeadFault::Authority),
        (2, "a b", HeadFault::Authority),
        (2, "h/x", HeadFault::Authority),
        (3, "", HeadFault::Path),
        (3, "a", HeadFault::Path),
        (3, "*", HeadFault::Path),
        (3, "/a b", HeadFault::Path),
        (3, "/a#b", HeadFault::Path),
        (3, "http://h/", HeadFault::Path),
    ] {
        let mut line = LINE;
        line[at].1 = value;
        assert_eq!(request(&line, true).unwrap_err(), fault, "{value}");
    }
    let mut line = LINE;
    (line[0].1, line[3].1) = ("OPTIONS", "*");
    assert_eq!(request(&line, true).unwrap().request.uri().path(), "*");
}

#[test]
fn connect_has_a_line_of_its_own() {
    let line = [(":method", "CONNECT"), (":authority", "h:443")];
    assert_eq!(request(&line, false).unwrap().request.uri(), "h:443");
    assert_eq!(request(&line[..1], false).unwrap_err(), HeadFault::Pseudo);
    let mut line = LINE;
    line[0].1 = "CONNECT";
    assert_eq!(request(&line, false).unwrap_err(), HeadFault::Pseudo);
}

#[test]
fn heads_are_bounded() {
    let many: Vec<_> = std::iter::repeat_n(("x", "y"), 6).collect();
    assert_eq!(request(&with(&many[..5]), true).unwrap().request.headers().len(), 5);
    assert_eq!(request(&with(&many), true).unwrap_err(), HeadFault::Fields);
    let large = "x".repeat(800);
    assert_eq!(request(&with(&[("x", &large)]), true).unwrap_err(), HeadFault::Bytes);
    assert!(request(&with(&[("x", &"x".repeat(600))]), true).is_ok());
}

#[test]
fn trailers_are_fields_alone() {
    assert_eq!(draft(&[("a", "b"), ("grpc-status", "0")]).trailers().unwrap().len(), 2);
    assert_eq!(draft(&[(":path", "/")]).trailers().unwrap_err(), HeadFault::Pseudo);
    assert_eq!(draft(&[("A", "b")]).trailers().unwrap_err(), HeadFault::Field);
}

fn written(fields: &[(&'static str, &'static str)], length: Length) -> Vec<String> {
    let fields: HeaderMap =
        fields.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect();
    let mut output = Vec::new();
    let date = || HeaderValue::from_static("then");
    answer(&mut Encoder::new(), &mut output, StatusCode::OK, fields.iter(), length, date);
    let mut lines = Vec::new();
    let take = |field: Field| match field {
        Field::Pseudo(pseudo, value) => {
            lines.push(format!("{pseudo:?}: {}", String::from_utf8_lossy(&value)))
        }
        Field::Plain(name, value) => lines.push(format!("{name}: {}", value.to_str().unwrap())),
        Field::Bad { .. } => panic!("a bad field was written"),
    };
    Decoder::new().decode(&output, take).unwrap();
    lines
}

#[test]
fn an_answer_is_framed_by_what_the_gate_knows() {
    let fields =
        [("connection", "close"), ("transfer-encoding", "chunked"), ("content-length", "9"), ("x", "y")];
    assert_eq!(written(&fields, Length::Is(7)), ["Status: 200", "x: y", "content-length: 7", "date: then"]);
    assert_eq!(written(&fields, Length::Unsaid), ["Status: 200", "x: y", "date: then"]);
    assert_eq!(written(&fields, Length::AsSaid), ["Status: 200", "content-length: 9", "x: y", "date: then"]);
    assert_eq!(written(&[("date", "now")], Length::Unsaid), ["Status: 200", "date: now"]);
}
