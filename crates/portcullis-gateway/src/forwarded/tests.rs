//! Header fields in, header fields out.

use portcullis_core::clock::Timestamp;

use super::*;

fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
    }
    headers
}

fn left(headers: &HeaderMap) -> String {
    let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    names.join(" ")
}

#[test]
fn strangers_cannot_speak_for_others() {
    let mut it = headers(&[
        ("host", "h"),
        ("x-forwarded-for", "1.2.3.4"),
        ("x_forwarded_for", "1.2.3.4"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-anything", "1"),
        ("forwarded", "for=1.2.3.4"),
        ("x-real-ip", "1.2.3.4"),
        ("true-client-ip", "1.2.3.4"),
        ("x-user-id", "root"),
        ("x_user_id", "root"),
        ("x-user_id", "root"),
        ("x-http-method-override", "DELETE"),
        ("x-original-url", "/admin"),
        ("x-original-uri", "/admin"),
        ("x-override-url", "/admin"),
        ("x-original-method", "DELETE"),
        ("x-host", "internal"),
        ("proxy", "http://evil.example"),
        ("client-cert", ":AA==:"),
        ("Client_Cert_Chain", ":AA==:"),
        ("x-ssl-client-s-dn", "CN=root"),
        ("x-client-cert", "AA=="),
        ("remote-user", "root"),
        ("accept", "*/*"),
        ("some_name", "kept"),
    ]);
    strip_request(&mut it, Trust::None, &[HeaderName::from_static("x-user-id")]);
    assert_eq!(left(&it), "accept host some_name");
}

#[test]
fn trusted_proxies_can_and_still_name_nobody() {
    let mut it =
        headers(&[("x-forwarded-for", "1.2.3.4"), ("x_forwarded_for", "6.6.6.6"), ("x-user-id", "root")]);
    strip_request(&mut it, Trust::Proxy, &[HeaderName::from_static("x-user-id")]);
    assert_eq!(left(&it), "x-forwarded-for");
}

#[test]
fn identity_fields_are_known_whichever_way_they_are_configured() {
    for configured in ["x-user-id", "x_user_id"] {
        let mut it =
            headers(&[("x-user-id", "root"), ("X_User_Id", "root"), ("x-user_id", "root"), ("x-user", "1")]);
        strip_request(&mut it, Trust::Proxy, &[HeaderName::from_static(configured)]);
        assert_eq!(left(&it), "x-user", "{configured}");
    }
}

#[test]
fn connection_fields_end_here() {
    let mut it = headers(&[
        ("host", "h"),
        ("connection", "close, X-Gone, Upgrade, host, ,\"odd\""),
        ("upgrade", "websocket"),
        ("x-gone", "1"),
        ("keep-alive", "timeout=5"),
        ("te", "gzip, trailers"),
        ("proxy-authorization", "Basic eA=="),
        ("transfer-encoding", "chunked"),
        ("http2-settings", "x"),
        ("accept", "*/*"),
    ]);
    let hop = strip_request(&mut it, Trust::None, &[]);
    assert_eq!(left(&it), "accept host");
    assert!(hop.trailers);
    assert_eq!(hop.upgrade.unwrap(), "websocket");
    let mut it = headers(&[("upgrade", "websocket")]);
    assert!(strip_request(&mut it, Trust::None, &[]).upgrade.is_none(), "not named by connection");
}

fn speak(headers: &mut HeaderMap, trust: Trust, peer: &'static str, scheme: &'static str) {
    let mut changes = Changes::new();
    speak_for(headers, &mut changes, trust, &HeaderValue::from_static(peer), scheme, None);
    apply(changes, headers);
}

#[test]
fn a_nominated_name_cannot_remove_ours() {
    let mut it = headers(&[("connection", "x-forwarded-for, x-request-id"), ("host", "h")]);
    strip_request(&mut it, Trust::None, &[]);
    speak(&mut it, Trust::None, "9.9.9.9", "https");
    assert_eq!(it[X_FORWARDED_FOR], "9.9.9.9");
    assert_eq!(it[X_FORWARDED_PROTO], "https");
}

#[test]
fn the_client_is_the_right_most_stranger() {
    let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
    for (peer, fields, expected) in [
        ("9.9.9.9", &["1.1.1.1"][..], "9.9.9.9"),
        ("10.0.0.1", &[][..], "10.0.0.1"),
        ("10.0.0.1", &["1.1.1.1"][..], "1.1.1.1"),
        ("::ffff:10.0.0.1", &["1.1.1.1"][..], "1.1.1.1"),
        ("10.0.0.1", &["6.6.6.6, 1.1.1.1, 10.0.0.2"][..], "1.1.1.1"),
        ("10.0.0.1", &["6.6.6.6", "1.1.1.1", "10.0.0.2"][..], "1.1.1.1"),
        ("10.0.0.1", &["1.1.1.1:5000"][..], "1.1.1.1"),
        ("10.0.0.1", &["[2001:db8::1]:80, fd00::1"][..], "2001:db8::1"),
        ("10.0.0.1", &["[2001:db8::1]"][..], "2001:db8::1"),
        ("10.0.0.1", &["1.1.1.1, nonsense"][..], "10.0.0.1"),
        ("10.0.0.1", &["1.1.1.1, unknown, 10.0.0.2"][..], "10.0.0.2"),
    ] {
        let fields: Vec<_> = fields.iter().map(|field| ("x-forwarded-for", *field)).collect();
        let peer: IpAddr = peer.parse().unwrap();
        let ip = client_ip(peer, trust(peer, &trusted), &headers(&fields), &trusted);
        assert_eq!(ip.to_string(), expected, "{peer} {fields:?}");
    }
}

#[test]
fn a_trusted_chain_is_continued() {
    let mut it = headers(&[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https")]);
    speak(&mut it, Trust::Proxy, "10.0.0.1", "http");
    assert_eq!(it[X_FORWARDED_FOR], "1.1.1.1, 10.0.0.1");
    assert_eq!(it[X_FORWARDED_PROTO], "https");
}

#[test]
fn traces_are_continued_or_started() {
    let reference = ReferenceId::new(Timestamp::from_secs(1_700_000_000), [0xff; 10]);
    let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (inbound, expected) in [
        (good, "00-0af7651916cd43dd8448eb211c80319c-0102030405060708-01"),
        (
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-x",
            "00-0af7651916cd43dd8448eb211c80319c-0102030405060708-00",
        ),
        (
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-018bcfe568007fffbfffffffffffffff-0102030405060708-00",
        ),
        (
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-018bcfe568007fffbfffffffffffffff-0102030405060708-00",
        ),
        (
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-018bcfe568007fffbfffffffffffffff-0102030405060708-00",
        ),
        ("rubbish", "00-018bcfe568007fffbfffffffffffffff-0102030405060708-00"),
    ] {
        let mut it = headers(&[("traceparent", inbound), ("tracestate", "a=1")]);
        let mut changes = Changes::new();
        let id = trace(&it, &mut changes, reference, [1, 2, 3, 4, 5, 6, 7, 8]);
        apply(changes, &mut it);
        assert_eq!(it[TRACEPARENT], expected, "{inbound}");
        assert_eq!(Some(&*id), expected.get(3..35), "{inbound}");
        assert_eq!(it.contains_key(TRACESTATE), expected.contains("0af7"), "{inbound}");
    }
}

#[test]
fn trailers_cannot_smuggle_what_the_head_could_not() {
    let mut it =
        headers(&[("grpc-status", "0"), ("x-user-id", "root"), ("authorization", "x"), ("x_real_ip", "1")]);
    strip_trailers(&mut it, &[HeaderName::from_static("x-user-id")]);
    assert_eq!(left(&it), "grpc-status");
}
