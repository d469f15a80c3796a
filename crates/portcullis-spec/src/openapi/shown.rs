//! Reads what a description shows; see [`crate::shown`]. Whatever is broken is passed over: what counts was diagnosed.

use serde_json::Value;

use super::{
    content::media_range, document::METHODS, files::Files, node::Node, position, reference, template,
};
use crate::{
    model::ParameterLocation,
    shown::{Shown, ShownContent, ShownLink, ShownOperation, ShownParameter},
};

/// Examples taken from one place.
const EXAMPLES_MAX: usize = 10;
/// Answers looked at for one operation.
const ANSWERS_MAX: usize = 32;

/// Reads all of it.
pub(super) fn read(files: &Files) -> Shown {
    let mut shown = Shown::default();
    let Some(file) = files.all.first() else { return shown };
    let root = Node { file: 0, pointer: String::new(), value: &file.value };
    let reading = Reading { files };
    shown.servers = servers(&root);
    let declared = root
        .get("securityDefinitions")
        .or_else(|| root.get("components").and_then(|it| it.get("securitySchemes")));
    for (name, node) in declared.iter().flat_map(Node::members) {
        let Some(node) = reading.follow(&node) else { continue };
        shown.schemes.insert(name.to_owned(), node.text("description").unwrap_or_default().to_owned());
    }
    // Keyed as operations are; with each, the file and pointer for its line.
    let mut places: Vec<((String, String), usize, String)> = Vec::new();
    for (key, item) in root.get("paths").iter().flat_map(Node::members) {
        let (path, _) = template::split(key);
        let target = reading.follow(&item);
        for method in METHODS {
            let owners = [Some(&item), target.as_ref()];
            let Some((owner, node)) =
                owners.into_iter().flatten().find_map(|owner| Some((owner, owner.get(method)?)))
            else {
                continue;
            };
            let id = (method.to_ascii_uppercase(), path.to_owned());
            if shown.operations.contains_key(&id) {
                continue;
            }
            places.push((id.clone(), node.file, node.pointer.clone()));
            shown.operations.insert(id, reading.operation(owner, &node));
        }
    }
    locate(files, &places, &mut shown);
    shown
}

fn locate(files: &Files, places: &[((String, String), usize, String)], shown: &mut Shown) {
    for (index, file) in files.all.iter().enumerate() {
        let here = || places.iter().filter(|(_, own, _)| *own == index);
        let found: hashbrown::HashMap<_, _> =
            position::locate(&file.text, here().map(|(_, _, pointer)| pointer.as_str()))
                .into_iter()
                .collect();
        for (id, _, pointer) in here() {
            if let Some(operation) = shown.operations.get_mut(id) {
                operation.file = file.name.to_string();
                operation.position = found.get(pointer).copied();
            }
        }
    }
}

/// The servers of the root, or what Swagger has for them.
fn servers(root: &Node<'_>) -> Vec<String> {
    let mut urls: Vec<String> = Vec::new();
    if root.get("swagger").is_some() {
        let base = super::server::base_path(root.text("basePath").unwrap_or_default());
        match root.text("host") {
            Some(host) if !host.is_empty() => {
                let schemes = root.get("schemes");
                let mut named: Vec<&str> =
                    schemes.iter().flat_map(Node::items).filter_map(|it| it.value.as_str()).collect();
                named.retain(|it| matches!(*it, "http" | "https"));
                if named.is_empty() {
                    named.push("https");
                }
                urls.extend(named.iter().map(|scheme| format!("{scheme}://{host}{base}")));
            }
            Some(_) | None => urls.push(base),
        }
        return urls;
    }
    for server in root.get("servers").iter().flat_map(Node::items) {
        let Some(mut url) = server.text("url").map(str::to_owned) else { continue };
        for (name, variable) in server.get("variables").iter().flat_map(Node::members) {
            if let Some(default) = variable.text("default") {
                url = url.replace(&format!("{{{name}}}"), default);
            }
        }
        urls.push(url);
    }
    urls
}

struct Reading<'a> {
    files: &'a Files,
}

