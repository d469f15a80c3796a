//! The XPaths that rules may select with: absolute location paths of names and wildcards.
//!
//! `/*` and `//@*` are all that the OWASP CRS uses. What is understood beyond them: steps `/` and `//`, `name`,
//! `prefix:name`, `*`, `text()`, and `@name`, `@prefix:name`, `@*` as the last step. Prefixes are those of `xmlns` actions.
//! Everything else (predicates, functions, other axes) is refused at load.

use crate::rules::Namespace;

/// What a step's name must be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Test {
    Any,
    Name {
        /// The namespace's URI; `None` for a name without prefix, which is in no namespace.
        namespace: Option<Box<[u8]>>,
        local: Box<[u8]>,
    },
}

/// One step down to an element.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Step {
    /// Whether the element may lie deeper (`//`).
    descendant: bool,
    test: Test,
}

/// What is taken of the elements that the steps reach.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Take {
    /// The text within.
    Content,
    /// The text nodes that are its children (of any element below, for `//text()`).
    Text { descendant: bool },
    /// Attributes (of any element below, for `//@name`).
    Attributes { descendant: bool, test: Test },
}

/// A path that was understood.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct XPath {
    steps: Vec<Step>,
    take: Take,
}

/// Steps one path may have: their matches are bits of a word.
const STEPS_MAX: usize = 31;

/// A name with its namespace resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    pub(crate) namespace: &'a [u8],
    pub(crate) local: &'a [u8],
}

/// How far a path has come at an element: bit `n` says that the first `n` steps end exactly here, or at one of those above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    here: u32,
    here_or_above: u32,
}

impl Progress {
    /// At the document, before any element.
    pub(crate) const DOCUMENT: Self = Progress { here: 1, here_or_above: 1 };
}

impl XPath {
    /// Reads a path; `namespaces` are the prefixes declared by the rule.
    ///
    /// # Errors
    /// What is not understood, for the author of the rule.
    pub(crate) fn parse(text: &[u8], namespaces: &[Namespace]) -> Result<Self, String> {
        let Ok(text) = std::str::from_utf8(text) else {
            return Err("an XPath must be UTF-8".to_owned());
        };
        let mut steps = Vec::new();
        let mut rest = text.trim();
        if !rest.starts_with('/') {
            return Err("an XPath must be absolute: `/*`, `//name`, `//@*`".to_owned());
        }
        while let Some(after) = rest.strip_prefix('/') {
            let (descendant, after) = after.strip_prefix('/').map_or((false, after), |after| (true, after));
            let end = after.find('/').unwrap_or(after.len());
            let (node, after) = after.split_at_checked(end).unwrap_or((after, ""));
            let last = after.is_empty();
            if let Some(name) = node.strip_prefix('@') {
                if !last {
                    return Err("an attribute must be the last step of an XPath".to_owned());
                }
                let take = Take::Attributes { descendant, test: test(name, namespaces)? };
                return Ok(XPath { steps, take });
            }
            if node == "text()" {
                if !last {
                    return Err("`text()` must be the last step of an XPath".to_owned());
                }
                return Ok(XPath { steps, take: Take::Text { descendant } });
            }
            steps.push(Step { descendant, test: test(node, namespaces)? });
            if steps.len() > STEPS_MAX {
                return Err(format!("an XPath may have {STEPS_MAX} steps at most"));
            }
            rest = after;
        }
        Ok(XPath { steps, take: Take::Content })
    }

    /// How far the path is at a child of the element where it was `above`.
    pub(crate) fn enter(&self, above: Progress, name: Name<'_>) -> Progress {
        let mut here = 0;
        for (index, step) in self.steps.iter().enumerate() {
            let reached = if step.descendant { above.here_or_above } else { above.here };
            if reached & (1 << index) != 0 && step.test.admits(name) {
                here |= 1 << (index + 1);
            }
        }
        Progress { here, here_or_above: above.here_or_above | here }
    }

    fn is_done(&self, progress: Progress, descendant: bool) -> bool {
        let reached = if descendant { progress.here_or_above } else { progress.here };
        reached & (1 << self.steps.len()) != 0
    }

    /// Whether the element's text is wanted whole.
    pub(crate) fn takes_content(&self, progress: Progress) -> bool {
        matches!(self.take, Take::Content) && self.is_done(progress, false)
    }

    /// Whether a text that is a child of the element is wanted.
    pub(crate) fn takes_text(&self, progress: Progress) -> bool {
        matches!(self.take, Take::Text { descendant } if self.is_done(progress, descendant))
    }

    /// Whether an attribute of the element is wanted.
    pub(crate) fn takes_attribute(&self, progress: Progress, name: Name<'_>) -> bool {
        matches!(&self.take, Take::Attributes { descendant, test }
            if self.is_done(progress, *descendant) && test.admits(name))
    }
}

impl Test {
    fn admits(&self, name: Name<'_>) -> bool {
        match self {
            Test::Any => true,
            Test::Name { namespace, local } => {
                name.local == &**local && name.namespace == namespace.as_deref().unwrap_or_default()
            }
        }
    }
}

fn test(name: &str, namespaces: &[Namespace]) -> Result<Test, String> {
    if name == "*" {
        return Ok(Test::Any);
    }
    let (prefix, local) = name.split_once(':').map_or((None, name), |(prefix, local)| (Some(prefix), local));
    let is_name = |text: &str| {
        text.starts_with(|first: char| first.is_alphabetic() || first == '_')
            && text.chars().all(|each| each.is_alphanumeric() || matches!(each, '_' | '-' | '.'))
    };
    if !is_name(local) || !prefix.is_none_or(is_name) {
        return Err(format!("`{name}` is not understood in an XPath: a name, `*`, `text()` or `@name` is"));
    }
    let namespace = match prefix {
        None => None,
        Some(prefix) => {
            let declared = namespaces.iter().find(|known| *known.prefix == *prefix.as_bytes());
            let Some(Namespace { uri, .. }) = declared else {
                return Err(format!(
                    "the prefix `{prefix}` is not declared by an `xmlns` action of the rule"
                ));
            };
            Some(uri.clone())
        }
    };
    Ok(Test::Name { namespace, local: local.as_bytes().into() })
}
