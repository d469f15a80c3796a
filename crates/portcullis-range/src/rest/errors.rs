//! What answers give away besides their content.

use crate::{http::call::Cx, weakness::Weakness as W};

/// The origin that may read this answer with credentials, if any.
pub(crate) fn allowed_origin(cx: &Cx) -> Option<String> {
    let origin = cx.call.header("origin")?;
    cx.on(W::CorsReflected).then(|| origin.to_owned())
}
