//! What compiling finds wrong beyond the language itself: specifications, certificates, keys, users.

use std::fmt;

use serde::Serialize;

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Weight {
    /// The configuration works without it.
    Warning,
    /// The configuration is refused.
    Error,
}

/// One thing wrong, with its place as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    /// How bad.
    pub(crate) severity: Weight,
    /// What is concerned: `api orders`, `upstream billing`, `provider customers`.
    pub(crate) subject: String,
    /// What is wrong, lower case.
    pub(crate) message: String,
    /// Where: `openapi.yaml:12:3 #/paths/~1x`, or the line of the configuration.
    pub(crate) place: Option<String>,
    /// What to do about it.
    pub(crate) hint: Option<String>,
}

impl Problem {
    /// Something that refuses the configuration.
    pub(crate) fn error(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Weight::Error,
            subject: subject.into(),
            message: message.into(),
            place: None,
            hint: None,
        }
    }

    /// Something that weakens it.
    pub(crate) fn warning(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Weight::Warning, ..Self::error(subject, message) }
    }

    /// From an error with its causes.
    pub(crate) fn of(subject: impl Into<String>, error: &dyn std::error::Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message.push_str(": ");
            message.push_str(&error.to_string());
            cause = error.source();
        }
        Self::error(subject, message)
    }

    /// With its place.
    #[must_use]
    pub(crate) fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// With a remedy.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Weight::Warning => "warning",
            Weight::Error => "error",
        };
        write!(f, "{word}: {}: {}", self.subject, self.message)?;
        if let Some(place) = &self.place {
            write!(f, "\n  --> {place}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  help: {hint}")?;
        }
        Ok(())
    }
}
