//! What every match of an expression must hold, read off its syntax tree.
//!
//! All statements are about the value with its letters in lower case: strings that occur in it, bytes of which one occurs.
//! Each is a consequence of a match, never the reverse, so that a value without them can be passed over. The tree is no
//! deeper than the parser's limit on nesting, which bounds the recursion.
//!
//! They can be asked for values of an alphabet: what else the expression allows cannot occur there. Rules against shells let
//! quotes, carets and variables stand between any two letters of a command, so that no string is needed; but a value
//! without such marks needs the plain command.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use super::rarity;
use crate::byte_set::ByteSet;

/// Strings that a part is known to be one of; beyond this the part counts as anything.
const EXACT_MAX: usize = 64;
/// Strings one of which must occur. The greatest pattern of the CRS names some hundreds of commands.
const LITERALS_MAX: usize = 4000;
/// Bytes of a string that are searched for: each costs a state of the automaton.
const LITERAL_BYTES_MAX: usize = 8;
/// Bytes of a class that still counts as so many strings.
const CLASS_MAX: u32 = 10;
/// Sets of bytes kept: more would cost more to test than they exclude.
const BYTES_MAX: usize = 6;
/// Strings that are expected more often than this, for each byte of a value, exclude too little to be searched for.
const SHARE_MAX: f64 = 0.01;

/// What every match holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Needs {
    /// Strings one of which occurs, lower case; none where nothing is known. Never an empty string.
    pub(super) literals: Option<Vec<Vec<u8>>>,
    /// From each set a byte occurs.
    pub(super) bytes: Vec<ByteSet>,
    /// Bytes that a match is long.
    pub(super) length_min: usize,
}

impl Needs {
    /// The needs of an expression when it matches a value of these bytes; `None` when it matches none of them.
    pub(super) fn of(hir: &Hir, alphabet: ByteSet) -> Option<Self> {
        let part = Part::of(hir, alphabet)?.settled();
        let literals =
            part.literals.map(shortened).filter(|strings| rarity::share_of_strings(strings) <= SHARE_MAX);
        Some(Self { literals, bytes: part.bytes, length_min: hir.properties().minimum_len().unwrap_or(0) })
    }
}

/// What is known of a part of an expression.
#[derive(Clone, Debug, Default)]
struct Part {
    /// The strings that the part matches are among these.
    exact: Option<Vec<Vec<u8>>>,
    literals: Option<Vec<Vec<u8>>>,
    bytes: Vec<ByteSet>,
}

impl Part {
    /// `None` for a part that matches nothing of the alphabet.
    fn of(hir: &Hir, alphabet: ByteSet) -> Option<Self> {
        match hir.kind() {
            // Assertions match the empty string, on conditions that need not be known.
            HirKind::Empty | HirKind::Look(_) => Some(Self::exactly(vec![Vec::new()])),
            HirKind::Literal(literal) => {
                let can = literal.0.iter().all(|byte| alphabet.contains(*byte));
                can.then(|| Self::exactly(vec![literal.0.to_ascii_lowercase()]))
            }
            HirKind::Class(class) => Self::of_class(class, alphabet),
            HirKind::Repetition(repetition) => Self::of_repetition(repetition, alphabet),
            HirKind::Capture(capture) => Self::of(&capture.sub, alphabet),
            HirKind::Concat(parts) => Self::of_concatenation(parts, alphabet),
            HirKind::Alternation(parts) => Self::of_alternation(parts, alphabet),
        }
    }

    fn exactly(strings: Vec<Vec<u8>>) -> Self {
        Self { exact: Some(strings), ..Self::default() }
    }

