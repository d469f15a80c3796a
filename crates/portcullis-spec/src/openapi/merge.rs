//! Operations that no router can tell apart, because their templates match the same paths: they are served as one
//! that accepts what either accepts, and asks for every credential that either asks for.

use super::{node::Node, reader::Reader, template};
use crate::model::{
    MediaTypeObject, Operation, Parameter, ParameterLocation, RequestBody, Response, SecurityRequirement,
    Style,
};

/// Alternatives that joined security requirements may come to.
const ALTERNATIVES_MAX: usize = 16;

impl<'a> Reader<'a> {
    /// Folds the operation into the rival that has the same method and shape; gives it back where there is none.
    pub(super) fn settle<'o>(
        &mut self,
        mut operation: Operation,
        rivals: impl Iterator<Item = &'o mut Operation>,
        key: &str,
        node: &Node<'a>,
    ) -> Option<Operation> {
        // What could not be read must not widen what could.
        if self.is_lost() {
            return Some(operation);
        }
        for rival in rivals {
            if !rival.base_paths.iter().any(|it| operation.base_paths.contains(it)) {
                continue;
            }
            let differ = template::names(&rival.path) != template::names(&operation.path);
            if rival.method == operation.method {
                rename(&mut operation, &rival.path);
                self.warn(
                    node,
                    format!("`{key}` matches the same paths as `{}`: the two are served as one", rival.path),
                );
                self.merge(rival, operation, node);
                return None;
            }
            if differ {
                self.warn(node, format!("`{key}` names its parameters otherwise than `{}`", rival.path));
            }
        }
        Some(operation)
    }

    /// Query parameters that a key of `paths` fixes behind a `?`.
    pub(super) fn fixed_query(&mut self, query: Option<&str>, parameters: &mut Vec<Parameter>) {
        for pair in query.into_iter().flat_map(|it| it.split('&')).filter(|it| !it.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let known =
                parameters.iter().any(|it| it.location == ParameterLocation::Query && it.name == name);
            if known || name.contains('{') {
                continue;
            }
            let schema = if value.contains('{') { self.any_text() } else { self.fixed_text(value) };
            parameters.push(Parameter {
                name: name.to_owned(),
                location: ParameterLocation::Query,
                required: true,
                style: Style::Form,
                explode: true,
                allow_reserved: false,
                allow_empty_value: value.is_empty(),
                schema: Some(schema),
                content: None,
            });
        }
    }

    fn merge(&mut self, into: &mut Operation, other: Operation, node: &Node<'a>) {
        match join(&into.security, &other.security) {
            Some(security) => into.security = security,
            None => return self.lose(node, "too many alternatives of security requirements", None),
        }
        self.merge_parameters(&mut into.parameters, other.parameters);
        into.body = match (into.body.take(), other.body) {
            (None, None) => None,
            (Some(one), None) | (None, Some(one)) => Some(RequestBody { required: false, ..one }),
            (Some(mut left), Some(right)) => {
                left.required &= right.required;
                self.merge_content(&mut left.content, right.content);
                Some(left)
            }
        };
        for response in other.responses {
            match into.responses.iter_mut().find(|it| it.status == response.status) {
                Some(Response { headers, content, .. }) => {
                    self.merge_parameters(headers, response.headers);
                    self.merge_content(content, response.content);
                }
                None => into.responses.push(response),
            }
        }
        into.base_paths.extend(other.base_paths);
        let mut seen = hashbrown::HashSet::new();
        into.base_paths.retain(|it| seen.insert(it.clone()));
        into.deprecated &= other.deprecated;
        into.tags.extend(other.tags);
        let mut seen = hashbrown::HashSet::new();
        into.tags.retain(|it| seen.insert(it.clone()));
    }

    fn merge_parameters(&mut self, into: &mut Vec<Parameter>, others: Vec<Parameter>) {
        let same = |left: &Parameter, right: &Parameter| {
            left.location == right.location && left.name.eq_ignore_ascii_case(&right.name)
        };
        for parameter in into.iter_mut() {
            let shared = others.iter().any(|it| same(it, parameter));
            parameter.required &= shared || parameter.location == ParameterLocation::Path;
        }
        for mut other in others {
            if let Some(parameter) = into.iter_mut().find(|it| same(it, &other)) {
                parameter.required &= other.required;
                parameter.allow_reserved |= other.allow_reserved;
                parameter.allow_empty_value |= other.allow_empty_value;
                parameter.schema = self.either(parameter.schema.as_ref(), other.schema.as_ref());
            } else {
                other.required = false;
                into.push(other);
            }
        }
    }

    fn merge_content(&mut self, into: &mut Vec<MediaTypeObject>, others: Vec<MediaTypeObject>) {
        for other in others {
            if let Some(media) = into.iter_mut().find(|it| it.range == other.range) {
                media.schema = self.either(media.schema.as_ref(), other.schema.as_ref());
                for (property, encoding) in other.encoding {
                    media.encoding.entry(property).or_insert(encoding);
                }
            } else {
                into.push(other);
            }
        }
    }
}

/// Gives the path parameters the names that another template of the same shape has for them.
fn rename(operation: &mut Operation, template: &str) {
    let names: Vec<(String, String)> = template::names(&operation.path)
        .into_iter()
        .zip(template::names(template))
        .map(|(own, other)| (own.to_owned(), other.to_owned()))
        .collect();
    for parameter in operation.parameters.iter_mut().filter(|it| it.location == ParameterLocation::Path) {
        if let Some((_, other)) = names.iter().find(|(own, _)| *own == parameter.name) {
            parameter.name.clone_from(other);
        }
    }
}

/// Both requirements at once; `None` when they are too many.
fn join(
    left: &[Vec<SecurityRequirement>],
    right: &[Vec<SecurityRequirement>],
) -> Option<Vec<Vec<SecurityRequirement>>> {
    if left == right || right.is_empty() {
        return Some(left.to_vec());
    }
    if left.is_empty() {
        return Some(right.to_vec());
    }
    let mut joined: Vec<Vec<SecurityRequirement>> = Vec::new();
    for one in left {
        for other in right {
            let mut all = one.clone();
            all.extend(other.iter().filter(|it| !one.contains(it)).cloned());
            if !joined.contains(&all) {
                joined.push(all);
            }
        }
    }
    (joined.len() <= ALTERNATIVES_MAX).then_some(joined)
}
