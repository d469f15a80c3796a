//! Cases that expect one particular server's reading of HTTP. Each says what differs, and what is expected here instead; a
//! case that passes as it is written must not stand here.

use portcullis_ftw::cases::{CaseId, Log, Output};

/// As many as there may be.
pub const OVERRIDES_MAX: usize = 12;

/// A case whose expectation is replaced.
pub struct Override {
    pub id: CaseId,
    /// The difference between HTTP servers that explains it.
    pub why: &'static str,
    /// The rules that must be logged instead.
    pub expect_ids: &'static [u64],
    /// The status of the answer.
    pub status: u16,
}

pub const OVERRIDES: &[Override] = &[Override {
    id: CaseId { rule: 920_620, test: 1 },
    why: "Apache hands one Content-Type on where the client sent two; here the rules see both",
    expect_ids: &[920_620],
    status: 200,
}];

impl Override {
    pub fn output(&self) -> Output {
        let log = Log { expect_ids: self.expect_ids.to_owned(), ..Log::default() };
        Output { status: Some(self.status), log, ..Output::default() }
    }
}

pub fn of(id: CaseId) -> Option<&'static Override> {
    OVERRIDES.iter().find(|it| it.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_few_and_explained() {
        assert!(OVERRIDES.len() <= OVERRIDES_MAX);
        for it in OVERRIDES {
            assert!(!it.why.is_empty() && !it.expect_ids.is_empty(), "{}", it.id);
            assert_eq!(OVERRIDES.iter().filter(|other| other.id == it.id).count(), 1, "{}", it.id);
        }
    }
}
