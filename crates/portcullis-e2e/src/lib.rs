//! Whole-system tests: the real binary, over real sockets, against real servers.
//!
//! This crate links nothing of Portcullis; its tests link the reader of rule cases alone. It starts the binary that users start ([`Gate`]), puts an upstream
//! behind it ([`Upstream`]) and calls it as clients do ([`Caller`]). Every port is chosen by the system.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "test support: a failure here is a failed test"
)]

mod caller;
mod command;
mod gate;
mod held_upstream;
mod key_server;
mod rude_upstream;
mod secure_caller;
mod shared_data;
mod shop;
mod tokens;
mod traces;
mod upstream;

pub use caller::{Answer, Caller};
pub use command::{Output, binary, portcullis};
pub use gate::{Gate, GateBuilder};
pub use held_upstream::HeldUpstream;
pub use key_server::KeyServer;
pub use rude_upstream::{RudeUpstream, Say, nobody};
pub use secure_caller::{Authority, Certificate, SecureCaller};
pub use shared_data::{corpora, shared};
pub use shop::SHOP;
pub use tokens::{SigningKey, base64url, from_base64url, key_set, now_secs, unsigned};
pub use traces::{rules, until_status};
pub use upstream::{Recorded, Upstream, text};
