//! Which language an API is described in, found from the text itself, and the model of it.

use std::io;

use portcullis_spec::openapi::{Limits, LoadError, LoadOptions, MemorySource, Source};
use serde::{Deserialize, de::IgnoredAny};

use super::{Model, graphql, grpc, har, openapi, postman, wsdl};

/// Bytes of one input.
pub const INPUT_BYTES_MAX: usize = 10 << 20;

/// A language that an API is described in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Swagger 2.0, OpenAPI 3.0 or 3.1, in JSON or YAML.
    OpenApi,
    /// A GraphQL schema in its own language.
    GraphQlSdl,
    /// The answer to a GraphQL introspection query.
    GraphQlIntrospection,
    /// WSDL 1.1.
    Wsdl,
    /// `.proto` source.
    Proto,
    /// A serialized `FileDescriptorSet`.
    Descriptors,
    /// A Postman collection, v2.0 or v2.1.
    Postman,
    /// HAR 1.2.
    Har,
}

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The input could not be read.
    #[error("cannot read `{name}`")]
    Unreadable {
        /// Its name.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// The input is too large.
    #[error("`{name}` is larger than {INPUT_BYTES_MAX} bytes")]
    TooLarge {
        /// Its name.
        name: String,
    },
    /// It is in no language that is known.
    #[error("`{name}` is no description that is known: {tried}")]
    Unknown {
        /// Its name.
        name: String,
        /// What was tried, and what each lacks.
        tried: String,
    },
    /// It is an OpenAPI description that cannot be used.
    #[error(transparent)]
    OpenApi(#[from] LoadError),
    /// It is another description that cannot be used.
    #[error("`{name}` is taken for {language}: {message}")]
    Broken {
        /// Its name.
        name: String,
        /// What it is taken for.
        language: &'static str,
        /// What is wrong, with its place.
        message: String,
    },
}

/// The model of one text. `base` is the URL it came from, where there is one: relative servers and endpoints are
/// resolved against it. Nothing is ever fetched; a reference to another file leads nowhere and costs what needs it.
///
/// # Errors
/// The text is too large, in no language that is known, or cannot be used.
pub fn read(name: &str, bytes: &[u8], base: Option<&str>) -> Result<Model, ModelError> {
    let source = MemorySource::default().with(name, bytes);
    read_from(name, &source, base)
}

/// The same with the files beside it, which a description may refer to.
///
/// # Errors
/// As [`read`], and what reading gives.
pub fn read_from(name: &str, source: &dyn Source, base: Option<&str>) -> Result<Model, ModelError> {
    let bytes =
        source.read(name).map_err(|source| ModelError::Unreadable { name: name.to_owned(), source })?;
    if bytes.len() > INPUT_BYTES_MAX {
        return Err(ModelError::TooLarge { name: name.to_owned() });
    }
    let language = language(name, &bytes)?;
    let broken = |error: &dyn std::error::Error| ModelError::Broken {
        name: name.to_owned(),
        language: language.in_words(),
        message: error.to_string(),
    };
    match language {
        Language::OpenApi => {
            let limits = Limits { file_bytes_max: INPUT_BYTES_MAX, ..Limits::default() };
            let options = LoadOptions { limits, ..LoadOptions::default() };
            Ok(openapi::read(name, source, &options, base)?)
        }
        Language::Postman => postman::read(&bytes, base).map_err(|it| broken(&it)),
        Language::Har => har::read(&bytes, base).map_err(|it| broken(&it)),
        Language::GraphQlSdl => {
            let read = graphql::from_sdl(&String::from_utf8_lossy(&bytes), &endpoint(base));
            read.map(|it| served(it, base)).map_err(|it| broken(&it))
        }
        Language::GraphQlIntrospection => {
            let answer = serde_json::from_slice(&bytes).map_err(|it| broken(&it))?;
            let read = graphql::from_introspection(&answer, &endpoint(base));
            read.map(|it| served(it, base)).map_err(|it| broken(&it))
        }
        Language::Wsdl => wsdl::from_wsdl(name, source).map(|it| served(it, base)).map_err(|it| broken(&it)),
        Language::Proto => {
            grpc::from_proto(name, source).map(|it| served(it, base)).map_err(|it| broken(&it))
        }
        Language::Descriptors => {
            grpc::from_descriptors(&bytes).map(|it| served(it, base)).map_err(|it| broken(&it))
        }
    }
}

/// The path that a GraphQL schema is served at: the base's own where it has one.
fn endpoint(base: Option<&str>) -> String {
    let path = base.and_then(|it| it.split_once("://")).and_then(|(_, rest)| rest.split_once('/'));
    match path {
        Some((_, path)) if !path.is_empty() => {
            format!("/{}", path.split(['?', '#']).next().unwrap_or_default())
        }
        Some(_) | None => "/graphql".to_owned(),
    }
}

/// The model with the base's origin as its server, where its description names none.
fn served(mut model: Model, base: Option<&str>) -> Model {
    if let Some((scheme, rest)) =
        base.and_then(|it| it.split_once("://")).filter(|_| model.servers.is_empty())
    {
        model.servers.push(format!("{scheme}://{}", rest.split(['/', '?', '#']).next().unwrap_or_default()));
    }
    model
}

impl Language {
    /// The language in words.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::OpenApi => "an OpenAPI description",
            Self::GraphQlSdl => "a GraphQL schema",
            Self::GraphQlIntrospection => "the answer to a GraphQL introspection query",
            Self::Wsdl => "a WSDL description",
            Self::Proto => "protobuf source",
            Self::Descriptors => "a protobuf descriptor set",
            Self::Postman => "a Postman collection",
            Self::Har => "a HAR file",
        }
    }
}

