//! Parameters, headers and their styles, with the standard's defaults (OpenAPI 3.1 §4.8.12).

use super::{
    node::{Node, kind},
    reader::Reader,
    template,
};
use crate::model::{Parameter, ParameterLocation, SchemaRef, SpecVersion, Style};

impl<'a> Reader<'a> {
    /// The parameters of path item and operation merged: the operation's own win, and what the path template
    /// names is there.
    pub(super) fn parameters(&mut self, item: &Node<'a>, operation: &Node<'a>, path: &str) -> Vec<Parameter> {
        let mut merged: Vec<Parameter> = self.parameter_list(operation);
        for parameter in self.parameter_list(item) {
            if !merged.iter().any(|it| same(it, &parameter)) {
                merged.push(parameter);
            }
        }
        let names = template::names(path);
        merged.retain(|it| {
            let used = it.location != ParameterLocation::Path || names.contains(&it.name.as_str());
            if !used {
                self.warn(operation, format!("path parameter `{}` does not occur in `{path}`", it.name));
            }
            used
        });
        for name in names {
            if !merged.iter().any(|it| it.location == ParameterLocation::Path && it.name == name) {
                self.warn_with(
                    operation,
                    format!("path parameter `{name}` is not declared: any text is accepted"),
                    Some("declare it under `parameters` with `in: path`"),
                );
                merged.push(Parameter {
                    name: name.to_owned(),
                    location: ParameterLocation::Path,
                    required: true,
                    style: Style::Simple,
                    explode: false,
                    allow_reserved: false,
                    allow_empty_value: false,
                    schema: Some(self.any_text()),
                    content: None,
                });
            }
        }
        merged
    }

    fn parameter_list(&mut self, owner: &Node<'a>) -> Vec<Parameter> {
        let Some(list) = owner.get("parameters") else {
            return Vec::new();
        };
        if !list.value.is_array() {
            self.lose(&list, format!("`parameters` must be an array, not {}", kind(list.value)), None);
            return Vec::new();
        }
        let mut parameters: Vec<Parameter> = Vec::new();
        for node in list.items() {
            let Some(node) = self.follow(&node) else { continue };
            let Some(parameter) = self.parameter(&node) else { continue };
            if parameters.iter().any(|it| same(it, &parameter)) {
                self.warn(
                    &node,
                    format!("parameter `{}` is declared twice: the first counts", parameter.name),
                );
            } else {
                parameters.push(parameter);
            }
        }
        parameters
    }

    /// One parameter; `None` for what is not one: Swagger's bodies, headers the standard says to ignore, and
    /// what cannot be read, which then costs the operation.
    fn parameter(&mut self, node: &Node<'a>) -> Option<Parameter> {
        if !node.value.is_object() {
            self.lose(node, format!("a parameter must be an object, not {}", kind(node.value)), None);
            return None;
        }
        let Some(name) = node.text("name") else {
            self.lose(node, "a parameter needs a `name`", None);
            return None;
        };
        let swagger = self.version == SpecVersion::Swagger2;
        let location = match node.text("in") {
            Some("query") => ParameterLocation::Query,
            Some("path") => ParameterLocation::Path,
            Some("header") => ParameterLocation::Header,
            Some("cookie") => ParameterLocation::Cookie,
            Some("body" | "formData") if swagger => return None,
            Some("body" | "formData") => {
                self.lose(node, "`in: body` and `in: formData` are Swagger 2.0", Some("use `requestBody`"));
                return None;
            }
            Some(other) => {
                self.lose(
                    node,
                    format!("`in` must be `query`, `path`, `header` or `cookie`, not `{other}`"),
                    None,
                );
                return None;
            }
            None => {
                self.lose(node, format!("parameter `{name}` needs an `in`"), None);
                return None;
            }
        };
        if !swagger && location == ParameterLocation::Header && is_reserved_header(name) {
            return None;
        }
        let mut parameter = if swagger {
            self.swagger_parameter(node, name, location)
        } else {
            self.modern_parameter(node, name, location)
        };
        parameter.required = self.flag(node, "required");
        if location == ParameterLocation::Path && !parameter.required {
            self.warn(node, "a path parameter is always required");
            parameter.required = true;
        }
        Some(parameter)
    }

    /// A parameter or header of OpenAPI 3.
    fn modern_parameter(&mut self, node: &Node<'a>, name: &str, location: ParameterLocation) -> Parameter {
        let default = match location {
            ParameterLocation::Query | ParameterLocation::Cookie => Style::Form,
            ParameterLocation::Path | ParameterLocation::Header => Style::Simple,
        };
        let style = self.style(node, location).unwrap_or(default);
        let (schema, content) = self.schema_or_content(node);
        Parameter {
            name: name.to_owned(),
            location,
            required: self.flag(node, "required"),
            style,
            explode: self.flag_or(node, "explode", style == Style::Form),
            allow_reserved: self.flag(node, "allowReserved"),
            allow_empty_value: location == ParameterLocation::Query && self.flag(node, "allowEmptyValue"),
            schema,
            content,
        }
    }

