//! One pass over a reading that says which detectors must look at it, and which layers may be on it.
//!
//! Every position is looked up by its first three bytes in a bitmap, so that no position waits for the one before it,
//! as the states of an automaton would; where some literal begins so, the literals that do are compared. A detector
//! that is known to look is not searched for again, which bounds what a hostile text can make of that.

use crate::detectors::Detector;

/// Finds the detectors' literals, ASCII letters in either case.
pub(crate) struct Prefilter {
    /// What a byte by itself says, and above that its class: bytes that occur in literals have one of their own, as
    /// far as there are classes; letters in either case.
    bytes: [u64; 256],
    /// A bit for each triple of classes that begins a literal, 64 triples a word.
    begins: Box<[u64; WORDS]>,
    /// For each word of [`Prefilter::begins`] how many bits are set in those before: the place of its first triple
    /// among the starts.
    before: Vec<u32>,
    /// Literals with what is the same beginning to the bitmap, in the order of [`Prefilter::starts`].
    literals: Vec<Literal>,
    /// For each triple that begins a literal, in their order, where its literals lie in [`Prefilter::literals`].
    starts: Vec<Start>,
    /// Detectors that look at everything.
    always: u64,
}

struct Literal {
    text: &'static [u8],
    detectors: u64,
    /// Its first bytes, as far as there are four, which tell most literals from most texts in one comparison.
    head: u32,
    /// The bits of [`Literal::head`] that count.
    mask: u32,
}

impl Literal {
    fn new(text: &'static [u8], detectors: u64) -> Self {
        let mask = if text.len() < 4 { (1 << (8 * text.len())) - 1 } else { u32::MAX };
        Self { text, detectors, head: head(text) & mask, mask }
    }
}

/// The first four bytes of a text, zeros behind its end, with the bit set that tells small letters from capitals: texts
/// that begin alike in either case have the same.
#[inline]
fn head(text: &[u8]) -> u32 {
    let bytes = match (text, text.first_chunk::<4>()) {
        (_, Some(bytes)) => *bytes,
        ([a, b, c], None) => [*a, *b, *c, 0],
        ([a, b], None) => [*a, *b, 0, 0],
        _ => [0; 4],
    };
    u32::from_le_bytes(bytes) | 0x2020_2020
}

struct Start {
    first: u32,
    /// The detectors of all its literals.
    detectors: u64,
    count: u32,
}

/// What one pass over a reading has found: a bit for each detector, and marks of encodings above them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen(u64);

/// Bits below are detectors, by their place in the registry; the marks are above, and above them the class.
pub(crate) const DETECTORS_MAX: usize = 48;
const DETECTORS: u64 = (1 << DETECTORS_MAX) - 1;

const PERCENT: u64 = 1 << 48;
const AMPERSAND: u64 = 1 << 49;
const BACKSLASH: u64 = 1 << 50;
const HIGH: u64 = 1 << 51;
const CONTROL: u64 = 1 << 52;
const NOT_BASE64: u64 = 1 << 53;
const NOT_HEX: u64 = 1 << 54;
const BRACKET: u64 = 1 << 55;
const QUOTE: u64 = 1 << 56;

/// Classes of bytes: three of them index a bitmap of 64 KiB.
const CLASS_BITS: u32 = 6;
const CLASSES: u8 = 1 << CLASS_BITS;
const TRIPLES: u32 = 1 << (3 * CLASS_BITS);
const WORDS: usize = TRIPLES as usize / 64;

/// Where the class of a byte lies above its marks.
const CLASS_SHIFT: u32 = u64::BITS - CLASS_BITS;

