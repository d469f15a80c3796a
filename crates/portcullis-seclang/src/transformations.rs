//! The transformations of ModSecurity v3 (`t:...`): functions from bytes to bytes, each in its own file.
//!
//! Each runs in time linear in its input, allocates only when it changes something, and answers with a borrowed slice when
//! the result is the input or a part of it. [`Transformation::changed_by`] lets a caller prove from the classes of a value
//! that a whole chain leaves it as it is.

mod base64_decode;
mod base64_decode_ext;
mod base64_encode;
mod cmd_line;
mod compress_whitespace;
mod css_decode;
mod digits;
mod escape_seq_decode;
mod hex_decode;
mod hex_encode;
mod html_entity_decode;
mod js_decode;
mod length;
mod lowercase;
mod md5;
mod none;
mod normalise_path;
mod normalise_path_win;
mod parity_even_7bit;
mod parity_odd_7bit;
mod parity_zero_7bit;
mod remove_comments;
mod remove_comments_char;
mod remove_nulls;
mod remove_whitespace;
mod replace_comments;
mod replace_nulls;
mod rewrite;
mod sha1;
mod sql_hex_decode;
mod trim;
mod trim_left;
mod trim_right;
mod unicode_map;
mod uppercase;
mod url_decode;
mod url_decode_uni;
mod url_encode;
mod utf8_to_unicode;

#[cfg(test)]
mod reference;

use std::borrow::Cow;

pub use unicode_map::UnicodeMap;

use crate::byte_set::{ByteClasses, ByteSet};

/// A transformation, by what it does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Transformation {
    /// Decodes base64 up to the first byte that is not of its alphabet.
    Base64Decode,
    /// Decodes base64 and skips what is not of its alphabet.
    Base64DecodeExt,
    /// Encodes as base64.
    Base64Encode,
    /// Undoes the tricks that shells allow in a command line.
    CmdLine,
    /// Makes each run of white space one space.
    CompressWhitespace,
    /// Decodes CSS 2 escapes.
    CssDecode,
    /// Decodes ANSI C escapes.
    EscapeSeqDecode,
    /// Decodes pairs of hexadecimal digits.
    HexDecode,
    /// Encodes each byte as two hexadecimal digits.
    HexEncode,
    /// Decodes HTML entities.
    HtmlEntityDecode,
    /// Decodes JavaScript escapes.
    JsDecode,
    /// Becomes the length in bytes, in decimal.
    Length,
    /// Lowers ASCII letters.
    Lowercase,
    /// Becomes the raw MD5 digest.
    Md5,
    /// Leaves the value and drops the transformations before it.
    None,
    /// Resolves `.`, `..` and repeated slashes of a path.
    NormalisePath,
    /// The same after backslashes have become slashes.
    NormalisePathWin,
    /// Sets the eighth bit for even parity.
    ParityEven7bit,
    /// Sets the eighth bit for odd parity.
    ParityOdd7bit,
    /// Clears the eighth bit.
    ParityZero7bit,
    /// Removes comments of C, HTML, SQL and shell.
    RemoveComments,
    /// Removes the marks of comments.
    RemoveCommentsChar,
    /// Removes NUL bytes.
    RemoveNulls,
    /// Removes white space.
    RemoveWhitespace,
    /// Makes each C comment one space.
    ReplaceComments,
    /// Makes each NUL a space.
    ReplaceNulls,
    /// Becomes the raw SHA-1 digest.
    Sha1,
    /// Decodes `0x...` of SQL.
    SqlHexDecode,
    /// Removes white space at both ends.
    Trim,
    /// Removes white space at the start.
    TrimLeft,
    /// Removes white space at the end.
    TrimRight,
    /// Raises ASCII letters.
    Uppercase,
    /// Decodes percent escapes and plus signs.
    UrlDecode,
    /// The same with `%uHHHH`.
    UrlDecodeUni,
    /// Encodes as a form does.
    UrlEncode,
    /// Writes non-ASCII characters as `%uHHHH`.
    Utf8ToUnicode,
}

