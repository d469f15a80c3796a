//! Texts with a form of their own: names of header fields, hosts, paths, claims, operations.

use std::{fmt, sync::Arc};

use schemars::{Schema, SchemaGenerator, json_schema};

use super::url::parse_url;
use crate::{
    codes,
    read::{Read, Reader, text_schema},
    yaml::{Node, Value},
};

pub use http::{HeaderName, HeaderValue};

/// A host that is served: `api.example.com` or `*.example.com`, lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostPattern {
    /// This name and no other.
    Exact(Arc<str>),
    /// Every name that ends in `.` and this.
    Under(Arc<str>),
}

/// A prefix of request paths: begins with `/`, ends without, as it is compared after normalising. The whole host
/// is the empty prefix, written `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathPrefix(pub Arc<str>);

/// Names of members on the way to a claim, by dots: `realm_access.roles`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClaimPath(pub Vec<Arc<str>>);

/// A place in a JSON document (RFC 6901): `/user/name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JsonPointer(pub Arc<str>);

/// How operations are named: by `operationId`, by `METHOD /path` of the specification, or by `tag:NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationKey {
    /// Every operation with this tag.
    Tag(Arc<str>),
    /// The operation of a method (upper case) and path template, as the specification writes it.
    Route(Arc<str>, Arc<str>),
    /// The operation with this `operationId`.
    Id(Arc<str>),
}

/// The origins of web pages that may call (RFC 6454).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Origins {
    /// All of them, without credentials.
    Any,
    /// These, as `scheme://host[:port]`, lower case.
    List(Vec<Arc<str>>),
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Under(name) => write!(f, "*.{name}"),
        }
    }
}

impl fmt::Display for PathPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "/" } else { &self.0 })
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

impl fmt::Display for OperationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => write!(f, "tag:{tag}"),
            Self::Route(method, path) => write!(f, "{method} {path}"),
            Self::Id(id) => f.write_str(id),
        }
    }
}

fn parse_host(text: &str) -> Result<HostPattern, &'static str> {
    let (under, name) = match text.strip_prefix("*.") {
        Some(name) => (true, name),
        None => (false, text),
    };
    let label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        !label.is_empty() && label.len() <= 63 && label.bytes().all(plain)
    };
    let literal = name.parse::<std::net::IpAddr>().is_ok();
    if !literal && (name.len() > 253 || !name.split('.').all(label)) {
        return Err("write a name without scheme, port or path, as in `api.example.com` or `*.example.com`");
    }
    let name = name.to_ascii_lowercase().into();
    Ok(if under { HostPattern::Under(name) } else { HostPattern::Exact(name) })
}

fn parse_prefix(text: &str) -> Result<PathPrefix, &'static str> {
    let Some(rest) = text.strip_prefix('/') else {
        return Err("it must begin with `/`");
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte);
    if !rest.bytes().all(plain) {
        return Err("a prefix holds plain path characters only: no `%`, `{`, `?` or `#`");
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.is_empty() {
        return Ok(PathPrefix::default());
    }
    if rest.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return Err("a prefix has no empty, `.` or `..` segments");
    }
    Ok(PathPrefix(format!("/{rest}").into()))
}

fn parse_claim(text: &str) -> Result<ClaimPath, &'static str> {
    // Namespaced claims are URLs, whose dots are no steps.
    if text.contains("://") {
        return Ok(ClaimPath(vec![text.into()]));
    }
    let names: Vec<Arc<str>> = text.split('.').map(Arc::from).collect();
    if names.len() > 8 || names.iter().any(|name| name.is_empty()) {
        return Err("write names of members separated by dots, as in `realm_access.roles`");
    }
    Ok(ClaimPath(names))
}

fn parse_pointer(text: &str) -> Result<JsonPointer, &'static str> {
    let wrong = "a JSON pointer begins with `/`, as in `/user/name`, and `~` is written `~0` in it";
    let mut rest = text.split('~');
    let first = rest.next().unwrap_or_default();
    if !first.starts_with('/') || !rest.all(|part| part.starts_with(['0', '1'])) {
        return Err(wrong);
    }
    Ok(JsonPointer(text.into()))
}

