//! Messages taken apart into the values that rules look at, as ModSecurity v3 takes them apart.

use crate::bodies::urlencoded::hex;
use crate::bodies::{json, multipart, urlencoded, xml};
use crate::engine::Desk;
use crate::message::{Field, RequestHead, ResponseHead};
use crate::program::Program;
use crate::syntax::{BodyProcessor, Variable, XmlIntoArgs};
use crate::values::{ARGS_STRUCTURED, List, Span, Values};

/// Depth of JSON that is read where the rules do not say.
const JSON_DEPTH_MAX: usize = 10_000;
/// Depth of XML.
const XML_DEPTH_MAX: usize = 256;

/// Fills the variables of phase 1.
pub(crate) fn request_head(program: &Program, desk: &mut Desk, head: &RequestHead<'_>) {
    let values = &mut desk.values;
    if head.line.is_empty() {
        let start = values.open();
        values.extend(head.method);
        values.push(b' ');
        values.extend(head.uri);
        values.push(b' ');
        values.extend(head.protocol);
        let line = values.span_from(start);
        values.set_span(Variable::RequestLine, line);
    } else {
        values.set(Variable::RequestLine, head.line);
    }
    values.set(Variable::RequestMethod, head.method);
    values.set(Variable::RequestProtocol, head.protocol);
    addresses(program, values, head);
    let argument_bytes = uri(program, values, head.uri);
    values.set_number(Variable::ArgsCombinedSize, argument_bytes);
    for variable in [Variable::AuthType, Variable::ServerName] {
        values.set(variable, b"");
    }
    if program.reads(Variable::WebappId) {
        values.set(Variable::WebappId, program.settings.web_app_id.as_deref().unwrap_or_default());
    }
    desk.state.processor = fields(program, values, head.fields);
}

fn addresses(program: &Program, values: &mut Values, head: &RequestHead<'_>) {
    for (variable, address) in [
        (Variable::RemoteAddr, head.client.ip()),
        (Variable::RemoteHost, head.client.ip()),
        (Variable::ServerAddr, head.server.ip()),
    ] {
        if program.reads(variable) {
            values.set(variable, address.to_canonical().to_string().as_bytes());
        }
    }
    values.set_number(Variable::RemotePort, u64::from(head.client.port()));
    values.set_number(Variable::ServerPort, u64::from(head.server.port()));
}

/// The variables of the request target; the bytes of names and values of its arguments.
fn uri(program: &Program, values: &mut Values, uri: &[u8]) -> u64 {
    let raw = values.store(uri);
    values.set_span(Variable::RequestUriRaw, raw);
    // A fragment is no part of a request; only the raw forms show it.
    let end = memchr::memchr(b'#', uri).unwrap_or(uri.len());
    let whole = Values::part(raw, 0, end);
    let path_end = memchr::memchr(b'?', uri.get(..end).unwrap_or_default()).unwrap_or(end);
    let path = decoded(values, Values::part(raw, 0, path_end));
    let query = Values::part(raw, path_end + 1, end);
    values.set_span(Variable::QueryString, query);
    values.set_span(Variable::RequestFilename, path);
    values.set_span(Variable::PathInfo, path);
    let name_start =
        values.bytes(path).iter().rposition(|byte| matches!(byte, b'/' | b'\\')).map_or(0, |at| at + 1);
    values.set_span(Variable::RequestBasename, Values::part(path, name_start, path.len()));
    let decoded_whole = decoded(values, whole);
    let authority = authority_length(values.bytes(decoded_whole));
    values.set_span(Variable::RequestUri, Values::part(decoded_whole, authority, decoded_whole.len()));
    let list = List::of(Variable::ArgsGet);
    let parsed = urlencoded::parse(
        values,
        list,
        query,
        program.settings.argument_separator,
        arguments_room(program, values),
    );
    if parsed.invalid_escape {
        values.set(Variable::UrlencodedError, b"1");
    }
    parsed.bytes
}

