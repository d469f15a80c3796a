//! Settings: directives that are no rules.

use super::named::named;
use crate::transformations::UnicodeMap;

/// One setting. What the engine uses is typed; what the host owns keeps its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// `SecRuleEngine`.
    RuleEngine(EngineMode),
    /// `SecRequestBodyAccess`.
    RequestBodyAccess(bool),
    /// `SecResponseBodyAccess`.
    ResponseBodyAccess(bool),
    /// `SecRequestBodyLimit`, bytes.
    RequestBodyLimit(u64),
    /// `SecRequestBodyNoFilesLimit`, bytes.
    RequestBodyNoFilesLimit(u64),
    /// `SecRequestBodyLimitAction`.
    RequestBodyLimitAction(LimitAction),
    /// `SecRequestBodyJsonDepthLimit`.
    RequestBodyJsonDepthLimit(u32),
    /// `SecResponseBodyLimit`, bytes.
    ResponseBodyLimit(u64),
    /// `SecResponseBodyLimitAction`.
    ResponseBodyLimitAction(LimitAction),
    /// `SecResponseBodyMimeType`: types to read beside those set before.
    ResponseBodyMimeTypes(Vec<Box<[u8]>>),
    /// `SecResponseBodyMimeTypesClear`.
    ResponseBodyMimeTypesClear,
    /// `SecArgumentsLimit`.
    ArgumentsLimit(u32),
    /// `SecArgumentSeparator`.
    ArgumentSeparator(u8),
    /// `SecCookieFormat`.
    CookieFormat(CookieFormat),
    /// `SecUnicodeMapFile FILE CODEPAGE`.
    UnicodeMap(UnicodeMap),
    /// `SecCollectionTimeout`, seconds.
    CollectionTimeout(u64),
    /// `SecUploadFileLimit`: files a multipart body may hold.
    UploadFileLimit(u32),
    /// `SecParseXmlIntoArgs`.
    ParseXmlIntoArgs(XmlIntoArgs),
    /// `SecComponentSignature`: a rule set that names itself.
    ComponentSignature(Box<[u8]>),
    /// `SecServerSignature`.
    ServerSignature(Box<[u8]>),
    /// `SecWebAppId`.
    WebAppId(Box<[u8]>),
    /// Audit and debug logs, directories, uploads on disk: the host decides on them.
    Host {
        /// The directive in the manual's spelling.
        name: &'static str,
        /// Its arguments as written.
        value: Box<[u8]>,
    },
}

named! {
    /// Whether rules run and whether they may interrupt.
    EngineMode {
        On = "On",
        Off = "Off",
        DetectionOnly = "DetectionOnly",
    }
}

named! {
    /// Which transactions are recorded.
    AuditEngine {
        On = "On",
        Off = "Off",
        RelevantOnly = "RelevantOnly",
    }
}

named! {
    /// What happens to a body over its limit.
    LimitAction {
        Reject = "Reject",
        ProcessPartial = "ProcessPartial",
    }
}

named! {
    /// Which cookies are read.
    CookieFormat {
        Netscape = "0",
        Version1 = "1",
    }
}

named! {
    /// How a body is taken apart.
    BodyProcessor {
        UrlEncoded = "URLENCODED",
        Multipart = "MULTIPART",
        Json = "JSON",
        Xml = "XML",
    }
}

named! {
    /// Whether the leaves of an XML body become arguments.
    XmlIntoArgs {
        On = "On",
        Off = "Off",
        /// Arguments only; no document for `XML:` targets is kept.
        OnlyArgs = "OnlyArgs",
    }
}
