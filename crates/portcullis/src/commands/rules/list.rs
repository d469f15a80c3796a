//! `portcullis rules list`: what the configuration loads, and what of it can run.

use std::io::IsTerminal as _;

use portcullis_config::{FromDisk, model::Config};
use portcullis_seclang::{RuleOverview, diagnostic::Level};
use serde_json::{Value, json};

use super::{ensure_api, read, tell, tell_refused};
use crate::{
    cli,
    commands::{complain, print},
    compile::firewall::{self, Exempted, Loadout},
    exit::Exit,
    load::{self, Refused},
};

/// What the tags of the CRS that name a paranoia level begin with.
const PARANOIA_TAG: &str = "paranoia-level/";

/// A rule that is shown.
struct Row<'l> {
    users: &'l [String],
    rule: &'l RuleOverview,
    exceptions: Vec<Exempted<'l>>,
}

/// Runs the command.
pub(crate) fn run(arguments: &cli::RulesList) -> anyhow::Result<Exit> {
    let path = &arguments.config.config;
    let Some(loaded) = read(path) else { return Ok(Exit::Config) };
    if let Some(api) = &arguments.api {
        ensure_api(&loaded.config, api)?;
    }
    let loadouts = match firewall::loadouts(&loaded.config, arguments.api.as_deref(), &FromDisk) {
        Ok(loadouts) => loadouts,
        Err(problems) => {
            tell_refused(path, &Refused(load::problems_text(&problems)));
            return Ok(Exit::Config);
        }
    };
    if loadouts.is_empty() && !arguments.json {
        tell("no API loads rules: `firewall: { rules: [crs: DIRECTORY, files: [PATTERNS]] }` does");
    }
    if arguments.notes {
        show_notes(&loadouts, arguments.json);
        return Ok(Exit::Success);
    }
    let rows: Vec<Row<'_>> =
        loadouts.iter().flat_map(|loadout| rows(loadout, arguments, &loaded.config)).collect();
    if arguments.json {
        print(&format!("{:#}\n", Value::Array(rows.iter().map(Row::json).collect())));
    } else {
        show(&loadouts, &rows);
    }
    Ok(Exit::Success)
}

fn rows<'l>(
    loadout: &'l Loadout,
    arguments: &'l cli::RulesList,
    config: &'l Config,
) -> impl Iterator<Item = Row<'l>> {
    let wanted = |rule: &&RuleOverview| {
        arguments.phase.is_none_or(|phase| phase == rule.phase)
            && arguments.id.is_none_or(|id| id == rule.id)
            && arguments.tag.as_ref().is_none_or(|tag| rule.tags.contains(tag))
    };
    loadout.rules.iter().filter(wanted).map(|rule| Row {
        users: &loadout.users,
        rule,
        exceptions: loadout.exceptions(config, rule),
    })
}

impl Row<'_> {
    /// From the rule's tag; rules without one run at every level.
    fn paranoia(&self) -> Option<u8> {
        self.rule.tags.iter().find_map(|tag| tag.strip_prefix(PARANOIA_TAG)?.parse().ok())
    }

    fn severity(&self) -> String {
        self.rule.severity.map(|it| it.name().to_lowercase()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        let rule = self.rule;
        let exceptions: Vec<Value> = self
            .exceptions
            .iter()
            .map(|it| {
                json!({
                    "api": it.api, "rule": *it.exception.rule,
                    "operation": it.exception.operation.as_ref().map(ToString::to_string),
                    "field": it.exception.field.as_deref(), "why": *it.exception.why,
                    "until": it.exception.until.map(|it| it.to_string()),
                })
            })
            .collect();
        json!({
            "id": rule.id, "phase": rule.phase, "paranoia": self.paranoia(),
            "severity": rule.severity.map(|it| it.name().to_lowercase()), "message": rule.message,
            "tags": rule.tags, "file": *rule.file, "line": rule.line, "live": rule.is_live,
            "used_by": self.users, "exceptions": exceptions,
        })
    }

    /// Number, phase, level, severity and state, in columns.
    fn facts(&self) -> String {
        format!(
            "{:<10}  {}  {:<2}  {:<9}  {:<4}",
            self.rule.id,
            self.rule.phase,
            self.paranoia().map(|it| it.to_string()).unwrap_or_default(),
            self.severity(),
            if self.rule.is_live { "live" } else { "off" },
        )
    }

    fn exception_lines(&self) -> impl Iterator<Item = String> {
        self.exceptions.iter().map(|it| {
            let exception = it.exception;
            let operation = exception.operation.as_ref().map(|it| format!(" {it}")).unwrap_or_default();
            let field = exception.field.as_ref().map(|it| format!(" at {it}")).unwrap_or_default();
            let until = exception.until.map(|it| format!(" (until {it})")).unwrap_or_default();
            format!("except {}{operation}{field}: {}{until}", it.api, exception.why)
        })
    }
}

