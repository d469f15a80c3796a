//! Bodies by media type, and as what they are where they lie about it. A body that cannot be read as what it says it
//! is is judged as raw text and marked, never skipped.

use bytes::Bytes;
use portcullis_leaves::{Limits, Tree, media::MediaType};

use super::{
    pairs::{cut, is_plain_name, text_of},
    runs,
};
use crate::{
    inspector::{Judging, Spot},
    leaf::Where,
};

/// What the `Content-Type` says.
enum Declared {
    Json,
    Form,
    Multipart,
    Xml,
    Graphql,
    /// Text of no further syntax, no type, or one that is not known.
    Other,
}

/// What is looked at is bounded by the caller's limit on bodies and not by the shape: whether a body is too deep or too
/// wide for the API is for the schema to say, and must not hide a value from detection.
const LIMITS: Limits = Limits {
    depth_max: 20_000,
    members_max: 200_000,
    keys_max: 400_000,
    elements_max: 400_000,
    values_max: 2_000_000,
    string_bytes_max: 64 << 20,
    name_bytes_max: 64 << 10,
    number_bytes_max: 4 << 10,
    fields_max: 0,
    parts_max: 0,
    part_header_bytes_max: 0,
};

/// JSON documents, one a line, read one by one (ndjson); more are looked at as text.
const LINES_MAX: usize = 10_000;

impl Judging<'_> {
    /// Looks at a body; `content_type` is the header field's value.
    pub fn body(&mut self, content_type: Option<&[u8]>, body: &[u8]) {
        if body.trim_ascii().is_empty() {
            return;
        }
        let text = content_type.map(text_of).unwrap_or_default();
        let is_read = match declared(text) {
            Declared::Multipart => self.multipart(text, body) || self.sniffed(body),
            Declared::Xml => self.xml(body) || self.sniffed(body),
            Declared::Graphql => {
                self.graphql(&Spot::named(Where::Body, "query"), text_of(body)) || self.sniffed(body)
            }
            Declared::Json => self.json(body) || self.sniffed(body),
            Declared::Form => {
                self.sniffed(body) || {
                    self.pairs(Where::Body, body);
                    true
                }
            }
            Declared::Other => {
                let is_read = self.sniffed(body);
                if !is_read {
                    self.untyped(body);
                }
                true
            }
        };
        if !is_read {
            self.unread_body = Some("the body is not what its content type says");
            self.raw(body);
        }
    }

    /// Reads the body as what it looks like.
    fn sniffed(&mut self, body: &[u8]) -> bool {
        match body.trim_ascii_start().first() {
            Some(b'{' | b'[') => self.json(body),
            Some(b'<') => self.xml(body),
            _ => false,
        }
    }

    /// Text of no known type, which may still be a form, as clients send it that forget the type.
    fn untyped(&mut self, body: &[u8]) {
        match cut(body, b'=') {
            (name, Some(_)) if is_plain_name(name) => self.pairs(Where::Body, body),
            _ => self.raw(body),
        }
    }

    /// Looks at a body as one text, or at the texts in it if it is none.
    pub(crate) fn raw(&mut self, body: &[u8]) {
        let spot = Spot::named(Where::Body, "");
        self.value(&spot, body);
        if runs::is_binary(body) {
            for run in runs::texts(body) {
                self.value(&spot, run);
            }
        }
    }

    fn json(&mut self, body: &[u8]) -> bool {
        if let Ok(tree) = Tree::from_json(Bytes::copy_from_slice(body), &LIMITS) {
            self.tree(&tree, &|_| false);
            return true;
        }
        self.json_lines(body)
    }

    /// Documents one a line. All of them must be JSON, or none is looked at.
    fn json_lines(&mut self, body: &[u8]) -> bool {
        let mut trees = Vec::new();
        let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        for line in lines {
            match Tree::from_json(Bytes::copy_from_slice(line), &LIMITS) {
                Ok(tree) if trees.len() < LINES_MAX => trees.push(tree),
                _ => return false,
            }
        }
        trees.iter().for_each(|tree| self.tree(tree, &|_| false));
        trees.len() > 1
    }
}

fn declared(text: &str) -> Declared {
    let Ok(media) = MediaType::parse(text) else { return Declared::Other };
    if media.is_json() || media.subtype().to_ascii_lowercase().ends_with("json") {
        Declared::Json
    } else if media.is("application/x-www-form-urlencoded") {
        Declared::Form
    } else if media.main().eq_ignore_ascii_case("multipart") {
        Declared::Multipart
    } else if media.is("application/graphql") {
        Declared::Graphql
    } else if media.subtype().eq_ignore_ascii_case("xml")
        || media.suffix().is_some_and(|suffix| suffix.eq_ignore_ascii_case("xml"))
    {
        Declared::Xml
    } else {
        Declared::Other
    }
}

#[cfg(test)]
mod tests {
    use crate::{Inspector, Settings};

    fn is_refused(body: &str) -> bool {
        let inspector = Inspector::new(&Settings::default());
        let mut judging = inspector.judge(&|_| true);
        judging.body(Some(b"application/json"), body.as_bytes());
        judging.finish().is_attack
    }

    #[test]
    fn a_heap_of_marks_in_front_hides_no_attack() {
        for mark in ["javascript:", "../", "select a from b", "__proto__", "cmd.exe"] {
            let marks = format!("\"{mark}\",").repeat(100);
            assert!(is_refused(&format!("[{marks}\"' UNION SELECT password FROM users --\"]")), "{mark}");
            assert!(is_refused(&format!("[{marks}\";cat /etc/passwd\"]")), "{mark}");
            assert!(!is_refused(&format!("[{marks}\"hello\"]")), "{mark}");
        }
    }
}
