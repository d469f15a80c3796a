//! What no value holds unless a shell, or what starts one, is meant to read it.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::{commands, words};
use crate::{
    class::Class,
    hit::{Hit, Hits},
    leaf::Field,
    view::View,
};

struct Mark {
    text: &'static str,
    rule: &'static str,
    why: &'static str,
    score: u8,
}

const fn mark(text: &'static str, rule: &'static str, score: u8, why: &'static str) -> Mark {
    Mark { text, rule, why, score }
}

const OPTION_WHY: &str = "an option that makes a program run a command";
const POWERSHELL_WHY: &str = "a PowerShell expression that fetches or runs code";
const CALL_WHY: &str = "a call that hands a command to a shell";
const SHELL_WHY: &str = "the path of a shell or of a program beside it";
const INCLUDE_WHY: &str = "a server-side include directive (CWE-97)";

const MARKS: &[Mark] = &[
    mark("$ifs", "hidden_blank", 10, "the shell's field separator in place of a blank"),
    mark("${ifs", "hidden_blank", 10, "the shell's field separator in place of a blank"),
    mark("/dev/tcp/", "shell_socket", 10, "a socket as bash opens one"),
    mark("/dev/udp/", "shell_socket", 10, "a socket as bash opens one"),
    mark("<!--#", "server_side_include", 0, INCLUDE_WHY),
    mark("-oproxycommand", "option_that_runs_command", 10, OPTION_WHY),
    mark("--open-files-in-pager", "option_that_runs_command", 10, OPTION_WHY),
    mark("--upload-pack", "option_that_runs_command", 10, OPTION_WHY),
    mark("--receive-pack", "option_that_runs_command", 10, OPTION_WHY),
    mark("--checkpoint-action", "option_that_runs_command", 10, OPTION_WHY),
    mark("--use-compress-program", "option_that_runs_command", 10, OPTION_WHY),
    mark("allow_url_include", "option_that_runs_command", 10, OPTION_WHY),
    mark("auto_prepend_file", "option_that_runs_command", 10, OPTION_WHY),
    mark("ld_preload=", "option_that_runs_command", 10, "a library preloaded into the next program"),
    mark("downloadstring(", "powershell_code", 10, POWERSHELL_WHY),
    mark("downloadfile(", "powershell_code", 10, POWERSHELL_WHY),
    mark("invoke-expression", "powershell_code", 10, POWERSHELL_WHY),
    mark("invoke-webrequest", "powershell_code", 10, POWERSHELL_WHY),
    mark("net.webclient", "powershell_code", 9, POWERSHELL_WHY),
    mark("-encodedcommand", "powershell_code", 10, POWERSHELL_WHY),
    mark("exec(", "call_that_runs_command", 0, CALL_WHY),
    mark("system(", "call_that_runs_command", 0, CALL_WHY),
    mark("popen(", "call_that_runs_command", 0, CALL_WHY),
    mark("passthru(", "call_that_runs_command", 0, CALL_WHY),
    mark("eval(", "call_that_runs_command", 0, CALL_WHY),
    mark("execsync(", "call_that_runs_command", 0, CALL_WHY),
    mark("spawn(", "call_that_runs_command", 0, CALL_WHY),
    mark("/bin/sh", "shell_path", 8, SHELL_WHY),
    mark("/bin/bash", "shell_path", 8, SHELL_WHY),
    mark("/bin/cat", "shell_path", 8, SHELL_WHY),
    mark("/bin/id", "shell_path", 8, SHELL_WHY),
    mark("/bin/nc", "shell_path", 8, SHELL_WHY),
    mark("cmd.exe", "shell_path", 8, SHELL_WHY),
    mark("powershell.exe", "shell_path", 8, SHELL_WHY),
];

#[expect(clippy::expect_used, reason = "the marks are constants, and a few dozen of them fit any automaton")]
static FINDER: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let texts = MARKS.iter().map(|mark| mark.text);
    AhoCorasick::builder().match_kind(MatchKind::Standard).build(texts).expect("constant marks")
});

/// Whether the byte is one of those of which every mark has one, and a text of words none.
fn is_of_every_mark(byte: &u8) -> bool {
    matches!(byte, b'$' | b'/' | b'<' | b'-' | b'_' | b'(' | b'.')
}

/// Adds the surest mark of a value, and a function in the place of a variable.
pub(super) fn find(view: &View<'_>, hits: &mut Hits) {
    hits.extend(function_as_variable(view));
    hits.extend(sliced_variable(view));
    if !view.lower.iter().any(is_of_every_mark) {
        return;
    }
    let mut best: Option<(u8, &Mark, std::ops::Range<usize>)> = None;
    for found in FINDER.find_overlapping_iter(view.lower) {
        let Some(mark) = MARKS.get(found.pattern().as_usize()) else { continue };
        let rest = view.lower.get(found.end()..).unwrap_or_default();
        let score = match mark.rule {
            "server_side_include" => directive(rest),
            "call_that_runs_command" => call(rest),
            "shell_path" if rest.first().is_some_and(u8::is_ascii_alphanumeric) => 0,
            "shell_path" if matches!(rest, [b' ', b'-' | b'/', ..]) => 10,
            "shell_path" if rest.is_empty() && found.start() <= 4 => 4,
            _ => mark.score,
        };
        if score > best.as_ref().map_or(0, |best| best.0) {
            best = Some((score, mark, found.start()..found.end()));
            if score >= 10 {
                break;
            }
        }
    }
    let Some((strength, mark, span)) = best else { return };
    let score = match view.leaf.field {
        Field::Code => strength.min(3),
        Field::Prose | Field::Markup | Field::Query => strength.min(5),
        _ => strength,
    };
    hits.push(Hit { class: Class::Shell, rule: mark.rule, score, span, why: mark.why });
}

