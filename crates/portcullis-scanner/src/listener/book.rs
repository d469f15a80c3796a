//! What came in, by token, within bounds that nobody outside can move.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::script::{Hit, Planted};

/// Hexadecimal digits of a token, as [`crate::script::Script::token`] makes them.
const TOKEN_DIGITS: usize = 20;
/// Visits kept of one token: a target that retries tells nothing new.
const HITS_PER_TOKEN_MAX: usize = 16;
/// Visits kept in all, about 64 MiB with the longest texts.
const HITS_MAX: usize = 32_768;
/// Tokens that nobody here asked for: all that a stranger can fill.
const STRANGE_TOKENS_MAX: usize = 8_192;
/// Bytes of one visit's text.
const TEXT_BYTES_MAX: usize = 2_048;

/// The book of visits.
#[derive(Debug, Default)]
pub(super) struct Book {
    pages: Mutex<Pages>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Pages {
    by_token: BTreeMap<String, Page>,
    hits: usize,
    strange: usize,
    dropped: u64,
}

#[derive(Debug, Default)]
struct Page {
    hits: Vec<Hit>,
    planted: Option<Planted>,
    /// Somebody here asked for it: it is no stranger's invention.
    expected: bool,
}

/// A token, if the text is one; case folded, since resolvers mix it on purpose.
pub(super) fn token(text: &str) -> Option<String> {
    (text.len() == TOKEN_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .then(|| text.to_ascii_lowercase())
}

impl Book {
    /// A poisoned lock is taken all the same: pages are whole between any two statements that could panic.
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn plant(&self, token: &str, planted: Planted) {
        let mut pages = self.pages();
        pages.expect(token).planted = Some(planted);
    }

    pub(super) fn expect(&self, token: &str) {
        self.pages().expect(token);
    }

    /// What is to be answered to a token.
    pub(super) fn planted(&self, token: &str) -> Option<Planted> {
        self.pages().by_token.get(token)?.planted.clone()
    }

    /// Writes a visit down.
    pub(super) fn write(&self, token: &str, by: &str, text: &str) {
        let mut pages = self.pages();
        if !pages.write(token, by, text) {
            pages.dropped = pages.dropped.saturating_add(1);
        }
        drop(pages);
        self.arrived.notify_waiters();
    }

    /// Comes back once there is a visit with this token.
    pub(super) async fn arrival(&self, token: &str) {
        loop {
            // Registered before looking, so that a visit between the two is not missed.
            let mut arrived = std::pin::pin!(self.arrived.notified());
            arrived.as_mut().enable();
            if self.pages().by_token.get(token).is_some_and(|page| !page.hits.is_empty()) {
                return;
            }
            arrived.await;
        }
    }

    pub(super) fn hits(&self, token: &str) -> Vec<Hit> {
        self.pages().by_token.get(token).map(|page| page.hits.clone()).unwrap_or_default()
    }

    pub(super) fn all(&self) -> Vec<(String, Vec<Hit>)> {
        let pages = self.pages();
        let visited = pages.by_token.iter().filter(|(_, page)| !page.hits.is_empty());
        visited.map(|(token, page)| (token.clone(), page.hits.clone())).collect()
    }

    pub(super) fn dropped(&self) -> u64 {
        self.pages().dropped
    }
}

impl Pages {
    fn expect(&mut self, token: &str) -> &mut Page {
        let page = self.by_token.entry(token.to_owned()).or_default();
        if !page.expected {
            page.expected = true;
            if !page.hits.is_empty() {
                self.strange = self.strange.saturating_sub(1);
            }
        }
        page
    }

    fn write(&mut self, token: &str, by: &str, text: &str) -> bool {
        if self.hits >= HITS_MAX {
            return false;
        }
        if !self.by_token.contains_key(token) {
            if self.strange >= STRANGE_TOKENS_MAX {
                return false;
            }
            self.strange += 1;
        }
        let page = self.by_token.entry(token.to_owned()).or_default();
        if page.hits.len() >= HITS_PER_TOKEN_MAX {
            return false;
        }
        let end = text.floor_char_boundary(TEXT_BYTES_MAX);
        let text = text.get(..end).unwrap_or_default().to_owned();
        page.hits.push(Hit { by: by.to_owned(), text });
        self.hits += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_bounded_number_of_visits_a_token_and_of_strange_tokens() {
        let book = Book::default();
        for _ in 0..HITS_PER_TOKEN_MAX + 3 {
            book.write("t", "http", "x");
        }
        assert_eq!(book.hits("t").len(), HITS_PER_TOKEN_MAX);
        assert_eq!(book.dropped(), 3);
        for number in 0..STRANGE_TOKENS_MAX {
            book.write(&number.to_string(), "dns", "x");
        }
        assert!(book.hits("8191").is_empty());
        book.expect("8191");
        book.write("8191", "dns", "x");
        assert_eq!(book.hits("8191").len(), 1);
    }

    #[test]
    fn cuts_texts_between_characters() {
        let book = Book::default();
        book.write("t", "http", &"ä".repeat(3_000));
        assert_eq!(book.hits("t")[0].text.len(), 2_048);
    }

    #[test]
    fn tells_tokens_from_other_words() {
        assert_eq!(token("00112233445566778899").as_deref(), Some("00112233445566778899"));
        assert_eq!(token("AABBCCDDEEFF00112233").as_deref(), Some("aabbccddeeff00112233"));
        assert_eq!(token("favicon.ico"), None);
        assert_eq!(token("0011223344556677889g"), None);
    }
}
