//! `portcullis scan`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `portcullis scan`
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  portcullis scan openapi.yaml --target http://127.0.0.1:8000
  portcullis scan http://127.0.0.1:5013/graphql
  portcullis scan grpc://127.0.0.1:50051
  portcullis scan calls.har --target https://staging.example --allow staging.example --identities users.yaml
  portcullis scan openapi.yaml --target http://127.0.0.1:8000 --sarif scan.sarif --junit scan.xml --html scan.html

The input is an OpenAPI or Swagger document, a GraphQL schema or endpoint, a WSDL, protobuf descriptors or
a gRPC server with reflection, a Postman collection or a HAR file. Nothing is sent to a host that is neither
loopback nor named by --allow. Users come from --identities (the format of Web Fuzzing Commons) or are
registered through the API itself. Payloads destroy nothing; --safe=read sends no call that changes anything.

Exit codes: 0 nothing to fail for, 5 findings at or above --fail-on, 6 the scan is incomplete (logins lost,
too little of the API reached, budget spent).")]
pub(crate) struct Scan {
    /// What describes the API: a file, or the URL of a document, a GraphQL endpoint or a gRPC server
    #[arg(value_name = "INPUT", required_unless_present = "list_checks")]
    pub(crate) input: Option<String>,
    /// Where the API is (default: the first server that the input names)
    #[arg(short, long, value_name = "URL")]
    pub(crate) target: Option<String>,
    /// A host that may be attacked, besides loopback; may be repeated
    #[arg(long, value_name = "HOST")]
    pub(crate) allow: Vec<String>,
    /// Users, in the format of Web Fuzzing Commons (YAML or JSON)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) identities: Option<PathBuf>,
    /// What checks may do
    #[arg(long, value_enum, default_value_t = Safe::Full)]
    pub(crate) safe: Safe,
    /// A header field for every request (`Name: value`); may be repeated
    #[arg(short = 'H', long, value_name = "FIELD")]
    pub(crate) header: Vec<String>,
    /// Only these checks; may be repeated
    #[arg(long, value_name = "CHECK")]
    pub(crate) only: Vec<String>,
    /// Not these checks; may be repeated
    #[arg(long, value_name = "CHECK")]
    pub(crate) skip: Vec<String>,
    /// Only these operations, by id; may be repeated
    #[arg(long, value_name = "OPERATION")]
    pub(crate) operation: Vec<String>,
    /// The seed of all chance (default: a new one, printed)
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Requests in all, at most
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub(crate) max_requests: u64,
    /// Seconds in all, at most
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    pub(crate) max_time: u64,
    /// Requests a second, at most (default: as fast as answers come)
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) rate: u32,
    /// Seconds to wait for one answer
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) timeout: u64,
    /// Fail the scan when fewer of a hundred operations were answered well
    #[arg(long, value_name = "PERCENT", default_value_t = 50, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) coverage: u8,
    /// Where the target can reach our out-of-band listener (HTTP and DNS); `off` for none
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: String,
    /// Keep requests, captures and trials here; an interrupted scan goes on with --resume
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Go on with the interrupted scan in --out
    #[arg(long, requires = "out")]
    pub(crate) resume: bool,
    /// The report as one JSON object on the standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Write SARIF 2.1.0
    #[arg(long, value_name = "FILE")]
    pub(crate) sarif: Option<PathBuf>,
    /// Write JUnit XML
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Write one HTML page
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Write the exchanges of the findings as HAR
    #[arg(long, value_name = "FILE")]
    pub(crate) har: Option<PathBuf>,
    /// Write Markdown for a pull request
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
    /// Compare with an earlier --report: new, fixed, persisting; only new findings fail
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// The mildest severity that fails
    #[arg(long, value_enum, default_value_t = FailOn::Medium)]
    pub(crate) fail_on: FailOn,
    /// Suspected findings fail too
    #[arg(long)]
    pub(crate) fail_on_suspected: bool,
    /// List the checks and what each does
    #[arg(long)]
    pub(crate) list_checks: bool,
    /// No progress on the terminal
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// What checks may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Safe {
    /// Only calls that read
    Read,
    /// Create, change and delete objects and users of its own
    Full,
}

/// The mildest severity that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Nothing fails
    Never,
    Info,
    Low,
    Medium,
    High,
    Critical,
}
