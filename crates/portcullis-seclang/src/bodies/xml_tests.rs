//! Bodies of XML: whole, odd and broken ones.

use super::*;
use proptest::prelude::*;

fn read(text: &[u8], paths: &[&str], leaves: bool) -> (Vec<Vec<String>>, Result<(), Fault>) {
    let namespaces = [crate::rules::Namespace { prefix: b"s"[..].into(), uri: b"urn:soap"[..].into() }];
    let xpaths: Vec<XPath> =
        paths.iter().map(|path| XPath::parse(path.as_bytes(), &namespaces).expect("an XPath")).collect();
    let mut values = Values::new(xpaths.len());
    let wanted = Wanted { xpaths: &xpaths, leaves, depth_max: 50, arguments_max: 10 };
    let (_, result) = parse(&mut values, text, wanted);
    let mut lists: Vec<List> = (0..xpaths.len()).map(|index| List::of_xpath(index as u16)).collect();
    if leaves {
        lists.push(ARGS_STRUCTURED);
    }
    let text = |values: &Values, span| String::from_utf8_lossy(values.bytes(span)).into_owned();
    let found = lists
        .into_iter()
        .map(|list| {
            let entries = values.list(list).iter();
            entries
                .map(|entry| match text(&values, entry.name) {
                    name if name.is_empty() => text(&values, entry.value),
                    name => format!("{name}={}", text(&values, entry.value)),
                })
                .collect()
        })
        .collect();
    (found, result)
}

fn check(text: &str, path: &str, expected: &[&str]) {
    let (found, result) = read(text.as_bytes(), &[path], false);
    assert_eq!(result, Ok(()), "{text}");
    assert_eq!(
        found,
        vec![expected.iter().map(|each| (*each).to_owned()).collect::<Vec<_>>()],
        "{path} in {text}"
    );
}

const SOAP: &str = r#"<?xml version="1.0"?><!-- c --><e:Envelope xmlns:e="urn:soap" id="1"><e:Body><a n="x&lt;">one<b>two &amp; <![CDATA[<three>]]></b>&#52;</a></e:Body></e:Envelope>"#;

#[test]
fn selects_all_text_and_all_attributes() {
    check(SOAP, "/*", &["onetwo & <three>4"]);
    check(SOAP, "//@*", &["1", "x<"]);
}

#[test]
fn selects_by_names_and_namespaces() {
    check(SOAP, "/s:Envelope/s:Body/a/b", &["two & <three>"]);
    check(SOAP, "/s:Envelope//b", &["two & <three>"]);
    check(SOAP, "/Envelope//b", &[]);
    check(SOAP, "//a/@n", &["x<"]);
    check(SOAP, "//a/text()", &["one", "4"]);
    check(SOAP, "/s:Envelope/@id", &["1"]);
    check(SOAP, "/b", &[]);
}

#[test]
fn refuses_paths_it_does_not_understand() {
    for path in ["", "a", "/a[1]", "//", "/a/@b/c", "/x:a", "/count(//a)", "/a/..", "/text()/a"] {
        assert!(XPath::parse(path.as_bytes(), &[]).is_err(), "{path}");
    }
}

#[test]
fn refuses_document_types_and_foreign_entities() {
    let (_, result) = read(br#"<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>"#, &["/*"], false);
    assert_eq!(result, Err(Fault::Doctype));
    assert!(matches!(read(b"<a>&x;</a>", &["/*"], false).1, Err(Fault::Malformed { .. })));
}

#[test]
fn keeps_what_stands_before_a_fault() {
    for text in [
        &b"<a>seen"[..],
        b"<a>seen</b>",
        b"<a>seen<b x='1' x='2'/></a>",
        b"<a>seen\xff</a>",
        b"<a>seen</a><c/>",
        b"<a>seen</a>x",
    ] {
        let (found, result) = read(text, &["/*"], false);
        assert!(result.is_err(), "{}", text.escape_ascii());
        assert_eq!(
            found.first().and_then(|list| list.first()).map(String::as_str),
            Some("seen"),
            "{}",
            text.escape_ascii()
        );
    }
    assert!(read(b"", &["/*"], false).1.is_err());
}

#[test]
fn stops_at_its_limits() {
    let deep = "<a>".repeat(10_000);
    assert_eq!(read(deep.as_bytes(), &["/*"], false).1, Err(Fault::Depth));
    let many = format!("<a>{}</a>", "<b/>".repeat(11));
    assert_eq!(read(many.as_bytes(), &[], true).1, Err(Fault::Arguments));
}

#[test]
fn gives_leaves_as_arguments() {
    let (found, result) = read(b"<a><b>1</b><c><d>2</d></c><e/></a>", &[], true);
    assert_eq!(result, Ok(()));
    assert_eq!(found, [["xml.a.b=1", "xml.a.c.d=2", "xml.a.e="]]);
}

#[test]
fn reads_other_encodings() {
    let utf16: Vec<u8> = "\u{feff}<a>é</a>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read(&utf16, &["/*"], false), (vec![vec!["é".to_owned()]], Ok(())));
    let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>";
    assert_eq!(read(latin, &["/*"], false), (vec![vec!["é".to_owned()]], Ok(())));
}

proptest! {
    #[test]
    fn survives_any_bytes(text: Vec<u8>) {
        let _ = read(&text, &["/*", "//@*"], true);
    }

    #[test]
    fn survives_what_looks_like_xml(text in r#"[<>/a=":!\[\]&;#x -]{0,60}"#) {
        let _ = read(text.as_bytes(), &["/*", "//@*"], true);
    }
}
