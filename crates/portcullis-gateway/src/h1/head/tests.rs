//! Heads: tables of good and bad ones, any split of their bytes, and another reader's opinion.

use proptest::prelude::*;

use super::*;

fn whole(text: &[u8]) -> Result<Bytes, Fault> {
    let mut seen = 0;
    let end = end(text, &mut seen)?.expect("an empty line");
    Ok(Bytes::copy_from_slice(&text[..end]))
}

fn read(text: &[u8]) -> Result<RequestHead, Fault> {
    request(&whole(text)?, 100)
}

fn read_answer(text: &str, asked: &Method) -> Result<AnswerHead, Fault> {
    answer(&whole(text.as_bytes())?, 100, asked)
}

#[test]
fn a_request_is_read_as_it_says() {
    let head =
        read(b"PATCH /a?b=c HTTP/1.1\r\nHost: h\r\nX-A:\t one two \t\r\nx-a:\r\nCONTENT-length: 007\r\n\r\n")
            .unwrap();
    assert_eq!((head.method, head.uri.to_string()), (Method::PATCH, "/a?b=c".to_owned()));
    assert_eq!((head.version, head.body), (Version::HTTP_11, BodyEnd::After(7)));
    assert_eq!(head.headers.get_all("x-a").iter().collect::<Vec<_>>(), ["one two", ""]);
    assert_eq!(head.manners, Manners { persistent: true, waits_for_continue: false, takes_trailers: false });
}

#[test]
fn manners_are_those_of_the_version_and_the_fields() {
    for (text, persistent, waits, trailers) in [
        ("1.1\r\n", true, false, false),
        ("1.0\r\n", false, false, false),
        ("1.0\r\nConnection: Keep-Alive\r\n", true, false, false),
        ("1.0\r\nConnection: keep-alive, close\r\n", false, false, false),
        ("1.1\r\nConnection: x ,CLOSE\r\n", false, false, false),
        ("1.1\r\nConnection: closed\r\n", true, false, false),
        ("1.1\r\nExpect: 100-Continue\r\n", true, true, false),
        ("1.0\r\nExpect: 100-continue\r\n", false, false, false),
        ("1.1\r\nExpect: 100-continue, x\r\n", true, false, false),
        ("1.1\r\nTE: gzip, Trailers\r\n", true, false, true),
    ] {
        let manners = read(format!("GET / HTTP/{text}\r\n").as_bytes()).unwrap().manners;
        let expected = Manners { persistent, waits_for_continue: waits, takes_trailers: trailers };
        assert_eq!(manners, expected, "{text}");
    }
}

#[test]
fn the_body_of_a_request_ends_where_its_head_says() {
    for (fields, end) in [
        ("", Ok(BodyEnd::Nobody)),
        ("Content-Length: 0\r\n", Ok(BodyEnd::Nobody)),
        ("Content-Length: 18446744073709551615\r\n", Ok(BodyEnd::After(u64::MAX))),
        ("Content-Length: 18446744073709551616\r\n", Err(Fault::Length)),
        ("Content-Length: 0\r\nContent-Length: 0\r\n", Err(Fault::Repeated)),
        ("Transfer-Encoding: Chunked\r\n", Ok(BodyEnd::Chunked)),
        ("Transfer-Encoding: \t chunked \t\r\n", Ok(BodyEnd::Chunked)),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", Err(Fault::Repeated)),
        ("Transfer-Encoding: x\r\nContent-Length: 1\r\n", Err(Fault::Encoding)),
        ("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", Err(Fault::LengthAndEncoding)),
        ("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", Err(Fault::LengthAndEncoding)),
    ] {
        let read = read(format!("GET / HTTP/1.1\r\n{fields}\r\n").as_bytes());
        assert_eq!(read.map(|head| head.body), end, "{fields}");
    }
}

