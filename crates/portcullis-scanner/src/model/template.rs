//! Path templates from paths that were seen: segments that are ids by their look, and segments that vary where all
//! around them stays the same.

use std::collections::{BTreeMap, BTreeSet};

use super::infer::{is_date, is_email, is_uuid};

/// Different names in one place, from which on they may be values rather than words.
const VARIES_MIN: usize = 3;
/// Segments of one path that are looked at; the rest stands as it is.
const SEGMENTS_MAX: usize = 32;

/// A segment of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// Text, decoded.
    Literal(String),
    /// A parameter that the input names, with its value where it shows one.
    Named(String, Option<String>),
}

/// A path that was seen, and what tells its resource apart from another.
#[derive(Clone, Debug)]
pub struct Path<'p> {
    /// Its segments.
    pub segments: &'p [Segment],
    /// What the answer looks like (its members, its media type); `None` where none is known.
    pub looks: Option<String>,
    /// The method.
    pub method: &'p str,
}

/// A template, with the values of its parameters for one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Templated {
    /// `/users/{user_id}`.
    pub template: String,
    /// Names with values, in order.
    pub values: Vec<(String, Option<String>)>,
}

/// Whether a segment is an id by its look: a number, a UUID, a date, an address, hexadecimal digits or a long token.
pub fn is_id(segment: &str) -> bool {
    let bytes = segment.as_bytes();
    let digits = bytes.iter().filter(|it| it.is_ascii_digit()).count();
    if bytes.is_empty() || bytes.len() > 512 {
        return false;
    }
    if digits == bytes.len() || is_uuid(segment) || is_date(segment) || is_email(segment) {
        return true;
    }
    let hex = bytes.iter().all(u8::is_ascii_hexdigit);
    if hex && bytes.len() >= 8 && digits > 0 {
        return true;
    }
    // `user-42`, `ORD_1001`: a word with a number that counts. `v1`, `oauth2` and `s3` are words.
    let counted = segment.rsplit(['-', '_']).next().is_some_and(|last| {
        last.len() < segment.len() && last.len() >= 2 && last.bytes().all(|it| it.is_ascii_digit())
    });
    if counted {
        return true;
    }
    // Tokens: long, of one word's characters, with digits and letters well mixed.
    let word = bytes.iter().all(|it| it.is_ascii_alphanumeric() || b"-_.~=".contains(it));
    let upper = bytes.iter().any(u8::is_ascii_uppercase) && bytes.iter().any(u8::is_ascii_lowercase);
    let runs = bytes
        .windows(2)
        .filter(|it| it.first().map(u8::is_ascii_digit) != it.last().map(u8::is_ascii_digit))
        .count();
    word && ((bytes.len() >= 16 && digits >= 3 && runs >= 4)
        || (bytes.len() >= 10 && upper && digits >= 2 && runs >= 3))
}

/// The template of each path, in the paths' order.
pub fn templates(paths: &[Path<'_>]) -> Vec<Templated> {
    let mut root = Node::default();
    for path in paths {
        root.insert(path, 0);
    }
    root.fold("", true);
    paths.iter().map(|path| root.template_of(path.segments)).collect()
}

/// How a child of a node is reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Literal(String),
    /// An id by its look, or one of several that vary.
    Id,
    Named(String),
}

#[derive(Default)]
struct Node {
    children: BTreeMap<Key, Node>,
    /// Literals that were folded into [`Key::Id`].
    folded: BTreeSet<String>,
    /// What ends here: method and looks.
    ends: BTreeSet<(String, Option<String>)>,
}

fn key(segment: &Segment) -> Key {
    match segment {
        Segment::Literal(text) if is_id(text) => Key::Id,
        Segment::Literal(text) => Key::Literal(text.clone()),
        Segment::Named(name, _) => Key::Named(name.clone()),
    }
}

impl Node {
    fn insert(&mut self, path: &Path<'_>, at: usize) {
        match path.segments.get(at) {
            Some(segment) if at < SEGMENTS_MAX => {
                self.children.entry(key(segment)).or_default().insert(path, at + 1);
            }
            Some(_) | None => drop(self.ends.insert((path.method.to_owned(), path.looks.clone()))),
        }
    }

