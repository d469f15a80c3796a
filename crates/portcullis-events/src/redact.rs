//! Secrets never reach the record (CWE-532): by place (`Authorization`, cookies, fields with secret-looking
//! names) and by shape (tokens, keys, credentials in URLs), wherever they stand.
//!
//! Guards promise to cut their evidence; this is the second lock, on the one way out. It may cut too much, never
//! knowingly too little: what it cannot know is a secret in plain words in a field of a harmless name.

use std::borrow::Cow;

use portcullis_core::{
    event::Event,
    verdict::{Evidence, Place},
};

/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// A field whose name contains one of these, case and separators aside, holds a secret.
const SECRET_PARTS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "authorization",
    "credential",
    "privatekey",
    "accesskey",
    "cookie",
    "session",
    "jwt",
    "bearer",
    "signature",
    "assertion",
    "samlresponse",
    "cardnumber",
    "iban",
];

/// A field of exactly one of these names holds a secret.
const SECRET_NAMES: &[&str] = &[
    "auth", "code", "csrf", "cvc", "cvv", "hmac", "key", "nonce", "otp", "pan", "pass", "pin", "pwd", "sid",
    "sig", "ssn", "state", "totp", "xsrf", "xapikey",
];

/// The beginnings of well-known tokens; what follows is cut.
const TOKEN_PREFIXES: &[&str] = &[
    "AKIA",
    "ASIA",
    "AIza",
    "EAAC",
    "dop_v1_",
    "eyJ",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "hf_",
    "npm_",
    "pcl_",
    "pk_live_",
    "rk_live_",
    "sk-",
    "sk_live_",
    "sk_test_",
    "shpat_",
    "whsec_",
    "xapp-",
    "xoxa-",
    "xoxb-",
    "xoxp-",
    "xoxs-",
    "ya29.",
];

/// Shorter words are no tokens.
const TOKEN_MIN: usize = 16;

/// A token's prefix must be followed by so many characters of a token to count.
const TOKEN_REST_MIN: usize = 8;

/// An unknown word of at least this length with upper case, lower case and digits is taken for a key.
const MIXED_MIN: usize = 24;

/// A hexadecimal word longer than a UUID's 32 digits is taken for a key or digest.
const HEX_MIN: usize = 40;

/// Cuts secrets out of events.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    /// Further names, folded.
    names: Vec<String>,
}

