//! Answers that two readers could take for different ones (CWE-444), and bytes that nobody asked for: neither is passed
//! on, and no call uses such a connection again.

use std::time::Duration;

use portcullis_core::event::UpstreamFault;
use tokio::{io::AsyncWriteExt, task::coop::has_budget_remaining};

use crate::stage::{OK, build, get, get_text, read_request, serve, serve_text, settings, text};

#[tokio::test]
async fn heads_that_are_no_answers_are_nonsense() {
    for head in [
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        " HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n",
        "<html>not found</html>",
        "HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n X: y\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n\tb\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\0\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nX\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 103 Early\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ] {
        let (address, counts) = serve_text(head).await;
        let upstream = build(settings(&[address]));
        for call in 1..3 {
            let failure = get(&upstream, "/").await.expect_err("nonsense");
            assert_eq!(failure.fault, UpstreamFault::Nonsense, "{head:?}: {failure}");
            assert_eq!((counts.connections(), counts.requests()), (call, call), "{head:?}");
        }
    }
}

#[tokio::test]
async fn interim_answers_have_an_end() {
    let many = format!("{}{OK}", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(17)).leak();
    let (address, _) = serve_text(many).await;
    let failure = get(&build(settings(&[address])), "/").await.expect_err("too many");
    assert_eq!(failure.fault, UpstreamFault::Nonsense);
}

#[tokio::test]
async fn bodies_that_are_not_framed_as_they_must_be_are_cut_off() {
    for body in [
        "\r\n",
        "g\r\n",
        "0x2\r\nok\r\n0\r\n\r\n",
        "+2\r\nok\r\n0\r\n\r\n",
        " 2\r\nok\r\n0\r\n\r\n",
        "2 \r\nok\r\n0\r\n\r\n",
        "2\nok\r\n0\r\n\r\n",
        "2\r\nok0\r\n\r\n",
        "2\r\nokk\r\n0\r\n\r\n",
        "2\r\nok\n0\r\n\r\n",
        "2;\r\nok\r\n0\r\n\r\n",
        "10000000000000000\r\n",
        "2\r\nok\r\n0\r\nX : y\r\n\r\n",
        "2\r\nok\r\n0\r\n X: y\r\n\r\n",
        "2\r\nok\r\n0\r\nX: y\n\r\n",
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}").leak();
        let (address, counts) = serve_text(answer).await;
        let upstream = build(settings(&[address]));
        for call in 1..3 {
            let answer = get(&upstream, "/").await.expect("a head");
            text(answer.response.into_body()).await.expect_err("a bad body");
            assert_eq!((counts.connections(), upstream.status()[0].connections), (call, 0), "{body:?}");
        }
    }
}

#[tokio::test]
async fn a_connection_with_bytes_nobody_asked_for_is_not_used_again() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\nevil",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\n",
    ] {
        let (address, counts) = serve_text(answer).await;
        let upstream = build(settings(&[address]));
        for call in 1..4 {
            assert_eq!(get_text(&upstream, "/").await, "ok");
            assert_eq!(counts.connections(), call, "{answer:?}");
        }
    }
    for head in
        ["HTTP/1.1 204 No Content\r\n\r\nevil", "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil"]
    {
        let (address, counts) = serve_text(head).await;
        let upstream = build(settings(&[address]));
        for call in 1..4 {
            assert_eq!(get_text(&upstream, "/").await, "");
            assert_eq!(counts.connections(), call, "{head:?}");
        }
    }
}

#[tokio::test]
async fn bytes_that_come_between_two_calls_are_not_the_next_answer() {
    let address = serve(|number, mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(OK.as_bytes()).await.expect("an open connection");
        if number == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            stream.write_all(OK.replace("ok", "no").as_bytes()).await.expect("an open connection");
        }
        std::future::pending::<()>().await;
    })
    .await;
    let upstream = build(settings(&[address]));
    assert_eq!(get_text(&upstream, "/").await, "ok");
    tokio::time::sleep(Duration::from_millis(100)).await;
    // A task that has had its turn is told of nothing new on any socket.
    while has_budget_remaining() {
        tokio::task::consume_budget().await;
    }
    assert_eq!(get_text(&upstream, "/").await, "ok");
}
