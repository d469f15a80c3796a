//! `portcullis reload`: the running gate reads its configuration again.

use portcullis_admin::ReloadOutcome;

use super::{complain, data_directory, print, socket};
use crate::{cli, control_client, exit::Exit};

/// Runs the command.
pub(crate) fn run(arguments: &cli::Reload) -> anyhow::Result<Exit> {
    let data = data_directory(&arguments.place)?;
    let (status, body) = control_client::ask(&socket(&data), http::Method::POST, "/v1/reload")?;
    let outcome: ReloadOutcome = serde_json::from_slice(&body)
        .map_err(|_| anyhow::anyhow!("the gate answered {status}: {}", String::from_utf8_lossy(&body)))?;
    match outcome {
        ReloadOutcome::Applied { generation, operations, took_millis } => {
            print(&format!(
                "generation {generation} is in place: {operations} operations, {took_millis} ms\n"
            ));
            Ok(Exit::Success)
        }
        ReloadOutcome::Rejected { why } => {
            complain(&format!("{why}\nthe configuration is refused; the old one stays in place\n"));
            Ok(Exit::Config)
        }
    }
}
