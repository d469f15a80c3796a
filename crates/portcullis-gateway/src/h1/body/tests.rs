//! Bodies: tables of good and bad ones, and what must hold for any split of their bytes.

use proptest::prelude::*;

use super::*;

const BOUNDS: Bounds = Bounds { bytes_max: 200, fields_max: 4 };

/// What a body came to: its bytes, its trailers, and what is left behind it.
#[derive(Debug, PartialEq)]
struct Whole {
    data: Vec<u8>,
    trailers: Option<HeaderMap>,
    rest: Vec<u8>,
}

/// Reads a body that comes in these pieces; `None` when its end has not come.
fn read(end: BodyEnd, pieces: &[&[u8]]) -> Result<Option<Whole>, Fault> {
    let mut decoder = Decoder::new(end, BOUNDS);
    let mut input = BytesMut::new();
    let (mut data, mut trailers) = (Vec::new(), None);
    for (at, piece) in pieces.iter().enumerate() {
        input.extend_from_slice(piece);
        loop {
            match decoder.take(&mut input)? {
                Some(Piece::Data(bytes)) => {
                    assert!(!bytes.is_empty());
                    data.extend_from_slice(&bytes);
                }
                Some(Piece::Trailers(fields)) => trailers = Some(fields),
                Some(Piece::End) => {
                    assert!(decoder.is_done() && decoder.left() == Some(0));
                    let rest = [&input[..], &pieces[at + 1..].concat()].concat();
                    return Ok(Some(Whole { data, trailers, rest }));
                }
                None => break,
            }
        }
    }
    Ok(None)
}

fn chunked(text: &str) -> Result<Option<Whole>, Fault> {
    read(BodyEnd::Chunked, &[text.as_bytes()])
}

#[test]
fn chunks_are_put_together() {
    for (text, data, rest) in [
        ("0\r\n\r\n", "", ""),
        ("3\r\nabc\r\n0\r\n\r\nGET", "abc", "GET"),
        ("3\r\nabc\r\n2;x=\"y;z\";w\r\nde\r\n000;a\r\n\r\n\r\n", "abcde", "\r\n"),
        ("0000000000000003\r\nabc\r\n0\r\n\r\n", "abc", ""),
        ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789", ""),
    ] {
        let whole = chunked(text).unwrap().unwrap();
        assert_eq!(
            (&*whole.data, whole.trailers, &*whole.rest),
            (data.as_bytes(), None, rest.as_bytes()),
            "{text}"
        );
    }
}

