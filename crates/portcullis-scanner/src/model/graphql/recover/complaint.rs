//! What servers say is wrong with a document, out of the forms that the usual libraries have.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::super::schema::TypeRef;

/// Errors read of one answer.
const ERRORS_MAX: usize = 500;
/// Bytes read of one message.
const MESSAGE_BYTES_MAX: usize = 4_000;

/// One complaint, with the line of the document that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) line: Option<usize>,
    pub(super) said: Said,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// No such field on this type.
    UnknownField { field: String, of: String, suggestions: Vec<String> },
    /// The field is an object and needs a selection.
    Object { field: String, of: Option<TypeRef> },
    /// The field is a leaf and has none.
    Leaf { field: String, of: TypeRef },
    /// No such argument.
    UnknownArgument { argument: String, suggestions: Vec<String> },
    /// An argument is missing.
    MissingArgument { field: String, argument: String, of: TypeRef },
    /// The value fits no such type.
    WrongValue { of: TypeRef },
    /// An input object of this type has no such member: the odd one.
    UnknownMember { of: String },
    /// The same, for a name that was tried.
    UnknownMemberNamed { suggestions: Vec<String> },
    /// An input object lacks a member.
    MissingMember { of_input: String, member: String, of: TypeRef },
}

impl Said {
    /// The field that it is about.
    pub(super) fn field(&self) -> Option<&str> {
        match self {
            Self::UnknownField { field, .. }
            | Self::Object { field, .. }
            | Self::Leaf { field, .. }
            | Self::MissingArgument { field, .. } => Some(field),
            Self::UnknownArgument { .. }
            | Self::WrongValue { .. }
            | Self::UnknownMember { .. }
            | Self::UnknownMemberNamed { .. }
            | Self::MissingMember { .. } => None,
        }
    }
}

/// All complaints of an answer.
pub(super) fn all(answer: &Value) -> Vec<Complaint> {
    let errors = answer.get("errors").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut complaints = Vec::new();
    for error in errors.iter().take(ERRORS_MAX) {
        let Some(message) = error.get("message").and_then(Value::as_str) else { continue };
        let line = error
            .pointer("/locations/0/line")
            .and_then(Value::as_u64)
            .and_then(|it| usize::try_from(it).ok());
        let message: String = message.chars().take(MESSAGE_BYTES_MAX).map(straight).collect();
        complaints.extend(read(&message).into_iter().map(|said| Complaint { line, said }));
    }
    complaints
}

/// Quotes of all kinds as one.
fn straight(letter: char) -> char {
    if matches!(letter, '\'' | '`' | '\u{2018}' | '\u{2019}' | '\u{201c}' | '\u{201d}') {
        '"'
    } else {
        letter
    }
}

#[expect(clippy::expect_used, reason = "the patterns are constants, and a test compiles them all")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

macro_rules! patterns {
    ($($name:ident = $text:expr;)*) => { $(static $name: LazyLock<Regex> = LazyLock::new(|| pattern($text));)* };
}

patterns! {
    UNKNOWN_FIELD = r#"(?i)field "(\w+)" (?:on|in|does(?:n"t| not) exist on)(?: the)? type "(\w+)""#;
    OBJECT = r#"(?i)field "(\w+)" of type "([^"]+)" must have a (?:sub ?)?selection"#;
    OBJECT_OF = r#"(?i)sub ?selection required for type "?([\w\[\]!]+)"? of field "?(\w+)"#;
    OBJECT_RETURNS = r#"(?i)field "(\w+)" returns (\w+) but has no selections"#;
    LEAF = r#"(?i)field "(\w+)" must not have a selection since type "([^"]+)""#;
    LEAF_OF = r#"(?i)field "(\w+)" of type "([^"]+)" must not have a (?:sub ?)?selection"#;
    UNKNOWN_ARGUMENT = r#"(?i)unknown (?:field )?argument "(\w+)""#;
    REFUSED_ARGUMENT = r#"(?i)doesn"t accept argument "(\w+)""#;
    MISSING_ARGUMENT = r#"(?i)field "(\w+)" argument "(\w+)" of type "([^"]+)" is required"#;
    EXPECTED = r#"(?i)expected (?:value of )?(?:type )?"([^"]+)", found"#;
    CANNOT_REPRESENT = r#"(?:^|[ ;])(?:Enum )?"?(\w+)"? cannot represent"#;
    UNKNOWN_MEMBER = r#"(?i)field "(\w+)" is not defined by type "?(\w+)"#;
    UNKNOWN_MEMBER_IN = r#"(?i)in field "(\w+)": unknown field"#;
    MISSING_MEMBER = r#"(?i)field "?(\w+)\.(\w+)"? of required type "([^"]+)" was not provided"#;
    MISSING_MEMBER_IN = r#"(?i)in field "(\w+)": expected "([^"]+)", found null"#;
    QUOTED = r#""(\w+)""#;
}

