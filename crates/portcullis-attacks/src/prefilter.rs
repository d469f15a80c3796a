//! One pass over a reading that says which detectors must look at it, and which layers may be on it.

use aho_corasick::{
    Anchored,
    automaton::Automaton,
    dfa::{self, DFA},
};

use crate::detectors::Detector;

/// Finds the detectors' literals, ASCII letters in either case.
pub(crate) struct Prefilter {
    /// What a byte by itself says.
    bytes: [u64; 256],
    literals: Option<DFA>,
    /// By pattern of the automaton, its detectors.
    detectors_of: Vec<u64>,
    /// Detectors that look at everything.
    always: u64,
}

/// What one pass over a reading has found: a bit for each detector, and marks of encodings above them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen(u64);

/// Bits below are detectors, by their place in the registry.
pub(crate) const DETECTORS_MAX: usize = 48;
const DETECTORS: u64 = (1 << DETECTORS_MAX) - 1;

const PERCENT: u64 = 1 << 63;
const AMPERSAND: u64 = 1 << 62;
const BACKSLASH: u64 = 1 << 61;
const HIGH: u64 = 1 << 60;
const CONTROL: u64 = 1 << 59;
const NOT_BASE64: u64 = 1 << 58;
const NOT_HEX: u64 = 1 << 57;
const BRACKET: u64 = 1 << 56;

impl Prefilter {
    pub(crate) fn new(detectors: &[&dyn Detector]) -> Self {
        let mut bytes = [0; 256];
        for (byte, marks) in (0_u8..=255).zip(&mut bytes) {
            *marks = marks_of(byte);
        }
        let mut patterns: Vec<&str> = Vec::new();
        let mut detectors_of: Vec<u64> = Vec::new();
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
                    _ => match patterns.iter().position(|pattern| pattern == literal) {
                        Some(known) => detectors_of.iter_mut().skip(known).take(1).for_each(|it| *it |= bit),
                        None => {
                            patterns.push(literal);
                            detectors_of.push(bit);
                        }
                    },
                }
            }
        }
        let literals = dfa::Builder::new()
            .ascii_case_insensitive(true)
            .prefilter(false)
            .start_kind(aho_corasick::StartKind::Unanchored)
            .build(&patterns)
            .ok();
        if literals.is_none() {
            // An automaton too large to build must not switch the detectors off.
            always = DETECTORS;
        }
        Self { bytes, literals, detectors_of, always }
    }

    /// Looks at every byte once.
    pub(crate) fn look(&self, text: &[u8]) -> Seen {
        let mut found = self.always;
        let start = self.literals.as_ref().and_then(|it| it.start_state(Anchored::No).ok());
        let (Some(literals), Some(mut state)) = (&self.literals, start) else {
            return Seen(text.iter().fold(found, |found, byte| found | self.marks(*byte)));
        };
        for byte in text {
            found |= self.marks(*byte);
            state = literals.next_state(Anchored::No, state, *byte);
            if literals.is_special(state) && literals.is_match(state) {
                for place in 0..literals.match_len(state) {
                    let pattern = literals.match_pattern(state, place);
                    found |= self.detectors_of.get(pattern.as_usize()).copied().unwrap_or(DETECTORS);
                }
            }
        }
        Seen(found)
    }

    fn marks(&self, byte: u8) -> u64 {
        self.bytes.get(usize::from(byte)).copied().unwrap_or_default()
    }

    /// The bytes that all literals and tables take.
    #[cfg(test)]
    pub(crate) fn memory_bytes(&self) -> usize {
        self.literals.as_ref().map_or(0, Automaton::memory_usage)
    }
}

impl Seen {
    /// The detectors that must look, a bit each.
    pub(crate) fn detectors(self) -> u64 {
        self.0 & DETECTORS
    }

    /// Whether it is worth while to try the layers.
    pub(crate) fn may_be_encoded(self) -> bool {
        self.0 & (PERCENT | AMPERSAND | BACKSLASH | HIGH | CONTROL) != 0 || self.0 & NOT_BASE64 == 0
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
        b'{' | b'[' => BRACKET,
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
