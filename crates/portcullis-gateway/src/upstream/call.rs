//! A call: tries at servers until there is an answer or no reason to go on.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE, request::Parts};
use portcullis_core::event::UpstreamFault;
use tokio::time::Instant;

use super::{
    Answer, AnswerBody, Asking, CallOptions, Failure, OutBody, Side, Upstream, after,
    attempt::{self, Answered, Broken, Terms},
    balance::Tried,
    pool::Origin,
    retry::{RetryOverride, RetryPolicy},
    server::Server,
    settings::RetryCause,
};

/// How a call has gone so far.
struct Progress<'a> {
    policy: &'a RetryPolicy,
    until: Option<Instant>,
    tried: Tried,
    attempts: u32,
    retries: u32,
    wanted: Origin,
}

impl Upstream {
    /// Sends a request to one of the servers and waits for the head of its answer.
    ///
    /// # Errors
    ///
    /// When no server gives an answer within the bounds of times and tries.
    pub async fn call(&self, head: Parts, body: OutBody, options: &CallOptions) -> Result<Answer, Failure> {
        self.call_with(Asking::whole(&head), body, options, None).await
    }

    /// Like [`Upstream::call`], with what the route says about retries.
    ///
    /// # Errors
    ///
    /// As [`Upstream::call`].
    pub async fn call_with(
        &self,
        asking: Asking<'_>,
        mut body: OutBody,
        options: &CallOptions,
        retry: Option<&RetryOverride>,
    ) -> Result<Answer, Failure> {
        let started = Instant::now();
        self.budget.call(started);
        let timeouts = &self.settings.timeouts;
        let mut progress = Progress {
            policy: retry.map_or(&self.retry, RetryOverride::policy),
            until: options.total.over(timeouts.total).map(|total| after(started, total)),
            tried: Tried::default(),
            attempts: 0,
            retries: 0,
            wanted: Origin::Kept,
        };
        let mut now = started;
        loop {
            let Some((index, server)) = self.pick(progress.tried, now) else {
                return Err(no_server(&progress));
            };
            progress.attempts += 1;
            let terms = Terms {
                wanted: progress.wanted,
                head: options.response_head.over(timeouts.response_head),
                until: progress.until,
                policy: progress.policy,
            };
            let outcome = attempt::attempt(server, asking, body, now, terms).await;
            now = Instant::now();
            body = match outcome {
                Ok(answered) => match self.judge(server, answered, now, options, &mut progress) {
                    Judged::Final(response) => {
                        return Ok(Answer {
                            response,
                            server: Arc::clone(server.label()),
                            upstream_micros: micros_since(started, now),
                            attempts: progress.attempts,
                        });
                    }
                    Judged::Again(body) => body,
                },
                Err(broken) => self.again(server, *broken, now, &mut progress)?,
            };
            if progress.wanted == Origin::Kept {
                // A retry proper, not the repetition after a dead kept connection.
                progress.tried.add(index);
                let pause = progress.policy.backoff(progress.retries, &self.chance);
                tokio::time::sleep(pause).await;
                now = Instant::now();
            }
        }
    }

    /// Whether an answer is taken or another is sought.
    fn judge(
        &self,
        server: &Arc<Server>,
        answered: Answered,
        now: Instant,
        options: &CallOptions,
        progress: &mut Progress<'_>,
    ) -> Judged {
        let Answered { response, lease, spare } = answered;
        let status = response.status();
        if status.is_server_error() {
            server.note_error_status(now);
        } else {
            server.note_good();
        }
        // Events may be silent for as long as nothing happens. The server's word counts for that, not the client's.
        let (idle, until) = match is_endless(response.headers()) {
            true => (None, None),
            false => (options.idle.over(self.settings.timeouts.idle), progress.until),
        };
        let response = AnswerBody::new(response, lease, now, idle, until);
        if let Some(cause) = RetryPolicy::cause_of(status)
            && let Some(spare) = spare
            && self.may_retry(cause, now, progress)
        {
            response.into_body().discard();
            return Judged::Again(spare);
        }
        Judged::Final(response)
    }

    /// The body to send again after a failed try.
    ///
    /// # Errors
    ///
    /// The failure, when the call ends with it.
    #[cold]
    fn again(
        &self,
        server: &Arc<Server>,
        broken: Broken,
        now: Instant,
        progress: &mut Progress<'_>,
    ) -> Result<OutBody, Failure> {
        let Broken { fault, side, detail, cause, line, spare } = broken;
        // RFC 9112 §9.3.1: a server may close a kept connection at any time. One repetition on a fresh one is
        // part of keeping connections, not a retry, and nothing to hold against the server.
        if line == Origin::Kept && progress.wanted == Origin::Kept && fault == UpstreamFault::Reset {
            progress.wanted = Origin::Fresh;
            if let Some(spare) = spare {
                return Ok(spare);
            }
        } else if side == Side::Upstream && fault != UpstreamFault::Overloaded {
            server.note_failed(now);
        }
        if let (Some(cause), Some(spare)) = (cause, spare)
            && self.may_retry(cause, now, progress)
        {
            return Ok(spare);
        }
        Err(Failure {
            fault,
            side,
            detail,
            server: Some(Arc::clone(server.label())),
            attempts: progress.attempts,
        })
    }

    fn may_retry(&self, cause: RetryCause, now: Instant, progress: &mut Progress<'_>) -> bool {
        let may = progress.policy.wants(cause)
            && progress.retries < progress.policy.attempts
            && progress.until.is_none_or(|until| now < until)
            && self.budget.take_retry(progress.policy, now);
        if may {
            progress.retries += 1;
            progress.wanted = Origin::Kept;
        }
        may
    }
}

enum Judged {
    Final(http::Response<AnswerBody>),
    Again(OutBody),
}

/// Whether an answer is a stream that ends when its server sees fit: server-sent events, gRPC.
fn is_endless(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let is = |name: &[u8]| {
        let (start, rest) = kind.split_at_checked(name.len()).unwrap_or((kind, b""));
        start.eq_ignore_ascii_case(name) && matches!(rest.first(), None | Some(b';' | b' ' | b'+'))
    };
    is(b"text/event-stream") || is(b"application/grpc")
}

#[cold]
fn no_server(progress: &Progress<'_>) -> Failure {
    Failure {
        fault: UpstreamFault::NoServer,
        side: Side::Upstream,
        detail: "no server is available: all are unhealthy or left out for a while".to_owned(),
        server: None,
        attempts: progress.attempts,
    }
}

fn micros_since(started: Instant, now: Instant) -> u64 {
    u64::try_from(now.saturating_duration_since(started).as_micros()).unwrap_or(u64::MAX)
}