fn read(message: &str) -> Vec<Said> {
    let two = |pattern: &Regex| {
        let found = pattern.captures(message)?;
        Some((found.get(1)?.as_str().to_owned(), found.get(2)?.as_str().to_owned()))
    };
    let one = |pattern: &Regex| Some(pattern.captures(message)?.get(1)?.as_str().to_owned());
    if let Some((field, of)) = two(&UNKNOWN_FIELD) {
        return vec![Said::UnknownField { field, of, suggestions: suggestions(message) }];
    }
    for pattern in [&LEAF, &LEAF_OF] {
        if let Some((field, of)) = two(pattern)
            && let Some(of) = TypeRef::parse(&of)
        {
            return vec![Said::Leaf { field, of }];
        }
    }
    if let Some((field, of)) = two(&OBJECT).or_else(|| two(&OBJECT_RETURNS)) {
        return vec![Said::Object { field, of: TypeRef::parse(&of) }];
    }
    if let Some((of, field)) = two(&OBJECT_OF) {
        return vec![Said::Object { field, of: TypeRef::parse(&of) }];
    }
    if let Some(argument) = one(&UNKNOWN_ARGUMENT).or_else(|| one(&REFUSED_ARGUMENT)) {
        return vec![Said::UnknownArgument { argument, suggestions: suggestions(message) }];
    }
    if let Some(found) = MISSING_ARGUMENT.captures(message) {
        let part = |at| found.get(at).map_or("", |it| it.as_str()).to_owned();
        return TypeRef::parse(&part(3))
            .map(|of| Said::MissingArgument { field: part(1), argument: part(2), of })
            .into_iter()
            .collect();
    }
    let mut said = members(message);
    if said.is_empty()
        && let Some(of) = one(&EXPECTED).or_else(|| one(&CANNOT_REPRESENT)).and_then(|it| TypeRef::parse(&it))
    {
        said.push(Said::WrongValue { of });
    }
    said
}

/// Complaints about members of an input object; older libraries put several into one message.
fn members(message: &str) -> Vec<Said> {
    let mut said = Vec::new();
    if let Some(found) = UNKNOWN_MEMBER.captures(message) {
        let part = |at| found.get(at).map_or("", |it| it.as_str()).to_owned();
        if super::SENTINELS.contains(&part(1).as_str()) {
            said.push(Said::UnknownMember { of: part(2) });
        } else {
            said.push(Said::UnknownMemberNamed { suggestions: suggestions(message) });
        }
    }
    if let Some(found) = MISSING_MEMBER.captures(message) {
        let part = |at| found.get(at).map_or("", |it| it.as_str()).to_owned();
        if let Some(of) = TypeRef::parse(&part(3)) {
            said.push(Said::MissingMember { of_input: part(1), member: part(2), of });
        }
    }
    if UNKNOWN_MEMBER_IN.is_match(message) {
        // This form names no type: the argument it is the value of does.
        let input = format!("{}Input", first_quoted(message));
        said.push(Said::UnknownMember { of: input.clone() });
        for found in MISSING_MEMBER_IN.captures_iter(message) {
            let part = |at| found.get(at).map_or("", |it| it.as_str()).to_owned();
            if let Some(of) = TypeRef::parse(&part(2)) {
                said.push(Said::MissingMember { of_input: input.clone(), member: part(1), of });
            }
        }
    }
    said
}

