//! The load generators, and what they say.

use std::{
    path::Path,
    process::{Command, Output},
};

use anyhow::Context as _;

/// What one run of a load generator did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Requests that were answered, all with 2xx.
    pub(super) requests: u64,
}

/// HTTP/1.1 with keep-alive from one thread over 32 connections.
///
/// # Errors
///
/// When any answer is not 2xx, or any request failed.
pub(super) fn wrk(url: &str, secs: u32, script: Option<&Path>) -> anyhow::Result<Load> {
    let mut command = Command::new("wrk");
    command.args(["-t1", "-c32", &format!("-d{secs}s")]);
    if let Some(script) = script {
        command.arg("-s").arg(script);
    }
    let text = said(command.arg(url).output().context("cannot start wrk")?)?;
    for line in text.lines().map(str::trim) {
        anyhow::ensure!(!line.starts_with("Non-2xx"), "{url}: {line}");
        if let Some(errors) = line.strip_prefix("Socket errors:") {
            anyhow::bail!("{url}: socket errors:{errors}");
        }
    }
    let requests = text
        .lines()
        .find_map(|line| line.trim().split_once(" requests in ")?.0.parse().ok())
        .with_context(|| format!("wrk said nothing of requests:\n{text}"))?;
    anyhow::ensure!(requests > 0, "{url}: not one answer");
    Ok(Load { requests })
}

/// HTTP/2 over TLS: 8 connections with 10 streams each.
///
/// # Errors
///
/// When any answer is not 2xx, or any request failed.
pub(super) fn h2load(url: &str, secs: u32) -> anyhow::Result<Load> {
    let mut command = Command::new("h2load");
    command.args(["-t1", "-c8", "-m10", "-D", &secs.to_string(), url]);
    let text = said(command.output().context("cannot start h2load")?)?;
    anyhow::ensure!(text.contains("Application protocol: h2"), "{url}: no HTTP/2:\n{text}");
    let requests = numbers(&text, "requests:").context("h2load said nothing of requests")?;
    let codes = numbers(&text, "status codes:").context("h2load said nothing of status codes")?;
    let count = |list: &[(u64, String)], what: &str| {
        list.iter().find(|(_, word)| word == what).map_or(0, |(count, _)| *count)
    };
    for what in ["failed", "errored", "timeout"] {
        anyhow::ensure!(count(&requests, what) == 0, "{url}: {} requests {what}", count(&requests, what));
    }
    let good = count(&codes, "2xx");
    anyhow::ensure!(good > 0, "{url}: not one answer:\n{text}");
    for what in ["3xx", "4xx", "5xx"] {
        anyhow::ensure!(count(&codes, what) == 0, "{url}: {} answers with {what}", count(&codes, what));
    }
    Ok(Load { requests: good })
}

/// `requests: 12 total, 12 started, …` as pairs.
fn numbers(text: &str, line: &str) -> Option<Vec<(u64, String)>> {
    let rest = text.lines().find_map(|it| it.trim().strip_prefix(line))?;
    let pair = |part: &str| {
        let (count, word) = part.trim().split_once(' ')?;
        Some((count.parse().ok()?, word.to_owned()))
    };
    rest.split(',').map(pair).collect()
}

fn said(output: Output) -> anyhow::Result<String> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(
        output.status.success(),
        "the load generator ended with {}:\n{text}{errors}",
        output.status
    );
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_pairs_of_h2load() {
        let text = "requests: 12 total, 12 started, 11 done, 11 succeeded, 1 failed, 0 errored, 0 timeout\n";
        let pairs = numbers(text, "requests:").expect("pairs");
        assert_eq!(pairs.first(), Some(&(12, "total".to_owned())));
        assert!(pairs.contains(&(1, "failed".to_owned())));
        assert!(numbers(text, "status codes:").is_none());
    }
}
