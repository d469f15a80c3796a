//! From a token's claims to a principal.

use std::{sync::Arc, time::Duration};

use portcullis_core::{
    clock::Timestamp,
    principal::{Mechanism, Principal},
};

use crate::{jose::json::Json, refusal::Fault};

/// The most roles or scopes that one token may carry.
const ENTRIES_MAX: usize = 256;
/// The longest name of a caller or tenant, in bytes.
const NAME_BYTES_MAX: usize = 512;
/// The end of the year 9999: a later date is a mistake, often milliseconds taken for seconds.
const SECS_MAX: f64 = 253_402_300_799.0;

/// Where a fact stands in the claims: the whole text as a member's name if there is one (claims are often named by
/// URLs, which have dots), else the names between dots, one inside the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(Box<str>);

impl ClaimPath {
    /// A path; `None` when empty or with an empty step.
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty() && text.split('.').all(|step| !step.is_empty())).then(|| Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn find<'a>(&self, claims: &'a Json) -> Option<&'a Json> {
        claims.member(&self.0).or_else(|| self.0.split('.').try_fold(claims, |at, step| at.member(step)))
    }
}

/// Which claims make a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimMap {
    /// The caller's name; must be there.
    pub id: ClaimPath,
    /// The caller's organisation.
    pub tenant: Option<ClaimPath>,
    /// Roles: an array of strings, or one string.
    pub roles: Option<ClaimPath>,
    /// Scopes: a string of words separated by spaces, or an array of strings.
    pub scopes: ClaimPath,
    /// The plan.
    pub plan: Option<ClaimPath>,
}

impl Default for ClaimMap {
    /// `sub` and `scope`, nothing else.
    fn default() -> Self {
        Self {
            id: ClaimPath("sub".into()),
            tenant: None,
            roles: None,
            scopes: ClaimPath("scope".into()),
            plan: None,
        }
    }
}

/// Whom a token must be meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// `aud` must name one of these.
    OneOf(Vec<Box<str>>),
    /// Not checked, by explicit word: a token of the issuer for anybody is taken.
    NotChecked,
}

/// A fault in a claim, with its name.
pub(crate) type ClaimFault = (Fault, Box<str>);

/// The dates of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dates {
    /// `exp`.
    pub(crate) expires: Timestamp,
    /// `iat`.
    pub(crate) issued: Option<Timestamp>,
}

/// How dates are judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DateRules {
    /// How far clocks may differ.
    pub(crate) leeway: Duration,
    /// How long ago a token may have been issued.
    pub(crate) age_max: Option<Duration>,
}

/// Checks `exp`, `nbf` and `iat` (RFC 7519 §4.1.4 to 4.1.6).
pub(crate) fn check_dates(claims: &Json, rules: DateRules, now: Timestamp) -> Result<Dates, ClaimFault> {
    let expires = date(claims, "exp")?.ok_or_else(|| (Fault::ExpiryMissing, Box::default()))?;
    let not_before = date(claims, "nbf")?;
    let issued = date(claims, "iat")?;
    let fault = |fault, name: &str, at: Timestamp| Err((fault, format!("{name} {}", at.as_secs()).into()));
    if now >= expires.plus(rules.leeway) {
        return fault(Fault::TokenExpired, "exp", expires);
    }
    if let Some(at) = not_before.filter(|at| now.plus(rules.leeway) < *at) {
        return fault(Fault::TokenNotYetValid, "nbf", at);
    }
    if let Some(at) = issued.filter(|at| now.plus(rules.leeway) < *at) {
        return fault(Fault::IssuedInFuture, "iat", at);
    }
    if let Some(age_max) = rules.age_max {
        let Some(at) = issued else { return Err((Fault::ClaimMissing, "iat".into())) };
        if now > at.plus(age_max).plus(rules.leeway) {
            return fault(Fault::TokenTooOld, "iat", at);
        }
    }
    Ok(Dates { expires, issued })
}

fn date(claims: &Json, name: &str) -> Result<Option<Timestamp>, ClaimFault> {
    match claims.member(name) {
        None => Ok(None),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
        Some(Json::Number(secs)) if (0.0..=SECS_MAX).contains(secs) => {
            Ok(Some(Timestamp::from_micros((secs * 1e6) as u64)))
        }
        Some(_) => Err((Fault::ClaimMalformed, name.into())),
    }
}

