//! The commands that stand in the first lines of an example, so that what people read is what the test does.

use std::collections::BTreeMap;

use http::Method;

/// One command of an example.
#[derive(Debug)]
pub(crate) enum Command {
    /// `NAME=$(portcullis keys create …)`.
    CreateKey {
        /// The variable that the key goes to.
        variable: String,
        /// The key's name, then further arguments.
        arguments: Vec<String>,
    },
    /// `curl … # STATUS`.
    Call(Call),
}

/// A call with the status that the example promises.
#[derive(Debug)]
pub(crate) struct Call {
    /// The line as it stands in the example.
    pub(crate) line: String,
    /// Whether it goes over TLS.
    pub(crate) secure: bool,
    /// Whether it presents the client's certificate.
    pub(crate) certificate: bool,
    /// The method.
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    /// Header fields, variables not yet filled in.
    pub(crate) headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub(crate) body: String,
    /// The status promised.
    pub(crate) status: u16,
}

/// The commands in the comment at the top of a configuration.
pub(crate) fn of(config: &str) -> Vec<Command> {
    let comment = config.lines().take_while(|line| line.starts_with('#'));
    comment.filter_map(|line| line.strip_prefix("#   ")).filter_map(command).collect()
}

/// Fills in `$NAME`.
pub(crate) fn filled_in(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut text = text.to_owned();
    for (name, value) in variables {
        text = text.replace(&format!("${name}"), value);
    }
    assert!(!text.contains('$'), "a variable that nothing sets: {text}");
    text
}

fn command(line: &str) -> Option<Command> {
    if let Some((variable, rest)) = line.split_once("=$(portcullis keys create ") {
        let arguments = words(rest.strip_suffix(')').unwrap_or_else(|| panic!("no closing bracket: {line}")));
        return Some(Command::CreateKey { variable: variable.to_owned(), arguments });
    }
    let (call, status) =
        line.strip_prefix("curl ")?.rsplit_once(" # ").unwrap_or_else(|| panic!("no status: {line}"));
    let status = status.trim().parse().unwrap_or_else(|_| panic!("no status: {line}"));
    Some(Command::Call(curl(line, call, status)))
}

/// The part of curl's command line that the examples use; anything else fails the test.
fn curl(line: &str, arguments: &str, status: u16) -> Call {
    let mut call = Call {
        line: line.to_owned(),
        secure: false,
        certificate: false,
        method: Method::GET,
        target: String::new(),
        headers: Vec::new(),
        body: String::new(),
        status,
    };
    let mut words = words(arguments).into_iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("`{word}` without a value: {line}"));
        match word.as_str() {
            "-i" | "-N" => (),
            "--cacert" | "--key" => drop(value()),
            "--cert" => {
                value();
                call.certificate = true;
            }
            "-X" => call.method = value().parse().expect("a method"),
            "-H" => {
                let header = value();
                let (name, value) = header.split_once(':').expect("a header field");
                call.headers.push((name.to_owned(), value.trim().to_owned()));
            }
            "--json" => {
                call.body = value();
                call.method = Method::POST;
                call.headers.push(("content-type".to_owned(), "application/json".to_owned()));
            }
            url => {
                let (scheme, rest) = url.split_once("://").unwrap_or_else(|| panic!("`{url}`: {line}"));
                call.secure = scheme == "https";
                call.target = rest.find('/').map_or("/", |at| rest.split_at(at).1).to_owned();
            }
        }
    }
    assert!(!call.target.is_empty(), "no URL: {line}");
    call
}

/// Splits as a shell does, as far as quotes go.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for letter in text.chars() {
        match (letter, quote) {
            ('\'' | '"', None) => quote = Some(letter),
            (end, Some(begin)) if end == begin => quote = None,
            (' ', None) => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            (letter, _) => word.push(letter),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}
