//! How sure it is that a command was found.

use super::{
    commands::{self, Fits, Rarity},
    line::{self, Found},
    places::{self, Opening, Place},
    words,
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
        let Some(found) = line::read(view, place) else { continue };
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
                word.start == 0 && !word.is_broken && commands::known(line::base_name(&word.text).0).is_some()
            }),
        }
    }
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
