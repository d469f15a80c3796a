//! Every text a client can ever see from the gate itself.
//!
//! One match over the closed list of denials; what the operator is told never passes through here, so that minimal
//! error messages hold by construction (CWE-209).

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version,
    header::{
        ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
    },
};
use portcullis_core::{context::Context, id::ReferenceId, limit::LimitState, verdict::Denial};

/// What a client may be told beside the denial itself.
pub(crate) struct Told<'a> {
    /// The reference that the operator's record carries.
    pub(crate) reference: ReferenceId,
    /// The version the client spoke.
    pub(crate) version: Version,
    /// Whether the client speaks gRPC, whose errors are trailers of a successful answer.
    pub(crate) dialect: Dialect,
    /// Challenges of a 401.
    pub(crate) challenges: &'a [HeaderValue],
    /// The methods of a 405.
    pub(crate) allow: Option<HeaderValue>,
}

/// The language errors are told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// A problem document (RFC 9457).
    Problem,
    /// `grpc-status` and `grpc-message` without a body.
    Grpc,
}

impl Dialect {
    /// The dialect of a request.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        match headers.get(CONTENT_TYPE) {
            Some(value) if is_grpc(value) => Self::Grpc,
            Some(_) | None => Self::Problem,
        }
    }
}

/// Whether a media type is gRPC's own, `application/grpc` or `application/grpc+…`; gRPC-Web is not.
pub(crate) fn is_grpc(value: &HeaderValue) -> bool {
    value
        .as_bytes()
        .strip_prefix(b"application/grpc")
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';' | b' ')))
}

impl<'a> Told<'a> {
    /// What is told about an exchange.
    pub(crate) fn about(cx: &'a Context) -> Self {
        Self {
            reference: cx.reference,
            version: cx.request.version,
            dialect: Dialect::of(&cx.request.headers),
            challenges: &cx.notes.challenges,
            allow: None,
        }
    }
}

impl Told<'static> {
    /// What is told where nothing is known but that there was a message.
    pub(crate) const fn of_no_exchange(reference: ReferenceId, version: Version) -> Self {
        Self { reference, version, dialect: Dialect::Problem, challenges: &[], allow: None }
    }
}

/// The answer to a denied call, without the fields that every answer gets.
pub(crate) fn response(denial: Denial, told: Told<'_>) -> Response<Bytes> {
    let mut answer = match told.dialect {
        Dialect::Problem => problem(denial.status(), denial.word(), title(denial), told.reference),
        Dialect::Grpc => grpc(denial),
    };
    let headers = answer.headers_mut();
    if told.dialect == Dialect::Problem {
        match denial {
            Denial::Unauthenticated | Denial::StepUpRequired => {
                for challenge in told.challenges {
                    headers.append(WWW_AUTHENTICATE, challenge.clone());
                }
                if told.challenges.is_empty() {
                    // A 401 must carry one (RFC 9110 §15.5.2).
                    headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                }
            }
            Denial::MethodNotAllowed => {
                headers.insert(ALLOW, told.allow.unwrap_or(HeaderValue::from_static("")));
            }
            Denial::Unavailable => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Denial::Malformed
            | Denial::Forbidden
            | Denial::NotFound
            | Denial::Timeout
            | Denial::TooLarge
            | Denial::UnsupportedMediaType
            | Denial::Misdirected
            | Denial::Invalid
            | Denial::TooManyRequests { .. }
            | Denial::HeadTooLarge
            | Denial::Blocked
            | Denial::BadAnswer
            | Denial::UpstreamTimeout => {}
        }
    }
    if let Denial::TooManyRequests { retry_after_secs } = denial {
        headers.insert(RETRY_AFTER, HeaderValue::from(retry_after_secs.max(1)));
    }
    if leaves_connection_in_doubt(denial) && told.version <= Version::HTTP_11 {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// What replaces the body of an upstream's own 5xx answer.
pub(crate) fn replaced(status: StatusCode, reference: ReferenceId) -> Response<Bytes> {
    problem(status.as_u16(), "upstream_error", "The service failed to answer", reference)
}

fn problem(status: u16, word: &str, title: &str, reference: ReferenceId) -> Response<Bytes> {
    let text = format!(
        "{{\"type\":\"urn:portcullis:problem:{word}\",\"title\":\"{title}\",\"status\":{status},\
         \"instance\":\"urn:uuid:{reference}\"}}"
    );
    let mut answer = Response::new(Bytes::from(text));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

fn grpc(denial: Denial) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::new());
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(HeaderName::from_static("grpc-status"), HeaderValue::from(grpc_status(denial)));
    headers.insert(HeaderName::from_static("grpc-message"), HeaderValue::from_static(title(denial)));
    answer
}

const fn title(denial: Denial) -> &'static str {
    match denial {
        Denial::Malformed => "The request is malformed",
        Denial::Unauthenticated => "Authentication is required",
        Denial::StepUpRequired => "Stronger authentication is required",
        Denial::Forbidden => "This is not allowed",
        Denial::NotFound => "There is nothing here",
        Denial::MethodNotAllowed => "This method is not allowed here",
        Denial::Timeout => "The request did not arrive in time",
        Denial::TooLarge => "The request body is too large",
        Denial::UnsupportedMediaType => "This media type is not accepted",
        Denial::Misdirected => "This host is not served on this connection",
        Denial::Invalid => "The request is not valid",
        Denial::TooManyRequests { .. } => "Too many requests",
        Denial::HeadTooLarge => "The request head is too large",
        Denial::Blocked => "The request was refused",
        Denial::BadAnswer => "The service gave no valid answer",
        Denial::Unavailable => "The service is not available now",
        Denial::UpstreamTimeout => "The service did not answer in time",
    }
}

