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
    Range,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number(error) => return error.fmt(f),
            Self::Unit => "the unit is one of `ms`, `s`, `m`, `h`, `d`, as in `30s`",
            Self::Zero => "it must be longer than nothing",
            Self::TooLong => "it is longer than ten years",
            Self::Range => "a range is written `25ms..250ms`, the shorter end first",
        })
    }
}

/// Reads `500ms`, `30s`, `5m`, `1h`, `7d`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, DurationError> {
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
        Duration::ZERO => Err(DurationError::Zero),
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

impl Read for DurationRange {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "range of durations", parse_range)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_schema("a range of durations", Some("^[0-9]+(ms|s|m|min|h|d) ?\\.\\. ?[0-9]+(ms|s|m|min|h|d)$"))
    }
}
