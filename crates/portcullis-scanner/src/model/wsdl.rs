//! WSDL 1.1 with inline or imported XML Schema: SOAP operations of document/literal and rpc/literal bindings.
//!
//! A value is the content of the body's element: an object of its children in the schema's order, attributes as `@name`,
//! the text of an element that has attributes too as `#text`. `xml.namespace` in a property's schema says how its
//! element is qualified; [`crate::wire`] writes and reads by it.

mod files;
pub(crate) mod tree;
mod xsd;

use std::collections::BTreeMap;

use portcullis_spec::openapi::Source;
use serde_json::{Map, Value, json};

use self::{
    files::Files,
    tree::Element,
    xsd::{Types, Way},
};
use super::{
    Body, DeclaredAnswer, Effect, Model, Note, Operation, Requirement, Scheme, SoapVersion, Wire, verbs,
};

/// The namespace of WSDL 1.1.
const WSDL: &str = "http://schemas.xmlsoap.org/wsdl/";
/// The namespaces of its SOAP bindings.
const SOAP_11: &str = "http://schemas.xmlsoap.org/wsdl/soap/";
const SOAP_12: &str = "http://schemas.xmlsoap.org/wsdl/soap12/";
/// The name of the scheme where a policy asks for a UsernameToken.
const USERNAME_TOKEN: &str = "UsernameToken";
/// Operations of one description, at most.
const OPERATIONS_MAX: usize = 5_000;

/// Why there is no model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WsdlError {
    /// A file cannot be read.
    #[error("cannot read `{file}`: {why}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        why: String,
    },
    /// A file is no XML, or XML that is refused.
    #[error("{file}: {source}")]
    Xml {
        /// The file.
        file: String,
        /// What is wrong.
        source: tree::TreeError,
    },
    /// The root element is another.
    #[error("{0}: no `definitions` of WSDL 1.1")]
    NoDefinitions(String),
    /// There is nothing that could be called.
    #[error("no SOAP port over HTTP has an operation")]
    NoOperations,
}

/// The model of a WSDL file; what it imports comes from the same source and is never fetched.
///
/// # Errors
/// It cannot be read, or has no operations.
pub fn from_wsdl(root: &str, source: &dyn Source) -> Result<Model, WsdlError> {
    let files = Files::read(root, source)?;
    let mut model = Model { title: files.title(), notes: files.notes.clone(), ..Model::default() };
    let types = Types::collect(&files.schemas());
    let mut reader = Reader { files: &files, types, definitions: Map::new(), secured: false };
    reader.secured = files.definitions().any(|it| it.descendants().any(|it| it.name == USERNAME_TOKEN));
    if reader.secured {
        model.schemes.insert(USERNAME_TOKEN.to_owned(), Scheme::UsernameToken);
    }
    for definitions in files.definitions() {
        for service in definitions.children_named("service") {
            for port in service.children_named("port") {
                reader.port(port, &mut model);
            }
        }
    }
    model.schemas = json!({"$defs": reader.definitions});
    if model.operations.is_empty() { Err(WsdlError::NoOperations) } else { Ok(model) }
}

struct Reader<'f> {
    files: &'f Files,
    types: Types<'f>,
    definitions: Map<String, Value>,
    secured: bool,
}

/// What a message is on the wire: the element, its namespace, and the type of its content.
struct Content {
    element: String,
    namespace: String,
    schema: Value,
}