    fn schema_or_content(&mut self, node: &Node<'a>) -> (Option<SchemaRef>, Option<String>) {
        if let Some(schema) = node.get("schema") {
            return (Some(self.schema(&schema)), None);
        }
        let Some(content) = node.get("content") else {
            self.warn(node, "neither `schema` nor `content`: any text is accepted");
            return (None, None);
        };
        if content.members().count() > 1 {
            self.warn(&content, "a parameter has one media type: the first counts");
        }
        match content.members().next() {
            Some((range, media)) => {
                let schema = media.get("schema").map(|schema| self.schema(&schema));
                (schema, Some(super::content::media_range(range)))
            }
            None => (None, None),
        }
    }

    pub(super) fn style(&mut self, node: &Node<'a>, location: ParameterLocation) -> Option<Style> {
        let text = node.text("style")?;
        let style = match text {
            "form" => Style::Form,
            "simple" => Style::Simple,
            "label" => Style::Label,
            "matrix" => Style::Matrix,
            "spaceDelimited" => Style::SpaceDelimited,
            "pipeDelimited" => Style::PipeDelimited,
            "deepObject" => Style::DeepObject,
            other => {
                self.warn(node, format!("style `{other}` is not known: the default counts"));
                return None;
            }
        };
        let fits = match location {
            ParameterLocation::Query => {
                matches!(
                    style,
                    Style::Form | Style::SpaceDelimited | Style::PipeDelimited | Style::DeepObject
                )
            }
            ParameterLocation::Path => matches!(style, Style::Simple | Style::Label | Style::Matrix),
            ParameterLocation::Header => style == Style::Simple,
            ParameterLocation::Cookie => style == Style::Form,
        };
        if !fits {
            self.warn(node, format!("style `{text}` cannot stand there: the default counts"));
        }
        fits.then_some(style)
    }

    /// A Swagger 2.0 parameter other than body and form fields: the schema is the parameter itself.
    pub(super) fn swagger_parameter(
        &mut self,
        node: &Node<'a>,
        name: &str,
        location: ParameterLocation,
    ) -> Parameter {
        let plain = match location {
            ParameterLocation::Query | ParameterLocation::Cookie => Style::Form,
            ParameterLocation::Path | ParameterLocation::Header => Style::Simple,
        };
        let (style, explode) = match node.text("collectionFormat") {
            None | Some("csv") => (plain, false),
            Some("multi") if location == ParameterLocation::Query => (Style::Form, true),
            Some("ssv") => (Style::SpaceDelimited, false),
            Some("tsv") => (Style::Tsv, false),
            Some("pipes") => (Style::PipeDelimited, false),
            Some(other) => {
                self.warn(node, format!("collectionFormat `{other}` cannot stand there: `csv` counts"));
                (plain, false)
            }
        };
        Parameter {
            name: name.to_owned(),
            location,
            required: self.flag(node, "required"),
            style,
            explode,
            allow_reserved: false,
            allow_empty_value: self.flag(node, "allowEmptyValue"),
            schema: Some(self.swagger_schema(node)),
            content: None,
        }
    }

    /// The header fields of an answer or of a form's part.
    pub(super) fn headers(&mut self, owner: &Node<'a>) -> Vec<Parameter> {
        let Some(declared) = owner.get("headers") else {
            return Vec::new();
        };
        let mut headers = Vec::new();
        for (name, node) in declared.members() {
            if name.eq_ignore_ascii_case("content-type") {
                continue;
            }
            let Some(node) = self.follow(&node) else { continue };
            headers.push(if self.version == SpecVersion::Swagger2 {
                let mut header = self.swagger_parameter(&node, name, ParameterLocation::Header);
                header.required = false;
                header
            } else {
                self.modern_parameter(&node, name, ParameterLocation::Header)
            });
        }
        headers
    }

    /// A boolean that is false where absent.
    pub(super) fn flag(&mut self, node: &Node<'a>, key: &str) -> bool {
        self.flag_or(node, key, false)
    }

    /// A boolean with a default; written as text, it is repaired.
    pub(super) fn flag_or(&mut self, node: &Node<'a>, key: &str, default: bool) -> bool {
        let Some(found) = node.get(key) else {
            return default;
        };
        if let Some(value) = found.value.as_bool() {
            return value;
        }
        self.warn(&found, format!("`{key}` must be true or false, not {}", kind(found.value)));
        match found.value.as_str() {
            Some("true") => true,
            Some("false") => false,
            _ => default,
        }
    }
}

/// Header parameters of these names say nothing (OpenAPI 3.1 §4.8.12.1).
fn is_reserved_header(name: &str) -> bool {
    ["accept", "content-type", "authorization"].iter().any(|it| name.eq_ignore_ascii_case(it))
}

fn same(left: &Parameter, right: &Parameter) -> bool {
    left.location == right.location
        && match left.location {
            ParameterLocation::Header => left.name.eq_ignore_ascii_case(&right.name),
            ParameterLocation::Query | ParameterLocation::Path | ParameterLocation::Cookie => {
                left.name == right.name
            }
        }
}
