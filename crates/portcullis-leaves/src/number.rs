//! Numbers as they were written.

/// A number of a body: its literal, converted only when asked.
#[derive(Clone, Copy, Debug)]
pub struct Number<'t> {
    literal: &'t str,
    written_as_integer: bool,
}

impl<'t> Number<'t> {
    pub(crate) fn new(literal: &'t str, written_as_integer: bool) -> Self {
        Self { literal, written_as_integer }
    }

    /// The literal, by the grammar of RFC 8259 §6.
    pub fn as_str(self) -> &'t str {
        self.literal
    }

    /// The value of a number written as an integer (`1`, neither `1.0` nor `1e0`), where it fits.
    pub fn as_u64(self) -> Option<u64> {
        if !self.written_as_integer {
            return None;
        }
        match self.literal.strip_prefix('-') {
            None => self.literal.parse().ok(),
            Some("0") => Some(0),
            Some(_) => None,
        }
    }

    /// The value of a number written as an integer (`1`, neither `1.0` nor `1e0`), where it fits.
    pub fn as_i64(self) -> Option<i64> {
        if self.written_as_integer { self.literal.parse().ok() } else { None }
    }

    /// The nearest double; `None` when it would be infinite (which the parsers refuse already).
    pub fn as_f64(self) -> Option<f64> {
        self.literal.parse().ok().filter(|double: &f64| double.is_finite())
    }

    /// Whether the value is an integer, however it is written: `1.0` and `1e2` are. Exact at any size, and linear in
    /// the length of the literal.
    pub fn is_integer(self) -> bool {
        self.written_as_integer || has_no_fraction(self.literal)
    }

    /// Whether it is written with neither fraction nor exponent, as JSON Schema draft 4 and Swagger 2.0 ask.
    pub fn is_written_as_integer(self) -> bool {
        self.written_as_integer
    }
}

/// Whether a literal with fraction or exponent has an integer for its value: whether the exponent moves the point
/// behind the last digit that is not zero.
fn has_no_fraction(literal: &str) -> bool {
    let (mantissa, exponent) = literal.split_once(['e', 'E']).unwrap_or((literal, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    // Lengths are below 2^27, so an exponent that does not fit decides by its sign alone.
    let exponent: i64 = match exponent.parse() {
        Ok(exponent) => exponent,
        Err(_) if exponent.starts_with('-') => i64::MIN,
        Err(_) => i64::MAX,
    };
    if !fraction.is_empty() {
        return exponent >= fraction.len() as i64;
    }
    let digits = whole.trim_start_matches('-');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return true;
    }
    exponent >= -((digits.len() - significant.len()) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_integers_by_value() {
        for (literal, integer) in [
            ("1.0", true),
            ("1.5", false),
            ("1e2", true),
            ("1.5e1", true),
            ("1.25e1", false),
            ("100e-2", true),
            ("100e-3", false),
            ("0.0", true),
            ("-0e-5", true),
            ("0.0e-99999999999999999999", true),
            ("1e-99999999999999999999", false),
            ("-10.50e+1", true),
            ("1e308", true),
        ] {
            assert_eq!(has_no_fraction(literal), integer, "{literal}");
        }
    }

    #[test]
    fn converts_what_fits() {
        let integer = |literal| Number::new(literal, true);
        assert_eq!(integer("18446744073709551615").as_u64(), Some(u64::MAX));
        assert_eq!(integer("18446744073709551616").as_u64(), None);
        assert_eq!(integer("-9223372036854775808").as_i64(), Some(i64::MIN));
        assert_eq!(integer("-0").as_u64(), Some(0));
        assert_eq!(integer("-1").as_u64(), None);
        assert_eq!(Number::new("1.0", false).as_u64(), None);
        assert_eq!(Number::new("1.5e3", false).as_f64(), Some(1500.0));
        assert_eq!(Number::new("1e999", false).as_f64(), None);
    }
}
