//! Base paths: what `servers` and `basePath` put in front of every path.

use super::{node::Node, reader::Reader};

/// Base paths one list of servers may expand to.
const EXPANSIONS_MAX: usize = 64;

impl<'a> Reader<'a> {
    /// The base paths of the innermost `servers` list that says anything.
    pub(super) fn base_paths(
        &mut self,
        operation: &Node<'a>,
        item: &Node<'a>,
        root: &Node<'a>,
    ) -> Vec<String> {
        for level in [operation, item, root] {
            let Some(servers) = level.get("servers") else { continue };
            let mut paths = Vec::new();
            for server in servers.items() {
                self.server(&server, &mut paths);
            }
            if !paths.is_empty() {
                return paths;
            }
        }
        vec![String::new()]
    }

    fn server(&mut self, server: &Node<'a>, paths: &mut Vec<String>) {
        let Some(url) = server.text("url") else {
            return self.warn(server, "a server without `url`");
        };
        // Where scheme and authority are written out, their variables cannot change the path.
        let variable_part = match url.find("://").and_then(|at| url.get(at + 3..)) {
            Some(rest) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default(),
            None => url,
        };
        for expanded in self.expand(server, variable_part) {
            let path = base_path(&expanded);
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
    }

    /// Every value of a template's variables put in: the enumeration, or the default.
    fn expand(&mut self, server: &Node<'a>, template: &str) -> Vec<String> {
        let variables = server.get("variables");
        let mut done = vec![String::new()];
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            rest = after;
            let variable = variables.as_ref().and_then(|it| it.get(name));
            let mut values: Vec<String> = Vec::new();
            if let Some(variable) = &variable {
                values.extend(variable.text("default").map(str::to_owned));
                let listed = variable.get("enum");
                for value in listed.iter().flat_map(Node::items).filter_map(|it| it.value.as_str()) {
                    if !values.iter().any(|it| it == value) {
                        values.push(value.to_owned());
                    }
                }
            }
            if values.is_empty() {
                self.warn(server, format!("variable `{name}` of the server's `url` has no default"));
                values.push(String::new());
            }
            if done.len().saturating_mul(values.len()) > EXPANSIONS_MAX {
                self.warn(
                    server,
                    format!("too many values of server variables: only the default of `{name}` is used"),
                );
                values.truncate(1);
            }
            done = done
                .iter()
                .flat_map(|start| values.iter().map(move |value| format!("{start}{before}{value}")))
                .collect();
        }
        for path in &mut done {
            path.push_str(rest);
        }
        done
    }
}

/// The path part of a URL, without a trailing `/`.
pub(super) fn base_path(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let after_scheme = url.find("://").and_then(|at| url.get(at + 3..)).or_else(|| url.strip_prefix("//"));
    let path = match after_scheme {
        Some(rest) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default(),
        None => url,
    };
    let mut base = String::with_capacity(path.len() + 1);
    for segment in path.split('/').filter(|it| !it.is_empty() && *it != ".") {
        base.push('/');
        base.push_str(segment);
    }
    base
}

#[cfg(test)]
mod tests {
    use super::base_path;

    #[test]
    fn takes_the_path_part() {
        for (url, path) in [
            ("https://api.example.com/v1/", "/v1"),
            ("https://api.example.com", ""),
            ("//api.example.com/a//b", "/a/b"),
            ("/v1", "/v1"),
            ("./v1?x=/y", "/v1"),
            ("/", ""),
        ] {
            assert_eq!(base_path(url), path, "{url}");
        }
    }
}
