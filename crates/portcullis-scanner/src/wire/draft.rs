//! A request while it is being made: what the caller presents is kept apart, so that it can be taken away or replaced
//! wherever it is carried.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Request, Uncomposable};
use crate::{
    call::{Credential, Edit},
    identity::Session,
};

/// All but the unreserved characters (RFC 3986 §2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How the scan names itself.
const USER_AGENT: &str = "portcullis-scan";

/// Percent-encodes all but unreserved characters.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// A name with its value.
#[derive(Clone, Debug)]
struct Field {
    name: String,
    value: String,
    /// Whether the caller's session put it there.
    presented: bool,
}

/// A request being made.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) method: String,
    /// The path, encoded; a whole target once an edit has said so.
    pub(super) path: String,
    /// Query pairs, encoded.
    query: Vec<Field>,
    /// What edits put behind the target.
    suffix: String,
    headers: Vec<Field>,
    cookies: Vec<Field>,
    pub(super) body: Bytes,
    pub(super) http2: bool,
}

impl Draft {
    /// A request of this method for this path, which is encoded already.
    pub(super) fn new(method: &str, path: impl Into<String>) -> Self {
        let mut draft = Self { method: method.to_owned(), path: path.into(), ..Self::default() };
        draft.set_header("user-agent", USER_AGENT);
        draft
    }

    /// The request of a call without an operation: its first method and target.
    pub(super) fn bare(edits: &[Edit]) -> Self {
        let method =
            edits.iter().find_map(|it| if let Edit::Method(method) = it { Some(method) } else { None });
        let target =
            edits.iter().find_map(|it| if let Edit::Target(target) = it { Some(target) } else { None });
        let mut draft = Self::new(method.map_or("GET", String::as_str), target.map_or("/", String::as_str));
        draft.set_header("accept", "*/*");
        draft
    }

    /// Adds a query parameter, both parts encoded already.
    pub(super) fn push_query(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.query.push(Field { name: name.into(), value: value.into(), presented: false });
    }

    /// Adds a cookie.
    pub(super) fn push_cookie(&mut self, name: &str, value: impl Into<String>) {
        self.cookies.push(Field { name: name.to_owned(), value: value.into(), presented: false });
    }

    /// Sets a header field, whatever there was.
    pub(super) fn set_header(&mut self, name: &str, value: impl Into<String>) {
        let name = name.to_ascii_lowercase();
        self.headers.retain(|it| it.name != name);
        self.headers.push(Field { name, value: value.into(), presented: false });
    }

    /// Sets a header field where there is none yet.
    pub(super) fn default_header(&mut self, name: &str, value: &str) {
        if !self.headers.iter().any(|it| it.name == name) {
            self.set_header(name, value);
        }
    }

    /// Adds what the caller presents; what stands at the same places gives way.
    pub(super) fn present(&mut self, session: &Session) {
        for (name, value) in &session.headers {
            let name = name.to_ascii_lowercase();
            self.headers.retain(|it| it.name != name || it.presented);
            self.headers.push(Field { name, value: value.clone(), presented: true });
        }
        for (name, value) in &session.query {
            let name = encode(name);
            self.query.retain(|it| it.name != name || it.presented);
            self.query.push(Field { name, value: encode(value), presented: true });
        }
        for (name, value) in &session.cookies {
            self.cookies.retain(|it| it.name != *name || it.presented);
            self.cookies.push(Field { name: name.clone(), value: value.clone(), presented: true });
        }
    }

    /// Makes a change. Those that only another protocol knows do nothing.
    pub(super) fn edit(&mut self, edit: &Edit, session: &Session) {
        match edit {
            Edit::Method(method) => self.method.clone_from(method),
            Edit::Target(target) => {
                self.path.clone_from(target);
                self.query.clear();
                self.suffix.clear();
            }
            Edit::AppendTarget(text) => self.suffix.push_str(text),
            Edit::SetHeader(name, value) => {
                self.remove_header(name);
                self.set_header(name, value);
            }
            Edit::AddHeader(name, value) => self.headers.push(Field {
                name: name.to_ascii_lowercase(),
                value: value.clone(),
                presented: false,
            }),
            Edit::RemoveHeader(name) => self.remove_header(name),
            Edit::RawBody(bytes) => self.body = Bytes::from(bytes.clone()),
            Edit::Credential(credential) => self.replace_credential(credential, session),
            Edit::GraphQlDocument(_) | Edit::Repeat(_) => {}
        }
    }

