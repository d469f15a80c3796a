//! Native attack detection: one file a class of attack, each reading a value as the language it guards.
//!
//! Bytes in, evidence out. No I/O, no clock. A [`Leaf`] is one typed value of a request with the place where it stood;
//! it is decoded in bounded layers, a literal prefilter decides which detectors look, and each of them answers with
//! the bytes it recognised, why, and how sure it is.

mod class;
mod detectors;
mod hit;
mod leaf;
mod view;

pub use class::Class;
pub use detectors::{Detector, all};
pub use hit::{Hit, Hits};
pub use leaf::{Field, Leaf, Where};
pub use view::View;
