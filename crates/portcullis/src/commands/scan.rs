//! `portcullis scan`: attacks an API on purpose and says what it found.

mod input;
mod progress;
mod reports;

use std::{
    io::{IsTerminal as _, Write as _},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail};
use portcullis_core::clock::Clock as _;
use portcullis_scanner::{
    checks,
    engine::{Base, Budget, Engine, Options, ScanOutcome, TransportLimits, permit},
    identity::file,
    listener::Listener,
    report::{self, FailOn as Failing},
    script,
    world::Bounds,
};

use crate::{
    cli::{FailOn, Safe, Scan},
    exit::Exit,
    system::SystemClock,
};

/// Runs the command.
pub(crate) fn run(arguments: &Scan) -> anyhow::Result<Exit> {
    if arguments.list_checks {
        return list_checks(arguments.json);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(scan(arguments))
}

async fn scan(arguments: &Scan) -> anyhow::Result<Exit> {
    let began = SystemClock.now();
    let source = arguments.input.clone().unwrap_or_default();
    let tls = tls()?;
    let (model, base) = input::read(arguments, &source, &tls).await?;
    permit(&base, &arguments.allow)?;
    let seed = match arguments.seed {
        Some(seed) => seed,
        None => fresh_seed()?,
    };
    let known = arguments.baseline.as_deref().map(reports::earlier).transpose()?;
    let options = options(arguments, base.clone(), seed, tls, began.as_micros() / 1_000_000)?;
    let listener = listen(&arguments.listen, seed).await?;
    let mut progress = progress::Progress::new(arguments.quiet || arguments.json);
    let lines = model.lines.iter().map(|(id, line)| (id.to_string(), line.clone())).collect();
    let notes = model.notes.clone();
    let title = model.title.clone();
    let outcome = {
        let mut tell = |what| progress.tell(what);
        Engine::new(model, options, listener, &mut tell)?.scan().await
    };
    progress.end();
    let took = SystemClock.now().as_micros().saturating_sub(began.as_micros()) / 1_000;
    let about = reports::About { title, target: base.origin(), source, began, took, seed, lines, notes };
    let mut report = reports::of(&about, &outcome);
    if let Some(known) = known {
        report.baseline = Some(report::baseline::compare(&report, &known));
    }
    reports::write(arguments, &report)?;
    show(arguments, &report)?;
    Ok(verdict(arguments, &report, &outcome))
}

fn options(
    arguments: &Scan,
    base: Base,
    seed: u64,
    tls: Arc<rustls::ClientConfig>,
    unix_now: u64,
) -> anyhow::Result<Options> {
    for id in arguments.only.iter().chain(&arguments.skip) {
        if !checks::ALL.iter().any(|check| check.info().id == id) {
            bail!("there is no check `{id}`: `portcullis scan --list-checks` lists them");
        }
    }
    let users = match &arguments.identities {
        Some(path) => {
            let text =
                std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
            file::read(&text).with_context(|| format!("`{}` names no users", path.display()))?
        }
        None => Vec::new(),
    };
    let headers = arguments.header.iter().map(|field| {
        let (name, value) = field
            .split_once(':')
            .with_context(|| format!("`{field}` is no header field: write `Name: value`"))?;
        Ok((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
    });
    Ok(Options {
        tls: base.secure.then_some(tls),
        base,
        seed,
        budget: Budget {
            requests_max: arguments.max_requests,
            time_max: Duration::from_secs(arguments.max_time),
            rate_max: arguments.rate,
        },
        limits: TransportLimits {
            timeout: Duration::from_secs(arguments.timeout),
            ..TransportLimits::default()
        },
        bounds: Bounds { read_only: arguments.safe == Safe::Read, ..Bounds::default() },
        users,
        allowed: arguments.allow.clone(),
        headers: headers.collect::<anyhow::Result<_>>()?,
        unix_now,
        only: arguments.only.clone(),
        skip: arguments.skip.clone(),
        operations: arguments.operation.clone(),
        directory: arguments.out.clone(),
        resume: arguments.resume,
        coverage_min: u32::from(arguments.coverage),
    })
}

async fn listen(address: &str, seed: u64) -> anyhow::Result<Option<(Listener, script::Listener)>> {
    if address == "off" {
        return Ok(None);
    }
    let address: SocketAddr = address
        .parse()
        .with_context(|| format!("`{address}` is no address: write `127.0.0.1:0` or `off`"))?;
    let mut key = [0; 32];
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &seed.to_be_bytes());
    key.copy_from_slice(digest.as_ref());
    let started =
        Listener::start(address, key).await.with_context(|| format!("cannot listen on `{address}`"))?;
    Ok(Some(started))
}

fn tls() -> anyhow::Result<Arc<rustls::ClientConfig>> {
    let roots: rustls::RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

fn fresh_seed() -> anyhow::Result<u64> {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| anyhow::anyhow!("the system gives no random bytes"))?;
    // Thirteen digits at most: it is typed by hand.
    Ok(u64::from_be_bytes(bytes) >> 22)
}

fn show(arguments: &Scan, report: &report::Report) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if arguments.json {
        writeln!(out, "{}", report::json::render(report))?;
    } else {
        let colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
        write!(out, "{}", report::terminal::render(report, colour))?;
    }
    Ok(())
}

fn verdict(arguments: &Scan, report: &report::Report, outcome: &ScanOutcome) -> Exit {
    use portcullis_scanner::finding::Severity;
    if outcome.unfinished.is_some() {
        return Exit::Incomplete;
    }
    let severity = match arguments.fail_on {
        FailOn::Never => return Exit::Success,
        FailOn::Info => Severity::Info,
        FailOn::Low => Severity::Low,
        FailOn::Medium => Severity::Medium,
        FailOn::High => Severity::High,
        FailOn::Critical => Severity::Critical,
    };
    let on =
        Failing { severity, suspected: arguments.fail_on_suspected, new_only: arguments.baseline.is_some() };
    if report.failing(on).next().is_some() { Exit::Findings } else { Exit::Success }
}

fn list_checks(json: bool) -> anyhow::Result<Exit> {
    let mut out = std::io::stdout().lock();
    if json {
        let list: Vec<_> = checks::ALL
            .iter()
            .map(|check| check.info())
            .map(|info| {
                serde_json::json!({"id": info.id, "title": info.title, "section": info.section, "severity": info.severity,
                    "risk": info.risk, "phase": info.phase, "owasp": info.owasp, "cwe": info.cwe, "wfc": info.wfc,
                    "oracle": info.oracle, "remedy": info.remedy})
            })
            .collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&list)?)?;
        return Ok(Exit::Success);
    }
    for check in checks::ALL {
        let info = check.info();
        writeln!(
            out,
            "{:40} {:9} {:10} CWE-{:<5} {}",
            info.id,
            format!("{:?}", info.severity),
            info.owasp,
            info.cwe,
            info.title
        )?;
    }
    Ok(Exit::Success)
}
