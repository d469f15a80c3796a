//! YAML text into a tree in which everything knows its place.
//!
//! Scalars stay text: what `off`, `1.3` or `:8443` means is for the key that holds it to say, so YAML 1.1's
//! surprises (`no` is false, `1e3` is a number) cannot happen.

use std::collections::HashMap;

use serde_saphyr::granit_parser::{self as parser, Event, Parser, ScalarStyle};

use crate::{
    codes::{self, Code},
    source::Span,
};

/// Values in one file after aliases are followed: an alias bomb ends here.
const NODES_MAX: usize = 1_000_000;
/// Levels of nesting. The language itself needs ten.
const DEPTH_MAX: usize = 64;

/// A value with its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

/// What is written there.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key with its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Node,
}

/// A mistake found while building the tree.
#[derive(Debug)]
pub(crate) struct Mistake {
    pub(crate) code: &'static Code,
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) also: Option<(Span, &'static str)>,
}

impl Node {
    pub(crate) fn map(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            Value::Null | Value::Scalar(_) | Value::List(_) => None,
        }
    }

    /// The value of a key, where this is a mapping that has it.
    pub(crate) fn key(&self, key: &str) -> Option<&Node> {
        self.map()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    pub(crate) fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// What kind of value this is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Scalar(_) => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// Moves the whole tree to one place: for defaults, which stand in no file.
    pub(crate) fn moved_to(mut self, span: Span) -> Self {
        self.span = span;
        match &mut self.value {
            Value::Null | Value::Scalar(_) => {}
            Value::List(items) => {
                *items = std::mem::take(items).into_iter().map(|item| item.moved_to(span)).collect();
            }
            Value::Map(entries) => {
                for entry in entries {
                    entry.key_span = span;
                    let value = std::mem::replace(&mut entry.value, Node { span, value: Value::Null });
                    entry.value = value.moved_to(span);
                }
            }
        }
        self
    }

    fn count(&self) -> usize {
        1 + match &self.value {
            Value::Null | Value::Scalar(_) => 0,
            Value::List(items) => items.iter().map(Node::count).sum(),
            Value::Map(entries) => entries.iter().map(|entry| entry.value.count()).sum(),
        }
    }
}

/// Reads one file. The tree is `None` when it could not be read to its end; mistakes that leave a usable tree
/// (a key given twice) come with the tree.
pub(crate) fn parse(text: &str, file: u32) -> (Option<Node>, Vec<Mistake>) {
    let mut builder = Builder {
        file,
        open: Vec::new(),
        anchors: HashMap::new(),
        nodes: 0,
        root: None,
        mistakes: Vec::new(),
    };
    let mut options = parser::Options::default();
    options.set_emit_comments(false);
    let mut documents = 0;
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, at) = match next {
            Ok(it) => it,
            Err(error) => {
                let mistake = builder.syntax(text, &error);
                builder.mistakes.push(mistake);
                return (None, builder.mistakes);
            }
        };
        let span = builder.span(&at);
        if matches!(event, Event::DocumentStart(..)) {
            documents += 1;
            if documents > 1 {
                builder.mistake(&codes::SYNTAX, span, "a second document in one file".to_owned(), None);
                return (None, builder.mistakes);
            }
        }
        if builder.event(event, span).is_none() {
            return (None, builder.mistakes);
        }
    }
    let root =
        builder.root.take().unwrap_or(Node { span: Span { file, start: 0, end: 0 }, value: Value::Null });
    (Some(root), builder.mistakes)
}

struct Builder {
    file: u32,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    root: Option<Node>,
    mistakes: Vec<Mistake>,
}

/// A collection whose end has not come yet.
struct Open {
    span: Span,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, places: HashMap<String, Span>, key: Option<(String, Span)> },
}

impl Builder {
    fn span(&self, at: &parser::Span) -> Span {
        let range = at.byte_range().unwrap_or(0..0);
        let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { file: self.file, start: narrow(range.start), end: narrow(range.end) }
    }

    fn mistake(&mut self, code: &'static Code, span: Span, message: String, hint: Option<&str>) {
        self.mistakes.push(Mistake { code, span, message, hint: hint.map(str::to_owned), also: None });
    }

    fn syntax(&self, text: &str, error: &parser::ScanError) -> Mistake {
        let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
        let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let line = text.get(..at).and_then(|before| before.lines().last()).unwrap_or_default();
        let rest = text.get(at..).and_then(|after| after.lines().next()).unwrap_or_default();
        let whole = format!("{line}{rest}");
        let hint = if has_plain_braces(&whole) {
            Some("inside `{ … }` a value with braces must be quoted: write \"/orders/{id}\"".to_owned())
        } else if error.info().contains("tab") {
            Some("indent with spaces: YAML does not allow tabs there".to_owned())
        } else {
            None
        };
        Mistake {
            code: &codes::SYNTAX,
            span: Span { file: self.file, start: narrow(at), end: narrow(at) },
            message: error.info(),
            hint,
            also: None,
        }
    }

