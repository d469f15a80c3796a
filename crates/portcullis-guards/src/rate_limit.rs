//! Refuses calls beyond a sustained rate, counted apart by whatever the operator says: caller, address, role, …
//!
//! Also holds what all limits share: [`Scope`], which calls are counted and under whose name, and [`Amount`], how
//! much, which may depend on the caller's plan.

use std::{net::IpAddr, net::Ipv6Addr, sync::Arc, time::Duration};

use hashbrown::HashMap;
use portcullis_config::units::{Dimension, LimitWhen};
use portcullis_core::{
    chain::{Guard, Phase},
    context::Context,
    limit::{Allowance, CounterKey, LimitState, Rate},
    ports::Counters,
    principal::{Mechanism, Principal},
    verdict::{Denial, Reason, RuleId, Severity, Verdict},
};
use smallvec::SmallVec;

const EXCEEDED: RuleId = RuleId::new("limits/rate_exceeded");

/// Which calls a limit counts, and apart by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The limit's stable name: the same name goes on with the same counts after a reload.
    counter: Arc<str>,
    per: Vec<Dimension>,
    when: LimitWhen,
}

impl Scope {
    /// A scope with the limit's stable name, which must tell it from every other limit.
    ///
    /// `per` nothing counts all calls together; several dimensions count each combination. What is not known of a
    /// call (the caller before authentication or of an anonymous call, its role, its tenant) is replaced by the
    /// client's address. An IPv6 address counts as its /64, since whoever has one address of it has them all.
    pub fn new(counter: impl Into<Arc<str>>, per: Vec<Dimension>, when: LimitWhen) -> Self {
        Self { counter: counter.into(), per, when }
    }

    /// The scope of plans: each authenticated caller for itself.
    pub fn of_plans(counter: impl Into<Arc<str>>) -> Self {
        Self::new(counter, vec![Dimension::Consumer], LimitWhen::Authenticated)
    }

    pub(crate) fn covers(&self, cx: &Context) -> bool {
        match self.when {
            LimitWhen::Always => true,
            LimitWhen::Anonymous => caller(cx).is_none(),
            LimitWhen::Authenticated => caller(cx).is_some(),
        }
    }

    /// The counters this call goes to: one, or one a role of the caller.
    pub(crate) fn keys(&self, cx: &Context, counters: &dyn Counters) -> SmallVec<[CounterKey; 2]> {
        let roles = caller(cx).map(|it| it.roles.as_slice()).filter(|it| !it.is_empty());
        match roles {
            Some(roles) if self.per.contains(&Dimension::Role) => {
                roles.iter().map(|role| self.key(cx, Some(role), counters)).collect()
            }
            _ => SmallVec::from_slice(&[self.key(cx, None, counters)]),
        }
    }

    fn key(&self, cx: &Context, role: Option<&str>, counters: &dyn Counters) -> CounterKey {
        let mut subject = Subject::default();
        for dimension in &self.per {
            let caller = caller(cx);
            match (dimension, caller) {
                (Dimension::Consumer, Some(caller)) => {
                    // Two providers may know the same name for two callers.
                    subject.add(b'c', caller.provider.as_bytes());
                    subject.add(b'c', caller.id.as_bytes());
                }
                (Dimension::Tenant, Some(Principal { tenant: Some(tenant), .. })) => {
                    subject.add(b't', tenant.as_bytes());
                }
                (Dimension::Role, Some(_)) if role.is_some() => {
                    subject.add(b'r', role.unwrap_or_default().as_bytes());
                }
                (Dimension::Ip | Dimension::Consumer | Dimension::Tenant | Dimension::Role, _) => {
                    subject.add_address(cx.client.ip);
                }
                (Dimension::Operation, _) => {
                    let operation = cx.operation.as_deref();
                    subject.add(b'a', operation.map_or("", |it| &it.api).as_bytes());
                    subject.add(b'o', operation.map_or("", |it| &it.id).as_bytes());
                }
                (Dimension::Api, _) => {
                    subject.add(b'a', cx.operation.as_deref().map_or("", |it| &it.api).as_bytes());
                }
                (Dimension::Listener, _) => subject.add(b'l', cx.client.listener.as_bytes()),
            }
        }
        counters.key(&self.counter, &subject.bytes)
    }
}

/// The bytes that name what is counted. Each part carries its kind and length, so that no two subjects are alike.
#[derive(Default)]
struct Subject {
    bytes: SmallVec<[u8; 128]>,
}

