//! What methods and their overrides can do to the table of routes.

use crate::http::{call::Cx, reply::Reply};

/// Looks at a call before its route is sought; may change its method or answer it.
pub(crate) fn before_routing(_: &mut Cx) -> Option<Reply> {
    None
}