/// Checks `aud`: a string or an array of strings (RFC 7519 §4.1.3).
pub(crate) fn check_audience(claims: &Json, audience: &Audience) -> Result<(), ClaimFault> {
    let Audience::OneOf(expected) = audience else { return Ok(()) };
    let is_expected = |text: &str| expected.iter().any(|it| &**it == text);
    match claims.member("aud") {
        Some(Json::String(one)) if is_expected(one) => Ok(()),
        Some(Json::Array(many)) if many.iter().filter_map(Json::as_str).any(is_expected) => Ok(()),
        Some(Json::String(one)) => Err((Fault::AudienceWrong, one.clone())),
        Some(Json::Array(many)) => Err((
            Fault::AudienceWrong,
            many.iter().filter_map(Json::as_str).take(8).collect::<Vec<_>>().join(" ").into(),
        )),
        Some(_) => Err((Fault::ClaimMalformed, "aud".into())),
        None => Err((Fault::AudienceWrong, Box::default())),
    }
}

/// What a token demands of the connection it comes over (RFC 7800 `cnf`).
pub(crate) fn certificate_binding(claims: &Json) -> Result<Option<Box<str>>, Fault> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let Some(cnf) = claims.member("cnf") else { return Ok(None) };
    let Json::Object(members) = cnf else { return Err(Fault::ClaimMalformed) };
    match members.as_slice() {
        [(name, Json::String(thumbprint))] if &**name == "x5t#S256" => {
            let bytes = URL_SAFE_NO_PAD.decode(&**thumbprint).map_err(|_| Fault::ClaimMalformed)?;
            Ok(Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()))
        }
        _ => Err(Fault::BindingUnsupported),
    }
}

/// Makes the principal.
pub(crate) fn principal(
    claims: &Json,
    map: &ClaimMap,
    provider: &Arc<str>,
    dates: Dates,
) -> Result<Principal, ClaimFault> {
    let id = name(claims, &map.id)?.ok_or_else(|| (Fault::ClaimMissing, map.id.0.clone()))?;
    let optional = |path: &Option<ClaimPath>| path.as_ref().map_or(Ok(None), |path| name(claims, path));
    let roles = map.roles.as_ref().map_or(Ok(Vec::new()), |path| words(claims, path, false))?;
    let credential = match claims.member("jti") {
        None => None,
        Some(Json::String(jti)) if is_name(jti) => Some(Arc::from(&**jti)),
        Some(_) => return Err((Fault::ClaimMalformed, "jti".into())),
    };
    Ok(Principal {
        id,
        provider: Arc::clone(provider),
        mechanism: Mechanism::Jwt,
        credential,
        tenant: optional(&map.tenant)?,
        roles,
        scopes: words(claims, &map.scopes, true)?,
        plan: optional(&map.plan)?,
        expires: Some(dates.expires),
    })
}

/// Control characters in a name could break a header or a log line in two (CWE-93, CWE-117).
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME_BYTES_MAX && !text.chars().any(char::is_control)
}

fn name(claims: &Json, path: &ClaimPath) -> Result<Option<Arc<str>>, ClaimFault> {
    match path.find(claims) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) if is_name(text) => Ok(Some((&**text).into())),
        Some(_) => Err((Fault::ClaimMalformed, path.0.clone())),
    }
}

