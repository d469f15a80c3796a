//! What an expression between delimiters does: it names something, or it computes, or it reaches for objects.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use crate::detectors::code::{calls, cursor, danger};

/// The delimiters around an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delimiter {
    /// `{{…}}`: Jinja, Twig, Handlebars, AngularJS, Go.
    Double,
    /// `{%…%}`: Jinja, Twig, Liquid, Tornado.
    Statement,
    /// `${…}`: Freemarker, EL, SpEL, Mako, shells, scripts.
    Dollar,
    /// `#{…}`: EL, SpEL, Ruby, Pug.
    Hash,
    /// `%{…}`: OGNL; Ruby and formats of logs, too.
    Percent,
    /// `*{…}`, `@{…}`, `~{…}`: Thymeleaf, Razor.
    Sigil,
    /// `{…}`: Smarty, Latte; everything else as well.
    Single,
}

/// What was found in an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) rule: &'static str,
    pub(super) score: u8,
    pub(super) why: &'static str,
}

/// Judges the expression between delimiters. `is_whole`: there is nothing else in the value.
pub(super) fn judge(delimiter: Delimiter, inside: &[u8], is_whole: bool) -> Option<Found> {
    let inside = inside.trim_ascii();
    let inside = inside.strip_prefix(b"{").map_or(inside, |rest| rest.strip_suffix(b"}").unwrap_or(rest));
    let is_silenced = delimiter == Delimiter::Dollar && inside.starts_with(b"@");
    let inside = match inside.split_first() {
        Some((b'=' | b'-' | b'!' | b'@' | b'~', rest)) => rest.trim_ascii(),
        _ => inside,
    };
    if inside.is_empty() {
        return None;
    }
    let found = |rule, score, why| Some(Found { rule, score, why });
    let computed = computes(inside);
    if computed > 1 && delimiter != Delimiter::Statement {
        // A quantifier and a set look like `{1*2}`; a product of larger numbers is a probe.
        let is_probe = computed == 10 && inside.iter().filter(|byte| byte.is_ascii_digit()).count() >= 4;
        let score =
            if delimiter == Delimiter::Single && !is_probe { computed.saturating_sub(5) } else { computed };
        return found(
            "computed_expression",
            score,
            "an expression of constants, to see whether it is computed",
        );
    }
    if is_quick_name(inside) && delimiter != Delimiter::Double {
        return None;
    }
    if delimiter == Delimiter::Single {
        return single(inside);
    }
    let reach = reaches(delimiter, inside);
    if reach > 1 {
        return found(
            "object_reach",
            reach,
            "an expression that reaches for the engine's or the language's objects",
        );
    }
    let mut call = Calls::default();
    calls::each(inside, &mut |it| {
        call.any = true;
        call.method |= it.qualifier.ends_with(b".");
        call.danger = call.danger.max(danger(it).map_or(0, |danger| danger.score));
    });
    if is_silenced && call.any {
        return found(
            "dangerous_call",
            10,
            "an expression of PHP that calls a function with its errors silenced",
        );
    }
    if call.danger >= 3 {
        let score = if call.danger >= 6 { 10 } else { 7 };
        return found("dangerous_call", score, "an expression that calls a function of the system");
    }
    if delimiter == Delimiter::Double && is_engine_object(inside) {
        let score = if is_whole { 10 } else { 5 };
        return found("engine_object", score, "an expression that prints the engine's own objects");
    }
    let score = match delimiter {
        Delimiter::Double if is_text_work(inside) => {
            if is_whole {
                10
            } else {
                7
            }
        }
        Delimiter::Double if call.method => {
            if is_whole {
                10
            } else {
                6
            }
        }
        Delimiter::Double if call.any => {
            if is_whole {
                8
            } else {
                5
            }
        }
        Delimiter::Statement => statement(inside),
        Delimiter::Dollar | Delimiter::Hash | Delimiter::Percent | Delimiter::Sigil
            if is_text_work(inside) && call.method =>
        {
            8
        }
        Delimiter::Dollar | Delimiter::Hash | Delimiter::Sigil if call.any => 3,
        Delimiter::Percent if call.any || inside.starts_with(b"#") => 7,
        _ => 1,
    };
    if score > 1 { found("called_expression", score, "an expression that calls functions") } else { None }
}

#[derive(Default)]
struct Calls {
    any: bool,
    method: bool,
    danger: u8,
}

/// Letters, digits, dots and blanks alone.
fn is_quick_name(inside: &[u8]) -> bool {
    inside.len() < 64 && inside.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-'))
}

