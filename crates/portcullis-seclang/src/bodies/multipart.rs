//! `multipart/form-data` bodies: parts as arguments and files, and the flags by which rules see what is not as it should be.
//!
//! The flags are ModSecurity v3's. Unlike it this reader has no line buffer: a line of any length is one line, and bytes
//! of values are kept as they are. What was read before a fault stays visible to the rules.

mod boundary;
mod disposition;

use crate::syntax::Variable;
use crate::values::{List, Span, Values};

/// How much a body may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Files.
    pub(crate) files_max: usize,
    /// Parts that are no files.
    pub(crate) arguments_max: usize,
}

/// One header line of a part.
const HEADER_LINE_BYTES_MAX: usize = 4096;
/// Header lines of a part.
const PART_HEADERS_MAX: usize = 64;

/// What rules see as `MULTIPART_…`, each 0 or 1 but for the unmatched boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Flags {
    pub(crate) fault: bool,
    pub(crate) data_before: bool,
    pub(crate) data_after: bool,
    pub(crate) boundary_quoted: bool,
    pub(crate) boundary_whitespace: bool,
    pub(crate) header_folding: bool,
    pub(crate) invalid_header_folding: bool,
    pub(crate) invalid_part: bool,
    pub(crate) invalid_quoting: bool,
    pub(crate) lf_line: bool,
    pub(crate) crlf_line: bool,
    pub(crate) missing_semicolon: bool,
    pub(crate) file_limit_exceeded: bool,
    /// 1: a line that resembles a boundary; 2: boundaries matched.
    pub(crate) unmatched_boundary: u8,
}

impl Flags {
    /// `MULTIPART_STRICT_ERROR`.
    pub(crate) const fn is_strict_error(self) -> bool {
        self.fault
            || self.boundary_quoted
            || self.boundary_whitespace
            || self.data_before
            || self.data_after
            || self.header_folding
            || self.lf_line
            || self.missing_semicolon
            || self.invalid_quoting
            || self.invalid_part
            || self.invalid_header_folding
            || self.file_limit_exceeded
    }
}

/// What was found besides the values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Parsed {
    pub(crate) flags: Flags,
    /// The first fault, for `REQBODY_ERROR_MSG`.
    pub(crate) fault: Option<String>,
    /// Bytes of the body without the content of files.
    pub(crate) no_files_bytes: u64,
    /// Bytes of the content of files.
    pub(crate) files_bytes: u64,
    /// Bytes of names and values of arguments.
    pub(crate) argument_bytes: u64,
}

/// A part under construction.
#[derive(Default)]
struct Part<'a> {
    /// Name and value of each header; a folded header is joined with a blank.
    headers: Vec<(&'a [u8], Vec<u8>)>,
    /// Whole lines, for `MULTIPART_PART_HEADERS`.
    lines: Vec<Vec<u8>>,
    name: Option<Vec<u8>>,
    filename: Option<Vec<u8>>,
    in_body: bool,
    /// Where its content begins and ends, the last line end left out.
    content: Option<(usize, usize)>,
}

struct Reading<'a> {
    values: &'a mut Values,
    body: &'a [u8],
    limits: Limits,
    parsed: Parsed,
    part: Option<Part<'a>>,
    files: usize,
    arguments: usize,
}

/// Reads a body that came with the header value `content_type`.
pub(crate) fn parse(values: &mut Values, body: &[u8], content_type: &[u8], limits: Limits) -> Parsed {
    let mut parsed = Parsed::default();
    let boundary = match boundary::parse(content_type, &mut parsed.flags) {
        Ok(boundary) => boundary,
        Err(reason) => {
            parsed.flags.fault = true;
            parsed.fault = Some(reason.to_owned());
            return parsed;
        }
    };
    let mut reading = Reading { values, body, limits, parsed, part: None, files: 0, arguments: 0 };
    if !body.is_empty() {
        reading.lines(boundary);
    }
    reading.parsed
}