    /// Folds words that are values into one parameter, from the root on. Depth is bounded by the insertion.
    fn fold(&mut self, above: &str, root: bool) {
        let words: Vec<String> = self
            .children
            .keys()
            .filter_map(|it| if let Key::Literal(text) = it { Some(text.clone()) } else { None })
            .collect();
        // The first segment names what the API has, whatever it looks like.
        if !root {
            for group in self.alike(&words) {
                if varies(above, &group, self) {
                    for word in group {
                        if let Some(node) = self.children.remove(&Key::Literal(word.clone())) {
                            self.children.entry(Key::Id).or_default().absorb(node);
                        }
                        self.folded.insert(word);
                    }
                }
            }
        }
        for (key, child) in &mut self.children {
            let word = if let Key::Literal(text) = key { text.as_str() } else { "" };
            child.fold(word, false);
        }
    }

    /// Words with the same below them.
    fn alike(&self, words: &[String]) -> Vec<Vec<String>> {
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for word in words {
            if let Some(node) = self.children.get(&Key::Literal(word.clone())) {
                groups.entry(node.signature()).or_default().push(word.clone());
            }
        }
        groups.into_values().collect()
    }

    /// What ends here and at the next step, for comparison.
    fn signature(&self) -> String {
        let mut text = format!("{:?}", self.ends);
        for (key, child) in &self.children {
            let name = match key {
                Key::Literal(word) => word.as_str(),
                Key::Id => "{}",
                Key::Named(name) => name.as_str(),
            };
            text.push_str(&format!(" {name}: {:?}", child.ends));
        }
        text
    }

    /// Whether what ends here shows how its answers look.
    fn shows(&self) -> bool {
        self.ends.iter().any(|(_, looks)| looks.is_some())
    }

    fn absorb(&mut self, other: Self) {
        self.ends.extend(other.ends);
        self.folded.extend(other.folded);
        for (key, child) in other.children {
            self.children.entry(key).or_default().absorb(child);
        }
    }

    fn template_of(&self, segments: &[Segment]) -> Templated {
        let mut template = String::new();
        let mut values: Vec<(String, Option<String>)> = Vec::new();
        let mut node = Some(self);
        let mut above = String::new();
        for segment in segments {
            let (name, value) = match segment {
                Segment::Named(name, value) => (Some(name.clone()), value.clone()),
                Segment::Literal(text) => {
                    let folded = node.is_some_and(|it| it.folded.contains(text));
                    let name = if folded { name_of(&above, "") } else { name_of(&above, "_id") };
                    ((folded || is_id(text)).then_some(name), Some(text.clone()))
                }
            };
            template.push('/');
            match (name, segment) {
                (Some(name), _) => {
                    let name = unique(name, &values);
                    template.push_str(&format!("{{{name}}}"));
                    values.push((name, value));
                    node = node.and_then(|it| match segment {
                        Segment::Named(name, _) => it.children.get(&Key::Named(name.clone())),
                        Segment::Literal(_) => it.children.get(&Key::Id),
                    });
                    above.clear();
                }
                (None, Segment::Literal(text)) => {
                    // A brace of its own would be a parameter.
                    template.push_str(&text.replace(['{', '}'], "_"));
                    node = node.and_then(|it| it.children.get(&Key::Literal(text.clone())));
                    above.clone_from(text);
                }
                (None, Segment::Named(..)) => {}
            }
        }
        if template.is_empty() {
            template.push('/');
        }
        Templated { template, values }
    }
}

/// Whether the words of a group are values: enough of them, answered alike, or, where no answer is known, many under a
/// plural.
fn varies(above: &str, group: &[String], node: &Node) -> bool {
    let shown =
        group.iter().all(|word| node.children.get(&Key::Literal(word.clone())).is_some_and(Node::shows));
    let plural = above.len() > 3 && above.ends_with('s') && !above.ends_with("ss");
    match (shown, plural) {
        (true, true) => group.len() >= VARIES_MIN,
        (true, false) => group.len() >= 2 * VARIES_MIN,
        (false, true) => group.len() >= 4 * VARIES_MIN,
        (false, false) => false,
    }
}

