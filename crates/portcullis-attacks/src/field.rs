//! What a field is for: from its name and its container's, its place, and, where these say nothing, its look.
//!
//! An attacker chooses the value, so its look may only tell long texts of several lines apart, which no injection is
//! by itself; the name of a member is chosen by the API.

use crate::leaf::{Field, Where};

/// What the name and place of a value say, and its look where they say nothing.
pub(crate) fn of(at: Where, name: &str, parent: &str, value: &[u8]) -> Field {
    match at {
        Where::Path => Field::Unknown,
        Where::Name => Field::Token,
        Where::Header => header(name),
        Where::Query | Where::Cookie => match named(name) {
            // What a query or a cookie holds reaches code, however it is called: only keys and addresses are told.
            Some(field @ (Field::Token | Field::Url | Field::File | Field::Opaque)) => field,
            _ => Field::Unknown,
        },
        Where::Body => match named(name).or_else(|| contained(parent)) {
            // A name may mean a key or a text: `code`, `body`, `input`.
            Some(Field::Token) if is_long_text(value) => look(value),
            // A prompt, a file's content, a comment may be source code throughout.
            Some(Field::Prose) if is_long_text(value) => look(value),
            Some(field) => field,
            None if is_long_text(value) => look(value),
            None => Field::Unknown,
        },
    }
}

/// Whether a name says that what it holds is a query.
pub(crate) fn is_query(name: &str) -> bool {
    named(name) == Some(Field::Query)
}

/// What is left of a field's purpose once its value was unpacked from base64 or hexadecimal: long content is a file.
pub(crate) fn unpacked(field: Field, length: usize) -> Field {
    match field {
        Field::Unknown | Field::Opaque | Field::Prose | Field::Token if length > FILE_BYTES_MIN => {
            Field::Code
        }
        Field::Opaque => Field::Unknown,
        other => other,
    }
}

/// Whether texts of many words are expected there.
pub(crate) fn is_free_text(field: Field) -> bool {
    match field {
        Field::Prose | Field::Markup | Field::Code | Field::Query => true,
        Field::Unknown
        | Field::Token
        | Field::Url
        | Field::File
        | Field::Opaque
        | Field::UserAgent
        | Field::Referer => false,
    }
}

/// From this length on, base64 is a file rather than a hidden parameter.
const FILE_BYTES_MIN: usize = 512;

fn header(name: &str) -> Field {
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    if is("user-agent") {
        Field::UserAgent
    } else if is("referer") {
        Field::Referer
    } else if is("origin") || is("x-original-url") || is("x-rewrite-url") {
        Field::Url
    } else {
        Field::Unknown
    }
}

/// What a container's name says of all that is in it.
fn contained(parent: &str) -> Option<Field> {
    match named(parent)? {
        field @ (Field::Prose | Field::Markup | Field::Code | Field::Query | Field::Url | Field::File) => {
            Some(field)
        }
        Field::Unknown | Field::Token | Field::Opaque | Field::UserAgent | Field::Referer => None,
    }
}

/// What a name says: its last word decides, then the one before it.
fn named(name: &str) -> Option<Field> {
    let mut words = words(name);
    let last = words.next()?;
    word(&last).or_else(|| words.next().and_then(|before| word(&before)))
}

/// A word of a name in lower case; longer words mean nothing here.
type Word = smallvec::SmallVec<[u8; 16]>;

/// The words of a name from the last to the first: `user[homePage-url]` has url, page, home, user.
fn words(name: &str) -> impl Iterator<Item = Word> {
    let mut rest = name.as_bytes();
    std::iter::from_fn(move || {
        while let [before @ .., last] = rest {
            if last.is_ascii_alphanumeric() {
                break;
            }
            rest = before;
        }
        let mut word = Word::new();
        while let [before @ .., last] = rest {
            if !last.is_ascii_alphanumeric() {
                break;
            }
            word.push(last.to_ascii_lowercase());
            rest = before;
            // A capital begins a word, unless it continues an abbreviation: `URL`.
            let continues = before.last().is_some_and(u8::is_ascii_uppercase);
            if last.is_ascii_uppercase() && !continues {
                break;
            }
        }
        word.reverse();
        (!word.is_empty()).then_some(word)
    })
}

