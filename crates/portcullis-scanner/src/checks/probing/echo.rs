//! Answers that repeat what was sent differ for that alone: read them as if something else had been sent.

use bytes::Bytes;

use crate::wire::Answer;

/// Values shorter than this stand in answers by accident, and are left as they are.
const SENT_BYTES_MIN: usize = 3;

/// The answer with every repetition of what was sent, in whatever escape, written as if `instead` had been sent.
pub(crate) fn as_if(answer: &Answer, sent: &str, instead: &str) -> Answer {
    if sent.len() < SENT_BYTES_MIN || sent == instead {
        return answer.clone();
    }
    let mut text = answer.text().into_owned();
    let mut changed = false;
    for form in forms(sent) {
        if text.contains(&form) {
            text = text.replace(&form, instead);
            changed = true;
        }
    }
    if !changed {
        return answer.clone();
    }
    let json = answer.json.as_ref().and_then(|_| serde_json::from_str(&text).ok());
    Answer { json, body: Bytes::from(text), ..answer.clone() }
}

/// The ways in which a text is repeated: as it is, in JSON, in HTML, percent-encoded; longest first, so that a form that
/// is part of another does not spoil it.
pub(crate) fn forms(text: &str) -> Vec<String> {
    let json = serde_json::Value::from(text).to_string();
    let json = json.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or_default().to_owned();
    let html = |quote: &str, apostrophe: &str| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', quote)
            .replace('\'', apostrophe)
    };
    let percent = percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let unicode: String = json
        .chars()
        .map(|it| match it {
            '<' | '>' | '&' | '\'' => format!("\\u{:04x}", u32::from(it)),
            other => other.to_string(),
        })
        .collect();
    let mut forms = vec![
        text.to_owned(),
        json,
        unicode,
        html("&quot;", "&#39;"),
        html("&quot;", "&#x27;"),
        html("&#34;", "&#39;"),
        html("\"", "'"),
        percent,
    ];
    forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::script::rehearse::{answer, text};

    #[test]
    fn reads_repetitions_as_if_the_good_value_had_been_sent() {
        let sent = "lamp'\"<x>";
        let json = answer(404, json!({"detail": format!("nothing for `{sent}`")}));
        assert_eq!(as_if(&json, sent, "lamp").json, Some(json!({"detail": "nothing for `lamp`"})));
        let html = text(200, "text/html", "<p>lamp&#39;&quot;&lt;x&gt;</p>");
        assert_eq!(as_if(&html, sent, "lamp").text(), "<p>lamp</p>");
    }

    #[test]
    fn leaves_answers_alone_that_repeat_nothing() {
        let plain = answer(200, json!({"a": "b"}));
        assert_eq!(as_if(&plain, "lamp'", "lamp"), plain);
        assert_eq!(as_if(&plain, "b", "lamp"), plain);
    }
}
