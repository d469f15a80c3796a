//! What an operator writes: documented types, defaults, loading, diagnostics.
//!
//! [`load`] reads a file and what it includes into a positioned tree, and the tree into a [`Config`]; every mistake
//! is noted with its place, and none hides another. [`effective`] resolves the three levels of settings for one
//! operation. [`schema`] and [`reference`] are made from the same declarations as the types.

pub mod codes;
mod diagnostic;
mod effective;
mod explain;
mod load;
pub mod model;
pub mod outside;
mod read;
mod reference;
mod render;
mod schema;
mod source;
pub mod units;
mod yaml;

pub use diagnostic::{Diagnostic, Severity};
pub use effective::{Effective, EffectiveSettings, Level, OperationNames, effective, effective_api};
pub use explain::Row;
pub use load::{Loaded, files_matching, load};
pub use outside::{FromDisk, InMemory, Outside};
pub use read::{Elsewhere, Listed, ListenerName, Located, PlanName, ProviderName, UpstreamName};
pub use reference::{codes_reference, reference};
pub use render::{Style, render};
pub use schema::schema;
pub use source::{Origin, Sources, Span};
