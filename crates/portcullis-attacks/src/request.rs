//! From the parts of a request to the values in it.

mod body;
mod cookie;
mod graphql;
mod header;
mod multipart;
mod pairs;
mod path;
mod runs;
mod tree;
mod xml;

use crate::inspector::Judging;

/// A request as it came.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// The method.
    pub method: &'a str,
    /// The request target as on the wire, still encoded: path and query.
    pub target: &'a str,
    /// Field names and values in order; repeated ones each time.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body without content codings; empty where there is none.
    pub body: &'a [u8],
}

impl Judging<'_> {
    /// Looks at a whole request.
    pub fn parts(&mut self, parts: &Parts<'_>) {
        self.target(parts.target.as_bytes());
        for (name, value) in parts.headers {
            self.header(name, value);
        }
        let is_type = |(name, _): &&(&str, &[u8])| name.eq_ignore_ascii_case("content-type");
        let content_type = parts.headers.iter().find(is_type).map(|(_, value)| *value);
        self.body(content_type, parts.body);
    }

    /// Looks at a request target: the path as a whole and by segments, then the query.
    pub fn target(&mut self, target: &[u8]) {
        let (path, query) = match memchr::memchr(b'?', target).and_then(|at| target.split_at_checked(at)) {
            Some((path, query)) => (path, query.get(1..).unwrap_or_default()),
            None => (target, &[][..]),
        };
        self.path(path);
        self.query(query);
    }
}
