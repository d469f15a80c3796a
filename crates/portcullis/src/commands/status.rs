//! `portcullis status`: a picture of the running gate, through the control socket.

use portcullis_admin::Status;

use super::{data_directory, print, reload::got_weaker, socket};
use crate::{cli, control_client, exit::Exit};

/// Runs the command.
pub(crate) fn run(arguments: &cli::Status) -> anyhow::Result<Exit> {
    let data = data_directory(&arguments.place)?;
    let (status, body) = control_client::ask(&socket(&data), http::Method::GET, "/v1/status")?;
    anyhow::ensure!(status.is_success(), "the gate answered {status}: {}", String::from_utf8_lossy(&body));
    if arguments.json {
        print(&format!("{}\n", String::from_utf8_lossy(&body)));
        return Ok(Exit::Success);
    }
    print(&text(&serde_json::from_slice(&body)?));
    Ok(Exit::Success)
}

fn text(status: &Status) -> String {
    let mut text = format!(
        "portcullis {} (pid {}), up {}\nconfiguration  {}, generation {}\n",
        status.version,
        status.pid,
        duration(status.up_secs),
        status.config,
        status.generation,
    );
    if let Some(last) = &status.last_reload {
        let weaker = match &last.weakened {
            Some(it) => got_weaker(it.count),
            None => "what got weaker is not known".to_owned(),
        };
        text.push_str(&format!("last reload    {}, generation {}; {weaker}\n", last.at, last.generation));
        let told = last.weakened.iter().flat_map(|it| &it.told);
        told.for_each(|line| text.push_str(&format!("  WEAKER       {line}\n")));
    }
    if let Some(why) = &status.last_rejected {
        text.push_str(&format!(
            "LAST RELOAD REFUSED; the configuration above stays in place:\n{}\n",
            indent(why)
        ));
    }
    for listener in &status.listeners {
        let scheme = if listener.tls { "https" } else { "http" };
        text.push_str(&format!("listener       {}  {scheme}://{}\n", listener.name, listener.address));
    }
    for (api, operations) in &status.operations {
        text.push_str(&format!("api            {api}  {operations} operations\n"));
    }
    for server in &status.upstreams {
        let health = if server.healthy { "healthy" } else { "OUT" };
        let why = server.why.as_deref().map(|it| format!(" ({it})")).unwrap_or_default();
        text.push_str(&format!("upstream       {}  {}  {health}{why}\n", server.upstream, server.server));
    }
    text.push_str(&format!(
        "calls          {} served or refused, {} under way, {} connections\nrecord         {} events written, {} dropped\n",
        status.exchanges, status.in_flight, status.connections, status.events_written, status.events_dropped,
    ));
    text
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

fn duration(secs: u64) -> String {
    match (secs / 86_400, secs / 3_600 % 24, secs / 60 % 60, secs % 60) {
        (0, 0, 0, secs) => format!("{secs} s"),
        (0, 0, minutes, secs) => format!("{minutes} min {secs} s"),
        (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
        (days, hours, ..) => format!("{days} d {hours} h"),
    }
}
