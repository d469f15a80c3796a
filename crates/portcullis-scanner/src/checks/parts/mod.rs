//! What several checks need: naming things of a caller, reading state back, telling look-alikes apart.

pub mod catch_all;
pub mod declared;
pub mod entrance;
pub mod family;
pub mod forger;
pub mod graphql;
pub mod jwt;
pub mod leaves;
pub(crate) mod mutation;
pub mod novel;
pub mod own;
pub mod privilege;
pub mod read_back;
pub mod secrets;
pub mod soap;
pub mod weak_keys;
