//! JavaScript by itself: what exploits call from the middle of a string, a template or a handler.

use crate::detectors::code::{
    calls::{self, Call, Manner},
    cursor, fold,
    strongest::Strongest,
};

use super::{document, letterless};

/// Judges calls, uses of the document and code without letters.
pub(super) fn look(lower: &[u8], strongest: &mut Strongest<'_, '_>) {
    let ends_script = cursor::has(lower, b"/script");
    calls::each(lower, &mut |call| {
        let score = if ends_script && ends_in_dialog(&call.name) { 10 } else { call_score(lower, call) };
        if score > 1 {
            let span = call.start.min(call.open)..(call.open + 1 + SPAN_BYTES).min(lower.len());
            strongest.offer(
                "script_call",
                score,
                span,
                "a script that calls what cross-site scripting calls",
            );
        }
    });
    if !strongest.is_certain() {
        assembled_members(lower, strongest);
        passed_sinks(lower, strongest);
        document::look(lower, strongest);
        letterless::look(lower, strongest);
    }
}

const SPAN_BYTES: usize = 32;

/// With the end of a script element beside it, a dialog counts whatever a filter or a wrong decoder put before it.
fn ends_in_dialog(name: &[u8]) -> bool {
    [&b"alert"[..], b"confirm", b"prompt"].iter().any(|dialog| name.ends_with(dialog))
}

/// What a called name does in a browser.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sink {
    /// Shows a dialog: the mark of a proof of concept.
    Dialog,
    /// Runs a string as code.
    Evaluation,
    /// Runs a string as code if it is given one.
    Timer,
    /// Reaches out or writes into the page.
    Reach,
}

fn sink(name: &[u8]) -> Option<Sink> {
    Some(match name {
        b"alert" | b"confirm" | b"prompt" | b"msgbox" => Sink::Dialog,
        b"eval" | b"execscript" | b"globaleval" | b"constructor" | b"importscripts" | b"getscript" => {
            Sink::Evaluation
        }
        b"settimeout" | b"setinterval" | b"setimmediate" | b"function" => Sink::Timer,
        b"fetch"
        | b"sendbeacon"
        | b"import"
        | b"xmlhttprequest"
        | b"websocket"
        | b"write"
        | b"writeln"
        | b"print"
        | b"open"
        | b"assign"
        | b"replace"
        | b"insertadjacenthtml"
        | b"atob"
        | b"fromcharcode" => Sink::Reach,
        _ => return None,
    })
}

fn call_score(lower: &[u8], call: &Call<'_>) -> u8 {
    let Some(sink) = sink(&call.name) else {
        // A name put together from pieces and called hides what it calls.
        let callee = cursor::part(lower, call.start, call.open);
        let pieces = callee.iter().filter(|byte| matches!(byte, b'\'' | b'"' | b'`')).count();
        let hides = call.manner == Manner::Assembled
            && (pieces >= 4
                || cursor::has_any(callee, &[b"'+", b"+'", b"\"+", b"+\"", b"/.source", b".tostring("]));
        return match (hides, is_window(call.qualifier)) {
            (true, true) => 10,
            (true, false) => 8,
            (false, _) => 1,
        };
    };
    let is_tagged = cursor::at(lower, call.open) == b'`';
    let literal = is_tagged && call.manner != Manner::Spaced || calls::is_literal(call.arguments);
    let browser = begins_with_browser(call.arguments);
    let hidden = matches!(call.manner, Manner::Indirect | Manner::Assembled);
    match sink {
        Sink::Dialog if is_method(call) => 3,
        Sink::Dialog => match call.manner {
            Manner::Assembled => 10,
            Manner::Indirect => 10,
            Manner::Plain if browser => 10,
            Manner::Plain if literal => dialog(call.arguments),
            Manner::Plain => 4,
            Manner::Spaced if browser || calls::is_quoted(call.arguments) && !is_tagged => 8,
            Manner::Spaced => 1,
        },
        Sink::Evaluation if &call.name[..] == b"constructor" => {
            let quoted = calls::is_quoted(call.arguments) || is_tagged;
            let reached = hidden || call.qualifier.ends_with(b".") || call.qualifier.ends_with(b"]");
            if quoted && reached { 10 } else { 2 }
        }
        Sink::Evaluation if is_method(call) && call.manner == Manner::Plain => 2,
        Sink::Evaluation => match call.manner {
            Manner::Assembled => 10,
            _ if browser || cursor::stands_at(call.arguments, 0, b"name)") => 10,
            _ if call.manner != Manner::Spaced && calls::is_quoted(call.arguments) => 10,
            Manner::Indirect => 8,
            Manner::Plain => 4,
            Manner::Spaced => 1,
        },
        Sink::Timer => {
            let text = calls::is_quoted(call.arguments) || is_tagged;
            match call.manner {
                Manner::Assembled => 10,
                // `function` before a string is no declaration but the constructor.
                Manner::Plain | Manner::Indirect if text && call.name.as_slice() == b"function" => 10,
                Manner::Plain | Manner::Indirect if text => 9,
                _ => 1,
            }
        }
        Sink::Reach => match call.manner {
            Manner::Assembled if !matches!(call.name.as_slice(), b"replace" | b"open" | b"write") => 8,
            _ if browser && sends(call) => 10,
            Manner::Plain if is_page(call) && calls::is_quoted(call.arguments) => 10,
            Manner::Plain if is_page(call) => 8,
            Manner::Plain if call.name.as_slice() == b"import" && is_foreign(call.arguments) => 10,
            _ => 1,
        },
    }
}

