//! The tape itself: nodes in document order, and the bookkeeping of the containers that are still open.

use crate::limits::{LimitExceeded, Limits};

/// What a node is. A member is a `Name` node followed by the nodes of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Tag {
    Null = 0,
    False = 1,
    True = 2,
    Number = 3,
    String = 4,
    Array = 5,
    Object = 6,
    Name = 7,
}

const TAG_MASK: u32 = 0b111;
/// The text lies in the side buffer, not in the source.
const OWNED: u32 = 1 << 3;
/// A number without fraction and exponent.
const INTEGER: u32 = 1 << 4;
const LENGTH_SHIFT: u32 = 5;

/// One value or member name, 16 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    /// Tag, flags, and the length: bytes of text, members or elements.
    meta: u32,
    /// Where the text begins, in its buffer; for a container, the index after its last node.
    at: u32,
    /// The token in the source, quotes and brackets included; both zero when there is no source.
    pub(crate) source_start: u32,
    pub(crate) source_end: u32,
}

impl Node {
    /// What an index beyond the tape reads as; never seen through the public interface.
    pub(crate) const NULL: Self = Self { meta: Tag::Null as u32, at: 0, source_start: 0, source_end: 0 };

    /// A `null`, `true` or `false`.
    pub(crate) fn word(tag: Tag, source_start: usize, source_end: usize) -> Self {
        Self { meta: tag as u32, at: 0, source_start: source_start as u32, source_end: source_end as u32 }
    }

    /// A string, name or number whose text is in the source.
    #[inline]
    pub(crate) fn borrowed(tag: Tag, text: std::ops::Range<usize>, source: std::ops::Range<usize>) -> Self {
        Self {
            meta: tag as u32 | ((text.end - text.start) as u32) << LENGTH_SHIFT,
            at: text.start as u32,
            source_start: source.start as u32,
            source_end: source.end as u32,
        }
    }

    /// A string, name or number whose text is in the side buffer.
    pub(crate) fn owned(tag: Tag, text: std::ops::Range<usize>, source: std::ops::Range<usize>) -> Self {
        let mut node = Self::borrowed(tag, text, source);
        node.meta |= OWNED;
        node
    }

    /// Marks a number as written without fraction and exponent.
    pub(crate) fn written_as_integer(mut self, yes: bool) -> Self {
        if yes {
            self.meta |= INTEGER;
        }
        self
    }

    #[inline]
    pub(crate) fn tag(self) -> Tag {
        match self.meta & TAG_MASK {
            0 => Tag::Null,
            1 => Tag::False,
            2 => Tag::True,
            3 => Tag::Number,
            4 => Tag::String,
            5 => Tag::Array,
            6 => Tag::Object,
            _ => Tag::Name,
        }
    }

    /// Bytes of text, members or elements.
    pub(crate) fn len(self) -> usize {
        (self.meta >> LENGTH_SHIFT) as usize
    }

    pub(crate) fn is_written_as_integer(self) -> bool {
        self.meta & INTEGER != 0
    }

    /// The index after the last node of the value that begins with this node at `index`.
    #[inline]
    pub(crate) fn end(self, index: u32) -> u32 {
        match self.tag() {
            Tag::Array | Tag::Object => self.at,
            Tag::Null | Tag::False | Tag::True | Tag::Number | Tag::String | Tag::Name => index + 1,
        }
    }

    /// The bytes of that text.
    #[inline]
    fn bytes<'t>(self, source: &'t str, side: &'t str) -> &'t [u8] {
        let start = self.at as usize;
        let buffer = if self.meta & OWNED == 0 { source } else { side };
        buffer.as_bytes().get(start..start + self.len()).unwrap_or_default()
    }

    /// The text of a string, name or number.
    #[inline]
    pub(crate) fn text<'t>(self, source: &'t str, side: &'t str) -> &'t str {
        let start = self.at as usize;
        let buffer = if self.meta & OWNED == 0 { source } else { side };
        buffer.get(start..start + self.len()).unwrap_or_default()
    }
}

