//! Token text in, verdict text out: forged, expired, confused and oversized ones among them.

use std::{
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
};

use http::{HeaderMap, header};
use portcullis_core::context::{ClientCertificate, TlsSession};
use proptest::prelude::*;

use super::*;
use crate::{
    jose::{claims::ClaimPath, refresh::CALL_INTERVAL_DEFAULT},
    revocation::Revocations,
    test_tokens::{TestKey, b64, key_set},
};

const NOW: u64 = 1_800_000_000;
const CLAIMS: &str = r#"{"iss":"https://login.example","aud":"orders","sub":"ali","jti":"j1","iat":1799999990,"exp":1800000100,"scope":"read write"}"#;

fn bearer(token: &str) -> HeaderMap {
    HeaderMap::from_iter([(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap())])
}

fn settings() -> JwtSettings {
    JwtSettings::new("customers".into(), "https://login.example", Audience::OneOf(vec!["orders".into()]))
}

fn provider_with(settings: JwtSettings, jwks: &[String]) -> JwtProvider {
    let keys = JwksState::new("customers".into(), CALL_INTERVAL_DEFAULT);
    keys.install(key_set(jwks).as_bytes(), Timestamp::from_secs(NOW)).unwrap();
    JwtProvider::new(settings, keys, None, RevocationList::empty())
}

fn verdict_at(provider: &JwtProvider, token: &str, now: u64) -> String {
    let headers = bearer(token);
    match provider.check(&Presented::new(&headers, None), Timestamp::from_secs(now), &Waited::default()) {
        Attempt::Absent => "absent".into(),
        Attempt::Accepted(it) => format!("{} [{}]", it.id, it.scopes.join(" ")),
        Attempt::Refused(refusal) => {
            let reason = refusal.reason();
            format!("{} {}", reason.rule.as_str(), reason.evidence[0].seen).trim_end().to_owned()
        }
        Attempt::Waits(Work::SigningKeys(it)) => format!("waits for {it:?}"),
        Attempt::Waits(other) => panic!("{other:?}"),
    }
}

fn verdict(provider: &JwtProvider, token: &str) -> String {
    verdict_at(provider, token, NOW)
}

