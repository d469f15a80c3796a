//! `GET /metrics`: OpenMetrics text.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use crate::server::Shared;

pub(crate) async fn text(State(shared): State<Shared>) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], shared.control.metrics()).into_response()
}
