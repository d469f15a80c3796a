//! `portcullis proxy URL`: no file at all. Everything is reported, nothing is refused.

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use tokio::sync::mpsc;

use super::{
    demo,
    live::{Live, Output},
    run,
};
use crate::{cli, exit::Exit};

/// Runs the command.
pub(crate) fn run(arguments: &cli::Proxy) -> anyhow::Result<Exit> {
    let duration = demo::duration(arguments.duration.as_deref())?;
    let runtime = run::background_runtime()?;
    let outcome = runtime.block_on(async {
        let files = vec![(PathBuf::from("portcullis.yaml"), configuration(arguments)?)];
        let live = Live::start(files, runtime.handle())?;
        live.control().await?;
        let address =
            live.gate.gateway().addresses().into_values().next().context("the gate has no listener")?;
        let (_no_callers, seen) = mpsc::channel(1);
        let heading = heading(arguments, &address.to_string());
        live.show(&heading, Output::fitting(false), duration, seen).await
    });
    runtime.shutdown_timeout(Duration::from_millis(200));
    outcome.map(|()| Exit::Success)
}

fn configuration(arguments: &cli::Proxy) -> anyhow::Result<String> {
    let spec = match &arguments.spec {
        // The text goes into a quoted YAML scalar.
        Some(path) => {
            format!("\"{}\"", path.display().to_string().replace('\\', "\\\\").replace('"', "\\\""))
        }
        None => "none".to_owned(),
    };
    anyhow::ensure!(
        arguments.upstream.starts_with("http://") || arguments.upstream.starts_with("https://"),
        "`{}` is no URL: write http://HOST:PORT",
        arguments.upstream
    );
    Ok(format!(
        "listen: \"{}\"\ntls: off\n\
         upstreams:\n  behind: {{ servers: [\"{}\"], host: preserve }}\n\
         apis:\n  observed:\n    spec: {spec}\n    upstream: behind\n    auth: anonymous\n    mode: report\n    errors: pass\n    \
         schema: {{ request: report, response: report, unknown_operations: report, unknown_methods: report }}\n    \
         methods: {{ options: upstream }}\n    upgrade: [websocket]\n    headers: {{ allow_server: true }}\n",
        arguments.listen, arguments.upstream
    ))
}

fn heading(arguments: &cli::Proxy, address: &str) -> String {
    let held = match &arguments.spec {
        Some(path) => format!("Calls are held against {}", path.display()),
        None => "There is no document to hold calls against; add `--spec openapi.yaml` to see what it would refuse".to_owned(),
    };
    format!(
        "Portcullis stands in front of {} at http://{address}\n{held}. Nothing is refused; this is what would be:\n\n",
        arguments.upstream
    )
}
