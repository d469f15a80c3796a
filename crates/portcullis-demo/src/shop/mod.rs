//! The sample API: an ordinary shop over HTTP/1.1, weak on purpose.

mod data;

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use data::Shop;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The shop itself is protected by the gate; this only keeps a test from eating the machine.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Serves the shop until the future is dropped.
pub async fn serve(listener: TcpListener) {
    let shop = Arc::new(Shop::stocked());
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: others will close theirs.
            tokio::task::yield_now().await;
            continue;
        };
        let shop = Arc::clone(&shop);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(Arc::clone(&shop), request));
            // A client that leaves in the middle is no concern of the shop's.
            let _ended = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(shop: Arc<Shop>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    #[expect(clippy::disallowed_methods, reason = "bounded by `Limited`")]
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map(|it| it.to_bytes()).unwrap_or_default();
    let (status, value) =
        route(&shop, &head.method, head.uri.path(), head.uri.query().unwrap_or_default(), &body);
    Ok(reply(status, &value))
}

/// The status and body of every answer. What the document does not declare is here as well: that is the point.
fn route(shop: &Shop, method: &Method, path: &str, query: &str, body: &[u8]) -> (StatusCode, Value) {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let sent: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    match (method.as_str(), segments.as_slice()) {
        ("POST", ["v1", "login"]) => login(&sent),
        ("GET", ["v1", "products"]) => (StatusCode::OK, shop.products(query)),
        ("GET", ["v1", "users", id]) => found(shop.user(id)),
        ("PATCH", ["v1", "users", id]) => found(shop.update_user(id, &sent)),
        ("GET", ["v1", "orders"]) => (StatusCode::OK, shop.orders(query)),
        ("POST", ["v1", "orders"]) => (StatusCode::CREATED, shop.create_order(&sent)),
        ("GET", ["v1", "orders", id]) => found(shop.order(id)),
        ("DELETE", ["v1", "orders", id]) => {
            let status = if shop.cancel_order(id) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND };
            (status, Value::Null)
        }
        ("GET", ["v1", "invoices", id]) => found(shop.invoice(id)),
        // Forgotten since the first release.
        ("GET", ["v1", "debug", "config"]) => {
            (StatusCode::OK, json!({ "database": "postgres://shop:hunter2@10.0.0.5/shop", "debug": true }))
        }
        // The kind of answer a framework gives in its development mode.
        _ => (
            StatusCode::INTERNAL_SERVER_ERROR,
            json!({ "error": "NoRoute", "trace": ["at Router.dispatch (/srv/shop/router.js:211)", "at shop@1.4.2"] }),
        ),
    }
}

fn login(sent: &Value) -> (StatusCode, Value) {
    if sent.get("username") == Some(&json!("ada")) && sent.get("password") == Some(&json!("correct horse")) {
        return (StatusCode::OK, json!({ "token": "sess-1842", "expiresIn": 3600 }));
    }
    (StatusCode::UNAUTHORIZED, json!({ "error": "wrong user name or password" }))
}

fn found(value: Option<Value>) -> (StatusCode, Value) {
    match value {
        Some(value) => (StatusCode::OK, value),
        None => (StatusCode::NOT_FOUND, json!({ "error": "not found" })),
    }
}

fn reply(status: StatusCode, value: &Value) -> Response<Full<Bytes>> {
    let body = if value.is_null() { Bytes::new() } else { Bytes::from(value.to_string()) };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if !value.is_null() {
        headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    }
    // Talkative, as frameworks are out of the box.
    headers.insert(http::header::SERVER, http::HeaderValue::from_static("ShopServer/1.4.2 (Debian)"));
    headers.insert("x-powered-by", http::HeaderValue::from_static("CornerFramework 3"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_whatever_it_is_sent() {
        let shop = Shop::stocked();
        let (status, user) = route(&shop, &Method::PATCH, "/v1/users/1", "", br#"{"role":"admin"}"#);
        assert_eq!((status, user.get("role")), (StatusCode::OK, Some(&json!("admin"))));
    }

    #[test]
    fn tells_more_than_it_should() {
        let shop = Shop::stocked();
        assert!(route(&shop, &Method::GET, "/v1/debug/config", "", b"").1.to_string().contains("hunter2"));
        assert!(route(&shop, &Method::GET, "/nowhere", "", b"").1.to_string().contains("router.js"));
    }
}
