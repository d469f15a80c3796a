//! `cargo xtask test`: installs what tests need and is missing, then runs all of them.

use std::process::Command;

use crate::{cargo, install, run as run_command};

/// Real components that the tests start themselves.
const NPM: &[&str] = &["oidc-provider@9"];

/// Installs, builds the binary under test, runs every test. `args` go to the test runner.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let npm = install::npm(NPM)?;
    // Signs the releases that tests of `rules fetch` verify.
    if !Command::new("gpg").arg("--version").output().is_ok_and(|it| it.status.success()) {
        install::debian(&["gnupg"])?;
    }
    // The whole-system tests start the binary that users start.
    run_command(cargo().args(["build", "--package", "portcullis"]))?;
    let binary = crate::target().join("debug/portcullis");

    let nextest = cargo().args(["nextest", "--version"]).output().is_ok_and(|it| it.status.success());
    let mut command = cargo();
    if nextest {
        command.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
    } else {
        println!("cargo-nextest is not installed: running with cargo test");
        command.args(["test", "--workspace", "--no-fail-fast"]);
    }
    command.args(args).env("PORTCULLIS_BINARY", binary).env("PORTCULLIS_NPM", npm);
    if std::env::var_os("PORTCULLIS_SHARED").is_none() {
        command.env("PORTCULLIS_SHARED", crate::root().join("../shared"));
    }
    run_command(&mut command)
}
