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

/// What a word in the name of a field says. A comparison with each word would cost more than looking at the value.
fn word(word: &[u8]) -> Option<Field> {
    let field = match word {
        b"message" | b"messages" | b"comment" | b"comments" | b"description" | b"desc" | b"text"
        | b"texts" | b"title" | b"subject" | b"summary" | b"note" | b"notes" | b"caption" | b"bio"
        | b"about" | b"prompt" | b"prompts" | b"instruction" | b"instructions" | b"question" | b"answer"
        | b"review" | b"feedback" | b"reason" | b"detail" | b"details" | b"headline" | b"abstract"
        | b"content" | b"contents" | b"system" | b"input" | b"inputs" | b"output" | b"outputs" | b"reply"
        | b"selftext" | b"thinking" | b"reasoning" | b"explanation" | b"transcript" | b"annotation"
        | b"body" | b"completion" | b"chat" | b"conversation" | b"tooltip" | b"paragraph" | b"sentence"
        | b"story" | b"changelog" | b"example" | b"examples" => Field::Prose,
        b"html" | b"markdown" | b"md" | b"richtext" | b"readme" | b"rendered" | b"xhtml" | b"wiki"
        | b"css" | b"svg" => Field::Markup,
        b"code" | b"source" | b"script" | b"scripts" | b"patch" | b"diff" | b"hunk" | b"snippet"
        | b"program" | b"expression" | b"formula" | b"regex" | b"regexp" | b"pattern" | b"function"
        | b"lambda" | b"template" | b"arguments" | b"stdout" | b"stderr" | b"log" | b"logs" | b"stack"
        | b"trace" | b"stacktrace" | b"traceback" | b"yaml" | b"manifest" | b"dockerfile" | b"notebook"
        | b"painless" | b"definition" | b"schema" | b"steps" | b"workflow" => Field::Code,
        b"query" | b"queries" | b"jql" | b"cql" | b"filter" | b"filters" | b"where" | b"lucene" | b"esql"
        | b"sql" | b"graphql" | b"promql" | b"aggs" | b"statement" | b"search" | b"eql" | b"kql" => {
            Field::Query
        }
        b"url" | b"urls" | b"uri" | b"href" | b"link" | b"links" | b"endpoint" | b"callback" | b"webhook"
        | b"redirect" | b"homepage" | b"website" | b"avatar" | b"origin" | b"referrer" | b"referer" => {
            Field::Url
        }
        b"path" | b"paths" | b"file" | b"files" | b"filename" | b"filepath" | b"dir" | b"directory"
        | b"folder" => Field::File,
        b"token" | b"secret" | b"signature" | b"sig" | b"hash" | b"sha" | b"sha1" | b"sha256" | b"md5"
        | b"digest" | b"checksum" | b"nonce" | b"csrf" | b"jwt" | b"base64" | b"blob" | b"certificate"
        | b"cert" | b"pem" | b"etag" | b"cursor" | b"fingerprint" | b"ciphertext" => Field::Opaque,
        b"id" | b"ids" | b"uid" | b"uuid" | b"guid" | b"name" | b"username" | b"login" | b"user"
        | b"sort" | b"order" | b"page" | b"limit" | b"offset" | b"lang" | b"locale" | b"type" | b"status"
        | b"category" | b"tag" | b"tags" | b"version" | b"format" | b"mode" | b"country" | b"currency"
        | b"date" | b"email" | b"phone" | b"slug" | b"role" | b"action" | b"method" => Field::Token,
        _ => return None,
    };
    Some(field)
}

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
