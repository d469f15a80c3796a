//! How much of a request's body the firewall looks at, and what becomes of the rest: stated, never silent.

use std::borrow::Cow;

use http::{HeaderMap, header::CONTENT_ENCODING};
use portcullis_core::{
    context::Context,
    verdict::{Denial, Place, Reason, RuleId, Severity, Verdict},
};

use crate::coding::{self, Coding, Decoded};

/// How much of a body is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Bytes, after a content coding is taken off.
    pub bytes_max: usize,
    /// What becomes of a larger body.
    pub beyond: Beyond,
}

/// What becomes of a body that is larger than what is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// The call is refused.
    Refuse,
    /// The beginning is looked at.
    Prefix,
    /// It is not looked at.
    SchemaOnly,
}

/// What there is to look at.
#[derive(Debug, PartialEq)]
pub(crate) enum Looked<'a> {
    /// The whole body.
    Whole(Cow<'a, [u8]>),
    /// Its beginning, and the remark that says so.
    Prefix(Cow<'a, [u8]>, Box<Reason>),
    /// Nothing, and the verdict that says why.
    Nothing(Verdict),
}

impl Inspection {
    /// Whether this call's body is to be held back: anything that may be text, by what it says of itself.
    pub(crate) fn wants(&self, cx: &Context) -> bool {
        !is_opaque(cx.request.media_type())
    }

    /// What there is to look at of a body.
    pub(crate) fn look<'a>(&self, guard: &'static str, headers: &HeaderMap, body: &'a [u8]) -> Looked<'a> {
        let coded = headers.get_all(CONTENT_ENCODING).iter().any(|line| !line.as_bytes().is_empty());
        let body = if !coded {
            Cow::Borrowed(body)
        } else {
            match Coding::of(headers) {
                Coding::None => Cow::Borrowed(body),
                Coding::Known(codings) => match coding::decode(&codings, body, self.bytes_max) {
                    Decoded::Whole(bytes) => Cow::Owned(bytes),
                    Decoded::More(bytes) => return self.beyond(guard, Cow::Owned(bytes)),
                    Decoded::Broken => {
                        let message = "the body is not coded as `Content-Encoding` says";
                        let reason = reason(guard, "body_miscoded", Severity::Medium, message);
                        return Looked::Nothing(reason.deny(Denial::Malformed));
                    }
                },
                Coding::Unknown => {
                    let message = "the body's content coding cannot be taken off, so it cannot be looked at";
                    let reason = reason(guard, "body_coding_unknown", Severity::Medium, message);
                    return Looked::Nothing(match self.beyond {
                        Beyond::Refuse | Beyond::Prefix => reason.deny(Denial::UnsupportedMediaType),
                        Beyond::SchemaOnly => reason.flag(),
                    });
                }
            }
        };
        if body.len() > self.bytes_max { self.beyond(guard, body) } else { Looked::Whole(body) }
    }

    #[cold]
    fn beyond<'a>(&self, guard: &'static str, body: Cow<'a, [u8]>) -> Looked<'a> {
        let reason = |rule, severity, message| reason(guard, rule, severity, message);
        match self.beyond {
            Beyond::Refuse => {
                let message = "the body is larger than what is looked at";
                Looked::Nothing(
                    reason("body_beyond_inspection", Severity::Medium, message).deny(Denial::TooLarge),
                )
            }
            Beyond::Prefix => {
                let message = "only the beginning of the body was looked at";
                let remark = Box::new(reason("body_partly_inspected", Severity::Low, message));
                let prefix = match body {
                    Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(..self.bytes_max).unwrap_or(bytes)),
                    Cow::Owned(mut bytes) => {
                        bytes.truncate(self.bytes_max);
                        Cow::Owned(bytes)
                    }
                };
                Looked::Prefix(prefix, remark)
            }
            Beyond::SchemaOnly => {
                let message = "the body was not looked at, for its size";
                Looked::Nothing(reason("body_not_inspected", Severity::Low, message).flag())
            }
        }
    }
}

