//! Reloading a document of 5,000 operations while clients call: no call fails, and what it costs is printed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a failure here is a failed test; times are printed, nothing is decided by them"
)]

#[path = "reload/document.rs"]
mod document;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use portcullis_e2e::{Caller, Gate, Upstream, text};

const OPERATIONS: usize = 5_000;
const CLIENTS: usize = 2;
const RELOADS: usize = 3;

/// How long each call took, and how many did not succeed.
#[derive(Default)]
struct Load {
    took: Vec<Duration>,
    failed: Vec<String>,
}

impl Load {
    /// Calls until told to stop, each client over one connection.
    async fn until(address: std::net::SocketAddr, stop: Arc<AtomicBool>) -> Self {
        let clients =
            (0..CLIENTS).map(|client| tokio::spawn(Self::client(address, client, Arc::clone(&stop))));
        let mut all = Self::default();
        for client in clients.collect::<Vec<_>>() {
            let mut one = client.await.expect("a client");
            all.took.append(&mut one.took);
            all.failed.append(&mut one.failed);
        }
        all.took.sort_unstable();
        all
    }

    async fn client(address: std::net::SocketAddr, client: usize, stop: Arc<AtomicBool>) -> Self {
        let mut caller = Caller::of(address);
        let mut load = Self::default();
        while !stop.load(Ordering::Relaxed) {
            let number = (load.took.len() * 7 + client) % (OPERATIONS / 5);
            let began = Instant::now();
            let answer = caller.get(&format!("/resource{number}/{}", load.took.len())).await;
            load.took.push(began.elapsed());
            if answer.status != 200 {
                load.failed.push(format!("{} {}", answer.status, answer.text()));
            }
        }
        load
    }

    fn print(&self, name: &str) {
        let at = |per_mille: usize| self.took[(self.took.len() - 1) * per_mille / 1000].as_micros();
        println!(
            "{name}: {} calls, p50 {} µs, p99 {} µs, p99.9 {} µs, longest {} µs",
            self.took.len(),
            at(500),
            at(990),
            at(999),
            at(1000)
        );
    }
}

/// Processor time of the gate so far, in milliseconds.
fn cpu_millis(gate: &Gate) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", gate.pid())).expect("a process has a status");
    let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
    let ticks = |field: usize| fields.split_whitespace().nth(field).and_then(|it| it.parse::<u64>().ok());
    // User and system time, the 14th and 15th field of all, in hundredths of a second.
    (ticks(11).expect("user time") + ticks(12).expect("system time")) * 10
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn five_thousand_operations_are_replaced_while_clients_call() {
    let thing = r#"{"name":"it","state":"open","count":3,"owner":null,"tags":["a"]}"#;
    let upstream = Upstream::answering(move |_| text(200, "application/json", thing)).await;
    let config = format!(
        "
listen: 127.0.0.1:0
admin: {{ address: 127.0.0.1:0 }}
tls: off
apis: {{ large: {{ spec: large.yaml, upstream: \"{}\", auth: anonymous, schema: {{ response: block }} }} }}
",
        upstream.url()
    );
    let builder =
        Gate::new(&config).file("large.yaml", document::document(OPERATIONS, 0)).argument("--no-watch");
    let gate = builder.start().await;

    let stop = Arc::new(AtomicBool::new(false));
    let steady = tokio::spawn(Load::until(gate.address(), Arc::clone(&stop)));
    tokio::time::sleep(Duration::from_secs(2)).await;
    stop.store(true, Ordering::Relaxed);
    let steady = steady.await.expect("clients");

    // Without load: what a reload takes by itself.
    gate.write("large.yaml", document::document(OPERATIONS, 1));
    let before = cpu_millis(&gate);
    let output = gate.reload();
    assert_eq!(output.code, 0, "{}", output.stderr);
    println!("alone: {}, {} ms of processor time", output.stdout.trim(), cpu_millis(&gate) - before);

    let stop = Arc::new(AtomicBool::new(false));
    let under = tokio::spawn(Load::until(gate.address(), Arc::clone(&stop)));
    for version in 2..2 + RELOADS {
        gate.write("large.yaml", document::document(OPERATIONS, version));
        let folder = gate.folder().to_owned();
        let reload = tokio::task::spawn_blocking(move || portcullis_e2e::portcullis(&folder, &["reload"]));
        let output = reload.await.expect("a command");
        assert_eq!(output.code, 0, "{}", output.stderr);
        println!("under load: {}", output.stdout.trim());
        assert_eq!(gate.status()["generation"], version + 1);
    }
    stop.store(true, Ordering::Relaxed);
    let under = under.await.expect("clients");

    steady.print("steady load");
    under.print("while reloading");
    for load in [&steady, &under] {
        assert!(load.took.len() > 100, "{} calls", load.took.len());
        assert!(load.failed.is_empty(), "{:?}", load.failed);
    }
    assert_eq!(gate.status()["operations"]["large"], OPERATIONS);
}