/// A dialog with a literal: numbers and short strings are what proofs of concept show; `confirm()` in a sentence has
/// nothing.
fn dialog(arguments: &[u8]) -> u8 {
    match arguments {
        [b')', ..] => 8,
        _ => 10,
    }
}

/// A quoted module that is neither relative nor a plain name.
fn is_foreign(arguments: &[u8]) -> bool {
    let from = cursor::skip_filler(arguments, 0);
    let rest = cursor::part(arguments, from + 1, arguments.len());
    let quoted = rest.split(|byte| matches!(byte, b'\'' | b'"' | b'`')).next().unwrap_or_default();
    calls::is_quoted(arguments) && !quoted.starts_with(b".") && quoted.contains(&b'.')
}

/// A method of some object other than the window: `toast.alert('Saved')`.
fn is_method(call: &Call<'_>) -> bool {
    let Some(object) = call.qualifier.strip_suffix(b".") else { return false };
    !object.is_empty() && !is_window(object) && !object.ends_with(b")")
}

/// Whether an object is the window, by one of its names.
fn is_window(object: &[u8]) -> bool {
    const WINDOWS: [&[u8]; 10] = [
        b"window",
        b"self",
        b"top",
        b"parent",
        b"this",
        b"globalthis",
        b"frames",
        b"view",
        b"defaultview",
        b"contentwindow",
    ];
    WINDOWS.iter().any(|it| object.ends_with(it))
}

fn is_page(call: &Call<'_>) -> bool {
    let of = |object: &[u8]| call.qualifier.ends_with(object);
    match call.name.as_slice() {
        b"write" | b"writeln" => of(b"document."),
        b"assign" | b"replace" => of(b"location."),
        _ => false,
    }
}

fn sends(call: &Call<'_>) -> bool {
    matches!(
        call.name.as_slice(),
        b"fetch"
            | b"sendbeacon"
            | b"open"
            | b"import"
            | b"assign"
            | b"replace"
            | b"write"
            | b"print"
            | b"writeln"
    )
}

/// Whether arguments begin with an object of the browser or a decoder.
fn begins_with_browser(arguments: &[u8]) -> bool {
    let from = cursor::skip_filler(arguments, 0);
    let end = cursor::word_end(arguments, from, 24);
    let next = cursor::at(arguments, end);
    matches!(
        cursor::part(arguments, from, end),
        b"document"
            | b"window"
            | b"self"
            | b"top"
            | b"parent"
            | b"location"
            | b"globalthis"
            | b"frames"
            | b"localstorage"
            | b"sessionstorage"
            | b"atob"
            | b"string"
            | b"unescape"
            | b"decodeuri"
            | b"decodeuricomponent"
            | b"origin"
            | b"domain"
            | b"cookie"
            | b"alert"
            | b"confirm"
            | b"prompt"
            | b"eval"
    ) && matches!(next, b'.' | b'(' | b'[' | b')' | b',' | b'`' | b'?' | b'\\')
}

