//! Servers that are dead, slow, broken or lying.

use std::time::Duration;

use http::Method;
use portcullis_core::event::UpstreamFault;
use portcullis_gateway::upstream::{
    Asking, CallOptions, OutBody, Patience, RetryCause, RetryMethods, RetryOverride, RetrySettings, Side,
    Upstream,
};
use tokio::io::AsyncWriteExt;

use crate::stage::{
    OK, build, dead, get, get_text, post, read_request, request, serve, serve_text, settings, text,
};

#[tokio::test]
async fn a_dead_server_is_a_connect_fault_with_its_address() {
    let address = dead().await;
    let failure = get(&build(settings(&[address])), "/").await.expect_err("nobody listens");
    assert_eq!(failure.fault, UpstreamFault::Connect);
    assert_eq!(failure.side, Side::Upstream);
    assert!(failure.to_string().contains(&address.to_string()), "{failure}");
}

#[tokio::test]
async fn a_silent_server_is_a_timeout() {
    let address = serve(|_, mut stream| async move {
        read_request(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let mut settings = settings(&[address]);
    settings.timeouts.response_head = Some(Duration::from_millis(30));
    let failure = get(&build(settings), "/").await.expect_err("silence");
    assert_eq!(failure.fault, UpstreamFault::Timeout);
}

#[tokio::test]
async fn the_whole_call_has_an_end_retries_included() {
    let (address, counts) = serve_text("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n").await;
    let mut settings = settings(&[address]);
    settings.retry.attempts = 200;
    settings.retry.budget_floor = 1000;
    settings.retry.on = vec![RetryCause::Status503];
    settings.retry.backoff_min = Duration::from_millis(10);
    settings.retry.backoff_max = Duration::from_millis(10);
    let upstream = build(settings);
    let options = CallOptions { total: Patience::For(Duration::from_millis(60)), ..CallOptions::default() };
    let _ = upstream.call(request(Method::GET, "/"), OutBody::Empty, &options).await;
    assert!(counts.requests() >= 2, "{}", counts.requests());
    assert!(counts.requests() < 20, "{}", counts.requests());
}

#[tokio::test]
async fn a_connection_lost_before_the_answer_is_a_reset() {
    let address = serve(|_, mut stream| async move {
        read_request(&mut stream).await;
    })
    .await;
    let failure = get(&build(settings(&[address])), "/").await.expect_err("closed");
    assert_eq!(failure.fault, UpstreamFault::Reset);
}

#[tokio::test]
async fn a_body_that_ends_early_is_cut_off() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let address = serve(move |_, mut stream| async move {
            read_request(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.expect("an open connection");
        })
        .await;
        let upstream = build(settings(&[address]));
        let answer = get(&upstream, "/").await.expect("a head");
        text(answer.response.into_body()).await.expect_err("half a body");
        assert_eq!(upstream.status()[0].failed, 1);
    }
}

#[tokio::test]
async fn a_body_that_stalls_is_cut_off() {
    let address = serve(|_, mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await.expect("open");
        std::future::pending::<()>().await;
    })
    .await;
    let mut settings = settings(&[address]);
    settings.timeouts.idle = Some(Duration::from_millis(30));
    let answer = get(&build(settings), "/").await.expect("a head");
    let cut_off = text(answer.response.into_body()).await.expect_err("half a body");
    assert!(cut_off.detail.contains("nothing for too long"), "{cut_off}");
}

#[tokio::test]
async fn a_body_that_trickles_ends_with_the_call() {
    let address = serve(|_, mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").await.expect("open");
        let mut tick = tokio::time::interval(Duration::from_millis(5));
        while stream.write_all(b"x").await.is_ok() {
            tick.tick().await;
        }
    })
    .await;
    let mut settings = settings(&[address]);
    settings.timeouts.total = Some(Duration::from_millis(60));
    let answer = get(&build(settings), "/").await.expect("a head");
    let cut_off = text(answer.response.into_body()).await.expect_err("half a body");
    assert!(cut_off.detail.contains("longer than it may"), "{cut_off}");
}

#[tokio::test]
async fn nonsense_is_told_from_a_lost_connection() {
    let many_fields =
        format!("HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n", "X: y\r\n".repeat(500)).leak();
    let large_field =
        format!("HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 0\r\n\r\n", "y".repeat(400_000)).leak();
    for answer in [
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
        "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nBad Name: x\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n folded\r\nContent-Length: 0\r\n\r\n",
        many_fields,
        large_field,
    ] {
        let (address, _) = serve_text(answer).await;
        let failure = get(&build(settings(&[address])), "/").await.expect_err("nonsense");
        assert_eq!(failure.fault, UpstreamFault::Nonsense, "{:.60}: {failure}", answer);
    }
}

#[tokio::test]
async fn interim_answers_are_dropped() {
    let (address, _) = serve_text(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    )
    .await;
    let answer = get(&build(settings(&[address])), "/").await.expect("an answer");
    assert_eq!(answer.response.status(), 200);
    assert!(!answer.response.headers().contains_key("link"));
}

/// A server that loses the first `losses` connections with their requests and then answers.
async fn losing(losses: usize) -> std::net::SocketAddr {
    serve(move |number, mut stream| async move {
        while read_request(&mut stream).await.is_some() {
            if number < losses || stream.write_all(OK.as_bytes()).await.is_err() {
                return;
            }
        }
    })
    .await
}

fn retrying(
    address: std::net::SocketAddr,
    attempts: u8,
    on: &[RetryCause],
) -> portcullis_gateway::upstream::UpstreamSettings {
    let mut settings = settings(&[address]);
    settings.retry.attempts = attempts;
    settings.retry.on = on.to_vec();
    settings
}

