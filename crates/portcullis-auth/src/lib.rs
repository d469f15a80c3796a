//! Credential checks: who calls, and how sure that is.
//!
//! Nothing here does I/O: signing keys, user lists and revocations are handed in, and what must wait (a password
//! hash, a refresh of signing keys) is handed out as work for the caller. Everything fails closed.

pub mod authenticator;
pub mod internal_token;
pub mod jose;
pub mod mechanisms;
pub mod presented;
pub mod recent;
pub mod refusal;
pub mod revocation;

#[cfg(test)]
mod test_tokens;