impl Subject {
    fn add(&mut self, kind: u8, part: &[u8]) {
        self.bytes.push(kind);
        self.bytes.extend_from_slice(&part.len().to_le_bytes());
        self.bytes.extend_from_slice(part);
    }

    fn add_address(&mut self, ip: IpAddr) {
        match ip.to_canonical() {
            IpAddr::V4(ip) => self.add(b'4', &ip.octets()),
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments();
                self.add(b'6', &Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).octets());
            }
        }
    }
}

fn caller(cx: &Context) -> Option<&Principal> {
    cx.notes.principal.as_deref().filter(|it| it.mechanism != Mechanism::Anonymous)
}

/// How much a limit allows, with the name under which clients are told of it.
#[derive(Clone, Debug)]
pub enum Amount<T> {
    /// The same for everybody.
    Same {
        /// The policy's name towards clients.
        policy: Arc<str>,
        /// How much.
        amount: T,
    },
    /// By the caller's plan; a caller without a plan, or of a plan that is not here, is not limited. The plan's
    /// name is the policy's.
    ByPlan(HashMap<Arc<str>, T>),
}

impl<T> Amount<T> {
    /// What holds for this call.
    pub(crate) fn of(&self, cx: &Context) -> Option<(&Arc<str>, &T)> {
        match self {
            Self::Same { policy, amount } => Some((policy, amount)),
            Self::ByPlan(plans) => plans.get_key_value(caller(cx)?.plan.as_ref()?),
        }
    }
}

/// Refuses calls beyond a rate.
pub struct RateLimit {
    scope: Scope,
    amount: Amount<Rate>,
    counters: Arc<dyn Counters>,
}

impl RateLimit {
    /// A guard that counts in `counters`. Where callers or plans matter it belongs behind authentication.
    pub fn new(scope: Scope, amount: Amount<Rate>, counters: Arc<dyn Counters>) -> Self {
        Self { scope, amount, counters }
    }
}

impl Guard for RateLimit {
    fn name(&self) -> &'static str {
        "limits"
    }

    fn phase(&self) -> Phase {
        Phase::RequestHead
    }

    fn check(&self, cx: &mut Context) -> Verdict {
        if !self.scope.covers(cx) {
            return Verdict::Pass;
        }
        let Some((policy, rate)) = self.amount.of(cx) else { return Verdict::Pass };
        let mut refused: Option<Duration> = None;
        for key in self.scope.keys(cx, &*self.counters) {
            let allowance = self.counters.rate(key, rate, 1, cx.now);
            let (quota, window_secs) = (u64::from(rate.burst), window_secs(rate));
            tell(cx, policy, quota, window_secs, &allowance);
            if !allowance.allowed {
                refused = refused.max(Some(allowance.retry_after));
            }
        }
        match refused {
            None => Verdict::Pass,
            Some(wait) => exceeded(EXCEEDED, format!("the rate `{policy}` is exceeded"), wait),
        }
    }
}

/// The window in which the whole burst is earned anew: told with the burst as its quota, it states the rate exactly,
/// and what remains is never more than the quota.
fn window_secs(rate: &Rate) -> u64 {
    let micros = rate
        .period
        .as_micros()
        .saturating_mul(u128::from(rate.burst))
        .div_ceil(u128::from(rate.count.max(1)));
    u64::try_from(micros.div_ceil(1_000_000)).unwrap_or(u64::MAX).max(1)
}

/// Notes the state of a limit, the tightest last.
pub(crate) fn tell(cx: &mut Context, policy: &Arc<str>, quota: u64, window_secs: u64, allowance: &Allowance) {
    let state = LimitState {
        policy: Arc::clone(policy),
        quota,
        window_secs,
        remaining: allowance.remaining,
        reset_secs: secs_up(allowance.reset),
    };
    let limits = &mut cx.notes.limits;
    // Compared as fractions of their quotas, without dividing.
    let tighter = |a: &LimitState, b: &LimitState| {
        u128::from(a.remaining) * u128::from(b.quota) < u128::from(b.remaining) * u128::from(a.quota)
    };
    let is_tightest = limits.last().is_none_or(|last| !tighter(last, &state));
    let at = if is_tightest { limits.len() } else { limits.len() - 1 };
    limits.insert(at, state);
}

/// The refusal of a limit that is spent.
pub(crate) fn exceeded(rule: RuleId, message: String, wait: Duration) -> Verdict {
    let retry_after_secs = u32::try_from(secs_up(wait)).unwrap_or(u32::MAX).max(1);
    Reason::new(rule, Severity::Low, message).deny(Denial::TooManyRequests { retry_after_secs })
}

