//! How much of a request's body the firewall looks at, and what becomes of the rest: stated, never silent.

use std::borrow::Cow;

use http::{
    HeaderMap, HeaderValue,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};
use portcullis_core::{
    context::Context,
    verdict::{Denial, Place, Reason, RuleId, Severity, Verdict},
};
use portcullis_leaves::media::MediaType;

use crate::coding::{self, Coding, Decoded};

/// How much of a body is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Bytes, after a content coding is taken off.
    pub bytes_max: usize,
    /// What becomes of a larger body.
    pub beyond: Beyond,
    /// What becomes of media that carry no text.
    pub opaque: Opaque,
}

/// What becomes of a body whose media type carries no text: an image, an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opaque {
    /// It streams through: a specification says which operations take it, so that the upstream knows what it gets.
    Streams,
    /// It is held back, and looked at if it is text after all: nobody says what the upstream makes of it.
    Held,
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
        match self.opaque {
            Opaque::Streams => !is_opaque(&cx.request.headers),
            // Its calls are streams in both directions, which holding back would end.
            Opaque::Held => !is_grpc(&cx.request.headers),
        }
    }

    /// What there is to look at of a body.
    pub(crate) fn look<'a>(&self, guard: &'static str, headers: &HeaderMap, body: &'a [u8]) -> Looked<'a> {
        if is_unreadable(headers) {
            let message =
                "the body's character set has letters where others have none, so it cannot be looked at";
            return Looked::Nothing(self.cannot(reason(
                guard,
                "body_charset_unknown",
                Severity::Medium,
                message,
            )));
        }
        let coded = headers.get_all(CONTENT_ENCODING).iter().any(|line| !line.as_bytes().is_empty());
        let body = if !coded {
            Cow::Borrowed(body)
        } else {
            match Coding::of(headers) {
                Coding::None => Cow::Borrowed(body),
                Coding::Known(codings) => match coding::decode(&codings, body, self.bytes_max) {
                    Decoded::Whole(bytes) => Cow::Owned(bytes),
                    Decoded::More(bytes) => {
                        let bytes = Cow::Owned(bytes);
                        return if is_binary(headers, &bytes) { EMPTY } else { self.beyond(guard, bytes) };
                    }
                    Decoded::Broken => {
                        let message = "the body is not coded as `Content-Encoding` says";
                        let reason = reason(guard, "body_miscoded", Severity::Medium, message);
                        return Looked::Nothing(reason.deny(Denial::Malformed));
                    }
                },
                Coding::Unknown => {
                    let message = "the body's content coding cannot be taken off, so it cannot be looked at";
                    let reason = reason(guard, "body_coding_unknown", Severity::Medium, message);
                    return Looked::Nothing(self.cannot(reason));
                }
            }
        };
        if is_binary(headers, &body) {
            return EMPTY;
        }
        if body.len() > self.bytes_max { self.beyond(guard, body) } else { Looked::Whole(body) }
    }

    /// What becomes of a body that nobody can look inside.
    #[cold]
    fn cannot(self, reason: Reason) -> Verdict {
        match self.beyond {
            Beyond::Refuse | Beyond::Prefix => reason.deny(Denial::UnsupportedMediaType),
            Beyond::SchemaOnly => reason.flag(),
        }
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

/// Media that carry no text an interpreter behind the gate would read. A body without a type may be anything, and so
/// may one with several: receivers differ in which they take (CWE-436).
fn is_opaque(headers: &HeaderMap) -> bool {
    const TOP: [&str; 4] = ["image", "audio", "video", "font"];
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
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else { return false };
    let Ok(Ok(media)) = only.to_str().map(MediaType::parse) else { return false };
    // An image in XML is text with scripts in it.
    (TOP.iter().any(|it| media.main().eq_ignore_ascii_case(it))
        && !media.subtype().to_ascii_lowercase().contains("xml"))
        || ALSO.iter().any(|it| media.is(it))
}

/// Whether the call is one of gRPC.
fn is_grpc(headers: &HeaderMap) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    let begins = |line: &HeaderValue| {
        line.as_bytes().get(..GRPC.len()).is_some_and(|it| it.eq_ignore_ascii_case(GRPC))
    };
    is_opaque(headers) && headers.get(CONTENT_TYPE).is_some_and(begins)
}

/// What there is to look at in a body without text.
const EMPTY: Looked<'static> = Looked::Whole(Cow::Borrowed(&[]));

/// Whether a body that says it carries no text carries none: text begins like text.
fn is_binary(headers: &HeaderMap, body: &[u8]) -> bool {
    const BEGINNING: usize = 512;
    let beginning = body.get(..BEGINNING).unwrap_or(body);
    let is_text = match std::str::from_utf8(beginning) {
        Ok(_) => true,
        // Cut within a character.
        Err(error) => error.error_len().is_none(),
    };
    let is_control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    let shows_none = !is_text || beginning.iter().any(is_control);
    is_opaque(headers) && shows_none && !begins_a_document(body)
}

/// Whether the first mark is that of a JSON or XML document, whatever stands behind it.
fn begins_a_document(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    matches!(body.trim_ascii_start().first(), Some(b'{' | b'[' | b'<' | b'"'))
}

/// Whether the body claims a character set in which ASCII bytes are other letters: EBCDIC, UTF-7 and their kin, which
/// some receivers take off and no detector reads. UTF-16 and UTF-32 show what they hold.
fn is_unreadable(headers: &HeaderMap) -> bool {
    const WORD: &[u8] = b"charset";
    let of_line = |line: &HeaderValue| {
        // Wherever it stands and however it is written: receivers are lenient.
        let lower = line.as_bytes().to_ascii_lowercase();
        lower.windows(WORD.len()).enumerate().filter(|(_, it)| *it == WORD).any(|(at, _)| {
            lower.get(at + WORD.len()..).and_then(charset).is_some_and(|name| !extends_ascii(&name))
        })
    };
    let types = headers.get_all(CONTENT_TYPE).iter();
    types.filter(|line| line.as_bytes().contains(&b';')).any(of_line)
}