    fn remove_header(&mut self, name: &str) {
        let name = name.to_ascii_lowercase();
        self.headers.retain(|it| it.name != name);
        if name == "cookie" {
            self.cookies.clear();
        }
    }

    fn replace_credential(&mut self, credential: &Credential, session: &Session) {
        match credential {
            Credential::None => self.withdraw(),
            Credential::Authorization(value) => {
                self.withdraw();
                self.set_header("authorization", value);
            }
            Credential::Text(text) => {
                let mut found = false;
                for field in self.headers.iter_mut().chain(&mut self.cookies).filter(|it| it.presented) {
                    if let Some(value) = replaced(&field.value, &session.secret, text) {
                        field.value = value;
                        found = true;
                    }
                }
                let secret = encode(&session.secret);
                for field in self.query.iter_mut().filter(|it| it.presented) {
                    if !secret.is_empty() && field.value.contains(&secret) {
                        field.value = field.value.replace(&secret, &encode(text));
                        found = true;
                    }
                }
                if !found {
                    self.overwrite(text);
                }
            }
        }
    }

    /// Takes away all that the session put there.
    fn withdraw(&mut self) {
        for list in [&mut self.headers, &mut self.query, &mut self.cookies] {
            list.retain(|it| !it.presented);
        }
    }

    /// Where nobody says which part is the secret, the whole value is; an authentication scheme in front stays.
    fn overwrite(&mut self, text: &str) {
        for field in self.headers.iter_mut().filter(|it| it.presented) {
            field.value = match field.value.split_once(' ') {
                Some((scheme, _)) if field.name == "authorization" => format!("{scheme} {text}"),
                Some(_) | None => text.to_owned(),
            };
        }
        for field in self.cookies.iter_mut().filter(|it| it.presented) {
            text.clone_into(&mut field.value);
        }
        for field in self.query.iter_mut().filter(|it| it.presented) {
            field.value = encode(text);
        }
    }

    /// The finished request.
    ///
    /// # Errors
    /// A name or value cannot stand in a head: it would be another request than the one meant.
    pub(super) fn finish(mut self) -> Result<Request, Uncomposable> {
        let mut target = self.path;
        for (at, pair) in self.query.iter().enumerate() {
            target.push(if at == 0 && !target.contains('?') { '?' } else { '&' });
            target.push_str(&pair.name);
            if !pair.name.is_empty() {
                target.push('=');
            }
            target.push_str(&pair.value);
        }
        target.push_str(&self.suffix);
        if target.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return Err(Uncomposable::Value("a target cannot hold spaces or control characters".to_owned()));
        }
        if !self.cookies.is_empty() {
            let pairs: Vec<String> =
                self.cookies.iter().map(|it| format!("{}={}", it.name, it.value)).collect();
            self.headers.push(Field { name: "cookie".to_owned(), value: pairs.join("; "), presented: false });
        }
        if let Some(field) = self.headers.iter().find(|it| !stands_in_a_head(&it.name, &it.value)) {
            return Err(Uncomposable::Value(format!("header field `{}` cannot be written", field.name)));
        }
        Ok(Request {
            method: self.method,
            target,
            headers: self.headers.into_iter().map(|it| (it.name, it.value)).collect(),
            body: self.body,
            http2: self.http2,
        })
    }
}

/// RFC 9110 §5.1 and §5.5, with values beyond ASCII let through.
fn stands_in_a_head(name: &str, value: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty()
        && name.bytes().all(token)
        && value.bytes().all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
}

