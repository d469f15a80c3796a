//! The scanner: attacks an API on purpose and safely, and says what it found so that a developer can replay it.
//!
//! The way of a scan: an input becomes a [`model::Model`]; the engine gets itself identities, learns one good call an
//! operation and how operations feed each other (a [`world::World`]); every check is tried on the places it is made for;
//! what it proves is a [`finding::Finding`].
//!
//! A check never sends. It is a pure function of what is known and of the answers so far, told as a [`script`]; the
//! engine sends, only to allowed hosts, within its budget.

pub mod call;
pub mod check;
pub mod checks;
pub mod engine;
pub mod finding;
pub mod identity;
pub mod learn;
pub mod listener;
pub mod model;
pub mod oracle;
pub mod report;
pub mod script;
pub mod wire;
pub mod world;
