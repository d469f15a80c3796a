//! A request as the upstream is asked it: lent for the time of the call, so that it can be asked again without a copy.

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header::HOST, request::Parts, uri::PathAndQuery,
};

/// A request's head. The server's base path is put before the target; nothing is stripped: fields that
/// `Connection` nominates are the caller's to take out, and `Connection` with `Upgrade` his to keep.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The method.
    pub method: &'a Method,
    /// Path and query; `/` where there is none.
    pub target: Option<&'a PathAndQuery>,
    /// `Host` (`:authority` over HTTP/2); the server's own where there is none.
    pub host: Option<&'a HeaderValue>,
    /// The fields. `Host` among them does not count.
    pub headers: &'a HeaderMap,
    /// Fields that stand in place of those of the same name, or take them out.
    pub changes: &'a [(HeaderName, Option<HeaderValue>)],
}

impl<'a> Asking<'a> {
    /// A head that needs no changes.
    pub fn whole(head: &'a Parts) -> Self {
        Self {
            method: &head.method,
            target: head.uri.path_and_query(),
            host: head.headers.get(HOST),
            headers: &head.headers,
            changes: &[],
        }
    }

    /// The fields as they are sent, without `Host`.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)> + use<'a> {
        let changes = self.changes;
        let kept = move |name: &HeaderName| *name != HOST && !changes.iter().any(|(it, _)| it == name);
        let set = changes.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        self.headers.iter().filter(move |(name, _)| kept(name)).chain(set)
    }

    pub(super) fn has(&self, name: &HeaderName) -> bool {
        match self.changes.iter().find(|(it, _)| it == name) {
            Some((_, value)) => value.is_some(),
            None => self.headers.contains_key(name),
        }
    }

    /// A copy for a connection that wants to own it.
    pub(super) fn to_owned(self, uri: Uri) -> Parts {
        let (mut head, ()) = Request::new(()).into_parts();
        head.method = self.method.clone();
        head.uri = uri;
        head.headers.reserve(self.headers.len() + self.changes.len());
        for (name, value) in self.fields() {
            head.headers.append(name.clone(), value.clone());
        }
        head
    }
}
