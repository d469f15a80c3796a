//! The document from its root: version, paths, operations.

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};
use serde_json::Value;

use super::{
    LoadError, LoadOptions,
    files::Files,
    node::{Node, kind},
    reader::Reader,
    server, template,
};
use crate::model::{Document, Operation, SecurityScheme, SpecVersion};

/// The methods a path item may have (OpenAPI 3.1 §4.8.9).
pub(super) const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Reads the document whose root is the first of the files.
pub(super) fn read(files: &Files, options: &LoadOptions) -> Result<Document, LoadError> {
    let not_openapi = |message: String| {
        let file = files.all.first().map(|it| it.name.to_string()).unwrap_or_default();
        LoadError::NotOpenApi { file, message }
    };
    let Some(file) = files.all.first() else {
        return Err(not_openapi("it is empty".to_owned()));
    };
    let root = Node { file: 0, pointer: String::new(), value: &file.value };
    if !file.value.is_object() {
        return Err(not_openapi(format!("its root must be an object, not {}", kind(&file.value))));
    }
    let version = version(&root).map_err(not_openapi)?;
    let mut reader = Reader::new(files, version, options);
    let security_schemes = reader.security_schemes(&root);
    let operations = reader.operations(&root, &security_schemes);
    let (operations, request_schemas, response_schemas) = reader.finish_schemas(operations);
    let title = root.get("info").and_then(|it| it.text("title").map(str::to_owned)).unwrap_or_default();
    Ok(Document {
        title,
        version,
        operations,
        request_schemas,
        response_schemas,
        security_schemes,
        diagnostics: reader.into_diagnostics(),
    })
}

fn version(root: &Node<'_>) -> Result<SpecVersion, String> {
    let (key, found) = match (root.get("openapi"), root.get("swagger")) {
        (Some(found), _) => ("openapi", found),
        (None, Some(found)) => ("swagger", found),
        (None, None) => return Err("neither `openapi` nor `swagger` names a version".to_owned()),
    };
    // `swagger: 2.0` without quotes is a number.
    let text = match found.value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let is = |prefix: &str| text == prefix || text.strip_prefix(prefix).is_some_and(|it| it.starts_with('.'));
    match key {
        "swagger" if is("2.0") || text == "2" => Ok(SpecVersion::Swagger2),
        "openapi" if is("3.0") || text == "3" => Ok(SpecVersion::OpenApi30),
        "openapi" if is("3.1") => Ok(SpecVersion::OpenApi31),
        _ => Err(format!("version `{text}` is not known (Swagger 2.0, OpenAPI 3.0 and 3.1 are)")),
    }
}

impl<'a> Reader<'a> {
    fn operations(&mut self, root: &Node<'a>, schemes: &BTreeMap<String, SecurityScheme>) -> Vec<Operation> {
        let mut operations: Vec<Operation> = Vec::new();
        let Some(paths) = root.get("paths") else {
            self.warn(root, "no `paths`: nothing is served");
            return operations;
        };
        let mut ids: HashSet<String> = HashSet::new();
        // By shape, the operations that have it.
        let mut shapes: HashMap<String, Vec<usize>> = HashMap::new();
        for (key, item) in paths.members() {
            if key.starts_with("x-") {
                continue;
            }
            let (path, query) = template::split(key);
            let sources = self.path_item(key, path, &item);
            let mates = shapes.entry(template::shape(path)).or_default();
            for method in METHODS {
                let Some((owner, node)) = sources.iter().find_map(|owner| Some((owner, owner.get(method)?)))
                else {
                    continue;
                };
                let label = format!("{} {key}", method.to_ascii_uppercase());
                let read = self.operation(label, |reader| {
                    let mut operation = reader.read_operation(root, owner, &node, method, path, schemes);
                    reader.fixed_query(query, &mut operation.parameters);
                    // Most paths have mates of their own item only: whatever stands before the first is none.
                    let first = mates.first().copied().unwrap_or(operations.len());
                    let candidates = operations.iter_mut().enumerate().skip(first);
                    let rivals = candidates.filter(|(index, _)| mates.contains(index));
                    reader.settle(operation, rivals.map(|(_, it)| it), key, &node)
                });
                let Some(Some(mut operation)) = read else { continue };
                if !ids.insert(operation.id.clone()) {
                    let own = format!("{} {path}", operation.method);
                    let message =
                        format!("operationId `{}` is used twice: `{own}` is used here", operation.id);
                    self.warn(&node, message);
                    operation.id.clone_from(&own);
                    ids.insert(own);
                }
                mates.push(operations.len());
                operations.push(operation);
            }
        }
        operations
    }

    /// The path item itself, and the one it refers to.
    fn path_item(&mut self, key: &str, path: &str, item: &Node<'a>) -> Vec<Node<'a>> {
        let label = key.to_owned();
        let sources = self.operation(label, |reader| {
            if let Some(fault) = template::fault(path) {
                reader.lose(item, fault, None);
            }
            if !item.value.is_object() {
                reader.lose(item, format!("a path item must be an object, not {}", kind(item.value)), None);
            }
            match reader.follow(item) {
                Some(target) if target.address() != item.address() => vec![item.clone(), target],
                Some(_) | None => vec![item.clone()],
            }
        });
        sources.unwrap_or_default()
    }

    fn read_operation(
        &mut self,
        root: &Node<'a>,
        item: &Node<'a>,
        node: &Node<'a>,
        method: &str,
        path: &str,
        schemes: &BTreeMap<String, SecurityScheme>,
    ) -> Operation {
        if !node.value.is_object() {
            self.lose(node, format!("an operation must be an object, not {}", kind(node.value)), None);
        }
        let method = method.to_ascii_uppercase();
        let swagger = self.version == SpecVersion::Swagger2;
        let id = match node.text("operationId") {
            Some(id) if !id.trim().is_empty() => id.to_owned(),
            Some(_) | None => format!("{method} {path}"),
        };
        let tags = node.get("tags");
        Operation {
            id,
            path: path.to_owned(),
            base_paths: if swagger {
                vec![server::base_path(root.text("basePath").unwrap_or_default())]
            } else {
                self.base_paths(node, item, root)
            },
            tags: tags
                .iter()
                .flat_map(Node::items)
                .filter_map(|it| it.value.as_str().map(str::to_owned))
                .collect(),
            parameters: self.parameters(item, node, path),
            body: if swagger { self.swagger_body(item, node, root) } else { self.request_body(node) },
            responses: self.responses(node, root),
            security: self.security(node, root, schemes),
            deprecated: self.flag(node, "deprecated"),
            pointer: node.pointer.clone(),
            method,
        }
    }
}
