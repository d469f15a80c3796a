//! The ModSecurity rule language (SecLang): rules are parsed and compiled once, then judge requests and answers.
//!
//! Bytes in, verdict out. No I/O, no clock: what needs a file, a resolver or the time comes through a port that the
//! caller hands in, and without it the load refuses.

pub mod byte_set;
pub mod operators;
pub mod transformations;