    fn of_class(class: &Class, alphabet: ByteSet) -> Option<Self> {
        let mut set = ByteSet::EMPTY;
        match class {
            Class::Bytes(class) => {
                for range in class.iter() {
                    set = set.union(ByteSet::range(range.start(), range.end()));
                }
            }
            Class::Unicode(class) => {
                for range in class.iter() {
                    match (u8::try_from(range.start()), u8::try_from(range.end())) {
                        (Ok(start), Ok(end)) if end < 0x80 => set = set.union(ByteSet::range(start, end)),
                        // Beyond ASCII a character is several bytes: nothing is known of it.
                        _ => return Some(Self::default()),
                    }
                }
            }
        }
        let set = set.intersection(alphabet);
        if set.is_empty() {
            return None;
        }
        let mut folded: Vec<Vec<u8>> = set.iter().map(|byte| vec![byte.to_ascii_lowercase()]).collect();
        folded.sort_unstable();
        folded.dedup();
        let is_small = set.len() <= 2 * CLASS_MAX && folded.len() <= CLASS_MAX as usize;
        Some(Self { exact: is_small.then_some(folded), literals: None, bytes: vec![set] })
    }

    fn of_repetition(repetition: &Repetition, alphabet: ByteSet) -> Option<Self> {
        let Some(part) = Self::of(&repetition.sub, alphabet) else {
            // It may still occur no times at all.
            return (repetition.min == 0).then(|| Self::exactly(vec![Vec::new()]));
        };
        if repetition.min == 0 {
            let exact = match (part.exact, repetition.max) {
                (Some(mut strings), Some(1)) => {
                    strings.push(Vec::new());
                    within_limit(strings)
                }
                (_, Some(0)) => Some(vec![Vec::new()]),
                _ => None,
            };
            return Some(Self { exact, ..Self::default() });
        }
        // So many copies stand in a row, whatever comes after them.
        let copies = part.exact.as_ref().and_then(|strings| {
            let copies = repetition.min.min(8);
            (1..copies).try_fold(strings.clone(), |all, _| cross(&all, strings))
        });
        let is_whole = repetition.max == Some(repetition.min) && repetition.min <= 8;
        let settled = part.settled();
        Some(match copies {
            Some(copies) if is_whole => {
                Self { exact: Some(copies), literals: settled.literals, bytes: settled.bytes }
            }
            Some(copies) => {
                let row = Self::exactly(copies).settled();
                Self { exact: None, literals: rarer(row.literals, settled.literals), bytes: settled.bytes }
            }
            None => Self { exact: None, ..settled },
        })
    }

    /// Neighbours whose strings are known are joined as long as they are few; of the rows that result, the rarest counts.
    fn of_concatenation(parts: &[Hir], alphabet: ByteSet) -> Option<Self> {
        let mut whole = Self::default();
        let mut row = vec![Vec::new()];
        let mut all_exact = true;
        for hir in parts {
            let part = Self::of(hir, alphabet)?;
            let longer = part.exact.as_ref().and_then(|strings| cross(&row, strings));
            match longer {
                Some(longer) => {
                    row = longer;
                    // What the part needs of its own is in the row, except for the sets of wide classes.
                    whole.bytes.extend(part.bytes);
                    whole.literals = rarer(whole.literals, part.literals);
                }
                None => {
                    all_exact = false;
                    whole.join(Self::exactly(std::mem::take(&mut row)).settled());
                    row = part.exact.clone().unwrap_or_else(|| vec![Vec::new()]);
                    whole.join(part.settled());
                }
            }
        }
        if all_exact {
            whole.exact = Some(row);
        } else {
            whole.join(Self::exactly(row).settled());
        }
        Some(whole)
    }

    /// Both are needed.
    fn join(&mut self, other: Self) {
        self.literals = rarer(self.literals.take(), other.literals);
        self.bytes.extend(other.bytes);
    }

    fn of_alternation(parts: &[Hir], alphabet: ByteSet) -> Option<Self> {
        let parts: Vec<Self> = parts.iter().filter_map(|part| Self::of(part, alphabet)).collect();
        if parts.is_empty() {
            return None;
        }
        let exact = parts.iter().try_fold(Vec::new(), |mut all, part| {
            all.extend(part.exact.clone()?);
            within_limit(all)
        });
        let settled: Vec<Self> = parts.into_iter().map(Self::settled).collect();
        let literals = settled.iter().try_fold(Vec::new(), |mut all, part| {
            all.extend(part.literals.clone()?);
            (all.len() <= LITERALS_MAX).then_some(all)
        });
        // One set of each branch: together they are a set of which every match holds a byte.
        let bytes =
            settled.iter().try_fold(ByteSet::EMPTY, |all, part| Some(all.union(*part.bytes.first()?)));
        Some(Self { exact, literals, bytes: bytes.into_iter().collect() })
    }

