//! The guard with every kind of provider, waits included.

use std::{future::Future, pin::Pin, sync::Mutex, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use portcullis_auth::{
    authenticator::{Anonymous, Provider},
    internal_token::{InternalTokenSettings, InternalTokens, SigningKey},
    jose::{
        claims::Audience,
        refresh::{JwksState, RefreshCause, Refresher},
    },
    mechanisms::{
        api_key::{self, ApiKeyProvider, KeyPlace, KeyPrefix},
        basic::{BasicProvider, BasicSettings, Users, hash_password},
        jwt::{JwtProvider, JwtSettings},
    },
    revocation::RevocationList,
};
use portcullis_core::{
    chain::{Chain, Mode, Phase, Progress},
    clock::Timestamp,
    ports::Keys,
    principal::{Mechanism, Principal},
    verdict::Denial,
};

use super::{
    test_context::{NOW, Seed, context},
    *,
};

struct OneKey([u8; 32]);

impl Keys for OneKey {
    fn find(&self, sha256: &[u8; 32], _: Timestamp) -> Option<Arc<Principal>> {
        (*sha256 == self.0).then(|| Arc::new(Principal { id: "shop".into(), ..Principal::default() }))
    }
}

/// Installs the keys it was given, if any, and remembers that it was asked.
struct Fetches {
    state: Arc<JwksState>,
    document: Option<String>,
    asked: Mutex<Vec<RefreshCause>>,
}

impl Refresher for Fetches {
    fn refresh(&self, _: &str, cause: RefreshCause) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.asked.lock().unwrap().push(cause);
        match &self.document {
            Some(document) => drop(self.state.install(document.as_bytes(), NOW)),
            None => self.state.failed("connection refused"),
        }
        Box::pin(std::future::ready(()))
    }
}

/// The gate's own internal tokens serve as an identity provider's.
fn issuer() -> (Arc<SigningKey>, String) {
    let key = Arc::new(SigningKey::generate(&Seed(5)).unwrap());
    let settings = InternalTokenSettings {
        issuer: "https://login.example".into(),
        audience: "orders".into(),
        life: Duration::from_secs(60),
    };
    let tokens = InternalTokens::new(Arc::clone(&key), settings).unwrap();
    let caller = Principal { id: "ali".into(), mechanism: Mechanism::Jwt, ..Principal::default() };
    let token = tokens.token(&caller, NOW).unwrap();
    (key, format!("Bearer {token}"))
}

fn jwt(document: Option<String>) -> (Arc<Provider>, Arc<Fetches>) {
    let state = JwksState::new("customers".into(), Duration::from_secs(10));
    let fetches = Arc::new(Fetches { state: Arc::clone(&state), document, asked: Mutex::default() });
    let settings =
        JwtSettings::new("customers".into(), "https://login.example", Audience::OneOf(vec!["orders".into()]));
    let provider =
        JwtProvider::new(settings, state, Some(Arc::clone(&fetches) as _), RevocationList::empty());
    (Arc::new(Provider::Jwt(provider)), fetches)
}

fn basic() -> Arc<Provider> {
    let users = Users::parse(&format!("bob:{}", hash_password(b"pw", &Seed(2)).unwrap())).unwrap();
    let settings =
        BasicSettings { name: "batch".into(), remember: Duration::from_secs(30), plan: None, scopes: vec![] };
    Arc::new(Provider::Basic(BasicProvider::new(settings, users, &Seed(3))))
}

fn chain(providers: Vec<Arc<Provider>>, passwords: PasswordLane) -> Chain {
    let authenticator = Arc::new(Authenticator::any("orders", providers).unwrap());
    let mut chain = Chain::default();
    chain.remote(Mode::Block, Arc::new(Authenticate::new(authenticator, Arc::new(passwords))));
    chain
}

/// Runs the request head: whether it waited, and how it ended.
async fn run(chain: &Chain, cx: &mut Context) -> (bool, Result<(), Denial>) {
    match chain.run(Phase::RequestHead, cx) {
        Progress::Passed => (false, Ok(())),
        Progress::Denied(denial) => (false, Err(denial)),
        Progress::Waits(at) => (true, chain.ask(at, cx).await.map_or(Ok(()), Err)),
    }
}

fn principal(cx: &Context) -> &str {
    cx.notes.principal.as_ref().map_or("nobody", |it| &it.id)
}

#[tokio::test]
async fn keys_are_answered_at_once() {
    let made = api_key::generate(&Seed(1), &KeyPrefix::default());
    let place = KeyPlace::Header(http::HeaderName::from_static("x-api-key"));
    let keys =
        ApiKeyProvider::new("api_keys".into(), place, KeyPrefix::default(), Arc::new(OneKey(made.sha256)));
    let chain = chain(vec![Arc::new(Provider::ApiKey(keys))], PasswordLane::default());
    let mut cx = context(&[("x-api-key", made.text.reveal())]);
    assert_eq!(run(&chain, &mut cx).await, (false, Ok(())));
    assert_eq!(principal(&cx), "shop");
    let mut cx = context(&[]);
    assert_eq!(run(&chain, &mut cx).await, (false, Err(Denial::Unauthenticated)));
    assert_eq!(cx.notes.challenges[0], "ApiKey realm=\"orders\"");
    assert_eq!(cx.notes.reasons[0].rule.as_str(), "auth/credential_missing");
    assert_eq!(principal(&cx), "nobody");
}

