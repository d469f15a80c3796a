//! Log4j look-ups (CVE-2021-44228 and after), resolved as Log4j resolves them.
//!
//! `${${lower:j}ndi:…}` only becomes `${jndi:…}` once the inner look-ups are replaced, so they are: `lower:` and
//! `upper:` give their argument, everything else its default after `:-`, or nothing.

use smallvec::SmallVec;

use crate::detectors::code::{cursor, strongest::Strongest};

/// Resolves the look-ups of a value and judges what comes out.
pub(super) fn look(lower: &[u8], strongest: &mut Strongest<'_, '_>) {
    if !cursor::has(lower, b"${") && !cursor::has(lower, b"$\\{") {
        return;
    }
    let mut open: SmallVec<[Open; 8]> = SmallVec::new();
    let mut spelled = 0;
    let mut position = 0;
    while position < lower.len() {
        let byte = cursor::at(lower, position);
        if let Some(length) = opening(lower, position) {
            if open.len() >= DEPTH_MAX {
                strongest.offer("nested_lookups", 9, position..lower.len(), NESTED);
                return;
            }
            open.push(Open { start: position, text: Text::new() });
            position += length;
            continue;
        }
        position += 1;
        if byte == b'\\' && cursor::at(lower, position) == b'}' {
            continue;
        }
        if byte != b'}' {
            if let Some(inner) = open.last_mut() {
                inner.push(byte);
            }
            continue;
        }
        let Some(closed) = open.pop() else { continue };
        judge(&closed, position, strongest);
        if let Some(outer) = open.last_mut()
            && let Some(value) = resolve(&closed.text)
        {
            spelled += usize::from(value.len() == 1);
            value.iter().for_each(|byte| outer.push(*byte));
        }
    }
    // What is never closed counts as well: a filter or a later value may close it.
    let mut value = Text::new();
    while let Some(mut unclosed) = open.pop() {
        value.iter().for_each(|byte| unclosed.push(*byte));
        judge(&unclosed, lower.len(), strongest);
        value = resolve(&unclosed.text).unwrap_or_default();
    }
    if spelled >= SPELLED_MIN {
        strongest.offer("nested_lookups", 9, 0..lower.len(), NESTED);
    }
}

/// The bytes that open a look-up here, a backslash that some filters add included.
fn opening(lower: &[u8], position: usize) -> Option<usize> {
    if cursor::stands_at(lower, position, b"${") {
        return Some(2);
    }
    cursor::stands_at(lower, position, b"$\\{").then_some(3)
}

const NESTED: &str = "spells a word letter by letter with nested look-ups";

/// Deeper nesting is of no use but to hide.
const DEPTH_MAX: usize = 24;

/// Single letters that look-ups give before it is spelling.
const SPELLED_MIN: usize = 3;

type Text = SmallVec<[u8; 32]>;

/// A look-up being read.
struct Open {
    start: usize,
    /// Its resolved text as far as it matters.
    text: Text,
}

const TEXT_BYTES_MAX: usize = 48;

impl Open {
    fn push(&mut self, byte: u8) {
        // The name decides and, of a default, the beginning.
        if self.text.len() < TEXT_BYTES_MAX {
            self.text.push(byte);
        }
    }
}

/// What replaces a look-up in the text around it; `None` for one that has no value here.
fn resolve(text: &[u8]) -> Option<Text> {
    for changed in [&b"lower:"[..], b"upper:"] {
        if let Some(value) = text.strip_prefix(changed) {
            // The dotless i becomes an `I` in upper case.
            let value = if value == "ı".as_bytes() { b"i" } else { value };
            return Some(Text::from_slice(value));
        }
    }
    if let Some(value) = text.strip_prefix(b"date:") {
        let letters = value.iter().filter(|byte| **byte != b'\'' && **byte != b'"');
        return Some(letters.copied().collect());
    }
    let default = memchr::memmem::find(text, b":-")?;
    Some(Text::from_slice(cursor::part(text, default + 2, text.len())))
}

fn judge(open: &Open, end: usize, strongest: &mut Strongest<'_, '_>) {
    let text = open.text.trim_ascii_start();
    let span = open.start..end;
    let is = |name: &[u8]| text.starts_with(name);
    if is(b"jndi:")
        || is(b"jndi") && text.get(4..).is_some_and(|rest| rest.trim_ascii_start().starts_with(b":"))
    {
        strongest.offer("jndi_lookup", 10, span, "a look-up that makes Log4j load an object from a server");
    } else if is(b"script:") || is(b"dns:address") || is(b"url:utf-8:") || is(b"url:http") || is(b"base64:") {
        strongest.offer(
            "text_lookup",
            10,
            span,
            "a look-up that runs a script, fetches a URL or hides another look-up",
        );
    } else if [
        &b"env:"[..],
        b"sys:",
        b"java:",
        b"ctx:",
        b"main:",
        b"bundle:",
        b"hostname",
        b"docker:",
        b"k8s:",
        b"web:",
    ]
    .iter()
    .any(|name| is(name))
    {
        strongest.offer(
            "log_lookup",
            4,
            span,
            "a look-up that Log4j replaces by a secret of its environment",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_as_log4j_does() {
        let check = |text: &[u8]| resolve(text).map(|it| String::from_utf8_lossy(&it).into_owned());
        assert_eq!(check(b"lower:j").as_deref(), Some("j"));
        assert_eq!(check(b"::-n").as_deref(), Some("n"));
        assert_eq!(check(b"env:nothing:-:").as_deref(), Some(":"));
        assert_eq!(check(b"date:'d'").as_deref(), Some("d"));
        assert_eq!(check("upper:ı".as_bytes()).as_deref(), Some("i"));
        assert_eq!(check(b"hostname"), None);
    }
}
