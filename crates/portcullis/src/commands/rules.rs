//! `portcullis rules`: one file a command.

pub(crate) mod fetch;