/// How surely an expression is arithmetic of constants alone: `7*7`, `'7'*7`, `(1+1)`.
pub(super) fn computes(inside: &[u8]) -> u8 {
    let inside = inside.trim_ascii();
    let (mut operands, mut operators, mut strongest) = (0, 0, 0_u8);
    let mut position = 0;
    let mut expects_operand = true;
    if inside.len() > COMPUTED_BYTES_MAX {
        return 0;
    }
    while position < inside.len() {
        let byte = cursor::at(inside, position);
        position += 1;
        match byte {
            b' ' | b'\t' | b'\n' | b'(' | b')' => {}
            b'0'..=b'9' if expects_operand => {
                while cursor::at(inside, position).is_ascii_digit() || cursor::at(inside, position) == b'.' {
                    position += 1;
                }
                (operands, expects_operand) = (operands + 1, false);
            }
            b'\'' | b'"' if expects_operand => {
                let Some(end) = memchr::memchr(byte, cursor::part(inside, position, inside.len())) else {
                    return 0;
                };
                position += end + 1;
                (operands, expects_operand) = (operands + 1, false);
            }
            b'*' | b'+' | b'%' | b'^' | b'~' if !expects_operand => {
                if byte == b'*' && cursor::at(inside, position) == b'*' {
                    position += 1;
                }
                (operators, expects_operand, strongest) = (operators + 1, true, strongest.max(10));
            }
            // A date, a range or a version is written with these.
            b'-' | b'/' if !expects_operand => {
                (operators, expects_operand, strongest) = (operators + 1, true, strongest.max(6))
            }
            b'=' | b'<' | b'>' | b'!' if !expects_operand || cursor::before(inside, position - 1) == byte => {
                (operators, expects_operand, strongest) = (operators + 1, true, strongest.max(4));
            }
            _ => return 0,
        }
    }
    if operands >= 2 && operators >= 1 && !expects_operand { strongest } else { 0 }
}

const COMPUTED_BYTES_MAX: usize = 80;

/// Whether the expression is a text and nothing else.
pub(super) fn is_text(inside: &[u8]) -> bool {
    matches!((inside.first(), inside.last()), (Some(b'"'), Some(b'"')) | (Some(b'\''), Some(b'\'')))
        && inside.len() > 2
}

/// A constant text that is worked on: `'a'|upper`, `"x".toUpperCase()`, `['id']|map('system')`.
fn is_text_work(inside: &[u8]) -> bool {
    let Some((quote @ (b'\'' | b'"'), rest)) =
        inside.trim_ascii_start().strip_prefix(b"[").unwrap_or(inside).split_first()
    else {
        return false;
    };
    let Some(end) = memchr::memchr(*quote, rest) else { return false };
    let after = cursor::part(rest, end + 1, rest.len()).trim_ascii_start();
    matches!(after, [b'|' | b'.' | b']' | b',', ..])
}

/// Whether an expression reaches out of the template: into the language's internals, into classes, into the request.
fn reaches(delimiter: Delimiter, inside: &[u8]) -> u8 {
    let found = REACHES.iter().flat_map(|automaton| automaton.find_iter(inside));
    let is_certain = found.map(|it| it.pattern().as_usize() < CERTAIN.len()).max();
    match is_certain {
        Some(true) => 10,
        Some(false) if delimiter == Delimiter::Double => 10,
        Some(false) => 8,
        None => 0,
    }
}

/// Both lists in one automaton; that it builds is a test.
static REACHES: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(CERTAIN.iter().chain(&LIKELY)).ok());

/// What no placeholder has a use for.
static CERTAIN: [&str; 44] = [
    "__class__",
    "__mro__",
    "__globals__",
    "__builtins__",
    "__subclasses__",
    "__init__",
    "__import__",
    "__base",
    "__dict__",
    "__proto__",
    "java.lang",
    "java.util",
    "java.io",
    "javax.",
    "getruntime",
    "processbuilder",
    "getclass",
    "forname(",
    "classloader",
    "scriptengine",
    ".class.",
    "t(java",
    "#_memberaccess",
    "#context",
    "#parameters",
    "#application[",
    "freemarker.template",
    "?new(",
    "?api.",
    "@java.",
    "@org.",
    "@ognl.",
    "_self.env",
    "self.env",
    "constructor.constructor",
    ".constructor(",
    "['constructor']",
    "request.application",
    "registerundefinedfiltercallback",
    "_tornado",
    "lipsum",
    "cycler.",
    "joiner.",
    "\\x5f\\x5f",
];

