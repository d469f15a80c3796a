//! Cookies (RFC 6265 §4.2), leniently.

use super::pairs::{Plus, cut, decoded, text_of};
use crate::{
    decode::Buffer,
    inspector::{Judging, Spot},
    leaf::{Field, Where},
};

/// Cookies looked at by themselves; the rest is looked at as one text.
const COOKIES_MAX: usize = 1_000;

impl Judging<'_> {
    pub(crate) fn cookies(&mut self, header: &[u8]) {
        let mut rest = header;
        for _ in 0..COOKIES_MAX {
            let (cookie, after) = cut(rest, b';');
            let cookie = cookie.trim_ascii();
            match cut(cookie, b'=') {
                (name, Some(value)) if is_cookie_name(name) => {
                    let mut buffer = Buffer::new();
                    let value = decoded(value, Plus::Itself, &mut buffer);
                    self.value(&Spot::named(Where::Cookie, text_of(name)), value);
                }
                _ if cookie.is_empty() => {}
                // No cookie: a payload may have been cut at its semicolons, so the rest is looked at as one.
                _ => {
                    let whole = Spot { declared: Some(Field::Unknown), ..Spot::named(Where::Cookie, "") };
                    return self.value(&whole, decoded(rest, Plus::Itself, &mut Buffer::new()));
                }
            }
            let Some(after) = after else { return };
            rest = after;
        }
        let whole = Spot { declared: Some(Field::Unknown), ..Spot::named(Where::Cookie, "") };
        self.value(&whole, decoded(rest, Plus::Itself, &mut Buffer::new()));
    }
}

/// A token (RFC 9110 §5.6.2) or what frameworks write beyond: brackets, colons.
fn is_cookie_name(name: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#%&*+-.^_~[]:/@".contains(byte);
    !name.is_empty() && name.iter().all(is_plain)
}

#[cfg(test)]
mod tests {
    use crate::{Inspector, Settings};

    fn is_refused(header: &str) -> bool {
        let inspector = Inspector::new(&Settings::default());
        let mut judging = inspector.judge(&|_| true);
        judging.header("cookie", header.as_bytes());
        judging.finish().is_attack
    }

    #[test]
    fn no_number_of_cookies_hides_one() {
        for count in [0, 250, 2_000] {
            let cookies = "a=1; ".repeat(count);
            assert!(is_refused(&format!("{cookies}q=' UNION SELECT password FROM users --")), "{count}");
            assert!(!is_refused(&format!("{cookies}q=hello")), "{count}");
        }
    }
}
