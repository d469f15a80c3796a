//! Runs of dots and separators in all their spellings.

use std::ops::Range;

/// The ways up found in a value.
#[derive(Debug)]
pub(super) struct Traversal {
    /// How many ways up in the longest path.
    pub(super) ups: u32,
    /// Whether dots or separators were spelt in a way that only evades.
    pub(super) is_disguised: bool,
    /// `..;/`.
    pub(super) is_parameter_trick: bool,
    /// Whether the value begins with them.
    pub(super) at_start: bool,
    /// Whether they continue a path: `/a/../`.
    pub(super) after_slash: bool,
    /// From the first to the last.
    pub(super) span: Range<usize>,
}

/// A character of a path as somebody may read it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Dot,
    Separator,
    /// A dot in disguise.
    StrangeDot,
    /// A separator in disguise.
    StrangeSeparator,
    /// Something that careless decoders turn into either, or drop.
    Strange,
    Other,
}

/// Reads all runs of a value; none where there is no way up and no disguise.
pub(super) fn read(lower: &[u8]) -> Option<Traversal> {
    let mut whole: Option<Traversal> = None;
    let mut at = 0;
    while let Some(start) = lower.get(at..).and_then(|rest| rest.iter().position(|byte| may_begin(*byte))) {
        let start = at + start;
        let run = run(lower, start);
        at = run.end.max(start + 1);
        if run.ups == 0 && !run.is_disguised {
            continue;
        }
        let follows_slash = start > 0 && matches!(lower.get(start), Some(b'/' | b'\\'));
        let traversal = whole.get_or_insert(Traversal {
            ups: 0,
            is_disguised: false,
            is_parameter_trick: false,
            at_start: start <= 1,
            after_slash: follows_slash,
            span: start..run.end,
        });
        traversal.ups = traversal.ups.saturating_add(run.ups);
        traversal.is_disguised |= run.is_disguised;
        traversal.is_parameter_trick |= run.is_parameter_trick;
        traversal.after_slash |= follows_slash;
        traversal.span.end = run.end;
    }
    whole
}

struct Run {
    end: usize,
    ups: u32,
    is_disguised: bool,
    is_parameter_trick: bool,
}

fn may_begin(byte: u8) -> bool {
    matches!(byte, b'.' | b'/' | b'\\' | b'%' | b'0' | 0..=8 | 0x80..)
}

/// Reads one run: an up is two dots, or what is taken for them, before a separator.
fn run(lower: &[u8], start: usize) -> Run {
    let mut run = Run { end: start, ups: 0, is_disguised: false, is_parameter_trick: false };
    let (mut dots, mut strange, mut strange_in_run, mut separators) = (0_u32, 0_u32, 0_u32, 0_u32);
    let mut at = start;
    loop {
        let rest = lower.get(at..).unwrap_or_default();
        if dots >= 2 && rest.starts_with(b";/") {
            run.is_parameter_trick = true;
            run.ups += 1;
            dots = 0;
            at += 2;
            continue;
        }
        let (unit, length) = unit(rest);
        match unit {
            Unit::Other => break,
            Unit::Dot => dots += 1,
            Unit::StrangeDot => {
                dots += 1;
                strange += 1;
            }
            Unit::Strange => strange += 1,
            Unit::Separator | Unit::StrangeSeparator => {
                separators += 1;
                strange += u32::from(unit == Unit::StrangeSeparator);
                // Two dots are one way up, and so is one dot whose neighbour nobody can read.
                if dots >= 2 || (dots + strange >= 3 && dots >= 1) {
                    run.ups += 1;
                }
                strange_in_run += strange;
                dots = 0;
                strange = 0;
            }
        }
        at += length;
    }
    strange_in_run += strange;
    // `..%c0%qfetc`: the run ends with something that stands for the separator.
    if strange > 0 && dots >= 2 {
        run.ups += 1;
    }
    run.end = at.max(start + 1);
    run.is_disguised = strange_in_run > 0 && (run.ups > 0 || (strange_in_run >= 4 && separators + dots > 0));
    run
}

