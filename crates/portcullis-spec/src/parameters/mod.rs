//! Parameters decoded by style and checked.
//!
//! A scalar with a plain schema is checked as text; anything else becomes a small tree of the types its schema
//! names, which the compiled schemas judge like a body.

pub(crate) mod draft;
pub(crate) mod fields;
mod plain;
pub(crate) mod shape;
pub(crate) mod style;
pub(crate) mod value;

use portcullis_core::{context::Request, verdict::Place};
use portcullis_leaves::Limits;
use smallvec::SmallVec;

use crate::{
    model::{Parameter, ParameterLocation},
    schema::SchemaSet,
    violation::{VIOLATIONS_MAX, Violation},
};
use fields::{Field, Match, fields};
use style::Coding;
use value::{Declared, Judge, Prepared};

/// Whether query parameters that are not declared may be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownParameters {
    /// They are passed on.
    Allow,
    /// They are violations. Header fields and cookies are open by nature and never refused.
    #[default]
    Refuse,
}

/// The parameters of one operation.
#[derive(Debug)]
pub(crate) struct Parameters {
    path: Vec<Declared>,
    query: Vec<Declared>,
    headers: Vec<Declared>,
    cookies: Vec<Declared>,
    unknown: UnknownParameters,
    /// Query parameters that others read: an API key of a security scheme.
    foreign: Vec<Box<str>>,
}

impl Parameters {
    /// Compiles the parameters of an operation; `None` when one has a broken schema.
    pub(crate) fn compile(
        parameters: &[Parameter],
        prepared: &Prepared,
        schemas: &SchemaSet,
        unknown: UnknownParameters,
        foreign: Vec<Box<str>>,
    ) -> Option<Self> {
        let mut compiled = Self {
            path: Vec::new(),
            query: Vec::new(),
            headers: Vec::new(),
            cookies: Vec::new(),
            unknown,
            foreign,
        };
        for parameter in parameters {
            let declared = Declared::compile(parameter, prepared, schemas)?;
            match parameter.location {
                ParameterLocation::Path => compiled.path.push(declared),
                ParameterLocation::Query => compiled.query.push(declared),
                ParameterLocation::Header => compiled.headers.push(declared),
                ParameterLocation::Cookie => compiled.cookies.push(declared),
            }
        }
        Some(compiled)
    }

    /// Checks the head of a request.
    pub(crate) fn check(
        &self,
        schemas: &SchemaSet,
        limits: &Limits,
        request: &Request,
    ) -> Result<(), Vec<Violation>> {
        let judge = Judge { schemas, limits };
        let mut found = Vec::new();
        for declared in &self.path {
            match request.path_parameter(&declared.notation.name) {
                Some(text) => declared.check_text(judge, text, Coding::Path, &mut found),
                None => found.push(missing(declared)),
            }
        }
        self.check_query(judge, request.query.as_deref().unwrap_or_default(), &mut found);
        for declared in &self.headers {
            check_header(declared, judge, &request.headers, &mut found);
        }
        if !self.cookies.is_empty() {
            self.check_cookies(judge, request, &mut found);
        }
        if found.is_empty() {
            return Ok(());
        }
        found.truncate(VIOLATIONS_MAX);
        Err(found)
    }