/// The name that follows the word, without its separators; `*=utf-8''ibm037` and `*0=ibm037` (RFC 2231) too.
fn charset(rest: &[u8]) -> Option<Vec<u8>> {
    let equals = rest.iter().take(8).position(|byte| *byte == b'=')?;
    let value = rest.get(equals + 1..)?.split(|byte| matches!(byte, b';' | b',')).next()?;
    let name = value.rsplit(|byte| *byte == b'\'').next()?;
    Some(name.iter().copied().filter(u8::is_ascii_alphanumeric).collect())
}

/// Whether ASCII is part of the character set, as it is of all that is in use but those of mainframes and of mail.
fn extends_ascii(name: &[u8]) -> bool {
    const FOREIGN: [&[u8]; 12] = [
        b"ebcdic",
        b"csebcdic",
        b"utf7",
        b"csutf7",
        b"unicode11utf7",
        b"csunicode11utf7",
        b"xutf7",
        b"imap4utf7",
        b"utf7imap",
        b"hz",
        b"scsu",
        b"bocu1",
    ];
    const NUMBERED: [&[u8]; 5] = [b"cp", b"ibm", b"csibm", b"xibm", b"ccsid"];
    if FOREIGN.iter().any(|it| name.starts_with(it)) {
        return false;
    }
    let Some(number) = NUMBERED.iter().find_map(|it| name.strip_prefix(*it)) else { return true };
    let number = std::str::from_utf8(number).ok().and_then(|it| it.parse::<u32>().ok());
    // Code pages of DOS, of Windows and of East Asia; most other numbers are EBCDIC's.
    matches!(
        number,
        Some(
            367
            | 437
            | 737
            | 775
            | 813
            | 819
            | 850
            | 852
            | 855
            | 857
            | 858
            | 860..=866
            | 869
            | 874
            | 912
            | 915
            | 920
            | 923
            | 932
            | 936
            | 943
            | 949
            | 950
            | 1200..=1209
            | 1250..=1258
            | 1386
            | 65001,
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Inspection = Inspection { bytes_max: 8, beyond: Beyond::Refuse, opaque: Opaque::Streams };

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
            (&[][..], false),
            (&["application/json"], false),
            (&["text/html"], false),
            (&["image/svg+xml"], false),
            (&["image/png"], true),
            (&["image/png; a=b"], true),
            (&["Application/Octet-Stream"], true),
            (&["application/grpc"], true),
            (&["nonsense"], false),
            (&["image/png", "application/json"], false),
            (&["image/png", "image/png"], false),
            (&["image/png, application/json"], false),
            (&["image/png;application/json"], false),
        ] {
            assert_eq!(is_opaque(&typed(media)), opaque, "{media:?}");
        }
    }

    #[test]
    fn what_says_it_is_no_text_is_looked_at_if_it_is() {
        for (media, body, expected) in [
            ("image/png", &b"\x89PNG\r\n\x1a\n"[..], ""),
            ("image/png", b"{\"a\":1}", "{\"a\":1}"),
            ("image/png", b"\xef\xbb\xbf [1]", "\u{feff} [1]"),
            ("application/octet-stream", b"{\"a\":\0\xff", "{\"a\":\0\u{fffd}"),
            ("application/octet-stream", b"q=1", "q=1"),
            ("application/octet-stream", b"\0\x01\x02", ""),
            ("application/json", b"\0\x01\x02", "\0\x01\x02"),
        ] {
            let inspection = Inspection { opaque: Opaque::Held, ..SMALL };
            let looked = inspection.look("attacks", &typed(&[media]), body);
            let Looked::Whole(seen) = looked else { panic!("{media}: {looked:?}") };
            assert_eq!(String::from_utf8_lossy(&seen), expected, "{media}");
        }
        assert!(is_grpc(&typed(&["application/grpc+proto"])) && !is_grpc(&typed(&["image/png"])));
        assert!(!is_grpc(&typed(&["application/grpc", "application/json"])));
    }

    fn typed(types: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for it in types {
            headers.append(CONTENT_TYPE, HeaderValue::from_static(it));
        }
        headers
    }

    #[test]
    fn character_sets_without_ascii_cannot_be_looked_at() {
        for (media, unreadable) in [
            ("application/json", false),
            ("application/json; charset=utf-8", false),
            ("application/json; charset=\"ISO-8859-1\"", false),
            ("application/json; charset=utf-16le", false),
            ("text/plain; charset=windows-1252", false),
            ("text/plain; charset=cp1252", false),
            ("text/plain; charset=IBM850", false),
            ("text/plain; charset=ibm037", true),
            ("text/plain; CharSet = \"IBM-037\"", true),
            ("text/plain; charset=cp500", true),
            ("text/plain; charset=IBM01140", true),
            ("text/plain; charset=utf-7", true),
            ("text/plain; charset*=utf-8''ibm037", true),
            ("text/plain; charset=utf-8; charset=ibm037", true),
            ("text/plain; a=charset", false),
        ] {
            assert_eq!(is_unreadable(&typed(&[media])), unreadable, "{media}");
        }
        let headers = typed(&["text/plain; charset=ibm037"]);
        let Looked::Nothing(Verdict::Deny(denial, reason)) = SMALL.look("attacks", &headers, b"x") else {
            panic!("it was looked at");
        };
        assert_eq!(
            (denial.word(), reason.rule.as_str()),
            ("unsupported_media_type", "attacks/body_charset_unknown")
        );
    }
}