/// The directives that Apache's `mod_include` and its like know.
fn directive(rest: &[u8]) -> u8 {
    let rest = rest.trim_ascii_start();
    let is = |word: &[u8]| rest.starts_with(word);
    if is(b"exec") || is(b"include") || is(b"printenv") || is(b"echo") {
        10
    } else if is(b"config") || is(b"set") || is(b"if") || is(b"fsize") || is(b"flastmod") {
        8
    } else {
        0
    }
}

/// The longest bare argument taken for a command.
const CALLED_BYTES_MAX: usize = 64;

/// A quoted command as a call's argument.
fn call(rest: &[u8]) -> u8 {
    let inside = rest.trim_ascii_start();
    let quotes = inside.iter().take(8).take_while(|byte| matches!(byte, b'\'' | b'"' | b'\\' | b'`')).count();
    // Typographic quotes, as pasted.
    let typographic = matches!(inside, [0xe2, 0x80, 0x98..=0x9f, ..]);
    if quotes == 0 && !typographic {
        // No further than a command's name goes: the value may consist of such calls.
        let near = inside.get(..CALLED_BYTES_MAX).unwrap_or(inside);
        let name = near.split(|byte| *byte == b')').next().unwrap_or_default();
        let is_rare = commands::known(name).is_some_and(|command| command.rarity == commands::Rarity::Rare);
        return if is_rare { 10 } else { 0 };
    }
    let at = if typographic { 3 } else { quotes };
    let Some(word) = words::next(inside, at, false) else { return 0 };
    let name = word.text.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let name = name.split(|byte| matches!(byte, b'\'' | b'"' | b' ')).next().unwrap_or_default();
    if commands::known(name).is_some() { 10 } else { 0 }
}

/// `() { :; }; …` at a value's beginning: bash ran what follows (CVE-2014-6271 and its kin).
fn function_as_variable(view: &View<'_>) -> Option<Hit> {
    let text = view.lower.trim_ascii_start();
    let body = text.strip_prefix(b"()")?.trim_ascii_start().strip_prefix(b"{")?;
    let is_followed = body.contains(&b'}');
    let score = match view.leaf.field {
        Field::Code => 3,
        _ if is_followed => 10,
        _ => 6,
    };
    let start = view.lower.len() - text.len();
    let why = "a shell function in the place of a variable";
    Some(Hit { class: Class::Shell, rule: "function_as_variable", score, span: start..start + 4, why })
}

/// `%COMSPEC:~0,1%` and `${PATH:0:1}` cut letters out of variables.
fn sliced_variable(view: &View<'_>) -> Option<Hit> {
    let tilde = memchr::memchr(b'~', view.lower).and_then(|_| memchr::memmem::find(view.lower, b":~"));
    let windows = tilde.filter(|at| {
        let before = view.lower.get(..*at).unwrap_or_default();
        let after = view.lower.get(at + 2..).unwrap_or_default();
        let name = before
            .iter()
            .rev()
            .take(32)
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
            .count();
        name > 0
            && before.len().checked_sub(name + 1).and_then(|it| before.get(it)) == Some(&b'%')
            && after.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-')
            && after.iter().take(8).any(|byte| *byte == b'%')
    });
    let unix = || {
        memchr::memchr(b'$', view.lower)?;
        memchr::memmem::find_iter(view.lower, b"${").take(8).find(|at| {
            let inside = view.lower.get(at + 2..).unwrap_or_default();
            let name = inside
                .iter()
                .take(24)
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                .count();
            let after = inside.get(name..).unwrap_or_default();
            let is_environment = matches!(
                inside.get(..name),
                Some(b"path" | b"home" | b"pwd" | b"shell" | b"oldpwd" | b"hostname")
            );
            name > 0
                && is_environment
                && matches!(after, [b':', b'0'..=b'9', ..] | [b'%', b'%', ..] | [b'#', b'#', ..])
        })
    };
    let at = windows.or_else(unix)?;
    let score = if view.leaf.field == Field::Code { 3 } else { 10 };
    let why = "letters cut out of an environment variable, to write a command without them";
    Some(Hit { class: Class::Shell, rule: "sliced_variable", score, span: at..at + 2, why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_has_a_byte_that_words_have_not() {
        assert!(MARKS.iter().all(|mark| mark.text.bytes().any(|byte| is_of_every_mark(&byte))));
        assert!(!"a thing of some use, number 7".bytes().any(|byte| is_of_every_mark(&byte)));
    }
}