    /// `None` when the file must be given up.
    fn event(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
                    let message = format!("the tag `{}` means nothing here", tag.original());
                    self.mistake(&codes::SYNTAX, span, message, None);
                }
                let plain = style == ScalarStyle::Plain;
                let value = match &*text {
                    "" | "~" | "null" if plain => Value::Null,
                    _ => Value::Scalar(text.into_owned()),
                };
                self.place(Node { span, value }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.push(span, anchor, Content::List(Vec::new())),
            Event::MappingStart(_, anchor, _) => {
                let content = Content::Map { entries: Vec::new(), places: HashMap::new(), key: None };
                self.push(span, anchor, content)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Open { span: start, anchor, content } = self.open.pop()?;
                let (value, last) = match content {
                    Content::List(items) => {
                        let last = items.last().map(|item| item.span);
                        (Value::List(items), last)
                    }
                    Content::Map { entries, .. } => {
                        let last = entries.last().map(|entry| entry.value.span);
                        (Value::Map(entries), last)
                    }
                };
                // A block collection's end event stands where the next token begins; a flow collection's is its bracket.
                let end = if span.end > span.start { span } else { last.unwrap_or(start) };
                self.place(Node { span: start.to(end), value }, anchor)
            }
            Event::Alias(id) => {
                let Some(node) = self.anchors.get(&id).cloned() else {
                    self.mistake(
                        &codes::SYNTAX,
                        span,
                        "an alias inside the value it stands for".to_owned(),
                        None,
                    );
                    return None;
                };
                self.nodes = self.nodes.saturating_add(node.count());
                self.place(node, 0)
            }
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::DocumentEnd
            | Event::Anchor(..)
            | Event::UnresolvedAlias(_)
            | _ => Some(()),
        }
    }

    fn push(&mut self, span: Span, anchor: usize, content: Content) -> Option<()> {
        if self.open.len() >= DEPTH_MAX {
            self.mistake(&codes::TOO_LARGE, span, format!("more than {DEPTH_MAX} levels of nesting"), None);
            return None;
        }
        self.open.push(Open { span, anchor, content });
        Some(())
    }

    /// Puts a finished value where it belongs.
    fn place(&mut self, node: Node, anchor: usize) -> Option<()> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            self.mistake(
                &codes::TOO_LARGE,
                node.span,
                format!("more than {NODES_MAX} values, aliases followed"),
                None,
            );
            return None;
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Some(());
        };
        let mistake = match &mut open.content {
            Content::List(items) => {
                items.push(node);
                None
            }
            Content::Map { entries, places, key } => match key.take() {
                Some((key, key_span)) => {
                    let twice = match places.entry(key.clone()) {
                        std::collections::hash_map::Entry::Occupied(first) => Some(*first.get()),
                        std::collections::hash_map::Entry::Vacant(slot) => {
                            slot.insert(key_span);
                            None
                        }
                    };
                    match twice {
                        Some(first) => Some(Mistake {
                            code: &codes::DUPLICATE_KEY,
                            span: key_span,
                            message: format!("`{key}` is given twice"),
                            hint: None,
                            also: Some((first, "first given here")),
                        }),
                        None => {
                            entries.push(Entry { key, key_span, value: node });
                            None
                        }
                    }
                }
                None => {
                    let text = match &node.value {
                        Value::Scalar(text) => Some(text.clone()),
                        Value::Null => Some(String::new()),
                        Value::List(_) | Value::Map(_) => None,
                    };
                    let wrong = text.is_none().then(|| Mistake {
                        code: &codes::SYNTAX,
                        span: node.span,
                        message: format!("a key must be a single word, not {}", node.kind()),
                        hint: Some("a value that starts with `{` or `[` must be quoted".to_owned()),
                        also: None,
                    });
                    *key = Some((text.unwrap_or_default(), node.span));
                    wrong
                }
            },
        };
        let fatal = mistake.as_ref().is_some_and(|it| it.code == &codes::SYNTAX);
        self.mistakes.extend(mistake);
        (!fatal).then_some(())
    }
}

/// Whether a line holds something like `/{id}` outside quotes: the usual reason why a flow mapping breaks.
fn has_plain_braces(line: &str) -> bool {
    let mut quote = None;
    let mut before = ' ';
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'') && !before.is_alphanumeric() => quote = Some(c),
            None if c == '{' && !before.is_whitespace() && !matches!(before, '{' | '[' | ',' | ':') => {
                return true;
            }
            None => {}
        }
        before = c;
    }
    false
}