fn secs_up(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))
}

#[cfg(test)]
pub(crate) mod testing {
    //! A call, and counters that count without time passing.

    use std::{
        hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
        sync::{Mutex, atomic::AtomicU32},
    };

    use http::{HeaderMap, Method, Version};
    use portcullis_core::{
        clock::Timestamp,
        context::{Client, Notes, Operation, Request},
        id::ReferenceId,
        limit::{Permit, Quota},
    };

    use super::*;

    pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    #[derive(Default)]
    pub(crate) struct Counted {
        spent: Mutex<HashMap<u128, u64>>,
        places: Mutex<HashMap<u128, Arc<AtomicU32>>>,
    }

    impl Counted {
        fn spend(&self, key: CounterKey, most: u64, cost: u64) -> Allowance {
            let mut spent = self.spent.lock().unwrap();
            let spent = spent.entry(key.0).or_default();
            let allowed = *spent + cost <= most;
            *spent += if allowed { cost } else { 0 };
            Allowance {
                allowed,
                remaining: most - *spent,
                reset: Duration::from_millis(1_500),
                retry_after: Duration::from_millis(if allowed { 0 } else { 1_200 }),
            }
        }
    }

    impl Counters for Counted {
        fn rate(&self, key: CounterKey, rate: &Rate, cost: u32, _: Timestamp) -> Allowance {
            self.spend(key, rate.burst.into(), cost.into())
        }

        fn quota(&self, key: CounterKey, quota: &Quota, cost: u64, _: Timestamp) -> Allowance {
            self.spend(key, quota.count, cost)
        }

        fn concurrency(&self, key: CounterKey, places_max: u32, _: Timestamp) -> Option<Permit> {
            Permit::take(self.places.lock().unwrap().entry(key.0).or_default(), places_max)
        }

        fn key(&self, limit: &str, subject: &[u8]) -> CounterKey {
            CounterKey(BuildHasherDefault::<DefaultHasher>::default().hash_one((limit, subject)).into())
        }
    }

    pub(crate) fn call(ip: &str) -> Context {
        Context {
            now: NOW,
            reference: ReferenceId::new(NOW, [0; 10]),
            client: Client {
                listener: "public".into(),
                peer: "192.0.2.200:9".parse().unwrap(),
                ip: ip.parse().unwrap(),
                tls: None,
            },
            operation: Some(Arc::new(Operation {
                api: "orders".into(),
                id: "getOrder".into(),
                method: "GET".into(),
                template: "/v1/orders/{id}".into(),
            })),
            request: Request {
                method: Method::GET,
                version: Version::HTTP_11,
                host: "api.example.com".into(),
                path: "/v1/orders/7".into(),
                query: None,
                headers: HeaderMap::new(),
                path_parameters: SmallVec::new(),
                body: None,
                parsed: None,
            },
            response: None,
            notes: Notes::default(),
        }
    }

    pub(crate) fn call_by(id: &str, roles: &[&str], plan: Option<&str>) -> Context {
        let mut cx = call("192.0.2.1");
        cx.notes.principal = Some(Arc::new(Principal {
            id: id.into(),
            provider: "customers".into(),
            mechanism: Mechanism::ApiKey,
            roles: roles.iter().map(|it| Arc::from(*it)).collect(),
            plan: plan.map(Arc::from),
            ..Principal::default()
        }));
        cx
    }

