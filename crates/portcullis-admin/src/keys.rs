//! `POST /v1/keys/refresh`: an API key was created or revoked; read them again.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use crate::server::Shared;

pub(crate) async fn refresh(State(shared): State<Shared>) -> Response {
    match shared.control.keys_changed() {
        Ok(count) => Json(serde_json::json!({ "keys": count })).into_response(),
        Err(why) => (StatusCode::INTERNAL_SERVER_ERROR, why).into_response(),
    }
}
