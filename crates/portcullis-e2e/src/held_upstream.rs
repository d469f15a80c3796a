//! A server behind the gate that answers only when a test lets it.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::JoinHandle,
};

use crate::upstream::text;

/// Holds every call until it is released. Stopped when dropped.
pub struct HeldUpstream {
    /// Where it listens.
    pub address: SocketAddr,
    arrived: watch::Receiver<usize>,
    released: Arc<Semaphore>,
    server: JoinHandle<()>,
}

impl HeldUpstream {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (count, arrived) = watch::channel(0);
        let (count, released) = (Arc::new(count), Arc::new(Semaphore::new(0)));
        let server = tokio::spawn({
            let released = Arc::clone(&released);
            async move {
                loop {
                    let (stream, _) = listener.accept().await.expect("connections can be accepted");
                    let (count, released) = (Arc::clone(&count), Arc::clone(&released));
                    let service = service_fn(move |_: http::Request<hyper::body::Incoming>| {
                        let (count, released) = (Arc::clone(&count), Arc::clone(&released));
                        async move {
                            count.send_modify(|it| *it += 1);
                            released.acquire().await.expect("never closed").forget();
                            Ok::<_, Infallible>(text(200, "application/json", "{}"))
                        }
                    });
                    tokio::spawn(
                        hyper::server::conn::http1::Builder::new()
                            .serve_connection(TokioIo::new(stream), service),
                    );
                }
            }
        });
        Self { address, arrived, released, server }
    }

    /// `http://ADDRESS`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until that many calls have arrived in all.
    pub async fn arrived(&self, count: usize) {
        let mut arrived = self.arrived.clone();
        let enough = arrived.wait_for(|now| *now >= count);
        let enough = tokio::time::timeout(Duration::from_secs(20), enough).await;
        enough.expect("the calls arrive").expect("the server lives");
    }

    /// How many calls have arrived so far.
    pub fn arrivals(&self) -> usize {
        *self.arrived.borrow()
    }

    /// Answers that many calls, now or when they come.
    pub fn release(&self, count: usize) {
        self.released.add_permits(count);
    }
}

impl Drop for HeldUpstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}
