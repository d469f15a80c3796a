//! Directives of server pages and template languages that need no braces: JSP, ASP and ERB tags, Freemarker, Velocity,
//! server-side and edge-side includes.

use crate::detectors::code::{calls, cursor, danger, strongest::Strongest};

use super::expression;

/// Judges every directive.
pub(super) fn look(lower: &[u8], strongest: &mut Strongest<'_, '_>) {
    for open in memchr::memchr_iter(b'<', lower) {
        let rest = cursor::part(lower, open + 1, open + 1 + DIRECTIVE_BYTES_MAX);
        let span = open..(open + SPAN_BYTES).min(lower.len());
        let (rule, score, why) = match rest {
            [b'%', rest @ ..] => ("server_page_tag", page(rest), "a server page tag with code inside"),
            [b'#', rest @ ..] => ("freemarker_directive", freemarker(rest), "a Freemarker directive"),
            [b'!', b'-', b'-', rest @ ..] => ("server_side_include", include(rest), "a server-side include"),
            _ if rest.starts_with(b"esi:") => {
                ("edge_side_include", 10, "an edge-side include, which the cache would run")
            }
            _ => continue,
        };
        if score > 1 {
            strongest.offer(rule, score, span, why);
        }
        if strongest.is_certain() {
            return;
        }
    }
    for open in memchr::memmem::find_iter(lower, b"[#") {
        let score = freemarker(cursor::part(lower, open + 2, open + DIRECTIVE_BYTES_MAX));
        if score > 4 {
            let span = open..(open + SPAN_BYTES).min(lower.len());
            strongest.offer("freemarker_directive", score, span, "a Freemarker directive");
        }
    }
    for open in memchr::memchr_iter(b'#', lower) {
        let rest = cursor::part(lower, open + 1, open + DIRECTIVE_BYTES_MAX);
        let score = velocity(rest);
        if score > 1 {
            let span = open..(open + SPAN_BYTES).min(lower.len());
            strongest.offer(
                "velocity_directive",
                score,
                span,
                "a Velocity directive that sets or includes something",
            );
        }
    }
}

const DIRECTIVE_BYTES_MAX: usize = 96;
const SPAN_BYTES: usize = 48;

/// What follows `<%`.
fn page(rest: &[u8]) -> u8 {
    match rest.first() {
        // A directive: `<%@ page import=… %>`.
        Some(b'@') => 10,
        // A declaration.
        Some(b'!') => 9,
        Some(b'-') => 4 + 2 * u8::from(rest.starts_with(b"--")),
        Some(b'=') => {
            let inside = cursor::part(rest, 1, memchr::memmem::find(rest, b"%>").unwrap_or(rest.len()));
            let inside = inside.trim_ascii();
            if expression::computes(inside) > 1 || expression::is_text(inside) {
                return 10;
            }
            match calls_in(inside) {
                (_, true) => 10,
                (true, false) => 8,
                (false, false) => 3,
            }
        }
        Some(_) => {
            let inside = cursor::part(rest, 0, memchr::memmem::find(rest, b"%>").unwrap_or(rest.len()));
            let (has_call, is_danger) = calls_in(inside);
            let is_script = cursor::has_any(
                inside,
                &[b"request", b"response", b"eval", b"execute", b"out.", b"system", b"exec", b"runtime"],
            );
            match (has_call, is_script || is_danger) {
                (_, true) => 10,
                (true, false) => 7,
                (false, false) => 2,
            }
        }
        None => 4,
    }
}

/// Whether there is a call, and one that is dangerous.
fn calls_in(inside: &[u8]) -> (bool, bool) {
    let (mut any, mut is_danger) = (false, false);
    calls::each(inside, &mut |call| {
        any = true;
        is_danger |= calls::is_quoted(call.arguments) && call.qualifier.ends_with(b".");
        is_danger |= danger(call).is_some_and(|it| it.score >= 6);
    });
    (any, is_danger || inside.starts_with(b"`"))
}

/// What follows `<#` or `[#`.
fn freemarker(rest: &[u8]) -> u8 {
    let is = |name: &[u8]| rest.starts_with(name) && cursor::is_blank(cursor::at(rest, name.len()));
    if cursor::has_any(rest, &[b"?new(", b"?api", b"?interpret", b"utility.execute"]) {
        return 10;
    }
    if is(b"assign") || is(b"include") || is(b"import") || is(b"macro") || is(b"function") || is(b"global") {
        return 8;
    }
    if is(b"list") || is(b"if") { 4 } else { 1 }
}

/// What follows `<!--`.
fn include(rest: &[u8]) -> u8 {
    let rest = rest.trim_ascii_start();
    let Some(rest) = rest.strip_prefix(b"#") else { return 1 };
    let rest = rest.trim_ascii_start();
    if rest.starts_with(b"exec") || rest.starts_with(b"include") {
        return 10;
    }
    let others = [&b"echo"[..], b"printenv", b"config", b"set", b"fsize", b"flastmod"];
    if others.iter().any(|name| rest.starts_with(name)) { 10 } else { 1 }
}

/// What follows `#`.
fn velocity(rest: &[u8]) -> u8 {
    let after = |name: &[u8]| rest.strip_prefix(name).map(|rest| rest.trim_ascii_start());
    if let Some(argument) = after(b"set") {
        return if argument.starts_with(b"($") || argument.starts_with(b"( $") { 10 } else { 1 };
    }
    if let Some(argument) = after(b"foreach") {
        return if argument.starts_with(b"($") { 7 } else { 1 };
    }
    for name in [&b"evaluate"[..], b"include", b"parse"] {
        if let Some(argument) = after(name) {
            return if argument.starts_with(b"(\"")
                || argument.starts_with(b"('")
                || argument.starts_with(b"($")
            {
                8
            } else {
                1
            };
        }
    }
    1
}
