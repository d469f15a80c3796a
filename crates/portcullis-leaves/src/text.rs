//! Plain text bodies.

use thiserror::Error;

/// The body is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("text is not UTF-8 at byte {offset}")]
pub struct NotText {
    /// The first byte that does not fit.
    pub offset: usize,
}

/// The body as text (RFC 3629). NUL and control characters are kept: whether they are wanted is for a schema to say.
pub fn parse(body: &[u8]) -> Result<&str, NotText> {
    std::str::from_utf8(body).map_err(|error| NotText { offset: error.valid_up_to() })
}
