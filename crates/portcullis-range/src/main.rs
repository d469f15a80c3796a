//! `portcullis-range`: starts the range, prints one line of JSON once it listens, and serves until it is ended.

use std::{net::SocketAddr, process::ExitCode};

use portcullis_range::{Options, Weaknesses};

const USAGE: &str = "usage: portcullis-range [--port N] [--grpc-port N] [--mode vulnerable|secure] [--only NAME,...] [--seed N] \
                     [--partner HOST:PORT,...]";

#[tokio::main]
async fn main() -> ExitCode {
    #[expect(clippy::print_stderr, reason = "the only channel for a mistake at the start")]
    let fail = |text: &str| {
        eprintln!("{text}");
        ExitCode::from(2)
    };
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(text) => return fail(&format!("{text}\n{USAGE}")),
    };
    let running = match portcullis_range::start(options).await {
        Ok(running) => running,
        Err(error) => return fail(&format!("cannot start: {error}")),
    };
    #[expect(clippy::print_stdout, reason = "the line is how a starter learns the port")]
    {
        println!("{}", running.announcement());
    }
    std::future::pending::<()>().await;
    ExitCode::SUCCESS
}

/// Reads the command line.
fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options { weaknesses: Weaknesses::all(), ..Options::default() };
    let mut only: Option<Weaknesses> = None;
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("`{name}` needs a value"))?;
        match name.as_str() {
            "--port" => options.port = value.parse().map_err(|_| format!("`{value}` is no port"))?,
            "--grpc-port" => {
                options.grpc_port = value.parse().map_err(|_| format!("`{value}` is no port"))?
            }
            "--seed" => options.seed = value.parse().map_err(|_| format!("`{value}` is no seed"))?,
            "--mode" => {
                options.weaknesses = match value.as_str() {
                    "vulnerable" => Weaknesses::all(),
                    "secure" => Weaknesses::none(),
                    other => return Err(format!("`{other}` is no mode")),
                }
            }
            "--only" => only = Some(Weaknesses::named(value.split(','))?),
            "--partner" => {
                for host in value.split(',') {
                    let address: SocketAddr = host.parse().map_err(|_| format!("`{host}` is no address"))?;
                    options.partners.push(address);
                }
            }
            other => return Err(format!("`{other}` is no option")),
        }
    }
    if let Some(only) = only {
        options.weaknesses = only;
    }
    Ok(options)
}
