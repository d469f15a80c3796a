//! Traps: endpoints that are sound but look suspicious to a hasty scanner. They are the same in both modes.

mod objects;
mod odd;
mod pages;

use crate::http::route::Route;

pub(crate) fn routes() -> Vec<Route> {
    [pages::routes(), odd::routes(), objects::routes()].into_iter().flatten().collect()
}
