//! Names and values of queries and forms (WHATWG URL §5.1), leniently: every receiver's reading of a malformed one
//! must be looked at, so nothing is refused here.

use crate::{
    decode::{Buffer, percent_once},
    inspector::{Judging, Spot},
    leaf::{Field, Where},
};

/// What a `+` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plus {
    /// A space, as in queries and forms.
    Space,
    /// Itself, as in paths and cookies.
    Itself,
}

/// Pairs looked at by themselves; the rest of a longer query or form is looked at as one text.
const PAIRS_MAX: usize = 1_000;

impl Judging<'_> {
    /// Looks at a query as on the wire, without its `?`: values and names.
    pub fn query(&mut self, query: &[u8]) {
        if !query.is_empty() {
            self.pairs(Where::Query, query);
        }
    }

    /// Looks at the names and values of a query or form.
    pub(crate) fn pairs(&mut self, at: Where, text: &[u8]) {
        let mut rest = text;
        let mut tail = Tail::Unseen;
        for _ in 0..PAIRS_MAX {
            let (pair, after) = cut(rest, b'&');
            if !pair.is_empty() {
                self.pair(at, pair, rest, &mut tail);
            }
            let Some(after) = after else { return };
            rest = after;
        }
        self.value(&Spot::named(at, ""), decoded(rest, Plus::Space, &mut Buffer::new()));
    }

    /// Looks at one pair; `rest` is the text from it on.
    fn pair(&mut self, at: Where, pair: &[u8], rest: &[u8], tail: &mut Tail) {
        let (raw_name, raw_value) = cut(pair, b'=');
        let mut buffer = Buffer::new();
        let name_bytes = decoded(raw_name, Plus::Space, &mut buffer);
        let name = text_of(name_bytes);
        if !is_plain_name(name_bytes) {
            self.value(&Spot { at: Where::Name, ..Spot::named(at, name) }, name_bytes);
            self.cut_apart(at, pair, rest, tail);
        }
        if let Some(raw_value) = raw_value {
            let mut buffer = Buffer::new();
            let value = decoded(raw_value, Plus::Space, &mut buffer);
            let spot = Spot::named(at, name);
            if !self.is_graphql(&spot, text_of(value)) {
                self.value(&spot, value);
            }
        }
    }

    /// A name that no API has may be a payload which the syntax of queries has cut: it is looked at with its value,
    /// and, the first time, with all that follows.
    fn cut_apart(&mut self, at: Where, pair: &[u8], rest: &[u8], tail: &mut Tail) {
        let joined = Spot { declared: Some(Field::Unknown), ..Spot::named(at, "") };
        if *tail == Tail::Unseen && rest.len() > pair.len() {
            *tail = Tail::Seen;
            self.value(&joined, decoded(rest, Plus::Space, &mut Buffer::new()));
        }
        if memchr::memchr(b'=', pair).is_some() {
            self.value(&joined, decoded(pair, Plus::Space, &mut Buffer::new()));
        }
    }
}

/// Whether the text from some pair on was looked at as one: once is enough, and keeps the work linear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    Unseen,
    Seen,
}

/// The text before the first `byte`, and what comes after it.
pub(crate) fn cut(text: &[u8], byte: u8) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(byte, text).and_then(|at| text.split_at_checked(at)) {
        Some((before, from)) => (before, from.get(1..)),
        None => (text, None),
    }
}

/// Whether a name is made of letters, digits and what APIs join them with.
pub(crate) fn is_plain_name(name: &[u8]) -> bool {
    let is_plain = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'[' | b']' | b':' | b'@')
    };
    name.iter().all(is_plain) && name.len() < 64 && !name.is_empty()
}

/// Percent-decodes once, into `out` where there is something to decode; what is malformed stays as it is.
pub(crate) fn decoded<'t>(text: &'t [u8], plus: Plus, out: &'t mut Buffer) -> &'t [u8] {
    let is_coded = |byte: &u8| *byte == b'%' || (*byte == b'+' && plus == Plus::Space);
    if !text.iter().any(is_coded) {
        return text;
    }
    match plus {
        Plus::Itself => percent_once(text, out),
        // Before decoding, or `%2B` would become a blank as well.
        Plus::Space => {
            let spaced: Buffer = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
            percent_once(&spaced, out);
        }
    }
    out
}

/// The bytes as text, as far as they are.
pub(crate) fn text_of(bytes: &[u8]) -> &str {
    bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}
