//! The interface over real sockets, bytes in and bytes out.

use std::{collections::BTreeMap, os::unix::fs::PermissionsExt, sync::Arc};

use portcullis_core::secret::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Admin, AdminError};
use crate::{Control, NotReady, ReloadOutcome, Status};

struct Gate {
    ready: bool,
}

impl Control for Gate {
    fn status(&self) -> Status {
        Status {
            version: "0.0.0".into(),
            pid: 1,
            up_secs: 2,
            config: "portcullis.yaml".into(),
            generation: 3,
            last_rejected: None,
            last_reload: None,
            listeners: Vec::new(),
            operations: BTreeMap::new(),
            upstreams: Vec::new(),
            exchanges: 0,
            in_flight: 0,
            connections: 0,
            events_written: 0,
            events_dropped: 0,
        }
    }

    fn reload(&self) -> ReloadOutcome {
        ReloadOutcome::Rejected { why: "line 3".into() }
    }

    fn metrics(&self) -> String {
        "# EOF\n".into()
    }

    fn not_ready(&self) -> Vec<NotReady> {
        if self.ready {
            Vec::new()
        } else {
            vec![NotReady { part: "record".into(), why: "disk full".into() }]
        }
    }

    fn keys_changed(&self) -> Result<usize, String> {
        Ok(7)
    }
}

async fn ask(stream: impl AsyncReadExt + AsyncWriteExt + Unpin, request: &str) -> String {
    let mut stream = stream;
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn get(path: &str, extra: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n{extra}\r\n")
}

#[tokio::test]
async fn asks_for_the_token_over_tcp_and_not_over_the_socket() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control.sock");
    let admin = Admin::bind(Some(([127, 0, 0, 1], 0).into()), Some(Secret::new("s3cret".into())), &socket)
        .await
        .unwrap();
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let address = admin.address().unwrap();
    let server = tokio::spawn(admin.serve(Arc::new(Gate { ready: false })));

    let tcp =
        async |request: &str| ask(tokio::net::TcpStream::connect(address).await.unwrap(), request).await;
    assert!(tcp(&get("/metrics", "")).await.starts_with("HTTP/1.1 401"));
    assert!(tcp(&get("/metrics", "authorization: Bearer wrong\r\n")).await.starts_with("HTTP/1.1 401"));
    assert!(tcp(&get("/metrics", "authorization: Bearer s3cret\r\n")).await.contains("# EOF"));
    assert!(tcp(&get("/healthz", "")).await.starts_with("HTTP/1.1 200"));
    assert!(tcp(&get("/healthz", "origin: https://evil.example\r\n")).await.starts_with("HTTP/1.1 403"));

    let unix =
        async |request: &str| ask(tokio::net::UnixStream::connect(&socket).await.unwrap(), request).await;
    assert!(unix(&get("/readyz", "")).await.contains("disk full"));
    let reload =
        unix("POST /v1/reload HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await;
    assert!(reload.starts_with("HTTP/1.1 409") && reload.contains("line 3"), "{reload}");
    server.abort();
}

#[tokio::test]
async fn a_rebound_name_gets_nothing_by_sending_any_token() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control.sock");
    let admin = Admin::bind(Some(([127, 0, 0, 1], 0).into()), None, &socket).await.unwrap();
    let address = admin.address().unwrap();
    let server = tokio::spawn(admin.serve(Arc::new(Gate { ready: true })));
    for (extra, expected) in [("", "HTTP/1.1 403"), ("authorization: Bearer x\r\n", "HTTP/1.1 403")] {
        let request =
            format!("GET /metrics HTTP/1.1\r\nhost: evil.example:9901\r\nconnection: close\r\n{extra}\r\n");
        let answer = ask(tokio::net::TcpStream::connect(address).await.unwrap(), &request).await;
        assert!(answer.starts_with(expected), "{extra}: {answer}");
    }
    let answer = ask(tokio::net::TcpStream::connect(address).await.unwrap(), &get("/metrics", "")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    server.abort();
}

#[tokio::test]
async fn refuses_a_public_address_without_a_token_and_a_socket_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control.sock");
    let public = Admin::bind(Some(([0, 0, 0, 0], 0).into()), None, &socket).await;
    assert!(matches!(public, Err(AdminError::TokenRequired(_))));

    let first = Admin::bind(None, None, &socket).await.unwrap();
    assert!(matches!(Admin::bind(None, None, &socket).await, Err(AdminError::Occupied(_))));
    drop(first);
    assert!(Admin::bind(None, None, &socket).await.is_ok(), "a leftover socket is replaced");
}