/// The heading of [`Row::facts`].
const HEADING: &str = "RULE        P  PL  SEVERITY   STATE";

/// One set after the other; at a terminal cut to its width, else whole.
fn show(loadouts: &[Loadout], rows: &[Row<'_>]) {
    let width = std::io::stdout().is_terminal().then(terminal_width);
    let mut text = String::new();
    for loadout in loadouts {
        let own: Vec<&Row<'_>> = rows.iter().filter(|it| std::ptr::eq(it.users, &*loadout.users)).collect();
        if own.is_empty() {
            continue;
        }
        if loadouts.len() > 1 {
            text.push_str(&format!("rules of {}\n", loadout.users.join(", ")));
        }
        text.push_str(&format!("{HEADING}  MESSAGE\n"));
        for row in own {
            text.push_str(&row_text(row, width));
        }
    }
    print(&text);
    let live = rows.iter().filter(|it| it.rule.is_live).count();
    complain(&format!("{} rule{}, {live} live\n", rows.len(), load::plural(rows.len())));
}

fn row_text(row: &Row<'_>, width: Option<usize>) -> String {
    let place = format!("{}:{}", row.rule.file, row.rule.line);
    let tags = match row.rule.tags.join(",") {
        none if none.is_empty() => none,
        tags => format!("  [{tags}]"),
    };
    let exceptions = row.exception_lines().map(|it| format!("            {it}"));
    let first = format!("{}  {}", row.facts(), one_line(&row.rule.message));
    let lines: Vec<String> = match width {
        // One line a rule, for programs that read lines.
        None => [format!("{first}  {place}{tags}")].into_iter().chain(exceptions).collect(),
        Some(width) => {
            let second = format!("            {place}{tags}");
            let all = [first, second].into_iter().chain(exceptions);
            all.map(|line| cut(&one_line(&line), width)).collect()
        }
    };
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// What a rule says must not steer the terminal.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn cut(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    line.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

fn terminal_width() -> usize {
    rustix::termios::tcgetwinsize(std::io::stdout()).map_or(100, |it| usize::from(it.ws_col).max(60))
}

fn show_notes(loadouts: &[Loadout], json: bool) {
    let notes = || loadouts.iter().flat_map(|loadout| &loadout.notes);
    if json {
        let notes = notes().map(|it| {
            json!({
                "level": if it.level == Level::Note { "note" } else { "warning" }, "file": *it.file,
                "line": it.line, "column": it.column, "message": it.message, "text": it.text, "hint": it.hint,
            })
        });
        return print(&format!("{:#}\n", Value::Array(notes.collect())));
    }
    let text: String = notes().map(|it| format!("{it}\n")).collect();
    print(&text);
    let count = notes().count();
    complain(&format!("{count} note{}\n", load::plural(count)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> RuleOverview {
        RuleOverview {
            id: 942_100,
            phase: 2,
            severity: None,
            message: "SQL\x1b[2J injection, found by its language".to_owned(),
            tags: vec!["attack-sqli".to_owned(), "paranoia-level/1".to_owned()],
            file: "rules/942.conf".into(),
            line: 41,
            is_live: false,
        }
    }

    #[test]
    fn a_row_is_one_line_for_programs_and_fits_a_terminal() {
        let rule = rule();
        let row = Row { users: &[], rule: &rule, exceptions: Vec::new() };
        let whole = row_text(&row, None);
        assert_eq!(
            whole,
            "942100      2  1              off   SQL [2J injection, found by its language  rules/942.conf:41  [attack-sqli,paranoia-level/1]\n"
        );
        let cut = row_text(&row, Some(60));
        assert_eq!(cut.lines().count(), 2);
        assert!(cut.lines().all(|line| line.chars().count() <= 60), "{cut}");
        assert!(cut.contains('…') && !cut.contains('\x1b'), "{cut}");
    }
}
