//! Who can vouch for callers.

use std::{collections::BTreeMap, sync::Arc};

use super::provider::Provider;
use crate::{read::keys, units::FilePath};

keys! {
    /// Who can vouch for callers.
    pub struct Identity {
        /// Identity providers by name.
        providers: BTreeMap<Arc<str>, Provider> => "{ api_keys: { api_keys: {} } }";
        /// A file of revoked tokens and subjects: one `jti ID`, `sub SUBJECT` or `sub SUBJECT before UNIXSECONDS` a line. It is watched.
        revocations: Option<FilePath> => "file:/etc/portcullis/revoked";
    }
    later &["step_up"];
}
