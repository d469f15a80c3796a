//! Holds back answers that are not as the specification describes them: what an upstream leaks by mistake is seldom
//! in its schema (OWASP API3:2023; CWE-200). Statuses and media types that are not declared are not judged.

use std::sync::Arc;

use http::Method;
use portcullis_core::{
    chain::{Guard, Phase},
    context::{Context, Response},
    verdict::{Denial, Place, Reason, RuleId, Severity, Verdict},
};
use portcullis_spec::compiled::{CompiledOperation, ResponseVerdict};

use crate::request_parameters::{NAME, reason};

/// Checks an answer's header fields and body against the operation's responses.
#[derive(Debug)]
pub struct ResponseSchema {
    operation: Arc<CompiledOperation>,
}

impl ResponseSchema {
    /// A guard for one operation.
    pub fn new(operation: Arc<CompiledOperation>) -> Self {
        Self { operation }
    }

    fn wants(&self, method: &Method, response: &Response) -> bool {
        // The answer to HEAD has the header fields of GET's and no body (RFC 9110 §9.3.2).
        method != Method::HEAD
            && self.operation.wants_response_body(response.status.as_u16(), &response.headers)
    }
}

impl Guard for ResponseSchema {
    fn name(&self) -> &'static str {
        NAME
    }

    fn phase(&self) -> Phase {
        Phase::ResponseBody
    }

    fn wants_body(&self, cx: &Context) -> bool {
        cx.response.as_ref().is_some_and(|response| self.wants(&cx.request.method, response))
    }

    fn check(&self, cx: &mut Context) -> Verdict {
        let Some(response) = &cx.response else { return Verdict::Pass };
        let body = response.body.as_ref().filter(|_| cx.request.method != Method::HEAD);
        match self.operation.check_response(response.status.as_u16(), &response.headers, body) {
            ResponseVerdict::Violations(violations) => reason(&violations).deny(Denial::BadAnswer),
            // Too large to be held back, or cut: a fault is not a verdict.
            ResponseVerdict::Conforms | ResponseVerdict::NotJudged(_)
                if body.is_none() && self.wants(&cx.request.method, response) =>
            {
                let rule = RuleId::new("schema/unread_answer");
                let message = "the answer could not be read whole and was passed on unjudged";
                Reason::new(rule, Severity::Info, message).at(Place::ResponseBody(Box::default()), "").flag()
            }
            ResponseVerdict::Conforms | ResponseVerdict::NotJudged(_) => Verdict::Pass,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE};

    use super::*;
    use crate::{
        rate_limit::testing::{call, say},
        request_parameters::testing::orders,
    };

    fn check(method: Method, status: StatusCode, body: Option<&'static str>) -> String {
        let mut cx = call("192.0.2.1");
        cx.request.method = method;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = body.map(|body| Bytes::from_static(body.as_bytes()));
        cx.response = Some(Response { status, headers, body });
        say(&ResponseSchema::new(orders()).check(&mut cx))
    }

    #[test]
    fn holds_back_answers_that_are_not_as_described() {
        assert_eq!(check(Method::POST, StatusCode::OK, Some(r#"{"id": 1}"#)), "pass");
        assert_eq!(check(Method::POST, StatusCode::OK, Some(r#"{"id": "1"}"#)), "schema/type bad_answer");
        assert_eq!(check(Method::POST, StatusCode::OK, Some("<html>")), "schema/unparsable bad_answer");
    }

    #[test]
    fn judges_neither_what_is_not_declared_nor_what_has_no_body() {
        assert_eq!(check(Method::POST, StatusCode::IM_A_TEAPOT, Some("?")), "pass");
        assert_eq!(check(Method::HEAD, StatusCode::OK, None), "pass");
    }

    #[test]
    fn remarks_on_an_answer_that_could_not_be_read() {
        assert_eq!(check(Method::POST, StatusCode::OK, None), "flag schema/unread_answer");
    }
}
