//! The path templates of one API, as a tree of segments.
//!
//! Segments may be literal (`orders`), a parameter (`{id}`), a mixture (`{name}.{ext}`, `{id}:cancel`) or, last of
//! all, a rest (`{*path}`). Literal goes before mixture before parameter before rest. A node is entered at most once a
//! search, so that the worst path costs what the tree is large, never more; parameter names belong to the leaf, so
//! that `/{a}` and `/{b}/c` live side by side.

use std::{ops::Range, sync::Arc};

use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::target;

/// Values of parameters as ranges into the path, in order of the template.
pub(super) type Values = SmallVec<[Range<usize>; 4]>;

/// A path template that cannot be routed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It does not begin with a slash.
    #[error("it does not begin with `/`")]
    NoSlash,
    /// A brace is not closed, not opened or empty.
    #[error("segment `{0}` has a brace without its other half or its name")]
    Brace(Box<str>),
    /// Two parameters touch, so that nobody can tell where one ends.
    #[error("in segment `{0}` two parameters follow one another with nothing between")]
    Touching(Box<str>),
    /// `{*rest}` stands before the end.
    #[error("`{0}` stands before the end of the path")]
    RestNotLast(Box<str>),
    /// A literal holds what no checked path can hold.
    #[error("segment `{0}` holds a character that a path cannot hold")]
    Literal(Box<str>),
    /// A parameter is there twice.
    #[error("parameter `{0}` is there twice")]
    Repeated(Box<str>),
}

#[derive(Default)]
pub(super) struct Templates {
    root: Node,
}

#[derive(Default)]
struct Node {
    literals: HashMap<Box<str>, Node>,
    mixtures: Vec<(Mixture, Node)>,
    parameter: Option<Box<Node>>,
    leaf: SmallVec<[Leaf; 1]>,
    rest: SmallVec<[Leaf; 1]>,
}

/// What ends at a node: more than one where templates differ in the names of their parameters alone.
struct Leaf {
    names: Box<[Arc<str>]>,
    methods: Methods,
}

/// The methods of one template with the index of their endpoint.
pub(super) struct Methods(SmallVec<[(Arc<str>, usize); 4]>);

/// A segment of literals and parameters in turn: `pieces` are the literals, parameters stand between them.
#[derive(PartialEq, Eq)]
struct Mixture {
    pieces: Box<[Box<str>]>,
}

enum Segment {
    Literal(Box<str>),
    Parameter,
    Mixture(Mixture),
    Rest,
}

impl Methods {
    /// The endpoint of a method, of `*` where the method itself is not there.
    pub(super) fn find(&self, method: &str) -> Option<usize> {
        let named = self.0.iter().find(|(it, _)| &**it == method);
        named.or_else(|| self.0.iter().find(|(it, _)| &**it == "*")).map(|(_, index)| *index)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| &**name)
    }
}

impl Templates {
    /// Adds a route; `Some` is the endpoint that has the same method and template already.
    pub(super) fn add(
        &mut self,
        template: &str,
        method: &Arc<str>,
        endpoint: usize,
    ) -> Result<Option<usize>, TemplateError> {
        let mut names: Vec<Arc<str>> = Vec::new();
        let mut node = &mut self.root;
        let mut rest = false;
        for text in template.strip_prefix('/').ok_or(TemplateError::NoSlash)?.split('/') {
            if rest {
                return Err(TemplateError::RestNotLast(template.into()));
            }
            match segment(text, &mut names)? {
                Segment::Literal(literal) => node = node.literals.entry(literal).or_default(),
                Segment::Parameter => node = node.parameter.get_or_insert_default(),
                Segment::Mixture(mixture) => node = node.mixture(mixture),
                Segment::Rest => rest = true,
            }
        }
        let leaves = if rest { &mut node.rest } else { &mut node.leaf };
        for leaf in leaves.iter() {
            if let Some((_, first)) = leaf.methods.0.iter().find(|(it, _)| it == method) {
                return Ok(Some(*first));
            }
        }
        match leaves.iter_mut().find(|leaf| *leaf.names == *names) {
            Some(leaf) => leaf.methods.0.push((Arc::clone(method), endpoint)),
            None => leaves.push(Leaf {
                names: names.into(),
                methods: Methods(SmallVec::from_iter([(Arc::clone(method), endpoint)])),
            }),
        }
        Ok(None)
    }

    /// Offers the templates that match, best first, until `choose` takes one; the names of its parameters and what
    /// was chosen.
    pub(super) fn find<'a>(
        &'a self,
        path: &str,
        values: &mut Values,
        choose: &mut dyn FnMut(&'a Methods) -> Option<usize>,
    ) -> Option<(&'a [Arc<str>], usize)> {
        if !path.starts_with('/') {
            return None;
        }
        self.root.find(path, 1, values, choose)
    }
}

impl Node {
    fn mixture(&mut self, mixture: Mixture) -> &mut Self {
        let index = match self.mixtures.iter().position(|(it, _)| *it == mixture) {
            Some(index) => index,
            None => {
                // The one with more literal text is the more particular one.
                let index =
                    self.mixtures.partition_point(|(it, _)| it.literal_len() >= mixture.literal_len());
                self.mixtures.insert(index, (mixture, Self::default()));
                index
            }
        };
        #[expect(clippy::indexing_slicing, reason = "the index was found or inserted just now")]
        &mut self.mixtures[index].1
    }

