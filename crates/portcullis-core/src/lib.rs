//! The shared vocabulary of Portcullis: what an exchange is, who decides about it, what is written down.
//!
//! No I/O, no async runtime, no configuration. Everything a decision depends on, time and chance included,
//! arrives as an argument, so that the same input gives the same verdict in production, in `explain` and in tests.

pub mod chain;
pub mod clock;
pub mod context;
pub mod event;
pub mod id;
pub mod limit;
pub mod ports;
pub mod principal;
pub mod secret;
pub mod units;
pub mod verdict;
