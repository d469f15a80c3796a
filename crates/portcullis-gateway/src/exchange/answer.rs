//! The answer on its way to the client: held back where guards ask for it, cleaned, dressed.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, HeaderValue, Method, Response, StatusCode,
    header::{
        CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ORIGIN, RETRY_AFTER,
        STRICT_TRANSPORT_SECURITY, UPGRADE,
    },
};
use http_body::Body as _;
use portcullis_core::{
    chain::Phase,
    event::{Outcome, UpstreamFault},
    verdict::{Denial, Reason, RuleId, Severity},
};

use super::{Exchange, Passed, Passing, Stop};
use crate::{
    denied::{self, Told},
    forwarded::{self, X_REQUEST_ID},
    plan::{ApiPlan, Endpoint, ErrorPolicy, ListenerPlan},
    reply::{Content, Reply},
    tunnel,
    upstream::{Answer, AnswerBody},
};

impl Exchange {
    /// Takes the head of the answer into the context.
    pub(super) fn take_answer(&mut self, answer: Answer) -> Result<AnswerBody, Stop> {
        let (head, body) = answer.response.into_parts();
        if head.status.is_informational() {
            self.remark(Reason::new(
                RuleId::new("upstream/nonsense"),
                Severity::Medium,
                "the upstream switched protocols without being asked",
            ));
            return Err(Stop::Failed(UpstreamFault::Nonsense));
        }
        self.cx.response = Some(portcullis_core::context::Response {
            status: head.status,
            headers: head.headers,
            body: None,
        });
        Ok(body)
    }

    /// Holds the answer's body back where a guard asks for it and it is not larger than may be held, and judges it.
    pub(super) async fn hold_answer(
        &mut self,
        endpoint: &Endpoint,
        body: AnswerBody,
    ) -> Result<Content, Stop> {
        if self.is_replaced(endpoint) || !endpoint.chain.wants_body(Phase::ResponseBody, &self.cx) {
            return Ok(Content::Upstream(body));
        }
        let headers = self.cx.response.as_ref().map(|response| &response.headers);
        let field = |name| headers.and_then(|headers| headers.get(name));
        let never_ends = field(CONTENT_TYPE).is_some_and(|value| {
            value.as_bytes().starts_with(b"text/event-stream") || denied::is_grpc(value)
        });
        if never_ends {
            self.remark_uninspected("the answer is a stream without an end");
            return Ok(Content::Upstream(body));
        }
        if field(CONTENT_ENCODING).is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return self.pass_uninspected(
                endpoint,
                Content::Upstream(body),
                "the answer is coded, though asked not to be",
            );
        }
        let bytes_max = endpoint.response_body_bytes_max;
        if body.size_hint().lower() > bytes_max {
            return self.pass_uninspected(endpoint, Content::Upstream(body), TOO_LARGE);
        }
        let content = match read_up_to(body, bytes_max).await {
            Ok(Held::Whole(bytes)) => {
                if let Some(response) = &mut self.cx.response {
                    response.body = Some(bytes.clone());
                }
                Content::Whole(bytes)
            }
            Ok(Held::More(read, rest)) => {
                return self.pass_uninspected(endpoint, Content::Resumed(read, rest), TOO_LARGE);
            }
            Err(detail) => {
                self.remark(Reason::new(RuleId::new("upstream/cut_off"), Severity::Medium, detail));
                return Err(Stop::Failed(UpstreamFault::CutOff));
            }
        };
        self.judge(&endpoint.chain, Phase::ResponseBody)?;
        Ok(content)
    }

    /// Lets an answer pass that guards could not read, unless one of them would refuse what it has not read.
    fn pass_uninspected(
        &mut self,
        endpoint: &Endpoint,
        content: Content,
        why: &'static str,
    ) -> Result<Content, Stop> {
        self.remark_uninspected(why);
        if endpoint.chain.needs_body(Phase::ResponseBody, &self.cx) {
            return Err(Denial::BadAnswer.into());
        }
        Ok(content)
    }

    fn remark_uninspected(&mut self, why: &'static str) {
        let message = format!("{why}, so guards did not read its body");
        self.remark(Reason::new(RuleId::new("response/not_inspected"), Severity::Low, message));
    }

    /// Whether the answer is an error of the upstream's own whose words are not to be seen. What the client said about
    /// itself has no part in it.
    fn is_replaced(&self, endpoint: &Endpoint) -> bool {
        self.cx.response.as_ref().is_some_and(|response| {
            response.status.is_server_error()
                && endpoint.errors == ErrorPolicy::Minimal
                && !response.headers.get(CONTENT_TYPE).is_some_and(denied::is_grpc)
        })
    }

    /// Puts on what every answer of the gate carries.
    fn dress(&self, plan: &ListenerPlan, headers: &mut HeaderMap) {
        headers.insert(X_REQUEST_ID, self.reference_text());
        denied::tell_limits(&self.cx.notes.limits, headers);
        if self.connection.tls.is_some()
            && let Some(hsts) = &plan.hsts
        {
            headers.insert(STRICT_TRANSPORT_SECURITY, hsts.clone());
        }
    }

    /// Cleans the upstream's header fields and lets the operation's transforms change them.
    fn clean(&self, plan: &ListenerPlan, api: &ApiPlan, headers: &mut HeaderMap) {
        let marks = self.endpoint.as_ref().map(|endpoint| endpoint.makers_marks).unwrap_or_default();
        forwarded::strip_response(headers, marks);
        if let Some(cors) = &api.cors {
            cors.answer(self.cx.request.headers.get(ORIGIN), headers);
        }
        if let Some(endpoint) = &self.endpoint {
            endpoint.chain.transform_response(&self.cx, headers);
        }
        self.dress(plan, headers);
    }
}

