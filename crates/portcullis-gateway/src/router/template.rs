//! The path templates of one API, as a tree of segments.
//!
//! Segments may be literal (`orders`), a parameter (`{id}`), a mixture (`{name}.{ext}`, `{id}:cancel`) or, last of
//! all, a rest (`{*path}`). Literal goes before mixture before parameter before rest. A node is entered at most once a
//! search, so that the worst path costs what the tree is large, never more; parameter names belong to the leaf, so
//! that `/{a}` and `/{b}/c` live side by side.

use std::sync::Arc;

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::{
    reading,
    segment::{Mixture, Segment, segment},
    walk::{Reading, Walk},
};

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

/// Takes one of the methods of a template, or lets the search go on.
pub(super) type Choice<'f, 'a> = dyn FnMut(&'a Methods) -> Option<usize> + 'f;

#[derive(Default)]
pub(super) struct Templates {
    root: Node,
}

#[derive(Default)]
struct Node {
    literals: HashMap<Box<str>, Node>,
    /// Literals that are not their own [`reading::folded`], by what they become.
    folded: HashMap<Box<str>, SmallVec<[Box<str>; 1]>>,
    /// Bytes of the longest literal, folded.
    literal_bytes_max: usize,
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
                Segment::Literal(literal) => node = node.literal(literal),
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
        walk: &mut Walk<'_>,
        choose: &mut Choice<'_, 'a>,
    ) -> Option<(&'a [Arc<str>], usize)> {
        walk.values.clear();
        if !walk.path.starts_with('/') {
            return None;
        }
        self.root.find(1, walk, choose)
    }
}

impl Node {
    fn literal(&mut self, literal: Box<str>) -> &mut Self {
        let folded = reading::folded(&literal).into_boxed_str();
        self.literal_bytes_max = self.literal_bytes_max.max(folded.len());
        if folded != literal {
            let names = self.folded.entry(folded).or_default();
            if !names.contains(&literal) {
                names.push(literal.clone());
            }
        }
        self.literals.entry(literal).or_default()
    }

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
        at: usize,
        walk: &mut Walk<'_>,
        choose: &mut Choice<'_, 'a>,
    ) -> Option<(&'a [Arc<str>], usize)> {
        let path = walk.path;
        let rest = path.get(at..)?;
        let end = memchr::memchr(b'/', rest.as_bytes()).map_or(path.len(), |offset| at + offset);
        let segment = path.get(at..end)?;
        if let Some(node) = self.literals.get(segment)
            && let Some(found) = node.after(end, walk, choose)
        {
            return Some(found);
        }
        match walk.reading {
            Reading::Written => walk.is_ambiguous = walk.is_ambiguous || self.has_alike(at, segment, walk),
            Reading::Forgiving | Reading::ForgivingLiteral => {
                for node in self.literals_alike(at, segment, walk) {
                    if let Some(found) = node.after(end, walk, choose) {
                        return Some(found);
                    }
                }
                if self.ends_before(at, segment, walk)
                    && let Some(found) = take(&self.leaf, choose)
                {
                    return Some(found);
                }
            }
        }
        if walk.reading == Reading::ForgivingLiteral {
            return None;
        }
        self.find_with_parameters(at..end, segment, walk, choose)
    }

    fn find_with_parameters<'a>(
        &'a self,
        place: std::ops::Range<usize>,
        segment: &str,
        walk: &mut Walk<'_>,
        choose: &mut Choice<'_, 'a>,
    ) -> Option<(&'a [Arc<str>], usize)> {
        let taken = walk.values.len();
        for (mixture, node) in &self.mixtures {
            let matches = mixture.match_into(segment, place.start, &mut walk.values)
                || (walk.reading == Reading::Forgiving
                    && mixture.is_alike(segment, &walk.readings(place.start, segment)));
            if matches && let Some(found) = node.after(place.end, walk, choose) {
                return Some(found);
            }
            walk.values.truncate(taken);
        }
        if let Some(node) = &self.parameter
            && !segment.is_empty()
        {
            walk.values.push(place.clone());
            if let Some(found) = node.after(place.end, walk, choose) {
                return Some(found);
            }
            walk.values.truncate(taken);
        }
        if !self.rest.is_empty() {
            walk.values.push(place.start..walk.path.len());
            if let Some(found) = take(&self.rest, choose) {
                return Some(found);
            }
            walk.values.truncate(taken);
        }
        None
    }

    /// Whether the segment may be read as something of this place that it is not as written. Costs nothing where
    /// there is nothing that it could be.
    fn has_alike(&self, at: usize, segment: &str, walk: &mut Walk<'_>) -> bool {
        if self.literals.is_empty() && self.mixtures.is_empty() && self.leaf.is_empty() {
            return false;
        }
        let is_folded = self.folded.is_empty() && self.mixtures.iter().all(|(it, _)| it.is_folded());
        if is_folded && reading::is_plain(segment) {
            return false;
        }
        if !self.literals_alike(at, segment, walk).is_empty() {
            return true;
        }
        if !self.mixtures.is_empty() {
            let readings = walk.readings(at, segment);
            if self.mixtures.iter().any(|(mixture, _)| mixture.is_alike(segment, &readings)) {
                return true;
            }
        }
        self.ends_before(at, segment, walk)
    }

    /// The literals of this place, other than the segment itself, that it may be read as; each once.
    fn literals_alike(&self, at: usize, segment: &str, walk: &mut Walk<'_>) -> SmallVec<[&Self; 2]> {
        let mut nodes: SmallVec<[&Self; 2]> = SmallVec::new();
        if self.literals.is_empty()
            || reading::bytes_min(segment) > self.literal_bytes_max
            || (self.folded.is_empty() && reading::is_plain(segment))
        {
            return nodes;
        }
        for text in walk.readings(at, segment).iter() {
            let folded = self.folded.get(text).into_iter().flatten().map(|name| &**name);
            for name in folded.chain([text]).filter(|name| *name != segment) {
                if let Some(node) = self.literals.get(name)
                    && !nodes.iter().any(|it| std::ptr::eq(*it, node))
                {
                    nodes.push(node);
                }
            }
        }
        nodes
    }

    /// Whether the path may be read as ending before this last segment: `/orders/` or `/orders/%20` as `/orders`.
    fn ends_before(&self, at: usize, segment: &str, walk: &mut Walk<'_>) -> bool {
        !self.leaf.is_empty()
            && at + segment.len() == walk.path.len()
            && walk.readings(at, segment).is_blank()
    }

    /// Goes on behind a segment: the path has ended here, or a slash and more follow.
    fn after<'a>(
        &'a self,
        end: usize,
        walk: &mut Walk<'_>,
        choose: &mut Choice<'_, 'a>,
    ) -> Option<(&'a [Arc<str>], usize)> {
        if end == walk.path.len() { take(&self.leaf, choose) } else { self.find(end + 1, walk, choose) }
    }
}

fn take<'a>(leaves: &'a [Leaf], choose: &mut Choice<'_, 'a>) -> Option<(&'a [Arc<str>], usize)> {
    leaves.iter().find_map(|leaf| choose(&leaf.methods).map(|index| (&*leaf.names, index)))
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
