//! What a crash leaves behind is taken up, noted, and never taken for tampering; tampering is never taken for a
//! crash.

use std::{fs, io::Write};

use crate::support::{NOW, append, files, key, later, lines, policy, put_lines, write};
use portcullis_events::{
    EventsError,
    log::Log,
    query::{Filter, tail},
    verify::{Finding, Flaw, Outcome, verify},
};

#[test]
fn a_torn_last_line_is_set_aside_and_the_chain_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    {
        let mut log = Log::open(dir.path(), policy(), key(), NOW).unwrap();
        append(&mut log, 0..5);
    }
    let path = files(dir.path()).pop().unwrap();
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"seq\":7,\"prev\":\"00").unwrap();
    drop(file);

    let mut log = Log::open(dir.path(), policy(), key(), later(60)).unwrap();
    append(&mut log, 5..8);
    log.close(later(120)).unwrap();
    let Outcome::Sound(report) = verify(dir.path(), key().public(), None).unwrap() else { panic!("flawed") };
    assert_eq!((report.events, report.torn, report.unsigned), (8, 1, 0));
    let torn: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|it| it.unwrap().path())
        .filter(|it| it.extension().is_some_and(|it| it == "torn"))
        .collect();
    assert_eq!(torn.len(), 1);
    assert_eq!(fs::read(&torn[0]).unwrap(), b"{\"seq\":7,\"prev\":\"00");
    assert!(lines(&path).iter().any(|it| it.contains("\"torn\":{") && it.contains("\"bytes\":19")));
    assert_eq!(tail(dir.path(), 100, &Filter::default()).unwrap().len(), 8);
}

#[test]
fn a_crash_right_after_rotation_leaves_an_empty_file_that_is_used() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), policy(), 20);
    let count = files(dir.path()).len();
    let records = match verify(dir.path(), key().public(), None).unwrap() {
        Outcome::Sound(report) => report.records,
        Outcome::Flawed(finding, _) => panic!("{finding:?}"),
    };
    let empty = portcullis_events::segment::Segment::new(dir.path(), records, later(90));
    fs::write(&empty.path, "{\"seq").unwrap();
    let mut log = Log::open(dir.path(), policy(), key(), later(100)).unwrap();
    append(&mut log, 20..22);
    log.close(later(200)).unwrap();
    assert_eq!(files(dir.path()).len(), count + 1);
    let outcome = verify(dir.path(), key().public(), None).unwrap();
    assert!(matches!(outcome, Outcome::Sound(_)), "{outcome:?}");
}

#[test]
fn a_log_cut_before_a_restart_stays_flawed_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), policy(), 30);
    let path = files(dir.path()).pop().unwrap();
    let mut all = lines(&path);
    all.truncate(all.len() - 4);
    put_lines(&path, &all);
    let mut log = Log::open(dir.path(), policy(), key(), later(100)).unwrap();
    append(&mut log, 30..60);
    log.close(later(200)).unwrap();
    drop(log);
    drop(Log::open(dir.path(), policy(), key(), later(300)).unwrap());
    let outcome = verify(dir.path(), key().public(), None).unwrap();
    let Outcome::Flawed(Finding { flaw: Flaw::Broken(what), .. }, _) = outcome else { panic!("{outcome:?}") };
    assert!(what.contains("a checkpoint covers"), "{what}");
    let kept = fs::read_dir(dir.path()).unwrap();
    let kept =
        kept.filter(|it| it.as_ref().unwrap().file_name().to_string_lossy().ends_with(".contradicted"));
    assert_eq!(kept.count(), 1);
}

#[test]
fn a_record_altered_before_a_restart_is_not_cut_away_as_torn() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), policy(), 30);
    let path = files(dir.path()).pop().unwrap();
    let mut all = lines(&path);
    all[0] = all[0].replace("192.0.2.1", "192.0.2.9").replace("\"seq\":", "\"seq\": ");
    put_lines(&path, &all);
    let before = fs::read(&path).unwrap();
    drop(Log::open(dir.path(), policy(), key(), later(100)).unwrap());
    assert_eq!(fs::read(&path).unwrap(), before, "the evidence is left alone");
    let outcome = verify(dir.path(), key().public(), None).unwrap();
    let Outcome::Flawed(finding, _) = outcome else { panic!("taken for sound") };
    assert_eq!((finding.flaw, finding.file, finding.line), (Flaw::Altered, path, 1));
}

#[test]
fn two_writers_are_kept_apart() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path(), policy(), key(), NOW).unwrap();
    assert!(matches!(Log::open(dir.path(), policy(), key(), NOW), Err(EventsError::Busy { .. })));
    drop(log);
    assert!(Log::open(dir.path(), policy(), key(), NOW).is_ok());
}
