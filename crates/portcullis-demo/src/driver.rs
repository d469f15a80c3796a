//! Plays the calls against an address, one kept connection a caller, at a steady pace.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::MissedTickBehavior};

use crate::{
    attackers,
    calls::{Call, Credential},
    clients,
    dice::Dice,
};

/// Who calls, how often.
#[derive(Clone, Debug)]
pub struct Traffic {
    /// The gate's address, without TLS.
    pub target: SocketAddr,
    /// The key that the gate issued.
    pub key: Arc<str>,
    /// A key of the right shape that nobody issued.
    pub forged_key: Arc<str>,
    /// Ordinary clients.
    pub clients: u16,
    /// Attackers.
    pub attackers: u16,
    /// The pause between two calls of one caller.
    pub pause: Duration,
    /// The seed of all callers.
    pub seed: u64,
}

/// What came of one call, as its caller saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The call.
    pub call: Call,
    /// Whether an attacker made it.
    pub attack: bool,
    /// The status; `None` when the connection failed.
    pub status: Option<u16>,
}

/// Plays until the receiver of `seen` is dropped.
pub async fn play(traffic: Traffic, seen: tokio::sync::mpsc::Sender<Seen>) {
    let callers =
        (0..traffic.clients).map(|it| (it, false)).chain((0..traffic.attackers).map(|it| (it, true)));
    let mut tasks = tokio::task::JoinSet::new();
    for (index, attack) in callers {
        let seed = traffic.seed.wrapping_mul(1_000).wrapping_add(u64::from(index) * 2 + u64::from(attack));
        tasks.spawn(caller(traffic.clone(), Dice::new(seed), attack, seen.clone()));
    }
    drop(seen);
    while tasks.join_next().await.is_some() {}
}

async fn caller(traffic: Traffic, dice: Dice, attack: bool, seen: tokio::sync::mpsc::Sender<Seen>) {
    let mut dice = dice;
    let mut pace = tokio::time::interval(traffic.pause);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut connection = None;
    loop {
        pace.tick().await;
        let call = if attack { attackers::next(&mut dice) } else { clients::next(&mut dice) };
        let status = make(&traffic, &call, &mut connection).await;
        if seen.send(Seen { call, attack, status }).await.is_err() {
            return;
        }
    }
}

/// Makes one call over the kept connection, opening it first when there is none.
async fn make(
    traffic: &Traffic,
    call: &Call,
    connection: &mut Option<SendRequest<Full<Bytes>>>,
) -> Option<u16> {
    let mut sender = match connection.take().filter(|it| !it.is_closed()) {
        Some(sender) => sender,
        None => connect(traffic.target).await?,
    };
    sender.ready().await.ok()?;
    let response = sender.send_request(request(traffic, call)?).await.ok()?;
    let status = response.status().as_u16();
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        frame.ok()?;
    }
    *connection = Some(sender);
    Some(status)
}

async fn connect(target: SocketAddr) -> Option<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(target).await.ok()?;
    let (sender, driver) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(driver);
    Some(sender)
}

fn request(traffic: &Traffic, call: &Call) -> Option<http::Request<Full<Bytes>>> {
    let mut request = http::Request::builder()
        .method(call.method.clone())
        .uri(&*call.target)
        .header(http::header::HOST, traffic.target.to_string());
    match call.credential {
        Credential::Good => request = request.header("x-api-key", &*traffic.key),
        Credential::Forged => request = request.header("x-api-key", &*traffic.forged_key),
        Credential::None => (),
    }
    if !call.body.is_empty() {
        request = request.header(http::header::CONTENT_TYPE, "application/json");
    }
    request.body(Full::new(Bytes::from(call.body.clone().into_owned()))).ok()
}
