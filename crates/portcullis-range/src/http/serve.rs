//! The way of one call: read, find the route, ask who calls, check, handle, dress the answer.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value};
use tokio::net::{TcpListener, TcpStream};

use super::{
    call::{Call, Cx, pairs},
    reply::Reply,
    route::{Access, Handler, Route},
};
use crate::{app::App, identity, rest, weakness::Weakness};

/// Bodies that a well-made service takes, in bytes.
const BODY_MAX: usize = 256 << 10;

/// Bodies that even the careless twin takes, in bytes; so that the range stays up.
const BODY_CARELESS_MAX: usize = 8 << 20;

/// Connections at once.
const CONNECTIONS_MAX: usize = 1024;

/// Accepts connections until the task is dropped.
pub(crate) async fn accept(listener: TcpListener, app: Arc<App>) {
    let permits = Arc::new(tokio::sync::Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let Ok((stream, peer)) = listener.accept().await else { continue };
        let app = Arc::clone(&app);
        tokio::spawn(async move {
            connection(stream, peer, app).await;
            drop(permit);
        });
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, app: Arc<App>) {
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |request| {
        let app = Arc::clone(&app);
        async move { Ok::<_, Infallible>(answer(app, request, peer).await) }
    });
    // A connection that breaks is the client's affair.
    let _ = hyper::server::conn::http1::Builder::new()
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(app: Arc<App>, request: http::Request<Incoming>, peer: SocketAddr) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let bytes_max =
        if app.weaknesses.contains(Weakness::BodySizeUnbounded) { BODY_CARELESS_MAX } else { BODY_MAX };
    let is_head = head.method == http::Method::HEAD;
    let mut cx = Cx {
        app: Arc::clone(&app),
        call: Call::new(head, Bytes::new(), peer.ip()),
        params: Vec::new(),
        who: None,
        json: Value::Null,
    };
    let dressing = Dressing::of(&cx);
    let mut reply = match read(body, bytes_max).await {
        Some(body) => {
            cx.call.body = body;
            Box::pin(serve(cx)).await
        }
        None => Reply::problem(413, "the body is too large").with("connection", "close"),
    };
    dressing.dress(&mut reply);
    wire(reply, is_head)
}

/// Reads a body to its end, or not at all.
pub(crate) async fn read(mut body: Incoming, bytes_max: usize) -> Option<Bytes> {
    let mut out = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { break };
        let Ok(data) = frame.into_data() else { continue };
        if out.len() + data.len() > bytes_max {
            return None;
        }
        out.extend_from_slice(&data);
    }
    Some(out.freeze())
}

