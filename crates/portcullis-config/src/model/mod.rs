//! The language: every key with its meaning, default and example.

mod admin;
mod api;
mod auth;
mod config;
mod consumer;
mod cors;
mod exception;
mod firewall;
mod headers;
mod identity;
mod listener;
mod login;
mod operation;
mod provider;
mod settings;
mod switch;
mod tls;
mod upstream;

pub use admin::Admin;
pub use api::{Api, ApiServers, ApiUpstream, Spec};
pub use auth::Auth;
pub use config::{Config, Record, RecordedCalls};
pub use consumer::{Consumer, Plan};
pub use cors::Cors;
pub use exception::Exception;
pub use firewall::{AttackClass, Beyond, Firewall, FirewallSettings, Paranoia, RuleSource, RuleSourceKind};
pub use headers::{Fact, HeaderEdit, HeaderText, HeaderValues, IdentityHeaders, IdentityJwt};
pub use identity::Identity;
pub use listener::{Hsts, HstsPolicy, Listener, ListenerLimits, PlaintextCredentials, Protocol};
pub use login::Login;
pub use operation::{Operation, Operations};
pub use provider::{
    Algorithm, ApiKeysProvider, BasicProvider, CertificateField, ClaimMap, JwtProvider, KeySource,
    MtlsProvider, OidcProvider, Provider,
};
pub use settings::{
    ErrorBodies, HeadPolicy, HeaderSettings, MethodSettings, OptionsPolicy, SchemaSettings, Settings,
    SizeSettings, TimeoutSettings, Upgrade,
};
pub use switch::Switch;
pub use tls::{
    CertificateFiles, Certificates, ClientCertificateMode, ClientCertificates, Tls, TlsSettings, TlsVersion,
};
pub use upstream::{
    Balance, Health, HostPolicy, Pool, Retry, RetryCause, RetryMethods, Server, Upstream, UpstreamProtocol,
    UpstreamTimeouts, UpstreamTls, WeightedServer,
};
