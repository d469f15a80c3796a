//! Bodies of MULTIPART: whole, odd and broken ones.

use super::*;
use proptest::prelude::*;

const LIMITS: Limits = Limits { files_max: 10, arguments_max: 10 };
const TYPE: &[u8] = b"multipart/form-data; boundary=xyz";

struct Read {
    parsed: Parsed,
    values: Values,
}

impl Read {
    fn list(&self, variable: Variable) -> Vec<String> {
        let text = |span| String::from_utf8_lossy(self.values.bytes(span)).into_owned();
        let entries = self.values.list(List::of(variable)).iter();
        entries.map(|entry| format!("{}={}", text(entry.name), text(entry.value))).collect()
    }
}

fn read_as(content_type: &[u8], body: &[u8]) -> Read {
    let mut values = Values::new(0);
    let parsed = parse(&mut values, body, content_type, LIMITS);
    Read { parsed, values }
}

fn read(body: &str) -> Read {
    read_as(TYPE, body.replace('\n', "\r\n").as_bytes())
}

#[test]
fn gives_arguments_files_and_headers() {
    let read = read(
        "--xyz\nContent-Disposition: form-data; name=\"a\"\n\none\ntwo\n--xyz\nContent-Disposition: form-data; name=\"f\"; filename=\"x.php\"\nContent-Type: text/plain\n\n12345\n--xyz--\n",
    );
    assert_eq!(read.parsed.fault, None);
    assert!(!read.parsed.flags.is_strict_error());
    assert_eq!(read.parsed.flags.unmatched_boundary, 2);
    assert_eq!(read.list(Variable::ArgsPost), ["a=one\r\ntwo"]);
    assert_eq!(read.list(Variable::Files), ["f=x.php"]);
    assert_eq!(read.list(Variable::FilesSizes), ["f=5"]);
    assert_eq!(read.list(Variable::FilesTmpContent), ["f=12345"]);
    assert_eq!(
        read.list(Variable::MultipartPartHeaders),
        [
            "a=Content-Disposition: form-data; name=\"a\"",
            "f=Content-Disposition: form-data; name=\"f\"; filename=\"x.php\"",
            "f=Content-Type: text/plain"
        ]
    );
    assert_eq!(read.parsed.files_bytes, 5);
}

fn flags(body: &str) -> Flags {
    read(body).parsed.flags
}

#[test]
fn raises_a_flag_for_each_oddity() {
    let part = "Content-Disposition: form-data; name=\"a\"\n\n1\n";
    assert!(flags(&format!("early\n--xyz\n{part}--xyz--\n")).data_before);
    assert!(flags(&format!("--xyz\n{part}--xyz--\nlate")).data_after);
    assert!(flags("--xyz\nContent-Disposition: form-data;\n name=\"a\"\n\n1\n--xyz--\n").header_folding);
    assert!(
        flags("--xyz\nContent-Disposition: form-data;\n\u{b}name=\"a\"\n\n1\n--xyz--\n")
            .invalid_header_folding
    );
    assert!(flags("--xyz\nContent-Disposition: form-data; name='a'\n\n1\n--xyz--\n").invalid_quoting);
    assert!(flags("--xyz\nContent-Disposition: form-data\n\n1\n--xyz--\n").invalid_part);
    assert!(
        flags(&format!("--xyz\nContent-Disposition: form-data; name=\"b\"\n\n--xyz\n{part}--xyz--\n"))
            .invalid_part
    );
    assert_eq!(flags(&format!("--xyz\n{part}--xyy\n--xyz--\n")).unmatched_boundary, 2);
    assert_eq!(flags(&format!("--xyz\n{part}a--xyz--\n")).unmatched_boundary, 1);
    assert!(
        read_as(TYPE, b"--xyz\nContent-Disposition: form-data; name=\"a\"\n\n1\n--xyz--\n")
            .parsed
            .flags
            .lf_line
    );
    let mixed = read_as(TYPE, b"--xyz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\n--xyz--\r\n")
        .parsed
        .flags;
    assert!(mixed.lf_line && mixed.crlf_line);
    let good =
        read_as(TYPE, b"--xyz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--xyz--").parsed;
    assert_eq!((good.flags.is_strict_error(), good.fault), (false, None));
}

#[test]
fn reads_the_boundary_strictly() {
    let body = b"--xyz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--xyz--\r\n";
    let flags = |header: &[u8]| read_as(header, body).parsed.flags;
    assert!(flags(b"multipart/form-data; boundary=\"xyz\"").boundary_quoted);
    assert!(flags(b"multipart/form-data boundary=xyz").missing_semicolon);
    assert!(flags(b"multipart/form-data; boundary =xyz").boundary_whitespace);
    assert!(!flags(b"multipart/form-data; boundary=xyz; charset=utf-8").is_strict_error());
    for header in [
        &b"multipart/form-data"[..],
        b"multipart/form-data; boundary=",
        b"multipart/form-data; boundary=a; boundary=xyz",
        b"multipart/form-data; Boundary=xyz",
        b"multipart/form-data; boundary=\"xyz",
        b"multipart/form-data; x; boundary=xyz",
        b"multipart/form-data; boundary=x@z",
        b"multipart/mixed; boundary=xyz",
    ] {
        assert!(flags(header).fault, "{}", header.escape_ascii());
    }
}

#[test]
fn keeps_what_stands_before_a_fault() {
    let read = read("--xyz\nContent-Disposition: form-data; name=\"a\"\n\nseen");
    assert_eq!(read.list(Variable::ArgsPost), ["a=seen"]);
    assert_eq!(read.parsed.fault.as_deref(), Some("final boundary missing"));
}

#[test]
fn notices_what_is_wrong_with_headers() {
    for headers in [
        "Content-Type: text/plain",
        "Content-Disposition: form-data; name=\"a\"\nContent-Disposition: form-data; name=\"b\"",
        "Content-Disposition: form-data; name=\"a\"; name=\"b\"",
        "Content-Disposition: form-data; name=\"a\"; filename=\"b\"; filename=\"c\"",
        "Content-Disposition: form-data; name=\"a\"; x=y",
        "Content-Disposition: form-data; name=\"a\"; filename*=UTF-8''b",
        "Content-Disposition: attachment; name=\"a\"",
        "Content-Disposition form-data",
        "Content-Disposition: form-data; name=\"a\"\nX\u{1}: y",
        "Content-Disposition: form-data; name=\"a\"\nX: \0",
    ] {
        let read = read(&format!("--xyz\n{headers}\n\nvalue\n--xyz--\n"));
        assert!(read.parsed.fault.is_some(), "{headers}");
    }
}

#[test]
fn an_empty_body_is_no_fault_but_one_without_boundaries_is() {
    assert_eq!(read("").parsed.fault, None);
    assert_eq!(read("hello").parsed.fault.as_deref(), Some("no boundaries found in payload"));
}

#[test]
fn stops_at_its_limits() {
    let part = "--xyz\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\n\n1\n";
    let read = read(&format!("{}--xyz--\n", part.repeat(11)));
    assert!(read.parsed.flags.file_limit_exceeded);
    assert_eq!(read.list(Variable::Files).len(), 10);
}

proptest! {
    #[test]
    fn survives_any_bytes(header: Vec<u8>, body: Vec<u8>) {
        let _ = read_as(&header, &body);
        let _ = read_as(TYPE, &body);
    }

    #[test]
    fn survives_what_looks_like_multipart(body in r#"((--xyz|--|\r\n|\n|Content-Disposition: form-data; |name=|filename\*?=|"|'|;|[ -~])){0,30}"#) {
        let _ = read_as(TYPE, body.as_bytes());
    }
}
