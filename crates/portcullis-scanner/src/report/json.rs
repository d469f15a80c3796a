//! JSON: the whole report, in a shape that stays.
//!
//! `{"schema": "portcullis-scan-report/1", …}` with the members of [`Report`]. Members are only added; a reader passes
//! over what it does not know.

use serde::{Deserialize, Serialize};

use super::Report;

/// The name of the shape.
pub const SCHEMA: &str = "portcullis-scan-report/1";

#[derive(Serialize)]
struct Written<'r> {
    schema: &'static str,
    #[serde(flatten)]
    report: &'r Report,
}

#[derive(Deserialize)]
struct Read {
    schema: String,
    #[serde(flatten)]
    report: Report,
}

/// Why an earlier report cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is no JSON, or lacks a member.
    #[error("not a scan report")]
    Json(#[from] serde_json::Error),
    /// It is of another shape.
    #[error("`{0}` is no shape of report that is known (`{SCHEMA}` is)")]
    Schema(String),
}

/// The report as JSON.
pub fn render(report: &Report) -> String {
    // Maps with text keys and finite numbers can always be written.
    let mut text = serde_json::to_string_pretty(&Written { schema: SCHEMA, report }).unwrap_or_default();
    text.push('\n');
    text
}

/// An earlier report.
///
/// # Errors
/// It is none.
pub fn read(bytes: &[u8]) -> Result<Report, ReadError> {
    let read: Read = serde_json::from_slice(bytes)?;
    if read.schema == SCHEMA { Ok(read.report) } else { Err(ReadError::Schema(read.schema)) }
}
