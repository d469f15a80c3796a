//! `POST /v1/reload`: read the configuration again. 409 with the whole explanation when it is refused.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use crate::{control::ReloadOutcome, server::Shared};

pub(crate) async fn now(State(shared): State<Shared>) -> Response {
    let control = std::sync::Arc::clone(&shared.control);
    // Compiling a large specification takes a while: not on the runtime that answers /metrics.
    let outcome = tokio::task::spawn_blocking(move || control.reload()).await;
    match outcome {
        Ok(applied @ ReloadOutcome::Applied { .. }) => Json(applied).into_response(),
        Ok(rejected @ ReloadOutcome::Rejected { .. }) => {
            (StatusCode::CONFLICT, Json(rejected)).into_response()
        }
        Err(error) => {
            (StatusCode::INTERNAL_SERVER_ERROR, format!("the reload ended early: {error}\n")).into_response()
        }
    }
}
