//! `portcullis events`: the record of exchanges.

use std::time::Duration;

use portcullis_events::query::{self, Filter, Follow};

use super::{complain, data_directory, print};
use crate::{cli, exit::Exit, show_event};

/// How often a followed log is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Runs the command.
pub(crate) fn run(arguments: &cli::Events) -> anyhow::Result<Exit> {
    let directory = data_directory(&arguments.place)?.join("record");
    let filter = Filter { denied: arguments.denied, api: arguments.api.clone(), ..Filter::default() };
    if !directory.exists() && !arguments.follow {
        anyhow::bail!(
            "there is no record in `{}` (has a gate run with this data directory?)",
            directory.display()
        );
    }
    // Opened before the tail is read, so that nothing falls between the two.
    let follow = if arguments.follow { Some(Follow::new(&directory, filter.clone())?) } else { None };
    let events = query::tail(&directory, arguments.last, &filter)?;
    if events.is_empty() && !arguments.json {
        let filtered = arguments.denied || arguments.api.is_some();
        complain(if filtered { "no such events\n" } else { "no events yet\n" });
    }
    for event in events {
        show(&event, arguments.json)?;
    }
    let Some(mut follow) = follow else {
        return Ok(Exit::Success);
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        loop {
            for event in follow.poll()? {
                show(&event, arguments.json)?;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => (),
                _ = tokio::signal::ctrl_c() => return Ok(Exit::Success),
            }
        }
    })
}

fn show(event: &portcullis_core::event::Event, json: bool) -> anyhow::Result<()> {
    let line = if json { serde_json::to_string(event)? } else { show_event::line(event) };
    print(&format!("{line}\n"));
    Ok(())
}
