//! Tells when a file that the configuration was read from has changed.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

use crate::gate::Gate;

/// Editors write in several steps; what belongs together comes within this time.
const SETTLE: Duration = Duration::from_millis(150);

/// Changes of the files of a running gate.
pub(crate) struct Changes {
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    files: Arc<std::sync::Mutex<BTreeSet<PathBuf>>>,
    changed: mpsc::Receiver<()>,
}

impl Changes {
    /// Watches the files of `gate`; nothing when `on` is false.
    pub(crate) fn of(gate: &Gate, on: bool) -> anyhow::Result<Self> {
        // One place: what matters is that something changed, not how often.
        let (sender, changed) = mpsc::channel(1);
        let files: Arc<std::sync::Mutex<BTreeSet<PathBuf>>> = Arc::default();
        let watcher = if on {
            let files = Arc::clone(&files);
            Some(notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
                let Ok(event) = event else { return };
                if event.kind.is_access() {
                    return;
                }
                let files = files.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if event.paths.iter().any(|path| concerns(path, &files)) {
                    // A full channel has the news already.
                    let _already_told = sender.try_send(());
                }
            })?)
        } else {
            None
        };
        let mut changes = Self { watcher, folders: BTreeSet::new(), files, changed };
        changes.watch_anew(gate);
        Ok(changes)
    }

    /// Waits for a change, and until it has settled. Never comes when nothing is watched.
    pub(crate) async fn next(&mut self) {
        if self.watcher.is_none() || self.changed.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        while tokio::time::timeout(SETTLE, self.changed.recv()).await.is_ok_and(|it| it.is_some()) {}
    }

    /// A reload may have read other files: watch those.
    pub(crate) fn watch_anew(&mut self, gate: &Gate) {
        let Some(watcher) = &mut self.watcher else { return };
        let files: BTreeSet<PathBuf> = gate.watched().iter().map(|it| absolute(it)).collect();
        // Folders, not files: an editor replaces a file, and Kubernetes swaps a link beside it.
        let folders: BTreeSet<PathBuf> = files
            .iter()
            .filter_map(|it| if it.is_dir() { Some(it.clone()) } else { it.parent().map(Path::to_owned) })
            .collect();
        for gone in self.folders.difference(&folders) {
            let _not_watched_any_more = watcher.unwatch(gone);
        }
        for new in folders.difference(&self.folders) {
            if let Err(error) = watcher.watch(new, RecursiveMode::NonRecursive) {
                tracing::warn!(folder = %new.display(), %error, "cannot be watched; use SIGHUP or `portcullis reload`");
            }
        }
        self.folders = folders;
        *self.files.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = files;
    }
}

/// A file that was read, a new file in a folder that was listed, or a link swapped beside one.
fn concerns(path: &Path, files: &BTreeSet<PathBuf>) -> bool {
    files.contains(path)
        || path.parent().is_some_and(|folder| files.contains(folder))
        || path.file_name().is_some_and(|name| name == "..data")
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
