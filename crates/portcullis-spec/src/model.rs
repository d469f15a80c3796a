//! What an API description says, in one shape whatever version and notation it was written in.
//!
//! A [`Document`] is data only: defaults of the standard are filled in, references are resolved, and every
//! schema is JSON Schema 2020-12. Validators are compiled from it elsewhere.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde_json::Value;

/// A whole API description, normalised.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// `info.title`; empty where the document gives none.
    pub title: String,
    /// The version of the standard it was written in.
    pub version: SpecVersion,
    /// Every operation that could be read, in the document's order.
    pub operations: Vec<Operation>,
    /// One bundled JSON Schema 2020-12 document, `{"$schema", "$defs": {…}}`, for what clients send: a
    /// `readOnly` property is never required. All `$ref`s have the form `#/$defs/NAME`, and NAME needs no
    /// escaping.
    pub request_schemas: Value,
    /// The same with the same pointers for what the API answers: a `writeOnly` property is never required.
    pub response_schemas: Value,
    /// `securitySchemes` by name.
    pub security_schemes: BTreeMap<String, SecurityScheme>,
    /// Everything wrong with the document, in the order found.
    pub diagnostics: Vec<Diagnostic>,
}

/// The keyword under which the bundled schemas carry a discriminator, beside the `oneOf` or `anyOf` it decides:
/// `{"property": "kind", "mapping": {"cat": "#/$defs/Cat", …}, "complete": true}`, implicit names resolved. Complete is
/// one whose document maps a tag of its own to every alternative: then there are no other tags.
pub const DISCRIMINATOR: &str = "x-portcullis-discriminator";

/// The version of the standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SpecVersion {
    /// Swagger 2.0.
    Swagger2,
    /// OpenAPI 3.0.x.
    OpenApi30,
    /// OpenAPI 3.1.x.
    OpenApi31,
}

/// A place in [`Document::request_schemas`] and [`Document::response_schemas`]: the pointer `/$defs/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SchemaRef(pub Arc<str>);

impl SchemaRef {
    /// The JSON pointer (RFC 6901).
    pub fn pointer(&self) -> &str {
        &self.0
    }

    /// The name in `$defs`.
    pub fn name(&self) -> &str {
        self.0.strip_prefix("/$defs/").unwrap_or(&self.0)
    }
}

impl fmt::Display for SchemaRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One method of one path.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// `operationId`, or `METHOD /path` where there is none or another operation has it already. Unique.
    pub id: String,
    /// The method, upper case.
    pub method: String,
    /// The path template as written, without the server's base path.
    pub path: String,
    /// The path parts of the servers this operation is served under, without a trailing `/`; the empty string
    /// stands for the root. Never empty, no duplicates.
    pub base_paths: Vec<String>,
    /// Tags, as written.
    pub tags: Vec<String>,
    /// Parameters of path item and operation, merged.
    pub parameters: Vec<Parameter>,
    /// The request body; `None` when the operation declares none.
    pub body: Option<RequestBody>,
    /// The answers it may give.
    pub responses: Vec<Response>,
    /// Alternatives of which one must hold; within one, all must. Empty: the document says nothing. An empty
    /// alternative: anonymous calls are allowed (`{}`, or `security: []`, which is a word and not silence).
    pub security: Vec<Vec<SecurityRequirement>>,
    /// Whether it is marked as deprecated.
    pub deprecated: bool,
    /// Where it stands in the document: a JSON pointer.
    pub pointer: String,
}

/// One scheme that must be satisfied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityRequirement {
    /// A name in [`Document::security_schemes`]; one that is not there was diagnosed, and nobody can satisfy it.
    pub scheme: String,
    /// Scopes (OAuth 2, OpenID Connect) or roles that the credential must carry.
    pub scopes: Vec<String>,
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ParameterLocation {
    /// In the query.
    Query,
    /// In the path template.
    Path,
    /// A header field.
    Header,
    /// A cookie.
    Cookie,
}

/// How an array or object is written into a parameter (OpenAPI 3.1 §4.8.12.2; RFC 6570 for the first four).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    /// `a=1,2` or `a=1&a=2`.
    Form,
    /// `1,2`.
    Simple,
    /// `.1.2`.
    Label,
    /// `;a=1,2`.
    Matrix,
    /// `a=1%202`.
    SpaceDelimited,
    /// `a=1|2`.
    PipeDelimited,
    /// `a[x]=1&a[y]=2`.
    DeepObject,
    /// `a=1\t2`, percent-encoded: Swagger's `tsv`.
    Tsv,
}

