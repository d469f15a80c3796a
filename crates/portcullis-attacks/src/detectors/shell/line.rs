//! Reading the command at a place, with what follows it.

use super::{
    commands::{self, Command, Fits, Rarity},
    places::Place,
    words::{self, Word},
};
use crate::view::View;

/// A known command with what follows it.
pub(super) struct Found {
    pub(super) command: Command,
    /// How its first argument fits; [`Fits::NONE`] where it does not.
    pub(super) fits: Fits,
    /// The command was hidden by quotes, escapes, variables, or named by its path.
    pub(super) is_disguised: bool,
    pub(super) has_path: bool,
    pub(super) is_shell: bool,
    pub(super) end: usize,
}

/// Reads the command at a place, if one is known there.
pub(super) fn read(view: &View<'_>, place: Place) -> Option<Found> {
    let in_braces = place.command.checked_sub(1).and_then(|before| view.lower.get(before)) == Some(&b'{');
    let mut at = place.command;
    let mut was_prefixed = false;
    for _ in 0..PREFIXES_MAX {
        let word = words::name(view.lower, at, in_braces)?;
        at = word.end;
        // An assignment, or a variable that is empty: what follows is the command.
        if let Some(found) = of_variables(view.lower, &word) {
            return Some(found);
        }
        if is_assignment(&word) || (word.text.is_empty() && word.is_broken) {
            continue;
        }
        let (name, has_path) = base_name(&word.text);
        let Some(command) = commands::known(name) else {
            // `timeout 5 id`, `sudo -u root id`.
            if was_prefixed && word.text.first().is_some_and(|byte| *byte == b'-' || byte.is_ascii_digit()) {
                continue;
            }
            if has_path && is_program_directory(&word.text) && word.has_glob {
                return Some(of_glob(&word));
            }
            return None;
        };
        // A call of a function of that name, a member, a key: `sleep(1)`, `id:`, `date=`.
        if view.lower.get(at) == Some(&b'(') || is_capitalised(view.text, &word, command) {
            return None;
        }
        if command.rarity == Rarity::Prefix {
            was_prefixed = true;
            continue;
        }
        if has_path && !is_program_directory(&word.text) {
            return None;
        }
        let (fits, end) = argument(view.lower, &word, command, in_braces);
        let is_disguised = word.is_broken || has_hidden_blank(view.lower, &word) || in_braces;
        let is_shell = name.ends_with(b"sh");
        return Some(Found { command, fits, is_disguised, has_path, is_shell, end });
    }
    None
}

/// Prefixes and assignments before a command that are skipped.
const PREFIXES_MAX: usize = 6;

/// `a=wh;b=oami;$a$b`: a name put together from variables that the value itself has set.
fn of_variables(lower: &[u8], word: &Word) -> Option<Found> {
    let spelling = lower.get(word.start..word.end)?;
    let mut parts = spelling.split(|byte| *byte == b'$');
    let is_name = |part: &[u8]| {
        part.first().is_some_and(u8::is_ascii_alphabetic) && part.iter().all(u8::is_ascii_alphanumeric)
    };
    let is_made_of_variables = parts.next() == Some(b"") && parts.clone().count() >= 2 && parts.all(is_name);
    let first = spelling.get(1..)?.split(|byte| *byte == b'$').next()?;
    if !(word.text.is_empty() && is_made_of_variables) {
        return None;
    }
    let before = lower.get(..word.start)?;
    let before = before.get(before.len().saturating_sub(SETTINGS_BYTES_MAX)..)?;
    let mut set = before.split(|byte| matches!(byte, b';' | b'&' | b' '));
    if !set.any(|part| part.strip_prefix(first).is_some_and(|rest| rest.starts_with(b"="))) {
        return None;
    }
    let command = Command { rarity: Rarity::Rare, fits: Fits::EXPANSION, subcommands: &[] };
    let fits = Fits::EXPANSION;
    Some(Found { command, fits, is_disguised: true, has_path: false, is_shell: false, end: word.end })
}

/// How far back a variable's setting is looked for.
const SETTINGS_BYTES_MAX: usize = 128;

fn of_glob(word: &Word) -> Found {
    let command = Command { rarity: Rarity::Rare, fits: Fits::PATH, subcommands: &[] };
    Found { command, fits: Fits::PATH, is_disguised: true, has_path: true, is_shell: false, end: word.end }
}

fn has_hidden_blank(lower: &[u8], word: &Word) -> bool {
    lower.get(word.end..).is_some_and(|rest| words::hidden_blank(rest) > 0)
}