/// What a value must hold for a transformation to change it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChangedBy {
    /// No value is ever changed.
    Nothing,
    /// A value without any byte of this set is left as it is.
    Bytes(ByteSet),
    /// Any value may change.
    Anything,
}

/// Every transformation with the name that ModSecurity gives it.
const NAMES: [(Transformation, &str); 36] = [
    (Transformation::Base64Decode, "base64Decode"),
    (Transformation::Base64DecodeExt, "base64DecodeExt"),
    (Transformation::Base64Encode, "base64Encode"),
    (Transformation::CmdLine, "cmdLine"),
    (Transformation::CompressWhitespace, "compressWhitespace"),
    (Transformation::CssDecode, "cssDecode"),
    (Transformation::EscapeSeqDecode, "escapeSeqDecode"),
    (Transformation::HexDecode, "hexDecode"),
    (Transformation::HexEncode, "hexEncode"),
    (Transformation::HtmlEntityDecode, "htmlEntityDecode"),
    (Transformation::JsDecode, "jsDecode"),
    (Transformation::Length, "length"),
    (Transformation::Lowercase, "lowercase"),
    (Transformation::Md5, "md5"),
    (Transformation::None, "none"),
    (Transformation::NormalisePath, "normalisePath"),
    (Transformation::NormalisePathWin, "normalisePathWin"),
    (Transformation::ParityEven7bit, "parityEven7bit"),
    (Transformation::ParityOdd7bit, "parityOdd7bit"),
    (Transformation::ParityZero7bit, "parityZero7bit"),
    (Transformation::RemoveComments, "removeComments"),
    (Transformation::RemoveCommentsChar, "removeCommentsChar"),
    (Transformation::RemoveNulls, "removeNulls"),
    (Transformation::RemoveWhitespace, "removeWhitespace"),
    (Transformation::ReplaceComments, "replaceComments"),
    (Transformation::ReplaceNulls, "replaceNulls"),
    (Transformation::Sha1, "sha1"),
    (Transformation::SqlHexDecode, "sqlHexDecode"),
    (Transformation::Trim, "trim"),
    (Transformation::TrimLeft, "trimLeft"),
    (Transformation::TrimRight, "trimRight"),
    (Transformation::Uppercase, "uppercase"),
    (Transformation::UrlDecode, "urlDecode"),
    (Transformation::UrlDecodeUni, "urlDecodeUni"),
    (Transformation::UrlEncode, "urlEncode"),
    (Transformation::Utf8ToUnicode, "utf8toUnicode"),
];

/// Other spellings that ModSecurity takes.
const ALIASES: [(&str, Transformation); 2] = [
    ("normalizePath", Transformation::NormalisePath),
    ("normalizePathWin", Transformation::NormalisePathWin),
];

impl ChangedBy {
    /// Whether a value of these classes might be changed; `false` is proof that it is not.
    pub fn may_change(self, classes: ByteClasses) -> bool {
        match self {
            Self::Nothing => false,
            Self::Bytes(set) => classes.intersects(set.classes()),
            Self::Anything => true,
        }
    }
}