/// Reads the name of an operation.
pub(crate) fn parse_operation(text: &str) -> Result<OperationKey, &'static str> {
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err("an operation is named by `operationId`, `METHOD /path` or `tag:NAME`");
    }
    if let Some(tag) = text.strip_prefix("tag:") {
        return if tag.is_empty() {
            Err("`tag:` is followed by a name")
        } else {
            Ok(OperationKey::Tag(tag.into()))
        };
    }
    if let Some((method, path)) = text.split_once(' ') {
        let path = path.trim_start();
        if path.starts_with('/')
            && !method.is_empty()
            && method.bytes().all(|byte| byte.is_ascii_alphabetic())
        {
            return Ok(OperationKey::Route(method.to_ascii_uppercase().into(), path.into()));
        }
    }
    if text.starts_with('/') {
        return Err("a method stands before the path, as in `GET /orders/{id}`");
    }
    Ok(OperationKey::Id(text.into()))
}

impl Read for HostPattern {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "host", parse_host)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_schema("a host, or `*.` and a host", None)
    }
}

impl Read for PathPrefix {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "path prefix", parse_prefix)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_schema("a path prefix", Some("^/"))
    }
}

impl Read for ClaimPath {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "claim", parse_claim)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_schema("the name of a claim, by dots where it is nested", None)
    }
}

impl Read for JsonPointer {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "JSON pointer", parse_pointer)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_schema("a JSON pointer", Some("^/"))
    }
}

impl Read for OperationKey {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "operation", parse_operation)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_schema("an operation: operationId, `METHOD /path` or `tag:NAME`", None)
    }
}

impl Read for HeaderName {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "header field name", |text| {
            Self::from_bytes(text.as_bytes()).map_err(|_| "it holds a character that no field name has")
        })
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_schema("the name of a header field", Some("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"))
    }
}

impl Read for Origins {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let texts = Vec::<Arc<str>>::read(node, reader)?;
        if texts.iter().any(|it| &**it == "*") {
            if texts.len() > 1 {
                reader.note(
                    &codes::CONFLICT,
                    node.span,
                    "`*` stands for all origins: no other can stand beside it",
                );
                return None;
            }
            return Some(Self::Any);
        }
        let items: Vec<&Node> = match &node.value {
            Value::List(items) => items.iter().collect(),
            Value::Null | Value::Scalar(_) | Value::Map(_) => vec![node],
        };
        let mut origins = Vec::new();
        for item in items {
            origins.push(reader.parsed(item, "origin", |text| match parse_url(text) {
                Ok(url) if url.path.is_empty() => {
                    Ok(format!("{}://{}", url.scheme.word(), url.authority()).into())
                }
                Ok(_) => Err("an origin has no path"),
                Err(error) => Err(error),
            }));
        }
        origins.into_iter().collect::<Option<_>>().map(Self::List)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "array"], "title": "origins, or `*`", "items": { "type": "string" } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hosts_prefixes_claims_pointers_and_operations() {
        assert_eq!(parse_host("API.example.com"), Ok(HostPattern::Exact("api.example.com".into())));
        assert_eq!(parse_host("*.example.com"), Ok(HostPattern::Under("example.com".into())));
        assert_eq!(parse_host("127.0.0.1"), Ok(HostPattern::Exact("127.0.0.1".into())));
        for wrong in ["", "*", "a..b", "https://a", "a:80", "a/b", "a b"] {
            assert!(parse_host(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse_prefix("/v1/"), Ok(PathPrefix("/v1".into())));
        assert_eq!(parse_prefix("/"), Ok(PathPrefix("".into())));
        for wrong in ["", "v1", "/a/../b", "/a//b", "/%2f", "/{id}", "/a?b"] {
            assert!(parse_prefix(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            parse_claim("realm_access.roles"),
            Ok(ClaimPath(vec!["realm_access".into(), "roles".into()]))
        );
        assert_eq!(parse_claim("https://x.y/roles").unwrap().0.len(), 1);
        assert!(parse_claim("a..b").is_err());
        assert!(parse_pointer("/a~1b").is_ok());
        assert!(parse_pointer("a").is_err());
        assert!(parse_pointer("/a~2").is_err());
        let route = OperationKey::Route("GET".into(), "/orders/{id}".into());
        assert_eq!(parse_operation("get /orders/{id}"), Ok(route));
        assert_eq!(parse_operation("tag:internal"), Ok(OperationKey::Tag("internal".into())));
        assert_eq!(parse_operation("listOrders"), Ok(OperationKey::Id("listOrders".into())));
        assert!(parse_operation("/orders").is_err());
        assert!(parse_operation("tag:").is_err());
    }
}
