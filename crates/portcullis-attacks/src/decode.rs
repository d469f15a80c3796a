//! Layers of encoding taken off a value, one file a layer.
//!
//! The readings of a value form one chain: the value as it came, then what is left after each layer, outermost first.
//! Every layer is at most as long as what it was read from and the chain is bounded, so the work is linear in the
//! value's length whatever the value is; a chain cannot run in a circle, because every layer but the folding of
//! look-alikes shortens the text, and folded text does not fold again.

mod base64;
mod entities;
mod escapes;
mod fold;
mod hex;
mod overlong;
mod percent;
mod percent_unicode;

use std::fmt;

use smallvec::SmallVec;

use crate::prefilter::Seen;

/// A kind of encoding that was taken off a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    /// Percent-encoding beyond the transport's own (RFC 3986 §2.1).
    Percent,
    /// `%uXXXX`, which some servers read (a former draft of ECMAScript's `escape`).
    PercentUnicode,
    /// HTML character references (WHATWG HTML §13.5).
    Entities,
    /// Escapes of programming languages: `\u0027`, `\x27`, `\47`, `\n`.
    Escapes,
    /// UTF-8 in more bytes than needed (RFC 3629 §10; CWE-176).
    Overlong,
    /// Look-alikes that receivers fold together: full-width forms, exotic blanks, what has no width, NUL.
    Lookalikes,
    /// Base64 of the whole value (RFC 4648 §4 and §5, padded or not).
    Base64,
    /// Base64 of a part of the value that stands by itself, of which nothing else is then looked at.
    Base64Part,
    /// Hexadecimal of the whole value (RFC 4648 §8).
    Hex,
    /// A JSON text inside a string.
    Json,
}

impl Layer {
    /// The word for it in records.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Percent => "percent",
            Self::PercentUnicode => "percent_unicode",
            Self::Entities => "entities",
            Self::Escapes => "escapes",
            Self::Overlong => "overlong",
            Self::Lookalikes => "lookalikes",
            Self::Base64 => "base64",
            Self::Base64Part => "base64_part",
            Self::Hex => "hex",
            Self::Json => "json",
        }
    }
}

/// The layers taken off to get a reading, outermost first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layers {
    list: [Option<Layer>; LAYERS_MAX],
}

impl Layers {
    /// The layers in the order in which they were taken off.
    pub fn iter(self) -> impl Iterator<Item = Layer> {
        self.list.into_iter().flatten()
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.iter().count()
    }

    /// Whether the value is read as it came.
    pub fn is_empty(self) -> bool {
        self.list.first().is_none_or(Option::is_none)
    }

    /// Whether no further layer may be taken off.
    pub(crate) fn is_full(self) -> bool {
        self.list.last().is_none_or(Option::is_some)
    }

    pub(crate) fn with(mut self, layer: Layer) -> Self {
        if let Some(place) = self.list.iter_mut().find(|place| place.is_none()) {
            *place = Some(layer);
        }
        self
    }

    fn count(self, layer: Layer) -> usize {
        self.iter().filter(|it| *it == layer).count()
    }
}

impl fmt::Display for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, layer) in self.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { ", " })?;
            f.write_str(layer.word())?;
        }
        Ok(())
    }
}

/// Layers taken off one value, those of a JSON text around it included.
const LAYERS_MAX: usize = 6;

/// The same layer this often: whoever encodes more often than a proxy, a framework and an application decode reaches
/// nobody.
const SAME_LAYER_MAX: usize = 2;

/// A reading being written; most values fit without an allocation.
pub(crate) type Buffer = SmallVec<[u8; 512]>;

/// The layers in the order in which they are tried.
const ORDER: [Layer; 9] = [
    Layer::Base64,
    Layer::Hex,
    Layer::PercentUnicode,
    Layer::Percent,
    Layer::Overlong,
    Layer::Entities,
    Layer::Escapes,
    Layer::Lookalikes,
    // Last, because all else of the value is left behind.
    Layer::Base64Part,
];

