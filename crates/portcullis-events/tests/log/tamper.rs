//! Every way to falsify a log is found, and the first bad record is named.

use std::{fs, path::Path};

use crate::support::{NOW, append, files, key, later, lines, policy, put_lines, write};
use portcullis_events::{
    chain::Hash,
    log::{Log, Policy},
    segment::CHECKPOINT,
    sign::{NoteFlaw, SigningKey},
    verify::{Finding, Flaw, Kept, Outcome, Report, verify},
};

fn check(directory: &Path) -> Outcome {
    verify(directory, key().public(), None).unwrap()
}

fn kept(note: &str) -> Kept<'_> {
    Kept { path: "elsewhere".as_ref(), note }
}

fn sound(directory: &Path) -> Report {
    match check(directory) {
        Outcome::Sound(report) => report,
        Outcome::Flawed(finding, _) => panic!("{finding:?}"),
    }
}

fn flawed(directory: &Path) -> Finding {
    match check(directory) {
        Outcome::Flawed(finding, _) => finding,
        Outcome::Sound(report) => panic!("taken for sound: {report:?}"),
    }
}

fn log_of(count: u64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), policy(), count);
    assert!(files(dir.path()).len() > 3, "several files");
    dir
}

/// Computes the hashes of all lines anew from line `from` of file `first` on, as a falsifier would.
fn recompute(directory: &Path, first: usize, from: usize) {
    let paths = files(directory);
    let mut prev: Option<String> = None;
    for (index, path) in paths.iter().enumerate().skip(first) {
        let mut all = lines(path);
        let skip = if index == first { from } else { 0 };
        for line in all.iter_mut().skip(skip) {
            let at = line.rfind(",\"hash\":\"").unwrap();
            let mut body = line[..at].to_owned();
            if let Some(prev) = &prev {
                let start = body.find("\"prev\":\"").unwrap() + 8;
                body.replace_range(start..start + 64, prev);
            }
            let hash = Hash::of(body.as_bytes()).to_string();
            *line = format!("{body},\"hash\":\"{hash}\"}}");
            prev = Some(hash);
        }
        put_lines(path, &all);
    }
}

#[test]
fn an_honest_log_is_sound_and_wholly_signed() {
    let dir = log_of(100);
    let report = sound(dir.path());
    assert_eq!((report.events, report.first, report.unsigned, report.torn), (100, 0, 0, 0));
    assert_eq!(report.latest.unwrap().size + 1, report.records, "the last record is a checkpoint");
    assert!(!report.incomplete);
}

#[test]
fn an_altered_record_is_named() {
    let dir = log_of(100);
    let path = &files(dir.path())[1];
    let mut all = lines(path);
    let line = all.iter().position(|it| it.contains("\"event\"")).unwrap();
    all[line] = all[line].replace("192.0.2.1", "192.0.2.9");
    put_lines(path, &all);
    let finding = flawed(dir.path());
    assert_eq!((finding.flaw, &finding.file), (Flaw::Altered, path));
    assert_eq!(finding.line, u64::try_from(line).unwrap() + 1);
    assert!(finding.seq.is_some());
}

#[test]
fn a_record_whose_own_hash_was_mended_no_longer_links() {
    let dir = log_of(100);
    let path = &files(dir.path())[1];
    let mut all = lines(path);
    let at = all[2].rfind(",\"hash\":\"").unwrap();
    let body = all[2][..at].replace("192.0.2.1", "192.0.2.9");
    assert_ne!(body, all[2][..at]);
    all[2] = format!("{body},\"hash\":\"{}\"}}", Hash::of(body.as_bytes()));
    put_lines(path, &all);
    let finding = flawed(dir.path());
    assert_eq!((finding.flaw, finding.line), (Flaw::Unlinked, 4));
}

#[test]
fn a_recomputed_chain_does_not_fit_its_checkpoints() {
    let dir = log_of(100);
    let path = &files(dir.path())[1];
    let mut all = lines(path);
    all[2] = all[2].replace("192.0.2.1", "192.0.2.9");
    put_lines(path, &all);
    recompute(dir.path(), 1, 2);
    let finding = flawed(dir.path());
    assert!(matches!(finding.flaw, Flaw::Recomputed { after: Some(_) }), "{finding:?}");
    assert_eq!(&finding.file, path, "at the next checkpoint, which is in the same file");
}

