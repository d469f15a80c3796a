//! The transformations of ModSecurity v3 (`t:...`): functions from bytes to bytes, each in its own file.
//!
//! Each runs in time linear in its input, allocates only when it changes something, and answers with a borrowed slice when
//! the result is the input or a part of it. [`Transformation::changed_by`] lets a caller prove from the classes of a value
//! that a whole chain leaves it as it is.

use std::borrow::Cow;

use crate::byte_set::ByteSet;

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

impl Transformation {
    /// The transformation of that name, in any case; `None` when there is no such.
    pub fn named(name: &str) -> Option<Self> {
        let _ = name;
        Option::None
    }

    /// The name as ModSecurity writes it.
    pub const fn name(self) -> &'static str {
        ""
    }

    /// What must be present for [`Self::apply`] to change anything.
    pub fn changed_by(self) -> ChangedBy {
        ChangedBy::Anything
    }

    /// Transforms the value; borrowed when the result is the value or a part of it.
    pub fn apply(self, value: &[u8]) -> Cow<'_, [u8]> {
        Cow::Borrowed(value)
    }
}
