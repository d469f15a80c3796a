//! Marks by which code shows without a call: server page tags, stream wrappers, internals of interpreters.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::{cursor, strongest::Strongest};

/// All marks in one automaton; that it builds is a test.
static AUTOMATON: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(MARKS.iter().map(|mark| mark.text)).ok());

/// Judges every mark.
pub(super) fn look(lower: &[u8], strongest: &mut Strongest<'_, '_>) {
    for found in AUTOMATON.iter().flat_map(|automaton| automaton.find_iter(lower)) {
        let Some(mark) = MARKS.get(found.pattern().as_usize()) else { continue };
        if is_whole(lower, found.start(), found.end(), mark.text) {
            strongest.offer(mark.rule, mark.score, found.range(), mark.why);
        }
    }
    if let Some(start) = memchr::memmem::find_iter(lower, b"<?").find(|start| is_page_tag(lower, start + 2)) {
        let span = start..(start + 24).min(lower.len());
        // A picture that is a page, too, is made for one purpose.
        if [&b"gif8"[..], b"\x89png", b"\xff\xd8\xff", b"\xc2\x89png"]
            .iter()
            .any(|magic| lower.starts_with(magic))
        {
            strongest.offer_exploit("php_page_in_picture", 10, span.clone(), "hides a PHP page in a picture");
        }
        strongest.offer("php_page_tag", 10, span, "opens a PHP page");
    }
    wrappers(lower, strongest);
    characters(lower, strongest);
}

#[derive(Clone, Copy)]
struct Mark {
    text: &'static [u8],
    rule: &'static str,
    score: u8,
    why: &'static str,
}

const fn mark(text: &'static [u8], rule: &'static str, score: u8, why: &'static str) -> Mark {
    Mark { text, rule, score, why }
}

const SUPERGLOBAL: &str = "reads a PHP superglobal inside a value";
const INTERNALS: &str = "climbs from an object to the interpreter's internals";
const SETTING: &str = "changes PHP settings so that foreign code is loaded";
const CALLBACK: &str = "names the callback of a render array, which PHP would call";
const JAVA: &str = "names a Java class that runs commands or scripts";

static MARKS: [Mark; 38] = [
    mark(b"#post_render", "render_callback", 10, CALLBACK),
    mark(b"#pre_render", "render_callback", 10, CALLBACK),
    mark(b"#lazy_builder", "render_callback", 10, CALLBACK),
    mark(b"#access_callback", "render_callback", 9, CALLBACK),
    mark(b".os.system", "interpreter_internals", 9, INTERNALS),
    mark(b"$_get[", "php_superglobal", 9, SUPERGLOBAL),
    mark(b"$_post[", "php_superglobal", 9, SUPERGLOBAL),
    mark(b"$_request[", "php_superglobal", 9, SUPERGLOBAL),
    mark(b"$_server[", "php_superglobal", 9, SUPERGLOBAL),
    mark(b"$_cookie[", "php_superglobal", 9, SUPERGLOBAL),
    mark(b"$_files[", "php_superglobal", 9, SUPERGLOBAL),
    mark(b"$globals[", "php_superglobal", 8, SUPERGLOBAL),
    mark(
        b"__construct()",
        "php_object_configuration",
        10,
        "configures the construction of a PHP object of any class",
    ),
    mark(b"__halt_compiler", "php_page_tag", 9, "ends a PHP page before foreign bytes"),
    mark(b"allow_url_include", "php_setting", 10, SETTING),
    mark(b"auto_prepend_file", "php_setting", 10, SETTING),
    mark(b"auto_append_file", "php_setting", 10, SETTING),
    mark(b"__subclasses__", "interpreter_internals", 10, INTERNALS),
    mark(b"__globals__", "interpreter_internals", 10, INTERNALS),
    mark(b"__builtins__", "interpreter_internals", 9, INTERNALS),
    mark(b"__mro__", "interpreter_internals", 10, INTERNALS),
    mark(b".__class__", "interpreter_internals", 9, INTERNALS),
    mark(b"__reduce__", "interpreter_internals", 7, INTERNALS),
    mark(b"'child_process'", "node_module", 10, "loads the Node.js module that starts processes"),
    mark(b"\"child_process\"", "node_module", 10, "loads the Node.js module that starts processes"),
    mark(b"`child_process`", "node_module", 10, "loads the Node.js module that starts processes"),
    mark(b"process.mainmodule", "node_module", 9, "reaches the Node.js main module"),
    mark(b"process.binding(", "node_module", 9, "reaches the Node.js internals"),
    mark(b"@java.lang.runtime@", "java_class", 10, JAVA),
    mark(b"java.lang.runtime.", "java_class", 8, JAVA),
    mark(b"java.lang.processbuilder", "java_class", 9, JAVA),
    mark(b"javax.script.scriptenginemanager", "java_class", 9, JAVA),
    mark(b"freemarker.template.utility.execute", "java_class", 10, JAVA),
    mark(b"freemarker.template.utility.objectconstructor", "java_class", 10, JAVA),
    mark(b"groovy.lang.groovyshell", "java_class", 7, JAVA),
    mark(b"<cfexecute", "coldfusion_tag", 10, "a ColdFusion tag that runs a program"),
    mark(b"socket.inet_aton(", "reverse_shell", 6, "opens a socket to an address"),
    mark(b"sockaddr_in(", "reverse_shell", 9, "opens a socket to an address"),
];