fn word(word: &[u8]) -> Option<Field> {
    let list = LISTS.iter().find(|(_, words)| words.iter().any(|it| it.as_bytes() == word))?;
    Some(list.0)
}

/// What words in the names of fields say.
const LISTS: [(Field, &[&str]); 8] = [
    (
        Field::Prose,
        &[
            "message",
            "messages",
            "comment",
            "comments",
            "description",
            "desc",
            "text",
            "texts",
            "title",
            "subject",
            "summary",
            "note",
            "notes",
            "caption",
            "bio",
            "about",
            "prompt",
            "prompts",
            "instruction",
            "instructions",
            "question",
            "answer",
            "review",
            "feedback",
            "reason",
            "detail",
            "details",
            "headline",
            "abstract",
            "content",
            "contents",
            "system",
            "input",
            "inputs",
            "output",
            "outputs",
            "reply",
            "selftext",
            "thinking",
            "reasoning",
            "explanation",
            "transcript",
            "annotation",
            "body",
            "completion",
            "chat",
            "conversation",
            "tooltip",
            "paragraph",
            "sentence",
            "story",
            "changelog",
            "example",
            "examples",
        ],
    ),
    (
        Field::Markup,
        &["html", "markdown", "md", "richtext", "readme", "rendered", "xhtml", "wiki", "css", "svg"],
    ),
    (
        Field::Code,
        &[
            "code",
            "source",
            "script",
            "scripts",
            "patch",
            "diff",
            "hunk",
            "snippet",
            "program",
            "expression",
            "formula",
            "regex",
            "regexp",
            "pattern",
            "function",
            "lambda",
            "template",
            "arguments",
            "stdout",
            "stderr",
            "log",
            "logs",
            "stack",
            "trace",
            "stacktrace",
            "traceback",
            "yaml",
            "manifest",
            "dockerfile",
            "notebook",
            "painless",
            "definition",
            "schema",
            "steps",
            "workflow",
        ],
    ),
    (
        Field::Query,
        &[
            "query",
            "queries",
            "jql",
            "cql",
            "filter",
            "filters",
            "where",
            "lucene",
            "esql",
            "sql",
            "graphql",
            "promql",
            "aggs",
            "statement",
            "search",
            "eql",
            "kql",
        ],
    ),
    (
        Field::Url,
        &[
            "url", "urls", "uri", "href", "link", "links", "endpoint", "callback", "webhook", "redirect",
            "homepage", "website", "avatar", "origin", "referrer", "referer",
        ],
    ),
    (Field::File, &["path", "paths", "file", "files", "filename", "filepath", "dir", "directory", "folder"]),
    (
        Field::Opaque,
        &[
            "token",
            "secret",
            "signature",
            "sig",
            "hash",
            "sha",
            "sha1",
            "sha256",
            "md5",
            "digest",
            "checksum",
            "nonce",
            "csrf",
            "jwt",
            "base64",
            "blob",
            "certificate",
            "cert",
            "pem",
            "etag",
            "cursor",
            "fingerprint",
            "ciphertext",
        ],
    ),
    (
        Field::Token,
        &[
            "id", "ids", "uid", "uuid", "guid", "name", "username", "login", "user", "sort", "order", "page",
            "limit", "offset", "lang", "locale", "type", "status", "category", "tag", "tags", "version",
            "format", "mode", "country", "currency", "date", "email", "phone", "slug", "role", "action",
            "method",
        ],
    ),
];

/// Shorter values, or of fewer lines, are judged without regard to their look.
const LONG_TEXT_BYTES_MIN: usize = 200;

/// From this length on a single line may be minified source code.
const LONG_LINE_BYTES_MIN: usize = 2048;

fn is_long_text(value: &[u8]) -> bool {
    value.len() >= LONG_LINE_BYTES_MIN
        || (value.len() >= LONG_TEXT_BYTES_MIN
            && value.iter().filter(|byte| **byte == b'\n').take(LINES_MIN).count() == LINES_MIN)
}

/// Texts of fewer line ends are judged without regard to their look.
const LINES_MIN: usize = 3;

