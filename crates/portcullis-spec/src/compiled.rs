//! Documents compiled into validators.
//!
//! [`CompiledDocument::compile`] takes a [`Document`] apart: each operation keeps what it needs to judge a
//! message, all share one compiled schema set a direction, and the source is dropped.

mod body;
mod form;
mod media;
mod proven;
mod response;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use http::HeaderMap;
use portcullis_core::context::Request;
use portcullis_leaves::{Limits, Tree};
use serde_json::{Map, Value};

use crate::{
    model::{
        Diagnostic, DiagnosticSeverity, Document, Operation, ParameterLocation, SchemaRef,
        SecurityRequirement, SecurityScheme, SpecVersion,
    },
    parameters::{Parameters, UnknownParameters, value::Prepared},
    schema::{Broken, SchemaSet, UnknownFields},
    violation::Violation,
};
use body::Body;
use proven::Proven;
use response::Responses;

/// What is made of a document.
#[derive(Clone, Debug)]
pub struct CompileOptions {
    /// What diagnostics call the document.
    pub file: Arc<str>,
    /// Query parameters that are not declared.
    pub unknown_parameters: UnknownParameters,
    /// Fields of request bodies that schemas do not name.
    pub unknown_fields: UnknownFields,
    /// Whether answers will be judged; without, their schemas cost no memory.
    pub judge_responses: bool,
    /// Bounds on every body and parameter.
    pub limits: Limits,
}

impl Default for CompileOptions {
    fn default() -> Self {
        Self {
            file: "".into(),
            unknown_parameters: UnknownParameters::default(),
            unknown_fields: UnknownFields::default(),
            judge_responses: true,
            limits: Limits::default(),
        }
    }
}

/// A document ready to judge messages.
#[derive(Debug)]
pub struct CompiledDocument {
    /// `info.title`.
    pub title: String,
    /// The version of the standard it was written in.
    pub version: SpecVersion,
    /// Every operation that could be compiled, in the document's order.
    pub operations: Vec<Arc<CompiledOperation>>,
    /// `securitySchemes` by name.
    pub security_schemes: BTreeMap<String, SecurityScheme>,
    /// What reading and compiling found wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// The operations sorted by [`CompiledOperation::place`], to find one: no name is kept twice.
    by_place: Box<[Arc<CompiledOperation>]>,
}

/// One operation ready to judge messages. Cheap to share; judging takes no lock.
#[derive(Debug)]
pub struct CompiledOperation {
    /// `operationId`, or `METHOD /path`.
    pub id: String,
    /// The method, upper case.
    pub method: String,
    /// The path template, without the server's base path.
    pub path: String,
    /// Base paths it is served under; the empty string is the root.
    pub base_paths: Vec<String>,
    /// Tags, as written.
    pub tags: Vec<String>,
    /// See [`Operation::security`].
    pub security: Vec<Vec<SecurityRequirement>>,
    /// Whether it is marked as deprecated.
    pub deprecated: bool,
    /// Where it stands in the document: a JSON pointer.
    pub pointer: String,
    parameters: Parameters,
    body: Option<Body>,
    responses: Responses,
    proven: Proven,
    shared: Arc<Shared>,
}

/// What all operations of a document share.
#[derive(Debug)]
struct Shared {
    requests: SchemaSet,
    responses: SchemaSet,
    limits: Limits,
}

/// A request body that was accepted.
#[derive(Debug)]
pub enum BodyTree {
    /// There is none.
    Absent,
    /// It was read: JSON, a form, or text.
    Tree(Tree),
    /// Only its media type was checked.
    Opaque,
}

/// Why a request body is refused; each becomes a status of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 415: the operation does not take this media type or content coding.
    UnsupportedMediaType(Box<Violation>),
    /// 400: it is not what its media type says.
    Malformed(Box<Violation>),
    /// 422: it breaks its description. Never empty.
    Invalid(Vec<Violation>),
}

/// What became of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseVerdict {
    /// It is as described.
    Conforms,
    /// The document does not say enough, or the gate cannot read it.
    NotJudged(NotJudged),
    /// It breaks its description. Never empty.
    Violations(Vec<Violation>),
}

/// Why an answer is not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotJudged {
    /// The status is not declared, and there is no `default`.
    #[error("the status is not declared")]
    Status,
    /// The media type is not declared for the status.
    #[error("the media type is not declared for the status")]
    MediaType,
    /// The body has a content coding.
    #[error("the body has a content coding")]
    Coding,
}