/// What few templates use, and fewer of those that clients may write.
static LIKELY: [&str; 22] = [
    "|attr(",
    "|attr (",
    "url_for.",
    "get_flashed_messages.",
    "config.items",
    "config.from",
    "app.request.server",
    "process.env",
    "process.mainmodule",
    "require(",
    "handler.settings",
    "#request",
    "#session",
    "$smarty.template",
    "#this",
    "#root",
    "$_get",
    "$_post",
    "|filter('",
    "|map('",
    "|sort('",
    "|reduce('",
];

/// Names that engines define themselves and templates of applications seldom print.
fn is_engine_object(inside: &[u8]) -> bool {
    let name = inside
        .split(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'$'))
        .next()
        .unwrap_or_default();
    let rest = cursor::part(inside, name.len(), inside.len()).trim_ascii();
    match name {
        b"config" | b"self" | b"settings" | b"_self" | b"_context" | b"$eval" | b"constructor" => {
            rest.is_empty() || rest.starts_with(b"[") || cursor::has(rest, b"secret")
        }
        b"request" | b"session" | b"app" | b"g" => rest.starts_with(b"[") || rest.starts_with(b"|"),
        b"debug" | b"dump" => rest.starts_with(b"("),
        _ => false,
    }
}

/// `{%…%}`.
fn statement(inside: &[u8]) -> u8 {
    let starts = |word: &[u8]| inside.starts_with(word) && cursor::is_blank(cursor::at(inside, word.len()));
    if starts(b"import") || starts(b"from") && cursor::has(inside, b"import") {
        let is_system = cursor::has_any(inside, &[b"os", b"subprocess", b"sys"]);
        return if is_system && !cursor::has_any(inside, &[b".html", b".j2", b".tpl"]) { 9 } else { 4 };
    }
    if starts(b"include") || starts(b"extends") {
        return if cursor::has_any(inside, &[b"/etc/", b"../", b"://"]) { 9 } else { 4 };
    }
    if inside == b"debug" { 7 } else { 1 }
}

/// `{…}` of Smarty and its kind; JSON, CSS and sets look the same, so it takes a call or a superglobal.
fn single(inside: &[u8]) -> Option<Found> {
    let found = |rule, score, why| Some(Found { rule, score, why });
    if inside.starts_with(b"$smarty.") {
        let why = "an expression that prints the engine's own objects";
        let score = if cursor::has_any(inside, &[b"version", b"template", b"server", b"env", b"const"]) {
            10
        } else {
            6
        };
        return found("engine_object", score, why);
    }
    if cursor::has(inside, b"runphp") {
        return found("template_code_block", 10, "a template tag that runs PHP");
    }
    if inside == b"php" || inside == b"literal" {
        return found(
            "smarty_code_block",
            if inside == b"php" { 9 } else { 3 },
            "opens a block of code in a Smarty template",
        );
    }
    let tail = inside.strip_prefix(b"if").map_or(inside, |rest| rest.trim_ascii_start());
    let name = cursor::part(tail, 0, cursor::word_end(tail, 0, 32));
    if !name.is_empty() && cursor::at(tail, name.len()) == b'(' {
        let mut score = 0;
        calls::each(tail, &mut |it| score = score.max(danger(it).map_or(0, |danger| danger.score)));
        if score >= 6 {
            return found("dangerous_call", 10, "an expression that calls a function of the system");
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_automaton_builds() {
        assert!(REACHES.is_some());
        assert_eq!(reaches(Delimiter::Double, b"x.__class__"), 10);
        assert_eq!(reaches(Delimiter::Dollar, b"#request.a"), 8);
        assert_eq!(reaches(Delimiter::Double, b"request.path"), 0);
    }

    #[test]
    fn tells_computing_from_writing() {
        let check = |text: &str| computes(text.as_bytes());
        assert_eq!(check("7*7"), 10);
        assert_eq!(check("'7'*7"), 10);
        assert_eq!(check("(1 + 1)"), 10);
        assert_eq!(check("2**8"), 10);
        assert_eq!(check("2026-01-02"), 6);
        assert_eq!(check("20"), 0);
        assert_eq!(check("-1"), 0);
        assert_eq!(check("a*7"), 0);
        assert_eq!(check("'open"), 0);
        assert_eq!(check("7*"), 0);
        assert_eq!(check(""), 0);
    }

    #[test]
    fn a_name_is_only_a_name() {
        for text in [
            "name",
            "host.name",
            "#is_alert",
            ".values.x",
            "pagesize?.value - 1",
            "github.ref",
            "20",
            "user.name | upper",
        ] {
            for delimiter in [Delimiter::Double, Delimiter::Dollar, Delimiter::Statement] {
                assert_eq!(judge(delimiter, text.as_bytes(), true), None, "{text}");
            }
        }
    }
}