#[tokio::test]
async fn an_anonymous_caller_is_told_later_whom_the_api_knows() {
    let alternatives = vec![vec![basic().into()]];
    let authenticator = Authenticator::new("orders", alternatives, Anonymous::Allowed).unwrap();
    let mut chain = Chain::default();
    let guard = Authenticate::new(Arc::new(authenticator), Arc::new(PasswordLane::default()));
    chain.remote(Mode::Block, Arc::new(guard));
    let mut cx = context(&[]);
    assert_eq!(run(&chain, &mut cx).await, (false, Ok(())));
    assert_eq!(cx.notes.challenges[0], "Basic realm=\"orders\", charset=\"UTF-8\"");
}

#[tokio::test]
async fn a_password_waits_once_and_is_then_remembered() {
    let chain = chain(vec![basic()], PasswordLane::default());
    let right = format!("Basic {}", STANDARD.encode("bob:pw"));
    let mut cx = context(&[("authorization", &right)]);
    assert_eq!(run(&chain, &mut cx).await, (true, Ok(())));
    assert_eq!(principal(&cx), "bob");
    let mut cx = context(&[("authorization", &right)]);
    assert_eq!(run(&chain, &mut cx).await, (false, Ok(())));
    let wrong = format!("Basic {}", STANDARD.encode("bob:wrong-guess"));
    let mut cx = context(&[("authorization", &wrong)]);
    assert_eq!(run(&chain, &mut cx).await, (true, Err(Denial::Unauthenticated)));
    assert_eq!(cx.notes.reasons[0].rule.as_str(), "auth/password_wrong");
    assert!(!format!("{:?}", cx.notes.reasons).contains("wrong-guess"));
    assert_eq!(cx.notes.challenges[0], "Basic realm=\"orders\", charset=\"UTF-8\"");
}

#[tokio::test]
async fn a_full_lane_answers_unavailable() {
    let chain = Arc::new(chain(vec![basic()], PasswordLane::new(1, 1)));
    let guesses: Vec<_> = (0..8)
        .map(|n| {
            let chain = Arc::clone(&chain);
            tokio::spawn(async move {
                let guess = format!("Basic {}", STANDARD.encode(format!("bob:{n}")));
                let mut cx = context(&[("authorization", &guess)]);
                run(&chain, &mut cx).await.1.unwrap_err()
            })
        })
        .collect();
    let mut denials = Vec::new();
    for guess in guesses {
        denials.push(guess.await.unwrap());
    }
    assert_eq!(denials.iter().filter(|it| **it == Denial::Unauthenticated).count(), 2);
    assert_eq!(denials.iter().filter(|it| **it == Denial::Unavailable).count(), 6);
}

#[tokio::test]
async fn an_unknown_signing_key_is_fetched() {
    let (key, token) = issuer();
    let (provider, fetches) = jwt(Some(key.jwks()));
    let chain = chain(vec![provider], PasswordLane::default());
    let mut cx = context(&[("authorization", &token)]);
    assert_eq!(run(&chain, &mut cx).await, (true, Ok(())));
    assert_eq!(principal(&cx), "ali");
    let mut cx = context(&[("authorization", &token)]);
    assert_eq!(run(&chain, &mut cx).await, (false, Ok(())));
    assert_eq!(*fetches.asked.lock().unwrap(), [RefreshCause::Stale]);
}

#[tokio::test]
async fn without_signing_keys_nobody_passes() {
    let (_, token) = issuer();
    let (provider, fetches) = jwt(None);
    let chain = chain(vec![provider], PasswordLane::default());
    let mut cx = context(&[("authorization", &token)]);
    assert_eq!(run(&chain, &mut cx).await, (true, Err(Denial::Unavailable)));
    assert_eq!(cx.notes.reasons[0].rule.as_str(), "auth/signing_keys_unavailable");
    let mut cx = context(&[("authorization", &token)]);
    assert_eq!(
        run(&chain, &mut cx).await,
        (false, Err(Denial::Unavailable)),
        "not asked again within the interval"
    );
    assert_eq!(fetches.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn credentials_in_the_query_are_not_read() {
    let made = api_key::generate(&Seed(1), &KeyPrefix::default());
    let place = KeyPlace::Header(http::HeaderName::from_static("x-api-key"));
    let keys =
        ApiKeyProvider::new("api_keys".into(), place, KeyPrefix::default(), Arc::new(OneKey(made.sha256)));
    let chain = chain(vec![Arc::new(Provider::ApiKey(keys))], PasswordLane::default());
    let mut cx = context(&[]);
    let key = made.text.reveal();
    cx.request.query = Some(format!("x-api-key={key}&api_key={key}&access_token={key}").into());
    assert_eq!(run(&chain, &mut cx).await, (false, Err(Denial::Unauthenticated)));
}
