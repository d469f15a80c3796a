//! The record's way out: redact, chain, sign, write, rotate, query.
//!
//! ```text
//! record() → bounded queue → [writer thread: redact → metrics, taps → chain → segment files] → query, verify
//! ```
//! A call hands its event over and goes; what finds no room is counted, and the count becomes a record.

pub mod chain;
pub mod encode;
mod error;
pub mod log;
pub mod metrics;
pub mod query;
pub mod record;
pub mod redact;
pub mod segment;
pub mod sign;
pub mod text;
pub mod verify;

mod counts;
mod lines;
mod recover;

pub use error::EventsError;
