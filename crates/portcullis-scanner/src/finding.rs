//! What a scan found.

use serde::{Deserialize, Serialize};

use crate::model::Protocol;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Helps an attacker a little.
    Low,
    /// Does harm under conditions.
    Medium,
    /// Does harm.
    High,
    /// Gives the API away.
    Critical,
}

/// How sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// Signs of it, not repeated or not to be told apart from something harmless. Never fails a build unless asked.
    Suspected,
    /// Shown by its effect, with a control, repeated with fresh random values.
    Confirmed,
}

/// In which part of a report it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Section {
    /// A weakness.
    Security,
    /// The API and its description disagree.
    Contract,
}

/// One finding, complete for every report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable between scans: SHA-256 over check, operation and slot, the first sixteen hexadecimal digits.
    pub fingerprint: String,
    /// The check that found it: [`crate::check::Info::id`].
    pub check: String,
    /// The check's title.
    pub title: String,
    /// The part of the report.
    pub section: Section,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub certainty: Certainty,
    /// The operation, by id; empty for the server as a whole.
    pub operation: String,
    /// The slot, as `path:id`, `body:/name`; empty where it is the operation as a whole.
    pub slot: String,
    /// The protocol.
    pub protocol: Protocol,
    /// OWASP API Security Top 10 2023: `API1:2023`.
    pub owasp: String,
    /// CWE number.
    pub cwe: u32,
    /// Fault code of Web Fuzzing Commons, where there is one: `F206`.
    pub wfc: Option<String>,
    /// What was shown, in a sentence.
    pub summary: String,
    /// How to mend it.
    pub remedy: String,
    /// The exchanges that prove it, in order; secrets are masked.
    pub exchanges: Vec<Exchange>,
    /// One command that shows it again; credentials stand as `$A_TOKEN` and the like.
    pub curl: String,
    /// The shield that would cover it.
    pub shield: Shield,
}

/// One request with its answer, for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// Who called, by name.
    pub by: String,
    /// What it is in the proof: `baseline`, `probe`, `control`, `confirmation`, `read back`.
    pub part: String,
    /// The method.
    pub method: String,
    /// The absolute URL.
    pub url: String,
    /// Header fields sent, credentials masked.
    pub request_headers: Vec<(String, String)>,
    /// The body sent, as text, cut at 4 KiB.
    pub request_body: String,
    /// The status.
    pub status: u16,
    /// Header fields received.
    pub answer_headers: Vec<(String, String)>,
    /// The body received, as text, cut at 4 KiB.
    pub answer_body: String,
    /// How long it took, in microseconds.
    pub micros: u64,
}

/// The narrowest thing that the gate could do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Shield {
    /// A tighter schema at the slot, from good values.
    Schema,
    /// Only the owner of the object may.
    Ownership,
    /// Callers must prove who they are; with roles, must have one of them.
    Identity {
        /// Roles that may; empty: anybody known.
        roles: Vec<String>,
    },
    /// Tokens are judged by the gate (algorithm, key, expiry).
    Token,
    /// These fields are taken out of requests or answers: JSON pointers.
    StripField {
        /// JSON pointers.
        fields: Vec<String>,
        /// Of the answer rather than the request.
        answer: bool,
    },
    /// Fewer calls a caller.
    Limit,
    /// A smaller body, depth, page or query cost.
    Cost,
    /// The method is refused on this path.
    MethodDeny {
        /// The method.
        method: String,
        /// The path.
        path: String,
    },
    /// Attack detection is on and blocks for this operation.
    AttackRule,
    /// A header field is set or removed on answers.
    Header {
        /// The field.
        name: String,
        /// What it is set to; empty: removed.
        value: String,
    },
    /// Nothing at a gate mends it; the words say what would.
    None {
        /// What would.
        words: String,
    },
}
