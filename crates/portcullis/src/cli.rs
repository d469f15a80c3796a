//! The command line.

mod scan;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::scan::{FailOn, Safe, Scan};

/// The gate in front of your APIs.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, about, long_about = None, after_help = after_help(), max_term_width = 100)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

fn after_help() -> String {
    let mut text = "Exit codes:\n".to_owned();
    for (code, meaning) in crate::exit::Exit::TABLE {
        text.push_str(&format!("  {code:>2}  {meaning}\n"));
    }
    text
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Guard the APIs of a configuration file
    Run(Run),
    /// Show the gate at work: a sample API, ordinary clients and attackers
    Demo(Demo),
    /// Stand in front of an upstream without any file: report what would be refused, refuse nothing
    Proxy(Proxy),
    /// Find every mistake in a configuration and its specifications
    Check(Check),
    /// Say why: a call (`"POST /v1/orders"`), a refusal (its reference id) or a diagnostic (`PC3001`)
    Explain(Explain),
    /// Compare two configurations by what they protect; exit code 3 when anything got weaker
    Diff(Diff),
    /// Print the JSON Schema of the configuration, for editors
    Schema,
    /// Create, list and revoke API keys
    #[command(subcommand)]
    Keys(Keys),
    /// Fetch, list and test the firewall's rules
    #[command(subcommand)]
    Rules(Rules),
    /// Attack an API on purpose, safely, and say what was found
    Scan(Box<Scan>),
    /// Show the record of exchanges
    Events(Events),
    /// Work with the record's proof
    #[command(subcommand)]
    Audit(Audit),
    /// Show the running gate
    Status(Status),
    /// Make the running gate read its configuration again
    Reload(Reload),
    /// Print a page of the reference
    #[command(hide = true)]
    Reference {
        /// Which page.
        page: ReferencePage,
    },
}

/// The configuration unless told otherwise.
pub(crate) const CONFIG_FILE: &str = "portcullis.yaml";

/// Where the configuration is.
#[derive(Args, Clone, Debug)]
pub(crate) struct ConfigFile {
    /// The configuration file
    #[arg(short, long, value_name = "FILE", default_value = CONFIG_FILE)]
    pub(crate) config: PathBuf,
}

/// Where the state is: named directly, or by a configuration file.
#[derive(Args, Clone, Debug)]
pub(crate) struct DataDirectory {
    /// The data directory (default: the configuration's `data:`, else ./portcullis-data)
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The configuration file that names it
    #[arg(short, long, value_name = "FILE", default_value = CONFIG_FILE)]
    pub(crate) config: PathBuf,
}

/// `portcullis run`
#[derive(Args, Clone, Debug)]
pub(crate) struct Run {
    /// The configuration file
    #[command(flatten)]
    pub(crate) config: ConfigFile,
    /// Data threads (default: one a core)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Do not watch the configuration's files for changes
    #[arg(long)]
    pub(crate) no_watch: bool,
    /// Seconds that open calls get after SIGTERM
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) grace: u64,
    /// Log lines as JSON
    #[arg(long)]
    pub(crate) log_json: bool,
}

/// Where the demo listens unless told otherwise.
pub(crate) const DEMO_LISTEN: &str = "127.0.0.1:8080";

/// `portcullis rules`
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Rules {
    /// Fetch a release of the OWASP CRS and verify it
    Fetch(RulesFetch),
    /// List every rule that the configuration loads
    List(RulesList),
    /// Run regression cases (go-ftw's YAML) against the rules of a configuration, in process
    Test(RulesTest),
}

/// `portcullis rules list`
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  portcullis rules list --api shop --tag attack-sqli
  portcullis rules list --id 942100 --json
  portcullis rules list --notes

A rule is `live` if it can run and match at all; what the paranoia level or another constant takes
out is `off`. Rules that the gate itself adds are left out.")]
pub(crate) struct RulesList {
    /// The configuration file
    #[command(flatten)]
    pub(crate) config: ConfigFile,
    /// Only rules of this API
    #[arg(long)]
    pub(crate) api: Option<String>,
    /// Only rules of this phase
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=5))]
    pub(crate) phase: Option<u8>,
    /// Only rules with this tag
    #[arg(long)]
    pub(crate) tag: Option<String>,
    /// Only the rule of this number
    #[arg(long)]
    pub(crate) id: Option<u64>,
    /// What the loader remarked, instead: settings that the host owns, or that have no effect here
    #[arg(long, conflicts_with_all = ["phase", "tag", "id"])]
    pub(crate) notes: bool,
    /// One JSON array
    #[arg(long)]
    pub(crate) json: bool,
}

