//! `portcullis demo`: the gate in front of a sample shop, with clients and attackers.

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use portcullis_auth::mechanisms::api_key::{self, KeyPrefix};
use portcullis_config::units;
use portcullis_core::clock::Clock as _;
use portcullis_demo::{
    SHOP_OPENAPI,
    driver::{self, Traffic},
    shop,
};
use portcullis_store::keys::NewKey;
use tokio::{net::TcpListener, sync::mpsc};

use super::{
    complain,
    live::{Live, Output},
    run,
};
use crate::{
    cli,
    exit::Exit,
    system::{SystemClock, SystemEntropy},
};

/// Ordinary clients and attackers, each with a call every [`PAUSE`].
const CLIENTS: u16 = 6;
const ATTACKERS: u16 = 3;
const PAUSE: Duration = Duration::from_millis(120);

/// Runs the command.
pub(crate) fn run(arguments: &cli::Demo) -> anyhow::Result<Exit> {
    let duration = duration(arguments.duration.as_deref())?;
    let runtime = run::background_runtime()?;
    let outcome = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port for the sample shop")?;
        let shop = listener.local_addr()?;
        tokio::spawn(shop::serve(listener));

        let live = start(arguments, shop, runtime.handle())?;
        live.control().await?;
        let address =
            live.gate.gateway().addresses().into_values().next().context("the gate has no listener")?;
        let key = key(&live)?;
        let forged = api_key::generate(&SystemEntropy, &KeyPrefix::new("pcl_")?);
        let (sender, seen) = mpsc::channel(1_024);
        tokio::spawn(driver::play(
            Traffic {
                target: address,
                key: key.as_str().into(),
                forged_key: forged.text.reveal().as_str().into(),
                clients: CLIENTS,
                attackers: ATTACKERS,
                pause: PAUSE,
                seed: arguments.seed,
            },
            sender,
        ));
        let heading = heading(&format!("http://{address}"), &key, &live.data().display().to_string());
        live.show(&heading, Output::fitting(arguments.json), duration, seen).await
    });
    runtime.shutdown_timeout(Duration::from_millis(200));
    outcome.map(|()| Exit::Success)
}

/// `--for`.
pub(crate) fn duration(text: Option<&str>) -> anyhow::Result<Option<Duration>> {
    text.map(|text| units::parse_duration(text).map_err(|error| anyhow::anyhow!("`--for {text}`: {error}")))
        .transpose()
}

/// Starts the gate; where the usual port is taken, at any other.
fn start(
    arguments: &cli::Demo,
    shop: std::net::SocketAddr,
    runtime: &tokio::runtime::Handle,
) -> anyhow::Result<Live> {
    let live = |listen: &str| {
        let files = vec![
            (PathBuf::from("portcullis.yaml"), configuration(listen, shop)),
            (PathBuf::from("shop.openapi.yaml"), SHOP_OPENAPI.to_owned()),
        ];
        Live::start(files, runtime)
    };
    match live(&arguments.listen) {
        Err(error) if arguments.listen == cli::DEMO_LISTEN && is_taken(&error) => {
            complain(&format!("{} is taken; listening on another port\n", arguments.listen));
            live("127.0.0.1:0")
        }
        outcome => outcome,
    }
}

fn is_taken(error: &anyhow::Error) -> bool {
    error.chain().any(|it| {
        it.downcast_ref::<std::io::Error>().is_some_and(|it| it.kind() == std::io::ErrorKind::AddrInUse)
    })
}

fn configuration(listen: &str, shop: std::net::SocketAddr) -> String {
    format!(
        "listen: {listen}\ntls: off\n\
         identity:\n  providers:\n    key: {{ api_keys: {{ header: X-API-Key }} }}\n\
         apis:\n  shop:\n    spec: shop.openapi.yaml\n    upstream: http://{shop}\n    limit: 200/s burst 400 per consumer\n    \
         identity_headers: {{ X-Consumer: principal.id }}\n    \
         operations:\n      login:\n        login: {{ attempts: [5/1m per username, 100/10m per ip], username_field: /username }}\n"
    )
}

/// Issues the key that clients use, and that the reader may.
fn key(live: &Live) -> anyhow::Result<String> {
    let made = api_key::generate(&SystemEntropy, &KeyPrefix::new("pcl_")?);
    let key = NewKey {
        sha256: made.sha256,
        shown: made.shown.clone(),
        name: "demo".into(),
        owner: "demo".into(),
        ..NewKey::default()
    };
    live.gate.keys().create(key, SystemClock.now())?;
    Ok(made.text.reveal().clone())
}

fn heading(url: &str, key: &str, data: &str) -> String {
    format!(
        "Portcullis guards a sample shop at {url}\n\
         Its document: users, orders, invoices, products, login. Six clients keep to it, three attackers do not.\n\n\
         Try it yourself, with the key {key}\n\n  \
         curl -H 'X-API-Key: {key}' '{url}/v1/products?q=tea'\n  \
         curl -i {url}/v1/orders/7\n  \
         curl -i -H 'X-API-Key: {key}' '{url}/v1/orders/1%20OR%201=1'\n\n\
         Why was a call refused? The answer's `instance` holds a reference id:\n  \
         portcullis explain ID --data {data}\n\n"
    )
}