/// The tape takes no more; why is in [`Tape::refusal`], so that the common path returns a single byte.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused;

/// Why the tape takes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Limit(LimitExceeded),
    /// The name is the one in [`Frame::name`].
    DuplicateMember,
}

/// A container that is still open; the outermost stands for the document itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) tag: Tag,
    pub(crate) container: u32,
    /// Members or elements so far.
    pub(crate) count: u32,
    /// The latest member's name.
    pub(crate) name: u32,
    /// One bit for each fingerprint of a name that came by.
    seen: u64,
}

/// A tape being written.
pub(crate) struct Tape {
    pub(crate) nodes: Vec<Node>,
    /// Strings that are not in the source as they are: unescaped, or built by hand.
    pub(crate) side: String,
    pub(crate) current: Frame,
    pub(crate) parents: Vec<Frame>,
    pub(crate) refusal: Option<Refusal>,
    limits: Limits,
    /// Members of the objects that are closed.
    keys: u32,
    sorted: Vec<(u64, u32)>,
}

/// Objects up to this many members are checked for duplicates as they grow, larger ones by sorting once closed.
const GROWING_MEMBERS_MAX: u32 = 24;

impl Tape {
    pub(crate) fn new(nodes_expected: usize, limits: &Limits) -> Self {
        Self {
            nodes: Vec::with_capacity(nodes_expected),
            side: String::new(),
            current: Frame { tag: Tag::Null, container: 0, count: 0, name: 0, seen: 0 },
            parents: Vec::with_capacity(8),
            refusal: None,
            limits: *limits,
            keys: 0,
            sorted: Vec::new(),
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Appends a scalar.
    #[inline]
    pub(crate) fn scalar(&mut self, node: Node) -> Result<(), Refused> {
        if self.nodes.len() >= self.limits.values_max as usize {
            return self.exceeds(LimitExceeded::Values(self.limits.values_max));
        }
        self.nodes.push(node);
        Ok(())
    }

    /// Counts an element of the current array, whose value comes next.
    #[inline]
    pub(crate) fn element(&mut self) -> Result<(), Refused> {
        self.current.count += 1;
        if self.current.count > self.limits.elements_max {
            return self.exceeds(LimitExceeded::Elements(self.limits.elements_max));
        }
        Ok(())
    }

    /// Opens an array or object that begins at `source_start`.
    pub(crate) fn open(&mut self, tag: Tag, source_start: usize) -> Result<(), Refused> {
        if self.parents.len() >= self.limits.depth_max as usize {
            return self.exceeds(LimitExceeded::Depth(self.limits.depth_max));
        }
        let container = self.nodes.len() as u32;
        self.scalar(Node::word(tag, source_start, source_start))?;
        self.parents.push(self.current);
        self.current = Frame { tag, container, count: 0, name: 0, seen: 0 };
        Ok(())
    }

    /// Closes the current container, whose last byte is before `source_end`.
    pub(crate) fn close(&mut self, source: &str, source_end: usize) -> Result<(), Refused> {
        let Frame { tag, count, container, .. } = self.current;
        if tag == Tag::Object {
            if count > GROWING_MEMBERS_MAX {
                self.check_many_names(source)?;
            }
            self.keys += count;
            if self.keys > self.limits.keys_max {
                return self.exceeds(LimitExceeded::Keys(self.limits.keys_max));
            }
        }
        let end = self.nodes.len() as u32;
        if let Some(node) = self.nodes.get_mut(container as usize) {
            node.meta |= count << LENGTH_SHIFT;
            node.at = end;
            node.source_end = source_end as u32;
        }
        if let Some(parent) = self.parents.pop() {
            self.current = parent;
        }
        Ok(())
    }

    /// Appends a member's name.
    #[inline(always)]
    pub(crate) fn name(&mut self, source: &str, node: Node) -> Result<(), Refused> {
        let known = self.current.count < GROWING_MEMBERS_MAX && {
            let text = node.bytes(source, &self.side);
            let bit = 1_u64 << (fingerprint(text) >> 58);
            let seen = self.current.seen;
            self.current.seen = seen | bit;
            seen & bit != 0 && self.has_member(source, text)
        };
        self.current.name = self.nodes.len() as u32;
        self.scalar(node)?;
        self.current.count += 1;
        if known {
            self.refusal = Some(Refusal::DuplicateMember);
            return Err(Refused);
        }
        if node.len() > self.limits.name_bytes_max as usize {
            return self.exceeds(LimitExceeded::NameBytes(self.limits.name_bytes_max));
        }
        if self.current.count > self.limits.members_max {
            return self.exceeds(LimitExceeded::Members(self.limits.members_max));
        }
        Ok(())
    }

    #[cold]
    pub(crate) fn exceeds(&mut self, limit: LimitExceeded) -> Result<(), Refused> {
        self.refusal = Some(Refusal::Limit(limit));
        Err(Refused)
    }

    /// Whether the current object, which has few members, has one of that name.
    #[inline(never)]
    fn has_member(&self, source: &str, text: &[u8]) -> bool {
        let mut index = self.current.container + 1;
        while let Some(name) = self.nodes.get(index as usize) {
            if name.len() == text.len() && name.bytes(source, &self.side) == text {
                return true;
            }
            let value = index + 1;
            let Some(node) = self.nodes.get(value as usize) else { return false };
            index = node.end(value);
        }
        false
    }

    /// Looks for duplicates among many names by sorting: n log n whatever the names are, so that nobody can choose
    /// names that make it slow (CWE-407). The digest only saves most comparisons of text.
    #[cold]
    fn check_many_names(&mut self, source: &str) -> Result<(), Refused> {
        let mut sorted = std::mem::take(&mut self.sorted);
        sorted.clear();
        let mut index = self.current.container + 1;
        while let Some(name) = self.nodes.get(index as usize) {
            sorted.push((digest(name.bytes(source, &self.side)), index));
            let value = index + 1;
            let Some(node) = self.nodes.get(value as usize) else { break };
            index = node.end(value);
        }
        let text = |index: u32| match self.nodes.get(index as usize) {
            Some(node) => node.bytes(source, &self.side),
            None => b"",
        };
        sorted.sort_unstable_by_key(|(digest, _)| *digest);
        let mut duplicate = None;
        for same in sorted.chunk_by_mut(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
            same.sort_unstable_by(|a, b| text(a.1).cmp(text(b.1)));
            let twice = same.iter().zip(same.iter().skip(1)).find(|(a, b)| text(a.1) == text(b.1));
            if let Some((a, b)) = twice {
                duplicate = Some(a.1.max(b.1));
                break;
            }
        }
        self.sorted = sorted;
        match duplicate {
            Some(name) => {
                self.current.name = name;
                self.refusal = Some(Refusal::DuplicateMember);
                Err(Refused)
            }
            None => Ok(()),
        }
    }
}

const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A quick mix of a name's length and ends, its upper bits the better ones. Collisions cost time, never correctness.
#[inline]
fn fingerprint(name: &[u8]) -> u64 {
    let (first, last) = if let (Some(first), Some(last)) = (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
    } else if let (Some(first), Some(last)) = (name.first_chunk::<4>(), name.last_chunk::<4>()) {
        (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)))
    } else {
        (name.iter().fold(0, |mix, byte| mix << 8 | u64::from(*byte)), 0)
    };
    (first ^ last.rotate_left(32) ^ (name.len() as u64) << 56).wrapping_mul(ODD)
}

/// A mix of all of a name. Collisions, which can be chosen, cost time, never correctness.
fn digest(name: &[u8]) -> u64 {
    let (words, tail) = name.as_chunks::<8>();
    let mix = |mix: u64, word: u64| (mix.rotate_left(29) ^ word).wrapping_mul(ODD);
    let whole = words.iter().fold(name.len() as u64, |sum, word| mix(sum, u64::from_le_bytes(*word)));
    mix(whole, tail.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)))
}
