//! Regression cases for rules in the ModSecurity language, in the YAML that go-ftw and the OWASP Core Rule Set use.
//!
//! Cases are read ([`files`], [`cases`]), written out as the bytes a client sends ([`client`]), read as a lenient HTTP server
//! reads them ([`front`]), judged and answered ([`exchange`], [`backend`]), and the outcome is held against what the case
//! expects ([`expect`], [`judge()`]).

pub mod backend;
pub mod cases;
pub mod client;
pub mod exchange;
pub mod expect;
pub mod files;
pub mod front;
pub mod id_list;
mod judge;

pub use judge::{Failure, judge};
