//! One file a guard, one file a transform. The order in which they run stands here and nowhere else.

mod at_listener;
mod attacks;
mod authenticate;
mod authorize;
mod ban;
mod coding;
mod concurrency;
mod consumed_credentials;
mod consumer_profile;
mod exceptions;
mod identity_headers;
mod inspection;
mod login_attempts;
mod plaintext_credentials;
mod quota;
mod rate_limit;
mod request_body;
mod request_parameters;
mod response_headers;
mod response_schema;
mod rules;

pub use at_listener::AtListener;
pub use attacks::{AttackWatch, Attacks};
pub use authenticate::{Authenticate, Busy, PasswordLane};
pub use authorize::{Authorize, Demand};
pub use ban::Ban;
pub use concurrency::ConcurrencyLimit;
pub use consumed_credentials::ConsumedCredentials;
pub use consumer_profile::{ConsumerProfile, ConsumerProfiles};
pub use exceptions::{Excepted, Exception, Exceptions};
pub use identity_headers::{IdentityFact, IdentityForm, IdentityHeaders};
pub use inspection::{Beyond, Inspection, Opaque};
pub use login_attempts::{LoginAttempts, LoginSettings};
pub use plaintext_credentials::{PeerRange, PlaintextCredentials};
pub use quota::QuotaLimit;
pub use rate_limit::{Amount, RateLimit, Scope};
pub use request_body::RequestBody;
pub use request_parameters::RequestParameters;
pub use response_headers::{ConfiguredHeaders, FramingField, HeaderEdits};
pub use response_schema::ResponseSchema;
pub use rules::{RuleBook, Rules};

use std::sync::Arc;

use portcullis_core::chain::{Chain, Guard, Mode, RemoteGuard, Transform};

/// A guard with the mode its settings give it.
pub type Moded = (Mode, Arc<dyn Guard>);

/// Everything one route may have, each with its mode; what is absent does not run.
#[derive(Default)]
pub struct Parts {
    /// See [`PlaintextCredentials`].
    pub plaintext_credentials: Option<Moded>,
    /// See [`Ban::of_addresses`].
    pub address_ban: Option<Moded>,
    /// Rates, then quotas, then places: what can be counted before anybody is known.
    pub early_limits: Vec<Moded>,
    /// See [`Authenticate`].
    pub authenticate: Option<(Mode, Arc<dyn RemoteGuard>)>,
    /// See [`ConsumerProfile`].
    pub consumer_profile: Option<Moded>,
    /// See [`Ban::of_principals`].
    pub principal_ban: Option<Moded>,
    /// Rates, then quotas, then places: what is counted by caller, role, tenant or plan.
    pub limits: Vec<Moded>,
    /// See [`RequestParameters`]; once for what is enforced, once more for what is only reported.
    pub request_parameters: Vec<Moded>,
    /// See [`Attacks`]: what it finds in the head.
    pub attacks_in_head: Option<Moded>,
    /// See [`Rules`]: their first phase.
    pub rules_in_head: Option<Moded>,
    /// See [`Authorize`].
    pub authorize: Option<Moded>,
    /// See [`RequestBody`]; once for what is enforced, once more for what is only reported.
    pub request_body: Vec<Moded>,
    /// See [`Attacks`]: what it finds in the body.
    pub attacks_in_body: Option<Moded>,
    /// See [`Rules`]: their second phase.
    pub rules_in_body: Option<Moded>,
    /// See [`LoginAttempts`].
    pub login_attempts: Option<Moded>,
    /// See [`ResponseSchema`].
    pub response_schema: Option<Moded>,
    /// See [`Rules`]: their third and fourth phases.
    pub rules_in_response: Vec<Moded>,
    /// See [`ConsumedCredentials`].
    pub consumed_credentials: Option<Arc<dyn Transform>>,
    /// See [`IdentityHeaders`].
    pub identity_headers: Option<Arc<dyn Transform>>,
    /// See [`ConfiguredHeaders`].
    pub configured_headers: Option<Arc<dyn Transform>>,
}

