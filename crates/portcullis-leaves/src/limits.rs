//! How large and how deep a body may be.

use thiserror::Error;

/// Bounds on one body. Every parser of this crate takes them; none works without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open arrays and objects at once; a bare scalar has depth 0. Default 32.
    pub depth_max: u32,
    /// Members of one object. Default 1,000.
    pub members_max: u32,
    /// Members of all objects of the body together. Default 10,000.
    pub keys_max: u32,
    /// Elements of one array. Default 10,000.
    pub elements_max: u32,
    /// Values of all kinds and member names in the body together: each costs 16 bytes of memory. Default 200,000.
    pub values_max: u32,
    /// Bytes of one string once unescaped. Default 1 MiB, the default body limit.
    pub string_bytes_max: u32,
    /// Bytes of one member name once unescaped: names become pointers in events. Default 1,024.
    pub name_bytes_max: u32,
    /// Bytes of one number as written. Default 256.
    pub number_bytes_max: u32,
    /// Fields of a form or query. Default 1,000.
    pub fields_max: u32,
    /// Parts of a multipart body. Default 20.
    pub parts_max: u32,
    /// Bytes of the header block of one part. Default 4 KiB.
    pub part_header_bytes_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth_max: 32,
            members_max: 1_000,
            keys_max: 10_000,
            elements_max: 10_000,
            values_max: 200_000,
            string_bytes_max: 1 << 20,
            name_bytes_max: 1_024,
            number_bytes_max: 256,
            fields_max: 1_000,
            parts_max: 20,
            part_header_bytes_max: 4_096,
        }
    }
}

/// Which of the [`Limits`] was exceeded; the number is the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LimitExceeded {
    /// 128 MiB, which no configuration can raise.
    #[error("body of more than {0} bytes")]
    Length(usize),
    /// [`Limits::depth_max`].
    #[error("nested deeper than {0} levels")]
    Depth(u32),
    /// [`Limits::members_max`].
    #[error("object with more than {0} members")]
    Members(u32),
    /// [`Limits::keys_max`].
    #[error("more than {0} members in all")]
    Keys(u32),
    /// [`Limits::elements_max`].
    #[error("array with more than {0} elements")]
    Elements(u32),
    /// [`Limits::values_max`].
    #[error("more than {0} values and names in all")]
    Values(u32),
    /// [`Limits::string_bytes_max`].
    #[error("string of more than {0} bytes")]
    StringBytes(u32),
    /// [`Limits::name_bytes_max`].
    #[error("member name of more than {0} bytes")]
    NameBytes(u32),
    /// [`Limits::number_bytes_max`].
    #[error("number of more than {0} bytes")]
    NumberBytes(u32),
    /// [`Limits::fields_max`].
    #[error("more than {0} fields")]
    Fields(u32),
    /// [`Limits::parts_max`].
    #[error("more than {0} parts")]
    Parts(u32),
    /// [`Limits::part_header_bytes_max`].
    #[error("part with a header of more than {0} bytes")]
    PartHeaderBytes(u32),
}

/// No tree holds more text than this: a node has 27 bits for a length.
pub(crate) const LENGTH_MAX: usize = (1 << 27) - 1;
