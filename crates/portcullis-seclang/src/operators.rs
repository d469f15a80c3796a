//! The operators of ModSecurity v3 (`@rx`, `@pm`, ...), each in its own file, compiled once and then asked often.
//!
//! Where an argument holds a macro the rule keeps the operator's name and asks [`OperatorName::matches_expanded`] with the
//! text that the macro became. All are linear in the value: one automaton or one pass each.

mod begins_with;
mod contains;
mod contains_word;
mod detect_sqli;
mod detect_xss;
mod ends_with;
mod ip_match;
mod number;
mod outside;
mod pm;
mod pm_from_file;
mod rx;
mod rx_global;
mod str_eq;
mod validate_byte_range;
mod validate_url_encoding;
mod validate_utf8_encoding;
mod verify;
mod verify_cc;
mod verify_cpf;
mod verify_ssn;
mod verify_svnr;
mod within;

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::SmallVec;

pub use crate::syntax::OperatorName as OperatorKind;

pub use outside::{OutsideCheck, OutsideChecks, RuleFiles};

pub(crate) use pm::Phrases;

/// What the load of operators may ask of the world. Without a port the operators that need it are refused at load.
#[derive(Clone, Copy, Default)]
pub struct OperatorPorts<'a> {
    /// Reads the files that `@pmFromFile` and `@ipMatchFromFile` name.
    pub files: Option<&'a dyn RuleFiles>,
    /// Judges what lies outside the value: address lists of the DNS, GeoIP, scripts on uploaded files.
    pub outside: Option<&'a dyn OutsideChecks>,
}

/// What an operator leaves in `TX.0`, `TX.1` and on: the number and the bytes. Groups that took no part are absent.
pub type Captures<'v> = SmallVec<[(usize, Cow<'v, [u8]>); 4]>;

/// Why an operator could not be compiled.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct OperatorError {
    /// What is wrong, in the terms of the rule's author.
    pub message: String,
    /// Where in the argument, in bytes from its start, when a place is known.
    pub offset: Option<usize>,
}

impl OperatorError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), offset: None }
    }
}

/// An operator with its argument compiled. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Operator(pub(crate) Arc<Compiled>);

/// The compiled forms. The scan reads them to learn what a match requires.
#[derive(Debug)]
pub(crate) enum Compiled {
    /// Judged by the argument's text alone: the comparisons of strings and numbers.
    Text(OperatorKind, Box<[u8]>),
    Contains(Box<contains::Contains>),
    DetectSqli,
    DetectXss,
    IpMatch(OperatorKind, ip_match::Addresses),
    NoMatch,
    Outside(OperatorKind, Arc<dyn OutsideCheck>),
    Phrases(OperatorKind, Phrases),
    Pattern(OperatorKind, rx::Rx),
    UnconditionalMatch,
    ValidateByteRange(crate::byte_set::ByteSet),
    ValidateUrlEncoding,
    ValidateUtf8Encoding,
    Verify(OperatorKind, verify::Verify),
}

impl OperatorKind {
    /// The operator of that name, in any case and without its `@`; `None` when there is no such.
    pub fn named(name: &str) -> Option<Self> {
        Self::from_name(name.as_bytes())
    }

    /// Whether `%{...}` in the argument is expanded for each transaction. Others take their argument as it is written.
    pub const fn expands_macros(self) -> bool {
        matches!(
            self,
            Self::BeginsWith
                | Self::Contains
                | Self::ContainsWord
                | Self::EndsWith
                | Self::Eq
                | Self::Ge
                | Self::Gt
                | Self::Le
                | Self::Lt
                | Self::Rx
                | Self::RxGlobal
                | Self::StrEq
                | Self::StrMatch
                | Self::Within
        )
    }

    /// Judges with an argument that became known only now. An expression that does not compile matches nothing.
    pub fn matches_expanded(self, argument: &[u8], value: &[u8]) -> bool {
        match self {
            Self::Contains | Self::StrMatch => contains::matches(argument, value),
            Self::Rx | Self::RxGlobal => rx::Rx::expanded(argument).is_some_and(|rx| rx.matches(value)),
            _ => matches_text(self, argument, value),
        }
    }

    /// As [`Operator::captures`], with an argument that became known only now.
    pub fn captures_expanded<'v>(self, argument: &[u8], value: &'v [u8]) -> Captures<'v> {
        match self {
            Self::Rx => rx::Rx::expanded(argument).map(|rx| rx.captures(value)).unwrap_or_default(),
            Self::RxGlobal => {
                rx::Rx::expanded(argument).map(|rx| rx_global::captures(&rx, value)).unwrap_or_default()
            }
            _ => Captures::new(),
        }
    }
}

