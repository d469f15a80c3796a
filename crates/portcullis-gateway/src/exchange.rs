//! One exchange from its head to its record.

mod answer;
mod arrive;
mod ask;
mod ending;

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, OnceLock},
};

pub(crate) use self::ending::refused;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, Version, uri::PathAndQuery};
use portcullis_core::{
    chain::{Chain, Phase, Progress},
    context::Context,
    event::{Outcome, UpstreamFault},
    verdict::{Denial, Reason},
};

use crate::{
    connection::{ClientBody, Connection},
    denied,
    forwarded::Trust,
    intake::{self, Intake, IntakeFault, PassingBody},
    plan::{ApiPlan, Endpoint, ListenerPlan},
    reply::{Content, Reply},
    upstream::OutBody,
};

/// Serves one request: the whole way of DESIGN's figure, in its order.
pub(crate) async fn serve(connection: Arc<Connection>, request: Request<ClientBody>) -> Response<Reply> {
    let plan = connection.listener.plan.load_full();
    let (head, body) = request.into_parts();
    let exchange = Exchange::begin(connection, Arc::clone(&plan), head);
    let (reference, version) = (exchange.cx.reference, exchange.cx.request.version);
    // Pinned here and lent: a future handed over by value would be in memory twice.
    let passing = std::pin::pin!(pass(exchange, &plan, body));
    match unpanicked(passing).await {
        Ok(answer) => answer,
        Err(Panicked) => {
            let told = denied::Told::of_no_exchange(reference, version);
            denied::response(Denial::Unavailable, told).map(|text| Reply::alone(Content::Whole(text)))
        }
    }
}

async fn pass(mut exchange: Box<Exchange>, plan: &ListenerPlan, body: ClientBody) -> Response<Reply> {
    let way = way(&mut exchange, plan, body).await;
    match way {
        Ok(passed) => answer::reply(exchange, plan, passed),
        Err(stop) => answer::stopped(exchange, plan, stop),
    }
}

/// The phases. Each either lets the exchange go on or stops it.
async fn way<'a>(x: &mut Exchange, plan: &'a ListenerPlan, incoming: ClientBody) -> Result<Passed<'a>, Stop> {
    x.admit(plan)?;
    let hop = x.check_head(plan)?;
    let (api, endpoint) = x.route(plan)?;
    let chain = &endpoint.chain;

    x.judge_head(chain).await?;

    let body = x.take_body(endpoint, incoming).await?;
    if x.cx.request.body.is_some() {
        x.judge(chain, Phase::RequestBody)?;
    }

    let handshake = x.handshake(endpoint, &hop)?;
    let answer = x.ask_upstream(endpoint, body, &hop, handshake.as_ref()).await?;
    if handshake.is_some() && answer.response.status() == http::StatusCode::SWITCHING_PROTOCOLS {
        return Ok(Passed { api, content: Passing::Tunnel(answer.response) });
    }

    let body = x.take_answer(answer)?;
    x.judge(chain, Phase::ResponseHead)?;
    let content = x.hold_answer(endpoint, body).await?;
    Ok(Passed { api, content: Passing::Body(content) })
}

/// An exchange that reached its answer.
struct Passed<'a> {
    api: &'a ApiPlan,
    content: Passing,
}

/// What goes to the client.
enum Passing {
    /// The answer in the context, with this body.
    Body(Content),
    /// The upstream's 101: the connection becomes a tunnel.
    Tunnel(Response<crate::upstream::AnswerBody>),
}

/// Why an exchange ends before the upstream's answer.
enum Stop {
    /// Refused.
    Denied(Denial),
    /// 405 with the methods there are.
    NoMethod(HeaderValue),
    /// The upstream failed.
    Failed(UpstreamFault),
    /// The gate answers itself: a preflight, `OPTIONS`.
    Answered(Box<Response<Bytes>>),
}

