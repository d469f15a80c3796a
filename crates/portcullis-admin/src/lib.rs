//! The admin listener and the control socket: one small HTTP interface, reached over TCP by monitoring systems
//! (loopback by default, a token otherwise) and over a Unix socket of mode 0600 by the command line.
//!
//! It runs on a runtime of its own and reaches the rest through [`Control`], so it can neither slow the data
//! plane nor know how it works.

mod control;
mod health;
mod keys;
mod metrics;
mod reload;
mod server;
mod status;
mod token;

pub use control::{
    Control, LastReload, ListenerStatus, NotReady, ReloadOutcome, Status, UpstreamServerStatus, Weakened,
};
pub use server::{Admin, AdminError};
