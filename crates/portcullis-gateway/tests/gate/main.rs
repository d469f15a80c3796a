//! The data plane over real sockets: a client that can misbehave, the gate, an upstream that can misbehave.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod bodies;
mod heads;
mod life;
mod secure;
mod streams;
mod support;
mod ways;
