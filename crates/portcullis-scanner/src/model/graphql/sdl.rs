//! Reads SDL (GraphQL October 2021 §3): types, extensions and root operations; descriptions are kept, directives are
//! passed over but for `@deprecated`.
//!
//! Our own reader of some 300 lines rather than a compiler with validation: what is attacked is the server, and a
//! schema that a strict reader refuses must still be scanned.

use serde_json::{Map, Value};

use super::schema::{Argument, Field, Schema, Type, TypeRef, WRAPPERS_MAX};
use crate::model::Note;

/// Where and why reading ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: expected {expected}")]
pub struct SdlError {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What should stand there.
    pub expected: &'static str,
}

/// Definitions and fields together, at most.
const ITEMS_MAX: usize = 100_000;
/// How deep a default value may nest.
const VALUE_DEPTH_MAX: usize = 16;

#[derive(Clone, Debug, PartialEq)]
enum Token<'t> {
    Name(&'t str),
    Text(String),
    Number(&'t str),
    Sign(char),
    Spread,
    End,
}

/// Reads a whole schema.
pub(super) fn parse(text: &str) -> Result<Schema, SdlError> {
    let mut reader = Reader { text, at: 0, start: 0, token: Token::End, items: 0 };
    reader.advance()?;
    let mut schema = Schema::default();
    let mut has_schema_definition = false;
    while reader.token != Token::End {
        let description = reader.description()?;
        let is_extension = reader.take_word("extend")?;
        reader.definition(&mut schema, &mut has_schema_definition, is_extension, &description)?;
    }
    if !has_schema_definition {
        let named = |name: &str| schema.types.contains_key(name).then(|| name.to_owned());
        schema.query = named("Query");
        schema.mutation = named("Mutation");
    }
    Ok(schema)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// Where the current token begins.
    start: usize,
    token: Token<'t>,
    items: usize,
}

impl<'t> Reader<'t> {
    fn definition(
        &mut self,
        schema: &mut Schema,
        has_schema_definition: &mut bool,
        is_extension: bool,
        _description: &str,
    ) -> Result<(), SdlError> {
        let word = self.name("a definition")?;
        match word {
            "schema" => {
                self.directives()?;
                *has_schema_definition = true;
                self.roots(schema)?;
            }
            "scalar" => {
                let name = self.name("the scalar's name")?.to_owned();
                self.directives()?;
                schema.types.entry(name).or_insert(Type::Scalar);
            }
            "type" | "interface" => {
                let name = self.name("the type's name")?.to_owned();
                if self.take_word("implements")? {
                    while matches!(self.token, Token::Name(_) | Token::Sign('&')) {
                        self.advance()?;
                    }
                }
                self.directives()?;
                let fields = self.fields()?;
                Self::put(schema, name, Type::Object(fields), is_extension);
            }
            "union" => {
                let name = self.name("the union's name")?.to_owned();
                self.directives()?;
                let mut members = Vec::new();
                if self.take('=')? {
                    while matches!(self.token, Token::Name(_) | Token::Sign('|')) {
                        if let Token::Name(member) = self.token {
                            // The next definition's keyword follows a member without `|` between them.
                            if !members.is_empty() && !self.previous_is('|') {
                                break;
                            }
                            members.push(member.to_owned());
                        }
                        self.advance()?;
                    }
                }
                Self::put(schema, name, Type::Union(members), is_extension);
            }
            "enum" => {
                let name = self.name("the enumeration's name")?.to_owned();
                self.directives()?;
                let mut values = Vec::new();
                if self.take('{')? {
                    while !self.take('}')? {
                        self.description()?;
                        values.push(self.name("a value of the enumeration")?.to_owned());
                        self.directives()?;
                        self.count()?;
                    }
                }
                Self::put(schema, name, Type::Enum(values), is_extension);
            }
            "input" => {
                let name = self.name("the input's name")?.to_owned();
                self.directives()?;
                let fields = if self.take('{')? { self.arguments('}')? } else { Vec::new() };
                Self::put(schema, name, Type::Input(fields), is_extension);
            }
            "directive" => self.directive_definition()?,
            _ => return Err(self.wrong("a type, schema or directive definition")),
        }
        self.count()
    }

    fn put(schema: &mut Schema, name: String, new: Type, is_extension: bool) {
        match (schema.types.get_mut(&name), new) {
            (Some(Type::Object(own)), Type::Object(more)) => own.extend(more),
            (Some(Type::Input(own)), Type::Input(more)) => own.extend(more),
            (Some(Type::Enum(own)), Type::Enum(more)) => own.extend(more),
            (Some(Type::Union(own)), Type::Union(more)) => own.extend(more),
            (Some(_), _) => {
                schema.notes.push(Note {
                    place: name,
                    text: "defined twice as different kinds; the first one is used".to_owned(),
                });
                return;
            }
            (None, new) => {
                schema.types.insert(name, new);
                return;
            }
        }
        if !is_extension {
            let text = "defined twice; both definitions are joined".to_owned();
            schema.notes.push(Note { place: name, text });
        }
    }

    fn roots(&mut self, schema: &mut Schema) -> Result<(), SdlError> {
        if self.take('{')? {
            while !self.take('}')? {
                self.description()?;
                let root = self.name("`query`, `mutation` or `subscription`")?;
                self.expect(':', "`:`")?;
                let name = self.name("a type")?.to_owned();
                match root {
                    "query" => schema.query = Some(name),
                    "mutation" => schema.mutation = Some(name),
                    _ => {}
                }
                self.directives()?;
                self.count()?;
            }
        }
        Ok(())
    }

    fn directive_definition(&mut self) -> Result<(), SdlError> {
        self.expect('@', "`@`")?;
        self.name("the directive's name")?;
        if self.take('(')? {
            self.arguments(')')?;
        }
        self.take_word("repeatable")?;
        if !self.take_word("on")? {
            return Err(self.wrong("`on`"));
        }
        self.take('|')?;
        self.name("a location")?;
        while self.take('|')? {
            self.name("a location")?;
        }
        Ok(())
    }

    fn fields(&mut self) -> Result<Vec<Field>, SdlError> {
        let mut fields = Vec::new();
        if self.take('{')? {
            while !self.take('}')? {
                let description = self.description()?;
                let name = self.name("a field")?.to_owned();
                let arguments = if self.take('(')? { self.arguments(')')? } else { Vec::new() };
                self.expect(':', "`:`")?;
                let of = self.type_ref()?;
                let deprecated = self.directives()?;
                fields.push(Field { name, arguments, of, description, deprecated });
                self.count()?;
            }
        }
        Ok(fields)
    }

    fn arguments(&mut self, end: char) -> Result<Vec<Argument>, SdlError> {
        let mut arguments = Vec::new();
        while !self.take(end)? {
            self.description()?;
            let name = self.name("an argument or input field")?.to_owned();
            self.expect(':', "`:`")?;
            let of = self.type_ref()?;
            let default = if self.take('=')? { Some(self.value(0)?) } else { None };
            self.directives()?;
            arguments.push(Argument { name, of, default });
            self.count()?;
        }
        Ok(arguments)
    }

    fn type_ref(&mut self) -> Result<TypeRef, SdlError> {
        let mut open = 0;
        while self.take('[')? {
            open += 1;
            if open > WRAPPERS_MAX {
                return Err(self.wrong("fewer lists of lists"));
            }
        }
        let mut of = TypeRef::Named(self.name("a type")?.to_owned());
        loop {
            if self.take('!')? {
                if !matches!(of, TypeRef::NonNull(_)) {
                    of = TypeRef::NonNull(Box::new(of));
                }
            } else if open > 0 {
                self.expect(']', "`]`")?;
                open -= 1;
                of = TypeRef::List(Box::new(of));
            } else {
                return Ok(of);
            }
        }
    }

    /// Directives passed over; whether one of them is `@deprecated`.
    fn directives(&mut self) -> Result<bool, SdlError> {
        let mut deprecated = false;
        while self.take('@')? {
            deprecated |= self.name("a directive")? == "deprecated";
            if self.take('(')? {
                while !self.take(')')? {
                    self.name("an argument")?;
                    self.expect(':', "`:`")?;
                    self.value(0)?;
                }
            }
        }
        Ok(deprecated)
    }

    fn value(&mut self, depth: usize) -> Result<Value, SdlError> {
        if depth > VALUE_DEPTH_MAX {
            return Err(self.wrong("a value that is less deep"));
        }
        let value = match std::mem::replace(&mut self.token, Token::End) {
            Token::Text(text) => Value::from(text),
            Token::Number(number) => serde_json::from_str(number).map_err(|_| self.wrong("a number"))?,
            Token::Name("true") => Value::Bool(true),
            Token::Name("false") => Value::Bool(false),
            Token::Name("null") => Value::Null,
            Token::Name(name) => Value::from(name),
            Token::Sign('[') => {
                self.advance()?;
                let mut items = Vec::new();
                while !self.take(']')? {
                    items.push(self.value(depth + 1)?);
                    self.count()?;
                }
                return Ok(Value::Array(items));
            }
            Token::Sign('{') => {
                self.advance()?;
                let mut members = Map::new();
                while !self.take('}')? {
                    let name = self.name("a member")?.to_owned();
                    self.expect(':', "`:`")?;
                    members.insert(name, self.value(depth + 1)?);
                    self.count()?;
                }
                return Ok(Value::Object(members));
            }
            Token::Sign(_) | Token::Spread | Token::End => return Err(self.wrong("a value")),
        };
        self.advance()?;
        Ok(value)
    }

    fn description(&mut self) -> Result<String, SdlError> {
        if let Token::Text(text) = &mut self.token {
            let text = std::mem::take(text);
            self.advance()?;
            return Ok(text);
        }
        Ok(String::new())
    }

    fn name(&mut self, expected: &'static str) -> Result<&'t str, SdlError> {
        let Token::Name(name) = self.token else { return Err(self.wrong(expected)) };
        self.advance()?;
        Ok(name)
    }

    fn take_word(&mut self, word: &str) -> Result<bool, SdlError> {
        let is = matches!(self.token, Token::Name(name) if name == word);
        if is {
            self.advance()?;
        }
        Ok(is)
    }

    fn take(&mut self, sign: char) -> Result<bool, SdlError> {
        let is = self.token == Token::Sign(sign);
        if is {
            self.advance()?;
        }
        Ok(is)
    }

    fn expect(&mut self, sign: char, expected: &'static str) -> Result<(), SdlError> {
        if self.take(sign)? { Ok(()) } else { Err(self.wrong(expected)) }
    }

    /// Whether the sign right before the current token is this one, blanks apart.
    fn previous_is(&self, sign: char) -> bool {
        self.text.get(..self.start).unwrap_or_default().trim_end().ends_with(sign)
    }

    fn count(&mut self) -> Result<(), SdlError> {
        self.items += 1;
        if self.items > ITEMS_MAX { Err(self.wrong("fewer definitions")) } else { Ok(()) }
    }

    fn wrong(&self, expected: &'static str) -> SdlError {
        let before = self.text.get(..self.start).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.chars().rev().take_while(|it| *it != '\n').count() + 1;
        SdlError { line, column, expected }
    }

    /// The next token.
    fn advance(&mut self) -> Result<(), SdlError> {
        let rest = loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n', ',', '\u{feff}']);
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                break trimmed;
            }
            self.at += trimmed.find(['\n', '\r']).unwrap_or(trimmed.len());
        };
        self.start = self.at;
        let Some(first) = rest.chars().next() else {
            self.token = Token::End;
            return Ok(());
        };
        let prefix = |keep: fn(u8) -> bool| {
            let length = rest.bytes().position(|byte| !keep(byte)).unwrap_or(rest.len());
            rest.get(..length).unwrap_or_default()
        };
        self.token = match first {
            'a'..='z' | 'A'..='Z' | '_' => {
                Token::Name(prefix(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
            }
            '0'..='9' | '-' => Token::Number(prefix(|it| {
                it.is_ascii_digit() || matches!(it, b'-' | b'+' | b'.' | b'e' | b'E')
            })),
            '"' => {
                let (text, length) = string(rest).ok_or_else(|| self.wrong("the end of the string"))?;
                self.at += length;
                self.token = Token::Text(text);
                return Ok(());
            }
            '.' if rest.starts_with("...") => Token::Spread,
            '{' | '}' | '(' | ')' | '[' | ']' | ':' | '=' | '!' | '@' | '|' | '&' | '$' => Token::Sign(first),
            _ => return Err(self.wrong("a name, a string or a sign of GraphQL")),
        };
        self.at += match &self.token {
            Token::Name(text) | Token::Number(text) => text.len(),
            Token::Spread => 3,
            Token::Sign(_) | Token::Text(_) | Token::End => first.len_utf8(),
        };
        Ok(())
    }
}

/// A string at the start of a text, and how many bytes it takes.
fn string(text: &str) -> Option<(String, usize)> {
    if let Some(rest) = text.strip_prefix("\"\"\"") {
        let mut from = 0;
        loop {
            let end = from + rest.get(from..)?.find("\"\"\"")?;
            if rest.get(..end)?.ends_with('\\') {
                from = end + 3;
                continue;
            }
            let block = rest.get(..end)?.replace("\\\"\"\"", "\"\"\"");
            let lines: Vec<&str> = block.lines().map(str::trim).collect();
            return Some((lines.join("\n").trim().to_owned(), end + 6));
        }
    }
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            '\n' | '\r' => return None,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => {
                let quoted = text.get(..=at)?;
                let inner = text.get(1..at)?;
                // GraphQL's escapes are JSON's, but for `\u{…}`, which is kept as written.
                return Some((serde_json::from_str(quoted).unwrap_or_else(|_| inner.to_owned()), at + 1));
            }
            _ => {}
        }
    }
    None
}