    fn check_query(&self, judge: Judge<'_>, query: &str, found: &mut Vec<Violation>) {
        let mut known: SmallVec<[(usize, Match, Field<'_>); 8]> = SmallVec::new();
        let fields_max = usize::try_from(judge.limits.fields_max).unwrap_or(usize::MAX);
        for (count, field) in fields(query).enumerate() {
            if count >= fields_max {
                let message = format!("there are more than {fields_max} fields");
                found.push(Violation::new("too_many_fields", Place::Query(Box::default()), message));
                return;
            }
            let field = match field {
                Ok(field) => field,
                Err(error) => {
                    let message = format!("a name is not encoded rightly: {error}");
                    found.push(Violation::new("percent_encoding", Place::Query(Box::default()), message));
                    continue;
                }
            };
            match self.owner(&field.name) {
                Some((index, how)) => known.push((index, how, field)),
                None if let Some(scalar) = self.aliased(&field.name) => {
                    let message = "is named with brackets, and is neither array nor object";
                    found.push(Violation::new("notation", scalar.place(), message));
                    return;
                }
                None if self.unknown == UnknownParameters::Allow => {}
                None if self.foreign.iter().any(|it| **it == *field.name) => {}
                None => {
                    let place = Place::Query(crate::violation::cut(&field.name));
                    let unknown = Violation::new("unknown_parameter", place, "is not declared");
                    found.push(unknown.seen(&field.name, field.value));
                    // An attacker decides how many there are.
                    if found.len() >= VIOLATIONS_MAX {
                        return;
                    }
                }
            }
        }
        for (index, declared) in self.query.iter().enumerate() {
            let mine: SmallVec<[(Match, &Field<'_>); 8]> = known
                .iter()
                .filter(|(owner, ..)| *owner == index)
                .map(|(_, how, field)| (*how, field))
                .collect();
            match mine.as_slice() {
                [] if declared.required => found.push(missing(declared)),
                [] => {}
                [(Match::Whole, field)] if !splits_alone(declared) => {
                    declared.check_text(judge, field.value, Coding::Query, found);
                }
                [(Match::Whole, first), (Match::Whole, _), ..] if !declared.shape.is_array() => {
                    let message = "comes more than once and is no array";
                    let repeated = Violation::new("repeated_parameter", declared.place(), message);
                    found.push(repeated.seen(&declared.notation.name, first.value));
                }
                [(_, first), ..] => {
                    let draft = |form| declared.notation.draft(&mine, form, &declared.shape);
                    // A place within the parameter has a name of its own that may hold a secret.
                    let seen = if crate::violation::looks_secret(&first.name) { "…" } else { first.value };
                    declared.check(judge, seen, &draft, found);
                }
            }
        }
    }

    /// The parameter that a field of this name belongs to. A whole name goes before a place within another.
    fn owner(&self, name: &str) -> Option<(usize, Match)> {
        let mut loose = None;
        for (index, declared) in self.query.iter().enumerate() {
            match declared.notation.matches(name, &declared.shape) {
                Some(Match::Whole) => return Some((index, Match::Whole)),
                Some(how) => loose = loose.or(Some((index, how))),
                None => {}
            }
        }
        loose
    }

    /// The scalar parameter that `name[…]` is to many receivers, and that nobody would have judged.
    fn aliased(&self, name: &str) -> Option<&Declared> {
        let (outer, _) = name.split_once('[').filter(|_| self.unknown == UnknownParameters::Allow)?;
        self.query.iter().find(|it| *it.notation.name == *outer && it.notation.form == style::Form::Scalar)
    }

    fn check_cookies(&self, judge: Judge<'_>, request: &Request, found: &mut Vec<Violation>) {
        let mut seen: SmallVec<[bool; 8]> = self.cookies.iter().map(|_| false).collect();
        let pairs = request
            .headers
            .get_all("cookie")
            .into_iter()
            .flat_map(|line| line.as_bytes().split(|it| *it == b';'));
        for pair in pairs {
            let mut halves = pair.splitn(2, |it| *it == b'=');
            // Readers of cookies trim both: `id =1` is `id` to them.
            let name = halves.next().unwrap_or_default().trim_ascii();
            let Some(value) = halves.next().map(<[u8]>::trim_ascii) else { continue };
            let own = self.cookies.iter().zip(&mut seen).find(|(it, _)| it.notation.name.as_bytes() == name);
            let Some((declared, seen)) = own else { continue };
            if std::mem::replace(seen, true) {
                let message = "comes more than once";
                found.push(Violation::new("repeated_parameter", declared.place(), message));
                continue;
            }
            let Ok(value) = std::str::from_utf8(value) else {
                found.push(Violation::new("not_text", declared.place(), "is not UTF-8 text"));
                continue;
            };
            let value = value.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(value);
            // Cookies are not percent-encoded by their own standard (RFC 6265), and are by OpenAPI's `form`.
            let coding = if Coding::Path.decode(value).is_ok() { Coding::Path } else { Coding::None };
            declared.check_text(judge, value, coding, found);
        }
        for (declared, seen) in self.cookies.iter().zip(seen) {
            if declared.required && !seen {
                found.push(missing(declared));
            }
        }
    }
}

/// Whether the fields of the value are pieced together even when there is only one.
fn splits_alone(declared: &Declared) -> bool {
    declared.notation.explode && declared.notation.form == style::Form::Array
}

/// Checks a header field; several lines are one list (RFC 9110 §5.3).
pub(crate) fn check_header(
    declared: &Declared,
    judge: Judge<'_>,
    headers: &http::HeaderMap,
    found: &mut Vec<Violation>,
) {
    let mut lines = headers.get_all(&*declared.notation.name).iter();
    let (first, second) = (lines.next(), lines.next());
    let text = match (first, second) {
        (None, _) => {
            if declared.required {
                found.push(missing(declared));
            }
            return;
        }
        (Some(_), Some(_)) if declared.notation.form == style::Form::Scalar => {
            found.push(Violation::new(
                "repeated_parameter",
                declared.place(),
                "comes more than once and is no array",
            ));
            return;
        }
        (Some(first), None) => std::str::from_utf8(first.as_bytes()).map(std::borrow::Cow::Borrowed).ok(),
        (Some(_), Some(_)) => {
            let lines = headers.get_all(&*declared.notation.name).iter();
            let texts: Option<Vec<&str>> =
                lines.map(|line| std::str::from_utf8(line.as_bytes()).ok()).collect();
            texts.map(|texts| texts.join(",").into())
        }
    };
    match text {
        Some(text) => declared.check_text(judge, text.trim(), Coding::None, found),
        None => found.push(Violation::new("not_text", declared.place(), "is not UTF-8 text")),
    }
}

fn missing(declared: &Declared) -> Violation {
    Violation::new("missing_parameter", declared.place(), "is required and missing")
}