impl CompiledDocument {
    /// Compiles a document. What cannot be compiled costs its own operation and is reported.
    pub fn compile(document: Document, options: CompileOptions) -> Self {
        let Document {
            title,
            version,
            mut operations,
            request_schemas,
            response_schemas,
            security_schemes,
            mut diagnostics,
        } = document;
        if !options.judge_responses {
            for operation in &mut operations {
                operation.responses.clear();
            }
        }
        let mut prepared = Prepared::default();
        let proven: Vec<Proven> =
            operations.iter().map(|operation| Proven::of(operation, &request_schemas)).collect();
        let wanted = wanted_in_requests(&operations, &request_schemas, &mut prepared);
        let (requests, broken) = SchemaSet::compile(request_schemas, &wanted, options.unknown_fields);
        let mut prepared_responses = Prepared::default();
        let wanted = wanted_in_responses(&operations, &response_schemas, &mut prepared_responses);
        let (responses, broken_responses) =
            SchemaSet::compile(response_schemas, &wanted, UnknownFields::Allow);
        let shared = Arc::new(Shared { requests, responses, limits: options.limits });
        let mut compiled = Vec::with_capacity(operations.len());
        for (operation, proven) in operations.into_iter().zip(proven) {
            let faults = Faults { operation: &operation, file: &options.file };
            faults.report_responses(&broken_responses, &mut diagnostics);
            let foreign = foreign_query_names(&operation, &security_schemes);
            let parameters = Parameters::compile(
                &operation.parameters,
                &prepared,
                &shared.requests,
                options.unknown_parameters,
                foreign,
            );
            let body = operation.body.as_ref().map(|body| Body::compile(body, &prepared, &shared.requests));
            let (Some(parameters), Some(body)) = (parameters, body.map_or(Some(None), |body| body.map(Some)))
            else {
                faults.report_operation(&broken, &mut diagnostics);
                continue;
            };
            let responses = Responses::compile(&operation.responses, &prepared_responses, &shared.responses);
            compiled.push(Arc::new(CompiledOperation {
                id: operation.id,
                method: operation.method,
                path: operation.path,
                base_paths: operation.base_paths,
                tags: operation.tags,
                security: operation.security,
                deprecated: operation.deprecated,
                pointer: operation.pointer,
                parameters,
                body,
                responses,
                proven,
                shared: Arc::clone(&shared),
            }));
        }
        let mut by_place: Box<[_]> = compiled.iter().map(Arc::clone).collect();
        by_place.sort_by(|one, other| one.place().cmp(&other.place()));
        Self { title, version, operations: compiled, security_schemes, diagnostics, by_place }
    }

    /// The same operation as compiled here: `like` is of the same source, with other options.
    pub fn same_operation(&self, like: &CompiledOperation) -> Option<&Arc<CompiledOperation>> {
        let found = self.by_place.binary_search_by(|it| it.place().cmp(&like.place())).ok()?;
        self.by_place.get(found)
    }
}

impl CompiledOperation {
    /// What tells it from all others of its document. The pointer alone does not: paths may share one path item.
    fn place(&self) -> (&str, &str, &str) {
        (&self.pointer, &self.path, &self.method)
    }

    /// Checks path, query, header and cookie parameters.
    ///
    /// # Errors
    /// What they break, at most [`VIOLATIONS_MAX`](crate::violation::VIOLATIONS_MAX); never empty.
    pub fn check_parameters(&self, request: &Request) -> Result<(), Vec<Violation>> {
        self.parameters.check(&self.shared.requests, &self.shared.limits, request)
    }

    /// Whether a query parameter that passed [`CompiledOperation::check_parameters`] is an integer, a UUID, a date, or
    /// one of a list: then it holds nothing that could be an attack.
    pub fn proves_query(&self, name: &str) -> bool {
        self.proven.query(name)
    }

    /// The same of the value at a JSON pointer into a body that passed [`CompiledOperation::check_request_body`].
    pub fn proves_body(&self, pointer: &str) -> bool {
        self.proven.body(pointer)
    }

    /// The media types and ranges that a request body may have, as the document writes them.
    pub fn request_media(&self) -> Vec<String> {
        self.body.iter().flat_map(Body::media).collect()
    }

    /// Whether a request body with this head must be held back and read whole. What is only opaque content is not,
    /// unless it is required and the head does not say that there is any;
    /// [`CompiledOperation::check_unread_body`] checks its media type.
    pub fn wants_request_body(&self, headers: &HeaderMap) -> bool {
        self.body.as_ref().is_none_or(|body| body.is_read(headers))
    }

    /// Checks what the head of a request says about a body that is not read.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn check_unread_body(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        match &self.body {
            Some(declared) => declared.check_head(headers),
            None if !body::is_announced(headers) => Ok(()),
            None => Err(Refusal::Invalid(vec![body::undeclared()])),
        }
    }

    /// Checks a request body that was read whole; `headers` are those of the request.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn check_request_body(&self, headers: &HeaderMap, body: &Bytes) -> Result<BodyTree, Refusal> {
        match &self.body {
            Some(declared) => declared.check(&self.shared.requests, &self.shared.limits, headers, body),
            None if body.is_empty() => Ok(BodyTree::Absent),
            None => Err(Refusal::Invalid(vec![body::undeclared()])),
        }
    }

    /// Whether the body of an answer with this head must be held back and read whole.
    pub fn wants_response_body(&self, status: u16, headers: &HeaderMap) -> bool {
        self.responses.wants_body(status, headers)
    }

    /// Judges an answer. `body` is `None` where it was not read, or where there is none (`HEAD`, 204, 304).
    pub fn check_response(&self, status: u16, headers: &HeaderMap, body: Option<&Bytes>) -> ResponseVerdict {
        self.responses.check(&self.shared.responses, &self.shared.limits, status, headers, body)
    }
}

