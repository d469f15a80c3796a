//! Native attack detection: one file a class of attack, each reading a value as the language it guards.
//!
//! Bytes in, evidence out. No I/O, no clock. A [`Leaf`] is one typed value of a request with the place where it stood;
//! it is decoded in bounded layers, a literal prefilter decides which detectors look, and each of them answers with
//! the bytes it recognised, why, and how sure it is. [`Inspector`] takes a request apart and adds up the answers.

mod class;
mod decode;
mod detectors;
mod excerpt;
mod field;
mod hit;
mod inspector;
mod leaf;
mod place;
mod prefilter;
mod request;
mod score;
mod view;

pub use class::Class;
pub use decode::{Layer, Layers};
pub use detectors::{Detector, all};
pub use hit::{Hit, Hits};
pub use inspector::{Candidate, Filter, Inspector, Judging, Settings};
pub use leaf::{Field, Leaf, Where};
pub use request::Parts;
pub use score::{FINDINGS_MAX, Finding, Judgement};
pub use view::View;
