//! `portcullis run`: guard, until told to stop.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use anyhow::Context as _;
use portcullis_admin::{Admin, Control, ReloadOutcome};
use portcullis_config::FromDisk;
use tokio::signal::unix::{SignalKind, signal};

use super::{complain, print, socket};
use crate::{
    cli,
    exit::Exit,
    gate::{self, Gate, Start, Started},
    outside::Remembering,
    watch,
};

const DAY: Duration = Duration::from_secs(86_400);

/// Runs the command.
pub(crate) fn run(arguments: &cli::Run) -> anyhow::Result<Exit> {
    log(arguments.log_json);
    raise_file_limit();
    let runtime = background_runtime()?;
    let started = Gate::start(Start {
        config: arguments.config.config.clone(),
        outside: Arc::new(Remembering::default()),
        data: None,
        threads: threads(arguments.threads),
        runtime: runtime.handle().clone(),
        taps: Vec::new(),
    });
    let Started { gate, config, warnings } = match started {
        Ok(started) => started,
        Err(error) if gate::is_refused(&error) => {
            complain(&format!("{error}\n"));
            return Ok(Exit::Config);
        }
        Err(error) => return Err(error),
    };
    if !warnings.is_empty() {
        complain(&format!("{}\n", warnings.trim_end()));
    }
    let outcome = runtime.block_on(async {
        let address = config.admin.address.0;
        let token = match &config.admin.token {
            Some(token) => Some(token.resolve(&FromDisk).context("admin.token")?),
            None => None,
        };
        let admin = Admin::bind(Some(address), token, &socket(gate.data())).await?;
        gate.admin_listens(admin.address());
        tokio::spawn(admin.serve(Arc::clone(&gate) as Arc<dyn Control>));
        print(&banner(&gate));
        serve(&gate, !arguments.no_watch, Duration::from_secs(arguments.grace)).await
    });
    // What still runs in the background (a fetch, a scrape) is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(200));
    outcome.map(|()| Exit::Success)
}

/// Serves until SIGTERM or SIGINT; a second one ends at once.
async fn serve(gate: &Arc<Gate>, watched: bool, grace: Duration) -> anyhow::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut changes = watch::Changes::of(gate, watched)?;
    // Local certificates last ninety days and are issued at each load.
    let mut day = tokio::time::interval_at(tokio::time::Instant::now() + DAY, DAY);
    loop {
        tokio::select! {
            _ = day.tick() => reload(gate, "a day has passed: certificates are renewed").await,
            _ = hangup.recv() => reload(gate, "SIGHUP").await,
            () = changes.next() => reload(gate, "a file changed").await,
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
        changes.watch_anew(gate);
    }
    complain(&format!("draining: open calls get {} s; a second signal ends at once\n", grace.as_secs()));
    tokio::select! {
        cut = gate.end(grace) => match cut {
            0 => complain("every call has ended; goodbye\n"),
            cut => complain(&format!("{cut} connections were cut\n")),
        },
        _ = terminate.recv() => complain("ended at once\n"),
        _ = interrupt.recv() => complain("ended at once\n"),
    }
    Ok(())
}

async fn reload(gate: &Arc<Gate>, why: &str) {
    tracing::info!(why, "reading the configuration again");
    let gate = Arc::clone(gate);
    // Compiling takes a while: not on the threads that answer signals and scrapes.
    let outcome = tokio::task::spawn_blocking(move || gate.reload()).await;
    match outcome {
        Ok(ReloadOutcome::Applied { .. } | ReloadOutcome::Rejected { .. }) => (),
        Err(error) => tracing::error!(%error, "the reload ended early"),
    }
}

fn banner(gate: &Gate) -> String {
    let status = gate.status();
    let mut text = format!(
        "portcullis {} is up (pid {}, generation {})\n",
        status.version, status.pid, status.generation
    );
    for it in &status.listeners {
        let scheme = if it.tls { "https" } else { "http" };
        text.push_str(&format!("  {:<10} {scheme}://{}\n", it.name, it.address));
    }
    for (api, operations) in &status.operations {
        text.push_str(&format!("  api {api}: {operations} operations\n"));
    }
    text
}

/// Where everything but calls runs: admin, fetches, health checks.
pub(crate) fn background_runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).thread_name("background").enable_all().build().context("no runtime")
}

/// Data threads: as asked, or one a core.
pub(crate) fn threads(asked: Option<u16>) -> NonZeroUsize {
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    asked.and_then(|it| NonZeroUsize::new(usize::from(it))).unwrap_or(cores)
}

/// Log lines go to standard error; `RUST_LOG` chooses which.
pub(crate) fn log(json: bool) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,hyper=warn,rustls=warn,h2=warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let colours = crate::load::colour();
    if json {
        builder.json().init();
    } else {
        builder.with_ansi(colours).with_target(false).init();
    }
}

/// A gate holds two descriptors a call; the usual soft limit of 1,024 would end it early.
fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}
