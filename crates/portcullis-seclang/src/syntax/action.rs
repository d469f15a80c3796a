//! Actions, a rule's third argument, in typed form.

use super::ctl::Ctl;
use super::named::named;
use super::template::Template;
use super::variable::Collection;
use crate::transformations::Transformation;

/// One action. What ModSecurity runs outside the engine (`exec`, `proxy`, `pause`, `append`, `prepend`) has no form
/// here: the parser refuses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// `accuracy:1-9`.
    Accuracy(u8),
    /// `allow`, `allow:phase`, `allow:request`.
    Allow(AllowScope),
    /// `auditlog`.
    AuditLog,
    /// `block`: what the phase's default action says.
    Block,
    /// `capture`: groups of a match go to `TX.0` to `TX.9`.
    Capture,
    /// `chain`: the next rule must match too.
    Chain,
    /// `ctl:…`.
    Ctl(Ctl),
    /// `deny`.
    Deny,
    /// `deprecatevar:session.score=60/300`: less by an amount each period.
    DeprecateVar {
        /// Which collection.
        collection: Collection,
        /// Which key.
        key: Template,
        /// Taken away each period.
        amount: u64,
        /// The period, in seconds; never 0.
        period_secs: u64,
    },
    /// `drop`: close the connection.
    Drop,
    /// `expirevar:ip.flag=60`.
    ExpireVar {
        /// Which collection.
        collection: Collection,
        /// Which key.
        key: Template,
        /// Seconds from now.
        seconds: Template,
    },
    /// `id:N`.
    Id(u64),
    /// `initcol:ip=%{REMOTE_ADDR}`.
    InitCol {
        /// Which collection; never `TX`.
        collection: Collection,
        /// Which of its instances.
        key: Template,
    },
    /// `log`.
    Log,
    /// `logdata:…`.
    LogData(Template),
    /// `maturity:1-9`.
    Maturity(u8),
    /// `msg:…`.
    Msg(Template),
    /// `multiMatch`: judge after every transformation that changed the value.
    MultiMatch,
    /// `noauditlog`.
    NoAuditLog,
    /// `nolog`.
    NoLog,
    /// `pass`.
    Pass,
    /// `phase:…`.
    Phase(Phase),
    /// `redirect:URL`.
    Redirect(Template),
    /// `rev:…`.
    Rev(Box<[u8]>),
    /// `sanitiseArg:name`.
    SanitiseArg(Box<[u8]>),
    /// `sanitiseMatched`.
    SanitiseMatched,
    /// `sanitiseMatchedBytes[:first/last]`: how many bytes stay readable at both ends.
    SanitiseMatchedBytes(u32, u32),
    /// `sanitiseRequestHeader:name`.
    SanitiseRequestHeader(Box<[u8]>),
    /// `sanitiseResponseHeader:name`.
    SanitiseResponseHeader(Box<[u8]>),
    /// `setenv:NAME=value`: handed to the host.
    SetEnv {
        /// The name.
        name: Template,
        /// Its value; none for `setenv:!NAME`.
        value: Option<Template>,
    },
    /// `setrsc:…`: names the `RESOURCE` collection.
    SetRsc(Template),
    /// `setsid:…`: names the `SESSION` collection.
    SetSid(Template),
    /// `setuid:…`: names the `USER` collection.
    SetUid(Template),
    /// `setvar:…`.
    SetVar(SetVar),
    /// `severity:…`.
    Severity(Severity),
    /// `skip:N`.
    Skip(u32),
    /// `skipAfter:MARKER` (or the number of a rule).
    SkipAfter(Box<[u8]>),
    /// `status:N`.
    Status(u16),
    /// `tag:…`.
    Tag(Template),
    /// `t:…`.
    Transformation(Transformation),
    /// `ver:…`.
    Ver(Box<[u8]>),
    /// `xmlns:prefix=uri`.
    Xmlns {
        /// The prefix that XPath selectors use.
        prefix: Box<[u8]>,
        /// What it stands for.
        uri: Box<[u8]>,
    },
}

/// A `setvar` action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetVar {
    /// Which collection.
    pub collection: Collection,
    /// Which key.
    pub key: Template,
    /// What happens to its value.
    pub change: Change,
}

/// What `setvar` does to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// `=value`, and `1` when nothing is said.
    Set(Template),
    /// `=+value`: an integer is added; a missing value counts as 0.
    Add(Template),
    /// `=-value`.
    Subtract(Template),
    /// `!`.
    Unset,
}

/// How far `allow` reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AllowScope {
    /// The whole transaction but the logging phase.
    Transaction,
    /// The phase under way.
    Phase,
    /// The phases of the request.
    Request,
}

/// When a rule runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// 1: the request's head is known.
    RequestHeaders,
    /// 2: the request's body is known.
    RequestBody,
    /// 3: the answer's head is known.
    ResponseHeaders,
    /// 4: the answer's body is known.
    ResponseBody,
    /// 5: all is over.
    Logging,
}

impl Phase {
    /// All five, in order.
    pub const ALL: [Self; 5] =
        [Self::RequestHeaders, Self::RequestBody, Self::ResponseHeaders, Self::ResponseBody, Self::Logging];

    /// 1 to 5.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::RequestHeaders => 1,
            Self::RequestBody => 2,
            Self::ResponseHeaders => 3,
            Self::ResponseBody => 4,
            Self::Logging => 5,
        }
    }
}

named! {
    /// How bad a match is, worst first; `as u8` gives ModSecurity's numbers 0 to 7.
    Severity {
        Emergency = "EMERGENCY" | "0",
        Alert = "ALERT" | "1",
        Critical = "CRITICAL" | "2",
        Error = "ERROR" | "3",
        Warning = "WARNING" | "4",
        Notice = "NOTICE" | "5",
        Info = "INFO" | "6",
        Debug = "DEBUG" | "7",
    }
}
