//! Content codings of request bodies (RFC 9110 §8.4), taken off within a bound so that guards read what the upstream
//! will. What is forwarded stays as it came.

use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header::CONTENT_ENCODING};
use smallvec::SmallVec;

/// More layers than one are legal and unused; a pile of them is a bomb.
const LAYERS_MAX: usize = 2;

/// What `Content-Encoding` says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Nothing, or `identity`.
    None,
    /// Codings that can be taken off, in the order they were put on.
    Known(SmallVec<[Layer; 2]>),
    /// One that cannot be, or too many.
    Unknown,
}

/// One coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    /// RFC 1952.
    Gzip,
    /// RFC 1950; some send RFC 1951 without its envelope, which is refused: two readers would differ.
    Deflate,
}

/// A body without its codings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// All of it.
    Whole(Vec<u8>),
    /// One byte more than the bound; there would be more.
    More(Vec<u8>),
    /// It is not coded as it says, or was cut.
    Broken,
}

impl Coding {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut layers = SmallVec::new();
        for line in headers.get_all(CONTENT_ENCODING) {
            for word in line.as_bytes().split(|byte| *byte == b',') {
                let word = word.trim_ascii();
                if word.is_empty() || word.eq_ignore_ascii_case(b"identity") {
                    continue;
                }
                if word.eq_ignore_ascii_case(b"gzip") || word.eq_ignore_ascii_case(b"x-gzip") {
                    layers.push(Layer::Gzip);
                } else if word.eq_ignore_ascii_case(b"deflate") {
                    layers.push(Layer::Deflate);
                } else {
                    return Self::Unknown;
                }
            }
        }
        match layers.len() {
            0 => Self::None,
            1..=LAYERS_MAX => Self::Known(layers),
            _ => Self::Unknown,
        }
    }
}

/// Takes codings off, the last put on first. At most one byte more than `bytes_max` is made of it.
pub(crate) fn decode(layers: &[Layer], body: &[u8], bytes_max: usize) -> Decoded {
    let mut reader: Box<dyn Read + '_> = Box::new(body);
    for layer in layers.iter().rev() {
        reader = match layer {
            Layer::Gzip => Box::new(MultiGzDecoder::new(reader)),
            Layer::Deflate => Box::new(ZlibDecoder::new(reader)),
        };
    }
    let mut decoded = Vec::new();
    let bound = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    #[expect(clippy::disallowed_methods, reason = "taken to the bound")]
    let read = reader.take(bound).read_to_end(&mut decoded);
    match read {
        Ok(read) if read > bytes_max => Decoded::More(decoded),
        Ok(_) => Decoded::Whole(decoded),
        Err(_) => Decoded::Broken,
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use std::io::Write;

    /// Bytes as gzip.
    pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(lines: &[&'static str]) -> Coding {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(CONTENT_ENCODING, HeaderValue::from_static(line));
        }
        Coding::of(&headers)
    }

    #[test]
    fn reads_what_the_field_says() {
        assert_eq!(of(&[]), Coding::None);
        assert_eq!(of(&["identity", ""]), Coding::None);
        assert_eq!(
            of(&["GZIP, identity", "deflate"]),
            Coding::Known([Layer::Gzip, Layer::Deflate].into_iter().collect())
        );
        assert_eq!(of(&["br"]), Coding::Unknown);
        assert_eq!(of(&["gzip, gzip, gzip"]), Coding::Unknown);
    }

    #[test]
    fn cut_and_wrong_streams_are_broken() {
        let whole = testing::gzip(b"the quick brown fox");
        assert_eq!(decode(&[Layer::Gzip], &whole, 100), Decoded::Whole(b"the quick brown fox".to_vec()));
        assert_eq!(decode(&[Layer::Gzip], &whole[..whole.len() - 3], 100), Decoded::Broken);
        assert_eq!(decode(&[Layer::Deflate], &whole, 100), Decoded::Broken);
        let twice = testing::gzip(&whole);
        assert_eq!(
            decode(&[Layer::Gzip, Layer::Gzip], &twice, 100),
            Decoded::Whole(b"the quick brown fox".to_vec())
        );
    }
}
