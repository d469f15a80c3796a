//! Parameter styles taken apart (OpenAPI 3.1 §4.8.12.2 and its table of examples; RFC 6570).
//!
//! A text is split at its delimiters first and decoded afterwards: an encoded delimiter is data.

use std::borrow::Cow;

use portcullis_leaves::percent::{self, Plus};

use super::{
    draft::Draft,
    shape::{Shape, Types},
};
use crate::model::Style;

/// What a parameter's value is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One value.
    Scalar,
    /// A list.
    Array,
    /// Names and values.
    Object,
}

impl Form {
    /// The form a schema asks for: an array or object only where one is meant.
    pub(crate) fn of(shape: &Shape) -> Self {
        if shape.is_array() {
            Self::Array
        } else if shape.is_object() {
            Self::Object
        } else {
            Self::Scalar
        }
    }

    /// Whether a single value may be meant as well.
    pub(crate) fn or_scalar(self, shape: &Shape) -> bool {
        self != Self::Scalar
            && [Types::STRING, Types::NUMBER, Types::BOOLEAN].iter().any(|it| shape.types.has(*it))
    }
}

/// How the text of a parameter is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Percent-encoded, `+` is a space.
    Query,
    /// Percent-encoded, `+` is itself.
    Path,
    /// Not encoded.
    None,
}

/// Why a text is not in its style.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StyleError {
    /// Its percent-encoding is broken.
    #[error(transparent)]
    Percent(#[from] percent::PercentError),
    /// It does not begin as its style does.
    #[error("does not begin with `{0}` as its style does")]
    Prefix(char),
    /// A name has no value.
    #[error("has a name without a value")]
    Odd,
    /// More places within one value than can be put together cheaply.
    #[error("has more than {0} fields within")]
    TooMany(usize),
}

impl Coding {
    /// Decodes one piece.
    pub(crate) fn decode(self, text: &str) -> Result<Cow<'_, str>, StyleError> {
        Ok(match self {
            Self::Query => percent::decode(text, Plus::Space)?,
            Self::Path => percent::decode(text, Plus::Plus)?,
            Self::None => Cow::Borrowed(text),
        })
    }
}

/// Takes one text apart: a path segment, a header field, or a query value that holds the whole parameter.
pub(crate) fn split<'a>(
    text: &'a str,
    name: &str,
    style: Style,
    explode: bool,
    form: Form,
    coding: Coding,
) -> Result<Draft<'a>, StyleError> {
    match style {
        Style::Matrix => return matrix(text, name, explode, form, coding),
        Style::Label => {
            let text = text.strip_prefix('.').ok_or(StyleError::Prefix('.'))?;
            // OpenAPI 3.0 writes an array that is not exploded with points, 3.1 and RFC 6570 with commas.
            let separator = if explode || !text.contains(',') { "." } else { "," };
            return delimited(text, &[separator], explode, form, coding);
        }
        Style::Form
        | Style::Simple
        | Style::SpaceDelimited
        | Style::PipeDelimited
        | Style::Tsv
        | Style::DeepObject => {}
    }
    let separators: &[&str] = match style {
        Style::SpaceDelimited => &["%20", "+", " "],
        Style::PipeDelimited => &["|", "%7C", "%7c"],
        Style::Tsv => &["%09", "\t"],
        Style::Form | Style::Simple | Style::Label | Style::Matrix | Style::DeepObject => &[","],
    };
    delimited(text, separators, explode && style == Style::Simple, form, coding)
}

fn delimited<'a>(
    text: &'a str,
    separators: &[&str],
    explode: bool,
    form: Form,
    coding: Coding,
) -> Result<Draft<'a>, StyleError> {
    match form {
        Form::Scalar => coding.decode(text).map(Draft::Text),
        Form::Array => pieces(text, separators)
            .map(|piece| coding.decode(piece).map(Draft::Text))
            .collect::<Result<_, _>>()
            .map(Draft::List),
        Form::Object if explode => {
            let members = pieces(text, separators).map(|piece| {
                let (name, value) = piece.split_once('=').ok_or(StyleError::Odd)?;
                Ok((coding.decode(name)?, Draft::Text(coding.decode(value)?)))
            });
            members.collect::<Result<_, _>>().map(Draft::Members)
        }
        Form::Object => {
            let mut members = Vec::new();
            let mut pieces = pieces(text, separators);
            while let Some(name) = pieces.next() {
                let value = pieces.next().ok_or(StyleError::Odd)?;
                members.push((coding.decode(name)?, Draft::Text(coding.decode(value)?)));
            }
            Ok(Draft::Members(members))
        }
    }
}

/// `;a=1`, `;a=1,2`, `;a=1;a=2`, `;x=1;y=2`.
fn matrix<'a>(
    text: &'a str,
    name: &str,
    explode: bool,
    form: Form,
    coding: Coding,
) -> Result<Draft<'a>, StyleError> {
    let text = text.strip_prefix(';').ok_or(StyleError::Prefix(';'))?;
    if explode && form == Form::Object {
        return delimited(text, &[";"], true, form, coding);
    }
    let value = |piece: &'a str| match piece.split_once('=') {
        Some((it, value)) if it == name => Ok(value),
        None if piece == name => Ok(""),
        _ => Err(StyleError::Prefix(';')),
    };
    if explode && form == Form::Array {
        let elements = text.split(';').map(|piece| coding.decode(value(piece)?).map(Draft::Text));
        return elements.collect::<Result<_, _>>().map(Draft::List);
    }
    delimited(value(text)?, &[","], false, form, coding)
}

