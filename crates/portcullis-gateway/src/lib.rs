//! The data plane: listener, TLS, HTTP, routing, exchange, upstreams.