impl Prefilter {
    pub(crate) fn new(detectors: &[&dyn Detector]) -> Self {
        let mut bytes = [0; 256];
        for (byte, marks) in (0_u8..=255).zip(&mut bytes) {
            *marks = marks_of(byte);
        }
        let mut literals: Vec<Literal> = Vec::new();
        let mut always = 0;
        for (place, detector) in detectors.iter().enumerate().take(DETECTORS_MAX) {
            let bit = 1_u64 << place;
            if detector.literals().is_empty() {
                always |= bit;
            }
            for literal in detector.literals() {
                match literal.as_bytes() {
                    [] => always |= bit,
                    [byte] => {
                        for byte in [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()] {
                            if let Some(marks) = bytes.get_mut(usize::from(byte)) {
                                *marks |= bit;
                            }
                        }
                    }
                    text => match literals.iter_mut().find(|it| it.text == text) {
                        Some(known) => known.detectors |= bit,
                        None => literals.push(Literal::new(text, bit)),
                    },
                }
            }
        }
        for (class, marks) in classes(&literals).into_iter().zip(&mut bytes) {
            *marks |= u64::from(class) << CLASS_SHIFT;
        }
        let mut prefilter = Self {
            bytes,
            begins: Box::new([0; WORDS]),
            before: Vec::with_capacity(WORDS),
            literals: Vec::new(),
            starts: Vec::new(),
            always,
        };
        prefilter.index(literals);
        prefilter
    }

    /// Files the literals under the triples that begin them; one of two bytes under all that it may begin.
    fn index(&mut self, literals: Vec<Literal>) {
        let mut filed: Vec<(u32, Literal)> = Vec::new();
        for literal in literals {
            let [first, second, third] =
                [0, 1, 2].map(|at| literal.text.get(at).map(|byte| self.class(*byte)));
            let thirds = match third {
                Some(third) => third..third + 1,
                None => 0..u32::from(CLASSES),
            };
            for third in thirds {
                let triple = triple(first.unwrap_or_default(), second.unwrap_or_default(), third);
                filed.push((triple, Literal { ..literal }));
            }
        }
        filed.sort_by_key(|it| it.0);
        for same in filed.chunk_by(|a, b| a.0 == b.0) {
            let Some(triple) = same.first().map(|it| it.0) else { continue };
            if let Some(word) = self.begins.get_mut(triple as usize / 64) {
                *word |= 1 << (triple % 64);
            }
            self.starts.push(Start {
                first: self.literals.len() as u32,
                count: same.len() as u32,
                detectors: same.iter().fold(0, |all, it| all | it.1.detectors),
            });
            self.literals.extend(same.iter().map(|it| Literal { ..it.1 }));
        }
        let mut before = 0;
        for word in self.begins.iter() {
            self.before.push(before);
            before += word.count_ones();
        }
    }

    /// Looks at every byte once.
    pub(crate) fn look(&self, text: &[u8]) -> Seen {
        let mut found = self.always;
        // The classes of the last three bytes. A triple is complete with its third byte; those that begin before the
        // text have classes of no literal first and begin nothing.
        let mut triple = 0;
        for (at, byte) in text.iter().enumerate() {
            let marks = self.marks(*byte);
            found |= marks;
            triple = (triple << CLASS_BITS | (marks >> CLASS_SHIFT) as u32) % TRIPLES;
            if self.may_begin(triple) && at >= 2 {
                found |= self.compared(triple, text.get(at - 2..).unwrap_or_default(), found);
            }
        }
        // A literal of two bytes may end the text.
        let end = (triple << CLASS_BITS) % TRIPLES;
        if text.len() >= 2 && self.may_begin(end) {
            found |= self.compared(end, text.get(text.len() - 2..).unwrap_or_default(), found);
        }
        Seen(found & ((1 << CLASS_SHIFT) - 1))
    }

    /// The detectors of the literals that the text begins with.
    #[inline(never)]
    fn compared(&self, triple: u32, text: &[u8], found: u64) -> u64 {
        let place = triple as usize / 64;
        let (Some(word), Some(before)) = (self.begins.get(place), self.before.get(place)) else { return 0 };
        let earlier = word & ((1 << (triple % 64)) - 1);
        let Some(start) = self.starts.get((before + earlier.count_ones()) as usize) else { return 0 };
        if start.detectors & !found == 0 {
            return 0;
        }
        let literals = self.literals.get(start.first as usize..(start.first + start.count) as usize);
        let head = head(text);
        let mut all = 0;
        for literal in literals.unwrap_or_default() {
            if head & literal.mask == literal.head
                && literal.detectors & !found != 0
                && text.get(..literal.text.len()).is_some_and(|text| text.eq_ignore_ascii_case(literal.text))
            {
                all |= literal.detectors;
            }
        }
        all
    }

