//! Addresses of a server's name, looked up beside the calls wherever possible.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use tokio::time::Instant;

/// How old an answer of the resolver may be before it is asked again. The system's resolver does not tell the
/// records' own time to live.
const FRESH_FOR: Duration = Duration::from_secs(30);
/// More addresses than this are not tried for one name.
const ADDRESSES_MAX: usize = 16;

/// One server's name and what it stood for last.
pub(super) struct Names {
    host: Box<str>,
    port: u16,
    fixed: Option<SocketAddr>,
    known: ArcSwapOption<Known>,
    refreshing: AtomicBool,
    turn: AtomicUsize,
}

struct Known {
    addresses: Box<[SocketAddr]>,
    at: Instant,
}

impl Names {
    pub(super) fn new(host: &str, port: u16) -> Arc<Self> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let fixed = bare.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, port));
        Arc::new(Self {
            host: bare.into(),
            port,
            fixed,
            known: ArcSwapOption::empty(),
            refreshing: AtomicBool::new(false),
            turn: AtomicUsize::new(0),
        })
    }

    /// The addresses to try, in order. Waits only for the first lookup; later ones run beside the calls, and a
    /// failed one leaves the old addresses in use.
    ///
    /// # Errors
    ///
    /// When the name was never resolved and cannot be now.
    pub(super) async fn addresses(self: &Arc<Self>) -> io::Result<Vec<SocketAddr>> {
        if let Some(fixed) = self.fixed {
            return Ok(vec![fixed]);
        }
        let known = match self.known.load_full() {
            Some(known) => {
                if known.at.elapsed() > FRESH_FOR && !self.refreshing.swap(true, Ordering::AcqRel) {
                    let names = Arc::clone(self);
                    tokio::spawn(async move {
                        if let Err(error) = names.look_up().await {
                            tracing::warn!(host = &*names.host, %error, "name lookup failed, old addresses stay in use");
                        }
                        names.refreshing.store(false, Ordering::Release);
                    });
                }
                known
            }
            None => self.look_up().await?,
        };
        let mut addresses = known.addresses.to_vec();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        if let Some(middle) = turn.checked_rem(addresses.len()) {
            addresses.rotate_left(middle);
        }
        Ok(addresses)
    }

    async fn look_up(&self) -> io::Result<Arc<Known>> {
        let found = tokio::net::lookup_host((&*self.host, self.port)).await?;
        let addresses: Box<[SocketAddr]> = found.take(ADDRESSES_MAX).collect();
        if addresses.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
        }
        let known = Arc::new(Known { addresses, at: Instant::now() });
        self.known.store(Some(Arc::clone(&known)));
        Ok(known)
    }
}
