//! `portcullis schema` and the pages of the generated reference.

use clap::CommandFactory as _;
use portcullis_guards::DESCRIBED;

use super::print;
use crate::{
    cli::{Cli, ReferencePage},
    exit::Exit,
};

/// Prints the JSON Schema of the configuration.
pub(crate) fn schema() -> anyhow::Result<Exit> {
    print(&format!("{}\n", serde_json::to_string_pretty(&portcullis_config::schema())?));
    Ok(Exit::Success)
}

/// Prints one page.
pub(crate) fn run(page: ReferencePage) -> anyhow::Result<Exit> {
    print(&match page {
        ReferencePage::Configuration => portcullis_config::reference(),
        ReferencePage::Diagnostics => portcullis_config::codes_reference(),
        ReferencePage::CommandLine => command_line(),
        ReferencePage::Guards => guards(),
    });
    Ok(Exit::Success)
}

fn command_line() -> String {
    let mut text = "# Command line\n\nGenerated from the source.\n".to_owned();
    let mut root = Cli::command().term_width(100);
    root.build();
    page(&mut text, &mut root, "portcullis");
    text
}

fn page(text: &mut String, command: &mut clap::Command, name: &str) {
    text.push_str(&format!(
        "\n## `{name}`\n\n```text\n{}\n```\n",
        command.render_long_help().to_string().trim_end()
    ));
    for inner in command.get_subcommands_mut() {
        if !inner.is_hide_set() && inner.get_name() != "help" {
            let name = format!("{name} {}", inner.get_name());
            page(text, inner, &name);
        }
    }
}

fn guards() -> String {
    let mut text =
        "# Guards and transforms\n\nGenerated from the source, in the order they run. Each guard runs in \
        `block`, `report` or `off` mode.\n\n| guard | when | what | rules |\n|---|---|---|---|\n"
            .to_owned();
    for it in DESCRIBED {
        let rules: Vec<String> = it.rules.iter().map(|rule| format!("`{rule}`")).collect();
        text.push_str(&format!("| `{}` | {} | {} | {} |\n", it.name, it.when, it.what, rules.join(", ")));
    }
    text
}