#[test]
fn a_chain_recomputed_without_its_checkpoints_is_found() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), Policy { checkpoint_records: 10, ..Policy::default() }, 100);
    let path = &files(dir.path())[0];
    let kept: Vec<String> = lines(path).into_iter().filter(|it| !it.contains("\"checkpoint\"")).collect();
    let renumbered: Vec<String> = kept
        .iter()
        .enumerate()
        .map(|(n, line)| format!("{{\"seq\":{n},{}", line.split_once(',').unwrap().1))
        .collect();
    put_lines(path, &renumbered);
    recompute(dir.path(), 0, 0);
    // Now the links are wrong: recompute chains from the first line on.
    let finding = flawed(dir.path());
    assert!(matches!(
        finding.flaw,
        Flaw::Truncated { .. } | Flaw::CheckpointMissing | Flaw::Recomputed { .. }
    ));
}

#[test]
fn a_cut_end_is_found_by_the_checkpoint_file() {
    let dir = log_of(100);
    let path = files(dir.path()).pop().unwrap();
    let mut all = lines(&path);
    all.pop();
    all.pop();
    put_lines(&path, &all);
    let finding = flawed(dir.path());
    assert!(matches!(finding.flaw, Flaw::Truncated { .. }), "{finding:?}");
    assert_eq!(finding.file, path);

    fs::remove_file(&path).unwrap();
    assert!(matches!(flawed(dir.path()).flaw, Flaw::Truncated { .. }));
    for path in files(dir.path()) {
        fs::remove_file(path).unwrap();
    }
    assert!(matches!(flawed(dir.path()).flaw, Flaw::Truncated { found: 0, .. }));
}

#[test]
fn a_cut_end_with_an_old_checkpoint_put_back_is_found_by_one_kept_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), policy(), 50);
    let paths = files(dir.path());
    let before: Vec<(_, _)> = paths.iter().map(|it| (it, fs::read(it).unwrap())).collect();
    let old = fs::read(dir.path().join(CHECKPOINT)).unwrap();
    let mut log = Log::open(dir.path(), policy(), key(), later(100)).unwrap();
    append(&mut log, 100..150);
    log.close(later(200)).unwrap();
    drop(log);
    let elsewhere = fs::read_to_string(dir.path().join(CHECKPOINT)).unwrap();
    for path in files(dir.path()) {
        fs::remove_file(path).unwrap();
    }
    for (path, bytes) in before {
        fs::write(path, bytes).unwrap();
    }
    fs::write(dir.path().join(CHECKPOINT), old).unwrap();
    sound(dir.path());
    let outcome = verify(dir.path(), key().public(), Some(kept(&elsewhere))).unwrap();
    assert!(matches!(outcome, Outcome::Flawed(Finding { flaw: Flaw::Truncated { .. }, .. }, _)));
}

#[test]
fn swapped_records_are_told_from_removed_ones() {
    let dir = log_of(100);
    let path = &files(dir.path())[1];
    let mut all = lines(path);
    all.swap(2, 4);
    put_lines(path, &all);
    let finding = flawed(dir.path());
    assert!(matches!(finding.flaw, Flaw::Reordered { .. }), "{finding:?}");
    assert_eq!(finding.line, 3);

    all.swap(2, 4);
    all.remove(2);
    put_lines(path, &all);
    let finding = flawed(dir.path());
    assert!(matches!(finding.flaw, Flaw::Removed { .. }), "{finding:?}");
    assert_eq!(finding.line, 3);
}

#[test]
fn a_repeated_record_is_found() {
    let dir = log_of(100);
    let path = &files(dir.path())[1];
    let mut all = lines(path);
    all.insert(3, all[2].clone());
    put_lines(path, &all);
    assert!(matches!(flawed(dir.path()).flaw, Flaw::Reordered { .. }));
}

#[test]
fn a_removed_file_is_found_wherever_it_was() {
    let dir = log_of(100);
    let paths = files(dir.path());
    let first = fs::read(&paths[0]).unwrap();
    fs::remove_file(&paths[0]).unwrap();
    let finding = flawed(dir.path());
    assert_eq!((finding.flaw, &finding.file), (Flaw::HeadRemoved, &paths[1]));
    fs::write(&paths[0], first).unwrap();
    fs::remove_file(&paths[2]).unwrap();
    let finding = flawed(dir.path());
    assert!(matches!(finding.flaw, Flaw::Removed { .. }));
    assert_eq!((&finding.file, finding.line), (&paths[3], 1));
}