    /// Turns what is known exactly into needs, and orders the sets of bytes from the rarest.
    fn settled(self) -> Self {
        let Self { exact, mut literals, mut bytes } = self;
        if let Some(strings) = &exact
            && strings.iter().all(|string| !string.is_empty())
        {
            bytes.extend(bytes_of(strings));
            literals = rarer(literals, Some(strings.clone()));
        }
        let mut ranked: Vec<(f64, ByteSet)> = bytes
            .into_iter()
            .map(|set| (rarity::share_of(set), set))
            .filter(|(share, _)| *share < 0.9)
            .collect();
        ranked.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let mut bytes: Vec<ByteSet> = ranked.into_iter().map(|(_, set)| set).collect();
        bytes.dedup();
        bytes.truncate(BYTES_MAX);
        Self { exact, literals, bytes }
    }
}

/// Cuts strings: where a string occurs its beginning does, and a few bytes tell enough.
fn shortened(mut strings: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    for string in &mut strings {
        string.truncate(LITERAL_BYTES_MAX);
    }
    strings.sort_unstable();
    strings.dedup();
    strings
}

/// Sets of bytes that a choice of strings needs: of one string each byte, of several the rarest of each.
fn bytes_of(strings: &[Vec<u8>]) -> Vec<ByteSet> {
    let either_case = |byte: u8| ByteSet::of(&[byte, byte.to_ascii_uppercase()]);
    if let [string] = strings {
        return string.iter().map(|byte| either_case(*byte)).collect();
    }
    let rarest = |string: &Vec<u8>| {
        string.iter().copied().min_by(|one, other| rarity::share(*one).total_cmp(&rarity::share(*other)))
    };
    let all =
        strings.iter().filter_map(rarest).fold(ByteSet::EMPTY, |all, byte| all.union(either_case(byte)));
    vec![all]
}

/// Each string of one followed by each of the other, unless that is too many.
fn cross(heads: &[Vec<u8>], tails: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    if heads.len().checked_mul(tails.len())? > EXACT_MAX {
        return None;
    }
    let joined = heads.iter().flat_map(|head| tails.iter().map(move |tail| [head.as_slice(), tail].concat()));
    within_limit(joined.collect())
}

fn within_limit(mut strings: Vec<Vec<u8>>) -> Option<Vec<Vec<u8>>> {
    strings.sort_unstable();
    strings.dedup();
    (strings.len() <= EXACT_MAX).then_some(strings)
}

