//! Scripts that read the document's secrets, or write its location and content.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::detectors::code::{cursor, strongest::Strongest};

const SPAN_BYTES: usize = 32;
const VALUE_BYTES_MAX: usize = 64;

/// What all of them name, so that other texts are searched once.
#[expect(clippy::expect_used, reason = "the names are constants, and a few of them fit any automaton")]
static NAMES: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let names = ["document", "self['cookie", "location", "innerhtml", "outerhtml"];
    AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(names).expect("constant names")
});

/// Reads of the cookie, writes of the location and of the page.
pub(super) fn look(lower: &[u8], strongest: &mut Strongest<'_, '_>) {
    if !NAMES.is_match(lower) {
        return;
    }
    const READS: [&[u8]; 6] = [
        b"document.cookie",
        b"document['cookie",
        b"document[\"cookie",
        b"document.domain",
        b"document['domain",
        b"self['cookie",
    ];
    for read in READS {
        let Some(start) = cursor::find(lower, read, 0) else { continue };
        let end = start + read.len();
        let before = cursor::before(lower, cursor::skip_filler_back(lower, start));
        let is_used = matches!(before, b'(' | b'+' | b'=' | b'[' | b'`' | b'{' | b',' | b'-' | b'^' | b'|');
        let score = if is_used || start <= 1 { 10 } else { 6 };
        strongest.offer(
            "document_read",
            score,
            start..end,
            "a script that reads the document's cookie or domain",
        );
    }
    for start in memchr::memmem::find_iter(lower, b"location") {
        let end = start + b"location".len();
        let member = cursor::part(lower, end + 1, cursor::word_end(lower, end + 1, 12));
        let is_address = matches!(member, b"hash" | b"search" | b"href" | b"origin" | b"pathname" | b"host");
        let is_read = match cursor::before(lower, start) {
            b'{' => cursor::before(lower, start.saturating_sub(1)) == b'$' && cursor::at(lower, end) == b'}',
            b'(' | b'[' | b'+' | b',' => cursor::at(lower, end) == b'.' && is_address,
            _ => false,
        };
        if is_read {
            strongest.offer("document_read", 10, start..end, "a script that reads the document's address");
        }
    }
    const WRITES: [&[u8]; 5] =
        [b"location", b"location.href", b"innerhtml", b"outerhtml", b"document.body.innerhtml"];
    for write in WRITES {
        for start in memchr::memmem::find_iter(lower, write) {
            let equals = cursor::skip_filler(lower, start + write.len());
            if cursor::at(lower, equals) != b'=' || cursor::at(lower, equals + 1) == b'=' {
                continue;
            }
            let before = cursor::before(lower, start);
            let value = cursor::part(lower, cursor::skip_filler(lower, equals + 1), lower.len());
            let is_text = leads_elsewhere(value);
            let is_statement =
                start == 0 || matches!(before, b'.' | b';' | b'{' | b'(' | b'}' | b',' | b'\'' | b'"');
            if is_text && is_statement {
                let span = start..(equals + SPAN_BYTES).min(lower.len());
                let score = if start == 0 || matches!(before, b';' | b'{' | b'}') { 10 } else { 9 };
                strongest.offer("document_write", score, span, "a script that moves or rewrites the page");
            }
        }
    }
}

/// Whether an assigned value is an address or markup; `location='Berlin'` is a filter.
fn leads_elsewhere(value: &[u8]) -> bool {
    let value = cursor::part(value, 0, VALUE_BYTES_MAX);
    match value.split_first() {
        Some((b'`', _)) => true,
        Some((quote @ (b'\'' | b'"'), rest)) => {
            let text = rest.split(|byte| byte == quote).next().unwrap_or_default();
            text.iter().any(|byte| matches!(byte, b':' | b'/' | b'<')) || rest.contains(&b'+')
        }
        _ => value.starts_with(b"//") || value.starts_with(b"name") && !cursor::is_word(cursor::at(value, 4)),
    }
}
