//! How sure it is that a command was found.

use super::{
    commands::{self, Command, Fits, Rarity},
    places::{self, Opening, Place},
    words::{self, Word},
};
use crate::{
    class::Class,
    hit::Hit,
    leaf::{Field, Where},
    view::View,
};

/// The surest command of a value.
pub(super) fn best_command(view: &View<'_>) -> Option<Hit> {
    let mut best: Option<Hit> = None;
    let mut surroundings = None;
    for place in places::all(view.lower) {
        let Some(found) = read(view, place) else { continue };
        let surroundings = *surroundings.get_or_insert_with(|| Surroundings::of(view));
        let Some(hit) = judge(view, place, &found, surroundings) else { continue };
        let is_sure = hit.score >= 10;
        if best.as_ref().is_none_or(|best| best.score < hit.score) {
            best = Some(hit);
        }
        if is_sure {
            break;
        }
    }
    best
}

/// What stands about a command.
#[derive(Clone, Copy)]
struct Surroundings {
    /// Many words of a language: a text, in which a command would be an example.
    is_prose: bool,
    /// Lines that are not empty.
    lines: usize,
    /// An address or a form's body, in which `&` joins parameters.
    is_address: bool,
    /// It begins with a command itself.
    is_command_line: bool,
}

/// How much of a value is read to tell prose.
const PROSE_LOOK_BYTES: usize = 1024;

/// Words of letters alone, of which a text has more.
const PROSE_WORDS_MIN: usize = 7;

impl Surroundings {
    fn of(view: &View<'_>) -> Self {
        let head = view.lower.get(..PROSE_LOOK_BYTES).unwrap_or(view.lower);
        let words = head.split(|byte| byte.is_ascii_whitespace());
        let is_language = |word: &&[u8]| {
            let word = word.strip_suffix(b",").or_else(|| word.strip_suffix(b".")).unwrap_or(word);
            word.len() >= 2 && word.iter().all(u8::is_ascii_alphabetic) && commands::known(word).is_none()
        };
        let is_address = head.windows(3).take(16).any(|three| three == b"://")
            || (head.contains(&b'=') && !head.iter().any(u8::is_ascii_whitespace));
        Self {
            is_prose: words.filter(is_language).count() >= PROSE_WORDS_MIN,
            lines: head.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count(),
            is_address,
            is_command_line: words::next(view.lower, 0, false).is_some_and(|word| {
                word.start == 0 && !word.is_broken && commands::known(base_name(&word.text).0).is_some()
            }),
        }
    }
}

/// A known command with what follows it.
struct Found {
    command: Command,
    /// How its first argument fits; [`Fits::NONE`] where it does not.
    fits: Fits,
    /// The command was hidden by quotes, escapes, variables, or named by its path.
    is_disguised: bool,
    has_path: bool,
    is_shell: bool,
    end: usize,
}

/// Reads the command at a place, if one is known there.
fn read(view: &View<'_>, place: Place) -> Option<Found> {
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
fn base_name(text: &[u8]) -> (&[u8], bool) {
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

fn judge(view: &View<'_>, place: Place, found: &Found, about: Surroundings) -> Option<Hit> {
    let real = found.fits.has(Fits(!(Fits::BARE.0 | Fits::LAST_WORD.0)));
    let is_rare = found.command.rarity == Rarity::Rare;
    let is_strong =
        real || (is_rare && found.fits.has(Fits::BARE)) || (found.has_path && found.fits != Fits::NONE);
    let is_medium = found.fits != Fits::NONE;
    let prefix = view.lower.get(..place.at).unwrap_or_default();
    let is_short = prefix.len() <= COMPACT_BYTES_MAX;
    let prefix = prefix.get(..COMPACT_BYTES_MAX).unwrap_or(prefix);
    let prefix_words = prefix.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).take(4).count();
    let is_compact = prefix_words <= 1 && is_short;
    let is_english = prefix_words > 0
        && prefix.trim_ascii().iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b' ');
    let base = match (place.opening, is_strong, is_medium) {
        (Opening::Separator | Opening::Substitution, true, _) => 10,
        (Opening::Substitution, false, true) => 10,
        // `wait; sleep` is punctuated as a language is; `a;id` is not.
        (Opening::Separator, false, true) if is_compact && is_english && place.command > place.at + 1 => 5,
        // `name;date` and `title|date|id` list fields.
        (Opening::Separator, false, true)
            if is_compact && is_english && found.command.rarity == Rarity::Everyday =>
        {
            4
        }
        (Opening::Separator, false, true) if is_compact && is_list(prefix) => 5,
        (Opening::Separator, false, true) if is_compact => 10,
        (Opening::Separator, false, true) => 6,
        (Opening::Ampersand, true, _) if !(about.is_address && found.fits.has(Fits::BARE)) => 10,
        (Opening::Ampersand, _, true) if about.is_address => 3,
        (Opening::Ampersand, _, true) if is_compact && !is_english => 10,
        (Opening::Ampersand, _, true) => 4,
        (Opening::Line | Opening::WrittenLine, true, _) if is_compact || about.lines <= LINES_FEW => 10,
        (Opening::Line | Opening::WrittenLine, true, _) => 6,
        (Opening::Line, false, true) if is_compact && about.lines <= LINES_FEW => 10,
        (Opening::WrittenLine, false, true) if is_compact => 10,
        (Opening::Line, false, true) => 3,
        // `run `ls -la` please`
        (Opening::Backtick, _, true) if is_english && prefix.ends_with(b" ") => 5,
        (Opening::Backtick, _, true) if !about.is_prose => 10,
        (Opening::Backtick, true, _) => 5,
        (Opening::Start, true, _) if view.leaf.at == Where::Path && !real => return None,
        (Opening::Start, true, _) if names_command(view.leaf.name) => 10,
        (Opening::Start, true, _) if is_rare && real => 10,
        // A shell by itself is what a container starts with.
        (Opening::Start, true, _) if found.fits == Fits::BARE && found.is_shell => 5,
        (Opening::Start, true, _) if found.has_path || found.is_disguised => 10,
        // A whole value that only a machine reads: whoever sends it sees whether it is run.
        (Opening::Start, true, _)
            if is_rare && found.end >= view.text.trim_ascii_end().len() && view.leaf.at != Where::Name =>
        {
            10
        }
        (Opening::Start, true, _) if is_rare => 8,
        (Opening::Start, true, _)
            if found.fits.has(Fits::NUMBER.or(Fits::EXPANSION))
                && !found.fits.has(Fits::PATH.or(Fits::REDIRECT)) =>
        {
            6
        }
        (Opening::Start, true, _) => 10,
        (Opening::Start, false, true) if found.is_disguised => 8,
        (Opening::Start, false, true) if names_command(view.leaf.name) => 10,
        (_, false, false) if is_rare && found.is_disguised => 8,
        (_, false, false) if is_rare && place.opening != Opening::Start && place.opening != Opening::Line => {
            4
        }
        _ => return None,
    };
    let base: u8 = if found.is_disguised && base >= 4 { (base + 3).min(10) } else { base };
    let score = weigh(view, place.opening, base, is_strong, about);
    (score > 0).then(|| Hit {
        class: Class::Shell,
        rule: rule(place.opening),
        score,
        span: place.at..found.end.min(view.text.len()),
        why: why(place.opening),
    })
}

