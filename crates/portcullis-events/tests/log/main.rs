//! The log from outside: what is written, cut, falsified, read back.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod crash;
mod reading;
mod support;
mod tamper;
