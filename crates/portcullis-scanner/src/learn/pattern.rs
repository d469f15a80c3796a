//! A text that a regular expression matches.

use rand_chacha::{ChaCha8Rng, rand_core::RngCore as _};
use regex_syntax::hir::{Class, Hir, HirKind};

/// Characters made, at most.
const LENGTH_MAX: usize = 4_096;

/// A text that matches; `None` where the pattern is not understood (lookaround, back references) or the text made for it
/// does not match after all (word boundaries).
pub(super) fn matching(pattern: &str, chance: &mut ChaCha8Rng) -> Option<String> {
    let hir = regex_syntax::ParserBuilder::new().nest_limit(64).build().parse(pattern).ok()?;
    let mut text = String::new();
    write(&hir, chance, &mut text)?;
    let regex = regex::RegexBuilder::new(pattern).size_limit(1 << 20).build().ok()?;
    regex.is_match(&text).then_some(text)
}

fn write(hir: &Hir, chance: &mut ChaCha8Rng, text: &mut String) -> Option<()> {
    if text.len() > LENGTH_MAX {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(class) => text.push(member(class, chance)?),
        HirKind::Repetition(repetition) => {
            // One more than nothing, so that `.*` is something; but not above what is allowed.
            let times = repetition.min.max(1).min(repetition.max.unwrap_or(u32::MAX)).min(1_024);
            for _ in 0..times {
                write(&repetition.sub, chance, text)?;
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, chance, text)?,
        HirKind::Concat(parts) => {
            for part in parts {
                write(part, chance, text)?;
            }
        }
        HirKind::Alternation(parts) => write(parts.first()?, chance, text)?,
    }
    Some(())
}

/// A member of a class: a letter or digit where there is one.
fn member(class: &Class, chance: &mut ChaCha8Rng) -> Option<char> {
    let draw = |low: u32, high: u32, chance: &mut ChaCha8Rng| {
        char::from_u32(low + (chance.next_u64() % u64::from(high - low + 1)) as u32)
    };
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => {
            class.iter().map(|it| (u32::from(it.start()), u32::from(it.end()))).collect()
        }
        Class::Bytes(class) => class.iter().map(|it| (u32::from(it.start()), u32::from(it.end()))).collect(),
    };
    for (low, high) in [(97, 122), (65, 90), (48, 57), (33, 126), (32, 32)] {
        for (start, end) in &ranges {
            let (from, to) = (low.max(*start), high.min(*end));
            if from <= to {
                return draw(from, to, chance);
            }
        }
    }
    let (start, end) = ranges.first()?;
    draw(*start, *end, chance)
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn makes_a_text_that_matches() {
        let mut chance = ChaCha8Rng::seed_from_u64(1);
        for pattern in ["^[a-z]+$", r"^\d{3}-(foo|bar)?$", r"^\+?[1-9]\d{6,14}$", "^.*$", "^[^a-z]{2}$", "é+"]
        {
            let text = matching(pattern, &mut chance).unwrap_or_else(|| panic!("{pattern}"));
            assert!(regex::Regex::new(pattern).unwrap().is_match(&text), "{pattern}: {text}");
        }
    }

    #[test]
    fn gives_up_on_what_it_cannot_make() {
        let mut chance = ChaCha8Rng::seed_from_u64(1);
        for pattern in ["(?=a)b", "(", "a{1000}{1000}", r"\Ba\b{start}"] {
            assert_eq!(matching(pattern, &mut chance), None, "{pattern}");
        }
    }
}