#[test]
fn the_body_of_an_answer_ends_where_its_head_and_its_request_say() {
    let get = Method::GET;
    for (asked, text, end, persistent) in [
        (&get, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", BodyEnd::After(3), true),
        (&get, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", BodyEnd::Nobody, true),
        (&get, "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n", BodyEnd::Chunked, true),
        (&get, "HTTP/1.1 200 OK\r\n\r\n", BodyEnd::WithConnection, false),
        (&get, "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", BodyEnd::After(3), false),
        (
            &get,
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\n",
            BodyEnd::After(3),
            true,
        ),
        (&get, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\n", BodyEnd::After(3), false),
        (&get, "HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n", BodyEnd::Nobody, true),
        (&get, "HTTP/1.1 304 \r\nTransfer-Encoding: chunked\r\n\r\n", BodyEnd::Nobody, true),
        (&get, "HTTP/1.1 103 Early\r\nContent-Length: 3\r\n\r\n", BodyEnd::Nobody, true),
        (&Method::HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", BodyEnd::Nobody, true),
        (&Method::HEAD, "HTTP/1.1 200 OK\r\n\r\n", BodyEnd::Nobody, true),
    ] {
        let head = read_answer(text, asked).unwrap();
        assert_eq!((head.body, head.persistent), (end, persistent), "{text}");
    }
}

#[test]
fn what_is_no_status_line_is_refused() {
    for line in [
        "",
        "HTTP/1.1",
        "HTTP/1.1 ",
        "HTTP/1.1 20",
        "HTTP/1.1 2000",
        "HTTP/1.1 099 x",
        "HTTP/1.1  200 OK",
        "HTTP/1.1\t200 OK",
        "HTTP/1.1 200\tOK",
        "HTTP/1.1 200 O\0K",
        "HTTP/1.1 200 O\rK",
        "HTTP/1.1 +20 OK",
        "HTTP/1.2 200 OK",
        "HTTP/2.0 200 OK",
        "HTTP/2 200 OK",
        "ICY 200 OK",
        " HTTP/1.1 200 OK",
        "200 OK",
    ] {
        let read = read_answer(&format!("{line}\r\nContent-Length: 0\r\n\r\n"), &Method::GET);
        assert_eq!(read.map(|head| head.status), Err(Fault::StatusLine), "{line}");
    }
}

#[test]
fn bounds_on_fields_count_each_line() {
    let text = |count| Bytes::from(format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(count)));
    assert_eq!(request(&text(5), 5).unwrap().headers.len(), 5);
    assert_eq!(request(&text(6), 5).map(|_| ()), Err(Fault::HeadFields));
    // The map's own bound is on names.
    let names: String = (0..40_000).map(|number| format!("x{number}: y\r\n")).collect();
    let many = Bytes::from(format!("GET / HTTP/1.1\r\n{names}\r\n"));
    assert_eq!(request(&many, usize::MAX).map(|_| ()), Err(Fault::HeadFields));
    let section = Bytes::from("X: y\r\nX: z\r\n\r\n");
    assert_eq!(trailers(&section, 2).unwrap().len(), 2);
    assert_eq!(trailers(&section, 1), Err(Fault::HeadFields));
}

/// Heads, and what is nearly one.
fn nearly_heads() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "GET", "POST", "HTTP/1.1", "HTTP/1.0", "/", "/a?b", "*", "http://h/", "h:1", " ", "\r\n", ":", ": ",
            "Host", "Content-Length", "Transfer-Encoding", "chunked", "Connection", "close", "12", "\t", "x-y",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..3),
    ];
    let line = prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat());
    let field = prop_oneof![
        4 => ("[A-Za-z0-9!#$%&'*+.^_`|~\"(),/;-]{1,8}", "[ \t]{0,2}", prop::collection::vec(any::<u8>(), 0..8))
            .prop_map(|(name, blank, value)| [name.as_bytes(), b":", blank.as_bytes(), &value].concat()),
        1 => line.clone(),
    ];
    let first = prop_oneof![
        3 => ("[A-Za-z!#\"(]{1,5}", "[!-~]{0,12}", "1[.][0-2]")
            .prop_map(|(method, target, version)| format!("{method} /{target} HTTP/{version}").into_bytes()),
        1 => line,
    ];
    (first, prop::collection::vec(field, 0..5)).prop_map(|(first, fields)| {
        let mut text = first;
        text.extend_from_slice(b"\r\n");
        for field in fields {
            text.extend(field);
            text.extend_from_slice(b"\r\n");
        }
        text.extend_from_slice(b"\r\n");
        text
    })
}

