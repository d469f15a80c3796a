//! Stream wrappers and schemes that open files where an address or a name is expected.

use crate::{
    class::Class,
    hit::Hit,
    leaf::{Field, Where},
    view::View,
};

struct Wrapper {
    scheme: &'static [u8],
    rule: &'static str,
    why: &'static str,
    score: u8,
}

/// Schemes that no address for people has; PHP's manual lists its own under "Supported protocols and wrappers".
const WRAPPERS: [Wrapper; 15] = [
    php(b"php://"),
    php(b"phar://"),
    php(b"expect://"),
    php(b"zip://"),
    php(b"glob://"),
    php(b"compress.zlib://"),
    php(b"compress.bzip2://"),
    php(b"ogg://"),
    php(b"rar://"),
    php(b"zlib:"),
    file(b"file:/", 8),
    file(b"file:", 4),
    file(b"jar:file", 10),
    file(b"jar:http", 10),
    file(b"netdoc:", 8),
];

const fn php(scheme: &'static [u8]) -> Wrapper {
    Wrapper {
        scheme,
        rule: "stream_wrapper",
        why: "a stream wrapper that opens files, archives or commands",
        score: 10,
    }
}

const fn file(scheme: &'static [u8], score: u8) -> Wrapper {
    Wrapper { scheme, rule: "file_scheme", why: "an address that reads a local file", score }
}

/// The first wrapper in a value.
pub(super) fn find(view: &View<'_>) -> Option<Hit> {
    let lower = view.lower;
    for colon in memchr::memchr_iter(b':', lower).take(COLONS_MAX) {
        let start = scheme_start(lower, colon);
        let (Some(from), true) = (lower.get(start..), start < colon) else { continue };
        let Some(wrapper) = WRAPPERS.iter().find(|wrapper| from.starts_with(wrapper.scheme)) else {
            continue;
        };
        let mut strength = wrapper.score;
        if wrapper.rule == "file_scheme" {
            let path = from.get(wrapper.scheme.len()..).unwrap_or_default();
            strength = match (wrapper.score, path) {
                // `file:///etc`, `file:/etc`, `file://localhost/`, `file:${x}/et${y}c`, `file:./`.
                (8, [b'/', ..]) if !path.is_empty() => 10,
                (4, [b'.' | b'$' | b'\\' | b'%', ..]) => 10,
                (4, _) => continue,
                (score, _) => score,
            };
        }
        let score = match view.leaf.field {
            Field::Prose | Field::Markup => strength.min(4),
            Field::Code | Field::Query => strength.min(3),
            // Where a document configures a service, a local directory may be meant.
            Field::Url if view.leaf.at == Where::Body && wrapper.rule == "file_scheme" => strength.min(6),
            _ if start == 0 || view.leaf.at != Where::Body => strength,
            _ => strength.min(9),
        };
        let span = start..(colon + 3).min(lower.len());
        return Some(Hit { class: Class::Path, rule: wrapper.rule, score, span, why: wrapper.why });
    }
    None
}

/// Colons looked at; what has more is no path.
const COLONS_MAX: usize = 64;

/// Where the letters of a scheme before a colon begin.
fn scheme_start(lower: &[u8], colon: usize) -> usize {
    let before = lower.get(..colon).unwrap_or_default();
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'.';
    let length = before.iter().rev().take(16).take_while(|byte| is_letter(byte)).count();
    colon - length
}
