//! How an upstream may read a path otherwise than it is written (CWE-178, CWE-41, CWE-436).
//!
//! Behind the gate some servers decode before they route, some twice; some compare names without regard to case; some
//! cut `;…`, blanks or trailing dots. To each of them `/users/Admin%20` may be `/users/admin`, where the gate saw an id.
//! Only what the router compares is read so: nothing here is forwarded.

use std::borrow::Cow;

/// What one segment may be read as.
#[derive(Debug)]
pub(super) struct Readings(String);

impl Readings {
    pub(super) fn of(segment: &str) -> Self {
        Self(folded(segment))
    }

    /// The texts an upstream may see, some of them twice.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let whole = self.0.as_str();
        // A segment that begins with `;` is a value in the style `matrix` (RFC 6570 §3.2.7), not a name with parameters.
        let cut = whole.split(';').next().filter(|name| !name.is_empty()).unwrap_or(whole);
        [whole, trimmed(whole), cut, trimmed(cut)].into_iter()
    }

    /// Whether nothing may be left of it, so that the path ends before it.
    pub(super) fn is_blank(&self) -> bool {
        trimmed(&self.0).is_empty()
    }
}

/// Whether the segment has one reading alone, itself: the usual case, told without allocating.
pub(super) fn is_plain(segment: &str) -> bool {
    let plain = |byte: u8| !(byte.is_ascii_uppercase() || matches!(byte, b'%' | b';'));
    !segment.is_empty() && !segment.ends_with('.') && segment.bytes().all(plain)
}

/// How long its shortest reading is at least; told without allocating, so that an id in capitals costs nothing among
/// short names.
pub(super) fn bytes_min(segment: &str) -> usize {
    let may_shrink = memchr::memchr2(b'%', b';', segment.as_bytes()).is_some();
    if may_shrink { 0 } else { segment.trim_end_matches('.').len() }
}

/// The text decoded as often as it can be, without regard to case.
pub(super) fn folded(text: &str) -> String {
    match decoded(text) {
        Cow::Borrowed(text) if text.is_ascii() => text.to_ascii_lowercase(),
        // By capitals and back: `ſ` and the Kelvin sign are `s` and `k` to servers that compare so.
        text => text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect(),
    }
}

fn trimmed(text: &str) -> &str {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    text.trim_start_matches(blank).trim_end_matches(|c| c == '.' || blank(c))
}

/// Percent-decoded until nothing is left to decode, in one pass: a byte that comes out may complete a `%` before it.
fn decoded(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'%', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        out.push(byte);
        while let [.., b'%', high, low] = out.as_slice()
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            out.truncate(out.len() - 3);
            out.push(high << 4 | low);
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(segment: &str, literal: &str) -> bool {
        let literal = folded(literal);
        Readings::of(segment).iter().any(|text| text == literal)
    }

    #[test]
    fn reads_what_a_forgiving_upstream_reads() {
        for segment in [
            "admin",
            "Admin",
            "ADMIN",
            "admin.",
            "admin%20",
            "%20%09admin%20.",
            "admin%C2%A0",
            "admin;x=1",
            "admin%20;x",
            "admin%3Bx",
            "%61dmin",
            "%2561dmin",
            "%252525%36%31dmin",
            "adm%C4%B1n",
        ] {
            assert!(alike(segment, "admin"), "{segment}");
            assert!(alike(segment, "ADMIN"), "{segment}");
        }
        for segment in [";admin", "admin-2", ".admin", "adm%20in", "admin%2", "administrator", "admi", ""] {
            assert!(!alike(segment, "admin"), "{segment}");
        }
        assert!(alike("%E2%84%AAey%C5%BF", "keys"));
        assert!(alike("X%3aCancel", "x:cancel"));
        assert!(alike("a;B", "a;b"));
    }

    #[test]
    fn plain_segments_have_one_reading() {
        for segment in ["17", "a-b_c~d", "x:cancel", ".5", "a.b"] {
            assert!(is_plain(segment), "{segment}");
            assert!(Readings::of(segment).iter().all(|text| text == segment), "{segment}");
        }
        for segment in ["", "A", "a.", "a%20", "a;"] {
            assert!(!is_plain(segment), "{segment}");
        }
    }

    #[test]
    fn no_reading_is_shorter_than_told() {
        for (segment, bytes) in [("Abc", 3), ("Abc..", 3), ("a%20", 0), ("a;b", 0), ("", 0), ("...", 0)] {
            assert_eq!(bytes_min(segment), bytes, "{segment}");
            assert!(Readings::of(segment).iter().all(|text| text.len() >= bytes), "{segment}");
        }
    }

    #[test]
    fn what_is_blank_leaves_nothing() {
        for (segment, blank) in [("", true), ("%20", true), ("%2520.", true), (";x", false), ("a", false)] {
            assert_eq!(Readings::of(segment).is_blank(), blank, "{segment}");
        }
    }

    #[test]
    fn decoding_without_end_takes_one_pass() {
        let text = format!("%{}41", "25".repeat(100_000));
        assert_eq!(folded(&text), "a");
    }
}
