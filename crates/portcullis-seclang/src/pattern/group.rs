//! What stands behind an opening parenthesis, and how often things repeat.

use super::PatternError;
use super::translate::Flags;

/// An opening parenthesis, understood.
pub(super) enum Opening {
    /// `(?#...)`, wholly read.
    Comment,
    /// `(?i)`: flags for the rest of the enclosing group.
    SetFlags(String, Flags),
    /// A group, with the flags inside it.
    Group(String, Flags),
}

const NOT_LINEAR: &str = "needs an engine that backtracks, which an attacker could keep busy";

/// Reads the group that opens at `start` up to its content; also answers where that begins.
pub(super) fn read(pattern: &[u8], start: usize, flags: Flags) -> Result<(Opening, usize), PatternError> {
    let after = pattern.get(start + 1..).unwrap_or_default();
    let refuse = |what: &str| Err(PatternError::at(start, format!("{what} {NOT_LINEAR}")));
    match after {
        [b'*', b'A'..=b'Z' | b'a'..=b'z' | b':', ..] => refuse("a control verb"),
        [b'?', b'#', comment @ ..] => match comment.iter().position(|byte| *byte == b')') {
            Some(length) => Ok((Opening::Comment, start + 3 + length + 1)),
            None => Err(PatternError::at(start, "this comment is not closed")),
        },
        [b'?', b':', ..] => Ok((Opening::Group("(?:".into(), flags), start + 3)),
        [b'?', b'=' | b'!', ..] => refuse("look-ahead"),
        [b'?', b'<', b'=' | b'!', ..] => refuse("look-behind"),
        [b'?', b'>', ..] => refuse("an atomic group"),
        [b'?', b'|', ..] => {
            Err(PatternError::at(start, "groups that share numbers are not supported; use `(?:`"))
        }
        [b'?', b'(', ..] => refuse("a condition"),
        [b'?', b'R' | b'&' | b'0'..=b'9' | b'+', ..]
        | [b'?', b'-', b'0'..=b'9', ..]
        | [b'?', b'P', b'>', ..] => refuse("recursion"),
        [b'?', b'P', b'=', ..] => refuse("a back-reference"),
        [b'?', b'C', ..] => Err(PatternError::at(start, "a callout has nothing to call")),
        [b'?', b'P', b'<', name @ ..] => named(name, b'>', start, start + 4, flags),
        [b'?', b'<', name @ ..] => named(name, b'>', start, start + 3, flags),
        [b'?', b'\'', name @ ..] => named(name, b'\'', start, start + 3, flags),
        [b'?', text @ ..] => set_flags(text, start, flags),
        _ => Ok((Opening::Group("(".into(), flags), start + 1)),
    }
}

/// Names are checked and dropped: what two groups may share in PCRE they may not share in the engine.
fn named(
    text: &[u8],
    close: u8,
    start: usize,
    name_at: usize,
    flags: Flags,
) -> Result<(Opening, usize), PatternError> {
    let length = text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let starts_well = text.first().is_some_and(|byte| !byte.is_ascii_digit());
    if length == 0 || !starts_well || text.get(length) != Some(&close) {
        return Err(PatternError::at(start, "the name of this group is malformed"));
    }
    Ok((Opening::Group("(".into(), flags), name_at + length + 1))
}

/// `(?i-s)` and `(?i-s:`.
fn set_flags(text: &[u8], start: usize, outer: Flags) -> Result<(Opening, usize), PatternError> {
    let mut flags = outer;
    let (mut set, mut cleared) = (String::new(), String::new());
    let mut on = true;
    for (byte, read) in text.iter().zip(1usize..) {
        match byte {
            b'^' if read == 1 => {
                flags = Flags { caseless: false, multi_line: false, extended: false };
                cleared.push_str("is");
                continue;
            }
            b'-' if on => {
                on = false;
                continue;
            }
            b'i' => flags.caseless = on,
            b'm' => flags.multi_line = on,
            // White space and comments are dropped here, so that the engine need not know.
            b'x' => {
                flags.extended = on;
                continue;
            }
            b'J' => continue,
            b's' | b'U' => {}
            b')' | b':' => {
                let opening = |text: String| match byte {
                    b')' => Opening::SetFlags(text, flags),
                    _ => Opening::Group(text, flags),
                };
                let text = written(&set, &cleared, *byte == b':');
                return Ok((opening(text), start + 2 + read));
            }
            _ => return Err(PatternError::at(start, "this group is of no kind that is known")),
        }
        let letters = if on { &mut set } else { &mut cleared };
        letters.push(char::from(*byte));
    }
    Err(PatternError::at(start, "this `(` is not closed"))
}

/// The flags in the engine's spelling; nothing at all when none of them is left.
fn written(set: &str, cleared: &str, group: bool) -> String {
    let only_once = |letters: &str| {
        let mut seen = String::new();
        for letter in letters.chars() {
            if !seen.contains(letter) {
                seen.push(letter);
            }
        }
        seen
    };
    let cleared: String = only_once(cleared).chars().filter(|letter| !set.contains(*letter)).collect();
    let set = only_once(set);
    let minus = if cleared.is_empty() { "" } else { "-" };
    match (group, set.is_empty() && cleared.is_empty()) {
        (true, _) => format!("(?{set}{minus}{cleared}:"),
        (false, true) => String::new(),
        (false, false) => format!("(?{set}{minus}{cleared})"),
    }
}

/// The length of `n}`, `n,}` or `n,m}` at the start, which an opening brace makes a repetition; otherwise the brace is a
/// plain character.
pub(super) fn repetition(after_brace: &[u8]) -> Option<usize> {
    let number = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let least = number(after_brace);
    if least == 0 {
        return None;
    }
    match after_brace.get(least..)? {
        [b'}', ..] => Some(least + 1),
        [b',', more @ ..] => {
            let most = number(more);
            (more.get(most) == Some(&b'}')).then_some(least + 1 + most + 1)
        }
        _ => None,
    }
}

/// How many capture groups the pattern opens, to tell back-references from octal escapes. Over-counting in odd places
/// (quotes, comments) only turns an octal escape into a refusal.
pub(super) fn captures(pattern: &[u8]) -> usize {
    let mut count = 0;
    let mut rest = pattern;
    let mut in_class = false;
    loop {
        rest = match rest {
            [] => return count,
            [b'\\', _, tail @ ..] => tail,
            [b'[', b'^', b']', tail @ ..] | [b'[', b']', tail @ ..] if !in_class => {
                in_class = true;
                tail
            }
            [byte, tail @ ..] => {
                let captures = match tail {
                    [b'?', b'P', b'<', ..] | [b'?', b'\'', ..] => true,
                    [b'?', b'<', next, ..] => !matches!(next, b'=' | b'!'),
                    [b'?', ..] => false,
                    _ => true,
                };
                count += usize::from(*byte == b'(' && !in_class && captures);
                in_class = (in_class || *byte == b'[') && *byte != b']';
                tail
            }
        };
    }
}