/// How lines of scripts and programs begin, and sentences seldom do.
const LINE_BEGINNINGS: [&str; 22] = [
    "#!", "//", "/*", "--", "if [", "fi", "then", "done", "do ", "echo ", "export ", "import ", "from ",
    "def ", "return ", "set ", "let ", "const ", "var ", "local ", "case ", "esac",
];

/// Longer lines on average are prose, or minified.
const LINE_BYTES_USUAL: usize = 160;

/// How often minified code has a bracket or semicolon: once in so many bytes.
const DENSITY: usize = 24;

/// How much of a long text is looked at.
const LOOK_BYTES: usize = 2048;

/// Tells source code from prose by how its lines end and begin.
fn look(value: &[u8]) -> Field {
    let value = value.get(..LOOK_BYTES.min(value.len())).unwrap_or_default();
    let (mut lines, mut code) = (0, 0);
    for line in value.split(|byte| *byte == b'\n') {
        let line_trimmed = line.trim_ascii();
        if line_trimmed.is_empty() {
            continue;
        }
        lines += 1;
        let ends = matches!(line_trimmed.last(), Some(b'{' | b'}' | b';' | b'(' | b')' | b',' | b'['));
        let indented = matches!(line.first(), Some(b' ' | b'\t' | b'+' | b'-'));
        let begins = LINE_BEGINNINGS.iter().any(|word| line_trimmed.starts_with(word.as_bytes()));
        if ends || indented || begins {
            code += 1;
        }
    }
    let marks = value.iter().filter(|byte| matches!(byte, b'{' | b'}' | b';')).count();
    let is_dense = lines * LINE_BYTES_USUAL < value.len() && marks * DENSITY > value.len();
    if code * 2 > lines || is_dense { Field::Code } else { Field::Prose }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_words_of_names() {
        let check =
            |name| words(name).map(|word| String::from_utf8(word.to_vec()).unwrap()).collect::<Vec<_>>();
        assert_eq!(check("user[homePage-url]"), ["url", "page", "home", "user"]);
        assert_eq!(check("bodyHTML"), ["html", "body"]);
        assert_eq!(check("callback_URL"), ["url", "callback"]);
        assert_eq!(check("--"), Vec::<String>::new());
    }

    #[test]
    fn the_last_word_decides() {
        assert_eq!(of(Where::Body, "source_url", "", b"x"), Field::Url);
        assert_eq!(of(Where::Body, "bodyHtml", "", b"x"), Field::Markup);
        assert_eq!(of(Where::Body, "message", "", b"x"), Field::Prose);
        assert_eq!(of(Where::Body, "frobnicator", "", b"x"), Field::Unknown);
        assert_eq!(of(Where::Body, "", "messages", b"x"), Field::Prose);
    }

    #[test]
    fn a_query_or_cookie_holds_no_free_text() {
        for name in ["message", "code", "query", "html"] {
            assert_eq!(of(Where::Query, name, "", b"x"), Field::Unknown);
            assert_eq!(of(Where::Cookie, name, "", b"x"), Field::Unknown);
        }
        assert_eq!(of(Where::Query, "redirect_url", "", b"x"), Field::Url);
        assert_eq!(of(Where::Query, "user_id", "", b"x"), Field::Token);
    }

    #[test]
    fn only_long_texts_are_judged_by_their_look() {
        let short = b"a();\nb();\nc();\nd();";
        assert_eq!(of(Where::Body, "frob", "", short), Field::Unknown);
        let code = b"int main(void) {\n    return 0;\n}\n".repeat(10);
        assert_eq!(of(Where::Body, "frob", "", &code), Field::Code);
        let minified = b"function a(){return b};var c=a();".repeat(100);
        assert_eq!(of(Where::Body, "content", "", &minified), Field::Code);
        let prose = b"I went to the market today and bought some apples for the cake\n".repeat(10);
        assert_eq!(of(Where::Body, "frob", "", &prose), Field::Prose);
        assert_eq!(of(Where::Query, "frob", "", &code), Field::Unknown);
    }

    #[test]
    fn long_base64_is_a_file() {
        assert_eq!(unpacked(Field::Unknown, 5000), Field::Code);
        assert_eq!(unpacked(Field::Unknown, 50), Field::Unknown);
        assert_eq!(unpacked(Field::Opaque, 50), Field::Unknown);
    }
}
