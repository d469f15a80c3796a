//! What Swagger 2.0 says otherwise: bodies as parameters, media types as lists.

use std::collections::BTreeMap;

use super::{content::media_range, node::Node, reader::Reader};
use crate::model::{Encoding, MediaTypeObject, ParameterLocation, RequestBody};

const URLENCODED: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";

/// A form field: its node, name and whether it is a file.
struct Field<'a> {
    node: Node<'a>,
    name: &'a str,
    is_file: bool,
}

impl<'a> Reader<'a> {
    /// The body that `in: body` or `in: formData` parameters describe.
    pub(super) fn swagger_body(
        &mut self,
        item: &Node<'a>,
        operation: &Node<'a>,
        root: &Node<'a>,
    ) -> Option<RequestBody> {
        let mut body: Option<Node<'a>> = None;
        let mut fields: Vec<Field<'a>> = Vec::new();
        for owner in [operation, item] {
            for node in owner.get("parameters").iter().flat_map(Node::items) {
                // A broken reference was reported with the other parameters.
                let Ok(node) = super::reference::follow(self.files, &node) else { continue };
                match (node.text("in"), node.text("name")) {
                    (Some("body"), _) if body.is_none() => body = Some(node),
                    (Some("formData"), Some(name)) if !fields.iter().any(|it| it.name == name) => {
                        fields.push(Field { is_file: node.text("type") == Some("file"), node, name });
                    }
                    _ => {}
                }
            }
        }
        let consumes = media_types(operation, root, "consumes");
        match body {
            Some(body) => {
                if !fields.is_empty() {
                    self.lose(&body, "an operation has a body or form fields, not both", None);
                }
                let schema = body.get("schema").map(|schema| self.schema(&schema));
                let ranges = if consumes.is_empty() { vec!["application/json".to_owned()] } else { consumes };
                let content = ranges
                    .into_iter()
                    .map(|range| MediaTypeObject { range, schema: schema.clone(), encoding: BTreeMap::new() })
                    .collect();
                Some(RequestBody { required: self.flag(&body, "required"), content })
            }
            None if fields.is_empty() => None,
            None => Some(self.form(operation, &fields, consumes)),
        }
    }

    fn form(&mut self, operation: &Node<'a>, fields: &[Field<'a>], consumes: Vec<String>) -> RequestBody {
        let mut properties = Vec::with_capacity(fields.len());
        let mut required = Vec::new();
        let mut encoding = BTreeMap::new();
        for field in fields {
            if self.flag(&field.node, "required") {
                required.push(field.name);
            }
            let parameter = self.swagger_parameter(&field.node, field.name, ParameterLocation::Query);
            if let Some(schema) = &parameter.schema {
                properties.push((field.name, schema.clone()));
            }
            if !field.is_file {
                encoding.insert(
                    field.name.to_owned(),
                    Encoding {
                        content_types: Vec::new(),
                        style: Some(parameter.style),
                        explode: parameter.explode,
                        allow_reserved: false,
                        headers: Vec::new(),
                    },
                );
            }
        }
        let schema = self.form_schema(operation, &properties, &required);
        let mut ranges: Vec<String> =
            consumes.into_iter().filter(|range| [URLENCODED, MULTIPART].contains(&range.as_str())).collect();
        let has_file = fields.iter().any(|it| it.is_file);
        if ranges.is_empty() {
            ranges.push(if has_file { MULTIPART } else { URLENCODED }.to_owned());
        }
        let content = ranges
            .into_iter()
            .map(|range| MediaTypeObject { range, schema: Some(schema.clone()), encoding: encoding.clone() })
            .collect();
        RequestBody { required: !required.is_empty(), content }
    }

    pub(super) fn swagger_response_content(
        &mut self,
        response: &Node<'a>,
        operation: &Node<'a>,
        root: &Node<'a>,
    ) -> Vec<MediaTypeObject> {
        let Some(schema) = response.get("schema") else {
            return Vec::new();
        };
        let is_file = schema.text("type") == Some("file");
        let mut ranges = media_types(operation, root, "produces");
        if ranges.is_empty() {
            ranges.push(if is_file { "*/*" } else { "application/json" }.to_owned());
        }
        let schema = (!is_file).then(|| self.schema(&schema));
        ranges
            .into_iter()
            .map(|range| MediaTypeObject { range, schema: schema.clone(), encoding: BTreeMap::new() })
            .collect()
    }
}

/// `consumes` or `produces`, of the operation or else of the whole document.
fn media_types(operation: &Node<'_>, root: &Node<'_>, key: &str) -> Vec<String> {
    let declared = operation.get(key).or_else(|| root.get(key));
    let mut ranges: Vec<String> = Vec::new();
    for text in declared.iter().flat_map(Node::items).filter_map(|it| it.value.as_str()) {
        let range = media_range(text);
        if range.contains('/') && !ranges.contains(&range) {
            ranges.push(range);
        }
    }
    ranges
}
