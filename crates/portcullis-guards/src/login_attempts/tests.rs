//! Failed logins are charged, good ones are not.

use http::StatusCode;
use portcullis_core::{clock::Timestamp, context::Response, event::UpstreamFault};
use portcullis_leaves::Limits;

use super::*;
use crate::authenticate::test_context::{FewCounters, context};

const RATE: Rate = Rate { count: 1, period: Duration::from_secs(60), burst: 3 };

fn guard(username: Option<&str>) -> LoginAttempts {
    let settings = LoginSettings {
        name: "shop/login".into(),
        per_address: username.is_none().then_some(RATE),
        per_username: username.map(|_| RATE),
        username: username.map(Into::into),
        failure_statuses: vec![401, 403],
    };
    LoginAttempts::new(settings, Arc::new(FewCounters::default()))
}

fn login(ip: &str, body: &str, now: u64) -> Context {
    let mut cx = context(&[]);
    cx.client.ip = ip.parse().unwrap();
    cx.now = Timestamp::from_secs(now);
    let tree = Tree::from_json(body.as_bytes().to_vec(), &Limits::default()).unwrap();
    cx.request.parsed = Some(Box::new(tree));
    cx
}

/// One login to which the upstream answers that status.
fn attempt(guard: &LoginAttempts, mut cx: Context, status: u16) -> String {
    match guard.check(&mut cx) {
        Verdict::Pass => {
            let status = StatusCode::from_u16(status).unwrap();
            cx.response = Some(Response { status, headers: http::HeaderMap::new(), body: None });
            guard.finish(&cx, &Outcome::Served);
            "pass".into()
        }
        Verdict::Flag(_) => "flag".into(),
        Verdict::Deny(denial, reason) => {
            guard.finish(&cx, &Outcome::Denied(denial));
            format!("{denial:?} {}", reason.rule.as_str())
        }
    }
}

#[test]
fn failures_are_counted_by_address() {
    let guard = guard(None);
    for _ in 0..3 {
        assert_eq!(attempt(&guard, login("192.0.2.1", "{}", 100), 401), "pass");
    }
    let spent = "TooManyRequests { retry_after_secs: 60 } login_attempts/address_spent";
    assert_eq!(attempt(&guard, login("192.0.2.1", "{}", 100), 200), spent);
    assert_eq!(attempt(&guard, login("192.0.2.2", "{}", 100), 200), "pass");
    assert_eq!(attempt(&guard, login("192.0.2.1", "{}", 160), 401), "pass", "refused attempts cost nothing");
    assert_eq!(attempt(&guard, login("192.0.2.1", "{}", 160), 401), spent);
}

#[test]
fn addresses_of_one_ipv6_network_count_together() {
    let guard = guard(None);
    for n in 0..3 {
        assert_eq!(attempt(&guard, login(&format!("2001:db8::{n}"), "{}", 100), 401), "pass");
    }
    assert_ne!(attempt(&guard, login("2001:db8::ffff:1", "{}", 100), 401), "pass");
    assert_eq!(attempt(&guard, login("2001:db8:0:1::1", "{}", 100), 401), "pass");
}

#[test]
fn failures_are_counted_by_user_name_whatever_its_spelling() {
    let guard = guard(Some("/user/name"));
    assert_eq!(guard.phase(), Phase::RequestBody);
    for (n, name) in ["ali", "ALI", " ali "].iter().enumerate() {
        let body = format!(r#"{{"user":{{"name":"{name}"}}}}"#);
        assert_eq!(attempt(&guard, login(&format!("192.0.2.{n}"), &body, 100), 401), "pass");
    }
    let body = r#"{"user":{"name":"ali"}}"#;
    assert_eq!(
        attempt(&guard, login("192.0.2.9", body, 100), 200),
        "TooManyRequests { retry_after_secs: 60 } login_attempts/username_spent"
    );
    assert_eq!(attempt(&guard, login("192.0.2.9", r#"{"user":{"name":"zoe"}}"#, 100), 401), "pass");
}

#[test]
fn successes_and_faults_of_the_upstream_cost_nothing() {
    let guard = guard(None);
    for _ in 0..20 {
        assert_eq!(attempt(&guard, login("192.0.2.1", "{}", 100), 200), "pass");
        let cx = login("192.0.2.1", "{}", 100);
        guard.finish(&cx, &Outcome::UpstreamFailed(UpstreamFault::Connect));
        guard.finish(&cx, &Outcome::Denied(Denial::Invalid));
    }
    assert_eq!(attempt(&guard, login("192.0.2.1", "{}", 100), 200), "pass");
}

#[test]
fn passwords_refused_at_the_gate_count() {
    let guard = guard(None);
    let cx = login("192.0.2.1", "{}", 100);
    for _ in 0..3 {
        guard.finish(&cx, &Outcome::Denied(Denial::Unauthenticated));
    }
    assert_ne!(attempt(&guard, login("192.0.2.1", "{}", 100), 200), "pass");
}

#[test]
fn attempts_under_way_share_what_is_left() {
    let guard = guard(None);
    let mut under_way: Vec<Context> = (0..4).map(|_| login("192.0.2.1", "{}", 100)).collect();
    let passed = under_way.iter_mut().map(|cx| guard.check(cx)).filter(|it| *it == Verdict::Pass).count();
    assert_eq!(passed, 3);
    under_way.clear();
    assert_eq!(attempt(&guard, login("192.0.2.1", "{}", 100), 200), "pass");
}
