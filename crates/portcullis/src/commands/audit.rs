//! `portcullis audit verify`: proof that the record is what was written.

use std::{fs::File, io::Read as _, path::Path};

use anyhow::Context as _;
use portcullis_events::{
    sign::VerifyingKey,
    verify::{self, Kept, Outcome, Report},
};
use serde_json::json;

use super::{complain, data_directory, print};
use crate::{cli, exit::Exit};

/// Runs the command.
pub(crate) fn run(arguments: &cli::AuditVerify) -> anyhow::Result<Exit> {
    let data = data_directory(&arguments.place)?;
    let directory = data.join("record");
    anyhow::ensure!(
        directory.exists(),
        "there is no record in `{}` (has a gate run with this data directory?)",
        directory.display()
    );
    let key = arguments.key.clone().unwrap_or_else(|| directory.join("audit.pub"));
    let key = VerifyingKey::open(&key)?;
    let note = arguments.checkpoint.as_deref().map(read_note).transpose()?;
    let kept = arguments.checkpoint.as_deref().zip(note.as_deref()).map(|(path, note)| Kept { path, note });
    match verify::verify(&directory, &key, kept)? {
        Outcome::Sound(report) if !report.kept_is_covered() => {
            let size = report.kept.map_or(0, |it| it.size);
            anyhow::bail!(
                "the checkpoint covers the first {size} records, and rotation has removed the record it ends with: \
                 the oldest left is {}. It can prove nothing any more; keep newer copies",
                report.first
            );
        }
        Outcome::Sound(report) => {
            print(&if arguments.json { format!("{}\n", sound_json(&report)) } else { sound_text(&report) });
            Ok(Exit::Success)
        }
        Outcome::Flawed(finding, report) => {
            // Line 0 is a file as a whole: a checkpoint, not a record.
            let file = finding.file.display();
            let place = if finding.line == 0 { file.to_string() } else { format!("{file}:{}", finding.line) };
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

/// A signed note is a few hundred bytes; whatever is much larger is another file.
fn read_note(path: &Path) -> anyhow::Result<String> {
    const NOTE_BYTES_MAX: u64 = 64 * 1024;
    let mut note = String::new();
    let read = File::open(path).and_then(|file| file.take(NOTE_BYTES_MAX).read_to_string(&mut note));
    read.with_context(|| format!("cannot read the checkpoint `{}`", path.display()))?;
    Ok(note)
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
    if let Some(kept) = report.kept {
        text.push_str(&format!("  it agrees with the checkpoint kept elsewhere: {kept}\n"));
    }
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
        "kept_records": report.kept.map(|it| it.size),
    })
}
