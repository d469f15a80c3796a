//! Text that cannot pretend to be something else (CWE-117): log lines that cannot be forged, terminals that
//! cannot be driven.

use std::borrow::Cow;
use std::io::{self, Write};

/// Whether a character is invisible, moves what stands beside it, or steers a terminal: C0 and C1 controls,
/// DEL, line and paragraph separators, zero-width and bidirectional marks (CVE-2021-42574), tags.
pub const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with every hidden character spelled out as `\u{…}`: for a terminal and for plain-text logs.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Compact JSON in which hidden characters beyond those that JSON itself escapes are escaped too. It is still
/// JSON: a reader gets the characters back.
#[derive(Clone, Copy, Debug, Default)]
pub struct LineFormatter;

impl serde_json::ser::Formatter for LineFormatter {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.bytes().all(|b| b < 0x7f) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut units = [0; 2];
        let mut bytes = [0; 4];
        for c in fragment.chars() {
            if is_hidden(c) {
                for unit in c.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            } else {
                writer.write_all(c.encode_utf8(&mut bytes).as_bytes())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    fn json(text: &str) -> String {
        let mut out = Vec::new();
        text.serialize(&mut serde_json::Serializer::with_formatter(&mut out, LineFormatter)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_hidden_survives_and_nothing_is_lost() {
        let nasty = "a\n{\"seq\":1}\r\x1b[2J\u{7f}\u{85}\u{202e}gpj\u{2028}\u{200b}\u{e0041}é漢😀";
        assert!(!printable(nasty).chars().any(is_hidden));
        assert!(printable(nasty).ends_with("é漢😀"));
        let line = json(nasty);
        assert!(!line.chars().any(is_hidden), "{line}");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), nasty);
        assert!(matches!(printable("plain"), Cow::Borrowed(_)));
    }
}