impl From<Denial> for Stop {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

/// Everything about one exchange. Its end, however it comes, is its drop: that is where the one record is made.
pub(crate) struct Exchange {
    cx: Context,
    connection: Arc<Connection>,
    plan: Arc<ListenerPlan>,
    endpoint: Option<Arc<Endpoint>>,
    /// The API that the path belongs to, where no operation is known.
    api: Option<Arc<str>>,
    /// The target as it came, until it is checked.
    uri: Uri,
    /// Path and query as they came, kept where checking changed nothing about them.
    target: Option<PathAndQuery>,
    trust: Trust,
    intake: Option<Arc<Intake>>,
    /// `None` while under way: whoever drops it then has lost the client.
    outcome: Option<Outcome>,
    status: u16,
    /// Bytes from the client through a tunnel.
    tunnel_bytes: u64,
    response_bytes: u64,
    /// The declared length of the answer's body.
    response_bytes_expected: Option<u64>,
    upstream: Option<Arc<str>>,
    upstream_micros: Option<u64>,
    trace: Option<Box<str>>,
    reference: OnceLock<HeaderValue>,
}

impl Exchange {
    /// Notes a fault of the message that no guard had to find.
    #[cold]
    fn remark(&mut self, reason: Reason) {
        self.cx.notes.reasons.push(reason);
    }

    /// The reference as a header value, made once.
    fn reference_text(&self) -> HeaderValue {
        let text = self.reference.get_or_init(|| {
            let text = Bytes::copy_from_slice(&self.cx.reference.text());
            HeaderValue::from_maybe_shared(text).unwrap_or(HeaderValue::from_static(""))
        });
        text.clone()
    }

    /// Runs the guards of the head, waiting for those that must ask somebody.
    async fn judge_head(&mut self, chain: &Chain) -> Result<(), Stop> {
        let mut progress = chain.run(Phase::RequestHead, &mut self.cx);
        loop {
            match progress {
                Progress::Passed => return Ok(()),
                Progress::Denied(denial) => return Err(denial.into()),
                Progress::Waits(at) => {
                    if let Some(denial) = chain.ask(at, &mut self.cx).await {
                        return Err(denial.into());
                    }
                    progress = chain.resume(Phase::RequestHead, at + 1, &mut self.cx);
                }
            }
        }
    }

    /// Runs the guards of a later phase, none of which can wait.
    fn judge(&mut self, chain: &Chain, phase: Phase) -> Result<(), Stop> {
        match chain.run(phase, &mut self.cx) {
            Progress::Passed | Progress::Waits(_) => Ok(()),
            Progress::Denied(denial) => Err(denial.into()),
        }
    }

    /// Holds the body back where a guard asks for it, otherwise lets it pass with its bounds.
    async fn take_body(&mut self, endpoint: &Endpoint, incoming: ClientBody) -> Result<OutBody, Stop> {
        use http_body::Body as _;
        let wanted = endpoint.chain.wants_body(Phase::RequestBody, &self.cx);
        if incoming.is_end_stream() {
            if wanted {
                self.cx.request.body = Some(Bytes::new());
            }
            return Ok(OutBody::Empty);
        }
        let intake = Arc::new(Intake::default());
        self.intake = Some(Arc::clone(&intake));
        let bytes_max = endpoint.body_bytes_max;
        let usual = self.plan.limits.body_timeout;
        let taken = if wanted {
            let time = endpoint.timeouts.body.unwrap_or(usual);
            intake::read_whole(incoming, bytes_max, time, &intake).await.map(|bytes| {
                self.cx.request.body = Some(bytes.clone());
                OutBody::Whole(bytes)
            })
        } else {
            let plan = Arc::clone(&self.plan);
            let idle = endpoint.timeouts.body_idle.unwrap_or(usual);
            PassingBody::new(incoming, bytes_max, idle, intake, plan)
                .map(|body| OutBody::Stream(Box::pin(body)))
        };
        taken.map_err(|fault| self.intake_failed(fault))
    }

    /// Notes why a body was not taken to its end.
    #[cold]
    fn intake_failed(&mut self, fault: IntakeFault) -> Stop {
        if let Some(framing) = self.connection.framing() {
            self.remark(framing.reason());
        }
        self.remark(fault.reason());
        Stop::Denied(fault.denial())
    }

    fn is_http1(&self) -> bool {
        self.cx.request.version <= Version::HTTP_11
    }
}

/// A defect of ours came to light.
struct Panicked;

/// A panic costs its exchange, never the process. What was under way is dropped while unwinding, so the record says so.
async fn unpanicked<T>(mut future: Pin<&mut impl Future<Output = T>>) -> Result<T, Panicked> {
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(_) => std::task::Poll::Ready(Err(Panicked)),
    })
    .await
}
