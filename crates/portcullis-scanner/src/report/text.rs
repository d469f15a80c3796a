//! Texts of a target, made harmless for people's eyes.

/// The text with what cannot be seen, or changes what is seen, written out: control characters but line ends and
/// tabs, and marks of direction (CVE-2021-42574) and width.
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => out.push(character),
            '\r' => {}
            it if it.is_control() || is_unseen(it) => out.push_str(&format!("\\u{{{:x}}}", u32::from(it))),
            it => out.push(it),
        }
    }
    out
}

fn is_unseen(character: char) -> bool {
    matches!(
        character,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// The same on one line.
pub(super) fn line(text: &str) -> String {
    visible(text).replace(['\n', '\t'], " ")
}

/// The first characters of a text, with a mark where there are more.
pub(super) fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// For HTML and XML, text and quoted attributes alike.
pub(super) fn markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for character in visible(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML 1.0 §2.2 has no place for these two.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            it => out.push(it),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hides() {
        assert_eq!(visible("a\u{1b}[31mb\r\n\u{202e}c\0"), "a\\u{1b}[31mb\n\\u{202e}c\\u{0}");
        assert_eq!(line("a\nb"), "a b");
        assert_eq!(markup("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
        assert_eq!(cut("äöü", 2), "äö…");
        assert_eq!(cut("äö", 2), "äö");
    }
}
