//! Words of a command line as a shell hands them on: without quotes, escapes and empty expansions.

use smallvec::SmallVec;

/// A word after the shell's reading.
#[derive(Debug, Default)]
pub(super) struct Word {
    /// What the shell makes of it, cut at [`WORD_BYTES_MAX`].
    pub(super) text: SmallVec<[u8; 64]>,
    /// Where it begins and ends in the value.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Quotes within it, escapes, empty variables: what only serves to hide a word.
    pub(super) is_broken: bool,
    /// `*`, `?`, `[`.
    pub(super) has_glob: bool,
    /// Begins with a quote, a variable or a substitution.
    pub(super) is_expansion: bool,
}

/// Longer words are no command; as arguments their beginning says enough. What is read again from another place is
/// never longer, so that reading stays linear.
const WORD_BYTES_MAX: usize = 64;

/// The longest command with its directory.
const NAME_BYTES_MAX: usize = 40;

/// The bytes that end a command.
pub(super) fn is_operator(byte: u8) -> bool {
    matches!(byte, b';' | b'|' | b'&' | b'\n' | b'\r' | b'`' | b'<' | b'>' | b'(' | b')')
}

/// Skips blanks, real and hidden ones; whether there were hidden ones.
fn blanks(lower: &[u8], mut at: usize) -> (usize, bool) {
    let mut hidden = false;
    loop {
        let rest = lower.get(at..).unwrap_or_default();
        at += match rest {
            [b' ' | b'\t' | b'+' | 0x0b | 0x0c, ..] => 1,
            [b'%', b'0', b'9', ..] | [b'%', b'2', b'0', ..] => 3,
            [0xc2 | 0xc0, 0xa0, ..] => 2,
            _ => match hidden_blank(rest) {
                0 => return (at, hidden),
                length => {
                    hidden = true;
                    length
                }
            },
        };
    }
}

/// How long a spelling of `$IFS` begins the text: `$IFS`, `$IFS$9`, `${IFS}`, `${IFS%??}`.
pub(super) fn hidden_blank(rest: &[u8]) -> usize {
    if let Some(after) = rest.strip_prefix(b"$ifs") {
        return match after {
            [b'$', b'0'..=b'9' | b'@' | b'*', ..] => 6,
            _ => 4,
        };
    }
    if rest.starts_with(b"${ifs") {
        let end = rest.iter().take(24).position(|byte| *byte == b'}');
        return end.map_or(0, |end| end + 1);
    }
    0
}

/// Reads the next word at or after a place; none where the command ends. The text is in lower case.
pub(super) fn next(lower: &[u8], at: usize, in_braces: bool) -> Option<Word> {
    read(lower, at, in_braces, WORD_BYTES_MAX)
}

/// Reads a word that may be a command's name: what is longer is none.
pub(super) fn name(lower: &[u8], at: usize, in_braces: bool) -> Option<Word> {
    read(lower, at, in_braces, NAME_BYTES_MAX).filter(|word| word.text.len() < NAME_BYTES_MAX)
}

fn read(lower: &[u8], at: usize, in_braces: bool, bytes_max: usize) -> Option<Word> {
    let (mut start, mut hidden) = blanks(lower, at);
    if in_braces && lower.get(start) == Some(&b',') {
        start += 1;
        hidden = true;
    }
    let mut word = Word { start, end: start, is_broken: hidden, ..Word::default() };
    let mut at = start;
    while let Some(byte) = lower.get(at) {
        let rest = lower.get(at..).unwrap_or_default();
        if word.text.len() >= bytes_max || at - start >= 3 * bytes_max {
            break;
        }
        match *byte {
            b' ' | b'\t' | b'+' | 0x0b | 0x0c if at > start || !word.text.is_empty() => break,
            b',' if in_braces => break,
            b'}' if in_braces => break,
            b'`' if rest.starts_with(b"``") => {
                word.is_broken = true;
                at += 2;
            }
            byte if is_operator(byte) => break,
            b'\'' | b'"' => {
                word.is_expansion |= at == start;
                at = quoted(lower, at, *byte, &mut word);
            }
            b'\\' | b'^' => {
                // A path's backslashes separate; in a word of letters they only hide it.
                word.is_broken |=
                    rest.get(1).is_some_and(u8::is_ascii_alphanumeric) && *byte == b'^' || *byte == b'\\';
                if *byte == b'\\' && is_path_so_far(&word.text) {
                    word.text.push(b'\\');
                }
                at += 1;
            }
            b'$' => match dollar(rest, &mut word, at == start) {
                0 => break,
                length => at += length,
            },
            b'%' if rest.starts_with(b"%09") || rest.starts_with(b"%20") => break,
            0xc2 | 0xc0 if rest.get(1) == Some(&0xa0) => break,
            // Characters without width vanish somewhere on the way.
            0xe2 if matches!(rest, [_, 0x80, 0x8b..=0x8f, ..]) => {
                word.is_broken = true;
                at += 3;
            }
            byte => {
                word.has_glob |= matches!(byte, b'*' | b'?' | b'[');
                word.text.push(byte);
                at += 1;
            }
        }
    }
    word.end = at;
    (at > start).then_some(word)
}

