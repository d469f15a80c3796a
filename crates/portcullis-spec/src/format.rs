//! Formats of the OpenAPI registry that JSON Schema does not know, and quick checks of those that parameters use
//! most. Integer formats are bounds, see `schema::lower`.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose};
use jsonschema::{Retrieve, ValidationOptions, json::Json};

/// Adds the formats that `jsonschema` lacks.
pub(crate) fn register<F: Json>(
    options: ValidationOptions<'static, Arc<dyn Retrieve>, F>,
) -> ValidationOptions<'static, Arc<dyn Retrieve>, F> {
    options
        .with_format("byte", is_base64)
        .with_format("base64url", is_base64url)
        .with_format("uuid", is_uuid)
        .with_format("char", |text: &str| text.chars().count() == 1)
        .with_format("http-date", is_http_date_shaped)
}

/// Standard or URL-safe base64 (RFC 4648 §4 and §5), padded or not: encoders in the field do all four.
pub(crate) fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    padding <= 2
        && digits.len() % 4 != 1
        && (padding == 0 || (digits.len() + padding).is_multiple_of(4))
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_'))
}

fn is_base64url(text: &str) -> bool {
    general_purpose::URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).is_ok()
}

/// The hyphenated form of RFC 9562 §4, in either case.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// `full-date` of RFC 3339 §5.6.
pub(crate) fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = bytes else { return false };
    let (Some(year), Some(month), Some(day)) =
        (number(&[*y0, *y1, *y2, *y3]), number(&[*m0, *m1]), number(&[*d0, *d1]))
    else {
        return false;
    };
    (1..=12).contains(&month) && day >= 1 && day <= days(year, month)
}

/// `date-time` of RFC 3339 §5.6; a leap second only where one can be.
pub(crate) fn is_date_time(text: &str) -> bool {
    let (Some(date), Some(separator), Some(time)) = (text.get(..10), text.as_bytes().get(10), text.get(11..))
    else {
        return false;
    };
    matches!(separator, b'T' | b't') && is_date(date) && is_time(time)
}

fn is_time(text: &str) -> bool {
    let [h0, h1, b':', m0, m1, b':', s0, s1, rest @ ..] = text.as_bytes() else { return false };
    let (Some(hour), Some(minute), Some(second)) =
        (number(&[*h0, *h1]), number(&[*m0, *m1]), number(&[*s0, *s1]))
    else {
        return false;
    };
    if hour > 23 || minute > 59 || second > 60 {
        return false;
    }
    let rest = match rest {
        [b'.', digits @ ..] => {
            let after = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
            match digits.split_at_checked(after) {
                Some((fraction, rest)) if !fraction.is_empty() => rest,
                _ => return false,
            }
        }
        rest => rest,
    };
    let east_minutes = match rest {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => {
            let (Some(hours), Some(minutes)) = (number(&[*h0, *h1]), number(&[*m0, *m1])) else {
                return false;
            };
            if hours > 23 || minutes > 59 {
                return false;
            }
            let offset = hours * 60 + minutes;
            if *sign == b'-' { -offset } else { offset }
        }
        _ => return false,
    };
    // Leap seconds are inserted before midnight UTC.
    second < 60 || (hour * 60 + minute - east_minutes).rem_euclid(24 * 60) == 23 * 60 + 59
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7), by its shape.
fn is_http_date_shaped(text: &str) -> bool {
    text.len() == 29 && text.ends_with(" GMT") && text.get(3..5) == Some(", ")
}

fn number(digits: &[u8]) -> Option<i32> {
    digits
        .iter()
        .try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i32::from(digit - b'0')))
}

const fn days(year: i32, month: i32) -> i32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
