//! gRPC: services as operations, out of descriptor sets, `.proto` files, or the server's own reflection.
//!
//! Messages are JSON by the mapping of proto3; one message in, one message out. Streaming methods are noted, not called.

mod messages;
pub mod reflection;

use std::collections::{BTreeSet, VecDeque};

use portcullis_spec::openapi::Source;
use prost_reflect::{DescriptorPool, MethodDescriptor};
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};
use serde_json::{Map, Value, json};

use super::{Body, DeclaredAnswer, Effect, Model, Note, Operation, Wire, verbs};
use messages::Way;

/// The media type of gRPC.
pub const MEDIA: &str = "application/grpc";
/// Bytes of a descriptor set or of one `.proto` file, at most.
const FILE_BYTES_MAX: usize = 8 << 20;
/// Files of one description, at most.
const FILES_MAX: usize = 500;
/// How deep braces may nest in a `.proto` file: its reader goes down with them.
const NESTING_MAX: usize = 64;
/// Operations of one description, at most.
const OPERATIONS_MAX: usize = 5_000;

/// Why there is no model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrpcError {
    /// The descriptors are no descriptors, or do not fit together.
    #[error("not a set of descriptors: {0}")]
    Descriptors(String),
    /// A `.proto` file cannot be read or compiled.
    #[error("{0}")]
    Proto(String),
    /// The server's reflection answered something else.
    #[error("reflection: {0}")]
    Reflection(String),
    /// There is nothing that could be called.
    #[error("no service has a method with one request and one answer")]
    NoOperations,
}

/// Descriptors of messages and services; equal where they are the same ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Descriptors(pub(crate) DescriptorPool);

/// The model of a serialized `FileDescriptorSet`.
///
/// # Errors
/// The bytes are no such set, or have no operations.
pub fn from_descriptors(bytes: &[u8]) -> Result<Model, GrpcError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(GrpcError::Descriptors(format!("more than {FILE_BYTES_MAX} bytes")));
    }
    let pool = DescriptorPool::decode(bytes).map_err(|it| GrpcError::Descriptors(it.to_string()))?;
    model(&pool)
}

/// The model of `.proto` files; imports come from the same source, by the path that they are imported by, relative to
/// the root's directory or to where the source begins. Google's own well-known files need not be there.
///
/// # Errors
/// A file cannot be read or compiled, or there are no operations.
pub fn from_proto(root: &str, source: &dyn Source) -> Result<Model, GrpcError> {
    let (directory, name) = root.rsplit_once('/').map_or(("", root), |(directory, name)| (directory, name));
    let mut files: Vec<(String, String)> = Vec::new();
    let mut wanted = VecDeque::from([name.to_owned()]);
    let mut seen = BTreeSet::new();
    while let Some(name) = wanted.pop_front() {
        if name.starts_with("google/protobuf/") || !seen.insert(name.clone()) {
            continue;
        }
        if seen.len() > FILES_MAX {
            return Err(GrpcError::Proto(format!("more than {FILES_MAX} files are imported")));
        }
        if name.starts_with('/') || name.split('/').any(|part| part == "..") {
            return Err(GrpcError::Proto(format!("`{name}` lies outside the directory of the description")));
        }
        let beside = if directory.is_empty() { name.clone() } else { format!("{directory}/{name}") };
        let bytes = source
            .read(&beside)
            .or_else(|_| source.read(&name))
            .map_err(|error| GrpcError::Proto(format!("cannot read `{beside}`: {error}")))?;
        let text =
            String::from_utf8(bytes).map_err(|_| GrpcError::Proto(format!("`{beside}` is not UTF-8")))?;
        check_bounds(&beside, &text)?;
        wanted.extend(imports(&text));
        files.push((name, text));
    }
    let mut resolver = ChainFileResolver::new();
    resolver.add(Files(files));
    resolver.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true);
    compiler.open_file(name).map_err(|it| GrpcError::Proto(it.to_string()))?;
    model(&compiler.descriptor_pool())
}

