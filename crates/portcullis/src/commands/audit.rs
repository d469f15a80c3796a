//! `portcullis audit verify`: proof that the record is what was written.

use portcullis_events::{
    sign::VerifyingKey,
    verify::{self, Outcome, Report},
};
use serde_json::json;

use super::{complain, data_directory, print};
use crate::{cli, exit::Exit};

/// Runs the command.
pub(crate) fn run(arguments: &cli::AuditVerify) -> anyhow::Result<Exit> {
    let data = data_directory(&arguments.place)?;
    let directory = data.join("record");
    let key = arguments.key.clone().unwrap_or_else(|| directory.join("audit.pub"));
    let key = VerifyingKey::open(&key)?;
    match verify::verify(&directory, &key, None)? {
        Outcome::Sound(report) => {
            print(&if arguments.json { format!("{}\n", sound_json(&report)) } else { sound_text(&report) });
            Ok(Exit::Success)
        }
        Outcome::Flawed(finding, report) => {
            let place = format!("{}:{}", finding.file.display(), finding.line);
            if arguments.json {
                let first_bad = json!({
                    "file": finding.file, "line": finding.line, "seq": finding.seq, "what": finding.flaw.to_string(),
                });
                print(&format!(
                    "{}\n",
                    json!({ "sound": false, "records": report.records, "first_bad": first_bad })
                ));
            } else {
                let seq = finding.seq.map(|it| format!(" (record {it})")).unwrap_or_default();
                complain(&format!("the record is NOT what was written\n  {place}{seq}: {}\n", finding.flaw));
                complain(&format!("  {} records before it are sound\n", report.records));
            }
            Ok(Exit::Altered)
        }
    }
}

fn sound_text(report: &Report) -> String {
    let counted = |count: u64, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let mut text = format!(
        "the record is what was written: {} in {}, {}, {}\n",
        counted(report.records, "record"),
        counted(report.files, "file"),
        counted(report.events, "exchange"),
        counted(report.checkpoints, "signed checkpoint"),
    );
    if report.unsigned > 0 {
        text.push_str(&format!(
            "  {} records at the end are not covered by a checkpoint yet\n",
            report.unsigned
        ));
    }
    if report.torn > 0 {
        text.push_str(&format!("  {} incomplete ends were set aside after crashes\n", report.torn));
    }
    text
}

fn sound_json(report: &Report) -> serde_json::Value {
    json!({
        "sound": true, "files": report.files, "records": report.records, "events": report.events,
        "checkpoints": report.checkpoints, "unsigned": report.unsigned, "torn": report.torn,
    })
}