/// Words and separators alone.
fn is_list(prefix: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'|' | b';' | b'_');
    prefix.iter().any(|byte| matches!(byte, b'|' | b';'))
        && prefix.iter().all(is_part)
        && prefix.first().is_some_and(u8::is_ascii_alphabetic)
}

/// A longer text before an operator is more than the argument that the application puts there.
const COMPACT_BYTES_MAX: usize = 48;

/// Values of more lines are texts.
const LINES_FEW: usize = 3;

/// Fields by whose name a web shell or a hole runs what they hold.
fn names_command(name: &str) -> bool {
    let is = |other: &&str| name.eq_ignore_ascii_case(other);
    ["cmd", "command", "exec", "syscmd", "shell", "run", "cmdline", "ping", "execute", "system"]
        .iter()
        .any(is)
}

fn weigh(view: &View<'_>, opening: Opening, base: u8, is_strong: bool, about: Surroundings) -> u8 {
    let is_text = about.is_prose || about.lines > LINES_FEW;
    match view.leaf.field {
        Field::Prose | Field::Markup | Field::Query if is_text => match opening {
            Opening::Separator | Opening::Substitution if is_strong => base.min(4),
            _ => base.min(2),
        },
        Field::Prose | Field::Markup | Field::Query => match opening {
            Opening::Backtick | Opening::Line | Opening::WrittenLine | Opening::Start => base.min(5),
            // A field of texts may hold a command line as such: `cd src && ls -la`.
            _ if about.is_command_line => base.min(5),
            Opening::Separator | Opening::Ampersand | Opening::Substitution if is_strong => base,
            _ => base.min(6),
        },
        Field::Code => base.min(3),
        Field::UserAgent if !is_strong || opening == Opening::Start => base.min(3),
        Field::Opaque if !is_strong => base.min(5),
        Field::Url if opening == Opening::Ampersand && !is_strong => 1,
        _ if is_text && opening == Opening::Start => base.min(4),
        Field::Unknown
        | Field::Token
        | Field::Url
        | Field::File
        | Field::Opaque
        | Field::UserAgent
        | Field::Referer => base,
    }
}

fn rule(opening: Opening) -> &'static str {
    match opening {
        Opening::Start => "command_as_value",
        Opening::Separator | Opening::Ampersand => "command_after_separator",
        Opening::Line | Opening::WrittenLine => "command_on_new_line",
        Opening::Substitution => "command_substitution",
        Opening::Backtick => "command_in_backticks",
    }
}

fn why(opening: Opening) -> &'static str {
    match opening {
        Opening::Start => "a value that is a command with arguments that fit it",
        Opening::Separator | Opening::Ampersand => "a command after an operator that ends the one before",
        Opening::Line | Opening::WrittenLine => "a command after a line's end",
        Opening::Substitution => "a command whose output a shell would put in its place",
        Opening::Backtick => "a command in backticks, whose output a shell would put in their place",
    }
}
