//! What the process's exit code means, in one table that `--help` and the reference show.

use std::process::ExitCode;

/// An exit code of `portcullis`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All went well.
    Success,
    /// The task failed; the message says why.
    Failure,
    /// The command line was not understood (given by the argument parser).
    #[expect(
        dead_code,
        reason = "the argument parser exits by itself; the table names the code all the same"
    )]
    Usage,
    /// `diff`: some protection is weaker in the second configuration.
    Weaker,
    /// `audit verify`: the record is not what was written.
    Altered,
    /// `scan`: findings at or above `--fail-on`.
    Findings,
    /// `scan`: too little was reached, logins were lost or the budget was spent.
    Incomplete,
    /// No running gate answers on the control socket.
    NoGate,
    /// The configuration has errors, or a specification cannot be enforced as it stands.
    Config,
}

impl Exit {
    /// Every code with its meaning.
    pub(crate) const TABLE: &[(u8, &str)] = &[
        (0, "all went well"),
        (1, "the task failed; the message says why"),
        (2, "the command line was not understood"),
        (3, "`diff`: some protection is weaker in the second configuration"),
        (4, "`audit verify`: the record is not what was written"),
        (5, "`scan`: findings at or above `--fail-on`"),
        (6, "`scan`: incomplete, so that its silence means nothing"),
        (69, "no running gate answers on the control socket"),
        (78, "the configuration has errors"),
    ];

    /// The number.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Weaker => 3,
            Self::Altered => 4,
            Self::Findings => 5,
            Self::Incomplete => 6,
            Self::NoGate => 69,
            Self::Config => 78,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
