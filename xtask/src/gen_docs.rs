//! `cargo xtask gen`: the reference and the JSON Schema, generated from the code. `--check` fails when stale.

use anyhow::Context as _;

use crate::{cargo, root};

/// What is generated: the file, and the arguments of `portcullis` that print it.
const GENERATED: &[(&str, &[&str])] = &[
    ("docs/reference/portcullis.schema.json", &["schema"]),
    ("docs/reference/configuration.md", &["reference", "configuration"]),
    ("docs/reference/command-line.md", &["reference", "command-line"]),
    ("docs/reference/diagnostics.md", &["reference", "diagnostics"]),
    ("docs/reference/guards.md", &["reference", "guards"]),
];

/// Writes the generated files, or says which are stale.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let check = args.iter().any(|it| it == "--check");
    crate::run(cargo().args(["build", "--quiet", "--package", "portcullis"]))?;
    let binary = crate::target().join("debug/portcullis");
    let mut stale = Vec::new();
    for (file, arguments) in GENERATED {
        let output = std::process::Command::new(&binary).args(*arguments).output()?;
        anyhow::ensure!(
            output.status.success(),
            "portcullis {} failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
        let path = root().join(file);
        if std::fs::read(&path).ok().as_deref() == Some(output.stdout.as_slice()) {
            continue;
        }
        if check {
            stale.push(*file);
        } else {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(&path, &output.stdout).with_context(|| format!("cannot write {file}"))?;
            println!("wrote {file}");
        }
    }
    anyhow::ensure!(stale.is_empty(), "stale: {}; run `cargo xtask gen`", stale.join(", "));
    Ok(())
}