fn reason(guard: &'static str, rule: &'static str, severity: Severity, message: &'static str) -> Reason {
    Reason::new(RuleId::owned(format!("{guard}/{rule}")), severity, message)
        .at(Place::Body(Box::default()), "")
}

/// Media that carry no text an interpreter behind the gate would read. A body without a type may be anything.
fn is_opaque(media: Option<&str>) -> bool {
    const TOP: [&str; 4] = ["image/", "audio/", "video/", "font/"];
    const ALSO: [&str; 10] = [
        "application/octet-stream",
        "application/zip",
        "application/gzip",
        "application/pdf",
        "application/grpc",
        "application/grpc+proto",
        "application/protobuf",
        "application/x-protobuf",
        "application/x-tar",
        "application/wasm",
    ];
    let Some(media) = media else { return false };
    let begins = |prefix: &&str| media.get(..prefix.len()).is_some_and(|it| it.eq_ignore_ascii_case(prefix));
    // An image in XML is text with scripts in it.
    (TOP.iter().any(begins) && !media.to_ascii_lowercase().contains("xml"))
        || ALSO.iter().any(|it| media.eq_ignore_ascii_case(it))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const SMALL: Inspection = Inspection { bytes_max: 8, beyond: Beyond::Refuse };

    fn look(inspection: Inspection, coding: Option<&'static str>, body: &[u8]) -> String {
        let mut headers = HeaderMap::new();
        if let Some(coding) = coding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        match inspection.look("attacks", &headers, body) {
            Looked::Whole(bytes) => format!("whole {}", String::from_utf8_lossy(&bytes)),
            Looked::Prefix(bytes, remark) => {
                format!("prefix {} {}", String::from_utf8_lossy(&bytes), remark.rule.as_str())
            }
            Looked::Nothing(Verdict::Deny(denial, reason)) => {
                format!("{} {}", denial.word(), reason.rule.as_str())
            }
            Looked::Nothing(Verdict::Flag(reason)) => format!("flag {}", reason.rule.as_str()),
            Looked::Nothing(Verdict::Pass) => "pass".to_owned(),
        }
    }

    #[test]
    fn says_what_becomes_of_a_body_that_is_too_large() {
        let of = |beyond| Inspection { beyond, ..SMALL };
        assert_eq!(look(SMALL, None, b"12345678"), "whole 12345678");
        assert_eq!(look(SMALL, None, b"123456789"), "too_large attacks/body_beyond_inspection");
        assert_eq!(
            look(of(Beyond::Prefix), None, b"123456789"),
            "prefix 12345678 attacks/body_partly_inspected"
        );
        assert_eq!(look(of(Beyond::SchemaOnly), None, b"123456789"), "flag attacks/body_not_inspected");
    }

    #[test]
    fn takes_known_codings_off_within_the_bound() {
        let zipped = coding::testing::gzip(b"hello");
        assert_eq!(look(SMALL, Some("gzip"), &zipped), "whole hello");
        assert_eq!(look(SMALL, Some("x-gzip"), &zipped), "whole hello");
        assert_eq!(look(SMALL, Some("identity"), b"hello"), "whole hello");
        assert_eq!(look(SMALL, Some("gzip"), b"hello"), "malformed attacks/body_miscoded");
        assert_eq!(look(SMALL, Some("zstd"), b"hello"), "unsupported_media_type attacks/body_coding_unknown");
        let bomb = coding::testing::gzip(&[b'a'; 1_000_000]);
        assert!(bomb.len() < 2_000);
        assert_eq!(look(SMALL, Some("gzip"), &bomb), "too_large attacks/body_beyond_inspection");
    }

    #[test]
    fn holds_back_whatever_may_be_text() {
        for (media, opaque) in [
            (None, false),
            (Some("application/json"), false),
            (Some("text/html"), false),
            (Some("image/svg+xml"), false),
            (Some("image/png"), true),
            (Some("Application/Octet-Stream"), true),
            (Some("application/grpc"), true),
            (Some("nonsense"), false),
        ] {
            assert_eq!(is_opaque(media), opaque, "{media:?}");
        }
    }
}
