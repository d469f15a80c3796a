//! Attributes that handle an event, in a tag or broken into one, and scripts that set a handler.

use crate::detectors::code::{calls, cursor, strongest::Strongest};

use super::idioms;

/// Judges every `name=` whose name is that of an event handler.
pub(super) fn look(lower: &[u8], strongest: &mut Strongest<'_, '_>) {
    let mut tags = memchr::memchr_iter(b'<', lower).peekable();
    let mut closes = memchr::memchr_iter(b'>', lower).peekable();
    let (mut tag, mut close) = (None, None);
    for equals in memchr::memchr_iter(b'=', lower) {
        let Some((start, end)) = name_before(lower, equals) else { continue };
        let Some(kind) = kind(cursor::part(lower, start, end)) else { continue };
        while let Some(open) = tags.next_if(|open| *open < start) {
            // `a < b` opens no tag; anything but a blank or a number may, to a browser or to a filter before it.
            let next = cursor::at(lower, open + 1);
            if !(cursor::is_blank(next) || next.is_ascii_digit() || matches!(next, b'=' | b'<' | b'-')) {
                tag = Some(open);
            }
        }
        while let Some(position) = closes.next_if(|position| *position < start) {
            close = Some(position);
        }
        let place = place(lower, start, tag, close);
        let value = cursor::part(lower, equals + 1, equals + 1 + VALUE_BYTES_MAX);
        let score = score(kind, &place, content(value));
        if score > 1 {
            let from = match place {
                Place::Tag(open) | Place::AfterTag(open) if start - open < VALUE_BYTES_MAX => open,
                _ => start,
            };
            let until = (equals + 1 + value.len().min(SPAN_BYTES)).min(lower.len());
            strongest.offer(
                "event_handler",
                score,
                from..until,
                "an attribute whose value the browser runs on an event",
            );
        }
        if strongest.is_certain() {
            return;
        }
    }
}

const VALUE_BYTES_MAX: usize = 240;
const SPAN_BYTES: usize = 60;
const NAME_BYTES_MAX: usize = 40;

/// The attribute's name that ends before `equals`.
fn name_before(lower: &[u8], equals: usize) -> Option<(usize, usize)> {
    let mut end = equals;
    while end > equals.saturating_sub(16) && matches!(cursor::before(lower, end), b'+' | 0..=b' ') && end > 0
    {
        end -= 1;
    }
    let mut start = end;
    while start > end.saturating_sub(NAME_BYTES_MAX) {
        let byte = cursor::before(lower, start);
        if !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'@' | b'.' | b'_')) {
            break;
        }
        start -= 1;
    }
    // `window.onerror=`, and `x:onload` of a namespace.
    let name = cursor::part(lower, start, end);
    if let Some(dot) = name.iter().rposition(|byte| *byte == b'.') {
        let last = start + dot + 1;
        if cursor::stands_at(lower, last, b"on") {
            start = last;
        }
    }
    (end - start >= 4).then_some((start, end))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The name of an event that browsers know.
    Known,
    /// `on` and letters.
    Unknown,
    /// A directive that a front-end framework evaluates: `ng-click`, `v-on:click`, `x-init`.
    Framework,
}

fn kind(name: &[u8]) -> Option<Kind> {
    if let Some(event) = name.strip_prefix(b"on")
        && event.iter().all(u8::is_ascii_alphabetic)
    {
        return Some(if is_event(event) { Kind::Known } else { Kind::Unknown });
    }
    const DIRECTIVES: [&[u8]; 8] =
        [b"ng-", b"v-on:", b"v-if", b"v-html", b"x-on:", b"x-init", b"x-data", b"hx-on"];
    let is_directive =
        DIRECTIVES.iter().any(|it| name.starts_with(it)) || name.starts_with(b"@") && name.len() > 4;
    is_directive.then_some(Kind::Framework)
}

/// How the names of events begin (WHATWG HTML, SVG, Pointer, Touch, CSS Animations, and what old browsers had).
const EVENTS: [&[u8]; 92] = [
    b"abort",
    b"activate",
    b"after",
    b"animation",
    b"appinstalled",
    b"audio",
    b"auxclick",
    b"before",
    b"begin",
    b"blocked",
    b"blur",
    b"bounce",
    b"cached",
    b"cancel",
    b"canplay",
    b"cellchange",
    b"change",
    b"checking",
    b"click",
    b"close",
    b"command",
    b"complete",
    b"connect",
    b"contentvisib",
    b"context",
    b"controlselect",
    b"copy",
    b"cuechange",
    b"cut",
    b"data",
    b"dblclick",
    b"deactivate",
    b"device",
    b"downloading",
    b"drag",
    b"drop",
    b"durationchange",
    b"emptied",
    b"end",
    b"error",
    b"filterchange",
    b"finish",
    b"focus",
    b"formdata",
    b"fullscreen",
    b"gesture",
    b"gotpointer",
    b"hashchange",
    b"help",
    b"input",
    b"invalid",
    b"key",
    b"languagechange",
    b"layoutcomplete",
    b"load",
    b"losecapture",
    b"lostpointer",
    b"mediacomplete",
    b"message",
    b"mouse",
    b"move",
    b"moz",
    b"ms",
    b"orientation",
    b"page",
    b"paste",
    b"pause",
    b"play",
    b"pointer",
    b"popstate",
    b"progress",
    b"propertychange",
    b"ratechange",
    b"readystate",
    b"repeat",
    b"reset",
    b"resize",
    b"row",
    b"scroll",
    b"search",
    b"security",
    b"seek",
    b"select",
    b"show",
    b"slotchange",
    b"start",
    b"submit",
    b"toggle",
    b"touch",
    b"transition",
    b"unload",
    b"wheel",
];

