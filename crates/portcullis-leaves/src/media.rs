//! Media types and ranges (RFC 9110 §8.3.1 and §12.5.1).

use std::borrow::Cow;

use thiserror::Error;

/// The text is no media type or range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MediaTypeError {
    /// Not `type/subtype`, both of token characters (RFC 9110 §5.6.2).
    #[error("media type is not `type/subtype`")]
    Essence,
    /// A parameter is not `name=value` with a token or a quoted string.
    #[error("invalid parameter of a media type")]
    Parameter,
    /// A parameter comes twice: receivers differ in which one they take.
    #[error("repeated parameter of a media type")]
    RepeatedParameter,
    /// More parameters than the 16 that are read.
    #[error("more than 16 parameters of a media type")]
    TooManyParameters,
}

/// Parameters beyond this many are refused, so that looking for repeated ones stays cheap.
const PARAMETERS_MAX: usize = 16;

/// The value of a `Content-Type` field, borrowed. Comparisons ignore case as the standard asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaType<'a> {
    main: &'a str,
    subtype: &'a str,
    /// From the first `;` on, checked.
    parameters: &'a str,
}

impl<'a> MediaType<'a> {
    /// Parses the whole field value. Does not allocate.
    ///
    /// # Errors
    /// See [`MediaTypeError`]; `*` is no type here, see [`MediaRange`].
    pub fn parse(text: &'a str) -> Result<Self, MediaTypeError> {
        let text = text.trim_matches(is_blank);
        let (essence, parameters) = text.split_at(text.find(';').unwrap_or(text.len()));
        let (main, subtype) =
            essence.trim_end_matches(is_blank).split_once('/').ok_or(MediaTypeError::Essence)?;
        if !is_token(main) || !is_token(subtype) || main == "*" || subtype == "*" {
            return Err(MediaTypeError::Essence);
        }
        let parsed = Self { main, subtype, parameters };
        for (count, parameter) in parsed.raw_parameters().enumerate() {
            let (name, _) = parameter?;
            if count >= PARAMETERS_MAX {
                return Err(MediaTypeError::TooManyParameters);
            }
            let earlier = parsed.raw_parameters().take(count).flatten();
            if earlier.into_iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                return Err(MediaTypeError::RepeatedParameter);
            }
        }
        Ok(parsed)
    }

    /// The type, as written.
    pub fn main(&self) -> &'a str {
        self.main
    }

    /// The subtype, as written and with its suffix.
    pub fn subtype(&self) -> &'a str {
        self.subtype
    }

    /// The structured syntax suffix (RFC 6839) after the last `+`, as written.
    pub fn suffix(&self) -> Option<&'a str> {
        self.subtype.rsplit_once('+').map(|(_, suffix)| suffix)
    }

    /// Whether it is that `type/subtype`.
    pub fn is(&self, essence: &str) -> bool {
        essence.split_once('/').is_some_and(|(main, subtype)| {
            main.eq_ignore_ascii_case(self.main) && subtype.eq_ignore_ascii_case(self.subtype)
        })
    }

    /// Whether bodies of this type are JSON texts: `application/json`, its older names, or any `+json`.
    pub fn is_json(&self) -> bool {
        ["application/json", "text/json", "application/x-json", "text/x-json"].iter().any(|it| self.is(it))
            || self.suffix().is_some_and(|suffix| suffix.eq_ignore_ascii_case("json"))
    }

    /// The parameter of that name, unquoted.
    pub fn parameter(&self, name: &str) -> Option<Cow<'a, str>> {
        let (_, value) =
            self.raw_parameters().flatten().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(unquote(value))
    }

    /// Whether a `charset` says anything but UTF-8 or its subset US-ASCII.
    pub fn has_foreign_charset(&self) -> bool {
        self.extends("charset") || self.parameter("charset").is_some_and(|charset| is_foreign(&charset))
    }

    /// Whether the parameter of that name comes in the notation of RFC 8187 or RFC 2231 (`name*`, `name*0`), which
    /// `Content-Type` does not have in HTTP: some receivers read it all the same, and prefer it.
    pub fn extends(&self, name: &str) -> bool {
        self.raw_parameters().flatten().any(|(other, _)| {
            other.split_once('*').is_some_and(|(other, _)| other.eq_ignore_ascii_case(name))
        })
    }

    fn raw_parameters(&self) -> Parameters<'a> {
        Parameters { rest: self.parameters }
    }
}