#[test]
fn files_the_retention_deleted_are_accounted_for_and_no_others() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), Policy { keep_files_max: Some(2), ..policy() }, 150);
    let report = sound(dir.path());
    assert!(report.first > 0);
    let paths = files(dir.path());
    assert_eq!(paths.len(), 3, "two closed, one open");
    fs::remove_file(&paths[0]).unwrap();
    assert_eq!(flawed(dir.path()).flaw, Flaw::HeadRemoved);
}

#[test]
fn a_missing_or_forged_checkpoint_file_is_found() {
    let dir = log_of(100);
    let path = dir.path().join(CHECKPOINT);
    let note = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert_eq!(flawed(dir.path()).flaw, Flaw::CheckpointMissing);
    fs::write(&path, note.replacen("\nat 1", "\nat 2", 1)).unwrap();
    assert_eq!(flawed(dir.path()).flaw, Flaw::Signature(NoteFlaw::Forged));
    fs::write(&path, "nonsense").unwrap();
    assert_eq!(flawed(dir.path()).flaw, Flaw::Signature(NoteFlaw::Malformed));
}

#[test]
fn a_log_signed_by_another_key_is_found() {
    let dir = log_of(100);
    let other = SigningKey::from_seed(&[8; 32]).unwrap();
    let outcome = verify(dir.path(), other.public(), None).unwrap();
    let Outcome::Flawed(finding, _) = outcome else { panic!("taken for sound") };
    assert_eq!(finding.flaw, Flaw::Signature(NoteFlaw::OtherKey));
}

#[test]
fn nonsense_between_records_is_found() {
    let dir = log_of(100);
    let path = &files(dir.path())[1];
    let mut all = lines(path);
    all.insert(3, "x".repeat(3_000_000));
    put_lines(path, &all);
    let finding = flawed(dir.path());
    assert_eq!((finding.flaw, finding.line), (Flaw::Unreadable, 4));
}

#[test]
fn a_log_being_written_is_sound() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), policy(), key(), NOW).unwrap();
    append(&mut log, 0..57);
    let report = sound(dir.path());
    assert!(report.unsigned > 0 && report.unsigned < 12, "{report:?}");
    assert_eq!(report.events, 57);
}

#[test]
fn a_history_written_anew_with_the_key_contradicts_a_checkpoint_kept_elsewhere() {
    let dir = log_of(100);
    let elsewhere = fs::read_to_string(dir.path().join(CHECKPOINT)).unwrap();
    let against = |directory: &Path| verify(directory, key().public(), Some(kept(&elsewhere))).unwrap();
    let Outcome::Sound(report) = against(dir.path()) else { panic!("the honest log") };
    assert_eq!(report.kept, report.latest);
    assert!(report.kept_is_covered());
    // As long, and as well signed, and not what was written: only the copy tells.
    let forged = tempfile::tempdir().unwrap();
    let mut log = Log::open(forged.path(), policy(), key(), NOW).unwrap();
    append(&mut log, 1..200);
    log.close(later(60)).unwrap();
    sound(forged.path());
    let outcome = against(forged.path());
    assert!(
        matches!(outcome, Outcome::Flawed(Finding { flaw: Flaw::Recomputed { .. }, .. }, _)),
        "{outcome:?}"
    );
    // Shorter than what the copy covers.
    let short = log_of(90);
    sound(short.path());
    let outcome = against(short.path());
    assert!(
        matches!(outcome, Outcome::Flawed(Finding { flaw: Flaw::Truncated { .. }, .. }, _)),
        "{outcome:?}"
    );
    // A copy that is none is named, not the log's own.
    let nonsense = verify(dir.path(), key().public(), Some(kept("nonsense"))).unwrap();
    let Outcome::Flawed(finding, _) = nonsense else { panic!("{nonsense:?}") };
    assert_eq!(
        (finding.file.as_path(), finding.flaw),
        ("elsewhere".as_ref(), Flaw::Signature(NoteFlaw::Malformed))
    );
}

#[test]
fn a_kept_checkpoint_that_retention_overtook_proves_nothing_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let policy = Policy { keep_files_max: Some(3), ..policy() };
    let mut log = Log::open(dir.path(), policy, key(), NOW).unwrap();
    append(&mut log, 0..30);
    let early = fs::read_to_string(dir.path().join(CHECKPOINT)).unwrap();
    append(&mut log, 30..400);
    log.close(later(600)).unwrap();
    let Outcome::Sound(report) = verify(dir.path(), key().public(), Some(kept(&early))).unwrap() else {
        panic!("the honest log")
    };
    assert!(report.first > report.kept.unwrap().size && !report.kept_is_covered());
}
