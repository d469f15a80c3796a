//! WS-Security UsernameToken with a password digest (OASIS, 1.1): Base64(SHA-1(nonce + created + password)).

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{engines::xml::element, http::call::Cx, weakness::Weakness as W};

/// The one account of the warehouse, as the README has it.
const ACCOUNT: (&str, &str) = ("warehouse", "Seven-Crates-21");

/// How long a token is good, in seconds.
const GOOD_SECS: i64 = 300;

/// Checks the token of an envelope.
///
/// # Errors
/// What the client is told.
pub(super) fn check(cx: &Cx, text: &str) -> Result<(), &'static str> {
    let token = element(text, "UsernameToken").ok_or("a UsernameToken is missing")?;
    let part = |name| element(&token, name).unwrap_or_default();
    let (nonce, created) = (part("Nonce"), part("Created"));
    let raw = STANDARD.decode(nonce.trim()).map_err(|_| "the credentials are not right")?;
    if nonce.is_empty() || part("Username").trim() != ACCOUNT.0 {
        return Err("the credentials are not right");
    }
    let all = [raw.as_slice(), created.trim().as_bytes(), ACCOUNT.1.as_bytes()].concat();
    let wanted = STANDARD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &all));
    if aws_lc_rs::constant_time::verify_slices_are_equal(
        wanted.as_bytes(),
        part("Password").trim().as_bytes(),
    )
    .is_err()
    {
        return Err("the credentials are not right");
    }
    if cx.on(W::SoapReplay) {
        return Ok(());
    }
    let age = seconds(created.trim()).map(|it| cx.app.now().saturating_sub(it));
    if age.is_none_or(|it| it.abs() > GOOD_SECS) {
        return Err("the token has expired");
    }
    if !cx.app.state().mark(format!("nonce {nonce}")) {
        return Err("the token was used before");
    }
    Ok(())
}

/// Seconds since 1970 of a time in UTC (`2026-01-31T12:00:00Z`, fractions cut off).
fn seconds(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(str::parse::<i64>);
    let mut time = time.split('.').next()?.splitn(3, ':').map(str::parse::<i64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let (hour, minute, second) = (time.next()?.ok()?, time.next()?.ok()?, time.next()?.ok()?);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days from civil, with the year beginning in March so that the leap day comes last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year / 400;
    let of_era = year - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds("2024-02-29T12:30:05.123Z"), Some(1_709_209_805));
        for text in ["", "2024-02-29", "x-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-02-29T00:00:00"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