/// The operators that compare with the argument's text.
fn matches_text(kind: OperatorKind, argument: &[u8], value: &[u8]) -> bool {
    match kind {
        OperatorKind::BeginsWith => begins_with::matches(argument, value),
        OperatorKind::ContainsWord => contains_word::matches(argument, value),
        OperatorKind::EndsWith => ends_with::matches(argument, value),
        OperatorKind::Eq => number::eq(argument, value),
        OperatorKind::Ge => number::compare(value, argument).is_ge(),
        OperatorKind::Gt => number::compare(value, argument).is_gt(),
        OperatorKind::Le => number::compare(value, argument).is_le(),
        OperatorKind::Lt => number::compare(value, argument).is_lt(),
        OperatorKind::StrEq => str_eq::matches(argument, value),
        OperatorKind::Within => within::matches(argument, value),
        _ => false,
    }
}

impl Operator {
    /// Compiles the operator `name` with its argument as written.
    ///
    /// # Errors
    /// When there is no such operator, the argument is malformed, or what it needs has no port.
    pub fn compile(name: &str, argument: &[u8], ports: OperatorPorts<'_>) -> Result<Self, OperatorError> {
        let kind = OperatorKind::named(name)
            .ok_or_else(|| OperatorError::new(format!("there is no operator `@{name}`")))?;
        Self::compile_kind(kind, argument, ports)
    }

    /// As [`Self::compile`], for a name that is already understood.
    ///
    /// # Errors
    /// When the argument is malformed, or what it needs has no port.
    pub fn compile_kind(
        kind: OperatorKind,
        argument: &[u8],
        ports: OperatorPorts<'_>,
    ) -> Result<Self, OperatorError> {
        use OperatorKind as K;
        let text = || Compiled::Text(kind, argument.into());
        let compiled = match kind {
            K::BeginsWith | K::ContainsWord | K::EndsWith | K::StrEq | K::Within => text(),
            K::Eq | K::Ge | K::Gt | K::Le | K::Lt => text(),
            K::Contains | K::StrMatch => Compiled::Contains(Box::new(contains::Contains::new(argument))),
            K::DetectSqli => Compiled::DetectSqli,
            K::DetectXss => Compiled::DetectXss,
            K::IpMatch => Compiled::IpMatch(kind, ip_match::Addresses::parse(argument)?),
            K::IpMatchFromFile => {
                Compiled::IpMatch(kind, ip_match::Addresses::parse(&outside::read(kind, argument, ports)?)?)
            }
            K::NoMatch => Compiled::NoMatch,
            K::Pm => Compiled::Phrases(kind, pm::compile(argument)?),
            K::PmFromFile => {
                Compiled::Phrases(kind, pm_from_file::compile(&outside::read(kind, argument, ports)?)?)
            }
            K::Rx | K::RxGlobal => Compiled::Pattern(kind, rx::Rx::compile(argument)?),
            K::UnconditionalMatch => Compiled::UnconditionalMatch,
            K::ValidateByteRange => Compiled::ValidateByteRange(validate_byte_range::parse(argument)?),
            K::ValidateUrlEncoding => Compiled::ValidateUrlEncoding,
            K::ValidateUtf8Encoding => Compiled::ValidateUtf8Encoding,
            K::VerifyCc => Compiled::Verify(kind, verify::Verify::compile(argument, verify_cc::is_valid)?),
            K::VerifyCpf => Compiled::Verify(kind, verify::Verify::compile(argument, verify_cpf::is_valid)?),
            K::VerifySsn => Compiled::Verify(kind, verify::Verify::compile(argument, verify_ssn::is_valid)?),
            K::VerifySvnr => {
                Compiled::Verify(kind, verify::Verify::compile(argument, verify_svnr::is_valid)?)
            }
            K::GeoLookup
            | K::Rbl
            | K::GsbLookup
            | K::InspectFile
            | K::FuzzyHash
            | K::ValidateDtd
            | K::ValidateSchema => Compiled::Outside(kind, outside::prepare(kind, argument, ports)?),
            K::Rsub | K::ValidateHash => {
                return Err(OperatorError::new(format!(
                    "`@{}` rewrites answers, which no rule may do here",
                    kind.name()
                )));
            }
        };
        Ok(Self(Arc::new(compiled)))
    }