/// The choice of strings that is to be expected less often.
fn rarer(one: Option<Vec<Vec<u8>>>, other: Option<Vec<Vec<u8>>>) -> Option<Vec<Vec<u8>>> {
    match (one, other) {
        (Some(one), Some(other)) => {
            let is_rarer = rarity::share_of_strings(&one) <= rarity::share_of_strings(&other);
            Some(if is_rarer { one } else { other })
        }
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Pattern;
    use proptest::prelude::*;

    fn needs(pattern: &str) -> Needs {
        Needs::of(&Pattern::compile(pattern.as_bytes()).unwrap().hir().unwrap(), ByteSet::ALL).unwrap()
    }

    fn literals(pattern: &str) -> Vec<String> {
        let strings = needs(pattern).literals.unwrap_or_default();
        let mut all: Vec<String> = strings.iter().map(|s| String::from_utf8_lossy(s).into_owned()).collect();
        all.sort();
        all
    }

    #[test]
    fn joins_neighbours_and_keeps_the_rarest_row() {
        assert_eq!(literals(r"(?i)union\s+(?:all\s+)?select"), ["select"]);
        assert_eq!(literals(r"(?i)s(?:elect|leep)\("), ["select(", "sleep("]);
        assert_eq!(literals(r"a[bc]d?e"), ["abde", "abe", "acde", "ace"]);
        assert_eq!(literals(r"x(?:;;|`a)+"), [";;", "`a"]);
    }

    #[test]
    fn finds_nothing_where_nothing_is_needed() {
        assert!(literals(r"(?:abc)?").is_empty());
        assert!(literals(r"abc|\d+").is_empty());
        assert!(needs(r".*").bytes.is_empty());
        assert_eq!(needs(r"(?:abc)*").length_min, 0);
    }

    #[test]
    fn needs_bytes_where_it_needs_no_string() {
        let needs = needs(r"[;|]\s*\w");
        assert!(needs.bytes.contains(&ByteSet::of(b";|")));
        assert_eq!(needs.length_min, 2);
    }

    #[test]
    fn takes_a_set_of_each_branch() {
        let needs = needs(r"\$\d+|\w+`");
        assert_eq!(needs.bytes, [ByteSet::of(b"$`")]);
    }

    #[test]
    fn needs_the_plain_word_where_no_mark_can_stand_between() {
        let pattern = Pattern::compile(br"(?i)c[\x5c'\x22]*a[\x5c'\x22]*t\b|`\w").unwrap();
        let letters = ByteSet::range(b'A', b'Z').union(ByteSet::range(b'a', b'z'));
        let needs = Needs::of(&pattern.hir().unwrap(), letters).unwrap();
        assert_eq!(needs.literals.unwrap(), [b"cat"]);
        let digits = ByteSet::range(b'0', b'9');
        assert!(Needs::of(&pattern.hir().unwrap(), digits).is_none());
    }

    /// Whether a value shows what the needs say.
    fn shows(needs: &Needs, value: &[u8]) -> bool {
        let folded = value.to_ascii_lowercase();
        let has = |string: &Vec<u8>| memchr::memmem::find(&folded, string).is_some();
        value.len() >= needs.length_min
            && needs.literals.as_ref().is_none_or(|strings| strings.iter().any(has))
            && needs.bytes.iter().all(|set| value.iter().any(|byte| set.contains(*byte)))
    }

    fn pattern() -> impl Strategy<Value = String> {
        let atom = prop_oneof![
            "[a-cA-C;]{1,3}",
            proptest::sample::select(vec![
                "[ab]",
                "[^a]",
                r"\d",
                r"\W",
                ".",
                "(?i:b)",
                "[[:upper:];]",
                r"\b",
                "^",
                "$",
                r"\x{ff}",
                "é",
            ])
            .prop_map(str::to_string),
        ];
        atom.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
                proptest::collection::vec(inner.clone(), 1..4)
                    .prop_map(|parts| format!("({})", parts.join("|"))),
                (inner.clone(), proptest::sample::select(vec!["*", "+", "?", "{2}", "{1,2}", "{0}", "{2,}"]))
                    .prop_map(|(part, times)| format!("(?:{part}){times}")),
                inner.prop_map(|part| format!("(?i:{part})")),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn every_match_shows_the_needs(
            pattern in pattern(),
            values in proptest::collection::vec("[a-cA-C;1 \u{e9}\n]{0,8}", 1..12),
        ) {
            let Ok(compiled) = Pattern::compile(pattern.as_bytes()) else { return Ok(()) };
            let hir = compiled.hir().unwrap();
            for value in values {
                let bytes = [value.as_bytes(), b"\xff"].concat();
                for value in [value.as_bytes(), &bytes[..]] {
                    // Of all bytes, and of the value's own.
                    for alphabet in [ByteSet::ALL, ByteSet::of(value)] {
                        let needs = Needs::of(&hir, alphabet);
                        prop_assert!(
                            !compiled.is_match(value) || needs.as_ref().is_some_and(|needs| shows(needs, value)),
                            "{} on {:?}: {:?}", pattern, value.escape_ascii().to_string(), needs
                        );
                    }
                }
            }
        }
    }
}
