//! Media types and ranges.
