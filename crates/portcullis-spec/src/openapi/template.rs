//! Path templates.

/// The parameter names of a template, each once, in order.
pub(super) fn names(path: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = path;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        if !names.contains(&name) {
            names.push(name);
        }
        rest = after;
    }
    names
}

/// The template without its names: templates of one shape match the same paths.
pub(super) fn shape(path: &str) -> String {
    let mut shape = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((_, after)) = after.split_once('}') else { break };
        shape.push_str(before);
        shape.push_str("{}");
        rest = after;
    }
    shape.push_str(rest);
    shape
}

/// A key of `paths` as its template and what stands behind a `?`; a fragment is cut off. Some descriptions tell
/// operations of one path apart in these ways.
pub(super) fn split(key: &str) -> (&str, Option<&str>) {
    let whole = key.split('#').next().unwrap_or_default();
    match whole.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (whole, None),
    }
}

/// What makes a template unusable.
pub(super) fn fault(path: &str) -> Option<&'static str> {
    if !path.starts_with('/') {
        return Some("a path must begin with `/`");
    }
    let mut open = false;
    for byte in path.bytes() {
        match byte {
            b'{' if open => return Some("`{` inside of `{…}`"),
            b'{' => open = true,
            b'}' if !open => return Some("`}` without `{`"),
            b'}' => open = false,
            b'/' if open => return Some("`/` inside of `{…}`"),
            _ => {}
        }
    }
    if open {
        return Some("`{` without `}`");
    }
    path.contains("{}").then_some("a parameter without a name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_and_shape() {
        assert_eq!(names("/a/{x}/b/{y}.{x}"), ["x", "y"]);
        assert_eq!(shape("/a/{x}/b/{y}.json"), "/a/{}/b/{}.json");
        assert_eq!(shape("/a/{x"), "/a/{x");
    }

    #[test]
    fn names_the_fault() {
        for path in ["a", "/a/{b", "/a/b}", "/{a/b}", "/{}", "/{{a}}"] {
            assert!(fault(path).is_some(), "{path}");
        }
        assert_eq!(fault("/a/{b}.{c}"), None);
    }
}
