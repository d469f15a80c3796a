//! Brings what tests and benchmarks need and a machine lacks. It says what it installs, and where.

use std::{path::PathBuf, process::Command};

use anyhow::Context as _;

use crate::{run, target};

/// Debian packages, of which only those missing are installed (as root, or by sudo).
pub(crate) fn debian(packages: &[&str]) -> anyhow::Result<()> {
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing Debian packages: {}", missing.join(" "));
    let apt = |args: &[&str]| {
        let mut command = if is_root() {
            Command::new("apt-get")
        } else {
            let mut sudo = Command::new("sudo");
            sudo.arg("apt-get");
            sudo
        };
        command.args(["-qq", "-o", "Dpkg::Use-Pty=0"]).args(args).env("DEBIAN_FRONTEND", "noninteractive");
        run(command.stdout(std::process::Stdio::null()))
    };
    apt(&["update"]).context("the list of Debian packages could not be refreshed")?;
    let mut install = vec!["install", "-y", "--no-install-recommends"];
    install.extend(missing);
    apt(&install).context("Debian packages could not be installed; install them by hand and run this again")
}

/// npm packages, installed once into `target/tools/npm`; the folder is returned.
pub(crate) fn npm(packages: &[&str]) -> anyhow::Result<PathBuf> {
    let home = target().join("tools/npm");
    let missing: Vec<&str> = packages
        .iter()
        .copied()
        .filter(|package| {
            let name = package
                .rsplit_once('@')
                .map_or(*package, |(name, _)| if name.is_empty() { package } else { name });
            !home.join("node_modules").join(name).join("package.json").exists()
        })
        .collect();
    if !missing.is_empty() {
        println!("installing npm packages into {}: {}", home.display(), missing.join(" "));
        std::fs::create_dir_all(&home)?;
        let manifest = home.join("package.json");
        if !manifest.exists() {
            std::fs::write(&manifest, "{\"private\": true}\n")?;
        }
        run(Command::new("npm")
            .current_dir(&home)
            .args(["install", "--no-audit", "--no-fund", "--loglevel=error", "--no-save"])
            // Those already there would be pruned if they were not named again.
            .args(packages))
        .context("npm packages could not be installed; is Node.js installed?")?;
    }
    Ok(home)
}

/// Python packages, installed once into a virtual environment in `target/tools/python`; its folder is returned.
pub(crate) fn python(packages: &[&str]) -> anyhow::Result<PathBuf> {
    let home = target().join("tools/python");
    let pip = home.join("bin/pip");
    if !pip.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&home))
            .context("is Python with venv installed?")?;
    }
    for package in packages {
        let shown = Command::new(&pip).args(["show", "--quiet", package]).output()?;
        if !shown.status.success() {
            println!("installing the Python package {package} into {}", home.display());
            run(Command::new(&pip).args(["install", "--quiet", "--disable-pip-version-check", package]))?;
        }
    }
    Ok(home)
}

/// A cargo subcommand that the machine lacks, built once into `target/tools/cargo`; its binary is returned.
pub(crate) fn cargo_tool(name: &str, version: &str) -> anyhow::Result<PathBuf> {
    let home = target().join("tools/cargo");
    let binary = home.join("bin").join(name);
    if !binary.exists() {
        println!("building {name} {version} into {} (once, some minutes)", home.display());
        // Unoptimised: it runs for seconds, so building it fast matters more.
        run(crate::cargo()
            .args(["install", "--quiet", "--locked", "--debug", "--no-default-features", "--root"])
            .arg(&home)
            .args([
                "--target-dir".as_ref(),
                target().join("tools/build").as_os_str(),
                name.as_ref(),
                "--version".as_ref(),
                version.as_ref(),
            ]))?;
    }
    Ok(binary)
}

fn is_installed(package: &str) -> bool {
    Command::new("dpkg-query")
        .args(["-W", "-f=${Status}", package])
        .output()
        .is_ok_and(|it| String::from_utf8_lossy(&it.stdout).contains("install ok installed"))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|it| it.stdout.starts_with(b"0"))
}
