//! The data plane: listener, TLS, HTTP, routing, exchange, upstreams.
//!
//! The path of a request reads in [`exchange::serve`]; everything else here is a room it passes through.
//! Nothing in this crate knows a particular guard: what runs is the chain of the [`plan`]'s endpoint.

pub mod cors;
pub mod plan;
pub mod router;
pub mod target;
pub mod upstream;
