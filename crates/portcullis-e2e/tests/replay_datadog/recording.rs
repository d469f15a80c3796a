//! The recorded calls: what was sent, what came back, and what of both the recording cut off.

use std::path::Path;

use bytes::Bytes;
use http::Method;
use serde::Deserialize;

/// A recorded request body of this many bytes that is no JSON was cut there by the recording.
const REQUEST_CUT: usize = 1200;
/// The same for answers.
const ANSWER_CUT: usize = 400;

/// One recorded call of `/api/v1` that was answered with 2xx.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Call {
    /// The test of the client library that made it.
    pub(crate) scenario: String,
    method: String,
    /// The host it was made to.
    pub(crate) host: String,
    /// The request target, with its query.
    pub(crate) path: String,
    /// The media type of the request body.
    pub(crate) req_type: Option<String>,
    req_body: Option<String>,
    /// The status of the answer.
    pub(crate) status: u16,
    /// The media type of the answer.
    pub(crate) resp_type: Option<String>,
    resp_body: String,
    /// The path's template, where today's client library still has the operation.
    truth: Option<String>,
}

/// All of them, in the order in which they were made.
pub(crate) fn recorded(corpora: &Path) -> Vec<Call> {
    let text =
        std::fs::read_to_string(corpora.join("discovery-datadog.jsonl")).expect("the recording can be read");
    let calls = text.lines().map(|line| serde_json::from_str::<Call>(line).expect("a recorded call"));
    calls.filter(|call| call.path.starts_with("/api/v1/") && (200..300).contains(&call.status)).collect()
}

impl Call {
    /// The method.
    pub(crate) fn method(&self) -> Method {
        self.method.parse().expect("a method")
    }

    /// The request's body.
    pub(crate) fn request_body(&self) -> Bytes {
        self.req_body.clone().unwrap_or_default().into()
    }

    /// The answer's body.
    pub(crate) fn answer_body(&self) -> Bytes {
        self.resp_body.clone().into()
    }

    /// `METHOD /template`; the path where no template is known.
    pub(crate) fn operation(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        format!("{} {}", self.method, self.truth.as_deref().unwrap_or(path))
    }

    /// Whether the recording kept only the beginning of the request's body.
    pub(crate) fn request_is_cut(&self) -> bool {
        self.req_body.as_deref().is_some_and(|body| is_cut(body, REQUEST_CUT))
    }

    /// Whether the recording kept only the beginning of the answer's body.
    pub(crate) fn answer_is_cut(&self) -> bool {
        is_cut(&self.resp_body, ANSWER_CUT)
    }

    /// Whether there is an answer's body to judge.
    pub(crate) fn answer_is_empty(&self) -> bool {
        self.resp_body.is_empty()
    }
}

fn is_cut(body: &str, at: usize) -> bool {
    body.len() == at && serde_json::from_str::<serde::de::IgnoredAny>(body).is_err()
}
