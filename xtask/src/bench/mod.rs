//! Benchmarks: ratios taken in one run, because absolute figures say more about the machine than about the code.

mod drive;
mod firewall;
mod floor;
mod gateway;
mod json;
mod peers;
mod process;
mod scan;
mod specs;
mod tally;

/// How a benchmark is run.
#[derive(Clone, Copy, Debug)]
struct Options {
    output: Output,
    rounds: u32,
    secs: u32,
    build: Build,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Output {
    Table,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Build {
    /// Build the release binary first.
    First,
    /// Take it as it is.
    Skip,
}

const HELP: &str = "\
cargo xtask bench gateway [--json] [--rounds N] [--secs N] [--no-build]
cargo xtask bench json    [--json] [--rounds N] [--no-build]
cargo xtask bench specs   [--json] [--no-build]
cargo xtask bench firewall [--json] [--rounds N] [--no-build]
cargo xtask bench scan    [--json] [--no-build]";

/// Runs the benchmark that the arguments name.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let rest = args.get(1..).unwrap_or_default();
    match args.first().map(String::as_str) {
        Some("gateway") => gateway::run(Options::read(rest)?),
        Some("json") => json::run(Options::read(rest)?),
        Some("specs") => specs::run(Options::read(rest)?),
        Some("firewall") => firewall::run(Options::read(rest)?),
        Some("scan") => scan::run(Options::read(rest)?),
        // Not for people: the forwarder that `gateway` starts as a process of its own.
        Some("floor") => floor::run(rest),
        Some(other) => Err(anyhow::anyhow!("no benchmark `{other}`\n\n{HELP}")),
        None => Err(anyhow::anyhow!("which benchmark?\n\n{HELP}")),
    }
}

impl Options {
    fn read(args: &[String]) -> anyhow::Result<Self> {
        let mut options = Self { output: Output::Table, rounds: 5, secs: 3, build: Build::First };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut number = || -> anyhow::Result<u32> {
                let text = args.next().map(String::as_str).unwrap_or_default();
                let number = text.parse().ok().filter(|it| (1..=1000).contains(it));
                number.ok_or_else(|| anyhow::anyhow!("`{arg}` needs a number from 1 to 1000, not `{text}`"))
            };
            match arg.as_str() {
                "--json" => options.output = Output::Json,
                "--no-build" => options.build = Build::Skip,
                "--rounds" => options.rounds = number()?,
                "--secs" => options.secs = number()?,
                other => anyhow::bail!("no option `{other}`\n\n{HELP}"),
            }
        }
        Ok(options)
    }

    /// The release binary, built unless asked not to.
    fn binary(self) -> anyhow::Result<std::path::PathBuf> {
        if self.build == Build::First {
            crate::run(crate::cargo().args(["build", "--release", "--locked", "-p", "portcullis"]))?;
        }
        let binary = crate::target().join("release/portcullis");
        anyhow::ensure!(binary.exists(), "there is no `{}`; leave out --no-build", binary.display());
        Ok(binary)
    }
}