/// What the compiler may not be given, since it would go too deep or take too long.
fn check_bounds(name: &str, text: &str) -> Result<(), GrpcError> {
    let mut depth = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'{' | b'[' | b'(' | b'<' => depth += 1,
            b'}' | b']' | b')' | b'>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > NESTING_MAX {
            return Err(GrpcError::Proto(format!("`{name}` nests deeper than {NESTING_MAX}")));
        }
    }
    if text.len() > FILE_BYTES_MAX {
        return Err(GrpcError::Proto(format!("`{name}` has more than {FILE_BYTES_MAX} bytes")));
    }
    Ok(())
}

/// What a file imports, read off its lines; the compiler judges them.
fn imports(text: &str) -> impl Iterator<Item = String> + '_ {
    // A statement may stand on a line with others.
    text.split(['\n', ';']).filter_map(|line| {
        let rest = line.trim_start().strip_prefix("import")?.trim_start();
        let rest =
            rest.strip_prefix("public").or_else(|| rest.strip_prefix("weak")).unwrap_or(rest).trim_start();
        let quote = rest.chars().next().filter(|it| matches!(it, '"' | '\''))?;
        rest.get(1..)?.split(quote).next().map(str::to_owned)
    })
}

/// Files by name.
struct Files(Vec<(String, String)>);

impl FileResolver for Files {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.0.iter().find(|(own, _)| own == name) {
            Some((_, text)) => File::from_source(name, text),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}

/// The model of all services of a pool.
pub(crate) fn model(pool: &DescriptorPool) -> Result<Model, GrpcError> {
    let mut model = Model { title: "gRPC".to_owned(), ..Model::default() };
    let mut definitions = Map::new();
    for service in pool.services() {
        if service.full_name().starts_with("grpc.reflection.") {
            continue;
        }
        for method in service.methods() {
            if method.is_client_streaming() || method.is_server_streaming() {
                model.notes.push(Note {
                    place: method.full_name().to_owned(),
                    text: "a streaming method; it is not called".to_owned(),
                });
                continue;
            }
            if model.operations.len() == OPERATIONS_MAX {
                let text = format!("only the first {OPERATIONS_MAX} methods are used");
                model.notes.push(Note { place: String::new(), text });
                break;
            }
            messages::define(&method.input(), Way::In, &mut definitions);
            messages::define(&method.output(), Way::Out, &mut definitions);
            model.operations.push(operation(pool, service.full_name(), &method));
        }
    }
    model.schemas = json!({"$defs": definitions});
    if model.operations.is_empty() { Err(GrpcError::NoOperations) } else { Ok(model) }
}

fn operation(pool: &DescriptorPool, service: &str, method: &MethodDescriptor) -> Operation {
    let (input, output) = (method.input(), method.output());
    let options = method.method_descriptor_proto().options.as_ref();
    // `NO_SIDE_EFFECTS` of `google.protobuf.MethodOptions.IdempotencyLevel`.
    let only_reads = options.is_some_and(|it| it.idempotency_level == Some(1));
    let effect = if only_reads { Some(Effect::Reads) } else { verbs::effect(method.name()) };
    Operation {
        id: format!("{service}/{}", method.name()).into(),
        name: method.name().to_owned(),
        wire: Wire::Grpc {
            service: service.to_owned(),
            method: method.name().to_owned(),
            input: input.full_name().to_owned(),
            output: output.full_name().to_owned(),
            descriptors: Descriptors(pool.clone()),
        },
        effect: effect.unwrap_or(Effect::Acts),
        parameters: Vec::new(),
        body: Some(Body {
            media: vec![MEDIA.to_owned()],
            schema: messages::reference(&input, Way::In),
            required: true,
            examples: Vec::<Value>::new(),
        }),
        answers: vec![DeclaredAnswer {
            status: "200".to_owned(),
            media: vec![MEDIA.to_owned()],
            schema: Some(messages::reference(&output, Way::Out)),
            headers: Vec::new(),
        }],
        security: None,
        examples: Vec::new(),
        links: Vec::new(),
        words: verbs::words(method.name()).into_iter().chain(verbs::words(service)).collect(),
        deprecated: options.and_then(|it| it.deprecated).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
