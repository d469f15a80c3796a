//! Whether a browser would run something of ours in a page: its tags are read as a browser reads them, as far as that
//! decides where text ends and markup begins.

use crate::wire::Answer;

/// Elements whose content is text up to their own end tag.
const RAW: &[&str] = &["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"];

/// Whether a browser takes the answer for a page.
pub(crate) fn is_page(answer: &Answer) -> bool {
    let attached =
        answer.header("content-disposition").is_some_and(|it| it.trim_start().starts_with("attachment"));
    let media = answer.media();
    !attached
        && !answer.body.is_empty()
        && (matches!(media.as_str(), "text/html" | "application/xhtml+xml" | "image/svg+xml")
            || (media.is_empty() && answer.header("x-content-type-options") != Some("nosniff")))
}

/// Whether the page's own policy keeps inline script from running (CSP 3).
pub(crate) fn forbids_script(answer: &Answer) -> bool {
    let Some(policy) = answer.header("content-security-policy") else { return false };
    let directive = |name: &str| {
        policy
            .split(';')
            .map(str::trim)
            .find_map(|it| it.strip_prefix(name).filter(|rest| rest.is_empty() || rest.starts_with(' ')))
    };
    directive("script-src-attr")
        .or_else(|| directive("script-src"))
        .or_else(|| directive("default-src"))
        .is_some_and(|sources| !sources.contains("'unsafe-inline'"))
}

/// What runs ours if it stands anywhere in markup: it leaves quotes, tags, comments and raw text, and then says the word
/// in an event handler.
pub(crate) fn payload(word: &str) -> String {
    format!("{word}'\" onfocus={word} \"'></title></textarea></script></style>--><svg onload={word}>")
}

/// Whether an element of the page has an event handler that is this word.
pub(crate) fn handles(page: &str, word: &str) -> bool {
    let mut rest = page;
    while let Some((_, after)) = rest.split_once('<') {
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, it)| it);
            continue;
        }
        if !after.starts_with(|it: char| it.is_ascii_alphabetic()) {
            rest = after;
            continue;
        }
        let end = after.find(|it: char| it.is_ascii_whitespace() || matches!(it, '/' | '>'));
        let Some((name, tail)) = end.and_then(|at| after.split_at_checked(at)) else { return false };
        let (found, tail) = attributes(tail, word);
        if found {
            return true;
        }
        let name = name.to_ascii_lowercase();
        rest = if RAW.contains(&name.as_str()) { behind_raw(tail, &name) } else { tail };
    }
    false
}

/// Reads attributes up to the tag's end: whether one of them is ours, and what is behind the tag.
fn attributes<'a>(mut rest: &'a str, word: &str) -> (bool, &'a str) {
    loop {
        rest = rest.trim_start_matches(|it: char| it.is_ascii_whitespace() || it == '/');
        if let Some(behind) = rest.strip_prefix('>') {
            return (false, behind);
        }
        if rest.is_empty() {
            return (false, rest);
        }
        // A name may begin with `=`, so the first character belongs to it whatever it is.
        let first = rest.chars().next().map_or(1, char::len_utf8);
        let end = rest
            .char_indices()
            .find(|(at, it)| *at >= first && (it.is_ascii_whitespace() || matches!(it, '=' | '>' | '/')))
            .map_or(rest.len(), |(at, _)| at);
        let Some((name, tail)) = rest.split_at_checked(end) else { return (false, "") };
        let (value, tail) = match tail.trim_start().strip_prefix('=') {
            Some(tail) => value(tail.trim_start()),
            None => ("", tail),
        };
        if value == word && name.len() > 2 && name.get(..2).is_some_and(|it| it.eq_ignore_ascii_case("on")) {
            return (true, tail);
        }
        rest = tail;
    }
}

fn value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return inner.split_once(quote).unwrap_or((inner, ""));
        }
    }
    let end = text.find(|it: char| it.is_ascii_whitespace() || it == '>').unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn behind_raw<'a>(text: &'a str, name: &str) -> &'a str {
    let lower = text.to_ascii_lowercase();
    let end = lower.match_indices("</").find(|(at, _)| {
        lower.get(at + 2..).and_then(|it| it.strip_prefix(name)).is_some_and(|it| {
            it.starts_with(|next: char| next.is_ascii_whitespace() || matches!(next, '>' | '/'))
        })
    });
    end.and_then(|(at, _)| text.get(at..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::rehearse::{answer, text};

    #[test]
    fn sees_ours_run_wherever_it_stands_unescaped() {
        let ours = payload("wordwordword");
        for page in [
            format!("<p>Nothing for {ours}</p>"),
            format!("<input value=\"{ours}\">"),
            format!("<input value='{ours}'>"),
            format!("<script>var a = \"{ours}\";</script>"),
            format!("<textarea>{ours}</textarea>"),
            format!("<title>{ours}</title>"),
            format!("<!-- {ours} -->"),
            format!("<input value=\"{}\">", ours.replace('<', "&lt;").replace('>', "&gt;")),
            format!("{{\"term\": {}}}", serde_json::Value::from(ours)),
        ] {
            assert!(handles(&page, "wordwordword"), "{page}");
        }
    }

    #[test]
    fn sees_text_as_text() {
        let ours = payload("wordwordword");
        let escaped = ours
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;");
        for page in [
            format!("<p>{escaped}</p>"),
            format!("<input value=\"{escaped}\">"),
            format!("<p>{}</p>", ours.replace('<', "&lt;")),
            format!("<script>var a = \"{}\";</script>", ours.replace('<', "\\u003c").replace('"', "\\\"")),
            String::from("<p onload=other>"),
        ] {
            assert!(!handles(&page, "wordwordword"), "{page}");
        }
    }

    #[test]
    fn knows_a_page_and_its_policy() {
        assert!(is_page(&text(200, "text/html; charset=utf-8", "x")));
        assert!(!is_page(&text(200, "text/plain", "x")));
        assert!(!is_page(&answer(200, serde_json::json!(1))));
        let mut page = text(200, "text/html", "x");
        page.headers.push(("content-security-policy".into(), "default-src 'self'".into()));
        assert!(forbids_script(&page));
        page.headers.pop();
        page.headers.push((
            "content-security-policy".into(),
            "default-src 'none'; script-src 'self' 'unsafe-inline'".into(),
        ));
        assert!(!forbids_script(&page));
    }

    proptest::proptest! {
        #[test]
        fn reads_any_page_without_failing(page in ".{0,200}") {
            let _ = handles(&page, "word");
        }
    }
}
