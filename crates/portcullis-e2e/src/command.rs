//! Running `portcullis` to its end.

use std::{path::PathBuf, process::Command};

/// What a finished command left.
#[derive(Debug)]
pub struct Output {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it complained.
    pub stderr: String,
}

/// The binary under test: `PORTCULLIS_BINARY`, or the one that `cargo build` leaves.
pub fn binary() -> PathBuf {
    if let Some(given) = std::env::var_os("PORTCULLIS_BINARY") {
        return given.into();
    }
    let mut path = std::env::current_exe().expect("a test knows its own path");
    // target/debug/deps/test-hash → target/debug/portcullis
    path.pop();
    path.pop();
    let binary = path.join("portcullis");
    assert!(
        binary.exists(),
        "{} is missing: run `cargo xtask test`, or `cargo build` first",
        binary.display()
    );
    binary
}

/// Runs `portcullis` with these arguments in this folder, to its end.
pub fn portcullis(folder: &std::path::Path, arguments: &[&str]) -> Output {
    let output = Command::new(binary())
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .expect("the binary can be started");
    Output {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("output is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("complaints are UTF-8"),
    }
}
