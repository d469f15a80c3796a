//! `Content-Disposition` of a part (RFC 7578 §4.2), as far as it says what the part is.

/// The name of a part's field and of its file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Disposition<'p> {
    pub(super) name: &'p [u8],
    /// Only where every receiver takes the part for a file: what is one to some is looked at as a field.
    pub(super) filename: Option<&'p [u8]>,
}

impl<'p> Disposition<'p> {
    /// Reads the field among the header fields of a part.
    pub(super) fn of(head: &'p [u8]) -> Self {
        const FIELD: &[u8] = b"content-disposition";
        let is_disposition = |line: &&[u8]| {
            line.split_at_checked(FIELD.len()).is_some_and(|(name, rest)| {
                name.eq_ignore_ascii_case(FIELD) && rest.trim_ascii_start().starts_with(b":")
            })
        };
        let mut lines = head.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|line| !line.is_empty());
        let Some(line) = lines.by_ref().find(is_disposition) else { return Self::default() };
        // A second field, a folded line, an escaped quote: receivers differ in what they make of them.
        let is_plain = !lines
            .any(|line| is_disposition(&line) || line.starts_with(b" ") || line.starts_with(b"\t"))
            && memchr::memmem::find(line, b"\\\"").is_none();
        let filename = parameter(line, b"filename").filter(|_| is_plain);
        Self { name: parameter(line, b"name").unwrap_or_default(), filename }
    }
}

/// The first parameter of that name; what stands within quotes is no parameter.
fn parameter<'p>(line: &'p [u8], wanted: &[u8]) -> Option<&'p [u8]> {
    let mut rest = line;
    loop {
        let (at, _) = unquoted(rest).find(|(_, byte)| *byte == b';')?;
        rest = rest.get(at + 1..)?;
        let end = unquoted(rest).find(|(_, byte)| *byte == b';').map_or(rest.len(), |(at, _)| at);
        let (one, _) = rest.split_at_checked(end)?;
        let Some((name, value)) = memchr::memchr(b'=', one).and_then(|at| one.split_at_checked(at)) else {
            continue;
        };
        if name.trim_ascii().eq_ignore_ascii_case(wanted) {
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            let inside =
                value.strip_prefix(b"\"").map(|it| it.split(|byte| *byte == b'"').next().unwrap_or(it));
            return Some(inside.unwrap_or(value));
        }
    }
}

/// The bytes outside quotes, with where they stand.
fn unquoted(text: &[u8]) -> impl Iterator<Item = (usize, u8)> + '_ {
    let mut is_quoted = false;
    text.iter().copied().enumerate().filter(move |(_, byte)| {
        if *byte == b'"' {
            is_quoted = !is_quoted;
        }
        !is_quoted && *byte != b'"'
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &str, name: &str, filename: Option<&str>) {
        let expected = Disposition { name: name.as_bytes(), filename: filename.map(str::as_bytes) };
        assert_eq!(Disposition::of(head.as_bytes()), expected, "{head}");
    }

    #[test]
    fn reads_the_names() {
        check("Content-Disposition: form-data; name=\"a\"", "a", None);
        check("content-disposition:form-data;filename=x.txt; NAME=a", "a", Some("x.txt"));
        check(
            "Content-Type: a/b\r\nContent-Disposition: form-data; name=a; filename=\"b;c\"",
            "a",
            Some("b;c"),
        );
        check("", "", None);
        check("Content-Disposition: form-data; filename=\"", "", Some(""));
    }

    #[test]
    fn a_file_is_what_all_take_for_one() {
        check("X: filename=a.txt\r\nContent-Disposition: form-data; name=\"q\"", "q", None);
        check("Content-Disposition: form-data; name=\"q; filename=a.txt\"", "q; filename=a.txt", None);
        check("Content-Disposition: form-data; name=\"q\"; filename*=utf-8''a.txt", "q", None);
        check("Content-Disposition: form-data; name=\"q\\\"; filename=\"a.txt\"", "q\\", None);
        let twice =
            "Content-Disposition: form-data; name=q; filename=a\r\nContent-Disposition: form-data; name=r";
        check(twice, "q", None);
        check("Content-Disposition: form-data; name=q;\r\n filename=a", "q", None);
    }
}
