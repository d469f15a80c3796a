//! The fields that every table begins with (RFC 7541 Appendix A).

use std::sync::LazyLock;

use super::{Field, field};

/// How many there are.
pub(super) const COUNT: usize = 61;

#[rustfmt::skip]
const TEXT: [(&str, &str); COUNT] = [
    (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"),
    (":scheme", "http"), (":scheme", "https"), (":status", "200"), (":status", "204"), (":status", "206"),
    (":status", "304"), (":status", "400"), (":status", "404"), (":status", "500"), ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"), ("accept-language", ""), ("accept-ranges", ""), ("accept", ""),
    ("access-control-allow-origin", ""), ("age", ""), ("allow", ""), ("authorization", ""), ("cache-control", ""),
    ("content-disposition", ""), ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
    ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""), ("date", ""), ("etag", ""),
    ("expect", ""), ("expires", ""), ("from", ""), ("host", ""), ("if-match", ""), ("if-modified-since", ""),
    ("if-none-match", ""), ("if-range", ""), ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""),
    ("location", ""), ("max-forwards", ""), ("proxy-authenticate", ""), ("proxy-authorization", ""), ("range", ""),
    ("referer", ""), ("refresh", ""), ("retry-after", ""), ("server", ""), ("set-cookie", ""),
    ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""), ("vary", ""), ("via", ""),
    ("www-authenticate", ""),
];

static FIELDS: LazyLock<Vec<Field>> =
    LazyLock::new(|| TEXT.iter().map(|(name, value)| field::of_text(name, value)).collect());

/// The field at an index, counted from 1.
pub(super) fn at(index: usize) -> Option<&'static Field> {
    FIELDS.get(index.checked_sub(1)?)
}

/// The first index with that name.
pub(super) fn of_name(name: &str) -> Option<usize> {
    TEXT.iter().position(|(known, _)| *known == name).map(|at| at + 1)
}
