//! Where an API says that it is served.

use super::{Model, Note};

/// Takes the servers over, relative ones resolved against the URL the description came from (RFC 3986 §5).
pub(super) fn resolve_all(written: &[String], base: Option<&str>, model: &mut Model) {
    for url in written {
        match resolve(url, base) {
            Some(origin) if model.servers.contains(&origin) => {}
            Some(origin) => model.servers.push(origin),
            None => model.notes.push(Note {
                place: String::new(),
                text: format!("server `{url}` is relative or no HTTP URL: the target must be named"),
            }),
        }
    }
    if model.servers.is_empty()
        && let Some(origin) = base.and_then(origin)
    {
        model.servers.push(origin);
    }
}

/// The scheme and authority that a server means.
fn resolve(url: &str, base: Option<&str>) -> Option<String> {
    if let Some(rest) = url.strip_prefix("//") {
        let scheme = base.and_then(|it| it.split_once("://")).map_or("https", |(scheme, _)| scheme);
        return origin(&format!("{scheme}://{rest}"));
    }
    if url.contains("://") { origin(url) } else { base.and_then(origin) }
}

/// `scheme://authority` of an HTTP URL, lower case; `None` where it is none, or has an unfilled variable in it.
pub fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.trim().split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    if !matches!(scheme.as_str(), "http" | "https") {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // Credentials in a URL are nobody's server.
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    if authority.is_empty() || !authority.bytes().all(sound) {
        return None;
    }
    Some(format!("{scheme}://{}", authority.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_servers_against_where_the_description_came_from() {
        let base = Some("https://docs.example.com/a/openapi.json");
        for (url, base, expected) in [
            ("https://API.example.com:8443/v1/", None, Some("https://api.example.com:8443")),
            ("/v1", base, Some("https://docs.example.com")),
            ("../v1", base, Some("https://docs.example.com")),
            ("//x.example.com/v1", Some("http://a/b"), Some("http://x.example.com")),
            ("/v1", None, None),
            ("https://{host}/v1", base, None),
            ("ftp://x/y", base, None),
            ("http://user:pass@x/", None, Some("http://x")),
            ("http://[::1]:80/", None, Some("http://[::1]:80")),
        ] {
            assert_eq!(resolve(url, base).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn without_servers_it_is_served_where_it_was_found() {
        let mut model = Model::default();
        resolve_all(&[], Some("http://127.0.0.1:5000/openapi.json"), &mut model);
        assert_eq!(model.servers, ["http://127.0.0.1:5000"]);
        let mut model = Model::default();
        resolve_all(&["/v1".to_owned()], None, &mut model);
        assert!(model.servers.is_empty());
        assert_eq!(model.notes.len(), 1);
    }
}
