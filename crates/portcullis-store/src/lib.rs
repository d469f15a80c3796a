//! State: counters, quotas, bans, API keys; in process and in SQLite.
//!
//! What a request asks is answered from memory, always. What must outlive the process goes to SQLite from a
//! thread of its own ([`keeper::Keeper`]), never from the request path.

pub mod bans;
pub mod counters;
pub mod error;
pub mod keeper;
pub mod keys;
pub mod siphash;
pub mod sqlite;

mod places;
mod quotas;
mod rates;
mod table;

pub use error::StoreError;
