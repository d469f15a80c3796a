//! Targets and hosts in, their checked form or the fault out.

use http::HeaderValue;

use super::*;

fn path(text: &str) -> Result<String, Fault> {
    check_path(text).map(Cow::into_owned)
}

#[test]
fn keeps_plain_paths() {
    for text in
        ["/", "/v1/orders", "/v1/orders/", "/a;b=1,2/@x:y!$&'()*+,=~-_.", "/...", "/.well-known/x", "/a..b"]
    {
        assert!(matches!(check_path(text), Ok(Cow::Borrowed(it)) if it == text), "{text}");
    }
}

#[test]
fn brings_encodings_into_one_form() {
    for (text, expected) in [
        ("/%41%7a%2d%5F", "/Az-_"),
        ("/%c3%a9", "/%C3%A9"),
        ("/a%20b", "/a%20b"),
        ("/{id}", "/%7Bid%7D"),
        ("/a|b", "/a%7Cb"),
        ("/%252e%252e", "/%252e%252e"),
        ("/%3b", "/%3B"),
    ] {
        assert_eq!(path(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn refuses_what_two_servers_read_differently() {
    for (text, fault) in [
        ("", Fault::Form),
        ("orders", Fault::Form),
        ("*", Fault::Form),
        ("/a%2fb", Fault::EncodedSlash),
        ("/a%2Fb", Fault::EncodedSlash),
        ("/a%5cb", Fault::EncodedBackslash),
        ("/a%00", Fault::EncodedZero),
        ("/a%01", Fault::EncodedControl),
        ("/a%0d%0Ab", Fault::EncodedControl),
        ("/a%1f", Fault::EncodedControl),
        ("/%7F", Fault::EncodedControl),
        ("/a\u{1}", Fault::Character),
        ("/a\tb", Fault::Character),
        ("/a\\b", Fault::Character),
        ("/a#b", Fault::Character),
        ("/a b", Fault::Character),
        ("/a\u{7f}", Fault::Character),
        ("/\u{e9}", Fault::Character),
        ("/.", Fault::DotSegment),
        ("/..", Fault::DotSegment),
        ("/a/../b", Fault::DotSegment),
        ("/a/./b", Fault::DotSegment),
        ("/a/%2e%2E/b", Fault::DotSegment),
        ("/a/.%2e", Fault::DotSegment),
        ("/a/..;x=1/b", Fault::DotSegment),
        ("/a/..%3bx=1/b", Fault::DotSegment),
        ("/a/%2e%3B/b", Fault::DotSegment),
        ("//a", Fault::EmptySegment),
        ("/a//b", Fault::EmptySegment),
        ("/a//", Fault::EmptySegment),
        ("/%", Fault::Encoding),
        ("/%4", Fault::Encoding),
        ("/%4g", Fault::Encoding),
        ("/%+1", Fault::Encoding),
    ] {
        assert_eq!(path(text), Err(fault), "{text}");
    }
}

#[test]
fn queries_keep_slashes_and_lose_ambiguity() {
    let check = |text: &str| {
        let uri: Uri = text.parse().unwrap();
        check(&Method::GET, &uri, 100).map(|target| target.query.map(Cow::into_owned))
    };
    assert_eq!(check("/a"), Ok(None));
    assert_eq!(check("/a?"), Ok(Some(String::new())));
    assert_eq!(check("/a?x=%2f..//&y=%41+b&f[0]=1"), Ok(Some("x=%2F..//&y=A+b&f[0]=1".to_owned())));
    assert_eq!(check("/a?x={1}"), Ok(Some("x=%7B1%7D".to_owned())));
    assert_eq!(check("/a?x=%zz"), Err(Fault::Encoding));
    assert_eq!(check("HTTP://h/a?x=1"), Ok(Some("x=1".to_owned())));
    assert_eq!(check("https://h/a"), Ok(None));
    assert_eq!(check("ftp://h/a"), Err(Fault::Form));
    assert_eq!(check(&format!("/a?{}", "x".repeat(100))), Err(Fault::TooLong));
}

#[test]
fn normalising_twice_changes_nothing() {
    for text in ["/%41%7a/x%25y", "/%7B%7b", "/a%3Db"] {
        let once = path(text).unwrap();
        assert_eq!(path(&once).unwrap(), once);
    }
}

#[test]
fn asterisk_is_for_options_alone() {
    let uri = Uri::from_static("*");
    assert_eq!(check(&Method::OPTIONS, &uri, 100).map(|target| target.path.into_owned()), Ok("*".to_owned()));
    assert_eq!(check(&Method::GET, &uri, 100), Err(Fault::Form));
    assert_eq!(check(&Method::CONNECT, &Uri::from_static("a:1"), 100), Err(Fault::Connect));
}

fn host(version: Version, target: &str, hosts: &[&'static str], sni: Option<&str>) -> Result<String, Fault> {
    let mut headers = HeaderMap::new();
    for host in hosts {
        headers.append(HOST, HeaderValue::from_static(host));
    }
    let uri = target.parse().unwrap();
    named_host(version, &uri, &headers)?
        .map_or(Ok(String::new()), |named| check_host(named, sni).map(String::from))
}

#[test]
fn takes_one_host_only() {
    let v1 = Version::HTTP_11;
    for (target, hosts, sni, expected) in [
        ("/", &["API.example.com:8443"][..], Some("api.example.com"), Ok("api.example.com:8443")),
        ("/", &["[::1]:80"], None, Ok("[::1]:80")),
        ("/", &["[::1]"], None, Ok("[::1]")),
        ("/", &["127.0.0.1"], None, Ok("127.0.0.1")),
        ("http://a.example/x", &["a.example"], None, Ok("a.example")),
        ("http://a.example/x", &["b.example"], None, Err(Fault::HostsDisagree)),
        ("http://a.example/x", &[], None, Err(Fault::NoHost)),
        ("/", &[], None, Err(Fault::NoHost)),
        ("/", &["a", "a"], None, Err(Fault::ManyHosts)),
        ("/", &[""], None, Err(Fault::BadHost)),
        ("/", &["a b"], None, Err(Fault::BadHost)),
        ("/", &["a@b"], None, Err(Fault::BadHost)),
        ("/", &["a/b"], None, Err(Fault::BadHost)),
        ("/", &["a,b"], None, Err(Fault::BadHost)),
        ("/", &["a:"], None, Err(Fault::BadHost)),
        ("/", &["a:x"], None, Err(Fault::BadHost)),
        ("/", &["a:99999"], None, Err(Fault::BadHost)),
        ("/", &["[::1"], None, Err(Fault::BadHost)),
        ("/", &["[::1]x"], None, Err(Fault::BadHost)),
        ("/", &["b.example"], Some("a.example"), Err(Fault::Misdirected)),
        ("/", &["A.example."], Some("a.example"), Ok("a.example")),
        ("/", &["a.example.:8443"], None, Ok("a.example:8443")),
        ("http://a.example./x", &["a.example."], None, Ok("a.example")),
        ("/", &["b.example."], Some("a.example"), Err(Fault::Misdirected)),
        ("/", &["[::1]"], Some("a.example"), Err(Fault::Misdirected)),
        ("/", &["[0:0::0:1]:80"], None, Ok("[::1]:80")),
        ("/", &["[2001:DB8::A]"], None, Ok("[2001:db8::a]")),
        ("/", &["[::1.]"], None, Err(Fault::BadHost)),
        ("/", &["[::1%25eth0]"], None, Err(Fault::BadHost)),
        ("/", &["."], None, Err(Fault::BadHost)),
        ("/", &["a.."], None, Err(Fault::BadHost)),
        ("/", &["a..b"], None, Err(Fault::BadHost)),
        ("/", &[".a"], None, Err(Fault::BadHost)),
        ("/", &["%61.example"], None, Err(Fault::BadHost)),
        ("/", &["a:80:81"], None, Err(Fault::BadHost)),
        ("/", &["a:+80"], None, Err(Fault::BadHost)),
    ] {
        assert_eq!(
            host(v1, target, hosts, sni).as_deref(),
            expected.as_ref().map(|it| *it),
            "{target} {hosts:?}"
        );
    }
    assert_eq!(host(Version::HTTP_10, "/", &[], None).as_deref(), Ok(""));
    assert_eq!(host(Version::HTTP_2, "http://a.example/x", &[], None).as_deref(), Ok("a.example"));
    assert_eq!(host(Version::HTTP_2, "http://a.example/x", &["b"], None), Err(Fault::HostsDisagree));
}