impl Reader<'_> {
    fn port(&mut self, port: &Element, model: &mut Model) {
        let name = port.attribute("name").unwrap_or_default().to_owned();
        let Some((version, address)) = port.children.iter().find_map(|it| {
            let version = soap_version(it).filter(|_| it.name == "address")?;
            Some((version, it.attribute("location").unwrap_or_default()))
        }) else {
            model.notes.push(note(&name, "no SOAP port; it is not called"));
            return;
        };
        let (origin, path) = split_address(address);
        if !origin.is_empty() && !model.servers.contains(&origin) {
            model.servers.push(origin);
        }
        let files = self.files;
        let Some(binding) = port.qname("binding").and_then(|name| files.global("binding", &name)) else {
            model.notes.push(note(&name, "its binding is not there"));
            return;
        };
        let Some(port_type) = binding.qname("type").and_then(|name| files.global("portType", &name)) else {
            model.notes.push(note(&name, "its port type is not there"));
            return;
        };
        let style = binding.children.iter().find(|it| soap_version(it).is_some() && it.name == "binding");
        let style = style.and_then(|it| it.attribute("style")).unwrap_or("document");
        for bound in binding.children_named("operation") {
            let Some(abstract_one) = port_type
                .children_named("operation")
                .find(|it| it.attribute("name") == bound.attribute("name"))
            else {
                continue;
            };
            if model.operations.len() == OPERATIONS_MAX {
                model.notes.push(note("", "only the first 5,000 operations are used"));
                return;
            }
            if let Some(operation) = self.operation(&name, &path, version, style, bound, abstract_one, model)
            {
                model.operations.push(operation);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what a binding says stands in as many places")]
    fn operation(
        &mut self,
        port: &str,
        path: &str,
        version: SoapVersion,
        style: &str,
        bound: &Element,
        abstract_one: &Element,
        model: &mut Model,
    ) -> Option<Operation> {
        let name = bound.attribute("name")?.to_owned();
        let soap = bound.children.iter().find(|it| soap_version(it).is_some() && it.name == "operation");
        let action = soap.and_then(|it| it.attribute("soapAction")).unwrap_or_default().to_owned();
        let style = soap.and_then(|it| it.attribute("style")).unwrap_or(style).to_owned();
        let Some(input) = self.content("input", &style, bound, abstract_one, Way::In) else {
            model.notes.push(note(&name, "its request's message is not there; it is not called"));
            return None;
        };
        let same = model.operations.iter().any(|own| {
            matches!(&own.wire, Wire::Soap { action: other, element, namespace, .. }
                if *element == input.element && *namespace == input.namespace && *other == action)
        });
        if same {
            model
                .notes
                .push(note(&name, &format!("offered by port `{port}` too; only the first port is called")));
            return None;
        }
        let output = self.content("output", &style, bound, abstract_one, Way::Out);
        let mut id = format!("soap {name}");
        if model.operations.iter().any(|own| *own.id == *id) {
            id = format!("soap {port}.{name}");
        }
        let media = match version {
            SoapVersion::V11 => "text/xml",
            SoapVersion::V12 => "application/soap+xml",
        };
        let words = verbs::words(&name);
        let documentation = abstract_one.children_named("documentation").map(|it| it.text.to_lowercase());
        Some(Operation {
            id: id.into(),
            effect: verbs::effect(&name).unwrap_or(Effect::Acts),
            wire: Wire::Soap {
                path: path.to_owned(),
                version,
                action,
                element: input.element,
                namespace: input.namespace,
            },
            parameters: Vec::new(),
            body: Some(Body {
                media: vec![media.to_owned()],
                schema: input.schema,
                required: true,
                examples: Vec::new(),
            }),
            answers: vec![DeclaredAnswer {
                status: "200".to_owned(),
                media: vec![media.to_owned()],
                schema: output.map(|it| it.schema),
                headers: Vec::new(),
            }],
            security: self
                .secured
                .then(|| vec![vec![Requirement { scheme: USERNAME_TOKEN.to_owned(), scopes: Vec::new() }]]),
            examples: Vec::new(),
            links: Vec::new(),
            words: words.into_iter().chain(documentation).collect(),
            deprecated: false,
            name,
        })
    }

    /// What the request or answer of an operation is.
    fn content(
        &mut self,
        direction: &str,
        style: &str,
        bound: &Element,
        abstract_one: &Element,
        way: Way,
    ) -> Option<Content> {
        let message = abstract_one.children_named(direction).next()?.qname("message")?;
        let message = self.files.global("message", &message)?;
        let soap_body =
            bound.children_named(direction).flat_map(|it| &it.children).find(|it| it.name == "body");
        let chosen: Option<Vec<&str>> =
            soap_body.and_then(|it| it.attribute("parts")).map(|it| it.split_whitespace().collect());
        let parts: Vec<&Element> = message
            .children_named("part")
            .filter(|part| {
                chosen.as_ref().is_none_or(|it| part.attribute("name").is_some_and(|own| it.contains(&own)))
            })
            .collect();
        if style == "rpc" {
            let mut properties = Map::new();
            for part in parts {
                let Some(part_name) = part.attribute("name") else { continue };
                let schema = match (part.qname("type"), part.qname("element")) {
                    (Some(name), _) => self.types.named(&name, way, &mut self.definitions),
                    (None, Some(name)) => {
                        self.types.element(&name, way, &mut self.definitions).unwrap_or(json!(true))
                    }
                    (None, None) => json!(true),
                };
                properties.insert(part_name.to_owned(), xsd::with_xml(schema, json!({"namespace": ""})));
            }
            let name = bound.attribute("name")?;
            let element = if way == Way::In { name.to_owned() } else { format!("{name}Response") };
            let namespace = soap_body.and_then(|it| it.attribute("namespace")).unwrap_or_default().to_owned();
            return Some(Content { element, namespace, schema: self.types.record(properties, way) });
        }
        let Some(part) = parts.first() else {
            return Some(Content {
                element: String::new(),
                namespace: String::new(),
                schema: json!({"type": "object"}),
            });
        };
        let name = part.qname("element")?;
        let schema = self.types.element(&name, way, &mut self.definitions)?;
        Some(Content { element: name.1, namespace: name.0, schema })
    }
}

fn soap_version(element: &Element) -> Option<SoapVersion> {
    match element.namespace.as_str() {
        SOAP_11 => Some(SoapVersion::V11),
        SOAP_12 => Some(SoapVersion::V12),
        _ => None,
    }
}

fn note(place: &str, text: &str) -> Note {
    Note { place: place.to_owned(), text: text.to_owned() }
}

/// The origin and path of an address; an address without a scheme is a path.
fn split_address(address: &str) -> (String, String) {
    let address = address.trim();
    let Some((scheme, rest)) = address.split_once("://") else {
        return (
            String::new(),
            if address.starts_with('/') { address.to_owned() } else { format!("/{address}") },
        );
    };
    match rest.split_once('/') {
        Some((host, path)) => (format!("{scheme}://{host}"), format!("/{path}")),
        None => (format!("{scheme}://{rest}"), "/".to_owned()),
    }
}

/// A namespace and a name in it.
type Name = (String, String);

/// Elements by namespace and name.
type ByName<'f> = BTreeMap<(&'f str, &'f str), (&'f Element, &'f Element)>;

#[cfg(test)]
pub(crate) mod tests;