impl Transformation {
    /// The transformation of that name, in any case; `None` when there is no such.
    pub fn named(name: &str) -> Option<Self> {
        let canonical = NAMES.iter().map(|(transformation, name)| (*name, *transformation));
        let mut all = canonical.chain(ALIASES);
        all.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, transformation)| transformation)
    }

    /// All transformations.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(transformation, _)| *transformation)
    }

    /// The name as ModSecurity writes it.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(transformation, _)| *transformation == self).map_or("", |(_, name)| name)
    }

    /// What must be present for [`Self::apply`] to change anything. An engine asks at load and keeps the classes.
    pub const fn changed_by(self) -> ChangedBy {
        match self {
            Self::Base64Decode => base64_decode::CHANGED_BY,
            Self::Base64DecodeExt => base64_decode_ext::CHANGED_BY,
            Self::Base64Encode => base64_encode::CHANGED_BY,
            Self::CmdLine => cmd_line::CHANGED_BY,
            Self::CompressWhitespace => compress_whitespace::CHANGED_BY,
            Self::CssDecode => css_decode::CHANGED_BY,
            Self::EscapeSeqDecode => escape_seq_decode::CHANGED_BY,
            Self::HexDecode => hex_decode::CHANGED_BY,
            Self::HexEncode => hex_encode::CHANGED_BY,
            Self::HtmlEntityDecode => html_entity_decode::CHANGED_BY,
            Self::JsDecode => js_decode::CHANGED_BY,
            Self::Length => length::CHANGED_BY,
            Self::Lowercase => lowercase::CHANGED_BY,
            Self::Md5 => md5::CHANGED_BY,
            Self::None => none::CHANGED_BY,
            Self::NormalisePath => normalise_path::CHANGED_BY,
            Self::NormalisePathWin => normalise_path_win::CHANGED_BY,
            Self::ParityEven7bit => parity_even_7bit::CHANGED_BY,
            Self::ParityOdd7bit => parity_odd_7bit::CHANGED_BY,
            Self::ParityZero7bit => parity_zero_7bit::CHANGED_BY,
            Self::RemoveComments => remove_comments::CHANGED_BY,
            Self::RemoveCommentsChar => remove_comments_char::CHANGED_BY,
            Self::RemoveNulls => remove_nulls::CHANGED_BY,
            Self::RemoveWhitespace => remove_whitespace::CHANGED_BY,
            Self::ReplaceComments => replace_comments::CHANGED_BY,
            Self::ReplaceNulls => replace_nulls::CHANGED_BY,
            Self::Sha1 => sha1::CHANGED_BY,
            Self::SqlHexDecode => sql_hex_decode::CHANGED_BY,
            Self::Trim => trim::CHANGED_BY,
            Self::TrimLeft => trim_left::CHANGED_BY,
            Self::TrimRight => trim_right::CHANGED_BY,
            Self::Uppercase => uppercase::CHANGED_BY,
            Self::UrlDecode => url_decode::CHANGED_BY,
            Self::UrlDecodeUni => url_decode_uni::CHANGED_BY,
            Self::UrlEncode => url_encode::CHANGED_BY,
            Self::Utf8ToUnicode => utf8_to_unicode::CHANGED_BY,
        }
    }

    /// Transforms the value; borrowed when the result is the value or a part of it. `%uHHHH` is read without a code page:
    /// see [`Self::apply_mapped`].
    pub fn apply(self, value: &[u8]) -> Cow<'_, [u8]> {
        self.apply_mapped(value, None)
    }

    /// As [`Self::apply`], with the table of `SecUnicodeMapFile`.
    pub fn apply_mapped<'a>(self, value: &'a [u8], map: Option<&UnicodeMap>) -> Cow<'a, [u8]> {
        match self {
            Self::Base64Decode => base64_decode::apply(value),
            Self::Base64DecodeExt => base64_decode_ext::apply(value),
            Self::Base64Encode => base64_encode::apply(value),
            Self::CmdLine => cmd_line::apply(value),
            Self::CompressWhitespace => compress_whitespace::apply(value),
            Self::CssDecode => css_decode::apply(value),
            Self::EscapeSeqDecode => escape_seq_decode::apply(value),
            Self::HexDecode => hex_decode::apply(value),
            Self::HexEncode => hex_encode::apply(value),
            Self::HtmlEntityDecode => html_entity_decode::apply(value),
            Self::JsDecode => js_decode::apply(value),
            Self::Length => length::apply(value),
            Self::Lowercase => lowercase::apply(value),
            Self::Md5 => md5::apply(value),
            Self::None => none::apply(value),
            Self::NormalisePath => normalise_path::apply(value),
            Self::NormalisePathWin => normalise_path_win::apply(value),
            Self::ParityEven7bit => parity_even_7bit::apply(value),
            Self::ParityOdd7bit => parity_odd_7bit::apply(value),
            Self::ParityZero7bit => parity_zero_7bit::apply(value),
            Self::RemoveComments => remove_comments::apply(value),
            Self::RemoveCommentsChar => remove_comments_char::apply(value),
            Self::RemoveNulls => remove_nulls::apply(value),
            Self::RemoveWhitespace => remove_whitespace::apply(value),
            Self::ReplaceComments => replace_comments::apply(value),
            Self::ReplaceNulls => replace_nulls::apply(value),
            Self::Sha1 => sha1::apply(value),
            Self::SqlHexDecode => sql_hex_decode::apply(value),
            Self::Trim => trim::apply(value),
            Self::TrimLeft => trim_left::apply(value),
            Self::TrimRight => trim_right::apply(value),
            Self::Uppercase => uppercase::apply(value),
            Self::UrlDecode => url_decode::apply(value),
            Self::UrlDecodeUni => url_decode_uni::apply(value, map),
            Self::UrlEncode => url_encode::apply(value),
            Self::Utf8ToUnicode => utf8_to_unicode::apply(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_each_transformation_once_and_finds_it_in_any_case() {
        for transformation in Transformation::all() {
            assert_eq!(Transformation::named(&transformation.name().to_uppercase()), Some(transformation));
        }
        assert_eq!(Transformation::named("normalizePathWin"), Some(Transformation::NormalisePathWin));
        assert_eq!(Transformation::named("urlDecodeUnicode"), None);
    }

    /// Bytes that transformations look for, more often than others.
    fn values() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![
            4 => proptest::sample::select(b"%u\\xX0&#;/.*-<!>+ \t\n\r\x0b\x0c\0'\"^,(=".to_vec()),
            3 => proptest::sample::select(b"0123456789abcdefABCDEFgltqmpnuso".to_vec()),
            1 => proptest::sample::select(b"\xc2\xa0\xc3\xe2\x82\xac\xed\xf0\x9f\x98\x80\xf5\xff".to_vec()),
            1 => any::<u8>(),
        ];
        proptest::collection::vec(byte, 0..40)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn agrees_with_the_plain_reference(value in values()) {
            for transformation in Transformation::all() {
                let expected = reference::apply(transformation, &value);
                prop_assert_eq!(&*transformation.apply(&value), &expected[..], "{} of {:?}", transformation.name(), value);
            }
        }

        #[test]
        fn changes_nothing_without_its_bytes(value in values()) {
            for transformation in Transformation::all() {
                // The value without the bytes that the transformation needs must come back as it went in.
                let without: Vec<u8> = match transformation.changed_by() {
                    ChangedBy::Nothing => value.clone(),
                    ChangedBy::Bytes(set) => value.iter().copied().filter(|byte| !set.contains(*byte)).collect(),
                    ChangedBy::Anything => continue,
                };
                let after = transformation.apply(&without);
                prop_assert!(matches!(after, Cow::Borrowed(same) if same == &without[..]), "{}", transformation.name());
                let classes = ByteClasses::of_value(&value);
                if !transformation.changed_by().may_change(classes) {
                    prop_assert_eq!(&*transformation.apply(&value), &value[..]);
                }
            }
        }

        #[test]
        fn owns_nothing_that_is_unchanged(value in values()) {
            for transformation in Transformation::all().filter(|t| t.changed_by() != ChangedBy::Anything) {
                let after = transformation.apply(&value);
                prop_assert!(matches!(after, Cow::Borrowed(_)) || *after != value[..], "{}", transformation.name());
            }
        }

        #[test]
        fn grows_by_a_constant_factor(value: Vec<u8>) {
            for transformation in Transformation::all() {
                prop_assert!(transformation.apply(&value).len() <= 4 * value.len() + 20);
            }
        }
    }
}
