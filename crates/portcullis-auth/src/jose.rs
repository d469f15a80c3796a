//! Signed tokens and their keys (RFC 7515, 7517, 7518, 7519), as strictly as RFC 8725 advises.

pub mod algorithm;
pub mod claims;
pub mod compact;
pub mod discovery;
pub mod json;
pub mod jwks;
pub mod refresh;
