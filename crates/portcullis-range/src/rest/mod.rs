//! The REST side, one file an area.

pub(crate) mod access;
pub(crate) mod accounts;
pub(crate) mod admin;
pub(crate) mod documents;
pub(crate) mod errors;
pub(crate) mod fetching;
pub(crate) mod methods;
pub(crate) mod mobile;
pub(crate) mod orders;
pub(crate) mod people;
pub(crate) mod products;
pub(crate) mod profile;
pub(crate) mod recovery;
pub(crate) mod wellknown;

use crate::{http::route::Route, traps};

/// The whole table.
pub(crate) fn routes() -> Vec<Route> {
    let areas = [
        accounts::routes(),
        recovery::routes(),
        profile::routes(),
        mobile::routes(),
        orders::routes(),
        documents::routes(),
        admin::routes(),
        access::routes(),
        people::routes(),
        products::routes(),
        fetching::routes(),
        wellknown::routes(),
        traps::routes(),
    ];
    areas.into_iter().flatten().collect()
}