/// Whether a piece of code names what exploits use, as a whole word.
pub(super) fn names_sink(code: &[u8]) -> bool {
    let is_name = |word: &[u8]| {
        matches!(
            word,
            b"alert"
                | b"confirm"
                | b"prompt"
                | b"eval"
                | b"print"
                | b"document"
                | b"window"
                | b"location"
                | b"cookie"
                | b"fetch"
                | b"import"
                | b"settimeout"
                | b"setinterval"
                | b"function"
                | b"constructor"
                | b"msgbox"
                | b"atob"
                | b"fromcharcode"
                | b"innerhtml"
                | b"throw"
                | b"xmlhttprequest"
                | b"unescape"
                | b"globalthis"
        )
    };
    if code.split(|byte| !byte.is_ascii_alphanumeric()).any(is_name) {
        return true;
    }
    let mut hidden = false;
    calls::each(code, &mut |call| hidden |= call.manner == Manner::Assembled);
    hidden || cursor::has_any(code, &[b"javascript:", b"\\u00", b"\\x", b"&#", b"'+'", b"\"+\"", b".source+"])
}

/// `window["al"+"ert"]`: a sink reached under a name in pieces, to be called elsewhere.
fn assembled_members(lower: &[u8], strongest: &mut Strongest<'_, '_>) {
    for open in memchr::memchr_iter(b'[', lower) {
        if !is_window(cursor::part(lower, open.saturating_sub(16), open)) {
            continue;
        }
        let inside = cursor::part(lower, open + 1, open + 1 + MEMBER_BYTES_MAX);
        let inside = inside.split(|byte| *byte == b']').next().unwrap_or_default();
        let name = fold::strings(inside);
        let is_known = sink(&name).is_some()
            || matches!(name.as_slice(), b"location" | b"cookie" | b"innerhtml" | b"document");
        if inside.contains(&b'+') && is_known {
            let span = open..open + inside.len() + 2;
            strongest.offer(
                "assembled_member",
                10,
                span,
                "a script that reaches a function under a name in pieces",
            );
        }
    }
}

const MEMBER_BYTES_MAX: usize = 64;

/// `[1].find(alert)`, `replace(/1/,eval)`, `a=alert,a(1)`: a sink handed on as a value.
fn passed_sinks(lower: &[u8], strongest: &mut Strongest<'_, '_>) {
    for name in [&b"alert"[..], b"confirm", b"prompt", b"eval"] {
        for start in memchr::memmem::find_iter(lower, name) {
            let end = start + name.len();
            let before = cursor::before(lower, cursor::skip_filler_back(lower, start));
            let after = cursor::at(lower, cursor::skip_filler(lower, end));
            let score = match (before, after) {
                (b'(', b')') if is_called(lower, start) => 10,
                (b',', b')') if cursor::before(lower, start) == b',' => 10,
                (b',', b')') => 6,
                (b'{', b'}') if cursor::before(lower, start.saturating_sub(1)) == b'$' => 10,
                (b'=', b',' | b';') if is_assigned(lower, start) => 10,
                (b'=', b',' | b';') => 6,
                (b'=', b'}') => 6,
                _ => 1,
            };
            if score > 1 {
                let span = start.saturating_sub(SPAN_BYTES)..(end + 8).min(lower.len());
                strongest.offer(
                    "script_function_passed",
                    score,
                    span,
                    "a script that hands a dialog or eval to a call",
                );
            }
        }
    }
}

/// Whether the parenthesis before `start` is a call's: `find(alert)`, not `(alert)`.
fn is_called(lower: &[u8], start: usize) -> bool {
    let open = cursor::skip_filler_back(lower, start).saturating_sub(1);
    let before = cursor::before(lower, open);
    cursor::is_word(before) || before == b']'
}

/// Whether a sink is assigned in the middle of code: `(a=alert,`.
fn is_assigned(lower: &[u8], start: usize) -> bool {
    let equals = cursor::skip_filler_back(lower, start).saturating_sub(1);
    let end = cursor::skip_filler_back(lower, equals);
    let name = cursor::word_start(lower, end, 16);
    name < end
        && matches!(
            cursor::before(lower, name),
            b'(' | b';' | b'{' | b'\'' | b'"' | b'`' | b'}' | b'>' | b','
        )
}
