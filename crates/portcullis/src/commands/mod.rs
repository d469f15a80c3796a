//! One file a command.

pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod events;
pub(crate) mod explain;
pub(crate) mod keys;
mod live;
pub(crate) mod proxy;
pub(crate) mod reference;
pub(crate) mod reload;
pub(crate) mod rules;
pub(crate) mod run;
pub(crate) mod scan;
pub(crate) mod status;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use portcullis_config::FromDisk;
use portcullis_core::clock::Clock as _;

use crate::{
    cli::{self, DataDirectory},
    system::SystemClock,
};

/// Where state lies unless somebody says otherwise: beside the user, or in the system's place for a service.
pub(crate) fn default_data_directory() -> PathBuf {
    // systemd names the state directory of a service (systemd.exec(5), StateDirectory=).
    match std::env::var_os("STATE_DIRECTORY") {
        Some(_) => PathBuf::from("/var/lib/portcullis"),
        None => PathBuf::from("portcullis-data"),
    }
}

/// The data directory that the command line names, directly or by a configuration file.
pub(crate) fn data_directory(place: &DataDirectory) -> anyhow::Result<PathBuf> {
    if let Some(given) = &place.data {
        return Ok(given.clone());
    }
    if !place.config.exists() {
        // Whoever names a file means it: another gate's data would answer in its place.
        let named = place.config != Path::new(cli::CONFIG_FILE);
        anyhow::ensure!(!named, "there is no file `{}`", place.config.display());
        return Ok(default_data_directory());
    }
    let loaded = portcullis_config::load(&place.config, &FromDisk, SystemClock.now());
    // A configuration with mistakes elsewhere still says where its data is.
    Ok(loaded.data.map_or_else(default_data_directory, |it| it.0))
}

/// The control socket of the gate that uses this data directory.
pub(crate) fn socket(data: &Path) -> PathBuf {
    data.join("control.sock")
}

/// Writes to standard output; a reader that has gone away (`| head`) is no fault of ours.
pub(crate) fn print(text: &str) {
    let _reader_may_be_gone =
        std::io::stdout().write_all(text.as_bytes()).and_then(|()| std::io::stdout().flush());
}

/// Writes to standard error.
pub(crate) fn complain(text: &str) {
    let _reader_may_be_gone = std::io::stderr().write_all(text.as_bytes());
}
