//! Several mechanisms as one answer: credentials in, verdict text out.

use std::time::Duration;

use http::HeaderMap;
use portcullis_core::{
    clock::Entropy,
    context::{ClientCertificate, TlsSession},
    principal::Mechanism,
};

use super::*;
use crate::{
    jose::{claims::Audience, refresh::JwksState},
    mechanisms::{
        PasswordVerdict,
        api_key::{self, KeyPrefix},
        basic::{BasicSettings, Users, hash_password},
        jwt::JwtSettings,
        mtls::{CertificateField, MtlsSettings},
    },
    revocation::RevocationList,
    test_tokens::{OneKey, Seed, TestKey, key_set},
};

const NOW: u64 = 1_800_000_000;
const CLAIMS: &str =
    r#"{"iss":"https://login.example","aud":"orders","sub":"ali","exp":1800000100,"scope":"read"}"#;

struct World {
    key: String,
    token: String,
    jwt: Arc<Provider>,
    keys: Arc<Provider>,
    mtls: Arc<Provider>,
    basic: Arc<Provider>,
}

fn world() -> World {
    let made = api_key::generate(&Seed(1), &KeyPrefix::default());
    let owner = Principal { id: "shop".into(), mechanism: Mechanism::ApiKey, ..Principal::default() };
    let keys = ApiKeyProvider::new(
        "api_keys".into(),
        KeyPlace::Header(http::HeaderName::from_static("x-api-key")),
        KeyPrefix::default(),
        Arc::new(OneKey(made.sha256, Arc::new(owner))),
    );
    let ed = TestKey::ed();
    let state = JwksState::new("customers".into(), Duration::from_secs(10));
    state.install(key_set(&[ed.jwk("d", "")]).as_bytes(), Timestamp::from_secs(NOW)).unwrap();
    let settings =
        JwtSettings::new("customers".into(), "https://login.example", Audience::OneOf(vec!["orders".into()]));
    let jwt = JwtProvider::new(settings, state, None, RevocationList::empty());
    let mtls = MtlsProvider::new(MtlsSettings {
        name: "partners".into(),
        id: CertificateField::CommonName,
        tenant: None,
        only: vec![],
        roles: vec![],
        scopes: vec![],
        plan: None,
    });
    let users =
        Users::parse(&format!("bob:{}", hash_password(b"pw", &Seed(2) as &dyn Entropy).unwrap())).unwrap();
    let settings =
        BasicSettings { name: "batch".into(), remember: Duration::from_secs(30), plan: None, scopes: vec![] };
    World {
        key: made.text.reveal().clone(),
        token: ed.token("EdDSA", r#"{"alg":"EdDSA","kid":"d"}"#, CLAIMS),
        jwt: Arc::new(Provider::Jwt(jwt)),
        keys: Arc::new(Provider::ApiKey(keys)),
        mtls: Arc::new(Provider::Mtls(mtls)),
        basic: Arc::new(Provider::Basic(BasicProvider::new(settings, users, &Seed(3)))),
    }
}

/// The answer to a request with those fields, after all the work it asks for, and its challenges.
fn check(
    authenticator: &Authenticator,
    fields: &[(&'static str, &str)],
    certificate: Option<&str>,
) -> String {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, value.parse().unwrap());
    }
    let client_certificate = certificate.map(|name| ClientCertificate {
        common_name: Some(name.into()),
        not_after: Timestamp::from_secs(NOW + 1),
        ..ClientCertificate::default()
    });
    let tls = TlsSession { server_name: None, client_certificate };
    let (presented, now) = (Presented::new(&headers, Some(&tls)), Timestamp::from_secs(NOW));
    let mut waited = Waited::default();
    for _ in 0..4 {
        match authenticator.check(&presented, now, &waited) {
            Answer::Known(it) => return format!("{}@{}", it.id, it.provider),
            Answer::Anonymous => return "anonymous".into(),
            Answer::Refused(refusal) => {
                let challenges: Vec<_> =
                    authenticator.challenges(&refusal).iter().map(|it| it.to_str().unwrap()).collect();
                let status = refusal.denial().status();
                return format!("{status} {} {}", refusal.fault.facts().0, challenges.join("; "))
                    .trim()
                    .to_owned();
            }
            Answer::Waits(Work::Password(work)) => {
                let provider = Arc::clone(work.provider());
                let verdict: PasswordVerdict = work.run(now);
                waited.passwords.push((provider, verdict));
            }
            Answer::Waits(other) => panic!("{other:?}"),
        }
    }
    panic!("asks for the same work again");
}

#[test]
fn any_of_several_mechanisms() {
    let world = world();
    let any = Authenticator::any("orders", vec![world.jwt.clone(), world.keys.clone(), world.basic.clone()])
        .unwrap();
    let bearer = format!("Bearer {}", world.token);
    let all_three =
        "Bearer realm=\"orders\"; ApiKey realm=\"orders\"; Basic realm=\"orders\", charset=\"UTF-8\"";
    let invalid = all_three.replacen("orders\"", "orders\", error=\"invalid_token\"", 1);
    for (fields, expected) in [
        (vec![("authorization", &*bearer)], "ali@customers".to_owned()),
        (vec![("x-api-key", &*world.key)], "shop@".to_owned()),
        (vec![("authorization", "Basic Ym9iOnB3")], "bob@batch".to_owned()),
        (vec![("authorization", "Basic Ym9iOnB4")], format!("401 auth/password_wrong {invalid}")),
        (vec![], format!("401 auth/credential_missing {all_three}")),
        (vec![("authorization", "Digest x")], format!("401 auth/credential_missing {all_three}")),
        (vec![("x-api-key", "pcl_x")], format!("401 auth/key_malformed {invalid}")),
        // One good credential is enough, wherever it stands in the order.
        (vec![("authorization", "Bearer x.y.z"), ("x-api-key", &*world.key)], "shop@".to_owned()),
        (
            vec![("authorization", &*bearer), ("authorization", &*bearer)],
            "400 auth/authorization_repeated".to_owned(),
        ),
        (
            vec![("x-api-key", &*world.key), ("x-api-key", &*world.key)],
            "400 auth/credential_repeated".to_owned(),
        ),
    ] {
        assert_eq!(check(&any, &fields, None), expected, "{fields:?}");
    }
}

#[test]
fn all_of_several_mechanisms() {
    let world = world();
    let all = Authenticator::all("orders", vec![world.mtls.clone(), world.keys.clone()]).unwrap();
    let key = [("x-api-key", &*world.key)];
    assert_eq!(check(&all, &key, Some("acme")), "acme@partners", "the first says who it is");
    let both = "ClientCertificate realm=\"orders\"; ApiKey realm=\"orders\"";
    assert_eq!(check(&all, &key, None), format!("401 auth/certificate_missing {both}"));
    assert_eq!(check(&all, &[], Some("acme")), format!("401 auth/credential_missing {both}"));
    let with_basic = Authenticator::all("orders", vec![world.basic.clone(), world.keys.clone()]).unwrap();
    let right = ("authorization", "Basic Ym9iOnB3");
    assert_eq!(check(&with_basic, &[right, ("x-api-key", &world.key)], None), "bob@batch");
    // No password is computed for a call that must fail anyway.
    let mut headers = HeaderMap::new();
    headers.insert("authorization", right.1.parse().unwrap());
    let presented = Presented::new(&headers, None);
    let answer = with_basic.check(&presented, Timestamp::from_secs(NOW), &Waited::default());
    assert!(matches!(answer, Answer::Refused(_)), "{answer:?}");
}

#[test]
fn who_takes_certificates_only_does_not_ask_for_tokens() {
    let world = world();
    let only = Authenticator::any("orders", vec![world.mtls]).unwrap();
    assert_eq!(check(&only, &[], None), "401 auth/certificate_missing ClientCertificate realm=\"orders\"");
}

#[test]
fn scopes_of_the_specification() {
    let world = world();
    let need = |scope: &str| {
        let requirement = Requirement { provider: Arc::clone(&world.jwt), scopes: vec![scope.into()] };
        Authenticator::new(
            "orders",
            vec![vec![requirement], vec![Arc::clone(&world.keys).into()]],
            Anonymous::Refused,
        )
        .unwrap()
    };
    let bearer = format!("Bearer {}", world.token);
    let fields = [("authorization", &*bearer)];
    assert_eq!(check(&need("read"), &fields, None), "ali@customers");
    assert_eq!(
        check(&need("write"), &fields, None),
        "403 authorize/scope_missing Bearer realm=\"orders\", error=\"insufficient_scope\""
    );
}

#[test]
fn anonymous_callers_pass_by_explicit_word_only() {
    let world = world();
    let optional =
        Authenticator::new("orders", vec![vec![Arc::clone(&world.keys).into()]], Anonymous::Allowed).unwrap();
    assert_eq!(check(&optional, &[], None), "anonymous");
    assert_eq!(check(&optional, &[("x-api-key", &world.key)], None), "shop@");
    assert_eq!(
        check(&optional, &[("x-api-key", "nonsense")], None),
        "401 auth/key_malformed ApiKey realm=\"orders\"",
        "a bad credential is never taken for none"
    );
    let open = Authenticator::new("orders", vec![], Anonymous::Allowed).unwrap();
    assert_eq!(check(&open, &[], None), "anonymous");
    assert_eq!(
        check(&open, &[("authorization", "a"), ("authorization", "b")], None),
        "400 auth/authorization_repeated"
    );
}

#[test]
fn refuses_to_let_nobody_or_everybody_pass() {
    let refused =
        |alternatives, realm| Authenticator::new(realm, alternatives, Anonymous::Refused).unwrap_err();
    assert_eq!(refused(vec![], "a"), AuthenticatorError::Nobody);
    assert_eq!(refused(vec![vec![]], "a"), AuthenticatorError::EmptyAlternative);
    let keys = vec![vec![world().keys.into()]];
    assert_eq!(refused(keys, "a\"b"), AuthenticatorError::Realm("a\"b".into()));
}

#[test]
fn lists_each_provider_once() {
    let world = world();
    let again = Arc::clone(&world.jwt);
    let alternatives = vec![vec![world.jwt.into(), world.keys.into()], vec![again.into()]];
    let authenticator = Authenticator::new("orders", alternatives, Anonymous::Refused).unwrap();
    let names: Vec<_> = authenticator.providers().map(|it| it.name().to_string()).collect();
    assert_eq!(names, ["customers", "api_keys"]);
}