const TOO_LARGE: &str = "the answer is larger than may be held back";

/// The answer to an exchange that went its whole way.
pub(super) fn reply(mut exchange: Box<Exchange>, plan: &ListenerPlan, passed: Passed<'_>) -> Response<Reply> {
    let content = match passed.content {
        Passing::Body(content) => content,
        Passing::Tunnel(answer) => return dig(exchange, plan, passed.api, answer),
    };
    let (status, mut headers) = match &mut exchange.cx.response {
        Some(response) => (response.status, std::mem::take(&mut response.headers)),
        None => (StatusCode::BAD_GATEWAY, HeaderMap::new()),
    };
    exchange.status = status.as_u16();
    let replaced = exchange.endpoint.as_ref().is_some_and(|endpoint| exchange.is_replaced(endpoint));
    if replaced {
        let told = denied::replaced(status, exchange.cx.reference);
        let retry_after = headers.remove(RETRY_AFTER);
        let (head, text) = told.into_parts();
        headers = head.headers;
        headers.extend(retry_after.map(|value| (RETRY_AFTER, value)));
        exchange.clean(plan, passed.api, &mut headers);
        return whole(exchange, status, headers, text, Outcome::Served);
    }
    exchange.clean(plan, passed.api, &mut headers);
    let bodiless = exchange.cx.request.method == Method::HEAD
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || match &content {
            Content::Empty => true,
            // Nothing will be taken from it by which its end would be noticed.
            Content::Whole(bytes) => bytes.is_empty(),
            Content::Upstream(body) => body.is_end_stream(),
            Content::Resumed(..) => false,
        };
    if bodiless {
        exchange.outcome = Some(Outcome::Served);
    } else {
        exchange.response_bytes_expected = content.bytes();
    }
    let mut answer = Response::new(Reply::new(content, exchange));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

/// The answer to an exchange that ended on its way.
#[cold]
pub(super) fn stopped(exchange: Box<Exchange>, plan: &ListenerPlan, stop: Stop) -> Response<Reply> {
    let mut told = Told::about(&exchange.cx);
    let (denial, outcome) = match stop {
        Stop::Denied(denial) => (denial, Outcome::Denied(denial)),
        Stop::NoMethod(allow) => {
            told.allow = Some(allow);
            (Denial::MethodNotAllowed, Outcome::Denied(Denial::MethodNotAllowed))
        }
        Stop::Failed(fault) => (fault.denial(), Outcome::UpstreamFailed(fault)),
        Stop::Answered(answer) => {
            let (head, text) = (*answer).into_parts();
            let mut headers = head.headers;
            exchange.dress(plan, &mut headers);
            return whole(exchange, head.status, headers, text, Outcome::Answered);
        }
    };
    let (head, text) = denied::response(denial, told).into_parts();
    let mut headers = head.headers;
    let api = exchange.endpoint.as_ref().map(|endpoint| &endpoint.operation.api);
    let api =
        plan.router.apis().find(|it| api.or(exchange.api.as_ref()).is_some_and(|name| *name == it.name));
    if let Some(cors) = api.and_then(|api| api.cors.as_ref()) {
        // A page that may call may also read why it was refused.
        cors.answer(exchange.cx.request.headers.get(ORIGIN), &mut headers);
    }
    if let Some(endpoint) = &exchange.endpoint {
        endpoint.chain.transform_response(&exchange.cx, &mut headers);
    }
    exchange.dress(plan, &mut headers);
    whole(exchange, head.status, headers, text, outcome)
}

fn whole(
    mut exchange: Box<Exchange>,
    status: StatusCode,
    mut headers: HeaderMap,
    text: Bytes,
    outcome: Outcome,
) -> Response<Reply> {
    exchange.status = status.as_u16();
    exchange.outcome = Some(outcome);
    let bodiless = exchange.cx.request.method == Method::HEAD || text.is_empty();
    if !text.is_empty() {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
    }
    let content = if bodiless { Content::Empty } else { Content::Whole(text) };
    let mut answer = Response::new(Reply::new(content, exchange));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

/// Passes the upstream's 101 on; the two connections are joined behind it.
#[cold]
fn dig(
    mut exchange: Box<Exchange>,
    plan: &ListenerPlan,
    api: &ApiPlan,
    mut answer: Response<AnswerBody>,
) -> Response<Reply> {
    let mut headers = std::mem::take(answer.headers_mut());
    let Some(behind) = answer.into_body().into_upgraded() else {
        return stopped(exchange, plan, Stop::Failed(UpstreamFault::Nonsense));
    };
    exchange.clean(plan, api, &mut headers);
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    exchange.status = StatusCode::SWITCHING_PROTOCOLS.as_u16();
    let idle = exchange.endpoint.as_ref().map(|endpoint| endpoint.timeouts.upgraded_idle).unwrap_or_default();
    let mut answer = Response::new(Reply::tunnel(tunnel::Crossing { exchange, behind, idle }));
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *answer.headers_mut() = headers;
    answer
}

enum Held {
    Whole(Bytes),
    More(VecDeque<Bytes>, AnswerBody),
}

/// Reads at most `bytes_max` bytes and a little more: what was read is never lost.
async fn read_up_to(mut body: AnswerBody, bytes_max: u64) -> Result<Held, String> {
    let mut read = VecDeque::new();
    let mut bytes = 0u64;
    loop {
        let frame = std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await;
        let Some(frame) = frame else {
            break;
        };
        let Ok(data) = frame.map_err(|error| error.to_string())?.into_data() else {
            continue;
        };
        bytes += data.len() as u64;
        read.push_back(data);
        if bytes > bytes_max {
            return Ok(Held::More(read, body));
        }
    }
    if read.len() <= 1 {
        return Ok(Held::Whole(read.pop_front().unwrap_or_default()));
    }
    let mut whole = BytesMut::with_capacity(usize::try_from(bytes).unwrap_or_default());
    for data in read {
        whole.extend_from_slice(&data);
    }
    Ok(Held::Whole(whole.freeze()))
}