/// The pieces between separators, of which the earliest counts; an empty text has none.
fn pieces<'a>(text: &'a str, separators: &[&str]) -> impl Iterator<Item = &'a str> {
    let mut rest = (!text.is_empty()).then_some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let found = separators.iter().filter_map(|it| Some((text.find(it)?, it.len()))).min();
        let Some((at, length)) = found else {
            rest = None;
            return Some(text);
        };
        rest = text.get(at + length..);
        text.get(..at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The draft as compact text: `[a b]`, `{x=1 y=2}`.
    fn check(text: &str, style: Style, explode: bool, form: Form) -> String {
        fn show(draft: &Draft<'_>) -> String {
            match draft {
                Draft::Text(text) => text.to_string(),
                Draft::List(list) => format!("[{}]", list.iter().map(show).collect::<Vec<_>>().join(" ")),
                Draft::Members(members) => {
                    let members: Vec<_> =
                        members.iter().map(|(name, it)| format!("{name}={}", show(it))).collect();
                    format!("{{{}}}", members.join(" "))
                }
                Draft::Tree(_) => "tree".to_owned(),
            }
        }
        match split(text, "color", style, explode, form, Coding::Path) {
            Ok(draft) => show(&draft),
            Err(error) => format!("error: {error}"),
        }
    }

    /// The table of style examples of OpenAPI 3.1.1 §4.8.12.4, and that of 3.0.3 where it differs.
    #[test]
    fn reads_every_example_of_the_standard() {
        use Form::{Array, Object, Scalar};
        use Style::{Label, Matrix, PipeDelimited, Simple, SpaceDelimited};
        for (text, style, explode, form, read) in [
            (";color", Matrix, false, Scalar, ""),
            (";color=blue", Matrix, false, Scalar, "blue"),
            (";color=blue,black,brown", Matrix, false, Array, "[blue black brown]"),
            (";color=R,100,G,200,B,150", Matrix, false, Object, "{R=100 G=200 B=150}"),
            (";color=blue;color=black;color=brown", Matrix, true, Array, "[blue black brown]"),
            (";R=100;G=200;B=150", Matrix, true, Object, "{R=100 G=200 B=150}"),
            (".", Label, false, Scalar, ""),
            (".blue", Label, false, Scalar, "blue"),
            (".blue,black,brown", Label, false, Array, "[blue black brown]"),
            (".blue.black.brown", Label, false, Array, "[blue black brown]"),
            (".R,100,G,200,B,150", Label, false, Object, "{R=100 G=200 B=150}"),
            (".R.100.G.200.B.150", Label, false, Object, "{R=100 G=200 B=150}"),
            (".blue.black.brown", Label, true, Array, "[blue black brown]"),
            (".R=100.G=200.B=150", Label, true, Object, "{R=100 G=200 B=150}"),
            ("blue", Simple, false, Scalar, "blue"),
            ("blue,black,brown", Simple, false, Array, "[blue black brown]"),
            ("R,100,G,200,B,150", Simple, false, Object, "{R=100 G=200 B=150}"),
            ("blue,black,brown", Simple, true, Array, "[blue black brown]"),
            ("R=100,G=200,B=150", Simple, true, Object, "{R=100 G=200 B=150}"),
            ("blue%20black%20brown", SpaceDelimited, false, Array, "[blue black brown]"),
            ("R%20100%20G%20200%20B%20150", SpaceDelimited, false, Object, "{R=100 G=200 B=150}"),
            ("blue%7Cblack|brown", PipeDelimited, false, Array, "[blue black brown]"),
            ("R%7C100%7CG%7C200%7CB%7C150", PipeDelimited, false, Object, "{R=100 G=200 B=150}"),
        ] {
            assert_eq!(check(text, style, explode, form), read, "{text} {style:?} {explode} {form:?}");
        }
    }

    #[test]
    fn an_encoded_delimiter_is_data() {
        assert_eq!(check("a%2Cb,c", Style::Simple, false, Form::Array), "[a,b c]");
        assert_eq!(check("", Style::Simple, false, Form::Array), "[]");
    }

    #[test]
    fn refuses_what_is_not_in_its_style() {
        assert_eq!(
            check("blue", Style::Label, false, Form::Scalar),
            "error: does not begin with `.` as its style does"
        );
        assert_eq!(
            check(";shade=1", Style::Matrix, false, Form::Scalar),
            "error: does not begin with `;` as its style does"
        );
        assert_eq!(check("R,100,G", Style::Simple, false, Form::Object), "error: has a name without a value");
        assert_eq!(
            check("100%", Style::Simple, false, Form::Scalar),
            "error: invalid percent sequence at byte 3"
        );
    }
}