/// `portcullis rules test`
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  portcullis rules test tests/
  portcullis rules test tests/942100.yaml --api shop --verbose

Rules are tested as the configuration has them: paranoia, thresholds, exceptions, `rules_mode`. A
request is judged as its operation would be; one that no operation takes, as the API as a whole.
The backend answers with an empty 200, or with what the case says (`response`, `/reflect`).")]
pub(crate) struct RulesTest {
    /// Files of cases, or folders of them
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The configuration file
    #[command(flatten)]
    pub(crate) config: ConfigFile,
    /// The API whose rules are tested (default: the only one that has rules)
    #[arg(long)]
    pub(crate) api: Option<String>,
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Show every request, and what matched
    #[arg(short, long, conflicts_with = "json")]
    pub(crate) verbose: bool,
}

/// `portcullis rules fetch`
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  portcullis rules fetch 4.25.0
  portcullis rules fetch --from https://mirror.example/coreruleset-4.25.0-minimal.tar.gz
  portcullis rules fetch --from ./crs.tar.gz --signature ./crs.tar.gz.asc --key ./crs-key.asc
  portcullis rules fetch --from ./crs.tar.gz --sha256 HEX --checksum-only")]
pub(crate) struct RulesFetch {
    /// The version to fetch from the project's releases, for example 4.25.0
    pub(crate) version: Option<String>,
    /// Take the archive (.tar.gz) from this URL or file instead
    #[arg(long, value_name = "URL|FILE")]
    pub(crate) from: Option<String>,
    /// Its detached signature (default: the archive's place with .asc)
    #[arg(long, value_name = "URL|FILE")]
    pub(crate) signature: Option<String>,
    /// The public key (default: the project's, fetched from its site)
    #[arg(long, value_name = "URL|FILE")]
    pub(crate) key: Option<String>,
    /// The fingerprint that the key must have (default: that of the CRS project)
    #[arg(long, value_name = "HEX")]
    pub(crate) fingerprint: Option<String>,
    /// The SHA-256 that the archive must have, besides its signature
    #[arg(long, value_name = "HEX")]
    pub(crate) sha256: Option<String>,
    /// Let the checksum do, without a signature
    #[arg(long)]
    pub(crate) checksum_only: bool,
    /// The folder to unpack into
    #[arg(long, value_name = "DIR", default_value = "crs")]
    pub(crate) into: PathBuf,
    /// Replace the folder if there is one
    #[arg(long)]
    pub(crate) force: bool,
}

/// `portcullis demo`
#[derive(Args, Clone, Debug)]
pub(crate) struct Demo {
    /// End by itself after this long, for example 30s
    #[arg(long = "for", value_name = "DURATION")]
    pub(crate) duration: Option<String>,
    /// The address to listen on
    #[arg(long, default_value = DEMO_LISTEN)]
    pub(crate) listen: String,
    /// The seed of the clients and attackers
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// One JSON object a second instead of the view
    #[arg(long)]
    pub(crate) json: bool,
}

/// `portcullis proxy`
#[derive(Args, Clone, Debug)]
pub(crate) struct Proxy {
    /// The upstream, for example http://localhost:3000
    pub(crate) upstream: String,
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    /// An OpenAPI document to hold the calls against
    #[arg(long, value_name = "FILE")]
    pub(crate) spec: Option<PathBuf>,
    /// End by itself after this long
    #[arg(long = "for", value_name = "DURATION")]
    pub(crate) duration: Option<String>,
}

/// `portcullis check`
#[derive(Args, Clone, Debug)]
pub(crate) struct Check {
    /// The configuration file
    #[command(flatten)]
    pub(crate) config: ConfigFile,
    /// One JSON object with all diagnostics
    #[arg(long)]
    pub(crate) json: bool,
    /// Treat warnings as errors
    #[arg(long)]
    pub(crate) strict: bool,
}

