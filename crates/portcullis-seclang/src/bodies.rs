//! Body processors: request bodies taken apart into the values that rules look at.

pub(crate) mod json;
pub(crate) mod multipart;
pub(crate) mod urlencoded;
pub(crate) mod xml;
pub(crate) mod xpath;
