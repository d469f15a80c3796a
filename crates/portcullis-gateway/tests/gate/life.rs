//! Listeners over time: bounds on connections, idleness, reload, drain.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use portcullis_gateway::{StartError, plan::Plan};

use crate::support::*;

#[tokio::test]
async fn idle_connections_end() {
    let behind = Behind::ok().await;
    let mut plan = serving(vec![endpoint("GET /", &behind.upstream())]);
    plan.limits.idle_timeout = Duration::from_millis(100);
    plan.limits.header_timeout = Duration::from_millis(100);
    let gate = gate(plan);
    let mut client = gate.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(client.answer(false).await.status, 200);
    assert!(client.closed(Duration::from_secs(5)).await);
    assert_eq!(gate.gateway.stats().connections_timed_out.now(), 0, "it ended in order");
}

#[tokio::test]
async fn connections_are_bounded_in_all_and_per_address() {
    let behind = Behind::ok().await;
    for (all, each) in [(2, 100), (100, 2)] {
        let mut plan = serving(vec![endpoint("GET /", &behind.upstream())]);
        plan.limits.connections_max = all;
        plan.limits.connections_per_address_max = each;
        let gate = gate(plan);
        let mut kept = Vec::new();
        for _ in 0..2 {
            let mut client = gate.connect().await;
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
            assert_eq!(client.answer(false).await.status, 200);
            kept.push(client);
        }
        let mut third = gate.connect().await;
        assert!(third.closed(Duration::from_secs(5)).await);
        drop(kept.pop());
        while gate.gateway.stats().connections_open.now() > 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(gate.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.status, 200);
        assert_eq!(gate.gateway.stats().connections_refused.now(), 1);
    }
}

#[tokio::test]
async fn reload_under_load_loses_nothing() {
    let behind = Behind::ok().await;
    let upstream = behind.upstream();
    let gate = Arc::new(gate(serving(vec![endpoint("GET /", &upstream)])));
    let address = gate.gateway.addresses()["main"];
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let gate = Arc::clone(&gate);
            tokio::spawn(async move {
                let mut client = gate.connect().await;
                for _ in 0..200 {
                    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
                    assert_eq!(client.answer(false).await.status, 200);
                }
            })
        })
        .collect();
    for generation in 2..20 {
        let mut next = plan(serving(vec![endpoint("GET /", &upstream), endpoint("GET /new", &upstream)]));
        next.generation = generation;
        gate.gateway.reload(next).unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(gate.gateway.generation(), 19);
    assert_eq!(gate.gateway.addresses()["main"], address, "port 0 is chosen once");
    assert_eq!(gate.ask("GET /new HTTP/1.1\r\nHost: h\r\n\r\n").await.status, 200);
    gate.record.events(801).await;
}

#[tokio::test]
async fn listeners_come_and_go() {
    let behind = Behind::ok().await;
    let upstream = behind.upstream();
    let gate = gate(serving(vec![endpoint("GET /", &upstream)]));
    let main = gate.gateway.addresses()["main"];
    let serve = || Arc::new(serving(vec![endpoint("GET /", &upstream)]));
    let other = Plan { generation: 2, listeners: BTreeMap::from([(Arc::from("other"), serve())]) };
    gate.gateway.reload(other).unwrap();
    let addresses = gate.gateway.addresses();
    assert_eq!(addresses.keys().map(|name| &**name).collect::<Vec<_>>(), ["other"]);
    let mut gone = false;
    for _ in 0..100 {
        gone = tokio::net::TcpStream::connect(main).await.is_err();
        if gone {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(gone, "the old address is closed");
    let mut client = Client(tokio::net::TcpStream::connect(addresses["other"]).await.unwrap());
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(client.answer(false).await.status, 200);
}

#[tokio::test]
async fn a_reload_that_fails_changes_nothing() {
    let behind = Behind::ok().await;
    let upstream = behind.upstream();
    let gate = gate(serving(vec![endpoint("GET /", &upstream)]));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut plan = plan(serving(vec![endpoint("GET /other", &upstream)]));
    let mut second = serving(vec![endpoint("GET /", &upstream)]);
    second.address = taken.local_addr().unwrap();
    plan.generation = 2;
    plan.listeners.insert("second".into(), Arc::new(second));
    let error = gate.gateway.reload(plan).unwrap_err();
    assert!(matches!(&error, StartError::Bind { listener, .. } if &**listener == "second"), "{error}");
    assert_eq!(gate.gateway.generation(), 1);
    assert_eq!(gate.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.status, 200);
}

#[tokio::test]
async fn drain_lets_calls_end_and_closes_the_rest() {
    let behind = Behind::start(|request| {
        let pause = if request.starts_with("GET /slow") { "<pause><pause>" } else { "" };
        format!("{pause}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    })
    .await;
    let gate = gate(serving(vec![endpoint("GET /{x}", &behind.upstream())]));
    let mut idle = gate.connect().await;
    idle.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(idle.answer(false).await.status, 200);
    let mut busy = gate.connect().await;
    busy.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n").await;
    while gate.gateway.stats().in_flight.now() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let address = gate.gateway.addresses()["main"];
    let (cut, answer, ()) =
        tokio::join!(gate.gateway.drain(Duration::from_secs(10)), busy.answer(false), async {
            assert!(idle.closed(Duration::from_secs(5)).await);
        });
    assert_eq!((cut, answer.status, answer.header("connection")), (0, 200, Some("close")));
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    assert_eq!(gate.gateway.stats().connections_open.now(), 0);
}

#[tokio::test]
async fn drain_cuts_what_does_not_end() {
    let behind = Behind::start(|_| "<never>".to_owned()).await;
    let gate = gate(serving(vec![endpoint("GET /", &behind.upstream())]));
    let mut busy = gate.connect().await;
    busy.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    while gate.gateway.stats().in_flight.now() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(gate.gateway.drain(Duration::from_millis(50)).await, 1);
    gate.record.one().await;
}
