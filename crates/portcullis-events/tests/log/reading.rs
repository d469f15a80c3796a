//! Reading back: from the end, by reference, and while the writer goes on.

use std::ops::ControlFlow;

use portcullis_events::{
    log::Log,
    query::{Filter, Follow, find, scan, tail},
};

use crate::support::{NOW, append, denied, files, key, later, policy, served, write};

#[test]
fn the_tail_is_read_over_several_files_oldest_first() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), policy(), 100);
    assert!(files(dir.path()).len() > 3);
    let numbers = |events: Vec<portcullis_core::event::Event>| -> Vec<String> {
        events.iter().map(|it| it.path.rsplit('/').next().unwrap().to_owned()).collect()
    };
    let last = tail(dir.path(), 60, &Filter::default()).unwrap();
    assert_eq!(last.len(), 60);
    assert_eq!(numbers(last)[..2], ["40", "41"]);
    let refused = tail(dir.path(), 3, &Filter { denied: true, ..Filter::default() }).unwrap();
    assert_eq!(numbers(refused), ["80", "87", "94"]);
    let by_rule = Filter { rule: Some("limits".into()), api: Some("orders".into()), ..Filter::default() };
    assert_eq!(tail(dir.path(), 1000, &by_rule).unwrap().len(), 14);
    let others = Filter { api: Some("invoices".into()), ..Filter::default() };
    assert!(tail(dir.path(), 10, &others).unwrap().is_empty());
    let since = Filter { since: Some(served(98).at), ..Filter::default() };
    assert_eq!(numbers(tail(dir.path(), 10, &since).unwrap()), ["98", "99"]);
}

#[test]
fn an_event_is_found_by_its_reference() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), policy(), 100);
    for n in [0, 3, 57, 99] {
        let found = find(dir.path(), served(n).id).unwrap().unwrap();
        assert_eq!(&*found.path, format!("/v1/orders/{n}"));
    }
    assert_eq!(find(dir.path(), denied(3).id).unwrap(), Some(denied(3)), "whole, as it was recorded");
    assert_eq!(find(dir.path(), served(100).id).unwrap(), None);
}

#[test]
fn follows_over_rotations_and_waits_for_whole_lines() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), policy(), key(), NOW).unwrap();
    append(&mut log, 0..5);
    let mut follow = Follow::new(dir.path(), Filter::default()).unwrap();
    assert_eq!(follow.poll().unwrap(), []);
    append(&mut log, 5..60);
    assert!(files(dir.path()).len() > 2);
    let seen = follow.poll().unwrap();
    assert_eq!((seen.len(), &*seen[0].path, &*seen[54].path), (55, "/v1/orders/5", "/v1/orders/59"));
    assert_eq!(follow.poll().unwrap(), []);
    // Half a line is not there yet.
    let path = files(dir.path()).pop().unwrap();
    let whole = std::fs::read(&path).unwrap();
    append(&mut log, 60..61);
    let more = std::fs::read(&path).unwrap();
    std::fs::write(&path, &more[..whole.len() + 20]).unwrap();
    assert_eq!(follow.poll().unwrap(), []);
    std::fs::write(&path, more).unwrap();
    assert_eq!(follow.poll().unwrap().len(), 1);
}

#[test]
fn a_scan_can_stop_and_counts_what_is_no_record() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), policy(), 30);
    let mut log = Log::open(dir.path(), policy(), key(), later(100)).unwrap();
    append(&mut log, 30..33);
    let mut seen = 0;
    let unreadable = scan(dir.path(), &Filter::default(), |_| {
        seen += 1;
        if seen == 32 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    assert_eq!((seen, unreadable), (32, 0));
}