impl Parts {
    /// THE order of guards and transforms.
    pub fn into_chain(self) -> Chain {
        let mut chain = Chain::default();
        let head = [
            // Whoever sent a credential in the clear must hear of it before anything looks at that credential.
            Vec::from_iter(self.plaintext_credentials),
            // The cheapest refusal of those who are known to be unwelcome.
            Vec::from_iter(self.address_ban),
            // Before authentication, so that guessing credentials is itself limited.
            self.early_limits,
        ];
        for (mode, guard) in head.into_iter().flatten() {
            chain.guard(mode, guard);
        }
        if let Some((mode, guard)) = self.authenticate {
            chain.remote(mode, guard);
        }
        let known = [
            // Plans and roles from the configuration complete the principal before anything asks for them.
            Vec::from_iter(self.consumer_profile),
            Vec::from_iter(self.principal_ban),
            // After authentication, so that callers are counted by name; before the dearer checks, which a flood of
            // calls would otherwise buy.
            self.limits,
            self.request_parameters,
            // After the specification, whose refusals are cheaper and say more.
            Vec::from_iter(self.attacks_in_head),
            Vec::from_iter(self.rules_in_head),
            // After the parameters, which policies may speak of.
            Vec::from_iter(self.authorize),
            // The body phase: parsed and checked first, so that what comes after it reads a sound tree.
            self.request_body,
            // The native detectors read the tree that is there now; the rules parse for themselves, as rules expect.
            Vec::from_iter(self.attacks_in_body),
            Vec::from_iter(self.rules_in_body),
            Vec::from_iter(self.login_attempts),
            // What the rules refuse in an answer may be the very leak that its schema does not describe: first.
            self.rules_in_response,
            Vec::from_iter(self.response_schema),
        ];
        for (mode, guard) in known.into_iter().flatten() {
            chain.guard(mode, guard);
        }
        // What callers sent goes first, so that the operator can put the upstream's own credential in its place. The
        // operator's edits have the last word, except over identity.
        let transforms = [self.consumed_credentials, self.configured_headers, self.identity_headers];
        for transform in transforms.into_iter().flatten() {
            chain.transform(transform);
        }
        chain
    }
}

/// A guard or transform, for the reference.
pub struct Described {
    /// The name in rule ids.
    pub name: &'static str,
    /// When it runs.
    pub when: &'static str,
    /// What it does and what configures it.
    pub what: &'static str,
    /// The rules it can name.
    pub rules: &'static [&'static str],
}

/// All guards and transforms in the order of [`Parts::into_chain`], for the generated reference.
pub const DESCRIBED: &[Described] = &[
    Described {
        name: "plaintext_credentials",
        when: "request head",
        what: "Refuses credentials over cleartext except from loopback. `listeners.X.plaintext_credentials`.",
        rules: &["plaintext_credentials/credential_over_cleartext"],
    },
    Described {
        name: "ban",
        when: "request head, before and after authentication",
        what: "Refuses addresses and principals that are shut out for a while.",
        rules: &["ban/address", "ban/principal"],
    },
    Described {
        name: "limits",
        when: "request head, before authentication (by address or listener) and after it (by caller, role, plan)",
        what: "Rates, calendar quotas and concurrent places. `limit:`, `plans:`, `listeners.X.limit`.",
        rules: &["limits/rate_exceeded", "limits/quota_exceeded", "limits/concurrency_exceeded"],
    },
    Described {
        name: "auth",
        when: "request head",
        what: "Establishes who calls. `auth:`, `identity.providers`, the specification's `security`.",
        rules: &["auth/*"],
    },
    Described {
        name: "consumer_profile",
        when: "request head, after authentication",
        what: "Adds plan, roles, scopes and tenant from `consumers:`; refuses nothing.",
        rules: &[],
    },
    Described {
        name: "schema",
        when: "request head (parameters), request body, response body",
        what: "Holds messages to the specification. `schema.request`, `schema.response`, `schema.unknown_*`.",
        rules: &[
            "schema/KEYWORD, named after the JSON Schema keyword or the parameter rule that does not hold",
        ],
    },
    Described {
        name: "attacks",
        when: "request head, request body",
        what: "Refuses what it recognises as an attack, by score. `firewall.attacks`, `firewall.threshold`, `firewall.ignore`.",
        rules: &[
            "attacks/CLASS/PATTERN",
            "attacks/body_beyond_inspection",
            "attacks/body_coding_unknown",
            "attacks/body_miscoded",
            "attacks/body_not_inspected",
            "attacks/body_partly_inspected",
        ],
    },
    Described {
        name: "rules",
        when: "request head, request body, response head, response body",
        what: "Judges by rules in the ModSecurity language: the OWASP CRS, files of your own. `firewall.rules`.",
        rules: &[
            "rules/ID, by the rule's number",
            "rules/body_beyond_inspection",
            "rules/body_coding_unknown",
            "rules/body_miscoded",
            "rules/body_not_inspected",
            "rules/body_partly_inspected",
        ],
    },
    Described {
        name: "authorize",
        when: "request head, after the parameters",
        what: "Holds callers to roles and scopes. `roles:`, `scopes:`, `deny:`.",
        rules: &[
            "authorize/operation_denied",
            "authorize/principal_missing",
            "authorize/role_missing",
            "authorize/scope_missing",
        ],
    },
    Described {
        name: "login_attempts",
        when: "request head or body, and after the answer",
        what: "Throttles failed logins by address and user name. `login:`.",
        rules: &["login_attempts/address_spent", "login_attempts/username_spent"],
    },
    Described {
        name: "consumed_credentials",
        when: "transform, towards the upstream",
        what: "Keeps the credentials that the gate checks from the upstream. Not where `auth: anonymous` is written.",
        rules: &[],
    },
    Described {
        name: "headers",
        when: "transform",
        what: "Sets and removes header fields. `headers:`.",
        rules: &[],
    },
    Described {
        name: "identity_headers",
        when: "transform, towards the upstream",
        what: "Tells the upstream who calls, in named fields or a signed token. `identity_headers:`.",
        rules: &[],
    },
];
