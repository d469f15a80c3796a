//! What every service publishes: its specification and its keys.

use serde_json::Value;

use crate::{
    grpc,
    http::{reply::Reply, route::Route},
    identity::token,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/openapi.json", "openapi", "This specification")
            .hidden()
            .now(|cx| Reply::ok(cx.app.openapi.get().unwrap_or(&Value::Null))),
        Route::get("/grpc/descriptors.bin", "grpcDescriptors", "The descriptor set of the gRPC service")
            .hidden()
            .now(|_| Reply::new(200, "application/octet-stream", grpc::descriptor_set())),
        Route::get("/.well-known/jwks.json", "jwks", "The keys that verify tokens")
            .hidden()
            .now(|_| Reply::ok(&token::key_set())),
        Route::get("/.well-known/token-key.pem", "tokenKey", "The key that verifies tokens")
            .hidden()
            .now(|_| Reply::new(200, "application/x-pem-file", token::PUBLIC_PEM)),
    ]
}