/// A mark that begins or ends in a letter stands by itself.
fn is_whole(lower: &[u8], start: usize, end: usize, text: &[u8]) -> bool {
    let joins = |outer: u8, inner: Option<&u8>| {
        outer.is_ascii_alphanumeric() && inner.is_some_and(u8::is_ascii_alphanumeric)
    };
    !joins(cursor::before(lower, start), text.first()) && !joins(cursor::at(lower, end), text.last())
}

/// Whether what follows `<?` makes it PHP's tag: not XML's declaration or another processing instruction.
fn is_page_tag(lower: &[u8], after: usize) -> bool {
    if cursor::stands_at(lower, after, b"php") {
        return !cursor::at(lower, after + 3).is_ascii_alphanumeric();
    }
    if cursor::at(lower, after) == b'=' {
        return true;
    }
    // The short tag needs a statement.
    let from = cursor::skip_filler(lower, after);
    let is_short = from > after || matches!(cursor::at(lower, after), b'@' | b'$' | b'`');
    is_short
        && (matches!(cursor::at(lower, from), b'@' | b'$' | b'`')
            || [
                &b"echo"[..],
                b"eval",
                b"system",
                b"print",
                b"include",
                b"require",
                b"passthru",
                b"die",
                b"exec",
            ]
            .iter()
            .any(|word| cursor::stands_at(lower, from, word)))
}

/// PHP's stream wrappers that read code or run it.
fn wrappers(lower: &[u8], strongest: &mut Strongest<'_, '_>) {
    for start in memchr::memmem::find_iter(lower, b"php://") {
        let stream = cursor::part(lower, start + 6, start + 14);
        let is_stream = [&b"input"[..], b"filter", b"output", b"stdin", b"memory", b"temp", b"fd/"]
            .iter()
            .any(|name| stream.starts_with(name));
        if is_stream {
            strongest.offer("php_stream", 10, start..start + 6, "names a PHP stream as if it were a file");
            return;
        }
    }
    for scheme in [&b"expect://"[..], b"phar://", b"data://"] {
        if let Some(start) = cursor::find(lower, scheme, 0) {
            strongest.offer(
                "php_stream",
                10,
                start..start + scheme.len(),
                "names a PHP stream as if it were a file",
            );
        }
    }
}

/// `chr(115).chr(121).…`: text built from numbers so that no filter reads it.
fn characters(lower: &[u8], strongest: &mut Strongest<'_, '_>) {
    let mut count = 0;
    let mut last = 0;
    for start in memchr::memmem::find_iter(lower, b"chr(") {
        let gap = start.saturating_sub(last);
        let is_number = cursor::at(lower, start + 4).is_ascii_digit();
        count = if is_number && (count == 0 || gap <= 12) { count + 1 } else { 0 };
        last = start;
        if count == 3 {
            let span = start.saturating_sub(24)..start + 4;
            strongest.offer("assembled_characters", 8, span, "builds text from character codes to hide it");
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_automaton_builds() {
        assert!(AUTOMATON.is_some());
    }

    #[test]
    fn tells_the_tag_of_php_from_other_instructions() {
        for php in ["php", "php ", "=1", " echo 1", "@eval", "\n$x"] {
            assert!(is_page_tag(php.as_bytes(), 0), "{php}");
        }
        for other in ["xml version", "xml-stylesheet", "phpx", " xml", "mso-application", " ", ""] {
            assert!(!is_page_tag(other.as_bytes(), 0), "{other}");
        }
    }
}
