//! How answers are told apart: what changes by itself is masked, what is left is compared.

mod mask;
mod slope;

pub use mask::{Mask, Similarity, similarity};
pub use slope::{Slope, slope};
