//! Active checks: every server is asked now and then, whether calls go there or not.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use futures_util::future::join_all;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use tokio::time::Instant;

use super::{
    Asking, Health, Upstream,
    connect::{Fresh, Upgrades},
    h1::{NoAnswer, Patience},
    out_body::{OutBody, Sending},
    server::Server,
    settings::{HealthSettings, HealthyStatus},
};

/// Starts the checks of an upstream; they end when it is dropped.
pub(super) fn start(upstream: &Arc<Upstream>, runtime: &tokio::runtime::Handle) {
    if upstream.settings.health.is_some() {
        runtime.spawn(keep_checking(Arc::downgrade(upstream)));
    }
}

async fn keep_checking(upstream: Weak<Upstream>) {
    let mut streaks = HashMap::new();
    loop {
        let Some(alive) = upstream.upgrade() else { return };
        let Some(settings) = &alive.settings.health else { return };
        let results = join_all(alive.servers.iter().map(|server| check(server, settings))).await;
        for ((index, server), result) in alive.servers.iter().enumerate().zip(results) {
            streaks.entry(index).or_insert(Streak::default()).note(server, settings, result);
        }
        // Jitter, so that many gates do not ask one server in step.
        let pause = alive.chance.jitter(settings.every) + settings.every / 4;
        drop(alive);
        tokio::time::sleep(pause).await;
    }
}

/// Results of one kind in a row.
#[derive(Default)]
struct Streak {
    good: u32,
    bad: u32,
}

impl Streak {
    fn note(&mut self, server: &Server, settings: &HealthSettings, result: Result<(), String>) {
        let is_first = self.good == 0 && self.bad == 0;
        match result {
            Ok(()) => {
                self.bad = 0;
                self.good = self.good.saturating_add(1);
                if (is_first || self.good >= settings.healthy_after) && server.set_health(Health::Healthy) {
                    tracing::info!(server = &**server.label(), "server is healthy");
                }
            }
            Err(problem) => {
                self.good = 0;
                self.bad = self.bad.saturating_add(1);
                if self.bad >= settings.unhealthy_after && server.set_health(Health::Unhealthy) {
                    tracing::warn!(server = &**server.label(), problem, "server is unhealthy");
                }
            }
        }
    }
}

/// Asks one server over a connection of its own.
async fn check(server: &Arc<Server>, settings: &HealthSettings) -> Result<(), String> {
    let until = Instant::now() + settings.timeout;
    match tokio::time::timeout_at(until, ask(server, settings, until)).await {
        Ok(Ok(status)) => {
            let is_healthy = match settings.expect {
                HealthyStatus::Success => status.is_success(),
                HealthyStatus::Exactly(expected) => status == expected,
            };
            if is_healthy { Ok(()) } else { Err(format!("status {}", status.as_u16())) }
        }
        Ok(Err(problem)) => Err(problem),
        Err(_) => Err("no answer in time".to_owned()),
    }
}

async fn ask(server: &Arc<Server>, settings: &HealthSettings, until: Instant) -> Result<StatusCode, String> {
    let wire = server.dialer.wire(Upgrades::No).map_err(|error| error.detail)?;
    let fresh = server.dialer.dial(wire, None, until).await.map_err(|error| error.detail)?;
    let mut request = Request::new(Sending { body: OutBody::Empty, upload: None });
    *request.method_mut() = Method::GET;
    request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static("portcullis-health"));
    match fresh {
        Fresh::Own(mut connection) => {
            *request.uri_mut() =
                settings.path.parse().map_err(|_| "the path cannot be asked for".to_owned())?;
            let (head, body) = request.into_parts();
            let patience = Patience { first: Some(until), limit: |_| until };
            match connection.ask(Asking::whole(&head), &server.target, body, patience).await {
                Ok((answer, _)) => Ok(answer.status),
                Err(NoAnswer::Lost(detail)) => Err(detail),
                Err(NoAnswer::Nonsense(fault)) => Err(fault.to_string()),
                Err(NoAnswer::Body | NoAnswer::TimedOut) => Err("no answer in time".to_owned()),
            }
        }
        Fresh::Shared(mut sender) => {
            *request.uri_mut() = Uri::builder()
                .scheme(server.target.scheme.clone())
                .authority(server.target.authority.clone())
                .path_and_query(format!("{}{}", server.target.base_path, settings.path))
                .build()
                .map_err(|_| "the path cannot be asked for".to_owned())?;
            let answer = sender.send_request(request).await;
            answer.map(|answer| answer.status()).map_err(|error| error.to_string())
        }
    }
}
