//! How much of its score a hit keeps, by the field it stands in and by the prose around it.

use std::ops::Range;

use super::cursor;
use crate::{
    leaf::{Field, Where},
    view::View,
};

/// How much of `score` remains for what stands at `span`.
///
/// An exploit sent through a text field is nearly the whole value; a person or a program that writes *about* code
/// puts it into sentences, fences or a longer text. So a free-text field lowers the score only where there is text.
pub(crate) fn weigh(view: &View<'_>, span: &Range<usize>, score: u8, nature: Nature) -> u8 {
    let share = match view.leaf.field {
        Field::Prose | Field::Markup => match surroundings(view.text, span) {
            Surroundings::Bare => 10,
            Surroundings::Worded => 6,
            Surroundings::Text => 4,
        },
        Field::Code => match surroundings(view.text, span) {
            Surroundings::Bare if nature == Nature::Exploit => 10,
            Surroundings::Bare => 5,
            Surroundings::Worded | Surroundings::Text => 3,
        },
        Field::Query => match surroundings(view.text, span) {
            Surroundings::Bare => 10,
            Surroundings::Worded | Surroundings::Text => 5,
        },
        Field::Unknown
        | Field::Token
        | Field::Url
        | Field::File
        | Field::Opaque
        | Field::UserAgent
        | Field::Referer => {
            if view.leaf.at == Where::Body && is_long_text(view.text) {
                7
            } else {
                10
            }
        }
    };
    (score * share / 10).max(1)
}

/// What a find is when it stands in source code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// Code that programs have as well.
    Code,
    /// Code that only exploits consist of, such as a page that runs a request's parameter.
    Exploit,
}

/// What stands around a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Surroundings {
    /// Hardly a word.
    Bare,
    /// A sentence or so.
    Worded,
    /// A text, or a fenced piece of code.
    Text,
}

/// How far to each side words are looked for.
const SIDE_BYTES: usize = 512;

/// Words of prose outside the span decide: letters alone, then a blank or the end of a sentence.
fn surroundings(text: &[u8], span: &Range<usize>) -> Surroundings {
    let before = cursor::part(text, span.start.saturating_sub(SIDE_BYTES), span.start);
    let after = cursor::part(text, span.end, span.end.saturating_add(SIDE_BYTES));
    if before.ends_with(b"`") && !before.ends_with(b"``") && after.starts_with(b"`")
        || cursor::has(before, b"```")
    {
        return Surroundings::Text;
    }
    match words(before) + words(after) {
        0..=5 => Surroundings::Bare,
        6..=11 => Surroundings::Worded,
        _ => Surroundings::Text,
    }
}

/// More words than these change nothing.
const WORDS_MAX: usize = 40;

fn words(text: &[u8]) -> usize {
    let is_prose = |word: &&[u8]| {
        let word = word.strip_suffix(b".").or_else(|| word.strip_suffix(b",")).unwrap_or(word);
        word.len() > 1 && word.iter().all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80)
    };
    text.split(|byte| cursor::is_blank(*byte)).filter(is_prose).take(WORDS_MAX).count()
}

/// A text of many words and lines in a field of which nothing is known: a document, a mail, a page.
fn is_long_text(text: &[u8]) -> bool {
    text.len() >= LONG_TEXT_BYTES_MIN && words(cursor::part(text, 0, LONG_TEXT_BYTES_MIN)) == WORDS_MAX
}

const LONG_TEXT_BYTES_MIN: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, code: &str) -> Surroundings {
        let start = text.find(code).unwrap();
        surroundings(text.as_bytes(), &(start..start + code.len()))
    }

    #[test]
    fn an_exploit_is_nearly_the_whole_value() {
        assert_eq!(check("<script>alert(1)</script>", "<script>alert(1)"), Surroundings::Bare);
        assert_eq!(check("Nice photo! <script>alert(1)</script>", "<script>alert(1)"), Surroundings::Bare);
    }

    #[test]
    fn a_text_about_code_has_words() {
        let text = "Why does the call alert(1) not show a box in this browser when I press the button twice?";
        assert_eq!(check(text, "alert(1)"), Surroundings::Text);
        assert_eq!(check("Please use `alert(1)` here", "alert(1)"), Surroundings::Text);
        assert_eq!(check("```js\nalert(1)\n```", "alert(1)"), Surroundings::Text);
    }

    #[test]
    fn never_gives_more_than_it_got() {
        assert_eq!(words(b"one two, three. 4 f1ve"), 3);
        assert_eq!(words(&b"word ".repeat(1000)), WORDS_MAX);
    }
}
