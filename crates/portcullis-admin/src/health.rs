//! `GET /healthz` (the process lives) and `GET /readyz` (send traffic here).

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use crate::server::Shared;

pub(crate) async fn live() -> &'static str {
    "ok\n"
}

pub(crate) async fn ready(State(shared): State<Shared>) -> Response {
    let reasons = shared.control.not_ready();
    if reasons.is_empty() {
        return "ready\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, Json(reasons)).into_response()
}