impl<'a> Reading<'a> {
    fn follow(&self, node: &Node<'a>) -> Option<Node<'a>> {
        reference::follow(self.files, node).ok()
    }

    fn operation(&self, item: &Node<'a>, node: &Node<'a>) -> ShownOperation {
        let mut shown = ShownOperation {
            summary: node.text("summary").unwrap_or_default().to_owned(),
            description: node.text("description").unwrap_or_default().to_owned(),
            ..ShownOperation::default()
        };
        for owner in [node, item] {
            for parameter in owner.get("parameters").iter().flat_map(Node::items) {
                if let Some(parameter) = self.follow(&parameter) {
                    self.parameter(&parameter, &mut shown);
                }
            }
        }
        if let Some(body) = node.get("requestBody").and_then(|it| self.follow(&it)) {
            self.content(&body, &mut shown.bodies);
        }
        for (status, answer) in node.get("responses").iter().flat_map(Node::members).take(ANSWERS_MAX) {
            let Some(answer) = self.follow(&answer) else { continue };
            let mut contents = Vec::new();
            self.content(&answer, &mut contents);
            // Swagger: by media type.
            for (media, value) in answer.get("examples").iter().flat_map(Node::members) {
                contents.push(content(media, "", value.value));
            }
            shown.answers.extend(contents.into_iter().map(|it| (status.to_owned(), it)));
            for (_, link) in answer.get("links").iter().flat_map(Node::members) {
                shown.links.extend(self.follow(&link).as_ref().and_then(link_of));
            }
        }
        shown
    }

    fn parameter(&self, node: &Node<'a>, shown: &mut ShownOperation) {
        let Some(name) = node.text("name") else { return };
        let location = match node.text("in") {
            Some("query") => ParameterLocation::Query,
            Some("path") => ParameterLocation::Path,
            Some("header") => ParameterLocation::Header,
            Some("cookie") => ParameterLocation::Cookie,
            Some("body") => {
                let mut values = Vec::new();
                self.examples(node, &mut values);
                let json = |(example, value): (String, &Value)| content("application/json", &example, value);
                return shown.bodies.extend(values.into_iter().map(json));
            }
            _ => return,
        };
        let mut values = Vec::new();
        self.examples(node, &mut values);
        for (_, media) in node.get("content").iter().flat_map(Node::members) {
            self.examples(&media, &mut values);
        }
        shown.parameters.extend(values.into_iter().map(|(example, value)| ShownParameter {
            location,
            name: name.to_owned(),
            example,
            value: value.clone(),
        }));
    }

    fn content(&self, owner: &Node<'a>, into: &mut Vec<ShownContent>) {
        for (media, node) in owner.get("content").iter().flat_map(Node::members) {
            let mut values = Vec::new();
            self.examples(&node, &mut values);
            into.extend(values.into_iter().map(|(example, value)| content(media, &example, value)));
        }
    }

    /// `example` and `examples`, those of a vendor included, with their names.
    fn examples(&self, node: &Node<'a>, into: &mut Vec<(String, &'a Value)>) {
        for key in ["example", "x-example"] {
            if let Some(found) = node.value.get(key).filter(|it| !it.is_null()) {
                into.push((String::new(), found));
            }
        }
        for key in ["examples", "x-examples"] {
            let Some(found) = node.get(key) else { continue };
            for (name, example) in found.members().take(EXAMPLES_MAX) {
                let Some(example) = self.follow(&example) else { continue };
                // A value of its own, or, against the standard, the value in its place.
                match example.value.as_object() {
                    Some(members) if members.contains_key("value") => {
                        into.extend(members.get("value").map(|value| (name.to_owned(), value)));
                    }
                    Some(members) if members.contains_key("externalValue") => {}
                    Some(_) | None => into.push((name.to_owned(), example.value)),
                }
            }
            for item in found.value.as_array().into_iter().flatten().take(EXAMPLES_MAX) {
                into.push((String::new(), item));
            }
        }
        into.truncate(EXAMPLES_MAX);
    }
}

fn content(media: &str, example: &str, value: &Value) -> ShownContent {
    ShownContent { media: media_range(media), example: example.to_owned(), value: value.clone() }
}

fn link_of(node: &Node<'_>) -> Option<ShownLink> {
    let text = |key: &str| node.text(key).unwrap_or_default().to_owned();
    let (operation_id, operation_ref) = (text("operationId"), text("operationRef"));
    if operation_id.is_empty() && operation_ref.is_empty() {
        return None;
    }
    let parameters = node.get("parameters");
    let parameters = parameters.iter().flat_map(Node::members);
    Some(ShownLink {
        operation_id,
        operation_ref,
        parameters: parameters
            .filter_map(|(name, it)| Some((name.to_owned(), it.value.as_str()?.to_owned())))
            .collect(),
        body: text("requestBody"),
    })
}
