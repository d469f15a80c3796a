//! Connections are kept, shared between calls, and bounded.

use std::{sync::Arc, time::Duration};

use portcullis_core::event::UpstreamFault;
use tokio::{io::AsyncWriteExt, sync::Semaphore};

use crate::stage::{OK, build, get, get_text, post, read_request, serve, serve_text, settings, text};

#[tokio::test]
async fn keeps_a_connection_for_the_next_call() {
    let (address, counts) = serve_text(OK).await;
    let upstream = build(settings(&[address]));
    for _ in 0..20 {
        assert_eq!(get_text(&upstream, "/").await, "ok");
    }
    assert_eq!((counts.connections(), counts.requests()), (1, 20));
    assert_eq!(upstream.status()[0].connections, 1);
    assert_eq!(upstream.status()[0].in_flight, 0);
}

#[tokio::test]
async fn keeps_a_connection_after_a_chunked_answer() {
    let (address, counts) =
        serve_text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n")
            .await;
    let upstream = build(settings(&[address]));
    for _ in 0..3 {
        let answer = get(&upstream, "/").await.expect("an answer");
        let (body, trailers) = text(answer.response.into_body()).await.expect("a whole body");
        assert_eq!(body, "ok");
        assert_eq!(trailers["x-sum"], "7");
    }
    assert_eq!(counts.connections(), 1);
}

#[tokio::test]
async fn an_answer_nobody_reads_costs_its_connection() {
    let (address, counts) = serve_text(OK).await;
    let upstream = build(settings(&[address]));
    drop(get(&upstream, "/").await.expect("an answer"));
    get_text(&upstream, "/").await;
    assert_eq!(counts.connections(), 2);
}

#[tokio::test]
async fn repeats_a_call_once_when_a_kept_connection_turns_out_dead() {
    // Each connection answers one request and closes only when the next one comes, which is the race that no
    // check before sending can win.
    let address = serve(|_, mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(OK.as_bytes()).await.expect("an open connection");
        read_request(&mut stream).await;
    })
    .await;
    let upstream = build(settings(&[address]));
    for _ in 0..5 {
        assert_eq!(get_text(&upstream, "/").await, "ok");
    }
    assert_eq!(upstream.status()[0].failed, 0);
}

#[tokio::test]
async fn never_repeats_a_post_that_a_server_may_have_seen() {
    let address = serve(|_, mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(OK.as_bytes()).await.expect("an open connection");
        read_request(&mut stream).await;
    })
    .await;
    let upstream = build(settings(&[address]));
    get_text(&upstream, "/").await;
    let failure = post(&upstream, "{}").await.expect_err("the connection is lost");
    assert_eq!(failure.fault, UpstreamFault::Reset);
    assert_eq!(failure.attempts, 1);
}

#[tokio::test]
async fn leaves_a_connection_alone_that_the_server_has_closed() {
    let address = serve(|_, mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(OK.as_bytes()).await.expect("an open connection");
    })
    .await;
    let mut settings = settings(&[address]);
    // So that idle connections are looked at often.
    settings.pool.idle_timeout = Duration::from_millis(200);
    let upstream = build(settings);
    for _ in 0..5 {
        let answer = post(&upstream, "{}").await.expect("an answer");
        text(answer.response.into_body()).await.expect("a whole body");
        // Until the closing has reached us, as it would have between two calls.
        while upstream.status()[0].connections > 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn closes_idle_connections_in_time() {
    let (address, counts) = serve_text(OK).await;
    let mut settings = settings(&[address]);
    settings.pool.idle_timeout = Duration::from_millis(20);
    let upstream = build(settings);
    get_text(&upstream, "/").await;
    while upstream.status()[0].connections > 0 {
        tokio::task::yield_now().await;
    }
    get_text(&upstream, "/").await;
    assert_eq!(counts.connections(), 2);
}

#[tokio::test]
async fn heeds_how_long_the_server_says_it_keeps_a_connection() {
    let (address, counts) =
        serve_text("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok").await;
    let upstream = build(settings(&[address]));
    get_text(&upstream, "/").await;
    get_text(&upstream, "/").await;
    assert_eq!(counts.connections(), 2, "a second less than one second is not at all");
}

#[tokio::test]
async fn calls_beyond_the_bound_wait_for_a_connection() {
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let address = serve(move |_, mut stream| {
        let gate = Arc::clone(&gate);
        async move {
            while read_request(&mut stream).await.is_some() {
                gate.acquire().await.expect("an open gate").forget();
                stream.write_all(OK.as_bytes()).await.expect("an open connection");
            }
        }
    })
    .await;
    let mut settings = settings(&[address]);
    settings.pool.connections_max = 2;
    let upstream = build(settings);
    let calls: Vec<_> = (0..4)
        .map(|_| {
            let upstream = Arc::clone(&upstream);
            tokio::spawn(async move { get_text(&upstream, "/").await })
        })
        .collect();
    while upstream.status()[0].in_flight < 4 {
        tokio::task::yield_now().await;
    }
    assert!(upstream.status()[0].connections <= 2);
    opened.add_permits(4);
    for call in calls {
        assert_eq!(call.await.expect("no panic"), "ok");
    }
    assert!(upstream.status()[0].connections <= 2);
}

#[tokio::test]
async fn says_overloaded_when_no_connection_comes_free() {
    let address = serve(|_, mut stream| async move {
        read_request(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let mut settings = settings(&[address]);
    settings.pool.connections_max = 1;
    settings.timeouts.connect = Duration::from_millis(50);
    let upstream = build(settings);
    let first = tokio::spawn({
        let upstream = Arc::clone(&upstream);
        async move { get(&upstream, "/").await }
    });
    while upstream.status()[0].connections < 1 {
        tokio::task::yield_now().await;
    }
    let failure = get(&upstream, "/").await.expect_err("no room");
    assert_eq!(failure.fault, UpstreamFault::Overloaded);
    first.abort();
}

#[tokio::test]
async fn a_call_given_up_frees_its_place() {
    let address = serve(|_, mut stream| async move {
        read_request(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let upstream = build(settings(&[address]));
    let call = tokio::spawn({
        let upstream = Arc::clone(&upstream);
        async move { get(&upstream, "/").await }
    });
    while upstream.status()[0].connections < 1 {
        tokio::task::yield_now().await;
    }
    call.abort();
    while upstream.status()[0].connections > 0 || upstream.status()[0].in_flight > 0 {
        tokio::task::yield_now().await;
    }
}