/// What a line is to a boundary.
enum Line {
    Boundary { is_final: bool },
    Invalid(&'static str),
    Resembles,
    Data,
}

impl<'a> Reading<'a> {
    fn lines(&mut self, boundary: &[u8]) {
        let mut at = 0;
        let mut boundaries = 0usize;
        let mut is_complete = false;
        let mut previous_is_lf_only = false;
        while at < self.body.len() {
            if is_complete {
                self.parsed.flags.data_after = true;
                break;
            }
            let rest = self.body.get(at..).unwrap_or_default();
            let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            let line = rest.get(..length).unwrap_or_default();
            match self.kind(line, boundary) {
                Line::Boundary { is_final } => {
                    let at_start_of_content = self.part.as_ref().is_some_and(|part| part.content.is_none());
                    if previous_is_lf_only && boundaries > 0 {
                        self.parsed.flags.lf_line = true;
                    }
                    if at_start_of_content {
                        self.parsed.flags.invalid_part = true;
                    }
                    if boundaries > 0 {
                        self.parsed.flags.unmatched_boundary = 2;
                    }
                    self.note_line_end(line);
                    self.finish_part();
                    boundaries += 1;
                    is_complete = is_final;
                    if !is_final {
                        self.part = Some(Part::default());
                    }
                }
                Line::Invalid(reason) => {
                    self.fault(reason);
                    self.data(line, at);
                }
                Line::Resembles => {
                    self.parsed.flags.unmatched_boundary = 1;
                    self.data(line, at);
                }
                Line::Data => {
                    self.data(line, at);
                }
            }
            previous_is_lf_only = line.ends_with(b"\n") && !line.ends_with(b"\r\n");
            at += length;
        }
        if !is_complete {
            self.finish_part();
            self.fault(if boundaries > 0 {
                "final boundary missing"
            } else {
                "no boundaries found in payload"
            });
        }
    }

    fn kind(&self, line: &[u8], boundary: &[u8]) -> Line {
        let Some(after_dashes) = line.strip_prefix(b"--") else {
            // A boundary within a line is what a laxer reader might take for one.
            let resembles = memchr::memmem::find_iter(line, b"--")
                .any(|at| line.get(at + 2..).is_some_and(|rest| rest.starts_with(boundary)));
            return if resembles { Line::Resembles } else { Line::Data };
        };
        if let Some(after) = after_dashes.strip_prefix(boundary) {
            let (is_final, end) = after.strip_prefix(b"--").map_or((false, after), |end| (true, end));
            return match end {
                b"\r\n" | b"\n" => Line::Boundary { is_final },
                b"" if is_final => Line::Boundary { is_final },
                _ => Line::Invalid("invalid boundary"),
            };
        }
        if self.parsed.flags.boundary_quoted
            && after_dashes.strip_prefix(b"\"").is_some_and(|rest| rest.starts_with(boundary))
        {
            return Line::Invalid("invalid boundary (quotes)");
        }
        if after_dashes.first().is_some_and(u8::is_ascii_whitespace)
            && after_dashes.trim_ascii_start().starts_with(boundary)
        {
            return Line::Invalid("invalid boundary (whitespace)");
        }
        if line.len() > 3 { Line::Resembles } else { Line::Data }
    }

    fn note_line_end(&mut self, line: &[u8]) {
        if line.ends_with(b"\r\n") {
            self.parsed.flags.crlf_line = true;
        } else if line.ends_with(b"\n") {
            self.parsed.flags.lf_line = true;
        }
    }

    fn fault(&mut self, reason: &str) {
        self.parsed.flags.fault = true;
        if self.parsed.fault.is_none() {
            self.parsed.fault = Some(reason.to_owned());
        }
    }

    /// A line that is no boundary.
    fn data(&mut self, line: &'a [u8], at: usize) {
        let Some(part) = self.part.as_mut() else {
            self.parsed.flags.data_before = true;
            return;
        };
        if part.in_body {
            let start = part.content.map_or(at, |(start, _)| start);
            part.content = Some((start, at + line.len()));
            return;
        }
        self.parsed.no_files_bytes += line.len() as u64;
        if matches!(line, b"\r\n" | b"\n") {
            self.note_line_end(line);
            self.end_of_headers();
        } else {
            self.note_line_end(line);
            self.header_line(line);
        }
    }

    fn header_line(&mut self, line: &'a [u8]) {
        let Some(mut part) = self.part.take() else { return };
        if let Err(reason) = self.header(&mut part, line) {
            self.fault(reason);
        }
        self.part = Some(part);
    }

