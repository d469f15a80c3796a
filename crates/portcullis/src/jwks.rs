//! Keeps signing keys fresh: on a timer, and when a call names a key that is not known.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use anyhow::Context as _;
use bytes::Bytes;
use portcullis_auth::jose::{
    discovery,
    refresh::{RefreshCause, Refresher},
};
use portcullis_core::clock::{Clock, Timestamp};

use crate::{
    compile::identity::{KeyOrigin, SigningKeyRing, SigningKeys},
    fetch,
};

/// How soon a provider without any keys is asked again.
const RETRY: Duration = Duration::from_secs(5);

/// Fetches keys on a runtime of its own, so that a caller who hangs up stops nothing.
pub(crate) struct JwksFetcher {
    pub(crate) ring: Arc<SigningKeyRing>,
    pub(crate) runtime: tokio::runtime::Handle,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tls: Arc<rustls::ClientConfig>,
}

impl Refresher for JwksFetcher {
    fn refresh(&self, provider: &str, cause: RefreshCause) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let Some(keys) = self.ring.find(provider) else {
            return Box::pin(std::future::ready(()));
        };
        tracing::info!(provider, ?cause, "asking for signing keys");
        let (clock, tls) = (Arc::clone(&self.clock), Arc::clone(&self.tls));
        let fetched = self.runtime.spawn(async move { refresh(&keys, &*clock, tls).await });
        Box::pin(async move {
            // A fetch that was lost with its runtime leaves the old keys in force.
            let _ended = fetched.await;
        })
    }
}

impl JwksFetcher {
    /// Fetches every provider's keys now, and again when their time has come. Ends with the runtime.
    pub(crate) async fn keep_fresh(self: Arc<Self>) {
        loop {
            let mut pause = Duration::from_secs(60);
            for keys in self.ring.all() {
                let age = keys.state.health(self.clock.now()).age;
                if age.is_none_or(|age| age >= keys.every) {
                    refresh(&keys, &*self.clock, Arc::clone(&self.tls)).await;
                }
                let now = keys.state.health(self.clock.now());
                let next = match now.age {
                    Some(age) if now.failures_in_a_row == 0 => keys.every.saturating_sub(age),
                    _ => RETRY,
                };
                pause = pause.min(next.max(Duration::from_secs(1)));
            }
            tokio::time::sleep(pause).await;
        }
    }
}

async fn refresh(keys: &SigningKeys, clock: &dyn Clock, tls: Arc<rustls::ClientConfig>) {
    let provider = keys.state.provider();
    match fetch_keys(&keys.origin, tls).await {
        Ok(document) => match keys.state.install(&document, clock.now()) {
            Ok(set) => tracing::debug!(%provider, keys = set.len(), "signing keys fetched"),
            Err(error) => complain(keys, &error.to_string(), clock.now()),
        },
        Err(error) => {
            let error = format!("{error:#}");
            keys.state.failed(&error);
            complain(keys, &error, clock.now());
        }
    }
}

/// Says what a failed fetch means for callers.
fn complain(keys: &SigningKeys, error: &str, now: Timestamp) {
    let provider = keys.state.provider();
    let age_secs = keys.state.health(now).age.map(|it| it.as_secs());
    match age_secs {
        Some(_) if keys.are_believed(now) => {
            tracing::warn!(%provider, error, "signing keys could not be fetched; the old ones stay");
        }
        Some(age_secs) => tracing::warn!(
            %provider, error, age_secs,
            "signing keys could not be fetched; the old ones are past `keys_max_age`, and every token is refused",
        ),
        None => tracing::warn!(%provider, error, "signing keys could not be fetched; every token is refused"),
    }
}

async fn fetch_keys(origin: &KeyOrigin, tls: Arc<rustls::ClientConfig>) -> anyhow::Result<Bytes> {
    match origin {
        KeyOrigin::Url(url) => fetch::get(url, tls).await,
        KeyOrigin::Issuer(issuer) => {
            let metadata = discovery::metadata_url(issuer)?.to_string();
            let document = fetch::get(&metadata, Arc::clone(&tls)).await?;
            let found =
                discovery::parse(&document, issuer).with_context(|| format!("`{metadata}` is not usable"))?;
            fetch::get(&found.jwks_uri.to_string(), tls).await
        }
    }
}