fn words(claims: &Json, path: &ClaimPath, split_at_spaces: bool) -> Result<Vec<Arc<str>>, ClaimFault> {
    let malformed = || (Fault::ClaimMalformed, path.0.clone());
    let words: Vec<Arc<str>> = match path.find(claims) {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::String(text)) if split_at_spaces => {
            text.split(' ').filter(|it| !it.is_empty()).map(Arc::from).collect()
        }
        Some(Json::String(text)) => vec![(&**text).into()],
        Some(Json::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map(Arc::from).ok_or_else(malformed))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(malformed()),
    };
    if words.len() > ENTRIES_MAX || !words.iter().all(|word| is_name(word)) {
        return Err(malformed());
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text.as_bytes()).unwrap()
    }

    fn dates(text: &str) -> String {
        let rules = DateRules { leeway: Duration::from_secs(30), age_max: None };
        match check_dates(&json(text), rules, Timestamp::from_secs(1_000)) {
            Ok(it) => format!("until {}", it.expires.as_secs()),
            Err((fault, seen)) => format!("{} {seen}", fault.facts().0),
        }
    }

    #[test]
    fn judges_dates() {
        for (text, expected) in [
            (r#"{"exp":2000}"#, "until 2000"),
            (r#"{"exp":2000.9}"#, "until 2000"),
            (r#"{"exp":971}"#, "until 971"),
            (r#"{"exp":970}"#, "auth/token_expired exp 970"),
            (r#"{"exp":-1}"#, "auth/claim_malformed exp"),
            (r#"{"exp":1e300}"#, "auth/claim_malformed exp"),
            (r#"{"exp":1700000000000}"#, "auth/claim_malformed exp"),
            (r#"{"exp":"2000"}"#, "auth/claim_malformed exp"),
            (r#"{"exp":null}"#, "auth/claim_malformed exp"),
            ("{}", "auth/expiry_missing "),
            (r#"{"exp":2000,"nbf":1030}"#, "until 2000"),
            (r#"{"exp":2000,"nbf":1031}"#, "auth/token_not_yet_valid nbf 1031"),
            (r#"{"exp":2000,"iat":1031}"#, "auth/issued_in_future iat 1031"),
        ] {
            assert_eq!(dates(text), expected, "{text}");
        }
    }

    #[test]
    fn limits_the_age_of_tokens_where_asked() {
        let rules = DateRules { leeway: Duration::ZERO, age_max: Some(Duration::from_secs(60)) };
        let check =
            |text: &str| check_dates(&json(text), rules, Timestamp::from_secs(1_000)).map_err(|it| it.0);
        assert!(check(r#"{"exp":2000,"iat":940}"#).is_ok());
        assert_eq!(check(r#"{"exp":2000,"iat":939}"#), Err(Fault::TokenTooOld));
        assert_eq!(check(r#"{"exp":2000}"#), Err(Fault::ClaimMissing));
    }

    #[test]
    fn judges_audiences() {
        let expected = Audience::OneOf(vec!["orders".into(), "payments".into()]);
        for (text, good) in [
            (r#"{"aud":"orders"}"#, true),
            (r#"{"aud":["x","payments"]}"#, true),
            (r#"{"aud":"order"}"#, false),
            (r#"{"aud":["x"]}"#, false),
            (r#"{"aud":[]}"#, false),
            (r#"{"aud":{"orders":1}}"#, false),
            ("{}", false),
        ] {
            assert_eq!(check_audience(&json(text), &expected).is_ok(), good, "{text}");
        }
        assert!(check_audience(&json("{}"), &Audience::NotChecked).is_ok());
    }

    #[test]
    fn maps_claims_by_path() {
        let map = ClaimMap {
            id: ClaimPath::new("sub").unwrap(),
            tenant: ClaimPath::new("org.id"),
            roles: ClaimPath::new("https://acme.example/roles"),
            scopes: ClaimPath::new("scope").unwrap(),
            plan: ClaimPath::new("plan"),
        };
        let mapped = |text: &str| {
            let dates = Dates { expires: Timestamp::from_secs(2), issued: None };
            match principal(&json(text), &map, &"p".into(), dates) {
                Ok(it) => format!(
                    "{} {:?} [{}] [{}] {:?} {:?}",
                    it.id,
                    it.tenant,
                    it.roles.join("|"),
                    it.scopes.join("|"),
                    it.plan,
                    it.credential
                ),
                Err((fault, seen)) => format!("{} {seen}", fault.facts().0),
            }
        };
        for (text, expected) in [
            (r#"{"sub":"a"}"#, "a None [] [] None None"),
            (
                r#"{"sub":"a","org":{"id":"o"},"https://acme.example/roles":["r1","r 2"],"scope":"x  y","plan":"gold","jti":"7"}"#,
                r#"a Some("o") [r1|r 2] [x|y] Some("gold") Some("7")"#,
            ),
            (
                r#"{"sub":"a","scope":["x","y"],"https://acme.example/roles":"r"}"#,
                "a None [r] [x|y] None None",
            ),
            ("{}", "auth/claim_missing sub"),
            (r#"{"sub":7}"#, "auth/claim_malformed sub"),
            (r#"{"sub":""}"#, "auth/claim_malformed sub"),
            (r#"{"sub":"a\r\nx-admin: 1"}"#, "auth/claim_malformed sub"),
            (r#"{"sub":"a","scope":[1]}"#, "auth/claim_malformed scope"),
            (r#"{"sub":"a","org":{"id":[]}}"#, "auth/claim_malformed org.id"),
            (r#"{"sub":"a","jti":5}"#, "auth/claim_malformed jti"),
        ] {
            assert_eq!(mapped(text), expected, "{text}");
        }
    }

    #[test]
    fn reads_certificate_bindings() {
        assert_eq!(certificate_binding(&json("{}")), Ok(None));
        assert_eq!(certificate_binding(&json(r#"{"cnf":{"x5t#S256":"q80"}}"#)), Ok(Some("abcd".into())));
        assert_eq!(certificate_binding(&json(r#"{"cnf":{"jkt":"x"}}"#)), Err(Fault::BindingUnsupported));
        assert_eq!(certificate_binding(&json(r#"{"cnf":7}"#)), Err(Fault::ClaimMalformed));
    }
}