/// `portcullis explain`
#[derive(Args, Clone, Debug)]
pub(crate) struct Explain {
    /// `"METHOD /path"` or `"METHOD https://host/path"`, a reference id, or a diagnostic's code
    pub(crate) what: String,
    /// Call as: `key:NAME`, or `anonymous` (default)
    #[arg(long = "as", value_name = "WHO")]
    pub(crate) caller: Option<String>,
    /// A file with the request's body
    #[arg(long, value_name = "FILE")]
    pub(crate) body: Option<PathBuf>,
    /// A request header, `Name: value`; may be given several times
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    pub(crate) headers: Vec<String>,
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Where configuration and record are
    #[command(flatten)]
    pub(crate) place: DataDirectory,
}

/// `portcullis diff`
#[derive(Args, Clone, Debug)]
pub(crate) struct Diff {
    /// The configuration as it was
    pub(crate) before: PathBuf,
    /// The configuration as it would be
    pub(crate) after: PathBuf,
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `portcullis keys`
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Create a key and print it, once
    Create(KeyCreate),
    /// List keys; never the keys themselves
    List(KeyList),
    /// Revoke a key at once
    Revoke(KeyRevoke),
    /// Hash a password from standard input, for a file of users (HTTP Basic)
    HashPassword,
}

/// `portcullis keys create`
#[derive(Args, Clone, Debug)]
pub(crate) struct KeyCreate {
    /// The key's name
    pub(crate) name: String,
    /// The consumer it stands for (default: the key's name); several keys may have one owner
    #[arg(long)]
    pub(crate) owner: Option<String>,
    /// A scope of the key; may be given several times
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// A role of the key; may be given several times
    #[arg(long = "role", value_name = "ROLE")]
    pub(crate) roles: Vec<String>,
    /// The plan that limits it
    #[arg(long)]
    pub(crate) plan: Option<String>,
    /// The tenant it belongs to
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// When it ends, for example 90d
    #[arg(long, value_name = "DURATION")]
    pub(crate) expires: Option<String>,
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Where the keys are kept
    #[command(flatten)]
    pub(crate) place: DataDirectory,
}

/// `portcullis keys list`
#[derive(Args, Clone, Debug)]
pub(crate) struct KeyList {
    /// One JSON array
    #[arg(long)]
    pub(crate) json: bool,
    /// Where the keys are kept
    #[command(flatten)]
    pub(crate) place: DataDirectory,
}

/// `portcullis keys revoke`
#[derive(Args, Clone, Debug)]
pub(crate) struct KeyRevoke {
    /// The key's id, as `keys list` shows it
    pub(crate) id: String,
    /// Where the keys are kept
    #[command(flatten)]
    pub(crate) place: DataDirectory,
}

/// `portcullis events`
#[derive(Args, Clone, Debug)]
pub(crate) struct Events {
    /// Go on and print new events as they come
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Only refused calls
    #[arg(long)]
    pub(crate) denied: bool,
    /// Only calls of this API
    #[arg(long)]
    pub(crate) api: Option<String>,
    /// How many of the newest
    #[arg(short = 'n', long, default_value_t = 50)]
    pub(crate) last: usize,
    /// JSON lines instead of a table
    #[arg(long)]
    pub(crate) json: bool,
    /// Where the record is
    #[command(flatten)]
    pub(crate) place: DataDirectory,
}

/// `portcullis audit`
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Prove that the record is what was written; names the first bad record
    Verify(AuditVerify),
}

/// `portcullis audit verify`
#[derive(Args, Clone, Debug)]
pub(crate) struct AuditVerify {
    /// The public key, if not the data directory's own
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// A copy of `record/checkpoint` that was kept elsewhere: finds what was rewritten with the gate's own key
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Where the record is
    #[command(flatten)]
    pub(crate) place: DataDirectory,
}

/// `portcullis status`
#[derive(Args, Clone, Debug)]
pub(crate) struct Status {
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Where the gate's data is
    #[command(flatten)]
    pub(crate) place: DataDirectory,
}

/// `portcullis reload`
#[derive(Args, Clone, Debug)]
pub(crate) struct Reload {
    /// Where the gate's data is
    #[command(flatten)]
    pub(crate) place: DataDirectory,
}

/// The generated pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReferencePage {
    /// Every key of the configuration.
    Configuration,
    /// Every command and flag.
    CommandLine,
    /// Every diagnostic.
    Diagnostics,
    /// Every guard, in the order they run.
    Guards,
}