    fn find<'a>(
        &'a self,
        path: &str,
        at: usize,
        values: &mut Values,
        choose: &mut dyn FnMut(&'a Methods) -> Option<usize>,
    ) -> Option<(&'a [Arc<str>], usize)> {
        let rest = path.get(at..)?;
        let end = memchr::memchr(b'/', rest.as_bytes()).map_or(path.len(), |offset| at + offset);
        let segment = path.get(at..end)?;
        if let Some(node) = self.literals.get(segment)
            && let Some(found) = node.after(path, end, values, choose)
        {
            return Some(found);
        }
        let taken = values.len();
        for (mixture, node) in &self.mixtures {
            if mixture.match_into(segment, at, values)
                && let Some(found) = node.after(path, end, values, choose)
            {
                return Some(found);
            }
            values.truncate(taken);
        }
        if let Some(node) = &self.parameter
            && !segment.is_empty()
            && !self.is_literal_in_disguise(segment)
        {
            values.push(at..end);
            if let Some(found) = node.after(path, end, values, choose) {
                return Some(found);
            }
            values.truncate(taken);
        }
        if !self.rest.is_empty() {
            values.push(at..path.len());
            if let Some(found) = take(&self.rest, choose) {
                return Some(found);
            }
            values.truncate(taken);
        }
        None
    }

    /// Whether the segment is a literal of this place once its `;…` is cut, which servlet containers do before they
    /// route: it would be judged as a parameter here and served as the literal there (CWE-436).
    fn is_literal_in_disguise(&self, segment: &str) -> bool {
        segment.split_once(';').is_some_and(|(name, _)| !name.is_empty() && self.literals.contains_key(name))
    }

    /// Goes on behind a segment: the path has ended here, or a slash and more follow.
    fn after<'a>(
        &'a self,
        path: &str,
        end: usize,
        values: &mut Values,
        choose: &mut dyn FnMut(&'a Methods) -> Option<usize>,
    ) -> Option<(&'a [Arc<str>], usize)> {
        if end == path.len() { take(&self.leaf, choose) } else { self.find(path, end + 1, values, choose) }
    }
}

fn take<'a>(
    leaves: &'a [Leaf],
    choose: &mut dyn FnMut(&'a Methods) -> Option<usize>,
) -> Option<(&'a [Arc<str>], usize)> {
    leaves.iter().find_map(|leaf| choose(&leaf.methods).map(|index| (&*leaf.names, index)))
}

impl Mixture {
    fn literal_len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.len()).sum()
    }

    /// Each parameter takes the shortest non-empty text before the next literal, the last one all that is left.
    fn match_into(&self, segment: &str, at: usize, values: &mut Values) -> bool {
        let Some((first, others)) = self.pieces.split_first() else {
            return false;
        };
        let Some((last, middles)) = others.split_last() else {
            return false;
        };
        if !segment.starts_with(&**first) || !segment.ends_with(&**last) {
            return false;
        }
        let mut from = first.len();
        let Some(to) = segment.len().checked_sub(last.len()) else {
            return false;
        };
        for middle in middles {
            let Some(offset) = segment.get(from + 1..to).and_then(|text| text.find(&**middle)) else {
                return false;
            };
            let end = from + 1 + offset;
            values.push(at + from..at + end);
            from = end + middle.len();
        }
        if from >= to {
            return false;
        }
        values.push(at + from..at + to);
        true
    }
}

/// The path that a template without parameters matches, in checked form.
pub(super) fn literal(template: &str) -> Option<String> {
    let segments = template.strip_prefix('/')?;
    let mut path = String::new();
    for text in segments.split('/') {
        match segment(text, &mut Vec::new()) {
            Ok(Segment::Literal(literal)) => {
                path.push('/');
                path.push_str(&literal);
            }
            Ok(Segment::Parameter | Segment::Mixture(_) | Segment::Rest) | Err(_) => return None,
        }
    }
    Some(path)
}

fn segment(text: &str, names: &mut Vec<Arc<str>>) -> Result<Segment, TemplateError> {
    let brace = || TemplateError::Brace(text.into());
    let checked =
        |literal: &str| target::normalised_literal(literal).ok_or(TemplateError::Literal(text.into()));
    let mut pieces: Vec<Box<str>> = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        if before.contains('}') {
            return Err(brace());
        }
        let (name, tail) = after.split_once('}').ok_or_else(brace)?;
        if name.is_empty() || name.contains('{') {
            return Err(brace());
        }
        if before.is_empty() && !pieces.is_empty() {
            return Err(TemplateError::Touching(text.into()));
        }
        if let Some(name) = name.strip_prefix('*') {
            if !before.is_empty() || !pieces.is_empty() || !tail.is_empty() || name.is_empty() {
                return Err(brace());
            }
            push_name(names, name)?;
            return Ok(Segment::Rest);
        }
        push_name(names, name)?;
        pieces.push(checked(before)?.into());
        rest = tail;
    }
    if rest.contains('}') {
        return Err(brace());
    }
    let last = checked(rest)?;
    Ok(match pieces.first() {
        None if last == "." || last == ".." => return Err(TemplateError::Literal(text.into())),
        None => Segment::Literal(last.into()),
        Some(first) if pieces.len() == 1 && first.is_empty() && last.is_empty() => Segment::Parameter,
        Some(_) => {
            pieces.push(last.into());
            Segment::Mixture(Mixture { pieces: pieces.into() })
        }
    })
}

fn push_name(names: &mut Vec<Arc<str>>, name: &str) -> Result<(), TemplateError> {
    if names.iter().any(|it| &**it == name) {
        return Err(TemplateError::Repeated(name.into()));
    }
    names.push(Arc::from(name));
    Ok(())
}
