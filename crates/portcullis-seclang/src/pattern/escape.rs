//! What stands behind a backslash.

use super::PatternError;
use crate::byte_set::ByteSet;

/// An escape, understood.
pub(super) enum Escape {
    /// One byte.
    Byte(u8),
    /// Any byte of a set.
    Set(ByteSet),
    /// An assertion that the engine spells so.
    Assertion(&'static str),
    /// `\R`.
    LineEnd,
    /// `\Q`.
    Quote,
    /// `\E` without `\Q`.
    Nothing,
    /// `\Z`.
    EndOrLastLineFeed,
}

/// Where the escape stands: some mean other things in a class.
#[derive(Clone, Copy)]
pub(super) enum Within {
    /// Outside classes, in a pattern of so many groups.
    Pattern {
        /// Capture groups in all.
        groups: usize,
    },
    /// In a class.
    Class,
}

pub(super) const DIGIT: ByteSet = ByteSet::range(b'0', b'9');
pub(super) const SPACE: ByteSet = ByteSet::range(b'\t', b'\r').with(b' ');
pub(super) const WORD: ByteSet =
    DIGIT.union(ByteSet::range(b'a', b'z')).union(ByteSet::range(b'A', b'Z')).with(b'_');
const HORIZONTAL: ByteSet = ByteSet::of(b"\t \xa0");
const VERTICAL: ByteSet = ByteSet::range(b'\n', b'\r').with(0x85);

/// Reads the escape whose backslash is at `start`; also answers where it ends.
pub(super) fn read(pattern: &[u8], start: usize, within: Within) -> Result<(Escape, usize), PatternError> {
    let after = pattern.get(start + 1..).unwrap_or_default();
    let Some(letter) = after.first().copied() else {
        return Err(PatternError::at(start, "a backslash at the end escapes nothing"));
    };
    let in_class = matches!(within, Within::Class);
    let escape = match letter {
        b'd' => Escape::Set(DIGIT),
        b'D' => Escape::Set(DIGIT.complement()),
        b's' => Escape::Set(SPACE),
        b'S' => Escape::Set(SPACE.complement()),
        b'w' => Escape::Set(WORD),
        b'W' => Escape::Set(WORD.complement()),
        b'h' => Escape::Set(HORIZONTAL),
        b'H' => Escape::Set(HORIZONTAL.complement()),
        b'v' => Escape::Set(VERTICAL),
        b'V' => Escape::Set(VERTICAL.complement()),
        b'a' => Escape::Byte(0x07),
        b'e' => Escape::Byte(0x1b),
        b'f' => Escape::Byte(0x0c),
        b'n' => Escape::Byte(b'\n'),
        b'r' => Escape::Byte(b'\r'),
        b't' => Escape::Byte(b'\t'),
        b'Q' => Escape::Quote,
        b'E' => Escape::Nothing,
        b'b' if in_class => Escape::Byte(0x08),
        b'c' => return control(after, start),
        b'x' => return hexadecimal(after, start),
        b'o' => return braced_octal(after, start),
        b'0'..=b'9' => return digits(after, start, within),
        _ if in_class && letter.is_ascii_alphabetic() => {
            return Err(PatternError::at(
                start,
                format!("`\\{}` has no meaning in a class", char::from(letter)),
            ));
        }
        b'b' => Escape::Assertion(r"\b"),
        b'B' => Escape::Assertion(r"\B"),
        b'A' => Escape::Assertion(r"\A"),
        b'z' => Escape::Assertion(r"\z"),
        b'Z' => Escape::EndOrLastLineFeed,
        b'N' if after.get(1) != Some(&b'{') => Escape::Set(ByteSet::of(b"\n").complement()),
        b'C' => Escape::Set(ByteSet::ALL),
        b'R' => Escape::LineEnd,
        b'g' | b'k' => {
            return Err(PatternError::at(start, "a back-reference needs an engine that backtracks"));
        }
        b'K' | b'G' => {
            let letter = char::from(letter);
            return Err(PatternError::at(
                start,
                format!("`\\{letter}` is not supported: matches start where they start"),
            ));
        }
        b'p' | b'P' | b'X' => {
            return Err(PatternError::at(
                start,
                "values are bytes: properties of characters are not supported",
            ));
        }
        _ if letter.is_ascii_alphabetic() => {
            return Err(PatternError::at(start, format!("`\\{}` is no escape", char::from(letter))));
        }
        _ => Escape::Byte(letter),
    };
    Ok((escape, start + 2))
}

fn control(after: &[u8], start: usize) -> Result<(Escape, usize), PatternError> {
    match after {
        [_, letter @ b' '..=b'~', ..] => Ok((Escape::Byte(letter.to_ascii_uppercase() ^ 0x40), start + 3)),
        _ => Err(PatternError::at(start, r"`\c` wants a printable character behind it")),
    }
}

/// `\xhh` with none, one or two digits, and `\x{h...}`.
fn hexadecimal(after: &[u8], start: usize) -> Result<(Escape, usize), PatternError> {
    if let [_, b'{', text @ ..] = after
        && let Some(length) = text.iter().position(|byte| *byte == b'}')
        && let Some(digits) = text.get(..length)
        && !digits.is_empty()
        && digits.iter().all(u8::is_ascii_hexdigit)
    {
        return Ok((Escape::Byte(byte_of(digits, 16, start)?), start + 3 + length + 1));
    }
    let digits = after.iter().skip(1).take(2).take_while(|byte| byte.is_ascii_hexdigit()).count();
    let text = after.get(1..=digits).unwrap_or_default();
    Ok((Escape::Byte(byte_of(text, 16, start)?), start + 2 + digits))
}

fn braced_octal(after: &[u8], start: usize) -> Result<(Escape, usize), PatternError> {
    let malformed = || PatternError::at(start, r"`\o` wants octal digits in braces behind it");
    let [_, b'{', text @ ..] = after else { return Err(malformed()) };
    let length = text.iter().position(|byte| *byte == b'}').ok_or_else(malformed)?;
    let digits = text.get(..length).filter(|digits| !digits.is_empty()).ok_or_else(malformed)?;
    if !digits.iter().all(|byte| matches!(byte, b'0'..=b'7')) {
        return Err(malformed());
    }
    Ok((Escape::Byte(byte_of(digits, 8, start)?), start + 3 + length + 1))
}

/// A back-reference or an octal code, told apart as PCRE does: below 10, or no more than there are groups, refers back.
fn digits(after: &[u8], start: usize, within: Within) -> Result<(Escape, usize), PatternError> {
    let octal = after.iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    if let Within::Pattern { groups } = within
        && after.first() != Some(&b'0')
    {
        let decimal = after.iter().take(9).take_while(|byte| byte.is_ascii_digit());
        let number = decimal.fold(0usize, |number, digit| number * 10 + usize::from(digit - b'0'));
        if number < 10 || number <= groups || octal == 0 {
            return Err(PatternError::at(start, "a back-reference needs an engine that backtracks"));
        }
    }
    let text = after.get(..octal).filter(|text| !text.is_empty());
    let Some(text) = text else { return Err(PatternError::at(start, "this is no octal code")) };
    Ok((Escape::Byte(byte_of(text, 8, start)?), start + 1 + octal))
}

fn byte_of(digits: &[u8], radix: u32, start: usize) -> Result<u8, PatternError> {
    let value = digits.iter().try_fold(0u32, |value, digit| {
        value.checked_mul(radix)?.checked_add(char::from(*digit).to_digit(radix)?)
    });
    value
        .and_then(|value| u8::try_from(value).ok())
        .ok_or_else(|| PatternError::at(start, "values are bytes: a code above 255 cannot occur"))
}

/// Writes one byte so that it means itself.
pub(super) fn write_literal(byte: u8, out: &mut String) {
    if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b' ') {
        out.push(char::from(byte));
    } else {
        out.push_str(&format!(r"\x{byte:02x}"));
    }
}
