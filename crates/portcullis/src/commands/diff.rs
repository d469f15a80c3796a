//! `portcullis diff`: two configurations compared by what they protect. Exit code 3 when anything got weaker.

use std::sync::Arc;

use portcullis_config::FromDisk;
use serde_json::json;

use super::{check::NoKeys, complain, print, reload::got_weaker};
use crate::{
    cli,
    diff::{self, Difference, Kind, Side},
    exit::Exit,
    gate,
};

/// Runs the command.
pub(crate) fn run(arguments: &cli::Diff) -> anyhow::Result<Exit> {
    let world = gate::detached_world(Arc::new(NoKeys))?;
    let load = |path: &std::path::Path| {
        Side::load(path, &FromDisk, &world)
            .map_err(|error| error.context(format!("`{}` is refused", path.display())))
    };
    let (before, after) = match (load(&arguments.before), load(&arguments.after)) {
        (Ok(before), Ok(after)) => (before, after),
        (before, after) => {
            for error in [before.err(), after.err()].into_iter().flatten() {
                complain(&format!("{error:#}\n"));
            }
            return Ok(Exit::Config);
        }
    };
    let differences = diff::compare(&before, &after).map_err(|problem| anyhow::anyhow!("{problem}"))?;
    let weaker = differences.iter().filter(|it| it.kind == Kind::Weaker).count();
    if arguments.json {
        print(&format!("{:#}\n", json!({ "weaker": weaker, "differences": differences })));
    } else {
        print(&text(&differences, weaker));
    }
    Ok(if weaker > 0 { Exit::Weaker } else { Exit::Success })
}

fn text(differences: &[Difference], weaker: usize) -> String {
    if differences.is_empty() {
        return "both protect the same\n".to_owned();
    }
    let mut text = String::new();
    for it in diff::alike(differences) {
        let mark = match it.first.kind {
            Kind::Weaker => "WEAKER  ",
            Kind::Stronger => "stronger",
            Kind::Changed => "changed ",
        };
        text.push_str(&format!("{mark}  {}\n          {}\n", it.subject(), it.change()));
    }
    let verdict = got_weaker(weaker);
    let count = differences.len();
    text.push_str(&format!("\n{count} difference{}; {verdict}\n", crate::load::plural(count)));
    text
}