    /// `pass`, or the rule and what the client is told.
    pub(crate) fn say(verdict: &Verdict) -> String {
        match verdict {
            Verdict::Pass => "pass".into(),
            Verdict::Flag(reason) => format!("flag {}", reason.rule.as_str()),
            Verdict::Deny(Denial::TooManyRequests { retry_after_secs }, reason) => {
                format!("{} retry after {retry_after_secs}", reason.rule.as_str())
            }
            Verdict::Deny(denial, reason) => format!("{} {}", reason.rule.as_str(), denial.word()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        testing::{Counted, call, call_by, say},
        *,
    };

    const REFUSED: &str = "limits/rate_exceeded retry after 2";

    fn limit(burst: u32, per: &[Dimension], when: LimitWhen) -> RateLimit {
        let rate = Rate { count: 10, period: Duration::from_secs(1), burst };
        let amount = Amount::Same { policy: "10/s".into(), amount: rate };
        RateLimit::new(Scope::new("test", per.to_vec(), when), amount, Arc::new(Counted::default()))
    }

    fn check(guard: &RateLimit, mut cx: Context) -> String {
        say(&guard.check(&mut cx))
    }

    #[test]
    fn counts_callers_apart_and_strangers_by_address() {
        let guard = limit(1, &[Dimension::Consumer], LimitWhen::Always);
        for (cx, expected) in [
            (call_by("alice", &[], None), "pass"),
            (call_by("alice", &[], None), REFUSED),
            (call_by("bob", &[], None), "pass"),
            (call("192.0.2.1"), "pass"),
            (call("::ffff:192.0.2.1"), REFUSED),
            (call("192.0.2.2"), "pass"),
            (call("2001:db8:1:2::1"), "pass"),
            (call("2001:db8:1:2:ffff::2"), REFUSED),
            (call("2001:db8:1:3::1"), "pass"),
        ] {
            let who = format!("{:?} {}", cx.notes.principal, cx.client.ip);
            assert_eq!(check(&guard, cx), expected, "{who}");
        }
    }

    #[test]
    fn a_callers_name_cannot_pretend_to_be_another_subject() {
        let guard = limit(1, &[Dimension::Consumer, Dimension::Listener], LimitWhen::Always);
        assert_eq!(check(&guard, call_by("a", &[], None)), "pass");
        let mut cx = call_by("al", &[], None);
        cx.client.listener = "".into();
        assert_eq!(check(&guard, cx), "pass");
    }

    #[test]
    fn each_role_is_counted() {
        let guard = limit(2, &[Dimension::Role], LimitWhen::Always);
        assert_eq!(check(&guard, call_by("alice", &["admin", "clerk"], None)), "pass");
        assert_eq!(check(&guard, call_by("bob", &["clerk"], None)), "pass");
        assert_eq!(check(&guard, call_by("carol", &["clerk"], None)), REFUSED);
        assert_eq!(check(&guard, call_by("carol", &["admin"], None)), "pass");
        assert_eq!(check(&guard, call_by("dave", &[], None)), "pass", "no role: by address");
    }

    #[test]
    fn counts_only_the_calls_it_is_for() {
        let strangers = limit(1, &[], LimitWhen::Anonymous);
        assert_eq!(check(&strangers, call("192.0.2.1")), "pass");
        assert_eq!(check(&strangers, call("192.0.2.2")), REFUSED, "all together");
        assert_eq!(check(&strangers, call_by("alice", &[], None)), "pass");
        let known = limit(1, &[], LimitWhen::Authenticated);
        for _ in 0..3 {
            assert_eq!(check(&known, call("192.0.2.1")), "pass");
        }
    }

    #[test]
    fn a_plan_brings_its_own_rate() {
        let rate = |burst| Rate { count: 1, period: Duration::from_secs(1), burst };
        let plans = HashMap::from([("free".into(), rate(1)), ("gold".into(), rate(2))]);
        let guard =
            RateLimit::new(Scope::of_plans("plan"), Amount::ByPlan(plans), Arc::new(Counted::default()));
        assert_eq!(check(&guard, call_by("alice", &[], Some("free"))), "pass");
        assert_eq!(check(&guard, call_by("alice", &[], Some("free"))), REFUSED);
        for expected in ["pass", "pass", REFUSED] {
            assert_eq!(check(&guard, call_by("bob", &[], Some("gold"))), expected);
        }
        for _ in 0..3 {
            assert_eq!(check(&guard, call_by("carol", &[], None)), "pass");
            assert_eq!(check(&guard, call_by("dave", &[], Some("unknown"))), "pass");
        }
    }

    #[test]
    fn tells_the_tightest_limit_last() {
        let mut cx = call_by("alice", &[], None);
        for burst in [10, 2, 100] {
            assert_eq!(say(&limit(burst, &[], LimitWhen::Always).check(&mut cx)), "pass");
        }
        let left: Vec<_> = cx.notes.limits.iter().map(|it| (it.remaining, it.quota)).collect();
        assert_eq!(left.last(), Some(&(1, 2)));
        let tightest = cx.notes.limits.last().unwrap();
        assert_eq!((&*tightest.policy, tightest.window_secs, tightest.reset_secs), ("10/s", 1, 2));
    }

    #[test]
    fn the_window_states_the_rate() {
        let rate = |count, secs, burst| Rate { count, period: Duration::from_secs(secs), burst };
        assert_eq!(window_secs(&rate(100, 1, 200)), 2);
        assert_eq!(window_secs(&rate(5, 600, 5)), 600);
        assert_eq!(window_secs(&rate(1000, 1, 1)), 1);
    }
}
