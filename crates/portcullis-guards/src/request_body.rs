//! Refuses request bodies that the specification does not allow (OWASP API3:2023, API8:2023; CWE-20, CWE-915), and
//! leaves the parsed body to the guards after it.

use std::sync::Arc;

use portcullis_core::{
    chain::{Guard, Phase},
    context::Context,
    verdict::{Denial, Verdict},
};
use portcullis_spec::compiled::{BodyTree, CompiledOperation, Refusal};

use crate::request_parameters::{NAME, reason};

/// Checks the body of a request against the operation's media types and schemas.
#[derive(Debug)]
pub struct RequestBody {
    operation: Arc<CompiledOperation>,
}

impl RequestBody {
    /// A guard for one operation.
    pub fn new(operation: Arc<CompiledOperation>) -> Self {
        Self { operation }
    }
}

impl Guard for RequestBody {
    fn name(&self) -> &'static str {
        NAME
    }

    fn phase(&self) -> Phase {
        Phase::RequestBody
    }

    fn wants_body(&self, cx: &Context) -> bool {
        self.operation.wants_request_body(&cx.request.headers)
    }

    fn check(&self, cx: &mut Context) -> Verdict {
        let headers = &cx.request.headers;
        let checked = match &cx.request.body {
            Some(body) => self.operation.check_request_body(headers, body),
            None => self.operation.check_unread_body(headers).map(|()| BodyTree::Opaque),
        };
        match checked {
            Ok(BodyTree::Tree(tree)) => {
                cx.request.parsed = Some(Box::new(tree));
                Verdict::Pass
            }
            Ok(BodyTree::Absent | BodyTree::Opaque) => Verdict::Pass,
            Err(Refusal::UnsupportedMediaType(violation)) => {
                reason(std::slice::from_ref(&violation)).deny(Denial::UnsupportedMediaType)
            }
            Err(Refusal::Malformed(violation)) => {
                reason(std::slice::from_ref(&violation)).deny(Denial::Malformed)
            }
            Err(Refusal::Invalid(violations)) => reason(&violations).deny(Denial::Invalid),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderValue, header::CONTENT_TYPE};
    use portcullis_leaves::Tree;

    use super::*;
    use crate::{
        rate_limit::testing::{call, say},
        request_parameters::testing::orders,
    };

    fn check(media: &'static str, body: &'static str) -> (String, bool) {
        let mut cx = call("192.0.2.1");
        cx.request.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
        let guard = RequestBody::new(orders());
        cx.request.body = guard.wants_body(&cx).then(|| Bytes::from_static(body.as_bytes()));
        let verdict = say(&guard.check(&mut cx));
        (verdict, cx.request.parsed.is_some_and(|parsed| parsed.is::<Tree>()))
    }

    #[test]
    fn refuses_bodies_that_are_not_as_described_and_leaves_the_tree_of_others() {
        assert_eq!(check("application/json", r#"{"item": "a"}"#), ("pass".into(), true));
        assert_eq!(check("application/json", "{}"), ("schema/required invalid".into(), false));
        assert_eq!(check("application/json", "{"), ("schema/unparsable malformed".into(), false));
        assert_eq!(check("text/xml", "<a/>"), ("schema/media_type unsupported_media_type".into(), false));
    }

    #[test]
    fn lets_opaque_content_stream_through() {
        let mut cx = call("192.0.2.1");
        cx.request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        assert!(!RequestBody::new(orders()).wants_body(&cx));
        assert_eq!(check("application/octet-stream", "anything"), ("pass".into(), false));
    }
}