/// Whether what was read is the beginning of a Windows path: `c:`, `\\`, `..`.
fn is_path_so_far(text: &[u8]) -> bool {
    text.contains(&b':') || text.contains(&b'\\') || text.starts_with(b"..") || text.starts_with(b"%")
}

/// The longest text between quotes taken for part of a word.
const QUOTED_BYTES_MAX: usize = 96;

/// Reads a quote: a pair in or before a word is glue, a lonely one closes what the application opened.
fn quoted(lower: &[u8], at: usize, quote: u8, word: &mut Word) -> usize {
    let inside = lower.get(at + 1..).unwrap_or_default();
    let Some(length) = inside.iter().take(QUOTED_BYTES_MAX).position(|byte| *byte == quote) else {
        return at + 1;
    };
    let content = inside.get(..length).unwrap_or_default();
    let is_glue = !content.iter().any(|byte| is_operator(*byte) || byte.is_ascii_whitespace());
    if !is_glue {
        // A quoted text is an argument by itself; as a command it is none.
        word.text.extend(content.iter().copied().take(16));
        return at + length + 2;
    }
    let next_is_word = inside
        .get(length + 1)
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'\'' | b'"'));
    word.is_broken |= !word.text.is_empty() || next_is_word;
    word.text.extend(content.iter().copied().filter(|byte| *byte != b'\\'));
    at + length + 2
}

/// Reads what a dollar begins and how long it is; 0 where it ends the word.
fn dollar(rest: &[u8], word: &mut Word, is_first: bool) -> usize {
    word.is_expansion |= is_first;
    if hidden_blank(rest) > 0 {
        return 0;
    }
    match rest {
        [_, b'@' | b'*' | b'0'..=b'9' | b'!' | b'#', ..] => {
            word.is_broken = true;
            2
        }
        // `${x}` is empty, unless it slices: `${PATH:0:1}` and `${HOME%%u*}` are ways to write `/`.
        [_, b'{', inside @ ..] => {
            let Some(length) = inside.iter().take(48).position(|byte| *byte == b'}') else { return 0 };
            let name = inside.get(..length).unwrap_or_default();
            if name.windows(2).any(|two| two == b"%%" || two == b":0") || name.ends_with(b":1") {
                word.text.push(b'/');
            }
            word.is_broken = true;
            length + 3
        }
        // `$(br)` that gives nothing.
        [_, b'(', inside @ ..] => {
            let Some(length) = inside.iter().take(16).position(|byte| *byte == b')') else { return 0 };
            let is_name = inside.get(..length).is_some_and(|name| name.iter().all(u8::is_ascii_alphabetic));
            if is_first || !is_name {
                return 0;
            }
            word.is_broken = true;
            length + 3
        }
        // ANSI-C quoting: `$'\x63\x61\x74'`.
        [_, b'\'', ..] => {
            word.is_broken = true;
            1
        }
        [_, inside @ ..] => {
            let length =
                inside.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            word.is_broken |= length > 0;
            length + 1
        }
        [] => 0,
    }
}
