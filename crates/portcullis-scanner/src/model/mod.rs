//! What an API has, in one shape whatever language it was described in: operations, typed slots, schemes.
//!
//! Every input becomes this: OpenAPI and Swagger, GraphQL, protobuf descriptors, WSDL, Postman collections, HAR files.
//! Values are JSON whatever the wire format is; types are JSON Schema 2020-12, whatever they were written in. The
//! [`crate::wire`] room knows how a value becomes bytes.

pub mod effect;
pub mod graphql;
pub mod grpc;
pub mod har;
pub mod infer;
pub mod kind;
pub mod observed;
pub mod openapi;
pub mod postman;
pub mod server;
pub mod slots;
pub mod source;
pub mod template;
mod verbs;
pub mod wsdl;

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The keyword that says, beside the `$ref` of a form's schema, how its properties are written:
/// `{"tags": {"style": "form", "explode": false}, "meta": {"content": "application/json"}}`.
pub const ENCODING: &str = "x-portcullis-encoding";

/// A whole API.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// Its title; empty where the input gives none.
    pub title: String,
    /// Where it says that it is served: absolute URLs without a path, since base paths are in the operations' paths;
    /// relative ones are resolved by whoever reads the input, or left out.
    pub servers: Vec<String>,
    /// All operations, in the input's order.
    pub operations: Vec<Operation>,
    /// One bundled JSON Schema document `{"$defs": {…}}`: what every `$ref` in the schemas of slots, bodies and
    /// answers points into, as `#/$defs/NAME`. Schemas of requests and of answers have names of their own.
    pub schemas: Value,
    /// How a client may prove who it is, by name.
    pub schemes: BTreeMap<String, Scheme>,
    /// What was repaired, left out or guessed, in the order found: for the report.
    pub notes: Vec<Note>,
    /// Where operations stand in the input's text, by their id, where that is known.
    pub lines: BTreeMap<Arc<str>, Line>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The file, as it was named.
    pub file: String,
    /// The line, counted from one.
    pub line: usize,
    /// The column, counted from one.
    pub column: usize,
}

/// A remark about the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Where: `file:line:column`, a JSON pointer, or empty.
    pub place: String,
    /// What was met, and what was made of it.
    pub text: String,
}

/// The position of an operation in [`Model::operations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OperationIndex(pub usize);

/// One thing that can be asked of the API.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Unique and stable between scans, for people and fingerprints: `GET /users/{id}`, `query users`,
    /// `mutation login`, `shop.Orders/Place`, `soap GetOrder`.
    pub id: Arc<str>,
    /// The name it was given (`operationId`, field, method), where it differs from the id.
    pub name: String,
    /// How it goes over the wire.
    pub wire: Wire,
    /// What calling it does, as far as the description and names tell.
    pub effect: Effect,
    /// Parameters outside the body; their [`Slot::place`] is never [`Place::Body`].
    pub parameters: Vec<Slot>,
    /// What it takes as a body; GraphQL arguments and gRPC messages are a body, an object by name.
    pub body: Option<Body>,
    /// What it answers, by status as written (`200`, `4XX`, `default`).
    pub answers: Vec<DeclaredAnswer>,
    /// Alternatives of which one must hold; within one, all must. `None`: the description says nothing. An empty
    /// alternative: anonymous calls are allowed.
    pub security: Option<Vec<Vec<Requirement>>>,
    /// Whole calls that the input shows (examples, recorded calls), best first.
    pub examples: Vec<Example>,
    /// What the description links (`links`): an answer's part to another operation's slot.
    pub links: Vec<Link>,
    /// Tags and words of the description, for guessing what it is about.
    pub words: Vec<String>,
    /// Whether it is marked as deprecated.
    pub deprecated: bool,
}

/// The protocol of an operation, with what only that protocol needs.
#[derive(Clone, Debug, PartialEq)]
pub enum Wire {
    /// An HTTP method on a path template (`/users/{id}`), base path included.
    Rest {
        /// Upper case.
        method: String,
        /// With `{name}` for each path parameter.
        path: String,
    },
    /// A field of a GraphQL root type.
    GraphQl {
        /// The path of the endpoint.
        path: String,
        /// `query` or `mutation`.
        root: GraphQlRoot,
        /// The field.
        field: String,
        /// The selection to ask for, braces included; empty for a leaf.
        selection: String,
        /// GraphQL type of each argument, as written in a variable definition.
        arguments: Vec<(String, String)>,
    },
    /// A unary method of a gRPC service.
    Grpc {
        /// `package.Service`.
        service: String,
        /// The method.
        method: String,
        /// The message type of the request.
        input: String,
        /// The message type of the answer.
        output: String,
        /// The descriptors all of them are in; shared by all operations of a model.
        descriptors: grpc::Descriptors,
    },
    /// An operation of a SOAP port.
    Soap {
        /// The path of the port.
        path: String,
        /// 1.1 or 1.2.
        version: SoapVersion,
        /// The `SOAPAction`.
        action: String,
        /// The element of the request, with its namespace.
        element: String,
        /// Its namespace.
        namespace: String,
    },
}

/// A root type of GraphQL that can be asked over plain HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphQlRoot {
    /// Reads.
    Query,
    /// Changes.
    Mutation,
}

/// A version of SOAP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SoapVersion {
    /// `text/xml` with a `SOAPAction` field.
    V11,
    /// `application/soap+xml` with an `action` parameter.
    V12,
}

/// A protocol, for people and reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Plain HTTP.
    Rest,
    /// GraphQL over HTTP.
    GraphQl,
    /// gRPC over HTTP/2.
    Grpc,
    /// SOAP over HTTP.
    Soap,
}

