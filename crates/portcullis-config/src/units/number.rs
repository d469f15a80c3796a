//! Counts, sizes and percentages.

use std::fmt;

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::{
    read::{Read, Reader},
    yaml::Node,
};

/// A count: `100`, `10k`, `5M`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Count(pub u64);

/// A size in bytes: `512`, `32KiB`, `1MiB`, `10kB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Size(pub u64);

/// A share of a hundred: `20%`, `0.5%`, in hundredths of a percent, at most 100 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Percent {
    /// Hundredths of a percent, 0 to 10,000.
    pub basis_points: u16,
}

impl Percent {
    /// The share as a number from 0 to 1.
    pub fn fraction(self) -> f64 {
        f64::from(self.basis_points) / 10_000.0
    }
}

/// What is wrong with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberError {
    NotANumber,
    TooLarge,
    CountUnit,
    SizeUnit,
    PercentForm,
    Zero,
}

impl fmt::Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotANumber => "it must begin with a whole number",
            Self::TooLarge => "it is too large",
            Self::CountUnit => "a count ends in nothing, `k` (thousand) or `M` (million)",
            Self::SizeUnit => {
                "a size ends in `B`, `KiB`, `MiB`, `GiB`, `kB`, `MB` or `GB`, or in nothing for bytes"
            }
            Self::PercentForm => "a share is written `20%`, with at most two decimals and at most 100",
            Self::Zero => "it must be at least 1",
        })
    }
}

/// Splits leading digits from what follows.
pub(crate) fn digits(text: &str) -> Result<(u64, &str), NumberError> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    if number.is_empty() {
        return Err(NumberError::NotANumber);
    }
    Ok((number.parse().map_err(|_| NumberError::TooLarge)?, rest))
}

pub(crate) fn parse_count(text: &str) -> Result<u64, NumberError> {
    let (number, unit) = digits(text)?;
    let factor = match unit {
        "" => 1,
        "k" => 1_000,
        "M" => 1_000_000,
        _ => return Err(NumberError::CountUnit),
    };
    number.checked_mul(factor).ok_or(NumberError::TooLarge)
}

pub(crate) fn parse_size(text: &str) -> Result<u64, NumberError> {
    let (number, unit) = digits(text)?;
    let factor = match unit.trim_start() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return Err(NumberError::SizeUnit),
    };
    number.checked_mul(factor).ok_or(NumberError::TooLarge)
}

pub(crate) fn parse_percent(text: &str) -> Result<Percent, NumberError> {
    let number = text.strip_suffix('%').ok_or(NumberError::PercentForm)?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    if decimals.is_empty() || decimals.len() > 2 {
        return Err(NumberError::PercentForm);
    }
    let (whole, rest) = digits(whole)?;
    let (fraction, more) = digits(decimals)?;
    if !rest.is_empty() || !more.is_empty() {
        return Err(NumberError::PercentForm);
    }
    let hundredths = if decimals.len() == 1 { fraction * 10 } else { fraction };
    let basis_points = whole.checked_mul(100).and_then(|it| it.checked_add(hundredths));
    match basis_points.map(u16::try_from) {
        Some(Ok(basis_points)) if basis_points <= 10_000 => Ok(Percent { basis_points }),
        _ => Err(NumberError::PercentForm),
    }
}

impl Read for Count {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "count", |text| match parse_count(text) {
            Ok(0) => Err(NumberError::Zero),
            other => other.map(Self),
        })
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "title": "a count", "type": ["integer", "string"], "minimum": 1, "pattern": "^[0-9]+[kM]?$" })
    }
}

impl Read for Size {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "size", |text| match parse_size(text) {
            Ok(0) => Err(NumberError::Zero),
            other => other.map(Self),
        })
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "a size",
            "type": ["integer", "string"],
            "minimum": 1,
            "pattern": "^[0-9]+ ?(B|KiB|MiB|GiB|kB|MB|GB)?$",
        })
    }
}

impl Read for Percent {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "share", parse_percent)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "title": "a share", "type": "string", "pattern": "^[0-9]+(\\.[0-9]{1,2})?%$" })
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = *self;
        match bytes {
            0 => write!(f, "0B"),
            _ if bytes.is_multiple_of(1 << 30) => write!(f, "{}GiB", bytes >> 30),
            _ if bytes.is_multiple_of(1 << 20) => write!(f, "{}MiB", bytes >> 20),
            _ if bytes.is_multiple_of(1 << 10) => write!(f, "{}KiB", bytes >> 10),
            _ => write!(f, "{bytes}B"),
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_numbers_with_their_units() {
        assert_eq!(parse_count("10k"), Ok(10_000));
        assert_eq!(parse_count("5M"), Ok(5_000_000));
        assert_eq!(parse_count("10K"), Err(NumberError::CountUnit));
        assert_eq!(parse_count("99999999999999M"), Err(NumberError::TooLarge));
        assert_eq!(parse_count("-1"), Err(NumberError::NotANumber));
        assert_eq!(parse_size("32KiB"), Ok(32_768));
        assert_eq!(parse_size("10 kB"), Ok(10_000));
        assert_eq!(parse_size("1Mb"), Err(NumberError::SizeUnit));
        assert_eq!(parse_percent("20%"), Ok(Percent { basis_points: 2_000 }));
        assert_eq!(parse_percent("0.5%"), Ok(Percent { basis_points: 50 }));
        assert_eq!(parse_percent("0.05%"), Ok(Percent { basis_points: 5 }));
        for wrong in ["20", "101%", "1.%", "1.234%", "%", "a%", "655.37%"] {
            assert!(parse_percent(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_size_is_read_back_as_it_is_shown(bytes in 1..u64::MAX / 2) {
            prop_assert_eq!(parse_size(&Size(bytes).to_string()), Ok(bytes));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,20}") {
            let _ = (parse_count(&text), parse_size(&text), parse_percent(&text));
        }
    }
}
