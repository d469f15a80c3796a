//! Reads GraphQL documents (October 2021), as far as the executor needs them. Variables are put in while reading.

use std::{iter::Peekable, str::Chars};

use serde_json::{Map, Value};

/// The longest document, in bytes.
const LENGTH_MAX: usize = 256 << 10;

/// Selection sets and values within one another.
const DEPTH_MAX: u32 = 120;

/// A document: its operations, and its fragments by name.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) operations: Vec<Operation>,
    pub(crate) fragments: Vec<(String, Vec<Selection>)>,
}

/// One operation.
#[derive(Debug)]
pub(crate) struct Operation {
    /// `query`, `mutation` or `subscription`.
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) selections: Vec<Selection>,
}

/// One of a selection set.
#[derive(Debug)]
pub(crate) enum Selection {
    Field(Field),
    Spread(String),
    Inline(Vec<Selection>),
}

/// A field with what is asked of it.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) alias: Option<String>,
    pub(crate) name: String,
    pub(crate) arguments: Map<String, Value>,
    pub(crate) directives: usize,
    pub(crate) selections: Vec<Selection>,
}

impl Field {
    /// The name that the answer has for it.
    pub(crate) fn key(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

/// Reads a document; none if it is not one.
pub(crate) fn document(text: &str, variables: &Value) -> Option<Document> {
    if text.len() > LENGTH_MAX {
        return None;
    }
    let mut reader = Reader { rest: text.chars().peekable(), variables, depth: 0 };
    let mut document = Document::default();
    reader.skip();
    while let Some(next) = reader.rest.peek().copied() {
        if next == '{' {
            let selections = reader.selections()?;
            document.operations.push(Operation { kind: "query".to_owned(), name: String::new(), selections });
        } else {
            let kind = reader.name()?;
            if kind == "fragment" {
                let name = reader.name()?;
                (reader.name()? == "on").then_some(())?;
                reader.name()?;
                reader.directives()?;
                document.fragments.push((name, reader.selections()?));
            } else if ["query", "mutation", "subscription"].contains(&kind.as_str()) {
                let name = reader.name().unwrap_or_default();
                if reader.takes('(') {
                    reader.past_definitions()?;
                }
                reader.directives()?;
                document.operations.push(Operation { kind, name, selections: reader.selections()? });
            } else {
                return None;
            }
        }
        reader.skip();
    }
    (!document.operations.is_empty()).then_some(document)
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    variables: &'a Value,
    depth: u32,
}

impl Reader<'_> {
    /// Passes over what means nothing: space, commas, comments.
    fn skip(&mut self) {
        while let Some(next) = self.rest.peek().copied() {
            if next == '#' {
                while self.rest.next_if(|it| *it != '\n').is_some() {}
            } else if next.is_whitespace() || next == ',' || next == '\u{feff}' {
                self.rest.next();
            } else {
                return;
            }
        }
    }

    fn takes(&mut self, wanted: char) -> bool {
        self.skip();
        self.rest.next_if_eq(&wanted).is_some()
    }

    fn name(&mut self) -> Option<String> {
        self.skip();
        let mut name = String::new();
        while let Some(next) = self.rest.next_if(|it| it.is_ascii_alphanumeric() || *it == '_') {
            name.push(next);
        }
        (!name.is_empty() && !name.starts_with(|it: char| it.is_ascii_digit())).then_some(name)
    }

    /// Variables are given from outside; what is declared about them is passed over.
    fn past_definitions(&mut self) -> Option<()> {
        let mut open = 1_u32;
        while open > 0 {
            match self.rest.next()? {
                '(' => open += 1,
                ')' => open -= 1,
                '"' => while self.rest.next()? != '"' {},
                _ => {}
            }
        }
        Some(())
    }

    fn directives(&mut self) -> Option<usize> {
        let mut count = 0;
        while self.takes('@') {
            self.name()?;
            self.arguments()?;
            count += 1;
        }
        Some(count)
    }

    fn arguments(&mut self) -> Option<Map<String, Value>> {
        let mut arguments = Map::new();
        if self.takes('(') {
            while !self.takes(')') {
                let name = self.name()?;
                self.takes(':').then_some(())?;
                let value = self.value()?;
                arguments.insert(name, value);
            }
        }
        Some(arguments)
    }

    fn selections(&mut self) -> Option<Vec<Selection>> {
        self.takes('{').then_some(())?;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let mut selections = Vec::new();
        while !self.takes('}') {
            selections.push(self.selection()?);
        }
        self.depth -= 1;
        (!selections.is_empty()).then_some(selections)
    }

    fn selection(&mut self) -> Option<Selection> {
        if self.takes('.') {
            (self.takes('.') && self.takes('.')).then_some(())?;
            let name = self.name();
            if let Some(name) = name.filter(|it| it != "on") {
                self.directives()?;
                return Some(Selection::Spread(name));
            }
            self.skip();
            if self.rest.peek().is_some_and(|it| *it != '{' && *it != '@') {
                self.name()?;
            }
            self.directives()?;
            return self.selections().map(Selection::Inline);
        }
        let first = self.name()?;
        let (alias, name) = if self.takes(':') { (Some(first), self.name()?) } else { (None, first) };
        let arguments = self.arguments()?;
        let directives = self.directives()?;
        self.skip();
        let selections = if self.rest.peek() == Some(&'{') { self.selections()? } else { Vec::new() };
        Some(Selection::Field(Field { alias, name, arguments, directives, selections }))
    }

    fn value(&mut self) -> Option<Value> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        self.skip();
        let value = match *self.rest.peek()? {
            '$' => {
                self.rest.next();
                let name = self.name()?;
                self.variables.get(&name).cloned().unwrap_or_default()
            }
            '"' => Value::String(self.text()?),
            '[' => {
                self.rest.next();
                let mut items = Vec::new();
                while !self.takes(']') {
                    items.push(self.value()?);
                }
                Value::Array(items)
            }
            '{' => {
                self.rest.next();
                let mut fields = Map::new();
                while !self.takes('}') {
                    let name = self.name()?;
                    self.takes(':').then_some(())?;
                    fields.insert(name, self.value()?);
                }
                Value::Object(fields)
            }
            digit if digit.is_ascii_digit() || digit == '-' => {
                let mut text = String::new();
                while let Some(next) =
                    self.rest.next_if(|it| it.is_ascii_digit() || matches!(it, '-' | '+' | '.' | 'e' | 'E'))
                {
                    text.push(next);
                }
                serde_json::from_str(&text).ok()?
            }
            _ => match self.name()?.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                "null" => Value::Null,
                other => Value::String(other.to_owned()),
            },
        };
        self.depth -= 1;
        Some(value)
    }

    fn text(&mut self) -> Option<String> {
        self.rest.next();
        if self.rest.next_if_eq(&'"').is_some() {
            if self.rest.next_if_eq(&'"').is_none() {
                return Some(String::new());
            }
            let mut text = String::new();
            while !text.ends_with("\"\"\"") {
                text.push(self.rest.next()?);
            }
            text.truncate(text.len() - 3);
            return Some(text);
        }
        let mut text = String::new();
        loop {
            match self.rest.next()? {
                '"' => return Some(text),
                '\n' => return None,
                '\\' => match self.rest.next()? {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    'u' => {
                        let digits: String = self.rest.by_ref().take(4).collect();
                        text.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                    }
                    other => text.push(other),
                },
                other => text.push(other),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_what_clients_write() {
        let text = "query Q($a: Int = 3) @d { x: list(first: $a, o: {k: [1, \"b\\n\"]}) { ...F ... on T { id } } } fragment F on T { id # c\n }";
        let document = document(text, &json!({"a": 5})).expect("reads");
        assert_eq!((document.operations.len(), document.fragments.len()), (1, 1));
        let Some(Selection::Field(field)) = document.operations[0].selections.first() else {
            panic!("no field")
        };
        assert_eq!((field.key(), field.name.as_str()), ("x", "list"));
        assert_eq!(field.arguments["first"], 5);
        assert_eq!(field.arguments["o"], json!({"k": [1, "b\n"]}));
        assert_eq!(field.selections.len(), 2);
    }

    #[test]
    fn refuses_what_is_none_and_what_is_too_deep() {
        for text in
            ["", "{", "{}", "{a(b:)}", "{a", "query", "{a(b:\"", "nonsense {a}", "fragment F on T {a}"]
        {
            assert!(document(text, &Value::Null).is_none(), "{text}");
        }
        assert!(document(&"{a".repeat(50_000), &Value::Null).is_none());
        assert!(document(&format!("{{a(b:{})}}", "[".repeat(50_000)), &Value::Null).is_none());
    }
}
