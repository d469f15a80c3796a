//! Parameters whose schema is one plain scalar: checked as text, without building anything.

use regex::Regex;
use serde_json::{Map, Value};

use crate::{
    format::{is_date, is_date_time, is_uuid},
    schema::definition,
};

/// A schema of one scalar type with no more keywords than are checked here.
#[derive(Clone, Debug)]
pub(crate) enum Plain {
    /// A string.
    Text(Text),
    /// An integer within bounds, both inclusive.
    Integer {
        /// The least value allowed.
        minimum: i64,
        /// The greatest value allowed.
        maximum: i64,
    },
    /// `true` or `false`.
    Boolean,
}

/// What a string must be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    /// One of these, where there are any.
    options: Vec<Box<str>>,
    /// Characters at least.
    chars_min: usize,
    /// Characters at most.
    chars_max: Option<usize>,
    /// A quick check.
    format: Option<Check>,
    /// A pattern that `regex` and ECMA-262 read alike.
    pattern: Option<Regex>,
}

impl Plain {
    /// The plain form of a definition, looking through references; `None` when the schema says more.
    pub(crate) fn of(name: &str, definitions: &Map<String, Value>) -> Option<Self> {
        let mut schema = definitions.get(name)?.as_object()?;
        // A chain of references ends, or is a cycle that is no plain scalar.
        for _ in 0..8 {
            match schema.get("$ref") {
                Some(Value::String(reference)) if schema.len() == 1 => {
                    schema = definitions.get(definition(reference)?)?.as_object()?;
                }
                Some(_) => return None,
                None => return Self::read(schema),
            }
        }
        None
    }

    fn read(schema: &Map<String, Value>) -> Option<Self> {
        match schema.get("type").and_then(Value::as_str) {
            Some("string") => Text::read(schema).map(Self::Text),
            Some("integer") => integer(schema),
            Some("boolean") if schema.len() == 1 => Some(Self::Boolean),
            _ => None,
        }
    }

    /// Whether the decoded text satisfies the schema. A text that does not may still be judged valid by the full
    /// check, which also says why: `1e2` is an integer.
    pub(crate) fn accepts(&self, text: &str) -> bool {
        match self {
            Self::Text(rules) => rules.accept(text),
            Self::Integer { minimum, maximum } => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                // JSON has no leading zeros and no `+`.
                (digits.len() == 1 || !digits.starts_with('0'))
                    && digits.bytes().all(|byte| byte.is_ascii_digit())
                    && text.parse().is_ok_and(|number: i64| (*minimum..=*maximum).contains(&number))
            }
            Self::Boolean => matches!(text, "true" | "false"),
        }
    }
}

fn integer(schema: &Map<String, Value>) -> Option<Plain> {
    let (mut minimum, mut maximum) = match schema.get("format").and_then(Value::as_str) {
        None if schema.contains_key("format") => return None,
        None => (i64::MIN, i64::MAX),
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        Some("int64") => (i64::MIN, i64::MAX),
        Some(_) => return None,
    };
    for (keyword, value) in schema {
        match keyword.as_str() {
            "type" | "format" => {}
            "minimum" => minimum = minimum.max(value.as_i64()?),
            "maximum" => maximum = maximum.min(value.as_i64()?),
            _ => return None,
        }
    }
    Some(Plain::Integer { minimum, maximum })
}

impl Text {
    fn read(schema: &Map<String, Value>) -> Option<Self> {
        let mut rules = Self::default();
        for (keyword, value) in schema {
            match keyword.as_str() {
                "type" => {}
                "enum" => {
                    rules.options = value
                        .as_array()?
                        .iter()
                        .map(|it| it.as_str().map(Into::into))
                        .collect::<Option<_>>()?;
                }
                "minLength" => rules.chars_min = usize::try_from(value.as_u64()?).ok()?,
                "maxLength" => rules.chars_max = Some(usize::try_from(value.as_u64()?).ok()?),
                "format" => rules.format = Some(format_check(value.as_str()?)?),
                "pattern" => rules.pattern = Some(same_in_both(value.as_str()?)?),
                _ => return None,
            }
        }
        Some(rules)
    }

    fn accept(&self, text: &str) -> bool {
        (self.options.is_empty() || self.options.iter().any(|it| &**it == text))
            && self.has_length(text)
            && self.format.is_none_or(|check| check(text))
            && self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
    }

    fn has_length(&self, text: &str) -> bool {
        // Bytes bound characters from both sides, so most texts need no counting.
        if text.len() / 4 >= self.chars_min && self.chars_max.is_none_or(|max| text.len() <= max) {
            return true;
        }
        let chars = text.chars().count();
        chars >= self.chars_min && self.chars_max.is_none_or(|max| chars <= max)
    }
}

/// A check of a decoded text.
type Check = fn(&str) -> bool;

/// The quick check of a format; `None` for a format that the full check must judge.
fn format_check(format: &str) -> Option<Check> {
    match format {
        "uuid" => Some(is_uuid),
        "date" => Some(is_date),
        "date-time" => Some(is_date_time),
        // They say how a value is shown or sent, and assert nothing.
        "password" | "binary" => Some(|_| true),
        _ => None,
    }
}

/// Compiles a pattern of which each part means the same to `regex` and to ECMA-262.
fn same_in_both(pattern: &str) -> Option<Regex> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-[]{},^$+*()| @:/=!#%&;<>~\"'`".contains(&byte);
    let mut rewritten = String::with_capacity(pattern.len());
    let mut bytes = pattern.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next()? {
                // `\d` is ASCII in ECMA-262; within brackets or not, `0-9` and `[0-9]` must not be confused.
                escaped @ (b'.' | b'-' | b'/' | b'+' | b'$' | b'*' | b'?' | b'(' | b')' | b'[' | b']') => {
                    rewritten.push('\\');
                    rewritten.push(escaped.into());
                }
                _ => return None,
            },
            byte if plain(byte) => rewritten.push(byte.into()),
            _ => return None,
        }
    }
    // Set operations of `regex` inside brackets are plain characters in ECMA-262.
    if ["&&", "--", "~~", "[["].iter().any(|it| rewritten.contains(it)) {
        return None;
    }
    Regex::new(&rewritten).ok()
}