/// Takes the next layer off `text`, whose bytes were `seen`, into `out`; `None` when there is no further reading.
#[inline]
pub(crate) fn next(text: &[u8], seen: Seen, taken: Layers, out: &mut Buffer) -> Option<Layer> {
    if !may_be_encoded(text, seen) || taken.is_full() {
        return None;
    }
    ORDER.into_iter().find(|layer| {
        may_be_on(*layer, text, seen) && taken.count(*layer) < SAME_LAYER_MAX && {
            out.clear();
            take_off(*layer, text, out) && out.as_slice() != text
        }
    })
}

/// Whether it is worth while to try the layers.
#[inline]
pub(crate) fn may_be_encoded(text: &[u8], seen: Seen) -> bool {
    seen.has_escape_bytes() || seen.has_quote() || whole_value(text, seen)
}

/// Whether the value may be base64 or hexadecimal as a whole.
#[inline]
fn whole_value(text: &[u8], seen: Seen) -> bool {
    seen.may_be_base64() && (base64::may_be(text) || (seen.may_be_hex() && text.len() >= hex::BYTES_MIN))
}

/// Whether that layer may be there by the bytes seen.
fn may_be_on(layer: Layer, text: &[u8], seen: Seen) -> bool {
    match layer {
        Layer::Base64 => seen.may_be_base64() && base64::may_be(text),
        Layer::Base64Part => seen.has_quote(),
        Layer::Hex => seen.may_be_hex() && text.len() >= hex::BYTES_MIN,
        Layer::PercentUnicode | Layer::Percent => seen.has_percent(),
        Layer::Overlong => seen.has_high(),
        Layer::Entities => seen.has_ampersand(),
        Layer::Escapes => seen.has_backslash(),
        Layer::Lookalikes => seen.has_high() || seen.has_control(),
        // Taken off where the tree is walked: it has many values below.
        Layer::Json => false,
    }
}

/// Whether that layer was there; `out` is then what is below.
fn take_off(layer: Layer, text: &[u8], out: &mut Buffer) -> bool {
    match layer {
        Layer::Base64 => base64::decode(text, out),
        Layer::Base64Part => base64::decode_part(text, out),
        Layer::Hex => hex::decode(text, out),
        Layer::PercentUnicode => percent_unicode::decode(text, out),
        Layer::Percent => percent::decode(text, out),
        Layer::Overlong => overlong::decode(text, out),
        Layer::Entities => entities::decode(text, out),
        Layer::Escapes => escapes::decode(text, out),
        Layer::Lookalikes => fold::decode(text, out),
        Layer::Json => false,
    }
}

/// Percent-decodes once and leniently, as the transport does before a value is a value.
pub(crate) fn percent_once(text: &[u8], out: &mut Buffer) {
    percent::decode(text, out);
}

/// What a value holds if it is base64 of text.
pub(crate) fn base64_text(text: &[u8]) -> Option<Buffer> {
    let mut out = Buffer::new();
    base64::decode(text, &mut out).then_some(out)
}

/// Whether the bytes are text that a person or a program could have written: mostly printable. What base64 and
/// hexadecimal hide is judged only then.
fn is_text(bytes: &[u8]) -> bool {
    let odd = bytes.iter().filter(|byte| !is_printable(**byte)).count();
    odd * 16 <= bytes.len() && (odd == 0 || std::str::from_utf8(bytes).is_ok())
}

fn is_printable(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')
}

/// Whether the bytes begin like serialized objects, of which detectors know more.
fn is_serialized(bytes: &[u8]) -> bool {
    // Java object streams, .NET BinaryFormatter, Python pickles of protocol 2 to 5, Ruby marshal 4.8, gzip.
    const MAGIC: [&[u8]; 4] =
        [b"\xac\xed\x00\x05", b"\x00\x01\x00\x00\x00\xff\xff\xff\xff", b"\x04\x08", b"\x1f\x8b\x08"];
    MAGIC.iter().any(|magic| bytes.starts_with(magic))
        || matches!(bytes, [0x80, 2..=5, ..] if bytes.ends_with(b"."))
}

/// The value of a hexadecimal digit.
fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Appends a character as UTF-8; what is no character is dropped, as receivers do that do not fail.
fn push_char(code: u32, out: &mut Buffer) {
    if let Some(character) = char::from_u32(code) {
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

#[cfg(test)]
mod tests;
