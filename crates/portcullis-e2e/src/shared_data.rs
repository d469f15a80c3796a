//! Data that lies beside the checkout and is not part of it.

use std::{path::PathBuf, process::Command, sync::Mutex};

/// The shared folder: `PORTCULLIS_SHARED`, or `../shared` beside the checkout. `None`, said visibly, without it.
pub fn shared() -> Option<PathBuf> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let folder = std::env::var_os("PORTCULLIS_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    if folder.join("corpora").is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no shared data at {} (set PORTCULLIS_SHARED)", folder.display());
    None
}

/// The unpacked corpora, in `target/corpora/dev`.
pub fn corpora() -> Option<PathBuf> {
    static UNPACKING: Mutex<()> = Mutex::new(());
    let archive = shared()?.join("corpora/corpora-dev.tar.xz");
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target")), PathBuf::from);
    let unpacked = target.join("corpora");
    let _one_at_a_time = UNPACKING.lock().expect("unpacking did not panic");
    if !unpacked.join("dev").is_dir() {
        std::fs::create_dir_all(&target).expect("the target folder can be made");
        let fresh = tempfile::tempdir_in(&target).expect("a temporary folder");
        let status = Command::new("tar").arg("-xJf").arg(&archive).arg("-C").arg(fresh.path()).status();
        assert!(status.expect("tar can be started").success(), "{} cannot be unpacked", archive.display());
        // Another test process may have been faster; its copy is as good.
        let _lost_the_race = std::fs::rename(fresh.keep(), &unpacked);
    }
    Some(unpacked.join("dev"))
}
