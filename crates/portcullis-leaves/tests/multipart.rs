//! Multipart bodies at their boundary: bytes in, parts out.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails, and says so")]

use std::fmt::Write as _;

use bytes::Bytes;
use portcullis_leaves::{
    LimitExceeded, Limits,
    multipart::{self, MultipartError},
};
use proptest::prelude::*;

/// The parts of a body whose boundary is `b`; its line ends are written as `\n`.
fn check(body: &str) -> Result<String, MultipartError> {
    let body = Bytes::from(body.replace('\n', "\r\n"));
    let limits = Limits { parts_max: 3, part_header_bytes_max: 120, ..Limits::default() };
    let multipart = multipart::parse(body, "b", &limits)?;
    let mut seen = String::new();
    for part in multipart.parts() {
        let content = multipart.content(part);
        writeln!(seen, "{} {:?} {:?} {content:?}", part.name, part.filename, part.content_type).unwrap();
    }
    Ok(seen)
}

const A: &str = "--b\nContent-Disposition: form-data; name=\"a\"\n\n1";

#[test]
fn takes_parts_apart() {
    let file = "--b\ncontent-disposition:form-data; filename=\"x y%22.bin\"; name=f\nContent-Type: a/b\n\n--\n--c\n\n";
    let body = format!("{A}\n{file}\n--b\nContent-Disposition: form-data; name=\"\"\n\n\n--b--\n");
    insta::assert_snapshot!(check(&body).unwrap(), @r#"
    a None None b"1"
    f Some("x y%22.bin") Some("a/b") b"--\r\n--c\r\n\r\n"
     None None b""
    "#);
    assert_eq!(check("--b--"), Ok(String::new()));
    assert_eq!(check(&format!("{A}\n--b--")), Ok("a None None b\"1\"\n".to_owned()));
}

#[test]
fn refuses_what_receivers_read_differently() {
    use MultipartError::{
        Disposition, Epilogue, Header, MissingEnd, Preamble, RepeatedHeader, TextAfterBoundary,
        TransferEncoding,
    };
    let part = |header: &str| format!("--b\n{header}\n\n1\n--b--\n");
    let form = "Content-Disposition: form-data; name=a";
    for (body, expected) in [
        (String::new(), Preamble),
        (format!("hidden\n{A}\n--b--"), Preamble),
        (format!("\n{A}\n--b--"), Preamble),
        (A.to_owned(), MissingEnd),
        (format!("{A}\n--b"), MissingEnd),
        (format!("{A}\n--b-"), MissingEnd),
        (format!("{A}\n--bc\n--b--"), TextAfterBoundary(55)),
        (format!("{A}\n--b \n--b--"), TextAfterBoundary(55)),
        (format!("{A}\n--b--\n{A}"), Epilogue(57)),
        (part("no colon"), Header(0)),
        (part(&format!("{form}\n folded: 1")), Header(0)),
        (part(&format!("{form}\nx : 1")), Header(0)),
        (part(&format!("{form}\nx: \u{1}")), Header(0)),
        (part(&format!("{form}\nX: 1\nx: 1")), RepeatedHeader(0)),
        (part("Content-Type: a/b"), Disposition(0)),
        (part("Content-Disposition: attachment; name=a"), Disposition(0)),
        (part("Content-Disposition: form-data"), Disposition(0)),
        (part("Content-Disposition: form-data; filename=a"), Disposition(0)),
        (part(&format!("{form}; name=b")), Disposition(0)),
        (part(&format!("{form}; filename*=UTF-8''x")), Disposition(0)),
        (part(&format!("{form}; filename=\"a\\\".txt\"")), Disposition(0)),
        (part(&format!("{form}\nContent-Transfer-Encoding: base64")), TransferEncoding(0)),
    ] {
        assert_eq!(check(&body), Err(expected), "{body}");
    }
    assert!(check(&part(&format!("{form}\nContent-Transfer-Encoding: binary"))).is_ok());
    let bare = Bytes::from(format!("{A}\n--b--"));
    assert_eq!(multipart::parse(bare, "b", &Limits::default()).unwrap_err(), TextAfterBoundary(3));
}

#[test]
fn holds_its_limits() {
    let four = format!("{A}\n{A}\n{A}\n{A}\n--b--");
    assert_eq!(check(&four), Err(MultipartError::Limit(LimitExceeded::Parts(3))));
    let long = format!("--b\nx: {}\nContent-Disposition: form-data; name=a\n\n1\n--b--", "y".repeat(120));
    assert_eq!(check(&long), Err(MultipartError::Limit(LimitExceeded::PartHeaderBytes(120))));
}

#[test]
fn reads_the_boundary() {
    let read = |text: &str| multipart::boundary(text);
    assert_eq!(read("multipart/form-data; boundary=abc").as_deref(), Ok("abc"));
    assert_eq!(read("Multipart/Form-Data; Boundary=\"a=b\"").as_deref(), Ok("a=b"));
    assert_eq!(read("multipart/form-data"), Err(MultipartError::Boundary));
    assert_eq!(read("multipart/form-data; boundary=\"\""), Err(MultipartError::Boundary));
    assert_eq!(read("multipart/form-data; boundary=\"a \""), Err(MultipartError::Boundary));
    assert_eq!(read("multipart/form-data; boundary=a*b"), Err(MultipartError::Boundary));
    assert_eq!(
        read(&format!("multipart/form-data; boundary={}", "a".repeat(71))),
        Err(MultipartError::Boundary)
    );
    assert_eq!(read("text/plain; boundary=a"), Err(MultipartError::NotMultipart));
    assert!(matches!(read("multipart/form-data; boundary=a; boundary=b"), Err(MultipartError::MediaType(_))));
}

proptest! {
    #[test]
    fn never_panics(pieces in proptest::collection::vec(0..10_usize, 0..30)) {
        let words = [
            "--b", "\r\n", "--", "Content-Disposition: form-data; name=\"a\"", "\r\n\r\n", ":", "b", ";", "\0", "\r\n--b",
        ];
        let body: String = pieces.iter().map(|piece| words[*piece]).collect();
        let _ = multipart::parse(Bytes::from(body), "b", &Limits::default());
    }

    #[test]
    fn reads_back_any_content(contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..4)) {
        let mut body = Vec::new();
        for content in &contents {
            body.extend_from_slice(b"--bound\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n");
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--bound--\r\n");
        let parsed = multipart::parse(Bytes::from(body), "bound", &Limits::default()).unwrap();
        let read: Vec<_> = parsed.parts().iter().map(|part| parsed.content(part).to_vec()).collect();
        prop_assert_eq!(read, contents);
    }
}

#[test]
fn a_boundary_that_receivers_read_differently_is_none() {
    for parameters in [
        r#"boundary="a b""#,
        r#"boundary="a,b""#,
        r#"boundary="\a""#,
        r#"boundary=a; x="\b""#,
        "boundary=a; boundary*=UTF-8''b",
        "boundary*0=a; boundary=b",
    ] {
        let read = multipart::boundary(&format!("multipart/form-data; {parameters}"));
        assert_eq!(read, Err(MultipartError::Boundary), "{parameters}");
    }
}

#[test]
fn a_delimiter_after_a_bare_line_end_is_refused() {
    let parse = |content: &str| {
        let body = format!("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n{content}\r\n--b--");
        multipart::parse(body.into(), "b", &Limits::default()).map(|it| it.parts().len())
    };
    for content in ["1\n--b\n", "1\r--b\r", "\n--b--", "1\n--boundary"] {
        assert_eq!(parse(content), Err(MultipartError::HiddenBoundary(0)), "{content:?}");
    }
    for content in ["1--b", "1\n--a", "-\r-b"] {
        assert_eq!(parse(content), Ok(1), "{content:?}");
    }
    let head = "--b\r\nContent-Disposition: form-data; name=a\r\n--b--: x\r\n\r\n1\r\n--b--";
    assert_eq!(multipart::parse(head.into(), "b", &Limits::default()).err(), Some(MultipartError::Header(0)));
}