/// Bytes of `scheme://host` before the path.
fn authority_length(uri: &[u8]) -> usize {
    if uri.starts_with(b"/") {
        return 0;
    }
    let Some(scheme) = memchr::memmem::find(uri, b"://") else { return 0 };
    let rest = uri.get(scheme + 3..).unwrap_or_default();
    memchr::memchr(b'/', rest).map_or(0, |path| scheme + 3 + path)
}

/// A span with its valid `%HH` decoded; itself where there is none.
fn decoded(values: &mut Values, span: Span) -> Span {
    if memchr::memchr(b'%', values.bytes(span)).is_none() {
        return span;
    }
    let start = values.open();
    let mut at = 0;
    while at < span.len() {
        let (byte, taken) = match values.bytes(Values::part(span, at, span.len())) {
            [b'%', high, low, ..] => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 3),
                _ => (b'%', 1),
            },
            [byte, ..] => (*byte, 1),
            [] => break,
        };
        values.push(byte);
        at += taken;
    }
    values.span_from(start)
}

/// Request headers, cookies, and the body processor that the content type asks for.
fn fields(program: &Program, values: &mut Values, fields: &[Field<'_>]) -> Option<BodyProcessor> {
    let mut processor = None;
    for (name, value) in fields {
        let name_span = values.store(name);
        let value_span = values.store(value);
        values.add(List::of(Variable::RequestHeaders), name_span, value_span);
        if name.eq_ignore_ascii_case(b"cookie") {
            let separator = match program.settings.cookie_format {
                crate::syntax::CookieFormat::Netscape => &b";"[..],
                crate::syntax::CookieFormat::Version1 => b";,",
            };
            cookies(values, value_span, separator);
        } else if name.eq_ignore_ascii_case(b"content-type") {
            let starts =
                |text: &[u8]| value.get(..text.len()).is_some_and(|head| head.eq_ignore_ascii_case(text));
            if starts(b"multipart/form-data") {
                processor = Some(BodyProcessor::Multipart);
            } else if starts(b"application/x-www-form-urlencoded") {
                processor = Some(BodyProcessor::UrlEncoded);
            }
        } else if name.eq_ignore_ascii_case(b"authorization") {
            let end = memchr::memchr(b' ', value).unwrap_or(value.len());
            values.set_span(Variable::AuthType, Values::part(value_span, 0, end));
        } else if name.eq_ignore_ascii_case(b"host") {
            let port = value.iter().rposition(|byte| *byte == b':').unwrap_or(value.len());
            let is_port = value.get(port + 1..).is_none_or(|rest| rest.iter().all(u8::is_ascii_digit));
            let end = if is_port { port } else { value.len() };
            values.set_span(Variable::ServerName, Values::part(value_span, 0, end));
        }
    }
    processor
}

fn cookies(values: &mut Values, header: Span, separators: &[u8]) {
    let bytes = values.bytes(header);
    let end = bytes.len() - bytes.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
    let mut start = 0;
    while start < end {
        let rest = values.bytes(Values::part(header, start, end));
        let length = rest.iter().position(|byte| separators.contains(byte)).unwrap_or(rest.len());
        let piece = rest.get(..length).unwrap_or_default();
        let blanks = piece.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let split = memchr::memchr(b'=', piece).unwrap_or(length);
        if split > blanks {
            let name = Values::part(header, start + blanks, start + split);
            let value = Values::part(header, start + split + 1, start + length);
            values.add(List::of(Variable::RequestCookies), name, value);
        }
        start += length + 1;
    }
}

/// Arguments that may still come.
fn arguments_room(program: &Program, values: &Values) -> usize {
    let lists = [List::of(Variable::ArgsGet), List::of(Variable::ArgsPost), ARGS_STRUCTURED];
    let taken: usize = lists.iter().map(|list| values.list(*list).len()).sum();
    program.settings.arguments_max.map_or(usize::MAX, |max| (max as usize).saturating_sub(taken))
}

/// Fills the variables of phase 2.
pub(crate) fn request_body(program: &Program, desk: &mut Desk, body: &[u8]) {
    let Desk { values, state, .. } = desk;
    let body_span = values.store(body);
    values.set_number(Variable::RequestBodyLength, body.len() as u64);
    let processor = state.processor;
    let settings = &program.settings;
    let no_files_max = settings.request_body_no_files_bytes_max.filter(|max| *max > 0).unwrap_or(u64::MAX);
    let is_whole = !matches!(processor, Some(BodyProcessor::Multipart));
    let mut outcome = Outcome::default();
    if body.is_empty() {
    } else if is_whole && processor.is_some() && body.len() as u64 > no_files_max {
        outcome.over_limit = true;
    } else {
        let room = arguments_room(program, values);
        match processor {
            Some(BodyProcessor::UrlEncoded) => {
                let list = List::of(Variable::ArgsPost);
                let parsed = urlencoded::parse(values, list, body_span, settings.argument_separator, room);
                if parsed.invalid_escape {
                    values.set(Variable::UrlencodedError, b"1");
                }
                outcome.argument_bytes = parsed.bytes;
            }
            Some(BodyProcessor::Json) => {
                let depth_max = settings.json_depth_max.map_or(JSON_DEPTH_MAX, |depth| depth as usize);
                let limits = json::Limits { depth_max, arguments_max: room };
                let (bytes, result) = json::parse(values, body, limits);
                outcome.argument_bytes = bytes;
                outcome.fault = result.err().map(|fault| format!("JSON parsing error: {fault}"));
            }
            Some(BodyProcessor::Xml) => {
                let into_args = state.xml_into_args.unwrap_or(settings.parse_xml_into_args);
                let wanted = xml::Wanted {
                    xpaths: if into_args == XmlIntoArgs::OnlyArgs { &[] } else { &program.xpaths },
                    leaves: into_args != XmlIntoArgs::Off,
                    depth_max: XML_DEPTH_MAX,
                    arguments_max: room,
                };
                let (bytes, result) = xml::parse(values, body, wanted);
                outcome.argument_bytes = bytes;
                outcome.fault = result.err().map(|fault| format!("XML parsing error: {fault}"));
            }
            Some(BodyProcessor::Multipart) => {
                outcome = multipart_body(program, values, body, room);
                outcome.over_limit |= outcome.no_files_bytes > no_files_max;
            }
            None => {}
        }
    }
    // XML is seen through `XML`, as in ModSecurity v2, for which the Core Rule Set is written, and not as text too, as in v3;
    // text that could not be taken apart is always seen.
    let is_xml = processor == Some(BodyProcessor::Xml);
    if !is_xml || state.force_request_body || outcome.fault.is_some() || outcome.over_limit {
        values.set_span(Variable::RequestBody, body_span);
    }
    outcome.write(values);
    if program.reads(Variable::FullRequest) || program.reads(Variable::FullRequestLength) {
        full_request(values, body);
    }
}

#[derive(Default)]
struct Outcome {
    argument_bytes: u64,
    no_files_bytes: u64,
    fault: Option<String>,
    over_limit: bool,
}

impl Outcome {
    fn write(&self, values: &mut Values) {
        let is_faulty = self.fault.is_some();
        let message = match &self.fault {
            Some(fault) => fault.as_str(),
            None if self.over_limit => "request body without files is larger than the limit",
            None => "",
        };
        let flag = |on: bool| if on { b"1" } else { b"0" };
        values.set(Variable::ReqbodyError, flag(is_faulty || self.over_limit));
        values.set(Variable::ReqbodyErrorMsg, message.as_bytes());
        values.set(Variable::ReqbodyProcessorError, flag(is_faulty));
        values.set(Variable::ReqbodyProcessorErrorMsg, self.fault.as_deref().unwrap_or_default().as_bytes());
        if self.over_limit {
            values.set(Variable::InboundDataError, b"1");
        }
        let query_bytes: usize = values
            .list(List::of(Variable::ArgsGet))
            .iter()
            .map(|entry| entry.name.len() + entry.value.len())
            .sum();
        values.set_number(Variable::ArgsCombinedSize, query_bytes as u64 + self.argument_bytes);
        if values.list(List::of(Variable::FilesCombinedSize)).is_empty() {
            values.set(Variable::FilesCombinedSize, b"0");
        }
    }
}

fn multipart_body(program: &Program, values: &mut Values, body: &[u8], room: usize) -> Outcome {
    const FILES_MAX: usize = 10_000;
    let content_type = values.list(List::of(Variable::RequestHeaders)).iter().rev();
    let content_type = content_type
        .filter(|entry| values.bytes(entry.name).eq_ignore_ascii_case(b"content-type"))
        .map(|entry| values.bytes(entry.value).to_vec())
        .next()
        .unwrap_or_default();
    let limits = multipart::Limits {
        files_max: program.settings.upload_files_max.map_or(FILES_MAX, |files| files as usize),
        arguments_max: room,
    };
    let parsed = multipart::parse(values, body, &content_type, limits);
    let flags = parsed.flags;
    for (variable, raised) in [
        (Variable::MultipartBoundaryQuoted, flags.boundary_quoted),
        (Variable::MultipartBoundaryWhitespace, flags.boundary_whitespace),
        (Variable::MultipartCrlfLfLines, flags.crlf_line && flags.lf_line),
        (Variable::MultipartDataAfter, flags.data_after),
        (Variable::MultipartDataBefore, flags.data_before),
        (Variable::MultipartFileLimitExceeded, flags.file_limit_exceeded),
        (Variable::MultipartHeaderFolding, flags.header_folding),
        (Variable::MultipartInvalidHeaderFolding, flags.invalid_header_folding),
        (Variable::MultipartInvalidPart, flags.invalid_part),
        (Variable::MultipartInvalidQuoting, flags.invalid_quoting),
        (Variable::MultipartLfLine, flags.lf_line),
        (Variable::MultipartMissingSemicolon, flags.missing_semicolon),
        (Variable::MultipartStrictError, flags.is_strict_error()),
    ] {
        values.set(variable, if raised { b"1" } else { b"0" });
    }
    values.set_number(Variable::MultipartUnmatchedBoundary, u64::from(flags.unmatched_boundary));
    values.set_number(Variable::FilesCombinedSize, parsed.files_bytes);
    Outcome {
        argument_bytes: parsed.argument_bytes,
        no_files_bytes: parsed.no_files_bytes,
        fault: parsed.fault.map(|fault| format!("Multipart parsing error: {fault}")),
        over_limit: false,
    }
}

fn full_request(values: &mut Values, body: &[u8]) {
    let headers: Vec<_> = values.list(List::of(Variable::RequestHeaders)).to_vec();
    let mut text = Vec::new();
    for header in headers {
        text.extend_from_slice(values.bytes(header.name));
        text.extend_from_slice(b": ");
        text.extend_from_slice(values.bytes(header.value));
        text.push(b'\n');
    }
    text.extend_from_slice(b"\n\n");
    text.extend_from_slice(body);
    values.set(Variable::FullRequest, &text);
    values.set_number(Variable::FullRequestLength, text.len() as u64);
}

/// Fills the variables of phase 3.
pub(crate) fn response_head(desk: &mut Desk, head: &ResponseHead<'_>) {
    let values = &mut desk.values;
    values.set_number(Variable::ResponseStatus, u64::from(head.status));
    values.set(Variable::ResponseProtocol, head.protocol);
    let start = values.open();
    values.extend(head.protocol);
    values.push(b' ');
    values.push_number(u64::from(head.status));
    let line = values.span_from(start);
    values.set_span(Variable::StatusLine, line);
    values.set(Variable::ResponseContentType, b"");
    for (name, value) in head.fields {
        let name_span = values.store(name);
        let value_span = values.store(value);
        values.add(List::of(Variable::ResponseHeaders), name_span, value_span);
        if name.eq_ignore_ascii_case(b"content-type") {
            let end = memchr::memchr(b';', value).unwrap_or(value.len());
            let media_type = value.get(..end).unwrap_or_default().trim_ascii_end();
            values.set_span(Variable::ResponseContentType, Values::part(value_span, 0, media_type.len()));
        }
    }
}

/// Fills the variables of phase 4.
pub(crate) fn response_body(program: &Program, desk: &mut Desk, body: &[u8]) {
    let values = &mut desk.values;
    if program.reads(Variable::ResponseBody) {
        values.set(Variable::ResponseBody, body);
    }
    values.set_number(Variable::ResponseContentLength, body.len() as u64);
}