impl Redactor {
    /// A redactor that also treats these field names as secret, case and the separators `-`, `_`, `.` aside. A
    /// name that begins with `$..` or `/` counts by its last part.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let last = |name: &'a str| fold(name.rsplit(['.', '/']).next().unwrap_or(name));
        Self { names: names.into_iter().map(last).filter(|name| !name.is_empty()).collect() }
    }

    /// Whether a field of this name holds a secret.
    pub fn is_secret_name(&self, name: &str) -> bool {
        if self.names.is_empty() && !name.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            // An address before a port, mostly: all known names are words.
            return false;
        }
        let name = fold(name);
        SECRET_NAMES.contains(&name.as_str())
            || SECRET_PARTS.iter().any(|part| has_part(&name, part))
            || self.names.contains(&name)
    }

    /// Cuts what an event must not carry out.
    pub fn event(&self, event: &mut Event) {
        self.path(event);
        if let Cow::Owned(host) = self.text(&event.host) {
            event.host = host.into();
        }
        for reason in &mut event.reasons {
            if let Cow::Owned(message) = self.text(&reason.message) {
                reason.message = Cow::Owned(message);
            }
            for evidence in &mut reason.evidence {
                self.evidence(evidence);
            }
        }
    }

    /// Cuts secrets of a known shape, and values that follow a secret's name, out of free text.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if is_harmless(text) {
            return Cow::Borrowed(text);
        }
        let mut cuts = Vec::new();
        self.find(text, &mut cuts);
        if cuts.is_empty() {
            return Cow::Borrowed(text);
        }
        let (mut out, mut at) = (String::with_capacity(text.len()), 0);
        for (from, to) in cuts {
            if from < at {
                continue;
            }
            out.push_str(text.get(at..from).unwrap_or_default());
            out.push_str(REDACTED);
            at = to;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        Cow::Owned(out)
    }

    /// By shape, and by the template's parameter names: `/reset/{token}`.
    fn path(&self, event: &mut Event) {
        let mut path = match self.text(&event.path) {
            Cow::Owned(path) => Some(path),
            Cow::Borrowed(_) => None,
        };
        if let Some(template) = event.template.as_deref().filter(|it| it.contains('{')) {
            let is_secret = |part: &str| {
                let name =
                    part.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(name, _)| name);
                name.is_some_and(|name| self.is_secret_name(name))
            };
            if template.split('/').any(is_secret) {
                let current = path.as_deref().unwrap_or(&event.path);
                let mut parts = template.split('/');
                let cut: Vec<&str> = current
                    .split('/')
                    .map(|part| if parts.next().is_some_and(is_secret) { REDACTED } else { part })
                    .collect();
                path = Some(cut.join("/"));
            }
        }
        if let Some(path) = path {
            event.path = path.into();
        }
    }

    fn evidence(&self, evidence: &mut Evidence) {
        let secret = match &evidence.place {
            Place::Cookie(_) => true,
            Place::Header(name) | Place::ResponseHeader(name) => {
                is_secret_header(name) || self.is_secret_name(name)
            }
            Place::Query(name) | Place::PathParameter(name) => self.is_secret_name(name),
            Place::Body(pointer) | Place::ResponseBody(pointer) => {
                pointer.split('/').any(|part| !part.is_empty() && self.is_secret_name(part))
            }
            Place::Connection | Place::Method | Place::Path | Place::ResponseStatus => false,
        };
        if secret {
            evidence.seen = REDACTED.into();
        } else if let Cow::Owned(seen) = self.text(&evidence.seen) {
            evidence.seen = seen.into();
        }
    }

    /// One pass over the words of the text.
    fn find(&self, text: &str, cuts: &mut Vec<(usize, usize)>) {
        let mut name: Option<&str> = None;
        let mut rest = 0;
        while let Some((from, to)) = next_word(text, rest) {
            let (word, between) =
                (text.get(from..to).unwrap_or_default(), text.get(rest..from).unwrap_or_default());
            let follows_scheme = name.is_some_and(is_scheme) && between.chars().all(char::is_whitespace);
            let assigned = is_assignment(between)
                && name.is_some_and(|name| {
                    self.is_secret_name(name) && (!is_ambiguous(name) || between != ": ")
                });
            if assigned && is_scheme(word) {
                // `authorization: Bearer …`: the scheme may stay, what follows goes.
            } else if (assigned || follows_scheme) && !is_keyword(word) || is_token(word) {
                cuts.push((from, to));
            } else if text.get(to..).is_some_and(|it| it.starts_with(':')) && between.ends_with("://") {
                // `scheme://user:password@host`
                let authority = text.get(to..).unwrap_or_default();
                let end = authority.find(['/', '?', '#', ' ', '"']).unwrap_or(authority.len());
                if let Some(at) = authority.get(..end).and_then(|it| it.rfind('@')) {
                    cuts.push((from, to + at));
                    rest = to + at;
                    name = None;
                    continue;
                }
            }
            name = Some(word);
            rest = to;
        }
    }
}

/// Whether no word here is long enough for a token, and nothing is assigned, follows a scheme or stands in a URL: true
/// of most paths and hosts, and told in one pass.
fn is_harmless(text: &str) -> bool {
    let mut run = 0;
    text.bytes().all(|byte| {
        let is_word = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+' | b'~');
        run = if is_word { run + 1 } else { 0 };
        run < TOKEN_MIN && byte.is_ascii_graphic() && !matches!(byte, b'=' | b':')
    })
}

/// The next run of characters that tokens and names are made of.
fn next_word(text: &str, from: usize) -> Option<(usize, usize)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '~');
    let start = from + text.get(from..)?.find(is_word)?;
    let rest = text.get(start..)?;
    Some((start, start + rest.find(|c| !is_word(c)).unwrap_or(rest.len())))
}

/// Whether this stands between a name and its value: `=`, `:`, `%3D`, in quotes or not.
fn is_assignment(between: &str) -> bool {
    between.len() <= 8
        && between.contains(['=', ':'])
        && between.chars().all(|c| matches!(c, '=' | ':' | '"' | '\'' | '\\' | ' '))
}

/// Names that hold secrets in queries and bodies, and stand before a colon in ordinary sentences.
fn is_ambiguous(name: &str) -> bool {
    matches!(name, "auth" | "code" | "key" | "nonce" | "pass" | "pin" | "state")
}

