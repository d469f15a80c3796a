//! `upstreams:` → the gateway's upstreams. One whose settings did not change is kept with its connections.

use std::{collections::BTreeMap, sync::Arc};

use portcullis_config::{
    Outside,
    model::{self, Balance, RetryCause, RetryMethods, UpstreamProtocol},
    units::Scheme,
};
use portcullis_core::{clock::Entropy, secret::Secret};
use portcullis_gateway::upstream::{self as to, Upstream, UpstreamSettings};

use super::problem::Problem;

/// Upstreams by name.
pub(crate) type Upstreams = BTreeMap<Arc<str>, Arc<Upstream>>;

/// Builds every upstream, or takes it over from `before`.
pub(crate) fn compile(
    written: &BTreeMap<Arc<str>, model::Upstream>,
    before: &Upstreams,
    threads: usize,
    outside: &dyn Outside,
    entropy: &dyn Entropy,
    problems: &mut Vec<Problem>,
) -> Upstreams {
    let mut upstreams = Upstreams::new();
    for (name, written) in written {
        let subject = || format!("upstream {name}");
        let settings = match settings(name, written, outside) {
            Ok(settings) => settings,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        if let Some(kept) = before.get(name).filter(|it| it.same_settings(&settings)) {
            upstreams.insert(Arc::clone(name), Arc::clone(kept));
            continue;
        }
        match Upstream::new(settings, threads, entropy) {
            Ok(upstream) => {
                upstreams.insert(Arc::clone(name), upstream);
            }
            Err(error) => problems.push(Problem::of(subject(), &error)),
        }
    }
    upstreams
}

fn settings(
    name: &Arc<str>,
    written: &model::Upstream,
    outside: &dyn Outside,
) -> Result<UpstreamSettings, Problem> {
    let servers = written.servers.iter().map(server).collect();
    let mut settings = UpstreamSettings::new(Arc::clone(name), servers);
    settings.balance = match written.balance {
        Balance::LeastRequests => to::Balance::LeastRequests,
        Balance::RoundRobin => to::Balance::RoundRobin,
    };
    settings.timeouts = to::Timeouts {
        connect: written.timeout.connect,
        response_head: Some(written.timeout.response),
        total: written.timeout.total,
        idle: Some(written.timeout.idle),
    };
    settings.retry = retry(&written.retry);
    settings.pool = to::PoolSettings {
        connections_max: u32::try_from(written.pool.connections.0).unwrap_or(u32::MAX),
        idle_max: usize::try_from(written.pool.idle.0).unwrap_or(usize::MAX),
        idle_timeout: written.pool.idle_timeout,
    };
    settings.protocol = match written.protocol {
        UpstreamProtocol::Auto => to::UpstreamProtocol::Auto,
        UpstreamProtocol::H1 => to::UpstreamProtocol::H1,
        UpstreamProtocol::H2 => to::UpstreamProtocol::H2,
    };
    settings.health = written.health.as_ref().map(health);
    settings.tls = tls(name, &written.tls, outside)?;
    Ok(settings)
}

fn server(written: &model::Server) -> to::ServerSettings {
    to::ServerSettings {
        scheme: match written.url.scheme {
            Scheme::Http => to::Scheme::Http,
            Scheme::Https => to::Scheme::Https,
        },
        host: (*written.url.host).into(),
        port: written.url.port,
        weight: u16::try_from(written.weight).unwrap_or(u16::MAX),
        base_path: written.url.path.trim_end_matches('/').into(),
    }
}

/// `attempts` in the language counts the first call; the gateway counts what comes after it.
pub(crate) fn retry(written: &model::Retry) -> to::RetrySettings {
    to::RetrySettings {
        attempts: u8::try_from(written.attempts.0.saturating_sub(1)).unwrap_or(u8::MAX),
        on: written
            .after
            .iter()
            .map(|cause| match cause {
                RetryCause::Connect => to::RetryCause::Connect,
                RetryCause::Reset => to::RetryCause::Reset,
                RetryCause::Timeout => to::RetryCause::Timeout,
                RetryCause::Status502 => to::RetryCause::Status502,
                RetryCause::Status503 => to::RetryCause::Status503,
                RetryCause::Status504 => to::RetryCause::Status504,
            })
            .collect(),
        methods: match written.methods {
            RetryMethods::Idempotent => to::RetryMethods::Idempotent,
            RetryMethods::All => to::RetryMethods::All,
        },
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=100 just before"
        )]
        budget_percent: (written.budget.fraction() * 100.0).round().clamp(0.0, 100.0) as u8,
        backoff_min: written.backoff.from,
        backoff_max: written.backoff.to,
        ..to::RetrySettings::default()
    }
}

fn health(written: &model::Health) -> to::HealthSettings {
    to::HealthSettings {
        every: written.every,
        timeout: written.timeout,
        unhealthy_after: u32::try_from(written.unhealthy_after.0).unwrap_or(u32::MAX),
        healthy_after: u32::try_from(written.healthy_after.0).unwrap_or(u32::MAX),
        expect: u16::try_from(written.expect)
            .ok()
            .and_then(|it| http::StatusCode::from_u16(it).ok())
            .map_or(to::HealthyStatus::Success, to::HealthyStatus::Exactly),
        ..to::HealthSettings::of(&*written.path.0)
    }
}

fn tls(name: &str, written: &model::UpstreamTls, outside: &dyn Outside) -> Result<to::UpstreamTls, Problem> {
    let subject = format!("upstream {name}");
    let file = |path: &std::path::Path| {
        outside
            .read(path)
            .map(|text| Arc::<[u8]>::from(text.into_bytes()))
            .map_err(|error| Problem::error(&subject, format!("cannot read `{}`: {error}", path.display())))
    };
    let roots = match &written.ca {
        Some(path) => to::Roots::Pem(file(&path.0)?),
        None => to::Roots::WebPki,
    };
    let client = match (&written.client_certificate, &written.client_key) {
        (Some(chain), Some(key)) => Some(to::ClientIdentity {
            chain_pem: file(&chain.0)?,
            key_pem: Secret::new(
                key.resolve(outside)
                    .map_err(|error| Problem::of(&subject, &error))?
                    .reveal()
                    .clone()
                    .into_bytes(),
            ),
        }),
        _ => None,
    };
    Ok(to::UpstreamTls {
        roots,
        client,
        server_name: written.server_name.as_deref().map(Into::into),
        verify: if written.verify { to::Verify::Full } else { to::Verify::Nothing },
    })
}
