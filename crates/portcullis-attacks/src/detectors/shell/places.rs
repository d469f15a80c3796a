//! Places in a value where a shell would begin a command.

/// What lets a command begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// The value itself.
    Start,
    /// `;`, `|`, `||`, `&&`.
    Separator,
    /// `&`, which also joins names and parameters.
    Ampersand,
    /// A line's end, which also ends lines of text.
    Line,
    /// `\n` as two characters, `%0a` as three.
    WrittenLine,
    /// `$(…)`, `<(…)`.
    Substitution,
    /// Backticks, which also quote code in prose.
    Backtick,
}

/// A place where a command may begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) opening: Opening,
    /// Where what opens it stands.
    pub(super) at: usize,
    /// Where the command begins.
    pub(super) command: usize,
}

/// All places in a value, first the value itself.
pub(super) fn all(lower: &[u8]) -> impl Iterator<Item = Place> {
    let start = lower
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\'' | b'"' | b')' | b'+' | b'@' | b'{'))
        .count();
    std::iter::once(Place { opening: Opening::Start, at: 0, command: start }).chain(Places { lower, at: 0 })
}

struct Places<'a> {
    lower: &'a [u8],
    at: usize,
}

impl Iterator for Places<'_> {
    type Item = Place;

    fn next(&mut self) -> Option<Place> {
        loop {
            let skipped = self.lower.get(self.at..)?.iter().position(|byte| opens(*byte))?;
            let at = self.at + skipped;
            let rest = self.lower.get(at..)?;
            let found = match rest {
                [b';' | b'|', ..] | [b'&', b'&', ..] => Some((Opening::Separator, 1)),
                [b'&', ..] => Some((Opening::Ampersand, 1)),
                [b'\n' | b'\r', ..] => Some((Opening::Line, 1)),
                [b'\\', b'n' | b'r', ..] => Some((Opening::WrittenLine, 2)),
                [b'%', b'0', b'a' | b'd', ..] => Some((Opening::WrittenLine, 3)),
                [b'%', b'3', b'b', ..] | [b'%', b'7', b'c', ..] | [b'%', b'2', b'6', ..] => {
                    Some((Opening::Separator, 3))
                }
                [b'`', ..] => Some((Opening::Backtick, 1)),
                // `$((` is arithmetic and runs nothing.
                [b'$', b'(', b'(', ..] => None,
                [b'$' | b'<' | b'>', b'(', ..] => Some((Opening::Substitution, 2)),
                _ => None,
            };
            let Some((opening, length)) = found else {
                self.at = at + 1;
                continue;
            };
            let more = self.lower.get(at + length..).unwrap_or_default();
            // An empty pair of backticks runs nothing.
            let is_glue = |byte: &&u8| is_glue(**byte) || (opening == Opening::Backtick && **byte == b'`');
            let glue = more.iter().take_while(is_glue).count();
            self.at = at + length + glue;
            let mut opening = opening;
            // `\r\n;` and `& |`: the strongest operator of a run counts.
            if glue > 0
                && more.get(..glue).is_some_and(|run| run.iter().any(|byte| matches!(byte, b'|' | b';')))
            {
                opening = Opening::Separator;
            }
            let written = written_lines(self.lower.get(self.at..).unwrap_or_default());
            self.at += written;
            return Some(Place { opening, at, command: self.at });
        }
    }
}

fn opens(byte: u8) -> bool {
    matches!(byte, b';' | b'|' | b'&' | b'\n' | b'\r' | b'`' | b'$' | b'<' | b'>' | b'\\' | b'%')
}

/// What may stand between an operator and its command: more operators, blanks, `(` and `{` and `!` that group.
fn is_glue(byte: u8) -> bool {
    matches!(
        byte,
        b';' | b'|' | b'&' | b'\n' | b'\r' | b' ' | b'\t' | b'(' | b'{' | b'!' | b'+' | 0x0b | 0x0c
    )
}

/// Line ends still encoded after an operator: `&&%0aecho`.
fn written_lines(rest: &[u8]) -> usize {
    let mut length = 0;
    loop {
        length += match rest.get(length..).unwrap_or_default() {
            [b'%', b'0', b'a' | b'd' | b'9', ..] | [b'%', b'2', b'0', ..] => 3,
            [b'\\', b'n' | b'r', ..] => 2,
            [b' ', ..] if length > 0 => 1,
            _ => return length,
        };
    }
}