/// The value with another secret; a password is found inside of Basic credentials (RFC 7617) too.
fn replaced(value: &str, secret: &str, by: &str) -> Option<String> {
    if secret.is_empty() {
        return None;
    }
    if let Some((scheme, encoded)) = value.split_once(' ')
        && scheme.eq_ignore_ascii_case("basic")
        && let Some(pair) = STANDARD.decode(encoded.trim()).ok().and_then(|it| String::from_utf8(it).ok())
        && let Some((name, _)) = pair.split_once(':').filter(|(_, password)| *password == secret)
    {
        return Some(format!("{scheme} {}", STANDARD.encode(format!("{name}:{by}"))));
    }
    value.contains(secret).then(|| value.replace(secret, by))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session {
            secret: "s3cret".to_owned(),
            headers: vec![("Authorization".to_owned(), "Bearer s3cret".to_owned())],
            query: vec![("key".to_owned(), "s3cret".to_owned())],
            cookies: vec![("sid".to_owned(), "s3cret".to_owned())],
        }
    }

    fn check(edits: &[Edit]) -> (String, Vec<(String, String)>) {
        let session = session();
        let mut draft = Draft::new("GET", "/a");
        draft.push_query("q", "1");
        draft.present(&session);
        edits.iter().for_each(|it| draft.edit(it, &session));
        let request = draft.finish().unwrap();
        (request.target, request.headers.into_iter().filter(|(name, _)| name != "user-agent").collect())
    }

    fn field(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn a_session_is_presented_everywhere_it_belongs() {
        let (target, headers) = check(&[]);
        assert_eq!(target, "/a?q=1&key=s3cret");
        assert_eq!(headers, [field("authorization", "Bearer s3cret"), field("cookie", "sid=s3cret")]);
    }

    #[test]
    fn a_credential_is_replaced_wherever_it_is_carried() {
        let (target, headers) = check(&[Edit::Credential(Credential::Text("x y".to_owned()))]);
        assert_eq!(target, "/a?q=1&key=x%20y");
        assert_eq!(headers, [field("authorization", "Bearer x y"), field("cookie", "sid=x y")]);
        let (target, headers) = check(&[Edit::Credential(Credential::None)]);
        assert_eq!((target.as_str(), headers.len()), ("/a?q=1", 0));
        let (_, headers) = check(&[Edit::Credential(Credential::Authorization("Basic !".to_owned()))]);
        assert_eq!(headers, [field("authorization", "Basic !")]);
    }

    #[test]
    fn a_password_is_replaced_inside_of_basic_credentials() {
        let value = format!("Basic {}", STANDARD.encode("ann:s3cret"));
        assert_eq!(replaced(&value, "s3cret", "no"), Some(format!("Basic {}", STANDARD.encode("ann:no"))));
        assert_eq!(replaced("Basic !!", "s3cret", "no"), None);
    }

    #[test]
    fn a_secret_nobody_named_is_the_whole_value_behind_the_scheme() {
        let session = Session { secret: String::new(), ..session() };
        let mut draft = Draft::new("GET", "/");
        draft.present(&session);
        draft.edit(&Edit::Credential(Credential::Text("x".to_owned())), &session);
        let request = draft.finish().unwrap();
        assert_eq!(request.target, "/?key=x");
        assert!(request.headers.contains(&field("authorization", "Bearer x")));
        assert!(request.headers.contains(&field("cookie", "sid=x")));
    }

    #[test]
    fn edits_are_made_in_order() {
        let (target, headers) = check(&[
            Edit::SetHeader("X-A".to_owned(), "1".to_owned()),
            Edit::AddHeader("x-a".to_owned(), "2".to_owned()),
            Edit::RemoveHeader("Cookie".to_owned()),
            Edit::AppendTarget("&z".to_owned()),
            Edit::Target("/b?c".to_owned()),
            Edit::AppendTarget("%00".to_owned()),
        ]);
        assert_eq!(target, "/b?c%00");
        assert_eq!(headers, [field("authorization", "Bearer s3cret"), field("x-a", "1"), field("x-a", "2")]);
    }

    #[test]
    fn what_would_be_another_request_is_refused() {
        for (name, value) in [("x", "a\r\nb: c"), ("x y", "a"), ("", "a"), ("x", "a\0")] {
            let mut draft = Draft::new("GET", "/");
            draft.set_header(name, value);
            assert!(draft.finish().is_err(), "{name:?}: {value:?}");
        }
        assert!(Draft::new("GET", "/a b").finish().is_err());
        assert!(Draft::new("GET", "/\u{e9}").finish().is_ok());
    }
}
