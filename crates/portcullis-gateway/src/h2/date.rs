//! The `Date` of an answer.

use std::cell::RefCell;

use http::HeaderValue;
use portcullis_core::clock::Timestamp;

/// The moment as a field's value (RFC 9110 §6.6.1), made once a second.
pub(crate) fn date(now: Timestamp) -> HeaderValue {
    thread_local!(static LAST: RefCell<(u64, HeaderValue)> =
        const { RefCell::new((u64::MAX, HeaderValue::from_static(""))) });
    let secs = now.as_micros() / 1_000_000;
    LAST.with_borrow_mut(|(at, value)| {
        if *at != secs {
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(secs);
            *value =
                HeaderValue::from_str(&httpdate::fmt_http_date(time)).unwrap_or(HeaderValue::from_static(""));
            *at = secs;
        }
        value.clone()
    })
}
