//! `portcullis rules`: one file a command.

pub(crate) mod fetch;
pub(crate) mod list;
pub(crate) mod test;

use std::path::Path;

use portcullis_config::{FromDisk, model::Config};
use portcullis_core::clock::Clock as _;

use super::complain;
use crate::{
    load::{self, Loaded, Refused},
    system::SystemClock,
};

/// Reads the configuration; its warnings are told, and so is why it is refused, if it is.
fn read(path: &Path) -> Option<Loaded> {
    match load::read(path, &FromDisk, SystemClock.now()) {
        Ok(loaded) => {
            tell(&loaded.warnings);
            Some(loaded)
        }
        Err(refused) => {
            tell_refused(path, &refused);
            None
        }
    }
}

fn tell_refused(path: &Path, refused: &Refused) {
    complain(&format!("{refused}\n\n{}: refused\n", path.display()));
}

fn tell(text: &str) {
    if !text.is_empty() {
        complain(&format!("{}\n\n", text.trim_end()));
    }
}

/// An API that is asked for by name must exist.
fn ensure_api(config: &Config, name: &str) -> anyhow::Result<()> {
    let names: Vec<&str> = config.apis.keys().map(|it| &**it).collect();
    anyhow::ensure!(
        names.contains(&name),
        "there is no API `{name}` in the configuration (there {})",
        match names[..] {
            [] => "is none".to_owned(),
            [only] => format!("is `{only}`"),
            _ => format!("are {}", quoted(&names)),
        }
    );
    Ok(())
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")
}
