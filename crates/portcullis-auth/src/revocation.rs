//! Tokens and subjects that are no longer to be believed though their signatures are good.

use std::sync::Arc;

use arc_swap::ArcSwap;
use hashbrown::HashMap;
use portcullis_core::clock::Timestamp;

/// Entries in one list; a longer list is refused at load rather than cut.
const ENTRIES_MAX: usize = 1_000_000;

/// A revocation list: immutable, swapped whole.
#[derive(Debug, Default)]
pub struct Revocations {
    tokens: hashbrown::HashSet<Box<str>>,
    subjects: HashMap<Box<str>, Option<Timestamp>>,
}

/// A line of a revocation list that cannot be understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct RevocationLineError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

impl Revocations {
    /// Reads a list: one entry a line, `jti ID`, `sub ID` (every token of the subject) or `sub ID before SECONDS`
    /// (those issued before that Unix time). Empty lines and lines beginning with `#` are skipped.
    ///
    /// # Errors
    /// Every line that is none of these.
    pub fn parse(text: &str) -> Result<Self, Vec<RevocationLineError>> {
        let mut list = Self::default();
        let mut errors = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Err(what) = list.add(line) {
                errors.push(RevocationLineError { line: index + 1, what });
            }
        }
        if errors.is_empty() { Ok(list) } else { Err(errors) }
    }

    fn add(&mut self, line: &str) -> Result<(), &'static str> {
        if self.len() >= ENTRIES_MAX {
            return Err("the list has more than 1000000 entries");
        }
        let mut words = line.split_whitespace();
        match (words.next(), words.next(), words.next(), words.next(), words.next()) {
            (Some("jti"), Some(id), None, _, _) => {
                self.tokens.insert(id.into());
            }
            (Some("sub"), Some(id), None, _, _) => {
                self.subjects.insert(id.into(), None);
            }
            (Some("sub"), Some(id), Some("before"), Some(secs), None) => {
                let secs = secs.parse().map_err(|_| "expected Unix seconds after `before`")?;
                self.subjects.insert(id.into(), Some(Timestamp::from_secs(secs)));
            }
            _ => return Err("expected `jti ID`, `sub ID` or `sub ID before SECONDS`"),
        }
        Ok(())
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.tokens.len() + self.subjects.len()
    }

    /// Whether nothing is revoked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a token is revoked, by its `jti` or by its subject. A token that does not say when it was issued
    /// counts as old.
    pub fn covers(&self, jti: Option<&str>, subject: &str, issued: Option<Timestamp>) -> bool {
        if self.is_empty() {
            return false;
        }
        if jti.is_some_and(|jti| self.tokens.contains(jti)) {
            return true;
        }
        match self.subjects.get(subject) {
            None => false,
            Some(None) => true,
            Some(Some(before)) => issued.is_none_or(|issued| issued < *before),
        }
    }
}

/// The list in force, shared by all providers; a new one takes effect on the next call, cached tokens included.
#[derive(Debug, Default)]
pub struct RevocationList(ArcSwap<Revocations>);

impl RevocationList {
    /// A list holder with nothing revoked.
    pub fn empty() -> Arc<Self> {
        Arc::default()
    }

    /// Puts a new list in force.
    pub fn replace(&self, list: Revocations) {
        self.0.store(Arc::new(list));
    }

    /// Whether a token is revoked: see [`Revocations::covers`].
    pub fn covers(&self, jti: Option<&str>, subject: &str, issued: Option<Timestamp>) -> bool {
        self.0.load().covers(jti, subject, issued)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_tokens_and_subjects() {
        let list = Revocations::parse("# gone\njti t1\n\nsub mallory\nsub alice before 1000\n").unwrap();
        let at = |secs| Some(Timestamp::from_secs(secs));
        assert_eq!(list.len(), 3);
        assert!(list.covers(Some("t1"), "bob", at(5)));
        assert!(!list.covers(Some("t2"), "bob", at(5)));
        assert!(list.covers(None, "mallory", at(u64::from(u32::MAX))));
        assert!(list.covers(None, "alice", at(999)));
        assert!(!list.covers(None, "alice", at(1000)));
        assert!(list.covers(None, "alice", None));
    }

    #[test]
    fn reports_every_bad_line() {
        let errors = Revocations::parse("jti\nsub a before noon\nsub b\nban c").unwrap_err();
        assert_eq!(errors.iter().map(|e| e.line).collect::<Vec<_>>(), [1, 2, 4]);
    }
}