#[test]
fn takes_every_supported_algorithm() {
    let (rsa, p256, p384, ed) = (TestKey::rsa(), TestKey::p256(), TestKey::p384(), TestKey::ed());
    let provider = provider_with(
        settings(),
        &[
            rsa.jwk("r", ""),
            p256.jwk("e2", ""),
            p384.jwk("e3", r#","use":"sig""#),
            ed.jwk("d", r#","alg":"EdDSA""#),
        ],
    );
    for (key, kid, alg) in [
        (&rsa, "r", "RS256"),
        (&rsa, "r", "RS384"),
        (&rsa, "r", "RS512"),
        (&rsa, "r", "PS256"),
        (&rsa, "r", "PS384"),
        (&rsa, "r", "PS512"),
        (&p256, "e2", "ES256"),
        (&p384, "e3", "ES384"),
        (&ed, "d", "EdDSA"),
        (&ed, "d", "Ed25519"),
    ] {
        let token = key.token(alg, &format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#), CLAIMS);
        assert_eq!(verdict(&provider, &token), "ali [read write]", "{alg}");
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let mut bytes =
            base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, signature).unwrap();
        bytes[10] ^= 1;
        let forged = format!("{signed}.{}", b64(&bytes));
        assert_eq!(verdict(&provider, &forged), format!("auth/signature_invalid kid `{kid}`"), "{alg}");
        let (head, _) = signed.split_once('.').unwrap();
        let forged = format!("{head}.{}.{signature}", b64(CLAIMS.replace("ali", "root")));
        assert_eq!(verdict(&provider, &forged), format!("auth/signature_invalid kid `{kid}`"), "{alg}");
    }
}

#[test]
fn judges_heads() {
    let (ed, rsa, stranger) = (TestKey::ed(), TestKey::rsa(), TestKey::ed());
    let provider = provider_with(
        JwtSettings { algorithms: vec![Algorithm::EdDsa, Algorithm::Ps256], ..settings() },
        &[ed.jwk("d", ""), rsa.jwk("r", r#","alg":"PS256""#)],
    );
    let head = |header: &str| verdict(&provider, &ed.token("EdDSA", header, CLAIMS));
    for (header, expected) in [
        (r#"{"alg":"EdDSA","kid":"d"}"#, "ali [read write]"),
        (r#"{"alg":"EdDSA"}"#, "ali [read write]"),
        (r#"{"alg":"EdDSA","kid":"d","typ":"at+JWT"}"#, "ali [read write]"),
        (r#"{"alg":"EdDSA","kid":"d","typ":"application/jwt"}"#, "ali [read write]"),
        (r#"{"alg":"EdDSA","kid":"d","typ":"dpop+jwt"}"#, "auth/type_not_allowed typ `dpop+jwt`"),
        (r#"{"alg":"EdDSA","kid":"x"}"#, "auth/key_unknown kid `x`"),
        (r#"{"alg":"EdDSA","kid":"r"}"#, "auth/key_unfit kid `r`"),
        (r#"{"alg":"none"}"#, "auth/algorithm_not_allowed alg `none`"),
        (r#"{"alg":"nOnE"}"#, "auth/algorithm_not_allowed alg `nOnE`"),
        (r#"{"alg":"ES256","kid":"d"}"#, "auth/algorithm_not_allowed alg `ES256`"),
        (r#"{"alg":"HS256","kid":"r"}"#, "auth/algorithm_not_allowed alg `HS256`"),
        (r#"{"alg":"EdDSA","crit":["x"],"x":1}"#, "auth/critical_header"),
        (r#"{"alg":"EdDSA","jwk":{"kty":"OKP"}}"#, "auth/key_in_header"),
    ] {
        assert_eq!(head(header), expected, "{header}");
    }
    let forged = stranger.token("EdDSA", r#"{"alg":"EdDSA","kid":"d"}"#, CLAIMS);
    assert_eq!(verdict(&provider, &forged), "auth/signature_invalid kid `d`");
    let other_padding = rsa.token("RS256", r#"{"alg":"PS256","kid":"r"}"#, CLAIMS);
    assert_eq!(verdict(&provider, &other_padding), "auth/signature_invalid kid `r`");
}

#[test]
fn a_public_key_is_never_taken_for_a_shared_secret() {
    let rsa = TestKey::rsa();
    let jwk = rsa.jwk("r", "");
    let provider = provider_with(settings(), std::slice::from_ref(&jwk));
    let signed = format!("{}.{}", b64(r#"{"alg":"HS256","kid":"r"}"#), b64(CLAIMS));
    for secret in [jwk.as_bytes(), b"r"] {
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
        let token = format!("{signed}.{}", b64(aws_lc_rs::hmac::sign(&key, signed.as_bytes())));
        assert_eq!(verdict(&provider, &token), "auth/algorithm_not_allowed alg `HS256`");
    }
}

#[test]
fn judges_claims() {
    let ed = TestKey::ed();
    let map = ClaimMap { roles: ClaimPath::new("realm_access.roles"), ..ClaimMap::default() };
    let provider = provider_with(JwtSettings { map, ..settings() }, &[ed.jwk("d", "")]);
    for (from, to, expected) in [
        ("", "", "ali [read write]"),
        ("login.example", "evil.example", "auth/issuer_wrong iss `https://evil.example`"),
        ("login.example", "login.example/", "auth/issuer_wrong iss `https://login.example/`"),
        (r#""aud":"orders""#, r#""aud":"payments""#, "auth/audience_wrong aud `payments`"),
        (r#""aud":"orders""#, r#""aud":["x","orders"]"#, "ali [read write]"),
        (r#","exp":1800000100"#, "", "auth/expiry_missing"),
        ("1800000100", "1799999970", "auth/token_expired claim `exp 1799999970`"),
        ("1800000100", "1799999971", "ali [read write]"),
        ("1799999990", "1800000031", "auth/issued_in_future claim `iat 1800000031`"),
        (r#""sub":"ali","#, "", "auth/claim_missing claim `sub`"),
        (r#""ali""#, "null", "auth/claim_missing claim `sub`"),
        (r#""sub":"ali""#, r#""sub":"ali","sub":"root""#, "auth/token_member_repeated"),
        (r#""read write""#, "7", "auth/claim_malformed claim `scope`"),
        (r#""jti":"j1""#, r#""cnf":{"jkt":"x"}"#, "auth/binding_unsupported"),
        (
            r#""jti":"j1""#,
            r#""realm_access":{"roles":{}}"#,
            "auth/claim_malformed claim `realm_access.roles`",
        ),
    ] {
        let claims = CLAIMS.replacen(from, to, 1);
        let token = ed.token("EdDSA", r#"{"alg":"EdDSA","kid":"d"}"#, &claims);
        assert_eq!(verdict(&provider, &token), expected, "{claims}");
    }
}

#[test]
fn refuses_other_spellings_of_a_good_token() {
    let ed = TestKey::ed();
    let provider = provider_with(settings(), &[ed.jwk("d", "")]);
    let token = ed.token("EdDSA", r#"{"alg":"EdDSA","kid":"d"}"#, CLAIMS);
    assert_eq!(verdict(&provider, &token), "ali [read write]");
    // 64 bytes leave four spare bits in the last of 86 digits.
    let last = token.chars().last().unwrap();
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let other = digits.chars().nth(digits.find(last).unwrap() + 1).unwrap();
    let respelled = format!("{}{other}", token.split_at(token.len() - 1).0);
    for token in [respelled, format!("{token}="), format!("{token}."), token.replacen('.', "..", 1)] {
        assert_eq!(verdict(&provider, &token), "auth/token_malformed", "{token}");
    }
    let long = format!("{token}{}", "A".repeat(16 * 1024));
    assert_eq!(verdict(&provider, &long), "auth/credential_oversized");
}

#[test]
fn remembers_tokens_but_not_beyond_their_end() {
    let ed = TestKey::ed();
    let provider = provider_with(JwtSettings { leeway: Duration::ZERO, ..settings() }, &[ed.jwk("d", "")]);
    let token =
        ed.token("EdDSA", r#"{"alg":"EdDSA","kid":"d"}"#, &CLAIMS.replace("1800000100", "1800000010"));
    assert_eq!(verdict_at(&provider, &token, NOW), "ali [read write]");
    assert_eq!(provider.remembered.len(), 1);
    assert_eq!(verdict_at(&provider, &token, NOW + 9), "ali [read write]");
    assert_eq!(verdict_at(&provider, &token, NOW + 10), "auth/token_expired claim `exp 1800000010`");
}

#[test]
fn refused_tokens_are_not_remembered_and_good_ones_boundedly() {
    let ed = TestKey::ed();
    let provider = provider_with(JwtSettings { remembered_max: 32, ..settings() }, &[ed.jwk("d", "")]);
    for n in 0..200 {
        let claims = CLAIMS.replace("j1", &format!("j{n}"));
        let token = ed.token("EdDSA", r#"{"alg":"EdDSA","kid":"d"}"#, &claims);
        assert_eq!(verdict(&provider, &token), "ali [read write]");
        let _ = verdict(&provider, &format!("{token}AAAA"));
    }
    assert!(provider.remembered.len() <= 32, "{}", provider.remembered.len());
}

#[test]
fn a_removed_key_ends_remembered_tokens() {
    let (old, new) = (TestKey::ed(), TestKey::ed());
    let provider = provider_with(settings(), &[old.jwk("old", "")]);
    let token = old.token("EdDSA", r#"{"alg":"EdDSA","kid":"old"}"#, CLAIMS);
    assert_eq!(verdict(&provider, &token), "ali [read write]");
    provider.keys.install(key_set(&[new.jwk("new", "")]).as_bytes(), Timestamp::from_secs(NOW)).unwrap();
    assert_eq!(verdict(&provider, &token), "auth/key_unknown kid `old`");
}

#[test]
fn revocation_reaches_remembered_tokens() {
    let ed = TestKey::ed();
    let provider = provider_with(settings(), &[ed.jwk("d", "")]);
    let token = ed.token("EdDSA", r#"{"alg":"EdDSA","kid":"d"}"#, CLAIMS);
    for (list, expected) in [
        ("", "ali [read write]"),
        ("jti j1", "auth/token_revoked sub `ali`"),
        ("jti j2", "ali [read write]"),
        ("sub ali", "auth/token_revoked sub `ali`"),
        ("sub ali before 1799999990", "ali [read write]"),
        ("sub ali before 1799999991", "auth/token_revoked sub `ali`"),
    ] {
        provider.revoked.replace(Revocations::parse(list).unwrap());
        assert_eq!(verdict(&provider, &token), expected, "{list}");
    }
}

#[test]
fn bound_tokens_need_their_certificate() {
    let ed = TestKey::ed();
    let provider = provider_with(settings(), &[ed.jwk("d", "")]);
    let claims = CLAIMS.replace(r#""jti":"j1""#, &format!(r#""cnf":{{"x5t#S256":"{}"}}"#, b64([0xab; 32])));
    let headers = bearer(&ed.token("EdDSA", r#"{"alg":"EdDSA","kid":"d"}"#, &claims));
    let check = |fingerprint: Option<String>| {
        let certificate =
            fingerprint.map(|it| ClientCertificate { fingerprint: it.into(), ..Default::default() });
        let tls = TlsSession { server_name: None, client_certificate: certificate };
        match provider.check(
            &Presented::new(&headers, Some(&tls)),
            Timestamp::from_secs(NOW),
            &Waited::default(),
        ) {
            Attempt::Accepted(_) => "accepted",
            Attempt::Refused(refusal) => refusal.fault.facts().0,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(check(None), "auth/binding_wrong");
    assert_eq!(check(Some("ab".repeat(32))), "accepted");
    assert_eq!(check(Some("cd".repeat(32))), "auth/binding_wrong");
    assert_eq!(check(None), "auth/binding_wrong");
}

struct Provides {
    keys: Arc<JwksState>,
    document: String,
    calls: AtomicUsize,
}

impl Refresher for Provides {
    fn refresh(&self, _: &str, _: RefreshCause) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let _ = self.keys.install(self.document.as_bytes(), Timestamp::from_secs(NOW));
        Box::pin(std::future::ready(()))
    }
}

/// Checks, does the work asked for, and checks again.
async fn ask(provider: &JwtProvider, token: &str, now: u64) -> String {
    let headers = bearer(token);
    let (presented, now, mut waited) =
        (Presented::new(&headers, None), Timestamp::from_secs(now), Waited::default());
    for _ in 0..3 {
        match provider.check(&presented, now, &waited) {
            Attempt::Waits(Work::SigningKeys(refresh)) => {
                waited.refreshed.push(Arc::clone(refresh.provider()));
                refresh.run(now).await;
            }
            Attempt::Accepted(it) => return it.id.to_string(),
            Attempt::Refused(refusal) => return refusal.fault.facts().0.to_owned(),
            other => panic!("{other:?}"),
        }
    }
    panic!("asks for the same work again");
}

#[tokio::test]
async fn an_unknown_key_is_asked_for_once_an_interval() {
    let (old, new, stranger) = (TestKey::ed(), TestKey::ed(), TestKey::ed());
    let keys = JwksState::new("customers".into(), CALL_INTERVAL_DEFAULT);
    keys.install(key_set(&[old.jwk("old", "")]).as_bytes(), Timestamp::from_secs(NOW)).unwrap();
    let document = key_set(&[old.jwk("old", ""), new.jwk("new", "")]);
    let refresher = Arc::new(Provides { keys: Arc::clone(&keys), document, calls: AtomicUsize::new(0) });
    let provider =
        JwtProvider::new(settings(), keys, Some(Arc::clone(&refresher) as _), RevocationList::empty());
    let token =
        |key: &TestKey, kid: &str| key.token("EdDSA", &format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#), CLAIMS);
    assert_eq!(ask(&provider, &token(&new, "new"), NOW).await, "ali");
    assert_eq!(refresher.calls.load(Ordering::SeqCst), 1);
    for n in 0..50 {
        assert_eq!(ask(&provider, &token(&stranger, &format!("x{n}")), NOW + 1).await, "auth/key_unknown");
    }
    assert_eq!(
        refresher.calls.load(Ordering::SeqCst),
        1,
        "made-up key ids cause no refresh within the interval"
    );
    assert_eq!(ask(&provider, &token(&stranger, "y"), NOW + 10).await, "auth/key_unknown");
    assert_eq!(refresher.calls.load(Ordering::SeqCst), 2);
    assert_eq!(ask(&provider, &token(&old, "old"), NOW + 10).await, "ali");
}

#[tokio::test]
async fn without_keys_the_answer_is_unavailable() {
    let keys = JwksState::new("customers".into(), CALL_INTERVAL_DEFAULT);
    let refresher =
        Arc::new(Provides { keys: Arc::clone(&keys), document: "<html>".into(), calls: AtomicUsize::new(0) });
    let provider = JwtProvider::new(settings(), keys, Some(refresher), RevocationList::empty());
    let token = TestKey::ed().token("EdDSA", r#"{"alg":"EdDSA","kid":"d"}"#, CLAIMS);
    assert_eq!(ask(&provider, &token, NOW).await, "auth/signing_keys_unavailable");
    assert_eq!(Fault::SigningKeysUnavailable.facts().3, portcullis_core::verdict::Denial::Unavailable);
}

#[test]
fn a_forged_issuer_or_algorithm_causes_no_refresh() {
    let keys = JwksState::new("customers".into(), CALL_INTERVAL_DEFAULT);
    let refresher =
        Arc::new(Provides { keys: Arc::clone(&keys), document: String::new(), calls: AtomicUsize::new(0) });
    let provider = JwtProvider::new(settings(), keys, Some(refresher), RevocationList::empty());
    let other = CLAIMS.replace("login.example", "evil.example");
    let token = TestKey::ed().token("EdDSA", r#"{"alg":"EdDSA","kid":"x"}"#, &other);
    assert_eq!(verdict(&provider, &token), "auth/issuer_wrong iss `https://evil.example`");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn never_panics_and_never_takes_garbage(token in "[A-Za-z0-9_.-]{0,120}") {
        let provider = provider_with(settings(), &[TestKey::ed().jwk("d", "")]);
        prop_assert!(verdict(&provider, &token).starts_with("auth/"));
    }
}

#[test]
fn keys_that_were_fetched_too_long_ago_are_not_believed() {
    let ed = TestKey::ed();
    let settings = JwtSettings { keys_age_max: Some(Duration::from_secs(50)), ..settings() };
    let provider = provider_with(settings, &[ed.jwk("d", "")]);
    let token = ed.token("EdDSA", r#"{"alg":"EdDSA","kid":"d"}"#, CLAIMS);
    assert_eq!(verdict_at(&provider, &token, NOW + 50), "ali [read write]");
    // Remembered for a minute, and not believed all the same.
    assert_eq!(verdict_at(&provider, &token, NOW + 51), "auth/signing_keys_too_old kid `d`");
    provider.keys.failed("connection refused");
    assert_eq!(verdict_at(&provider, &token, NOW + 51), "auth/signing_keys_too_old kid `d`");
    let elsewhere = CLAIMS.replace("login.example", "other.example");
    let stranger = ed.token("EdDSA", r#"{"alg":"EdDSA","kid":"d"}"#, &elsewhere);
    assert_eq!(
        verdict_at(&provider, &stranger, NOW + 51),
        "auth/issuer_wrong iss `https://other.example`",
        "what another issuer signed is another provider's business"
    );
    provider.keys.install(key_set(&[ed.jwk("d", "")]).as_bytes(), Timestamp::from_secs(NOW + 52)).unwrap();
    assert_eq!(verdict_at(&provider, &token, NOW + 60), "ali [read write]");
}
