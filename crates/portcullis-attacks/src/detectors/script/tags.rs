//! Tags that run or load something by being there.

use crate::{
    detectors::code::{cursor, strongest::Strongest},
    leaf::Field,
    view::View,
};

/// Judges every tag. A `<` inside an attribute or a comment counts as well: the value may land behind a quote or a
/// comment's end.
pub(super) fn look(view: &View<'_>, strongest: &mut Strongest<'_, '_>) {
    for open in memchr::memchr_iter(b'<', view.lower) {
        if let Some(tag) = read(view.lower, open) {
            judge(view, &tag, strongest);
        }
        if strongest.is_certain() {
            return;
        }
    }
}

/// A tag as far as it matters here.
struct Tag<'a> {
    is_end: bool,
    /// Without a namespace, which browsers honour in XHTML: `svg:script`.
    name: &'a [u8],
    /// All up to the `>`, the next `<`, or 512 bytes.
    attributes: &'a [u8],
    is_closed: bool,
    start: usize,
    end: usize,
}

const NAME_BYTES_MAX: usize = 32;
const ATTRIBUTES_BYTES_MAX: usize = 512;
const BLANKS_MAX: usize = 8;

fn read(lower: &[u8], start: usize) -> Option<Tag<'_>> {
    let mut from = start + 1;
    while cursor::is_blank(cursor::at(lower, from)) && from < lower.len().min(start + BLANKS_MAX) {
        from += 1;
    }
    let had_blanks = from > start + 1;
    let is_end = cursor::at(lower, from) == b'/';
    if is_end {
        from += 1;
    }
    let named = cursor::part(lower, from, from + NAME_BYTES_MAX);
    let length =
        named.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'?')).count();
    let whole = named.get(..length)?;
    let name = whole.rsplit(|byte| *byte == b':').next().unwrap_or_default();
    let first = *name.first()?;
    // No browser takes `< script >` for a tag, but filters between here and the browser drop the blanks.
    if !(first.is_ascii_alphabetic() || first == b'?') || had_blanks && name != b"script" {
        return None;
    }
    let rest = cursor::part(lower, from + length, from + length + ATTRIBUTES_BYTES_MAX);
    // The next `<` ends it too: what follows is judged as a tag of its own, and no byte is looked at twice.
    let end = memchr::memchr2(b'>', b'<', rest);
    let attributes = rest.get(..end.unwrap_or(rest.len()))?;
    let is_closed = end.is_some_and(|end| cursor::at(rest, end) == b'>');
    if had_blanks && !is_closed {
        return None;
    }
    Some(Tag { is_end, name, attributes, is_closed, start, end: from + length + attributes.len() })
}

fn judge(view: &View<'_>, tag: &Tag<'_>, strongest: &mut Strongest<'_, '_>) {
    let span = tag.start..tag.end;
    let has_attribute = |name: &[u8]| attribute(tag.attributes, name).is_some();
    // Embedded players and style sheets are what markup is for in a field for it.
    let foreign = match view.leaf.field {
        Field::Markup | Field::Prose | Field::Code => 5,
        _ => 10,
    };
    if tag.is_end {
        if tag.name == b"script" {
            strongest.offer("script_end_tag", 6, span, "ends a script block that the page may have open");
        }
        return;
    }
    match tag.name {
        b"script" => {
            let after = cursor::at(view.lower, tag.start + 1 + "script".len());
            let score = match tag.attributes.first() {
                None => 10,
                _ if tag.is_closed || has_attribute(b"src") || has_attribute(b"href") => 10,
                Some(b'/') => 10,
                Some(b'<' | b'(') => 8,
                _ if cursor::is_blank(after) && tag.attributes.contains(&b'=') => 8,
                _ => 3,
            };
            strongest.offer("script_tag", score, span, "a script element, which the browser runs");
        }
        b"iframe" | b"frame" | b"embed" | b"object" | b"applet" | b"portal" | b"fencedframe" => {
            let loads =
                [&b"src"[..], b"data", b"code", b"codebase", b"classid"].into_iter().any(has_attribute)
                    || attribute(tag.attributes, b"type")
                        .is_some_and(|value| cursor::has(cursor::part(value, 0, 24), b"html"));
            if has_attribute(b"srcdoc") {
                strongest.offer(
                    "frame_document",
                    10,
                    span,
                    "a frame whose document is written in its attribute",
                );
            } else if loads {
                strongest.offer(
                    "embedded_document",
                    foreign,
                    span,
                    "embeds a foreign document into the page",
                );
            }
        }
        b"base" if has_attribute(b"href") => {
            strongest.offer("base_tag", 10, span, "moves every relative URL of the page to another place");
        }
        b"meta"
            if has_attribute(b"http-equiv")
                || cursor::has(tag.attributes, b"utf-7")
                || cursor::has(tag.attributes, b"utf7") =>
        {
            strongest.offer(
                "meta_directive",
                foreign.max(7),
                span,
                "gives the browser a directive: refresh, cookie, character set",
            );
        }
        b"link"
            if has_attribute(b"href")
                && cursor::has_any(tag.attributes, &[b"stylesheet", b"import", b"script"]) =>
        {
            strongest.offer(
                "foreign_style",
                foreign,
                span,
                "loads a style sheet or a document into the page",
            );
        }
        b"style" => {
            let body = cursor::part(view.lower, tag.end, tag.end + ATTRIBUTES_BYTES_MAX);
            let body = body.split(|byte| *byte == b'<').next().unwrap_or_default();
            if is_running_style(body) {
                strongest.offer("running_style", 10, span, "a style sheet that loads or computes by code");
            }
        }
        b"animate" | b"set" | b"animatetransform" | b"animatemotion" => {
            let target = attribute(tag.attributes, b"attributename").unwrap_or_default();
            let target = target.trim_ascii_start();
            let target = target.strip_prefix(b"\"").or_else(|| target.strip_prefix(b"'")).unwrap_or(target);
            if target.starts_with(b"on") || target.starts_with(b"href") || target.starts_with(b"xlink") {
                strongest.offer(
                    "animated_attribute",
                    10,
                    span,
                    "an animation that sets an event handler or a URL",
                );
            }
        }
        b"use"
            if cursor::has(tag.attributes, b"href")
                && !cursor::has_any(tag.attributes, &[b"=\"#", b"='#", b"=#"]) =>
        {
            strongest.offer("foreign_graphic", foreign, span, "a graphic that loads another document");
        }
        b"?import" | b"import" | b"?xml"
            if cursor::has_any(tag.attributes, &[b"implementation", b"stylesheet"]) =>
        {
            let score = if tag.name == b"?xml" && !has_attribute(b"href") { 7 } else { 10 };
            strongest.offer(
                "processing_instruction",
                score,
                span,
                "a processing instruction that loads code",
            );
        }
        b"xss" => {
            strongest.offer("probe_tag", 10, span, "an element that exists in no markup but that of probes");
        }
        b"isindex" | b"bgsound" | b"layer" | b"ilayer" | b"handler" | b"listener"
            if tag.attributes.contains(&b'=') =>
        {
            strongest.offer(
                "obsolete_running_tag",
                8,
                span,
                "an obsolete element that is of use to exploits alone",
            );
        }
        _ => {}
    }
    judge_attributes(tag, foreign, strongest);
}

