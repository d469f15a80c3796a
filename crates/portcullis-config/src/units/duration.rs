//! Durations and ranges of them.

use std::{fmt, time::Duration};

use schemars::{Schema, SchemaGenerator};

use super::number::{NumberError, digits};
use crate::{
    read::{Read, Reader, text_schema},
    yaml::Node,
};

/// Longer than any period that makes sense here, and short enough never to overflow a timestamp: ten years.
const LONGEST: Duration = Duration::from_secs(3_650 * 86_400);

/// The most that clocks may be told to differ: a token is good for that much longer than its issuer says.
const LEEWAY_MAX: Duration = Duration::from_secs(300);

/// How far two clocks may differ: a duration, which may be nothing (`0s`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Leeway(pub Duration);

/// From a shorter to a longer duration: `25ms..250ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub struct DurationRange {
    /// The shorter end.
    pub from: Duration,
    /// The longer end.
    pub to: Duration,
}

/// What is wrong with a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DurationError {
    Number(NumberError),
    Unit,
    Zero,
    TooLong,
    LeewayTooLong,
    Range,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number(error) => return error.fmt(f),
            Self::Unit => "the unit is one of `ms`, `s`, `m`, `h`, `d`, as in `30s`",
            Self::Zero => "it must be longer than nothing",
            Self::TooLong => "it is longer than ten years",
            Self::LeewayTooLong => "clocks may differ by five minutes at most",
            Self::Range => "a range is written `25ms..250ms`, the shorter end first",
        })
    }
}

/// Reads `500ms`, `30s`, `5m`, `1h`, `7d`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    match any_duration(text)? {
        Duration::ZERO => Err(DurationError::Zero),
        it => Ok(it),
    }
}

pub(crate) fn parse_leeway(text: &str) -> Result<Leeway, DurationError> {
    match any_duration(text)? {
        it if it > LEEWAY_MAX => Err(DurationError::LeewayTooLong),
        it => Ok(Leeway(it)),
    }
}

fn any_duration(text: &str) -> Result<Duration, DurationError> {
    let (number, unit) = digits(text).map_err(DurationError::Number)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(DurationError::Unit),
    };
    let duration = number.checked_mul(millis).map(Duration::from_millis).ok_or(DurationError::TooLong)?;
    match duration {
        it if it > LONGEST => Err(DurationError::TooLong),
        it => Ok(it),
    }
}

pub(crate) fn parse_range(text: &str) -> Result<DurationRange, DurationError> {
    let (from, to) = text.split_once("..").ok_or(DurationError::Range)?;
    let range = DurationRange { from: parse_duration(from.trim())?, to: parse_duration(to.trim())? };
    if range.from > range.to { Err(DurationError::Range) } else { Ok(range) }
}

impl Read for Duration {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "duration", parse_duration)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_schema("a duration", Some("^[0-9]+(ms|s|m|min|h|d)$"))
    }
}

impl Read for Leeway {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "leeway", parse_leeway)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        <Duration as Read>::schema(generator)
    }
}

impl Read for DurationRange {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "range of durations", parse_range)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_schema("a range of durations", Some("^[0-9]+(ms|s|m|min|h|d) ?\\.\\. ?[0-9]+(ms|s|m|min|h|d)$"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_durations_and_ranges() {
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("1d"), Ok(Duration::from_secs(86_400)));
        assert_eq!(parse_duration("5"), Err(DurationError::Unit));
        assert_eq!(parse_duration("0s"), Err(DurationError::Zero));
        assert_eq!(parse_duration("4000d"), Err(DurationError::TooLong));
        assert_eq!(parse_duration("99999999999999999d"), Err(DurationError::TooLong));
        for (text, expected) in [
            ("0s", Ok(Leeway(Duration::ZERO))),
            ("5m", Ok(Leeway(Duration::from_secs(300)))),
            ("301s", Err(DurationError::LeewayTooLong)),
            ("0", Err(DurationError::Unit)),
        ] {
            assert_eq!(parse_leeway(text), expected, "{text}");
        }
        let range = parse_range("25ms..250ms").unwrap();
        assert_eq!((range.from, range.to), (Duration::from_millis(25), Duration::from_millis(250)));
        assert_eq!(parse_range("250ms..25ms"), Err(DurationError::Range));
        assert_eq!(parse_range("250ms"), Err(DurationError::Range));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[0-9]{0,22}[a-z. ]{0,5}") {
            let _ = (parse_duration(&text), parse_range(&text));
        }
    }
}