#[test]
fn trailers_come_behind_the_last_chunk() {
    let whole = chunked("1\r\nx\r\n0\r\nA: b\r\nA:c\r\n\r\nrest").unwrap().unwrap();
    let trailers = whole.trailers.unwrap();
    assert_eq!(trailers.get_all("a").iter().collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!((&*whole.data, &*whole.rest), (&b"x"[..], &b"rest"[..]));
}

#[test]
fn chunks_that_are_not_framed_as_they_must_be_are_refused() {
    for (text, fault) in [
        ("\r\n", Fault::Chunk),
        ("\n", Fault::BareLineEnd),
        ("3\nabc", Fault::BareLineEnd),
        ("3;a\nabc", Fault::BareLineEnd),
        ("3;\r\nabc", Fault::Chunk),
        ("3;;\r\nabc", Fault::Chunk),
        ("3; \r\nabc", Fault::Chunk),
        ("3;a\rb\r\nabc", Fault::Chunk),
        ("3 \r\nabc", Fault::Chunk),
        (" 3\r\nabc", Fault::Chunk),
        ("+3\r\nabc", Fault::Chunk),
        ("0x3\r\nabc", Fault::Chunk),
        ("3\r\nabcd", Fault::Chunk),
        ("3\r\nabc\n0\r\n\r\n", Fault::Chunk),
        ("3\r\nabc\r0", Fault::Chunk),
        ("10000000000000000\r\n", Fault::Chunk),
        ("0\r\nA: b\n\r\n", Fault::BareLineEnd),
        ("0\r\n A: b\r\n\r\n", Fault::FoldedLine),
        ("0\r\nA : b\r\n\r\n", Fault::Field),
    ] {
        assert_eq!(chunked(text), Err(fault), "{text:?}");
    }
}

#[test]
fn lines_and_sections_have_bounds() {
    let extension = |len| format!("3;{}\r\nabc\r\n0\r\n\r\n", "a".repeat(len));
    assert!(chunked(&extension(EXTENSION_BYTES_MAX)).unwrap().is_some());
    assert_eq!(chunked(&extension(EXTENSION_BYTES_MAX + 1)), Err(Fault::Chunk));
    assert_eq!(chunked(&"0".repeat(CHUNK_LINE_BYTES_MAX + 1)), Err(Fault::Chunk));
    assert_eq!(chunked(&format!("0\r\nA: {}", "b".repeat(BOUNDS.bytes_max))), Err(Fault::HeadBytes));
    assert_eq!(chunked(&format!("0\r\nA: {}\r\n\r\n", "b".repeat(BOUNDS.bytes_max))), Err(Fault::HeadBytes));
    assert_eq!(chunked(&format!("0\r\n{}\r\n", "A: b\r\n".repeat(5))), Err(Fault::HeadFields));
}

#[test]
fn a_counted_body_ends_at_its_count() {
    let whole = read(BodyEnd::After(3), &[b"ab", b"cGET"]).unwrap().unwrap();
    assert_eq!((&*whole.data, &*whole.rest), (&b"abc"[..], &b"GET"[..]));
    assert_eq!(read(BodyEnd::After(u64::MAX), &[b"abc"]), Ok(None));
    let whole = read(BodyEnd::Nobody, &[b"GET"]).unwrap().unwrap();
    assert_eq!((&*whole.data, &*whole.rest), (&b""[..], &b"GET"[..]));
}

#[test]
fn only_a_body_that_ends_with_its_connection_may_end_so() {
    let mut input = BytesMut::from(&b"abc"[..]);
    let mut decoder = Decoder::new(BodyEnd::WithConnection, BOUNDS);
    assert!(matches!(decoder.take(&mut input), Ok(Some(Piece::Data(_)))));
    assert!(matches!(decoder.take(&mut input), Ok(None)));
    assert_eq!(decoder.stream_ended(), Ok(()));
    assert!(matches!(decoder.take(&mut input), Ok(Some(Piece::End))));

    for text in ["", "3", "3\r\n", "3\r\na", "3\r\nabc", "3\r\nabc\r\n", "0\r\n", "0\r\nA: b\r\n"] {
        let mut input = BytesMut::from(text);
        let mut decoder = Decoder::new(BodyEnd::Chunked, BOUNDS);
        while decoder.take(&mut input).unwrap().is_some() {}
        assert_eq!(decoder.stream_ended(), Err(Fault::CutOff), "{text:?}");
    }
    assert_eq!(Decoder::new(BodyEnd::After(1), BOUNDS).stream_ended(), Err(Fault::CutOff));
}

/// Chunked bodies, and what is nearly one.
fn nearly_chunks() -> impl Strategy<Value = Vec<u8>> {
    let chunk = prop_oneof![
        6 => (prop::collection::vec(any::<u8>(), 1..20), "(;[a-z=\"]{1,5})?").prop_map(|(data, extension)| {
            [format!("{:x}{extension}\r\n", data.len()).as_bytes(), &data, b"\r\n"].concat()
        }),
        1 => prop::sample::select(vec!["\r\n", "3\r\n", "3;\r\n", "0\r\n", "A: b\r\n", "\n", "\r", "x"])
            .prop_map(|text| text.as_bytes().to_vec()),
    ];
    let end = prop::sample::select(vec![
        "0\r\n\r\n",
        "0\r\nA: b\r\n\r\n",
        "0\r\nA: b\r\nB: c\r\n\r\nGET",
        "",
        "0\r\n",
    ]);
    (prop::collection::vec(chunk, 0..6), end)
        .prop_map(|(chunks, end)| [&chunks.concat(), end.as_bytes()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn a_body_does_not_depend_on_how_it_comes(
        text in nearly_chunks(),
        cuts in prop::collection::vec(0_usize..150, 0..10),
        counted in prop::option::of(0_u64..100),
    ) {
        let end = match counted {
            None => BodyEnd::Chunked,
            Some(0) => BodyEnd::Nobody,
            Some(count) => BodyEnd::After(count),
        };
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
        prop_assert_eq!(read(end, &[&text]), read(end, &pieces));
        let bytes: Vec<&[u8]> = std::iter::once(&b""[..]).chain(text.chunks(1)).collect();
        prop_assert_eq!(read(end, &[&text]), read(end, &bytes));
    }

    #[test]
    fn what_is_written_in_chunks_is_read_back(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..5000), 0..5),
        trailer in prop::option::of("[!-~]{1,9}"),
    ) {
        use crate::h1::write;
        let trailers = trailer.map(|value| {
            HeaderMap::from_iter([(http::header::ETAG, http::HeaderValue::try_from(value).unwrap())])
        });
        let mut output = Vec::new();
        for piece in &pieces {
            write::chunk_size(&mut output, piece.len());
            output.extend_from_slice(piece);
            output.extend_from_slice(write::CHUNK_END);
        }
        write::last_chunk(&mut output, trailers.as_ref());
        let expected = Whole { data: pieces.concat(), trailers, rest: b"GET".to_vec() };
        prop_assert_eq!(read(BodyEnd::Chunked, &[&output, b"GET"]), Ok(Some(expected)));
    }
}
