//! The data plane: listener, TLS, HTTP, routing, exchange, upstreams.
//!
//! The path of a request reads in `exchange::serve`; everything else here is a room it passes through.
//! Nothing in this crate knows a particular guard: what runs is the chain of the [`plan`]'s endpoint.

mod chance;
mod connection;
pub mod cors;
mod denied;
mod exchange;
mod forwarded;
pub mod gateway;
mod h1;
mod h2;
mod intake;
mod listener;
pub mod plan;
mod reply;
mod retired;
pub mod router;
pub mod stats;
pub mod target;
pub mod tls;
mod tunnel;
pub mod upstream;

pub use gateway::{Gateway, Options, StartError};
