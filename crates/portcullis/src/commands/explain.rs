//! `portcullis explain`: why. Of a call that might be made, of a refusal that was made, of a diagnostic.

mod call;
mod refusal;

use portcullis_config::codes;

use super::{complain, print};
use crate::{cli, exit::Exit};

/// Runs the command.
pub(crate) fn run(arguments: &cli::Explain) -> anyhow::Result<Exit> {
    let what = arguments.what.trim();
    if let Some(code) = codes::find(what) {
        let severity = match code.severity {
            portcullis_config::Severity::Warning => "warning",
            portcullis_config::Severity::Error => "error",
        };
        print(&format!("{} ({severity}): {}\n\n{}\n", code.id, code.title, code.explanation));
        return Ok(Exit::Success);
    }
    let reference = what.strip_prefix("urn:uuid:").unwrap_or(what);
    if let Ok(id) = reference.parse() {
        return refusal::explain(id, arguments);
    }
    if what.split_whitespace().count() == 2 {
        return call::explain(what, arguments);
    }
    complain(
        "what is to be explained? a call (\"GET /v1/orders\"), a reference id, or a diagnostic's code (PC1001)\n",
    );
    Ok(Exit::Failure)
}
