//! The bearer token of the admin listener.

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use subtle::ConstantTimeEq;

use crate::server::Shared;

/// Lets a request through that carries the token; `/healthz` needs none, so that a load balancer can ask.
pub(crate) async fn required(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let Some(expected) = &shared.token else {
        return next.run(request).await;
    };
    let given =
        request.headers().get(header::AUTHORIZATION).and_then(|it| it.as_bytes().strip_prefix(b"Bearer "));
    let known = given.is_some_and(|given| bool::from(given.ct_eq(expected.reveal().as_bytes())));
    if known || request.uri().path() == "/healthz" {
        return next.run(request).await;
    }
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], "a token is required\n")
        .into_response()
}