/// Attributes that run in any element.
fn judge_attributes(tag: &Tag<'_>, foreign: u8, strongest: &mut Strongest<'_, '_>) {
    if !tag.attributes.contains(&b'=') {
        return;
    }
    let span = tag.start..tag.end;
    if attribute(tag.attributes, b"srcdoc").is_some() {
        strongest.offer(
            "frame_document",
            9,
            span.clone(),
            "a frame whose document is written in its attribute",
        );
    }
    if attribute(tag.attributes, b"style").is_some_and(is_running_style) {
        strongest.offer("running_style", 10, span.clone(), "a style that loads or computes by code");
    }
    let is_foreign = |value: &[u8]| cursor::has(cursor::part(value, 0, 24), b"//");
    if [&b"background"[..], b"dynsrc", b"lowsrc"]
        .iter()
        .any(|name| attribute(tag.attributes, name).is_some_and(is_foreign))
    {
        strongest.offer(
            "foreign_background",
            foreign,
            span.clone(),
            "an obsolete attribute that loads something foreign",
        );
    }
    if let Some(value) = attribute(tag.attributes, b"formaction") {
        let score = if value.iter().any(|byte| *byte == b':' || *byte == b'&') { 10 } else { 6 };
        strongest.offer("form_action", score, span.clone(), "sends the page's form elsewhere");
    }
    if attribute(tag.attributes, b"ev:event").is_some() || attribute(tag.attributes, b"ev:handler").is_some()
    {
        strongest.offer("xml_events", 10, span.clone(), "binds an event by XML Events");
    }
    if attribute(tag.attributes, b"datasrc").is_some()
        || tag.name == b"xml" && attribute(tag.attributes, b"src").is_some()
    {
        strongest.offer("data_binding", 10, span, "fills an element with a foreign document");
    }
}

/// What follows `name=`, the name standing by itself.
fn attribute<'a>(attributes: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut from = 0;
    while let Some(start) = cursor::find(attributes, name, from) {
        from = start + name.len();
        let before = cursor::before(attributes, start);
        let equals = cursor::skip_blanks(attributes, from);
        let stands_alone = !(before.is_ascii_alphanumeric() || before == b'-' || before == b'_');
        if stands_alone && cursor::at(attributes, equals) == b'=' {
            return attributes.get(equals + 1..);
        }
    }
    None
}

/// CSS that runs code, written with or without comments, backslashes and NUL inside the words.
fn is_running_style(style: &[u8]) -> bool {
    if !style.iter().any(|byte| matches!(byte, b'(' | b':' | b'@' | b'-')) {
        return false;
    }
    let mut plain: smallvec::SmallVec<[u8; 128]> = smallvec::SmallVec::new();
    let mut position = 0;
    while position < style.len() {
        let byte = cursor::at(style, position);
        if cursor::stands_at(style, position, b"/*") {
            position = cursor::find(style, b"*/", position + 2).map_or(style.len(), |it| it + 2);
            continue;
        }
        if !cursor::is_blank(byte) && byte != b'\\' {
            plain.push(byte);
        }
        position += 1;
    }
    cursor::has_any(
        &plain,
        &[
            b"expression(",
            b"expression28",
            b"binding:url(",
            b"javascript:",
            b"vbscript:",
            b"behavior:",
            b"behaviour:",
            b"-moz-binding",
            b"@import",
            b"data:text/",
            b"-o-link",
            b"url(//",
        ],
    )
}