/// The members at the top that tell JSON languages apart.
#[derive(Default, Deserialize)]
struct Top {
    openapi: Option<IgnoredAny>,
    swagger: Option<IgnoredAny>,
    log: Option<IgnoredAny>,
    item: Option<IgnoredAny>,
    collection: Option<IgnoredAny>,
    data: Option<Inner>,
    #[serde(rename = "__schema")]
    schema: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Inner {
    #[serde(rename = "__schema")]
    schema: Option<IgnoredAny>,
}

/// The language of a text.
///
/// # Errors
/// It is in none that is known, or is broken before that can be told.
pub fn language(name: &str, bytes: &[u8]) -> Result<Language, ModelError> {
    let unknown = |tried: &str| ModelError::Unknown { name: name.to_owned(), tried: tried.to_owned() };
    let control = |byte: &u8| *byte < b'\t' || (0x0e..0x20).contains(byte);
    let Ok(text) = std::str::from_utf8(bytes) else {
        // Field 1, a message: how a set of descriptors begins.
        return if bytes.first() == Some(&0x0a) {
            Ok(Language::Descriptors)
        } else {
            Err(unknown("it is not UTF-8, and no protobuf descriptor set, which begins with the byte 0x0a"))
        };
    };
    if bytes.first() == Some(&0x0a) && bytes.iter().take(4_096).any(control) {
        return Ok(Language::Descriptors);
    }
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let extension = name.rsplit_once('.').map(|(_, it)| it.to_ascii_lowercase()).unwrap_or_default();
    match text.chars().next() {
        None => Err(unknown("it is empty")),
        Some('{' | '[') => json(name, text, &extension),
        Some('<') => {
            if text.contains("definitions") {
                Ok(Language::Wsdl)
            } else {
                Err(unknown("it is XML without the `definitions` of WSDL 1.1"))
            }
        }
        Some(_) => plain(text, &extension).ok_or_else(|| {
            unknown(
                "no `openapi` or `swagger` key at its top (OpenAPI), no `type` or `schema` definition (GraphQL), no \
                 `syntax` (protobuf), no JSON (Postman, HAR, introspection), no XML (WSDL)",
            )
        }),
    }
}

fn json(name: &str, text: &str, extension: &str) -> Result<Language, ModelError> {
    let top: Top = match serde_json::from_str(text) {
        Ok(top) => top,
        // YAML may begin with a flow mapping; its reader says where it breaks.
        Err(_) if matches!(extension, "yaml" | "yml") => return Ok(Language::OpenApi),
        Err(error) if extension == "har" => {
            let message = har::HarError::from(error).to_string();
            return Err(ModelError::Broken { name: name.to_owned(), language: "a HAR file", message });
        }
        Err(error) => {
            // Broken JSON, or a shape that none of them has: the text itself tells what it was meant to be.
            if ["\"openapi\"", "\"swagger\""].iter().any(|it| text.contains(it)) {
                return Ok(Language::OpenApi);
            }
            let message = har::HarError::from(error).to_string();
            return Err(ModelError::Broken { name: name.to_owned(), language: "JSON", message });
        }
    };
    if top.openapi.is_some() || top.swagger.is_some() {
        Ok(Language::OpenApi)
    } else if top.schema.is_some() || top.data.is_some_and(|it| it.schema.is_some()) {
        Ok(Language::GraphQlIntrospection)
    } else if top.log.is_some() {
        Ok(Language::Har)
    } else if top.item.is_some() || top.collection.is_some() {
        Ok(Language::Postman)
    } else {
        Err(ModelError::Unknown {
            name: name.to_owned(),
            tried:
                "its top has none of `openapi`, `swagger` (OpenAPI), `__schema` or `data.__schema` (GraphQL \
                    introspection), `log` (HAR), `item` (Postman)"
                    .to_owned(),
        })
    }
}

fn plain(text: &str, extension: &str) -> Option<Language> {
    let lines = || text.lines().take(10_000);
    let begins = |line: &str, words: &[&str]| {
        words
            .iter()
            .any(|it| line.strip_prefix(it).is_some_and(|rest| rest.starts_with([' ', '{', '=', '\t'])))
    };
    let key = |line: &str| {
        let key = line.split(':').next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        line.contains(':') && matches!(key, "openapi" | "swagger")
    };
    if lines().any(key) {
        return Some(Language::OpenApi);
    }
    if extension == "proto" || lines().any(|it| begins(it, &["syntax"]) && it.contains("proto")) {
        return Some(Language::Proto);
    }
    let definition =
        ["type", "schema", "interface", "input", "enum", "scalar", "union", "extend", "directive"];
    if matches!(extension, "graphql" | "graphqls" | "gql" | "sdl")
        || lines().any(|it| begins(it, &definition))
    {
        return Some(Language::GraphQlSdl);
    }
    // A YAML file that lacks its version: the reader of OpenAPI says so best.
    lines().any(|it| it.starts_with("paths:")).then_some(Language::OpenApi)
}

#[cfg(test)]
mod tests;
