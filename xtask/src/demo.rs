//! `cargo xtask demo`: the main job on a fresh machine, with nothing but Rust installed.

use crate::cargo;

/// Builds the binary, then hands over to `portcullis demo`.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    println!("building portcullis (the first time takes some minutes)");
    crate::run(cargo().args(["build", "--package", "portcullis"]))?;
    let binary = crate::target().join("debug/portcullis");
    crate::run(std::process::Command::new(binary).arg("demo").args(args))
}
