//! The command line of Portcullis.

mod cli;
mod commands;
mod compile;
mod control_client;
mod demo_view;
mod diff;
mod exit;
mod fetch;
mod gate;
mod jwks;
mod load;
mod openpgp;
mod outside;
mod show_event;
mod system;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{
    cli::{Audit, Cli, Command, Rules},
    commands::complain,
    control_client::NoGate,
    exit::Exit,
};

/// Allocates on every thread what threads free: faster than the system's allocator under short-lived requests.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(error) => {
            complain(&format!("portcullis: {error:#}\n"));
            if error.is::<NoGate>() { Exit::NoGate.into() } else { Exit::Failure.into() }
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<Exit> {
    match cli.command {
        Command::Run(arguments) => commands::run::run(&arguments),
        Command::Demo(arguments) => commands::demo::run(&arguments),
        Command::Proxy(arguments) => commands::proxy::run(&arguments),
        Command::Check(arguments) => commands::check::run(&arguments),
        Command::Explain(arguments) => commands::explain::run(&arguments),
        Command::Diff(arguments) => commands::diff::run(&arguments),
        Command::Schema => commands::reference::schema(),
        Command::Keys(command) => commands::keys::run(&command),
        Command::Rules(Rules::Fetch(arguments)) => commands::rules::fetch::run(&arguments),
        Command::Rules(Rules::List(arguments)) => commands::rules::list::run(&arguments),
        Command::Rules(Rules::Test(arguments)) => commands::rules::test::run(&arguments),
        Command::Scan(arguments) => commands::scan::run(&arguments),
        Command::Events(arguments) => commands::events::run(&arguments),
        Command::Audit(Audit::Verify(arguments)) => commands::audit::run(&arguments),
        Command::Status(arguments) => commands::status::run(&arguments),
        Command::Reload(arguments) => commands::reload::run(&arguments),
        Command::Reference { page } => commands::reference::run(page),
    }
}