    /// The operator and what it was compiled from, in brief, for reports of measurements.
    pub fn outline(&self) -> String {
        let argument = match &*self.0 {
            Compiled::Text(_, text) => text.escape_ascii().to_string(),
            Compiled::Contains(contains) => contains.text().escape_ascii().to_string(),
            Compiled::Pattern(_, rx) => rx.pattern().translated().chars().take(100).collect(),
            Compiled::Phrases(_, phrases) => format!("{} phrases", phrases.listed().count()),
            _ => String::new(),
        };
        format!("@{} {argument}", self.kind().name())
    }

    /// Which operator this is.
    pub fn kind(&self) -> OperatorKind {
        match &*self.0 {
            Compiled::Text(kind, _)
            | Compiled::IpMatch(kind, _)
            | Compiled::Outside(kind, _)
            | Compiled::Phrases(kind, _)
            | Compiled::Pattern(kind, _)
            | Compiled::Verify(kind, _) => *kind,
            Compiled::Contains(_) => OperatorKind::Contains,
            Compiled::DetectSqli => OperatorKind::DetectSqli,
            Compiled::DetectXss => OperatorKind::DetectXss,
            Compiled::NoMatch => OperatorKind::NoMatch,
            Compiled::UnconditionalMatch => OperatorKind::UnconditionalMatch,
            Compiled::ValidateByteRange(_) => OperatorKind::ValidateByteRange,
            Compiled::ValidateUrlEncoding => OperatorKind::ValidateUrlEncoding,
            Compiled::ValidateUtf8Encoding => OperatorKind::ValidateUtf8Encoding,
        }
    }

    /// Whether the operator matches, before any negation.
    pub fn matches(&self, value: &[u8]) -> bool {
        match &*self.0 {
            Compiled::Text(kind, text) => matches_text(*kind, text, value),
            Compiled::Contains(contains) => contains.matches(value),
            Compiled::DetectSqli => detect_sqli::matches(value),
            Compiled::DetectXss => detect_xss::matches(value),
            Compiled::IpMatch(_, addresses) => addresses.contain(value),
            Compiled::NoMatch => false,
            Compiled::Outside(_, check) => check.matches(value),
            Compiled::Phrases(_, phrases) => phrases.matches(value),
            Compiled::Pattern(_, rx) => rx.matches(value),
            Compiled::UnconditionalMatch => true,
            Compiled::ValidateByteRange(set) => validate_byte_range::matches(*set, value),
            Compiled::ValidateUrlEncoding => validate_url_encoding::matches(value),
            Compiled::ValidateUtf8Encoding => validate_utf8_encoding::matches(value),
            Compiled::Verify(_, verify) => verify.find(value).is_some(),
        }
    }

    /// What a rule with `capture` keeps of a value that [`Self::matches`].
    pub fn captures<'v>(&self, value: &'v [u8]) -> Captures<'v> {
        let whole = |bytes: Cow<'v, [u8]>| Captures::from_iter([(0, bytes)]);
        match &*self.0 {
            Compiled::DetectSqli => {
                detect_sqli::fingerprint(value).map(|print| whole(Cow::Owned(print))).unwrap_or_default()
            }
            Compiled::DetectXss => whole(Cow::Borrowed(value)),
            Compiled::Phrases(_, phrases) => {
                phrases.first(value).map(|phrase| whole(Cow::Owned(phrase))).unwrap_or_default()
            }
            Compiled::Pattern(OperatorKind::RxGlobal, rx) => rx_global::captures(rx, value),
            Compiled::Pattern(_, rx) => rx.captures(value),
            Compiled::Verify(_, verify) => {
                let found = verify.find(value).and_then(|range| value.get(range));
                found.map(|bytes| whole(Cow::Borrowed(bytes))).unwrap_or_default()
            }
            Compiled::Outside(OperatorKind::Rbl, _) => whole(Cow::Borrowed(value)),
            Compiled::Text(..)
            | Compiled::Contains(_)
            | Compiled::IpMatch(..)
            | Compiled::NoMatch
            | Compiled::Outside(..)
            | Compiled::UnconditionalMatch
            | Compiled::ValidateByteRange(_)
            | Compiled::ValidateUrlEncoding
            | Compiled::ValidateUtf8Encoding => Captures::new(),
        }
    }

    /// What an outside check learnt of the value, for the collection `GEO`; empty for all other operators.
    pub fn facts(&self, value: &[u8]) -> Vec<(String, Vec<u8>)> {
        match &*self.0 {
            Compiled::Outside(_, check) => check.facts(value),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