/// Reads one character of a path and how long its spelling is. The text is in lower case.
fn unit(rest: &[u8]) -> (Unit, usize) {
    match rest {
        [b'.', ..] => (Unit::Dot, 1),
        [b'/' | b'\\', ..] => (Unit::Separator, 1),
        [b'%', ..] => percent(rest),
        [b'0', b'x', b'2', b'e', ..] => (Unit::StrangeDot, 4),
        [b'0', b'x', b'2', b'f', ..] | [b'0', b'x', b'5', b'c', ..] => (Unit::StrangeSeparator, 4),
        // NUL and its like vanish in some runtimes.
        [0..=8, ..] => (Unit::Strange, 1),
        // Overlong UTF-8: C0 and C1 begin nothing valid (RFC 3629 §10), whatever follows.
        [0xc0 | 0xc1, b'%', low, high, ..] if low.is_ascii_alphanumeric() && high.is_ascii_alphanumeric() => {
            (Unit::Strange, 4)
        }
        [0xc0 | 0xc1, b'.', ..] => (Unit::StrangeDot, 2),
        [0xc0, 0xae, ..] => (Unit::StrangeDot, 2),
        [0xc0, b'/' | b'\\' | 0xaf, ..] | [0xc1, 0x9c, ..] => (Unit::StrangeSeparator, 2),
        [0xc0 | 0xc1, following, ..] if !following.is_ascii_alphanumeric() => (Unit::Strange, 2),
        [0xc0 | 0xc1, ..] => (Unit::Strange, 1),
        [0xe0, 0x80, 0xae, ..] => (Unit::StrangeDot, 3),
        [0xe0, 0x80, 0xaf, ..] => (Unit::StrangeSeparator, 3),
        [0xf0, 0x80, 0x80, last, ..] => (overlong(*last), 4),
        [0xf8, 0x80, 0x80, 0x80, last, ..] => (overlong(*last), 5),
        [0xfc, 0x80, 0x80, 0x80, 0x80, last, ..] => (overlong(*last), 6),
        // Full-width and one-dot leader; division and fraction slashes; private characters that IIS mapped.
        [0xef, 0xbc, 0x8e, ..] | [0xe2, 0x80, 0xa4, ..] => (Unit::StrangeDot, 3),
        [0xef, 0xbc, 0x8f | 0xbc, ..]
        | [0xe2, 0x88, 0x95 | 0x96, ..]
        | [0xe2, 0x81, 0x84, ..]
        | [0xee, 0xbf, 0x88, ..]
        | [0xef, 0x80, 0xa5, ..] => (Unit::StrangeSeparator, 3),
        // The replacement character: bytes that were no text.
        [0xef, 0xbf, 0xbd, ..] => (Unit::Strange, 3),
        _ => (Unit::Other, 0),
    }
}

fn overlong(last: u8) -> Unit {
    match last {
        0xae => Unit::StrangeDot,
        0xaf => Unit::StrangeSeparator,
        _ => Unit::Strange,
    }
}

/// What is still percent-encoded, or only looks so: `%2e`, `%u2215`, `%c0%qf`, `%%32e`.
fn percent(rest: &[u8]) -> (Unit, usize) {
    match rest {
        [_, b'2', b'e', ..] => (Unit::StrangeDot, 3),
        [_, b'2', b'f', ..] | [_, b'5', b'c', ..] => (Unit::StrangeSeparator, 3),
        [_, b'2', b'5', following @ ..] => match following {
            [b'2', b'e', ..] => (Unit::StrangeDot, 5),
            [b'2', b'f', ..] | [b'5', b'c', ..] => (Unit::StrangeSeparator, 5),
            _ => (Unit::Other, 0),
        },
        [_, b'u', b'0', b'0', b'2', b'e', ..] | [_, b'u', b'f', b'f', b'0', b'e', ..] => {
            (Unit::StrangeDot, 6)
        }
        [_, b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) => {
            (Unit::StrangeSeparator, 6)
        }
        [_, b'0', b'0'..=b'8', ..] => (Unit::Strange, 3),
        [_, b'c', b'0' | b'1', b'%', a, b, ..] if a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric() => {
            (Unit::Strange, 6)
        }
        [_, b'c', b'0' | b'1', ..] => (Unit::Strange, 3),
        // `%2>` and `%qf` are no encoding: only a decoder that does not check makes something of them.
        [_, b'%', ..] => (Unit::Strange, 1),
        [_, b'2', b'>', ..] => (Unit::StrangeDot, 3),
        [_, first, second, ..]
            if (first.is_ascii_alphabetic() && second.is_ascii_alphabetic())
                && !(first.is_ascii_hexdigit() && second.is_ascii_hexdigit()) =>
        {
            (Unit::Strange, 3)
        }
        _ => (Unit::Other, 0),
    }
}