    fn header(&mut self, part: &mut Part<'a>, line: &'a [u8]) -> Result<(), &'static str> {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if line.len() > HEADER_LINE_BYTES_MAX {
            return Err("part header line too long");
        }
        if text.contains(&0) {
            self.parsed.flags.invalid_part = true;
            return Err("NUL byte in part headers");
        }
        if text.first().is_some_and(|first| first.is_ascii_whitespace() || *first == 0x0b) {
            return self.folded(part, text);
        }
        let colon = memchr::memchr(b':', text).ok_or("invalid part header (colon missing)")?;
        let name = text.get(..colon).unwrap_or_default();
        let value = text.get(colon + 1..).unwrap_or_default();
        let is_duplicate = part.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        if part.lines.len() < PART_HEADERS_MAX {
            part.lines.push(text.to_vec());
            if !is_duplicate {
                let start =
                    value.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(value.len());
                part.headers.push((name, value.get(start..).unwrap_or_default().to_vec()));
            }
        } else {
            return Err("too many part headers");
        }
        if name.is_empty() {
            return Err("invalid part header (header name missing)");
        }
        if name.iter().any(|byte| !(33..=126).contains(byte)) {
            return Err("invalid part header (contains invalid character)");
        }
        if is_duplicate { Err("duplicate part header") } else { Ok(()) }
    }

    fn folded(&mut self, part: &mut Part<'a>, text: &[u8]) -> Result<(), &'static str> {
        self.parsed.flags.header_folding = true;
        let blank = text.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x0b);
        if blank.clone().any(|byte| !matches!(byte, b' ' | b'\t')) {
            self.parsed.flags.invalid_header_folding = true;
        }
        let more = text.get(blank.count()..).unwrap_or_default();
        let (Some((_, value)), Some(line)) = (part.headers.last_mut(), part.lines.last_mut()) else {
            return Err("invalid part header (folding error)");
        };
        if value.len() + more.len() > HEADER_LINE_BYTES_MAX {
            return Err("part header too long");
        }
        for text in [value, line] {
            text.push(b' ');
            text.extend_from_slice(more);
        }
        Ok(())
    }

    fn end_of_headers(&mut self) {
        let Some(mut part) = self.part.take() else { return };
        part.in_body = true;
        let disposition =
            part.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(b"content-disposition"));
        match disposition {
            None => self.fault("part missing Content-Disposition header"),
            Some((_, value)) => {
                let found = disposition::parse(value);
                if found.invalid_quoting {
                    self.parsed.flags.invalid_quoting = true;
                }
                for (list, text) in
                    [(Variable::MultipartName, &found.name), (Variable::MultipartFilename, &found.filename)]
                {
                    if let Some(text) = text {
                        let span = self.values.store(text);
                        self.values.add(List::of(list), span, span);
                    }
                }
                part.name = found.name;
                part.filename = found.filename;
                if let Some(reason) = found.fault {
                    self.fault(reason);
                } else if part.name.as_ref().is_none_or(Vec::is_empty) {
                    self.fault("Content-Disposition header missing name field");
                }
            }
        }
        self.part = Some(part);
    }

    fn finish_part(&mut self) {
        let Some(part) = self.part.take() else { return };
        let name = self.values.store(part.name.as_deref().unwrap_or_default());
        for line in &part.lines {
            let line = self.values.store(line);
            self.values.add(List::of(Variable::MultipartPartHeaders), name, line);
        }
        if part.name.as_ref().is_none_or(Vec::is_empty) {
            self.parsed.flags.invalid_part = true;
        }
        let (start, end) = part.content.unwrap_or_default();
        let content = self.body.get(start..end).unwrap_or_default();
        let content =
            content.strip_suffix(b"\n").map_or(content, |text| text.strip_suffix(b"\r").unwrap_or(text));
        match &part.filename {
            // Content without a name is none the less what an application may read.
            Some(filename) if !filename.is_empty() => self.file(name, filename, content),
            _ if name.len() == 0 && content.is_empty() => {}
            _ => self.argument(name, content),
        }
    }

    fn file(&mut self, name: Span, filename: &[u8], content: &[u8]) {
        if self.files == self.limits.files_max {
            self.parsed.flags.file_limit_exceeded = true;
            self.fault("more files than the limit allows");
            return;
        }
        self.files += 1;
        self.parsed.files_bytes += content.len() as u64;
        let filename = self.values.store(filename);
        self.values.add(List::of(Variable::Files), name, filename);
        let start = self.values.open();
        self.values.push_number(content.len() as u64);
        let size = self.values.span_from(start);
        self.values.add(List::of(Variable::FilesSizes), name, size);
        let content = self.values.store(content);
        self.values.add(List::of(Variable::FilesTmpContent), name, content);
    }

    fn argument(&mut self, name: Span, content: &[u8]) {
        self.parsed.no_files_bytes += content.len() as u64;
        if self.arguments == self.limits.arguments_max {
            self.fault("more arguments than the limit allows");
            return;
        }
        self.arguments += 1;
        self.parsed.argument_bytes += (name.len() + content.len()) as u64;
        let content = self.values.store(content);
        self.values.add(List::of(Variable::ArgsPost), name, content);
    }
}

#[cfg(test)]
#[path = "multipart_tests.rs"]
mod tests;
