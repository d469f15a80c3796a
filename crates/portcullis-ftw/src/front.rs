//! The HTTP server that stands before the engine. It delimits messages as RFC 9112 says and shows the rules all that can
//! be delimited, however odd it is; whether it would then serve the request or answer 400 is its own affair.

use portcullis_seclang::Field;

/// A request as received.
#[derive(Debug, Default)]
pub struct Received {
    /// The request line without its end.
    pub line: Vec<u8>,
    /// The method.
    pub method: Vec<u8>,
    /// The request target, undecoded.
    pub target: Vec<u8>,
    /// The protocol as it is written.
    pub protocol: Vec<u8>,
    /// The header fields in order.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether it is served.
    pub service: Service,
}

/// Whether the server serves what it has read.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The request goes to the backend.
    #[default]
    Served,
    /// It is answered with 400, after the rules had their say.
    Refused,
    /// The answer to HTTP/0.9 has no head, which no client of today takes for an answer.
    Headless,
}

/// Why rules never see a request: where it ends cannot be told, or its head cannot be handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

impl Received {
    /// The header fields as the engine takes them.
    #[must_use]
    pub fn field_slices(&self) -> Vec<Field<'_>> {
        self.fields.iter().map(|(name, value)| (&name[..], &value[..])).collect()
    }
}

/// Reads one request from the bytes of a connection.
///
/// # Errors
/// Where the request ends, or what its head says, cannot be told.
pub fn read(bytes: &[u8]) -> Result<Received, Unreadable> {
    let (line, mut rest) = next_line(bytes).ok_or(Unreadable)?;
    let mut received = request_line(line);
    // A head that breaks off is complete: the client has nothing more to send.
    while let Some((line, after)) = next_line(rest) {
        rest = after;
        if line.is_empty() {
            break;
        }
        received.fields.push(field(line)?);
    }
    if received.service == Service::Served && !hosts_are_good(&received) {
        received.service = Service::Refused;
    }
    received.body = body(&mut received.fields, rest)?;
    Ok(received)
}

fn next_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    if bytes.is_empty() {
        return None;
    }
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (line, rest) = cut(bytes, end);
    Some((line.strip_suffix(b"\r").unwrap_or(line), rest))
}

/// The parts lie between the first and the last space, so that a target may hold what it must not.
fn request_line(line: &[u8]) -> Received {
    let text = line.trim_ascii_start();
    let (method, rest) = cut(text, text.iter().position(|byte| *byte == b' '));
    let (target, protocol) = cut(rest, rest.iter().rposition(|byte| *byte == b' '));
    let service = if protocol.is_empty() {
        Service::Headless
    } else if text.len() == line.len() && target_is_good(method, target) && protocol_is_good(protocol) {
        Service::Served
    } else {
        Service::Refused
    };
    Received {
        line: line.to_owned(),
        method: method.to_owned(),
        target: target.to_owned(),
        protocol: protocol.to_owned(),
        service,
        ..Received::default()
    }
}

/// The bytes before and behind the one at a position; all of them where there is none.
fn cut(bytes: &[u8], at: Option<usize>) -> (&[u8], &[u8]) {
    let parts = at.and_then(|at| bytes.split_at_checked(at));
    parts.map_or((bytes, &[]), |(before, rest)| (before, rest.get(1..).unwrap_or_default()))
}

/// The four forms of RFC 9112, section 3.2; of the characters only those are held against it that cut it short.
fn target_is_good(method: &[u8], target: &[u8]) -> bool {
    if target.iter().any(|byte| *byte <= b' ' || *byte == 0x7f || *byte == b'#') {
        return false;
    }
    if method == b"CONNECT" {
        // Host and port; the port is required.
        let port = target.rsplit(|byte| *byte == b':').next().unwrap_or_default();
        return port.len() < target.len() && !port.is_empty() && port.iter().all(u8::is_ascii_digit);
    }
    target.starts_with(b"/")
        || target.starts_with(b"http://")
        || target.starts_with(b"https://")
        || (method == b"OPTIONS" && target == b"*")
}

/// `HTTP/` and a version that sends heads, which 1.0 and later do.
fn protocol_is_good(protocol: &[u8]) -> bool {
    let Some(version) = protocol.strip_prefix(b"HTTP/") else { return false };
    let (major, minor) = cut(version, version.iter().position(|byte| *byte == b'.'));
    matches!(major, [b'1'..=b'9']) && matches!(minor, [] | [b'0'..=b'9'])
}

/// A carriage return, a line feed or a NUL inside a field makes two servers read two different heads (RFC 9110, section
/// 5.5), and so does a name that is no token; folded lines are no longer HTTP.
fn field(line: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Unreadable> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or(Unreadable)?;
    let (name, value) = cut(line, Some(colon));
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if name.is_empty() || !name.iter().all(is_token) || value.iter().any(|byte| matches!(byte, b'\r' | 0)) {
        return Err(Unreadable);
    }
    Ok((name.to_owned(), value.trim_ascii().to_owned()))
}