fn arbitrary_headers() -> impl Strategy<Value = HeaderMap> {
    let field = ("x-[a-z0-9]{1,6}", "([!-~]([ -~\t]{0,10}[!-~])?)?");
    prop::collection::vec(field, 0..8).prop_map(|fields| {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
        }
        headers
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn the_end_of_a_head_does_not_depend_on_how_it_comes(
        text in nearly_heads(),
        cuts in prop::collection::vec(0_usize..200, 0..8),
    ) {
        let at_once = end(&text, &mut 0);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
        cuts.sort_unstable();
        cuts.push(text.len());
        let mut seen = 0;
        let mut by_pieces = Ok(None);
        for cut in cuts {
            by_pieces = end(&text[..cut], &mut seen);
            if by_pieces != Ok(None) {
                break;
            }
        }
        prop_assert_eq!(at_once, by_pieces);
    }

    #[test]
    fn nothing_is_read_that_another_reader_refuses_or_reads_otherwise(text in nearly_heads()) {
        if let Ok(Some(end)) = end(&text, &mut 0)
            && let Ok(head) = request(&Bytes::copy_from_slice(&text[..end]), 100)
        {
            let mut fields = [httparse::EMPTY_HEADER; 100];
            let mut other = httparse::Request::new(&mut fields);
            let read = other.parse(&text);
            prop_assert_eq!(read, Ok(httparse::Status::Complete(end)));
            prop_assert_eq!(other.method, Some(head.method.as_str()));
            let target = other.path.unwrap();
            // The path of a whole URL may be left out.
            prop_assert!(head.uri == target, "{} {}", head.uri, target);
            let minor = u8::from(head.version == Version::HTTP_11);
            prop_assert_eq!(other.version, Some(minor));
            prop_assert_eq!(other.headers.len(), head.headers.len());
            let mut theirs = HeaderMap::new();
            for field in other.headers.iter() {
                let name = HeaderName::from_bytes(field.name.as_bytes()).unwrap();
                theirs.append(name, HeaderValue::from_bytes(field.value).unwrap());
            }
            prop_assert_eq!(theirs, head.headers);
        }
    }

    #[test]
    fn no_answer_is_read_that_another_reader_refuses(
        line in "HTTP/1[.][0-2] [0-9]{3}( [ -~\t\u{80}-\u{ff}]{0,8})?|[ -~]{0,16}",
        rest in nearly_heads(),
    ) {
        let start = rest.windows(2).position(|pair| pair == b"\r\n").unwrap_or(0);
        let text = [line.as_bytes(), &rest[start..]].concat();
        if let Ok(Some(end)) = end(&text, &mut 0)
            && let Ok(head) = answer(&Bytes::copy_from_slice(&text[..end]), 100, &Method::GET)
        {
            let mut fields = [httparse::EMPTY_HEADER; 100];
            let mut other = httparse::Response::new(&mut fields);
            prop_assert_eq!(other.parse(&text), Ok(httparse::Status::Complete(end)));
            prop_assert_eq!(other.code, Some(head.status.as_u16()));
            prop_assert_eq!(other.headers.len(), head.headers.len());
        }
    }

    #[test]
    fn what_is_written_is_read_back(
        method in "[A-Z]{1,8}",
        path in "/[a-z0-9/?&=%-]{0,12}",
        headers in arbitrary_headers(),
        length in 1_u64..,
        chunked: bool,
        status in 200_u16..600,
    ) {
        use crate::h1::write::{self, Fate, Framing};
        let (framing, body) =
            if chunked { (Framing::Chunked, BodyEnd::Chunked) } else { (Framing::Length(length), BodyEnd::After(length)) };
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut output = Vec::new();
        write::request(&mut output, &method, ["", &path], b"h", headers.iter(), framing);
        let mut head = read(&output).unwrap();
        prop_assert_eq!((&head.method, head.uri.to_string(), head.body), (&method, path, body));
        for name in ["host", "content-length", "transfer-encoding"] {
            head.headers.remove(name);
        }
        prop_assert_eq!(&head.headers, &headers);

        output.clear();
        let status = StatusCode::from_u16(status).unwrap();
        let now = || portcullis_core::clock::Timestamp::from_secs(0);
        write::answer(&mut output, status, &headers, framing, Fate::Closes, now);
        let mut head = answer(&whole(&output).unwrap(), 100, &Method::GET).unwrap();
        let bodiless = matches!(status.as_u16(), 204 | 304);
        prop_assert_eq!((head.status, head.body), (status, if bodiless { BodyEnd::Nobody } else { body }));
        prop_assert!(!head.persistent);
        for name in ["connection", "date", "content-length", "transfer-encoding"] {
            head.headers.remove(name);
        }
        prop_assert_eq!(head.headers, headers);
    }
}