/// `A=b` before a command sets its environment.
fn is_assignment(word: &Word) -> bool {
    let Some(equals) = word.text.iter().position(|byte| *byte == b'=') else { return false };
    let name = word.text.get(..equals).unwrap_or_default();
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// `Sleep` is a word at the beginning of a sentence or a name, and `PRINT` is somebody shouting; only Windows does not care.
fn is_capitalised(text: &[u8], word: &Word, command: Command) -> bool {
    let mut letters =
        text.get(word.start..word.end).unwrap_or_default().iter().filter(|byte| byte.is_ascii_alphabetic());
    let is_upper = |letter: Option<&u8>| letter.is_some_and(u8::is_ascii_uppercase);
    let (first, second) = (is_upper(letters.next()), is_upper(letters.next()));
    first && (!second || (command.rarity != Rarity::Rare && !commands::is_of_windows(&word.text)))
}

/// A command's name without directory and ending, and whether there was a directory.
pub(super) fn base_name(text: &[u8]) -> (&[u8], bool) {
    let slash = text.iter().rposition(|byte| matches!(byte, b'/' | b'\\'));
    let name = slash.map_or(text, |slash| text.get(slash + 1..).unwrap_or_default());
    let name = name.strip_suffix(b".exe").or_else(|| name.strip_suffix(b".com")).unwrap_or(name);
    // A quote or brace that the application opened may close here.
    let end = name.iter().rposition(|byte| !matches!(byte, b'}' | b']' | b',')).map_or(0, |last| last + 1);
    (name.get(..end).unwrap_or(name), slash.is_some())
}

/// Directories that hold programs, also as globs.
fn is_program_directory(text: &[u8]) -> bool {
    const DIRECTORIES: [&[u8]; 11] = [
        b"/bin/",
        b"/usr/",
        b"/sbin/",
        b"/tmp/",
        b"./",
        b"/???/",
        b"/b??/",
        b"/?in/",
        b"/u??/",
        b"/var/tmp/",
        b"/*/",
    ];
    DIRECTORIES.iter().any(|directory| text.starts_with(directory))
        || text.contains(&b'\\') && memchr::memmem::find(text, b"system32").is_some()
        || text.starts_with(b"/bi?/")
        || text.starts_with(b"/b*/")
}

/// How what follows a command fits it, and where that ends.
fn argument(lower: &[u8], name: &Word, command: Command, in_braces: bool) -> (Fits, usize) {
    let mut at = name.end;
    let mut best = Fits::NONE;
    for count in 0..ARGUMENTS_MAX {
        let Some(word) = words::next(lower, at, in_braces) else {
            if count == 0 {
                return (after_bare(lower, at).both(command.fits), at);
            }
            break;
        };
        let ends = words::next(lower, word.end, in_braces).is_none();
        let class = classify(&word, command, ends && count == 0);
        at = word.end;
        best = best.or(class.both(command.fits));
        // The first word decides, unless it is a mere option: `ping -c 1 host`.
        if !class.has(Fits::OPTION) || best.has(Fits::PATH.or(Fits::HOST)) {
            break;
        }
    }
    if best != Fits::NONE
        && matches!(lower.get(at..).unwrap_or_default(), [b'<' | b'>', ..] | [b' ', b'<' | b'>', ..])
    {
        best = best.or(Fits::REDIRECT.both(command.fits));
    }
    (best, at)
}

/// Arguments looked at.
const ARGUMENTS_MAX: usize = 3;

/// What ends a command without arguments.
fn after_bare(lower: &[u8], at: usize) -> Fits {
    let rest = lower.get(at..).unwrap_or_default().trim_ascii_start();
    match rest {
        [b'<' | b'>', ..] => Fits::REDIRECT,
        [b'`' | b'(', ..] if !rest.is_empty() && rest.len() > 1 && rest.first() == Some(&b'(') => Fits::NONE,
        _ => Fits::BARE,
    }
}

/// What kind of argument a word is.
fn classify(word: &Word, command: Command, is_only: bool) -> Fits {
    let text = word.text.as_slice();
    if command.subcommands.iter().any(|it| it.as_bytes() == text) {
        return Fits::SUBCOMMAND;
    }
    if word.is_expansion {
        return Fits::EXPANSION;
    }
    match text {
        [] => Fits::EXPANSION,
        [b'-', second, ..] if second.is_ascii_alphanumeric() || *second == b'-' => Fits::OPTION,
        [b'/', letter, ..] if command.rarity == Rarity::Rare && letter.is_ascii_alphabetic() => {
            Fits::OPTION.or(Fits::PATH)
        }
        [b'#', ..] | [b'/', b'/', ..] => Fits::BARE,
        [b'/' | b'~', ..]
        | [b'.', b'/' | b'.', ..]
        | [_, b':', b'\\' | b'/', ..]
        | [b'\\', b'\\', ..]
        | [_, b':'] => Fits::PATH,
        [b'%', ..] => Fits::EXPANSION,
        _ if text.windows(3).take(10).any(|three| three == b"://") => Fits::HOST.or(Fits::PATH),
        _ if text.iter().all(u8::is_ascii_digit) => Fits::NUMBER,
        [digits @ .., b's' | b'm' | b'h'] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {
            Fits::NUMBER
        }
        _ if text.contains(&b'/') || word.has_glob => Fits::PATH,
        _ if is_dotted(text) => Fits::FILE.or(Fits::HOST),
        _ if is_only => Fits::LAST_WORD,
        _ => Fits::NONE,
    }
}

/// `shell.php`, `127.0.0.1`, `evil.example`; not `end.`
fn is_dotted(text: &[u8]) -> bool {
    let mut parts = text.split(|byte| *byte == b'.');
    let is_part = |part: &[u8]| !part.is_empty();
    parts.next().is_some_and(is_part) && text.contains(&b'.') && parts.all(is_part)
}
