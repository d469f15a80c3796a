//! The ModSecurity rule language (SecLang): rules are parsed and compiled once, then judge requests and answers.
//!
//! Bytes in, verdict out. No I/O, no clock: what needs a file, a resolver or the time comes through a port that the
//! caller hands in, and without it the load refuses.

pub mod byte_set;
pub mod diagnostic;
pub mod operators;
pub mod pattern;
pub mod rules;
pub mod scan;
pub mod source;
pub mod syntax;
pub mod transformations;

mod batch;
mod bit_set;
mod bodies;
mod compile;
mod engine;
mod message;
mod overview;
mod parser;
mod ports;
mod program;
mod resolve;
mod transaction;
mod values;
mod verdict;

pub use engine::{CompileOptions, Engine};
pub use message::{Field, RequestHead, ResponseHead};
pub use overview::RuleOverview;
pub use ports::{Clock, Collections, Ports, Stored, UniqueIds};
pub use resolve::load;
pub use transaction::Transaction;
pub use verdict::{Disruption, Intervention, RecordChange, RuleMatch};