/// The schemas requests use; what forms and parameters need of them is read before they are compiled.
fn wanted_in_requests(operations: &[Operation], bundle: &Value, prepared: &mut Prepared) -> Vec<SchemaRef> {
    let nothing = Map::new();
    let definitions = bundle.get("$defs").and_then(Value::as_object).unwrap_or(&nothing);
    let mut wanted = Vec::new();
    for operation in operations {
        for schema in operation.parameters.iter().filter_map(|it| it.schema.as_ref()) {
            prepared.read(schema, definitions);
            wanted.push(schema.clone());
        }
        for media in operation.body.iter().flat_map(|body| &body.content) {
            let Some(schema) = &media.schema else { continue };
            if media::may_be_form(&media.range) || media::is_range(&media.range) {
                prepared.read(schema, definitions);
            }
            wanted.push(schema.clone());
        }
    }
    wanted
}

fn wanted_in_responses(operations: &[Operation], bundle: &Value, prepared: &mut Prepared) -> Vec<SchemaRef> {
    let nothing = Map::new();
    let definitions = bundle.get("$defs").and_then(Value::as_object).unwrap_or(&nothing);
    let mut wanted = Vec::new();
    for response in operations.iter().flat_map(|operation| &operation.responses) {
        for schema in response.headers.iter().filter_map(|it| it.schema.as_ref()) {
            prepared.read(schema, definitions);
            wanted.push(schema.clone());
        }
        let judged = response.content.iter().filter(|media| media::may_be_json(&media.range));
        wanted.extend(judged.filter_map(|media| media.schema.clone()));
    }
    wanted
}

/// Query parameters that carry a credential: the authentication of the gate reads them.
fn foreign_query_names(operation: &Operation, schemes: &BTreeMap<String, SecurityScheme>) -> Vec<Box<str>> {
    let used = operation.security.iter().flatten().filter_map(|requirement| schemes.get(&requirement.scheme));
    let named = used.filter_map(|scheme| match scheme {
        SecurityScheme::ApiKey { location: ParameterLocation::Query, name } => Some(name.as_str().into()),
        SecurityScheme::ApiKey { .. }
        | SecurityScheme::Http { .. }
        | SecurityScheme::OAuth2 { .. }
        | SecurityScheme::OpenIdConnect { .. }
        | SecurityScheme::MutualTls => None,
    });
    named.collect()
}

/// Tells what broken schemas cost one operation.
struct Faults<'a> {
    operation: &'a Operation,
    file: &'a Arc<str>,
}

impl Faults<'_> {
    fn report_operation(&self, broken: &[Broken], diagnostics: &mut Vec<Diagnostic>) {
        let operation = self.operation;
        let parameters = operation.parameters.iter().filter_map(|it| it.schema.as_ref());
        let bodies = operation.body.iter().flat_map(|it| &it.content).filter_map(|it| it.schema.as_ref());
        for schema in parameters.chain(bodies) {
            for fault in broken.iter().filter(|it| it.schema == *schema) {
                diagnostics.push(self.diagnostic(DiagnosticSeverity::Error, fault, "a schema of requests"));
            }
        }
    }

    fn report_responses(&self, broken: &[Broken], diagnostics: &mut Vec<Diagnostic>) {
        for response in &self.operation.responses {
            let headers = response.headers.iter().filter_map(|it| it.schema.as_ref());
            let bodies = response.content.iter().filter_map(|it| it.schema.as_ref());
            for schema in headers.chain(bodies) {
                for fault in broken.iter().filter(|it| it.schema == *schema) {
                    diagnostics.push(self.diagnostic(
                        DiagnosticSeverity::Warning,
                        fault,
                        "answers go unjudged: a schema",
                    ));
                }
            }
        }
    }

    fn diagnostic(&self, severity: DiagnosticSeverity, fault: &Broken, what: &str) -> Diagnostic {
        Diagnostic {
            severity,
            file: Arc::clone(self.file),
            pointer: self.operation.pointer.clone(),
            position: None,
            message: format!("{what} cannot be compiled: {} (at `{}`)", fault.message, fault.pointer),
            hint: None,
            operation: Some(format!("{} {}", self.operation.method, self.operation.path)),
        }
    }
}
