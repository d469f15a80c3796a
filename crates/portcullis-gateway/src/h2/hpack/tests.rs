//! Header compression against the standard's own examples (RFC 7541 Appendix C) and hostile blocks.

use http::{HeaderName, HeaderValue, StatusCode};

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// The fields as lines.
fn decoded(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<String>, Broken> {
    let mut lines = Vec::new();
    decoder.decode(block, |field| {
        lines.push(match field {
            Field::Pseudo(pseudo, value) => format!("{pseudo:?}: {}", String::from_utf8_lossy(&value)),
            Field::Plain(name, value) => format!("{name}: {}", value.to_str().unwrap_or("?")),
            Field::Bad { .. } => "bad".to_owned(),
        });
    })?;
    Ok(lines)
}

/// Blocks one after the other, each with what it says and the size of the table behind it.
fn check(blocks: &[(&str, &str, usize)]) {
    let mut decoder = Decoder::new();
    for (block, fields, size) in blocks {
        assert_eq!(decoded(&mut decoder, &bytes(block)).unwrap().join("\n"), *fields);
        assert_eq!(decoder.bytes(), *size);
    }
}

const FIRST: &str = "Method: GET\nScheme: http\nPath: /\nAuthority: www.example.com";
const SECOND: &str =
    "Method: GET\nScheme: http\nPath: /\nAuthority: www.example.com\ncache-control: no-cache";
const THIRD: &str =
    "Method: GET\nScheme: https\nPath: /index.html\nAuthority: www.example.com\ncustom-key: custom-value";

#[test]
fn the_requests_of_the_standard_are_read() {
    // RFC 7541 §C.3, §C.4.
    check(&[
        ("8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", FIRST, 57),
        ("8286 84be 5808 6e6f 2d63 6163 6865", SECOND, 110),
        ("8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65", THIRD, 164),
    ]);
    check(&[
        ("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", FIRST, 57),
        ("8286 84be 5886 a8eb 1064 9cbf", SECOND, 110),
        ("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", THIRD, 164),
    ]);
}

#[test]
fn the_answers_of_the_standard_drive_each_other_out() {
    // RFC 7541 §C.5, with a table of 256 bytes.
    let head =
        "cache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com";
    let (first, second) = (format!("Status: 302\n{head}"), format!("Status: 307\n{head}"));
    check(&[
        (
            "3fe1 01 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133
             3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
            &first,
            222,
        ),
        ("4803 3330 37c1 c0bf", &second, 222),
        (
            "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738
             666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33
             3630 303b 2076 6572 7369 6f6e 3d31",
            "Status: 200\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:22 GMT\nlocation: https://www.example.com\n\
             content-encoding: gzip\nset-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
            215,
        ),
    ]);
}

#[test]
fn what_cannot_be_read_is_told() {
    for (block, broken) in [
        ("80", Broken::Index),
        ("be", Broken::Index),
        ("7e 01 61", Broken::Index),
        ("40", Broken::Short),
        ("40 02 61", Broken::Short),
        ("ff ff ff ff ff ff 0f", Broken::Integer),
        ("41 81 00", Broken::Huffman),
        ("82 20", Broken::Resize),
        ("3f e2 1f", Broken::Resize),
    ] {
        assert_eq!(decoded(&mut Decoder::new(), &bytes(block)), Err(broken), "{block}");
    }
    assert_eq!(
        decoded(&mut Decoder::new(), &bytes("3f e1 1f 20")),
        Ok(Vec::new()),
        "the size allowed, and none"
    );
}

#[test]
fn a_bad_field_does_not_put_the_tables_out_of_step() {
    let mut decoder = Decoder::new();
    // `:x`, a name in capitals, a value with a zero and one that begins with a space; then all from the table.
    let block = [&b"\x40\x02:x\x01a"[..], b"\x40\x01X\x01a", b"\x40\x01x\x01\0", b"\x40\x01x\x02 a"].concat();
    assert_eq!(decoded(&mut decoder, &block).unwrap(), ["bad"; 4]);
    assert_eq!(decoder.bytes(), 35 + 34 + 34 + 35);
    assert_eq!(
        decoded(&mut decoder, b"\xbe\xbf\xc0\xc1\x82").unwrap(),
        ["bad", "bad", "bad", "bad", "Method: GET"]
    );
}

#[test]
fn an_entry_larger_than_the_table_empties_it() {
    let mut decoder = Decoder::new();
    assert!(decoded(&mut decoder, b"\x40\x01a\x01b").is_ok());
    assert_eq!(decoder.bytes(), 34);
    let mut block = b"\x40\x01a".to_vec();
    integer::encode(0, 7, TABLE_BYTES, &mut block);
    block.extend([b'x'; TABLE_BYTES]);
    assert_eq!(decoded(&mut decoder, &block).unwrap().len(), 1);
    assert_eq!(decoder.bytes(), 0);
}

fn write(encoder: &mut Encoder, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut output = Vec::new();
    encoder.begin(&mut output);
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        encoder.field(&name, &HeaderValue::from_str(value).unwrap(), &mut output);
    }
    output
}

