//! Calls to upstreams over real sockets.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "clippy knows test functions alone as tests, not what they call"
)]

#[path = "upstream/balance.rs"]
mod balance;
#[path = "upstream/bodies.rs"]
mod bodies;
#[path = "upstream/faults.rs"]
mod faults;
#[path = "upstream/pool.rs"]
mod pool;
#[path = "upstream/protocols.rs"]
mod protocols;
#[path = "upstream/stage.rs"]
mod stage;
#[path = "upstream/wire.rs"]
mod wire;
