//! `GET /v1/status`: a picture of the running gate.

use axum::{Json, extract::State};

use crate::{control::Status, server::Shared};

pub(crate) async fn show(State(shared): State<Shared>) -> Json<Status> {
    Json(shared.control.status())
}