/// What calling an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Nothing: it reads.
    Reads,
    /// Something new is there afterwards.
    Creates,
    /// Something that was there is different.
    Changes,
    /// Something is gone.
    Deletes,
    /// Something happens that is none of these (a login, a payment).
    Acts,
}

impl Effect {
    /// Whether anything is different afterwards.
    pub const fn changes_state(self) -> bool {
        !matches!(self, Self::Reads)
    }
}

/// Where a value stands in a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// A segment of the path, by its template name.
    Path(Arc<str>),
    /// A query parameter.
    Query(Arc<str>),
    /// A header field, lower case.
    Header(Arc<str>),
    /// A cookie.
    Cookie(Arc<str>),
    /// A part of the body: a JSON pointer (RFC 6901), empty for the whole; also for forms, GraphQL arguments, messages
    /// and SOAP bodies.
    Body(Arc<str>),
}

impl Place {
    /// The last name in it: the parameter's, or the last token of the pointer that is not a number.
    pub fn name(&self) -> &str {
        match self {
            Self::Path(name) | Self::Query(name) | Self::Header(name) | Self::Cookie(name) => name,
            Self::Body(pointer) => pointer
                .rsplit('/')
                .find(|token| !token.is_empty() && !token.bytes().all(|byte| byte.is_ascii_digit()))
                .unwrap_or_default(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(name) => write!(f, "path:{name}"),
            Self::Query(name) => write!(f, "query:{name}"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Cookie(name) => write!(f, "cookie:{name}"),
            Self::Body(pointer) => write!(f, "body:{pointer}"),
        }
    }
}

/// A place with its type.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// Where it stands.
    pub place: Place,
    /// What may stand there: a JSON Schema, `$ref`s into [`Model::schemas`]. `true` where nothing is known.
    pub schema: Value,
    /// The kind of value, read off the schema.
    pub kind: Kind,
    /// Whether a call without it is wrong.
    pub required: bool,
    /// Whether it may be written in the query as `a=1&a=2`, `a=1,2` and so on; other protocols ignore it.
    pub style: Style,
    /// Values that the input shows.
    pub examples: Vec<Value>,
}

/// How a list or object is written in a parameter, as OpenAPI says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// The name in OpenAPI (`form`, `simple`, `deepObject`, …); empty for the place's default.
    pub name: String,
    /// Each item a parameter of its own.
    pub explode: bool,
    /// The whole value in this media type.
    pub content: Option<String>,
}

/// A kind of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A list.
    List,
    /// An object.
    Record,
    /// Bytes: a file in a form.
    File,
    /// Unknown, or several.
    Any,
}

/// What an operation takes as its body.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// Media types in the input's order; never empty. For GraphQL, gRPC and SOAP the wire's own.
    pub media: Vec<String>,
    /// The type of the whole.
    pub schema: Value,
    /// Whether a call without it is wrong.
    pub required: bool,
    /// Whole bodies that the input shows.
    pub examples: Vec<Value>,
}

/// An answer that the description declares.
#[derive(Clone, Debug, PartialEq)]
pub struct DeclaredAnswer {
    /// `200`, `4XX`, `default`.
    pub status: String,
    /// Media types declared; empty: no content.
    pub media: Vec<String>,
    /// The type of the content, where declared.
    pub schema: Option<Value>,
    /// Header fields declared, lower case, with whether each is required.
    pub headers: Vec<(String, bool)>,
}

/// One scheme that must be satisfied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// A name in [`Model::schemes`].
    pub scheme: String,
    /// Scopes or roles that the credential must carry.
    pub scopes: Vec<String>,
}

/// How a client may prove who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// A key at a place ([`Place::Header`], [`Place::Query`], [`Place::Cookie`]).
    Key(Place),
    /// `Authorization: Bearer`.
    Bearer,
    /// `Authorization: Basic`.
    Basic,
    /// A WS-Security UsernameToken.
    UsernameToken,
    /// Something else (a client certificate, an OAuth flow without a token to be had), by its name.
    Other(String),
}

/// A whole call that the input shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Example {
    /// Values of parameters.
    pub parameters: BTreeMap<Place, Value>,
    /// The body.
    pub body: Option<Value>,
    /// The media type it was sent in.
    pub media: Option<String>,
    /// The answer that was recorded with it: status and JSON, where there was one.
    pub answer: Option<(u16, Value)>,
}

/// A part of an answer that goes into a slot of another operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// JSON pointer in the answer's body.
    pub from: String,
    /// The operation it feeds, by id.
    pub operation: Arc<str>,
    /// The slot it feeds.
    pub slot: Place,
}

impl Operation {
    /// The protocol.
    pub const fn protocol(&self) -> Protocol {
        match self.wire {
            Wire::Rest { .. } => Protocol::Rest,
            Wire::GraphQl { .. } => Protocol::GraphQl,
            Wire::Grpc { .. } => Protocol::Grpc,
            Wire::Soap { .. } => Protocol::Soap,
        }
    }

    /// The method and path it is sent to, where it is plain HTTP.
    pub fn rest(&self) -> Option<(&str, &str)> {
        match &self.wire {
            Wire::Rest { method, path } => Some((method, path)),
            Wire::GraphQl { .. } | Wire::Grpc { .. } | Wire::Soap { .. } => None,
        }
    }
}

impl Model {
    /// An operation by its position.
    pub fn operation(&self, index: OperationIndex) -> Option<&Operation> {
        self.operations.get(index.0)
    }

    /// All operations with their positions.
    pub fn all(&self) -> impl Iterator<Item = (OperationIndex, &Operation)> {
        self.operations.iter().enumerate().map(|(at, operation)| (OperationIndex(at), operation))
    }
}
