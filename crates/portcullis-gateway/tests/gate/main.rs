//! The data plane over real sockets: a client that can misbehave, the gate, an upstream that can misbehave.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on has failed"
)]

mod bodies;
mod frames;
mod heads;
mod keeping;
mod life;
mod secure;
mod streams;
mod support;
mod ways;
mod wire;
