//! The range's outgoing calls: HTTP GET to loopback, bounded in bytes, time and redirects.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// The longest answer that is read, in bytes.
const ANSWER_MAX: u64 = 64 << 10;

/// The whole call, in milliseconds.
const CALL_MILLIS: u64 = 2_000;

/// Partners of the market that are always there: they answer from here, without any call.
pub(crate) const PARTNERS: &[&str] = &["https://images.harbour.example/", "https://hooks.harbour.example/"];

/// What came back.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Fetched {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The address that a URL means, if it is one on this machine.
pub(crate) fn loopback(url: &str) -> Result<(SocketAddr, String), String> {
    let rest = url
        .split_once("://")
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("http"))
        .map(|(_, rest)| rest)
        .ok_or("only http addresses can be fetched")?;
    let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at_checked(at).ok_or("bad address")?;
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, it)| it);
    let (host, port) = match host_and_port.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && !port.contains(']') => {
            (host, port.parse::<u16>().map_err(|_| "bad port")?)
        }
        _ => (host_and_port, 80),
    };
    let plain = host.trim_matches(['[', ']']).to_ascii_lowercase();
    let ip = if plain == "localhost" || plain.ends_with(".localhost") {
        std::net::IpAddr::from([127, 0, 0, 1])
    } else {
        plain.parse().map_err(|_| format!("could not resolve host: {host}"))?
    };
    if !ip.is_loopback() {
        return Err(format!("no route to host {host}"));
    }
    let target = target.split('#').next().unwrap_or_default();
    let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    if target.bytes().any(|it| it <= b' ' || it == 0x7f) {
        return Err("bad address".to_owned());
    }
    Ok((SocketAddr::new(ip, port), target))
}

/// Gets a URL, following at most so many redirects.
pub(crate) async fn get(url: &str, redirects_max: u8) -> Result<Fetched, String> {
    if PARTNERS.iter().any(|it| url.starts_with(it)) {
        return Ok(Fetched { status: 200, body: b"a partner's answer".to_vec() });
    }
    let mut url = url.to_owned();
    for _ in 0..=redirects_max {
        let (fetched, location) = once(&url).await?;
        match location {
            Some(next) if redirects_max > 0 && (300..400).contains(&fetched.status) => url = next,
            _ => return Ok(fetched),
        }
    }
    Err("too many redirects".to_owned())
}

async fn once(url: &str) -> Result<(Fetched, Option<String>), String> {
    let (address, target) = loopback(url)?;
    let call = async {
        let mut stream = TcpStream::connect(address).await?;
        let head = format!(
            "GET {target} HTTP/1.1\r\nhost: {address}\r\nuser-agent: market-fetch/2.4\r\naccept: */*\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        let mut answer = Vec::new();
        let mut reader = stream.take(ANSWER_MAX);
        reader.read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = timeout(Duration::from_millis(CALL_MILLIS), call)
        .await
        .map_err(|_| "the other side took too long".to_owned())?
        .map_err(|error| format!("could not connect: {error}"))?;
    parse(&answer).ok_or_else(|| "the other side did not answer in HTTP".to_owned())
}

fn parse(answer: &[u8]) -> Option<(Fetched, Option<String>)> {
    let at = answer.windows(4).position(|it| it == b"\r\n\r\n")?;
    let (head, rest) = answer.split_at_checked(at)?;
    let body = rest.split_at_checked(4)?.1;
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let field = |wanted: &str| {
        head.split("\r\n").skip(1).find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
        })
    };
    let chunked = field("transfer-encoding").is_some_and(|it| it.eq_ignore_ascii_case("chunked"));
    let body = if chunked { unchunk(body) } else { body.to_vec() };
    Some((Fetched { status, body }, field("location")))
}

fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(at) = rest.windows(2).position(|it| it == b"\r\n") {
        let Some((size, tail)) = rest.split_at_checked(at) else { break };
        let size = String::from_utf8_lossy(size);
        let Ok(size) = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16) else {
            break;
        };
        let Some((chunk, tail)) = tail.get(2..).and_then(|it| it.split_at_checked(size)) else { break };
        if size == 0 {
            break;
        }
        out.extend_from_slice(chunk);
        rest = tail.get(2..).unwrap_or_default();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_to_loopback_only() {
        assert_eq!(loopback("http://127.0.0.1:81/a?b#c").map(|it| it.1), Ok("/a?b".to_owned()));
        assert!(loopback("http://user@localhost:81").is_ok());
        assert!(loopback("http://[::1]:81/").is_ok());
        for url in [
            "http://192.0.2.1/",
            "http://example.org/",
            "file:///etc/passwd",
            "gopher://127.0.0.1",
            "http://127.0.0.1:99999/",
            "http://127.0.0.1/a b",
        ] {
            assert!(loopback(url).is_err(), "{url}");
        }
    }

    #[test]
    fn reads_plain_and_chunked_answers() {
        let (plain, location) = parse(b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\nbody").expect("parses");
        assert_eq!((plain.status, plain.text().as_str(), location.as_deref()), (302, "body", Some("/x")));
        let (chunked, _) =
            parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n2\r\nef\r\n0\r\n\r\n")
                .expect("parses");
        assert_eq!(chunked.text(), "abcdef");
        assert!(parse(b"nonsense").is_none());
    }
}
