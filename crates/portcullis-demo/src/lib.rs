//! What `portcullis demo` shows: an ordinary shop with an OpenAPI document, seeded clients that use it as meant,
//! and attackers that do not.
//!
//! The shop is weak on purpose, the way real services are: it stores whatever fields it is sent, tells its make
//! and its stack traces, and has a forgotten debug endpoint. The gate in front is what makes the difference.

pub mod attackers;
pub mod calls;
pub mod clients;
pub mod dice;
pub mod driver;
pub mod shop;

/// The shop's OpenAPI 3.1 document.
pub const SHOP_OPENAPI: &str = include_str!("shop/openapi.yaml");