/// A key of an OpenAPI `content` map or an element of `Accept`: a media type in which `*` stands for any. Owned, lower
/// case, made when the configuration is compiled. Its parameters do not take part in matching.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MediaRange {
    /// `None` for `*`.
    main: Option<Box<str>>,
    /// `None` for `*`.
    subtype: Option<Box<str>>,
}

impl MediaRange {
    /// Parses `type/subtype`, `type/*`, `*/*`, or the bare `*` that some specifications write.
    ///
    /// # Errors
    /// See [`MediaTypeError`]; parameters are not looked at.
    pub fn parse(text: &str) -> Result<Self, MediaTypeError> {
        let essence = text.split(';').next().unwrap_or_default().trim_matches(is_blank);
        if essence == "*" {
            return Ok(Self { main: None, subtype: None });
        }
        let (main, subtype) = essence.split_once('/').ok_or(MediaTypeError::Essence)?;
        if !is_token(main) || !is_token(subtype) || (main == "*" && subtype != "*") {
            return Err(MediaTypeError::Essence);
        }
        let part = |part: &str| (part != "*").then(|| part.to_ascii_lowercase().into_boxed_str());
        Ok(Self { main: part(main), subtype: part(subtype) })
    }

    /// Whether it covers that media type.
    pub fn matches(&self, media: &MediaType<'_>) -> bool {
        let covers = |own: &Option<Box<str>>, other: &str| match own {
            Some(own) => own.eq_ignore_ascii_case(other),
            None => true,
        };
        covers(&self.main, media.main) && covers(&self.subtype, media.subtype)
    }

    /// 2 for `type/subtype`, 1 for `type/*`, 0 for `*/*`: sort by this, descending, to have the most specific first.
    pub fn specificity(&self) -> u8 {
        u8::from(self.main.is_some()) + u8::from(self.subtype.is_some())
    }
}

impl std::fmt::Display for MediaRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let part = |part: &Option<Box<str>>| part.as_deref().unwrap_or("*").to_owned();
        write!(f, "{}/{}", part(&self.main), part(&self.subtype))
    }
}

/// The index of the most specific range that covers the media type; of equal ones the first.
pub fn most_specific<'r>(
    ranges: impl IntoIterator<Item = &'r MediaRange>,
    media: &MediaType<'_>,
) -> Option<usize> {
    let mut best: Option<(u8, usize)> = None;
    for (index, range) in ranges.into_iter().enumerate() {
        let specificity = range.specificity();
        if best.is_none_or(|(known, _)| known < specificity) && range.matches(media) {
            best = Some((specificity, index));
        }
    }
    best.map(|(_, index)| index)
}

/// The parameters of a field value such as `Content-Type` or `Content-Disposition`, names and values as written. After
/// an error comes nothing more.
pub(crate) struct Parameters<'a> {
    /// Empty, or blanks and a `;`.
    pub(crate) rest: &'a str,
}

impl<'a> Iterator for Parameters<'a> {
    type Item = Result<(&'a str, &'a str), MediaTypeError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.rest.trim_start_matches(is_blank);
            self.rest = "";
            if rest.is_empty() {
                return None;
            }
            let Some(rest) = rest.strip_prefix(';') else { return Some(Err(MediaTypeError::Parameter)) };
            let rest = rest.trim_start_matches(is_blank);
            if rest.is_empty() {
                return None;
            }
            // RFC 9110 §5.6.6 lets a parameter be empty.
            if rest.starts_with(';') {
                self.rest = rest;
                continue;
            }
            let Some((name, value)) = rest.split_once('=') else {
                return Some(Err(MediaTypeError::Parameter));
            };
            let Some(length) = value_length(value) else { return Some(Err(MediaTypeError::Parameter)) };
            let (value, rest) = value.split_at(length);
            if !is_token(name) {
                return Some(Err(MediaTypeError::Parameter));
            }
            self.rest = rest;
            return Some(Ok((name, value)));
        }
    }
}

/// The length of the token or quoted string at the beginning; `None` when there is neither.
fn value_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'"') {
        let length = bytes.iter().position(|byte| !is_token_byte(*byte)).unwrap_or(bytes.len());
        return (length > 0).then_some(length);
    }
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => {
                bytes.get(at + 1).filter(|byte| matches!(byte, b'\t' | b' '..=b'~'))?;
                at += 2;
            }
            b'\t' | b' '..=b'~' | 0x80.. => at += 1,
            _ => return None,
        }
    }
}

