//! `portcullis reload`: the running gate reads its configuration again.

use portcullis_admin::{ReloadOutcome, Weakened};

use super::{complain, data_directory, print, socket};
use crate::{cli, control_client, exit::Exit, load};

/// Runs the command.
pub(crate) fn run(arguments: &cli::Reload) -> anyhow::Result<Exit> {
    let data = data_directory(&arguments.place)?;
    let (status, body) = control_client::ask(&socket(&data), http::Method::POST, "/v1/reload")?;
    let outcome: ReloadOutcome = serde_json::from_slice(&body)
        .map_err(|_| anyhow::anyhow!("the gate answered {status}: {}", String::from_utf8_lossy(&body)))?;
    match outcome {
        ReloadOutcome::Applied { generation, operations, took_millis, weakened } => {
            let plural = load::plural(operations);
            print(&format!(
                "generation {generation} is in place: {operations} operation{plural}, {took_millis} ms\n"
            ));
            match weakened {
                Some(weakened) => print(&weaker(&weakened)),
                None => complain("what it made weaker could not be found out; the gate's log says why\n"),
            }
            Ok(Exit::Success)
        }
        ReloadOutcome::Rejected { why } => {
            complain(&format!("{why}\nthe configuration is refused; the old one stays in place\n"));
            Ok(Exit::Config)
        }
    }
}

/// What protects less than before; nothing when nothing does.
fn weaker(weakened: &Weakened) -> String {
    let mut text: String = weakened.told.iter().map(|line| format!("WEAKER  {line}\n")).collect();
    if weakened.untold > 0 {
        text.push_str(&format!("        and {} more\n", weakened.untold));
    }
    if weakened.count > 0 {
        text.push_str(&format!("{}\n", got_weaker(weakened.count)));
    }
    text
}

/// How many protections got weaker, in words.
pub(crate) fn got_weaker(count: usize) -> String {
    match count {
        0 => "nothing got weaker".to_owned(),
        1 => "1 protection got weaker".to_owned(),
        count => format!("{count} protections got weaker"),
    }
}
