//! Bodies parsed once: JSON, form, multipart and text into a tape of (place, value).
//!
//! A [`Tree`] is parsed (or built by [`TreeBuilder`]) once for a message; schema validation, attack detection and
//! masking read the same one, so that they can never disagree about what the message says. What parsers out there
//! read differently (duplicate members, lone surrogates, byte order marks, lenient multipart) is refused here.
//! Everything is linear in the input and bounded by [`Limits`]. No I/O, no clock.

mod builder;
pub mod form;
pub mod graphql;
pub mod json;
mod limits;
pub mod media;
pub mod multipart;
mod number;
pub mod percent;
mod pointer;
mod tape;
pub mod text;
mod tree;
mod value;
pub mod xml;

pub use builder::{BuildError, TreeBuilder};
pub use limits::{LimitExceeded, Limits};
pub use number::Number;
pub use tree::Tree;
pub use value::{Elements, Kind, Leaves, Members, Value};
