//! The gRPC twins.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use portcullis_range::Weaknesses;

use crate::client::{Client, twins};

const WAREHOUSE: &str = "/harbour.v1.Warehouse";

/// Message and status.
struct Answer {
    message: Vec<u8>,
    status: u32,
    text: String,
}

impl Answer {
    fn contains(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.message).contains(text)
    }
}

async fn call(client: &Client, path: &str, metadata: &[(&str, &str)], message: &[u8]) -> Answer {
    let stream = tokio::net::TcpStream::connect(client.range.grpc_address()).await.expect("connects");
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("HTTP/2");
    let task = tokio::spawn(connection);
    let length = u32::try_from(message.len()).expect("short");
    let framed = [&[0][..], &length.to_be_bytes(), message].concat();
    let mut request =
        http::Request::post(format!("http://range{path}")).header("content-type", "application/grpc");
    for (name, value) in metadata {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::from(framed))).expect("a request");
    let mut body = sender.send_request(request).await.expect("an answer").into_body();
    let (mut data, mut status, mut text) = (Vec::new(), 99, String::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.expect("a frame");
        if let Some(trailers) = frame.trailers_ref() {
            let field = |name: &str| trailers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default();
            status = field("grpc-status").parse().expect("a status");
            text = field("grpc-message").to_owned();
        } else if let Some(bytes) = frame.data_ref() {
            data.extend_from_slice(bytes);
        }
    }
    task.abort();
    Answer { message: data.get(5..).unwrap_or_default().to_vec(), status, text }
}

fn text_field(number: u8, text: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = text.len();
    while length >= 0x80 {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(text);
    out
}

fn set_price() -> Vec<u8> {
    [&[0x08, 1, 0x11][..], &0.5_f64.to_le_bytes()].concat()
}

async fn bearer(client: &Client, name: &str) -> String {
    format!("Bearer {}", client.login(name).await)
}

async fn price(client: &Client) -> String {
    client.get("/goods/1").await.json()["price"].to_string()
}

/// Bob's first order.
const BOBS_ORDER: &[u8] = &[0x08, 3];

#[tokio::test]
async fn services_are_told_and_messages_unbounded() {
    twins("grpc-reflection", async |client| {
        let list = text_field(7, b"*");
        let old =
            call(client, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &[], &list).await;
        let path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
        let new = call(client, path, &[], &list).await;
        let file = call(client, path, &[], &text_field(4, b"harbour.v1.Warehouse")).await;
        assert_eq!(old.contains("harbour.v1.Warehouse"), new.contains("harbour.v1.Warehouse"));
        new.contains("harbour.v1.Warehouse") && file.contains("GetOrderRequest") && new.status == 0
    })
    .await;
    twins("grpc-oversize", async |client| {
        let parcel = text_field(1, &vec![b'x'; 3 << 20]);
        call(client, &format!("{WAREHOUSE}/Weigh"), &[], &parcel).await.status == 0
    })
    .await;
}

#[tokio::test]
async fn doors_stand_open() {
    twins("grpc-auth-missing", async |client| {
        call(client, &format!("{WAREHOUSE}/GetOrder"), &[], BOBS_ORDER).await.contains("bob")
    })
    .await;
    twins("grpc-bola", async |client| {
        let alice = bearer(client, "alice").await;
        let metadata = [("authorization", alice.as_str())];
        call(client, &format!("{WAREHOUSE}/GetOrder"), &metadata, BOBS_ORDER).await.contains("bob")
    })
    .await;
    twins("grpc-bfla", async |client| {
        let alice = bearer(client, "alice").await;
        call(client, &format!("{WAREHOUSE}/SetPrice"), &[("authorization", &alice)], &set_price()).await;
        price(client).await == "0.5"
    })
    .await;
    twins("grpc-case", async |client| {
        call(client, "/harbour.v1.warehouse/setprice", &[], &set_price()).await;
        price(client).await == "0.5"
    })
    .await;
    twins("grpc-metadata", async |client| {
        let metadata = [("x-authenticated-user", "admin")];
        call(client, &format!("{WAREHOUSE}/SetPrice"), &metadata, &set_price()).await;
        price(client).await == "0.5"
    })
    .await;
}

#[tokio::test]
async fn fields_are_injected_and_errors_tell() {
    twins("grpc-sqli", async |client| {
        let search = text_field(1, b"x' OR 1=1 -- ");
        call(client, &format!("{WAREHOUSE}/FindProducts"), &[], &search).await.contains("rope")
    })
    .await;
    twins("grpc-stack-trace", async |client| {
        let alice = bearer(client, "alice").await;
        let metadata = [("authorization", alice.as_str())];
        call(client, &format!("{WAREHOUSE}/GetOrder"), &metadata, &[0x0b]).await.text.contains("Codec.java")
    })
    .await;
}

#[tokio::test]
async fn good_calls_are_answered_by_both() {
    for weaknesses in [Weaknesses::none(), Weaknesses::all()] {
        let client = Client::start(weaknesses, Vec::new()).await;
        let (bob, admin) = (bearer(&client, "bob").await, bearer(&client, "admin").await);
        let path = format!("{WAREHOUSE}/GetOrder");
        assert!(call(&client, &path, &[("authorization", &bob)], BOBS_ORDER).await.contains("bob"));
        assert_eq!(call(&client, &path, &[("authorization", &bob)], &[0x08, 99]).await.status, 5);
        assert_eq!(call(&client, "/other.Service/Method", &[], b"").await.status, 12);
        let products =
            call(&client, &format!("{WAREHOUSE}/FindProducts"), &[], &text_field(1, b"lamps")).await;
        assert!(products.contains("Storm lantern") && !products.contains("rope"));
        let set = format!("{WAREHOUSE}/SetPrice");
        assert_eq!(call(&client, &set, &[("authorization", &admin)], &set_price()).await.status, 0);
        assert_eq!(price(&client).await, "0.5");
        let descriptors = client.get("/grpc/descriptors.bin").await;
        assert!(descriptors.text().contains("harbour/v1/warehouse.proto"));
    }
}
