//! The bytes that go-ftw sends for a case: it wants to break HTTP, so what the case says is taken over unchecked.

use crate::cases::Input;

/// The whole request as it goes over the wire.
#[must_use]
pub fn request(input: &Input) -> Vec<u8> {
    if let Some(whole) = &input.encoded_request {
        return whole.clone();
    }
    let method = input.method.as_deref().unwrap_or("GET");
    let autocomplete = input.autocomplete_headers;
    let mut fields = input.headers.0.clone();
    let mut body = input.data.clone().unwrap_or_default();
    if autocomplete && !body.is_empty() {
        if !has(&fields, "content-type") {
            fields.push(("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        }
        let is_form = values(&fields, "content-type")
            .any(|it| it.eq_ignore_ascii_case("application/x-www-form-urlencoded"));
        if is_form && !input.is_verbatim {
            body = form(body);
        }
    }
    let is_multipart =
        values(&fields, "content-type").any(|it| it.to_ascii_lowercase().contains("multipart/form-data;"));
    if is_multipart && !input.is_verbatim {
        body = with_line_ends(&body);
    }
    if autocomplete {
        if !has(&fields, "connection") {
            fields.push(("Connection".to_owned(), "close".to_owned()));
        }
        // The client's own test of methods is looser than it looks; none of the suite's methods shows it.
        let may_have_body = ["POST", "PUT", "PATCH", "DELETE"].iter().any(|it| method.contains(it));
        if !has(&fields, "content-length") && (!body.is_empty() || may_have_body) {
            fields.push(("Content-Length".to_owned(), body.len().to_string()));
        }
    }

    let target = input.uri.as_deref().unwrap_or("/");
    let version = input.version.as_deref().unwrap_or("HTTP/1.1");
    let mut request = format!("{method} {target} {version}\r\n");
    for (name, value) in &fields {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut request = request.into_bytes();
    request.extend_from_slice(b"\r\n");
    request.extend_from_slice(&body);
    request
}

/// The values of a field.
fn values<'f>(fields: &'f [(String, String)], name: &str) -> impl Iterator<Item = &'f str> {
    fields.iter().filter(move |(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn has(fields: &[(String, String)], name: &str) -> bool {
    values(fields, name).next().is_some()
}

/// A form as it must be sent: encoded, unless it already is, which shows in that decoding changes it.
fn form(body: Vec<u8>) -> Vec<u8> {
    // What cannot be decoded counts as changed.
    if decoded(&body).as_deref() != Some(&body[..]) {
        return body;
    }
    let pairs: Vec<Vec<u8>> = body
        .split(|byte| *byte == b'&')
        .map(|pair| {
            let parts: Vec<Vec<u8>> = pair.splitn(2, |byte| *byte == b'=').map(encoded).collect();
            parts.join(&b'=')
        })
        .collect();
    let mut pairs = pairs.join(&b'&');
    // A last, empty pair is not written.
    if body.ends_with(b"&") {
        pairs.pop();
    }
    pairs
}

fn encoded(text: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::new();
    for byte in text {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(*byte),
            b' ' => encoded.push(b'+'),
            _ => encoded.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    encoded
}

/// Percent signs and plus signs decoded; `None` where a percent sign is not followed by two hexadecimal digits.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let digits = str::from_utf8(rest.get(..2)?).ok()?;
                decoded.push(u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?);
                rest = rest.get(2..)?;
            }
            _ => decoded.push(*byte),
        }
    }
    Some(decoded)
}

fn with_line_ends(body: &[u8]) -> Vec<u8> {
    body.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..])
}

/// Standard base64, over several lines where it is long; `None` where it is none.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    use ::base64::{Engine as _, engine::general_purpose::STANDARD};
    let text: String = text.split_ascii_whitespace().collect();
    STANDARD.decode(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::Fields;

    fn input(headers: &[(&str, &str)], data: &str) -> Input {
        Input {
            method: Some("POST".to_owned()),
            uri: Some("/post".to_owned()),
            version: None,
            headers: Fields(headers.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()),
            data: Some(data.as_bytes().to_owned()),
            is_verbatim: false,
            autocomplete_headers: true,
            encoded_request: None,
        }
    }

    fn check(headers: &[(&str, &str)], data: &str, expected: &str) {
        assert_eq!(String::from_utf8(request(&input(headers, data))).unwrap(), expected);
    }

    #[test]
    fn completes_the_head_of_a_form_and_encodes_it() {
        check(
            &[("Host", "h")],
            "a=b c&d='=&e",
            "POST /post HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\nConnection: close\r\nContent-Length: 16\r\n\r\na=b+c&d=%27%3D&e",
        );
    }

    #[test]
    fn leaves_an_encoded_form_alone() {
        let body = |data: &str| {
            let request = String::from_utf8(request(&input(&[], data))).unwrap();
            request.split_once("\r\n\r\n").unwrap().1.to_owned()
        };
        assert_eq!(body("a=%20<"), "a=%20<");
        assert_eq!(body("a=b+c<"), "a=b+c<");
        assert_eq!(body("a=100%<"), "a=100%<");
        assert_eq!(body("a=<&"), "a=%3C");
    }

    #[test]
    fn ends_the_lines_of_a_multipart_body() {
        let headers = [("Content-Type", "multipart/form-data; boundary=b"), ("Connection", "x")];
        check(
            &headers,
            "--b\n\nv\n",
            "POST /post HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\nConnection: x\r\nContent-Length: 10\r\n\r\n--b\r\n\r\nv\r\n",
        );
    }

    #[test]
    fn sends_as_it_is_what_came_encoded() {
        let mut input = input(&[("Content-Type", "multipart/form-data; boundary=b")], "--b\n");
        input.is_verbatim = true;
        assert!(request(&input).ends_with(b"Content-Length: 4\r\n\r\n--b\n"));
        input.autocomplete_headers = false;
        assert!(request(&input).ends_with(b"boundary=b\r\n\r\n--b\n"));
        input.encoded_request = Some(b"GET /".to_vec());
        assert_eq!(request(&input), b"GET /");
    }
}
