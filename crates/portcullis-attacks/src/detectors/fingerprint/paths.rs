//! Paths that are probed on every address of the internet.

use std::{ops::Range, sync::LazyLock};

use aho_corasick::{AhoCorasick, MatchKind};

use super::families::{FAMILIES, How};
use crate::{class::Class, hit::Hit, view::View};

/// Families by pattern of the automaton.
struct Table {
    texts: AhoCorasick,
    families: Vec<usize>,
}

#[expect(
    clippy::expect_used,
    reason = "the texts are constants, and a few hundred of them fit any automaton"
)]
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let all = || {
        FAMILIES
            .iter()
            .enumerate()
            .flat_map(|(place, family)| family.texts.iter().map(move |text| (place, *text)))
    };
    let texts = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .build(all().map(|(_, text)| text))
        .expect("constant texts");
    Table { texts, families: all().map(|(place, _)| place).collect() }
});

/// The surest family that a path belongs to.
pub(super) fn find(view: &View<'_>) -> Option<Hit> {
    let path = view.lower.strip_suffix(b"/").unwrap_or(view.lower);
    let mut best: Option<Hit> = None;
    for found in TABLE.texts.find_overlapping_iter(path) {
        let Some(family) =
            TABLE.families.get(found.pattern().as_usize()).and_then(|place| FAMILIES.get(*place))
        else {
            continue;
        };
        if best.as_ref().is_none_or(|best| best.score < family.score)
            && belongs(path, found.range(), family.how)
        {
            let span = found.range();
            best = Some(Hit {
                class: Class::Fingerprint,
                rule: family.rule,
                score: family.score,
                span,
                why: family.why,
            });
        }
    }
    best.or_else(|| double_ending(path)).or_else(|| proxied_socket(view))
}

/// Whether a text stands in the path where its family asks for it.
fn belongs(path: &[u8], span: Range<usize>, how: How) -> bool {
    let before = span.start.checked_sub(1).and_then(|before| path.get(before));
    let after = path.get(span.end);
    let begins = before.is_none_or(|byte| *byte == b'/');
    match how {
        // Parameters of a segment are none of its name: `;jsessionid=`.
        How::Segment => begins && after.is_none_or(|byte| matches!(byte, b'/' | b';')),
        How::Begins => begins && (after.is_none_or(|byte| !byte.is_ascii_alphabetic()) || span.len() > 4),
        How::Ends => {
            after.is_none()
                && (begins || path.get(span.start).is_some_and(|byte| matches!(byte, b'.' | b'/')))
        }
        How::Within => begins,
    }
}

/// `image.php.jpeg`, `do.php;.png`: two endings, of which the first runs.
fn double_ending(path: &[u8]) -> Option<Hit> {
    const RUNS: [&[u8]; 6] = [b".php", b".jsp", b".asp", b".aspx", b".jspx", b".phtml"];
    const SHOWN: [&[u8]; 7] = [b".jpg", b".jpeg", b".png", b".gif", b".txt", b".ico", b".css"];
    let shown = SHOWN.iter().find(|ending| path.ends_with(ending))?;
    let stem = path.get(..path.len() - shown.len())?;
    let stem = stem.rsplit(|byte| *byte == b'/').next()?;
    let at =
        RUNS.iter().find_map(|ending| memchr::memmem::find(stem, ending).map(|at| (at, ending.len())))?;
    // `.php` must end a word: `x.phpfoo.png` is none.
    let next = stem.get(at.0 + at.1);
    (next.is_none_or(|byte| {
        !byte.is_ascii_alphanumeric() || stem.get(at.0 + at.1..).is_some_and(|rest| rest.starts_with(b"u00"))
    }))
    .then(|| Hit {
        class: Class::Fingerprint,
        rule: "double_ending",
        score: 10,
        span: path.len() - shown.len()..path.len(),
        why: "a script's name with an image's ending",
    })
}

/// `?unix:AAAA…|http://…`: a proxy's socket instead of its backend (CVE-2021-40438), or a long run to overflow it.
pub(super) fn proxied_socket(view: &View<'_>) -> Option<Hit> {
    let rest = view.lower.strip_prefix(b"unix:")?;
    let run = rest.iter().take_while(|byte| **byte == b'a').count();
    (run >= 64 || rest.contains(&b'|')).then_some(Hit {
        class: Class::Fingerprint,
        rule: "proxied_socket",
        score: 10,
        span: 0..5,
        why: "a socket's address where a proxy expects its backend's",
    })
}

/// `class.module.classLoader.…=`: a framework that binds parameters to objects reaches the server's own settings
/// (CVE-2010-1622, CVE-2022-22965).
pub(super) fn bound_class_loader(view: &View<'_>) -> Option<Hit> {
    let at = memchr::memmem::find(view.lower, b"classloader")?;
    let before = view.lower.get(..at)?;
    let is_bound = before.ends_with(b".") || before.ends_with(b"['") || before.ends_with(b"[\"");
    (is_bound && memchr::memmem::find(before, b"class").is_some()).then_some(Hit {
        class: Class::Fingerprint,
        rule: "bound_class_loader",
        score: 10,
        span: 0..at + 11,
        why: "a parameter that reaches the class loader of the server",
    })
}

/// All texts of all families.
#[cfg(test)]
pub(super) fn texts() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().flat_map(|family| family.texts.iter().copied())
}