/// Further beginnings that are words of other names as well, so that they must be whole.
const EVENTS_WHOLE: [&[u8]; 12] = [
    b"online",
    b"offline",
    b"stop",
    b"stalled",
    b"suspend",
    b"timeupdate",
    b"volumechange",
    b"waiting",
    b"webkitanimationend",
    b"webkittransitionend",
    b"unhandledrejection",
    b"zoom",
];

fn is_event(event: &[u8]) -> bool {
    EVENTS.iter().any(|it| event.starts_with(it)) || EVENTS_WHOLE.contains(&event)
}

/// Where a handler stands.
enum Place {
    /// Behind a `<` that no `>` follows.
    Tag(usize),
    /// Behind a `<` and a `>`, which may stand in quotes.
    AfterTag(usize),
    /// Behind a quote that may end an attribute's value.
    Breakout,
    /// At the start, or after a blank or a bracket.
    Bare,
    /// Part of something else.
    Inside,
}

fn place(lower: &[u8], start: usize, tag: Option<usize>, close: Option<usize>) -> Place {
    let before = cursor::before(lower, start);
    let boundary = match before {
        0..=b' '
        | b'/'
        | b'"'
        | b'\''
        | b'`'
        | b'>'
        | b';'
        | b'+'
        | b','
        | b'('
        | b'{'
        | b'.'
        | b'}'
        | b'|'
        | b'<' => true,
        byte => byte >= 0x80,
    };
    if let Some(open) = tag {
        if close.is_none_or(|close| close < open) {
            return Place::Tag(open);
        }
        if boundary {
            return Place::AfterTag(open);
        }
    }
    if !boundary {
        return Place::Inside;
    }
    if follows_quote(lower, start) { Place::Breakout } else { Place::Bare }
}

/// Whether a quote that may end an attribute's value stands before, with nothing but other attributes in between. A
/// letter right behind the quote makes it an apostrophe.
fn follows_quote(lower: &[u8], start: usize) -> bool {
    let limit = start.saturating_sub(OTHER_ATTRIBUTES_BYTES_MAX);
    let mut from = start;
    while from > limit {
        let byte = cursor::before(lower, from);
        if matches!(byte, b'"' | b'\'' | b'`') {
            return from == start || !cursor::at(lower, from).is_ascii_alphanumeric();
        }
        if !(byte.is_ascii_alphanumeric()
            || matches!(byte, 0..=b' ' | b'/' | b'+' | b'>' | b';' | b'=' | b'-'))
        {
            break;
        }
        from -= 1;
    }
    cursor::part(lower, 0, from).ends_with("”".as_bytes())
}

const OTHER_ATTRIBUTES_BYTES_MAX: usize = 48;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    /// Calls or names what exploits call.
    Sink,
    /// Some code.
    Code,
    /// `{…}` without quotes: an expression of JSX.
    Braces,
    /// A word or a number.
    Plain,
    Empty,
}

fn content(value: &[u8]) -> Content {
    let value = cursor::part(value, cursor::skip_blanks(value, 0), value.len());
    let (is_quoted, value) = match value.split_first() {
        Some((b'"' | b'\'' | b'`', rest)) => (true, rest),
        Some((b'\\', [b'"' | b'\'', rest @ ..])) => (true, rest),
        _ => (false, value),
    };
    if value.is_empty() {
        return Content::Empty;
    }
    if idioms::names_sink(value) {
        return Content::Sink;
    }
    if !is_quoted && value.starts_with(b"{") {
        return Content::Braces;
    }
    let until = value.iter().position(|byte| matches!(byte, b'>' | b'&')).unwrap_or(value.len());
    let value = value.get(..until).unwrap_or_default();
    let mut has_call = false;
    calls::each(value, &mut |_| has_call = true);
    if has_call || value.iter().any(|byte| matches!(byte, b'=' | b';' | b'[')) {
        Content::Code
    } else {
        Content::Plain
    }
}

fn score(kind: Kind, place: &Place, content: Content) -> u8 {
    match (kind, place, content) {
        (_, Place::Tag(_), Content::Sink) => 10,
        (Kind::Known, Place::Tag(_), Content::Code | Content::Plain) => 10,
        (Kind::Known, Place::Tag(_), Content::Empty) => 8,
        (Kind::Known, Place::Tag(_), Content::Braces) => 4,
        (Kind::Unknown | Kind::Framework, Place::Tag(_), Content::Code) => 5,
        (Kind::Known, Place::AfterTag(_) | Place::Breakout | Place::Bare, Content::Sink) => 10,
        (Kind::Known, Place::AfterTag(_), Content::Code) => 8,
        (Kind::Known, Place::Breakout, Content::Code) => 10,
        (Kind::Known, Place::Breakout, Content::Plain | Content::Empty) => 6,
        (Kind::Known, Place::Bare, Content::Code) => 6,
        (Kind::Known, Place::AfterTag(_), Content::Plain) => 3,
        (Kind::Unknown | Kind::Framework, Place::AfterTag(_) | Place::Breakout, Content::Sink) => 10,
        (Kind::Unknown | Kind::Framework, Place::Bare, Content::Sink) => 8,
        (Kind::Known, Place::Inside, Content::Sink) => 8,
        _ => 1,
    }
}