fn first_quoted(message: &str) -> String {
    let name = QUOTED.captures(message).and_then(|it| it.get(1)).map_or("", |it| it.as_str());
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The names behind "Did you mean".
fn suggestions(message: &str) -> Vec<String> {
    let lower = message.to_lowercase();
    let Some(at) = lower.find("did you mean") else { return Vec::new() };
    let tail = message.get(at..).unwrap_or_default();
    QUOTED.captures_iter(tail).filter_map(|it| Some(it.get(1)?.as_str().to_owned())).take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str) -> Vec<Said> {
        let message: String = message.chars().map(straight).collect();
        read(&message)
    }

    fn of(text: &str) -> TypeRef {
        TypeRef::parse(text).unwrap()
    }

    #[test]
    fn reads_complaints_about_fields_in_many_dialects() {
        let unknown = |suggestions: &[&str]| {
            vec![Said::UnknownField {
                field: "usr".to_owned(),
                of: "Query".to_owned(),
                suggestions: suggestions.iter().map(|it| (*it).to_owned()).collect(),
            }]
        };
        assert_eq!(
            check(r#"Cannot query field "usr" on type "Query". Did you mean "user" or "users"?"#),
            unknown(&["user", "users"])
        );
        assert_eq!(
            check("Field 'usr' doesn't exist on type 'Query' (Did you mean `user`?)"),
            unknown(&["user"])
        );
        assert_eq!(check("The field `usr` does not exist on the type `Query`."), unknown(&[]));
        assert_eq!(
            check("Validation error (FieldUndefined@[usr]) : Field 'usr' in type 'Query' is undefined"),
            unknown(&[])
        );
        let object = vec![Said::Object { field: "user".to_owned(), of: Some(of("[User!]!")) }];
        assert_eq!(
            check(
                r#"Field "user" of type "[User!]!" must have a selection of subfields. Did you mean "user { ... }"?"#
            ),
            object
        );
        assert_eq!(check(r#"Field "user" of type "[User!]!" must have a sub selection."#), object);
        let leaf = vec![Said::Leaf { field: "name".to_owned(), of: of("String!") }];
        assert_eq!(
            check(r#"Field "name" must not have a selection since type "String!" has no subfields."#),
            leaf
        );
        assert_eq!(check(r#"Field "name" of type "String!" must not have a sub selection."#), leaf);
        assert!(check("Something else is wrong").is_empty());
    }

    #[test]
    fn reads_complaints_about_arguments_and_values() {
        assert_eq!(
            check(r#"Unknown argument "idd" on field "Query.user". Did you mean "id"?"#),
            [Said::UnknownArgument { argument: "idd".to_owned(), suggestions: vec!["id".to_owned()] }]
        );
        assert_eq!(
            check(r#"Field "user" argument "id" of type "ID!" is required, but it was not provided."#),
            [Said::MissingArgument { field: "user".to_owned(), argument: "id".to_owned(), of: of("ID!") }]
        );
        for message in [
            "Int cannot represent non-integer value: {zqxwvkjq: 1}",
            r#"Expected value of type "Int", found {zqxwvkjq: 1}."#,
            "Argument \"limit\" has invalid value {zqxwvkjq: 1}.\nExpected type \"Int\", found {zqxwvkjq: 1}.",
        ] {
            assert_eq!(check(message), [Said::WrongValue { of: of("Int") }], "{message}");
        }
        assert_eq!(
            check(r#"Field "zqxwvkjq" is not defined by type "UserInput"."#),
            [Said::UnknownMember { of: "UserInput".to_owned() }]
        );
        assert_eq!(
            check(r#"Field "UserInput.name" of required type "String!" was not provided."#),
            [Said::MissingMember {
                of_input: "UserInput".to_owned(),
                member: "name".to_owned(),
                of: of("String!")
            }]
        );
        let old = "Argument \"userData\" has invalid value {zqxwvkjq: 1}.\nIn field \"zqxwvkjq\": Unknown field.\nIn field \"email\": Expected \"String!\", found null.";
        assert_eq!(
            check(old),
            [
                Said::UnknownMember { of: "UserDataInput".to_owned() },
                Said::MissingMember {
                    of_input: "UserDataInput".to_owned(),
                    member: "email".to_owned(),
                    of: of("String!")
                },
            ]
        );
    }
}
