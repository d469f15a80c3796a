//! The REST side, one file an area.

pub(crate) mod access;
pub(crate) mod accounts;
pub(crate) mod admin;
pub(crate) mod contract;
pub(crate) mod documents;
pub(crate) mod errors;
pub(crate) mod events;
pub(crate) mod feeds;
pub(crate) mod fetching;
pub(crate) mod files;
pub(crate) mod flows;
pub(crate) mod imports;
pub(crate) mod limits;
pub(crate) mod methods;
pub(crate) mod mobile;
pub(crate) mod orders;
pub(crate) mod pages;
pub(crate) mod people;
pub(crate) mod products;
pub(crate) mod profile;
pub(crate) mod recovery;
pub(crate) mod redirects;
pub(crate) mod sessions;
pub(crate) mod shadows;
pub(crate) mod staff;
pub(crate) mod templates;
pub(crate) mod tools;
pub(crate) mod wellknown;

use crate::{graphql, http::route::Route, soap, traps};

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
        events::routes(),
        tools::routes(),
        templates::routes(),
        staff::routes(),
        pages::routes(),
        files::routes(),
        sessions::routes(),
        imports::routes(),
        fetching::routes(),
        feeds::routes(),
        redirects::routes(),
        limits::routes(),
        flows::routes(),
        contract::routes(),
        errors::routes(),
        methods::routes(),
        shadows::routes(),
        wellknown::routes(),
        graphql::routes(),
        soap::routes(),
        traps::routes(),
    ];
    areas.into_iter().flatten().collect()
}