#[test]
fn a_repeated_field_is_one_byte_and_a_changing_one_does_not_fill_the_table() {
    let mut encoder = Encoder::new();
    let mut decoder = Decoder::new();
    for number in 0..200 {
        let id = format!("{number:032}");
        let fields =
            [("content-type", "application/json"), ("x-request-id", &id), ("content-length", "1024")];
        let block = write(&mut encoder, &fields);
        let lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(decoded(&mut decoder, &block).unwrap(), lines);
        // An index of four bits takes a second byte where it is above 14.
        if number > 2 {
            assert_eq!(block.len(), 1 + (2 + 1 + 32) + 1, "{block:x?}");
        }
    }
    assert!(decoder.bytes() < 400, "{}", decoder.bytes());
}

#[test]
fn cookies_are_in_no_table() {
    let mut encoder = Encoder::new();
    let first = write(&mut encoder, &[("set-cookie", "a=b")]);
    assert_eq!(first, write(&mut encoder, &[("set-cookie", "a=b")]));
    assert_eq!(first[0] & 0xf0, 0x10);
}

#[test]
fn a_smaller_table_is_told_and_kept() {
    let mut encoder = Encoder::new();
    let mut decoder = Decoder::new();
    let field = [("content-type", "text/plain")];
    decoded(&mut decoder, &write(&mut encoder, &field)).unwrap();
    encoder.allow(0);
    encoder.allow(100);
    let block = write(&mut encoder, &field);
    assert_eq!(block[..3], [0x20, 0x3f, 0x45]);
    assert_eq!(decoded(&mut decoder, &block).unwrap(), ["content-type: text/plain"]);
    encoder.allow(0);
    let block = write(&mut encoder, &field);
    assert_eq!((block[0], decoded(&mut decoder, &block).unwrap().len(), decoder.bytes()), (0x20, 1, 0));
}

#[test]
fn every_status_is_written() {
    let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new());
    for status in [100, 200, 204, 206, 299, 304, 400, 404, 418, 500, 503] {
        let mut output = Vec::new();
        encoder.status(StatusCode::from_u16(status).unwrap(), &mut output);
        assert_eq!(decoded(&mut decoder, &output).unwrap(), [format!("Status: {status}")]);
    }
}

proptest::proptest! {
    #[test]
    fn what_is_written_reads_back(
        blocks in proptest::collection::vec(
            (
                proptest::option::of(0_usize..6_000),
                proptest::collection::vec(("[a-z-]{1,12}", "[!-~]{0,40}|[ab]|x{600}"), 0..12),
            ),
            1..20,
        ),
    ) {
        let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new());
        for (size, fields) in blocks {
            if let Some(size) = size {
                encoder.allow(size);
            }
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
            let block = write(&mut encoder, &fields);
            let lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            proptest::prop_assert_eq!(decoded(&mut decoder, &block).unwrap(), lines);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused_within_bounds(blocks: Vec<Vec<u8>>) {
        let mut decoder = Decoder::new();
        for block in blocks {
            let broken = decoded(&mut decoder, &block).is_err();
            proptest::prop_assert!(decoder.bytes() <= TABLE_BYTES);
            if broken {
                break;
            }
        }
    }
}