#[tokio::test]
async fn retries_what_the_settings_say_and_no_oftener() {
    let upstream = build(retrying(losing(2).await, 2, &[RetryCause::Reset]));
    let answer = get(&upstream, "/").await.expect("the third try");
    assert_eq!(answer.attempts, 3);

    let upstream = build(retrying(losing(2).await, 1, &[RetryCause::Reset]));
    assert_eq!(get(&upstream, "/").await.expect_err("two tries").attempts, 2);

    let upstream = build(retrying(losing(1).await, 2, &[RetryCause::Connect]));
    assert_eq!(get(&upstream, "/").await.expect_err("another cause").attempts, 1);
}

#[tokio::test]
async fn retries_a_post_only_when_the_operator_vouches() {
    let upstream = build(retrying(losing(1).await, 2, &[RetryCause::Reset]));
    assert_eq!(post(&upstream, "{}").await.expect_err("not idempotent").attempts, 1);

    let mut settings = retrying(losing(1).await, 2, &[RetryCause::Reset]);
    settings.retry.methods = RetryMethods::All;
    assert_eq!(post(&build(settings), "{}").await.expect("an answer").attempts, 2);
}

#[tokio::test]
async fn a_route_can_say_otherwise_about_retries() {
    let never = RetryOverride::new(&RetrySettings { attempts: 0, ..RetrySettings::default() });
    let upstream = build(retrying(losing(1).await, 2, &[RetryCause::Reset]));
    let failure = upstream
        .call_with(
            Asking::whole(&request(Method::GET, "/")),
            OutBody::Empty,
            &CallOptions::default(),
            Some(&never),
        )
        .await
        .expect_err("one try");
    assert_eq!(failure.attempts, 1);

    let once = RetryOverride::new(&RetrySettings { on: vec![RetryCause::Reset], ..RetrySettings::default() });
    let upstream = build(retrying(losing(1).await, 0, &[]));
    let answer = upstream
        .call_with(
            Asking::whole(&request(Method::GET, "/")),
            OutBody::Empty,
            &CallOptions::default(),
            Some(&once),
        )
        .await
        .expect("the second try");
    assert_eq!(answer.attempts, 2);
}

#[tokio::test]
async fn retries_on_a_status_and_keeps_the_connection() {
    let address = serve(|_, mut stream| async move {
        for answer in ["HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy", OK] {
            read_request(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.expect("an open connection");
        }
        std::future::pending::<()>().await;
    })
    .await;
    let upstream = build(retrying(address, 1, &[RetryCause::Status503]));
    let answer = get(&upstream, "/").await.expect("an answer");
    assert_eq!((answer.response.status().as_u16(), answer.attempts), (200, 2));
    assert_eq!(upstream.status()[0].connections, 1);
}

#[tokio::test]
async fn the_last_answer_stands_when_retries_are_spent() {
    let (address, counts) =
        serve_text("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy").await;
    let upstream = build(retrying(address, 2, &[RetryCause::Status503]));
    let answer = get(&upstream, "/").await.expect("an answer");
    assert_eq!((answer.response.status().as_u16(), answer.attempts), (503, 3));
    assert_eq!(counts.requests(), 3);
}

#[tokio::test]
async fn the_budget_ends_a_storm_of_retries() {
    let (address, counts) = serve_text("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n").await;
    let mut settings = retrying(address, 3, &[RetryCause::Status503]);
    settings.retry.budget_floor = 5;
    settings.retry.budget_percent = 10;
    let upstream = build(settings);
    for _ in 0..100 {
        let _ = get(&upstream, "/").await.expect("an answer");
    }
    assert!(counts.requests() <= 100 + 10, "{}", counts.requests());
    assert!(counts.requests() >= 100 + 5, "{}", counts.requests());
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_a_connect_fault() {
    let mut settings = settings(&[dead().await]);
    settings.servers[0].host = "nowhere.invalid".into();
    settings.timeouts.connect = Duration::from_secs(20);
    let failure = get(&build(settings), "/").await.expect_err("no such name");
    assert_eq!(failure.fault, UpstreamFault::Connect);
}

#[tokio::test]
async fn a_name_with_several_addresses_is_tried_through() {
    // `localhost` is `::1` and `127.0.0.1` on most machines; the server listens on the latter alone.
    let (address, _) = serve_text(OK).await;
    let mut settings = settings(&[address]);
    settings.servers[0].host = "localhost".into();
    let upstream = build(settings);
    for _ in 0..4 {
        drop(get(&upstream, "/").await.expect("an answer"));
    }
}

#[tokio::test]
async fn bad_settings_are_refused() {
    let good = settings(&[dead().await]);
    let refused = |change: &dyn Fn(&mut portcullis_gateway::upstream::UpstreamSettings)| {
        let mut settings = good.clone();
        change(&mut settings);
        Upstream::new(settings, 1, &crate::stage::Seed).expect_err("refused").to_string()
    };
    assert!(refused(&|it| it.servers.clear()).contains("no server"));
    assert!(refused(&|it| it.servers[0].weight = 0).contains("no server"));
    assert!(refused(&|it| it.servers[0].host = "a b".into()).contains("host"));
    assert!(refused(&|it| it.servers[0].base_path = "v1".into()).contains("base path"));
    assert!(refused(&|it| it.pool.connections_max = 0).contains("connection"));
    assert!(build(good.clone()).same_settings(&good));
}

#[tokio::test]
async fn a_reload_with_the_same_settings_is_recognised() {
    let (address, _) = serve_text(OK).await;
    let first = settings(&[address]);
    let upstream = build(first.clone());
    let mut second = first.clone();
    assert!(upstream.same_settings(&second));
    second.timeouts.connect += Duration::from_millis(1);
    assert!(!upstream.same_settings(&second));
    assert_eq!(get_text(&upstream, "/").await, "ok");
}