/// At most one, required from HTTP/1.1 on, never empty; a name in it is one that the DNS can hold, an escape is none.
fn hosts_are_good(received: &Received) -> bool {
    let hosts: Vec<&[u8]> = values(&received.fields, "host").collect();
    match hosts[..] {
        [] => received.protocol == b"HTTP/1.0",
        [host] => !host.is_empty() && !host.contains(&b'%'),
        _ => false,
    }
}

fn values<'f>(fields: &'f [(Vec<u8>, Vec<u8>)], name: &'f str) -> impl Iterator<Item = &'f [u8]> {
    fields
        .iter()
        .filter(move |(it, _)| it.eq_ignore_ascii_case(name.as_bytes()))
        .map(|(_, value)| value.as_slice())
}

/// The body, by RFC 9112, section 6.3: a transfer coding overrides a length, which then goes; a body that breaks off is
/// taken for what there is.
fn body(fields: &mut Vec<(Vec<u8>, Vec<u8>)>, rest: &[u8]) -> Result<Vec<u8>, Unreadable> {
    if values(fields, "transfer-encoding").next().is_some() {
        let is_chunked = values(fields, "transfer-encoding").all(|it| it.eq_ignore_ascii_case(b"chunked"));
        if !is_chunked {
            return Err(Unreadable);
        }
        fields.retain(|(name, _)| !name.eq_ignore_ascii_case(b"content-length"));
        return chunks(rest);
    }
    let lengths: Vec<&[u8]> = values(fields, "content-length").collect();
    let Some(length) = lengths.first() else { return Ok(Vec::new()) };
    if length.is_empty()
        || !length.iter().all(u8::is_ascii_digit)
        || lengths.iter().any(|other| other != length)
    {
        return Err(Unreadable);
    }
    let length: usize = str::from_utf8(length).ok().and_then(|it| it.parse().ok()).ok_or(Unreadable)?;
    Ok(rest.get(..length).unwrap_or(rest).to_owned())
}

fn chunks(mut rest: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let mut body = Vec::new();
    while let Some((line, after)) = next_line(rest) {
        let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        let length = str::from_utf8(digits).ok().and_then(|it| usize::from_str_radix(it, 16).ok());
        let length = length.ok_or(Unreadable)?;
        if length == 0 {
            break;
        }
        let (chunk, after) = after.split_at_checked(length).unwrap_or((after, &[]));
        body.extend_from_slice(chunk);
        rest = after.strip_prefix(b"\r\n").or_else(|| after.strip_prefix(b"\n")).unwrap_or(after);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(request: &str) -> Result<Service, Unreadable> {
        read(request.as_bytes()).map(|it| it.service)
    }

    #[test]
    fn serves_what_rfc_9112_calls_a_request() {
        for line in
            ["GET / HTTP/1.1", "OPTIONS * HTTP/1.1", "GET http://h/ HTTP/1.1", "CONNECT h:80 HTTP/1.1"]
        {
            assert_eq!(service(&format!("{line}\r\nHost: h\r\n\r\n")), Ok(Service::Served), "{line}");
        }
    }

    #[test]
    fn refuses_odd_requests_that_it_can_show() {
        for line in [
            " GET / HTTP/1.1",
            "GET \\ HTTP/1.1",
            "GET /#a HTTP/1.1",
            "GET /a b HTTP/1.1",
            "CONNECT h HTTP/1.1",
            "GET / HTTP/0.9",
            "GET / TEST",
        ] {
            assert_eq!(service(&format!("{line}\r\nHost: h\r\n\r\n")), Ok(Service::Refused), "{line}");
        }
        for head in ["", "Host:\r\n", "Host: a%00\r\n", "Host: a\r\nHost: b\r\n"] {
            assert_eq!(service(&format!("GET / HTTP/1.1\r\n{head}\r\n")), Ok(Service::Refused), "{head}");
        }
        assert_eq!(service("GET / \r\n\r\n"), Ok(Service::Headless));
    }

    #[test]
    fn shows_nothing_of_a_request_whose_end_is_uncertain() {
        for field in
            ["Content-Length: 1x", "Content-Length: 1\r\nContent-Length: 2", "A: b\rc", "A b: c", "A"]
        {
            assert_eq!(service(&format!("GET / HTTP/1.1\r\nHost: h\r\n{field}\r\n\r\n")), Err(Unreadable));
        }
    }

    #[test]
    fn reads_bodies_by_length_and_by_chunks() {
        let body = |head: &str, rest: &str| {
            let received =
                read(format!("POST / HTTP/1.1\r\nHost: h\r\n{head}\r\n\r\n{rest}").as_bytes()).unwrap();
            (String::from_utf8(received.body).unwrap(), received.fields.len())
        };
        assert_eq!(body("Content-Length: 3", "abcdef"), ("abc".to_owned(), 2));
        assert_eq!(body("Content-Length: 9", "abc"), ("abc".to_owned(), 2));
        let both = "Content-Length: 3\r\nTransfer-Encoding: chunked";
        assert_eq!(body(both, "3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n"), ("abcde".to_owned(), 2));
    }
}
