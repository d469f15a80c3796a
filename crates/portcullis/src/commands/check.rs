//! `portcullis check`: every mistake of a configuration and its specifications at once.

use std::sync::Arc;

use portcullis_config::{FromDisk, Severity};
use portcullis_core::{clock::Clock as _, clock::Timestamp, ports::Keys, principal::Principal};
use serde_json::json;

use super::{complain, print};
use crate::{
    cli,
    compile::{self, problem::Weight},
    exit::Exit,
    gate, load,
    system::SystemClock,
};

/// Nobody has a key while a configuration is only looked at.
pub(crate) struct NoKeys;

impl Keys for NoKeys {
    fn find(&self, _: &[u8; 32], _: Timestamp) -> Option<Arc<Principal>> {
        None
    }
}

/// Runs the command.
pub(crate) fn run(arguments: &cli::Check) -> anyhow::Result<Exit> {
    let loaded = portcullis_config::load(&arguments.config.config, &FromDisk, SystemClock.now());
    let mut operations = 0;
    let mut problems = Vec::new();
    if let Some(config) = &loaded.config {
        let world = gate::detached_world(Arc::new(NoKeys))?;
        let (compiled, found) = compile::compile(config, &FromDisk, &world, None, 0);
        operations = compiled.map_or(0, |it| it.apis.values().map(|api| api.operations.len()).sum());
        problems = found;
    }
    let is_error = |it: &&portcullis_config::Diagnostic| it.severity() == Severity::Error;
    let errors = loaded.diagnostics.iter().filter(is_error).count()
        + problems.iter().filter(|it| it.severity == Weight::Error).count();
    let warnings = loaded.diagnostics.len() + problems.len() - errors;
    let refused = errors > 0 || (arguments.strict && warnings > 0);

    if arguments.json {
        let report = json!({
            "ok": !refused, "errors": errors, "warnings": warnings, "operations": operations,
            "diagnostics": loaded.diagnostics, "problems": problems,
        });
        print(&format!("{report:#}\n"));
    } else {
        let text = load::rendered(&loaded.diagnostics, &loaded.sources);
        for part in [text, load::problems_text(&problems)] {
            if !part.is_empty() {
                complain(&format!("{}\n\n", part.trim_end()));
            }
        }
        let name = arguments.config.config.display();
        let counts =
            format!("{errors} error{}, {warnings} warning{}", load::plural(errors), load::plural(warnings));
        if refused {
            let strict = if errors == 0 { " (--strict: a warning is an error)" } else { "" };
            complain(&format!("{name}: refused; {counts}{strict}\n"));
        } else {
            let plural = load::plural(operations);
            print(&format!("{name}: good, {operations} operation{plural} guarded; {counts}\n"));
        }
    }
    Ok(if refused { Exit::Config } else { Exit::Success })
}