async fn serve(mut cx: Cx) -> Reply {
    let app = Arc::clone(&cx.app);
    if let Some(reply) = rest::methods::before_routing(&mut cx) {
        return reply;
    }
    let candidates: Vec<(&Route, Vec<(&'static str, String)>)> = app
        .routes
        .iter()
        .filter_map(|route| route.matches(&cx.call.segments).map(|params| (route, params)))
        .collect();
    // A template without parameters is meant before one with.
    let fewest = candidates.iter().map(|(_, params)| params.len()).min().unwrap_or_default();
    let method = match cx.call.method.as_str() {
        "HEAD" => "GET",
        other => other,
    };
    let chosen = candidates
        .iter()
        .filter(|(route, _)| route.method == method || route.method == "*")
        .min_by_key(|(route, params)| (params.len(), route.method == "*"));
    let Some((route, params)) = chosen else {
        if candidates.is_empty() {
            return Reply::not_found();
        }
        let mut allow: Vec<&str> =
            candidates.iter().filter(|(_, it)| it.len() == fewest).map(|(it, _)| it.method).collect();
        if allow.contains(&"GET") {
            allow.push("HEAD");
        }
        allow.push("OPTIONS");
        if method == "OPTIONS" {
            return Reply::empty(204).with("allow", allow.join(", "));
        }
        return Reply::problem(405, "this method is not for this resource").with("allow", allow.join(", "));
    };
    cx.params.clone_from(params);
    if let Some(reply) = admit(route, &mut cx).await {
        return reply;
    }
    if let Some(reply) = understand(route, &mut cx) {
        return reply;
    }
    match route.handler {
        Handler::Now(handler) => handler(&cx),
        Handler::Heavy(handler) => {
            let done = tokio::task::spawn_blocking(move || handler(&cx)).await;
            done.unwrap_or_else(|_| Reply::problem(500, "the handler ended early"))
        }
        Handler::Later(handler) => handler(cx).await,
    }
}

/// Asks who calls; the answer if the call ends here.
async fn admit(route: &Route, cx: &mut Cx) -> Option<Reply> {
    if route.access == Access::ApiKey {
        cx.who = identity::api_key(cx, route);
    } else {
        cx.who = identity::bearer(cx, route).await;
    }
    if route.access == Access::Public || route.open_to_all.is_some_and(|it| cx.on(it)) {
        return None;
    }
    let Some(who) = &cx.who else {
        let challenge = if route.access == Access::ApiKey { "ApiKey" } else { "Bearer realm=\"market\"" };
        return Some(Reply::problem(401, "authentication required").with("www-authenticate", challenge));
    };
    let open = route.open_to_users.is_some_and(|it| cx.on(it));
    if route.access == Access::Admin && !who.admin && !open {
        return Some(Reply::problem(403, "this needs an administrator"));
    }
    None
}

/// Reads the body and holds the call against the specification; the answer if it breaks it.
fn understand(route: &Route, cx: &mut Cx) -> Option<Reply> {
    let media_type = cx.call.media_type();
    let lenient = route.lenient.iter().any(|it| cx.on(*it));
    match media_type.as_str() {
        "application/x-www-form-urlencoded" => {
            let fields = pairs(&cx.call.text());
            cx.json = Value::Object(fields.into_iter().map(|(key, value)| (key, value.into())).collect());
        }
        other if other == "application/json" || other.ends_with("+json") => {
            match serde_json::from_slice(&cx.call.body) {
                Ok(value) => cx.json = value,
                Err(_) if route.body.is_some() && !lenient => {
                    return Some(Reply::invalid("the body is no JSON"));
                }
                Err(_) => cx.json = Value::Object(Map::new()),
            }
        }
        _ => {}
    }
    if lenient {
        return None;
    }
    if let Some(body) = &route.body
        && media_type != body.media_type
    {
        return Some(Reply::problem(415, "the body is of another kind than specified"));
    }
    cx.app.validators.fault(route, cx).map(|fault| Reply::invalid(&fault))
}

/// Fields that every answer carries.
struct Dressing {
    careless: bool,
    banner: bool,
    origin: Option<String>,
}

impl Dressing {
    fn of(cx: &Cx) -> Self {
        Self {
            careless: cx.on(Weakness::HeadersMissing),
            banner: cx.on(Weakness::ServerBanner),
            origin: rest::errors::allowed_origin(cx),
        }
    }

    fn dress(self, reply: &mut Reply) {
        let html = reply.headers.iter().any(|(name, value)| name == "content-type" && value.contains("html"));
        let mut add = |name: &str, value: &str| {
            if !reply.has(name) {
                reply.headers.push((name.to_owned(), value.to_owned()));
            }
        };
        if !self.careless {
            let policy = if html {
                "default-src 'self'; frame-ancestors 'none'"
            } else {
                "default-src 'none'; frame-ancestors 'none'"
            };
            add("x-content-type-options", "nosniff");
            add("content-security-policy", policy);
            add("cache-control", "no-store");
            add("referrer-policy", "no-referrer");
        }
        if self.banner {
            add("server", "Apache/2.4.29 (Ubuntu) PHP/7.1.3");
            add("x-powered-by", "PHP/7.1.3");
        }
        if let Some(origin) = self.origin {
            add("access-control-allow-origin", &origin);
            add("access-control-allow-credentials", "true");
        }
    }
}

/// Puts an answer into hyper's form. Fields that cannot be sent are left out.
fn wire(reply: Reply, is_head: bool) -> Response<Full<Bytes>> {
    let body = if is_head { Bytes::new() } else { Bytes::from(reply.body) };
    let mut response = Response::new(Full::new(body));
    if let Ok(status) = http::StatusCode::from_u16(reply.status) {
        *response.status_mut() = status;
    }
    for (name, value) in reply.headers {
        let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
        else {
            continue;
        };
        response.headers_mut().append(name, value);
    }
    response
}