/// The value of a parameter without its quotes and escapes.
fn unquote(value: &str) -> Cow<'_, str> {
    let Some(inner) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else {
        return Cow::Borrowed(value);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            other => plain.push(other),
        }
    }
    Cow::Owned(plain)
}

/// Whether it names another charset than UTF-8 or its subset US-ASCII.
pub fn is_foreign(charset: &str) -> bool {
    !["utf-8", "utf8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known))
}

pub(crate) fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t')
}

/// Whether it is a token (RFC 9110 §5.6.2).
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, MediaTypeError> {
        let media = MediaType::parse(text)?;
        let parameters: Vec<_> = media
            .raw_parameters()
            .flatten()
            .map(|(name, value)| format!("{name}→{}", unquote(value)))
            .collect();
        Ok(format!("{} {} {:?} [{}]", media.main(), media.subtype(), media.suffix(), parameters.join(" ")))
    }

    #[test]
    fn parses_what_the_standard_allows() {
        let check = |text, expected: &str| assert_eq!(parse(text).as_deref(), Ok(expected), "{text}");
        check("text/plain", "text plain None []");
        check(
            " application/problem+json ; charset=UTF-8 ",
            "application problem+json Some(\"json\") [charset→UTF-8]",
        );
        check(r#"a/b;x="q;\"=";; y=z;"#, r#"a b None [x→q;"= y→z]"#);
        check("a/b;x=\"é\"", "a b None [x→é]");
    }

    #[test]
    fn refuses_what_it_does_not() {
        use MediaTypeError::{Essence, Parameter, RepeatedParameter, TooManyParameters};
        for text in
            ["", "text", "text/", "/plain", "te xt/plain", "text/pl@in", "*/*", "text/*", "a/b/c", "a/b, c/d"]
        {
            assert_eq!(parse(text), Err(Essence), "{text}");
        }
        for text in [
            "a/b;x",
            "a/b;=y",
            "a/b;x=",
            "a/b;x=\"y",
            "a/b;x=\"\u{1}\"",
            "a/b;x=y z=w",
            "a/b;x =y",
            "a/b;x=y,",
        ] {
            assert_eq!(parse(text), Err(Parameter), "{text}");
        }
        assert_eq!(parse("a/b;x=1;X=2"), Err(RepeatedParameter));
        let many: String = (0..17).map(|n| format!(";p{n}=1")).collect();
        assert_eq!(parse(&format!("a/b{many}")), Err(TooManyParameters));
    }

    #[test]
    fn takes_the_most_specific_range() {
        let ranges = ["*/*", "application/*", "Application/JSON; v=1", "text/plain"]
            .map(|text| MediaRange::parse(text).unwrap());
        let best = |text| most_specific(&ranges, &MediaType::parse(text).unwrap());
        assert_eq!(best("application/json;charset=utf-8"), Some(2));
        assert_eq!(best("APPLICATION/xml"), Some(1));
        assert_eq!(best("image/png"), Some(0));
        assert_eq!(most_specific(&ranges[2..], &MediaType::parse("image/png").unwrap()), None);
        assert_eq!(ranges[2].to_string(), "application/json");
        assert_eq!(MediaRange::parse("*").unwrap(), ranges[0]);
        assert!(MediaRange::parse("*/json").is_err());
    }

    #[test]
    fn knows_json_and_charsets() {
        let media = |text| MediaType::parse(text).unwrap();
        for text in
            ["application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json", "text/X-json"]
        {
            assert!(media(text).is_json(), "{text}");
        }
        for text in ["application/jsonp", "application/json-seq", "text/plain", "application/x-ndjson"] {
            assert!(!media(text).is_json(), "{text}");
        }
        assert!(media("text/plain; charset=iso-8859-1").has_foreign_charset());
        assert!(!media("text/plain; charset=\"UTF-8\"").has_foreign_charset());
        assert!(!media("text/plain").has_foreign_charset());
        for text in ["text/plain; charset*=UTF-8''utf-16", "text/plain; charset=utf-8; Charset*0=utf-16"] {
            assert!(media(text).has_foreign_charset(), "{text}");
        }
    }
}