    #[inline]
    fn may_begin(&self, triple: u32) -> bool {
        self.begins.get(triple as usize / 64).is_some_and(|word| word >> (triple % 64) & 1 != 0)
    }

    #[inline]
    fn marks(&self, byte: u8) -> u64 {
        self.bytes.get(usize::from(byte)).copied().unwrap_or_default()
    }

    fn class(&self, byte: u8) -> u32 {
        (self.marks(byte) >> CLASS_SHIFT) as u32
    }

    /// The bytes that all literals and tables take.
    #[cfg(test)]
    pub(crate) fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + size_of::<[u64; WORDS]>()
            + self.before.len() * size_of::<u32>()
            + self.literals.len() * size_of::<Literal>()
            + self.starts.len() * size_of::<Start>()
    }
}

#[inline]
fn triple(first: u32, second: u32, third: u32) -> u32 {
    first << (2 * CLASS_BITS) | second << CLASS_BITS | third
}

/// A class for each byte of the literals. Bytes beyond the last class share one, which costs comparisons and finds
/// nothing less; so does the class of all bytes that no literal has.
fn classes(literals: &[Literal]) -> [u8; 256] {
    let mut classes = [0_u8; 256];
    let mut next = 1;
    for byte in literals.iter().flat_map(|it| it.text.iter().take(3)) {
        let known = classes.get(usize::from(*byte)).copied().unwrap_or_default();
        if known != 0 {
            continue;
        }
        for byte in [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()] {
            if let Some(class) = classes.get_mut(usize::from(byte)) {
                *class = next;
            }
        }
        next = (next + 1).min(CLASSES - 1);
    }
    classes
}

impl Seen {
    /// The detectors that must look, a bit each.
    pub(crate) fn detectors(self) -> u64 {
        self.0 & DETECTORS
    }

    /// Whether there are bytes with which an encoding begins.
    #[inline]
    pub(crate) fn has_escape_bytes(self) -> bool {
        self.0 & (PERCENT | AMPERSAND | BACKSLASH | HIGH | CONTROL) != 0
    }

    pub(crate) fn has_percent(self) -> bool {
        self.0 & PERCENT != 0
    }

    pub(crate) fn has_ampersand(self) -> bool {
        self.0 & AMPERSAND != 0
    }

    pub(crate) fn has_backslash(self) -> bool {
        self.0 & BACKSLASH != 0
    }

    pub(crate) fn has_high(self) -> bool {
        self.0 & HIGH != 0
    }

    pub(crate) fn has_control(self) -> bool {
        self.0 & CONTROL != 0
    }

    pub(crate) fn has_bracket(self) -> bool {
        self.0 & BRACKET != 0
    }

    /// Whether a part of the text may stand by itself: between quotes, in brackets, in a `data:` URL.
    pub(crate) fn has_quote(self) -> bool {
        self.0 & QUOTE != 0
    }

    pub(crate) fn may_be_base64(self) -> bool {
        self.0 & NOT_BASE64 == 0
    }

    pub(crate) fn may_be_hex(self) -> bool {
        self.0 & NOT_HEX == 0
    }
}

/// What a byte says of encodings.
fn marks_of(byte: u8) -> u64 {
    let mut marks = match byte {
        b'%' => PERCENT,
        b'&' => AMPERSAND,
        b'\\' => BACKSLASH,
        b'{' => BRACKET,
        b'[' => BRACKET | QUOTE,
        b'"' | b'\'' | b';' => QUOTE,
        0x80.. => HIGH,
        b'\t' | b'\n' | b'\r' => 0,
        0..b' ' | 0x7f => CONTROL,
        _ => 0,
    };
    let base64 = byte.is_ascii_alphanumeric()
        || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=' | b' ' | b'\r' | b'\n');
    if !base64 {
        marks |= NOT_BASE64;
    }
    if !byte.is_ascii_hexdigit() {
        marks |= NOT_HEX;
    }
    marks
}

#[cfg(test)]
mod tests;
