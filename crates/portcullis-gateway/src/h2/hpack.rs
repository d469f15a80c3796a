//! Header compression (RFC 7541).

mod decoder;
mod encoder;
mod field;
mod huffman;
mod integer;
mod statics;

pub(crate) use self::{
    decoder::{Broken, Decoder},
    encoder::Encoder,
    field::{Field, Pseudo},
};

/// Bytes of dynamic table, each way (RFC 7541 §4.2): what both sides have without a word about it.
pub(crate) const TABLE_BYTES: usize = 4096;

#[cfg(test)]
mod tests;
