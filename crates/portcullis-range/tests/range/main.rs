//! The range proves itself: for every weakness, its vulnerable twin shows it and its secure twin does not. By plain
//! HTTP, without any scanner.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test's plumbing: what is not there fails the test"
)]

mod access;
mod accounts;
mod client;
mod contract;
mod coverage;
mod data;
mod feeds;
mod flows;
mod graphql;
mod grpc;
mod injection;
mod injection_sql;
mod outgoing;
mod pages;
mod shadows;
mod soap;
mod specification;
mod tokens;
mod traps;