/// A parameter's name from the word in front of it: `users` gives `user_id`.
fn name_of(above: &str, suffix: &str) -> String {
    let word: String = above.chars().map(|it| if it.is_alphanumeric() { it } else { '_' }).collect();
    let word = word.trim_matches('_').to_lowercase();
    if word.is_empty() {
        return "id".to_owned();
    }
    format!("{}{suffix}", singular(&word))
}

fn singular(word: &str) -> String {
    for (plural, one) in [("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x")] {
        if let Some(stem) = word.strip_suffix(plural).filter(|it| it.len() > 1) {
            return format!("{stem}{one}");
        }
    }
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 1 && !stem.ends_with(['s', 'u', 'i']) => stem.to_owned(),
        Some(_) | None => word.to_owned(),
    }
}

fn unique(name: String, taken: &[(String, Option<String>)]) -> String {
    let mut free = name.clone();
    let mut number = 2_usize;
    while taken.iter().any(|(own, _)| *own == free) {
        free = format!("{name}{number}");
        number += 1;
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(paths: &[(&str, Option<&str>)]) -> Vec<String> {
        let split = |path: &str| -> Vec<Segment> {
            path.split('/').skip(1).map(|it| Segment::Literal(it.to_owned())).collect()
        };
        let segments: Vec<Vec<Segment>> = paths.iter().map(|(path, _)| split(path)).collect();
        let seen: Vec<Path<'_>> = paths
            .iter()
            .zip(&segments)
            .map(|((_, looks), segments)| Path { segments, looks: looks.map(str::to_owned), method: "GET" })
            .collect();
        let mut found: Vec<String> = templates(&seen).into_iter().map(|it| it.template).collect();
        found.sort();
        found.dedup();
        found
    }

    #[test]
    fn knows_ids_from_words() {
        for id in [
            "42",
            "6fa459ea-ee8a-3ca4-894e-db77e160355e",
            "507f1f77bcf86cd799439011",
            "2026-01-02",
            "ann@example.com",
            "user-42",
            "ORD_1001",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "eyJhbGciOiJIUzI1NiJ9",
            "dQw4w9WgXcQ1",
        ] {
            assert!(is_id(id), "{id}");
        }
        for word in [
            "users",
            "v1",
            "v2.0",
            "oauth2",
            "me",
            "s3",
            "feedface",
            "openapi.json",
            "user-profiles",
            "",
            "a-1",
        ] {
            assert!(!is_id(word), "{word}");
        }
    }

    #[test]
    fn ids_become_parameters_named_for_what_is_before_them() {
        assert_eq!(
            check(&[("/users/1/orders/2", None), ("/users/3/orders/4", None), ("/users/me", None)]),
            ["/users/me", "/users/{user_id}/orders/{order_id}"]
        );
        assert_eq!(
            check(&[("/categories/1", None), ("/7/8", None), ("/a/1/2", None)]),
            ["/a/{a_id}/{id}", "/categories/{category_id}", "/{id}/{id2}"]
        );
    }

    #[test]
    fn names_that_vary_where_all_else_stays_become_one_parameter() {
        let user = Some("name,email");
        assert_eq!(
            check(&[
                ("/users/ann", user),
                ("/users/bob", user),
                ("/users/cat", user),
                ("/users/ann/posts", Some("posts")),
                ("/users/bob/posts", Some("posts")),
                ("/users/cat/posts", Some("posts")),
            ]),
            ["/users/{user}", "/users/{user}/posts"]
        );
    }

    #[test]
    fn words_of_an_api_stay_words() {
        assert_eq!(
            check(&[
                ("/api/users", Some("name")),
                ("/api/orders", Some("total")),
                ("/api/items", Some("sku"))
            ]),
            ["/api/items", "/api/orders", "/api/users"]
        );
        // Nothing is known of the answers: three are not enough.
        assert_eq!(
            check(&[("/reports/day", None), ("/reports/week", None), ("/reports/year", None)]).len(),
            3
        );
    }

    #[test]
    fn a_long_path_and_braces_of_its_own_are_harmless() {
        assert_eq!(check(&[("/a/{b}", None)]), ["/a/_b_"]);
        let long = "/x".repeat(2_000);
        assert_eq!(check(&[(long.as_str(), None)]), [long]);
        assert_eq!(check(&[("", None)]), ["/"]);
    }
}