/// The canonical codes of gRPC (grpc/doc/statuscodes.md).
const fn grpc_status(denial: Denial) -> u16 {
    match denial {
        Denial::Malformed | Denial::UnsupportedMediaType | Denial::Invalid => 3,
        Denial::Timeout | Denial::UpstreamTimeout => 4,
        Denial::Forbidden | Denial::Blocked => 7,
        Denial::TooLarge | Denial::TooManyRequests { .. } | Denial::HeadTooLarge => 8,
        Denial::NotFound | Denial::MethodNotAllowed => 12,
        Denial::Misdirected | Denial::BadAnswer | Denial::Unavailable => 14,
        Denial::Unauthenticated | Denial::StepUpRequired => 16,
    }
}

/// Whether bytes of the request may still be on their way, so that the next request could not be told from them.
const fn leaves_connection_in_doubt(denial: Denial) -> bool {
    match denial {
        Denial::Malformed | Denial::Timeout | Denial::TooLarge | Denial::HeadTooLarge => true,
        Denial::Unauthenticated
        | Denial::StepUpRequired
        | Denial::Forbidden
        | Denial::NotFound
        | Denial::MethodNotAllowed
        | Denial::UnsupportedMediaType
        | Denial::Misdirected
        | Denial::Invalid
        | Denial::TooManyRequests { .. }
        | Denial::Blocked
        | Denial::BadAnswer
        | Denial::Unavailable
        | Denial::UpstreamTimeout => false,
    }
}

/// Tells the client how it stands with its limits (draft-ietf-httpapi-ratelimit-headers).
pub(crate) fn tell_limits(limits: &[LimitState], headers: &mut HeaderMap) {
    if limits.is_empty() {
        return;
    }
    let mut policy = String::with_capacity(limits.len() * 48);
    let mut state = String::with_capacity(limits.len() * 48);
    for limit in limits {
        push_item(&mut policy, &limit.policy, [(";q=", limit.quota), (";w=", limit.window_secs)]);
        push_item(&mut state, &limit.policy, [(";r=", limit.remaining), (";t=", limit.reset_secs)]);
    }
    for (name, text) in [("ratelimit-policy", policy), ("ratelimit", state)] {
        if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(text)) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// `"policy";q=100;w=60`, as the fields' lists of items have it (RFC 9651 §3.1).
fn push_item(list: &mut String, policy: &str, parameters: [(&str, u64); 2]) {
    if !list.is_empty() {
        list.push_str(", ");
    }
    list.push('"');
    list.push_str(policy);
    list.push('"');
    for (name, number) in parameters {
        list.push_str(name);
        push_number(list, number);
    }
}

/// Decimal digits without the machinery of formatting, of which an answer would go through eight rounds.
fn push_number(text: &mut String, number: u64) {
    let mut unit = 10_u64.pow(number.checked_ilog10().unwrap_or(0));
    while unit > 0 {
        let digit = u8::try_from(number / unit % 10).unwrap_or(0);
        text.push(char::from(b'0' + digit));
        unit /= 10;
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::clock::Timestamp;

    use super::*;

    fn told(dialect: Dialect) -> Told<'static> {
        Told {
            reference: ReferenceId::new(Timestamp::from_secs(1_700_000_000), [0; 10]),
            version: Version::HTTP_11,
            dialect,
            challenges: &[],
            allow: None,
        }
    }

    #[test]
    fn a_problem_says_no_more_than_the_denial() {
        let answer = response(Denial::Blocked, told(Dialect::Problem));
        assert_eq!(answer.status(), 403);
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/problem+json");
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(
            std::str::from_utf8(answer.body()).unwrap(),
            r#"{"type":"urn:portcullis:problem:blocked","title":"The request was refused","status":403,"instance":"urn:uuid:018bcfe5-6800-7000-8000-000000000000"}"#
        );
    }

    #[test]
    fn grpc_errors_are_trailers_of_a_success() {
        let answer = response(Denial::TooManyRequests { retry_after_secs: 3 }, told(Dialect::Grpc));
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["grpc-status"], "8");
        assert_eq!(answer.headers()[RETRY_AFTER], "3");
        assert!(answer.body().is_empty());
    }

    #[test]
    fn each_401_challenges_and_each_405_lists() {
        assert!(
            response(Denial::Unauthenticated, told(Dialect::Problem))
                .headers()
                .contains_key(WWW_AUTHENTICATE)
        );
        assert!(response(Denial::MethodNotAllowed, told(Dialect::Problem)).headers().contains_key(ALLOW));
    }

    #[test]
    fn limits_are_told_as_structured_fields() {
        let mut headers = HeaderMap::new();
        let state =
            LimitState { policy: "per-ip".into(), quota: 10, window_secs: 1, remaining: 3, reset_secs: 1 };
        tell_limits(&[state.clone(), state], &mut headers);
        assert_eq!(headers["ratelimit"], "\"per-ip\";r=3;t=1, \"per-ip\";r=3;t=1");
        assert_eq!(headers["ratelimit-policy"], "\"per-ip\";q=10;w=1, \"per-ip\";q=10;w=1");
    }

    #[test]
    fn grpc_web_is_not_grpc() {
        assert!(is_grpc(&HeaderValue::from_static("application/grpc+proto")));
        assert!(!is_grpc(&HeaderValue::from_static("application/grpc-web+proto")));
    }
}