/// A parameter, defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The name as written. Header fields compare without case.
    pub name: String,
    /// Where it stands.
    pub location: ParameterLocation,
    /// Whether a request without it is refused; always true in a path.
    pub required: bool,
    /// How arrays and objects are written.
    pub style: Style,
    /// Whether each item or member is a parameter, or `key=value`, of its own.
    pub explode: bool,
    /// Whether RFC 3986 reserved characters may stand unescaped in a query value.
    pub allow_reserved: bool,
    /// Whether `a=` is accepted whatever the schema says.
    pub allow_empty_value: bool,
    /// The schema of the decoded value; with [`Parameter::content`], of the parsed document.
    pub schema: Option<SchemaRef>,
    /// The media type in which the whole value is written, for example `application/json`; style and explode
    /// then mean nothing.
    pub content: Option<String>,
}

/// A request body.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestBody {
    /// Whether a request without a body is refused.
    pub required: bool,
    /// The media types it may have, in the document's order.
    pub content: Vec<MediaTypeObject>,
}

/// A body in one media type, or range of them.
#[derive(Clone, Debug, PartialEq)]
pub struct MediaTypeObject {
    /// A media type or range, lower case, without parameters: `application/json`, `text/*`, `*/*`.
    pub range: String,
    /// The schema of the body; `None` accepts any content of this type.
    pub schema: Option<SchemaRef>,
    /// How properties of a form are written, by property; those not listed follow the standard's defaults.
    pub encoding: BTreeMap<String, Encoding>,
}

/// How one property of a form is written (OpenAPI 3.1 §4.8.15).
#[derive(Clone, Debug, PartialEq)]
pub struct Encoding {
    /// The media types the part may have, lower case, without parameters; empty: by the standard's defaults.
    pub content_types: Vec<String>,
    /// How arrays and objects are written; `None`: by content type (OpenAPI 3.1 §4.8.15.1.1).
    pub style: Option<Style>,
    /// Whether each item or member is a field of its own.
    pub explode: bool,
    /// Whether reserved characters may stand unescaped.
    pub allow_reserved: bool,
    /// Header fields of the part, in `multipart` only.
    pub headers: Vec<Parameter>,
}

/// Which status an answer is declared for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StatusPattern {
    /// One status.
    Exact(u16),
    /// `1XX` to `5XX`, by its first digit.
    Range(u8),
    /// `default`: every status not declared otherwise.
    Default,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// The status it is declared for.
    pub status: StatusPattern,
    /// Header fields, with [`ParameterLocation::Header`]; `Content-Type` is left out.
    pub headers: Vec<Parameter>,
    /// The media types it may have; empty: no content is declared.
    pub content: Vec<MediaTypeObject>,
}

/// How a client may prove who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecurityScheme {
    /// A key in a header field, a query parameter or a cookie.
    ApiKey {
        /// Query, header or cookie.
        location: ParameterLocation,
        /// The name of it.
        name: String,
    },
    /// An HTTP authentication scheme (RFC 9110 §11), lower case: `basic`, `bearer`, …
    Http {
        /// The scheme.
        scheme: String,
        /// A hint at the token's form, such as `JWT`.
        bearer_format: Option<String>,
    },
    /// OAuth 2 (RFC 6749).
    OAuth2 {
        /// Where tokens are issued, of every flow that says so.
        token_urls: Vec<String>,
        /// Every scope that a flow declares.
        scopes: Vec<String>,
    },
    /// OpenID Connect discovery.
    OpenIdConnect {
        /// The discovery document.
        url: String,
    },
    /// A client certificate.
    MutualTls,
}

/// How much a fault costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DiagnosticSeverity {
    /// A keyword was repaired or left out; the operation stands.
    Warning,
    /// The operation named is left out.
    Error,
}

/// One thing wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What it costs.
    pub severity: DiagnosticSeverity,
    /// The file, as named to the source.
    pub file: Arc<str>,
    /// The place: a JSON pointer (RFC 6901).
    pub pointer: String,
    /// The place in the text, where it could be found.
    pub position: Option<Position>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The operation that it costs or concerns, as `METHOD /path`.
    pub operation: Option<String>,
}

/// A place in a text, both counted from one; columns are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { severity, file, pointer, position, message, hint, operation } = self;
        f.write_str(match severity {
            DiagnosticSeverity::Warning => "warning: ",
            DiagnosticSeverity::Error => "error: ",
        })?;
        f.write_str(file)?;
        if let Some(Position { line, column }) = position {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, "#{pointer}: {message}")?;
        if let Some(operation) = operation {
            write!(f, " (operation `{operation}`)")?;
        }
        if let Some(hint) = hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}
