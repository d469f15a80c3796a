//! Small rule programs with exchanges and what must come of them: every feature of the language, right and wrong.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop where they fail")]
#![allow(unreachable_pub, reason = "the support is shared by tests")]

#[path = "../support/mod.rs"]
mod support;

mod actions;
mod bodies;
mod bulk;
mod collections;
mod ctl;
mod flow;
mod folding;
mod targets;