fn is_scheme(word: &str) -> bool {
    ["bearer", "basic", "digest", "dpop", "negotiate"].iter().any(|it| word.eq_ignore_ascii_case(it))
}

/// Words that follow `basic` or `token:` in ordinary sentences and say nothing.
fn is_keyword(word: &str) -> bool {
    matches!(word, "null" | "true" | "false" | "auth" | "authentication" | "realm" | "token" | "tokens")
}

/// Whether a word looks like a credential.
fn is_token(word: &str) -> bool {
    if word.len() < TOKEN_MIN {
        return false;
    }
    let begins = |prefix: &str| word.strip_prefix(prefix).is_some_and(|rest| rest.len() >= TOKEN_REST_MIN);
    if TOKEN_PREFIXES.iter().any(|prefix| begins(prefix)) {
        return true;
    }
    // Dotted names and sentences are no keys: each part is looked at for itself.
    word.split('.').any(|part| {
        let (mut upper, mut lower, mut digit, mut hex) = (false, false, false, true);
        for byte in part.bytes() {
            upper |= byte.is_ascii_uppercase();
            lower |= byte.is_ascii_lowercase();
            digit |= byte.is_ascii_digit();
            hex &= byte.is_ascii_hexdigit();
        }
        (hex && digit && part.len() >= HEX_MIN)
            || (upper && lower && digit && !hex && part.len() >= MIXED_MIN)
    })
}

fn is_secret_header(name: &str) -> bool {
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "dpop", "x-api-key", "signature"]
        .iter()
        .any(|it| name.eq_ignore_ascii_case(it))
}

/// `contains` for names of a few bytes, where making a searcher would cost more than the search.
fn has_part(name: &str, part: &str) -> bool {
    /// Beyond this a searcher pays, and is what keeps a hostile name's cost linear.
    const SHORT: usize = 32;
    if name.len() > SHORT {
        return name.contains(part);
    }
    name.as_bytes().windows(part.len()).any(|window| window == part.as_bytes())
}

/// Lower case without separators, so that `api_key`, `Api-Key` and `apiKey` are one name.
fn fold(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_' | '.' | ' ')).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(Redactor::new(["$..badge_no"]).text(text), expected, "{text}");
    }

    #[test]
    fn secrets_of_known_shape_go_wherever_they_stand() {
        check("got eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln here", "got [redacted] here");
        check("/v1/keys/pcl_0123456789abcdefghij", "/v1/keys/[redacted]");
        check("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "[redacted]");
        check("x AbCdEfGh0123456789IjKlMnOp y", "x [redacted] y");
        check("0123456789abcdef0123456789abcdef01234567", "[redacted]");
        check("Bearer abc", "Bearer [redacted]");
        check("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [redacted]");
        check("https://alice:hunter2@db.internal/x", "https://[redacted]@db.internal/x");
    }

    #[test]
    fn values_of_secret_names_go() {
        check("password=hunter2&user=alice", "password=[redacted]&user=alice");
        check(r#"{"client_secret":"s3","a":1}"#, r#"{"client_secret":"[redacted]","a":1}"#);
        check(r#"{"badgeNo": "77"}"#, r#"{"badgeNo": "[redacted]"}"#);
        check("X-Api-Key: 12345", "X-Api-Key: [redacted]");
    }

    #[test]
    fn harmless_text_stays() {
        for text in [
            "/v1/orders/018bcfe5-6800-7fff-bfff-ffffffffffff/items",
            "/v1/blobs/d41d8cd98f00b204e9800998ecf8427e",
            "the value `-5` is less than the minimum of 1",
            "expected type integer at /items/0/quantity",
            "portcullis.internal.example.com:8443",
            "monkey=1&keyboard=2",
            "http://localhost:3000/a@b",
            "the upstream answered with status code: 502",
            "no valid credential: basic authentication is expected",
            "GetCustomerOrderHistoryByRegion",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn never_panics_and_never_grows_without_end() {
        use proptest::prelude::*;
        proptest!(|(text in "\\PC{0,200}")| {
            let redactor = Redactor::default();
            let once = redactor.text(&text).into_owned();
            prop_assert!(once.len() <= text.len() * 11 + 11);
        });
    }
}
