//! Operators by name, with their argument as text; what the argument means is the operator's own affair.

use super::named::named;
use super::template::Template;
use crate::source::Place;

/// A rule's second argument: `"!@rx ^a"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Which operator; `@rx` when none is named.
    pub name: OperatorName,
    /// Whether `!` stands before it.
    pub negated: bool,
    /// The argument as written, without the blanks before it; `\"` of the quoted form undone.
    pub raw: Box<[u8]>,
    /// The argument with its macros taken apart; without any it says what `raw` says, but for `\%{`.
    pub argument: Template,
    /// Where the operator begins.
    pub place: Place,
    /// Where its argument begins.
    pub argument_place: Place,
}

named! {
    /// Every operator of ModSecurity v3. What an operator needs, or whether it is refused, is said when it is compiled.
    OperatorName {
        BeginsWith = "beginsWith",
        Contains = "contains",
        ContainsWord = "containsWord",
        DetectSqli = "detectSQLi",
        DetectXss = "detectXSS",
        EndsWith = "endsWith",
        Eq = "eq",
        FuzzyHash = "fuzzyHash",
        Ge = "ge",
        GeoLookup = "geoLookup",
        GsbLookup = "gsbLookup",
        Gt = "gt",
        InspectFile = "inspectFile",
        IpMatch = "ipMatch",
        IpMatchFromFile = "ipMatchFromFile" | "ipMatchF",
        Le = "le",
        Lt = "lt",
        NoMatch = "noMatch",
        Pm = "pm",
        PmFromFile = "pmFromFile" | "pmf",
        Rbl = "rbl",
        Rsub = "rsub",
        Rx = "rx",
        RxGlobal = "rxGlobal",
        StrEq = "streq",
        StrMatch = "strmatch",
        UnconditionalMatch = "unconditionalMatch",
        ValidateByteRange = "validateByteRange",
        ValidateDtd = "validateDTD",
        ValidateHash = "validateHash",
        ValidateSchema = "validateSchema",
        ValidateUrlEncoding = "validateUrlEncoding",
        ValidateUtf8Encoding = "validateUtf8Encoding",
        VerifyCc = "verifyCC",
        VerifyCpf = "verifyCPF",
        VerifySsn = "verifySSN",
        VerifySvnr = "verifySVNR",
        Within = "within",
    }
}
