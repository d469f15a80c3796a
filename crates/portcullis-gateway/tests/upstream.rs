//! Calls to upstreams over real sockets.

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
