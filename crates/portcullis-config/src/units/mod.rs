//! Quantities and forms written in words, as types that cannot be wrong.

mod address;
mod duration;
mod limit;
mod number;
mod path;
mod secret;
mod text;
mod url;

pub use address::Address;
pub use duration::{DurationRange, Leeway};
pub use limit::{Dimension, Limit, LimitAmount, LimitWhen, LoginAttempts, LoginSubject};
pub use number::{Count, Percent, Size};
pub use path::FilePath;
pub use secret::{SecretError, SecretRef};
pub use text::{
    ClaimPath, HeaderName, HeaderValue, HostPattern, JsonPointer, OperationKey, Origins, PathPrefix,
};
pub use url::{Scheme, Url};

/// Reads a duration as it is written everywhere in the language: `500ms`, `30s`, `5m`, `1h`, `7d`.
///
/// # Errors
/// Says how durations are written.
pub fn parse_duration(text: &str) -> Result<std::time::Duration, String> {
    duration::parse_duration(text).map_err(|error| error.to_string())
}
