//! Directives that are no rules.

use super::context::Context;
use super::ctl::{one_of, switch};
use super::piece::Piece;
use super::words::Word;
use crate::diagnostic::Level;
use crate::source::relative_to;
use crate::syntax::{CookieFormat, EngineMode, LimitAction, Setting, XmlIntoArgs};
use crate::transformations::UnicodeMap;

/// What is known of a setting by its name.
enum Kind {
    /// One argument, read by a function.
    One(fn(&mut Context<'_>, Piece<'_>) -> Option<Setting>),
    /// The host decides; kept, with a note that says so.
    Host,
    /// Accepted without effect, with a note that says why.
    Idle(&'static str),
    /// Refused, with the reason.
    Refused(&'static str),
    /// Refused unless `Off`, with the reason.
    OffOnly(&'static str),
    /// A list of media types.
    MimeTypes,
    /// No argument.
    ClearMimeTypes,
    /// A file and a code page.
    UnicodeMap,
}

const LINEAR: &str = "expressions run in linear time here, so there is nothing to limit";
const NO_HASH: &str = "links are not signed here";
const NO_REMOTE: &str = "rules are loaded from files; `portcullis rules fetch` brings them";
const NO_LOOKUP: &str = "the host provides look-ups; name the database in its configuration";

/// Every setting, by the manual's spelling.
const SETTINGS: &[(&str, Kind)] = &[
    (
        "SecRuleEngine",
        Kind::One(|cx, value| {
            one_of(cx, value, EngineMode::from_name, EngineMode::ALL, EngineMode::name)
                .map(Setting::RuleEngine)
        }),
    ),
    ("SecRequestBodyAccess", Kind::One(|cx, value| switch(cx, value).map(Setting::RequestBodyAccess))),
    ("SecResponseBodyAccess", Kind::One(|cx, value| switch(cx, value).map(Setting::ResponseBodyAccess))),
    ("SecRequestBodyLimit", Kind::One(|cx, value| number(cx, value).map(Setting::RequestBodyLimit))),
    (
        "SecRequestBodyNoFilesLimit",
        Kind::One(|cx, value| number(cx, value).map(Setting::RequestBodyNoFilesLimit)),
    ),
    (
        "SecRequestBodyLimitAction",
        Kind::One(|cx, value| limit_action(cx, value).map(Setting::RequestBodyLimitAction)),
    ),
    (
        "SecRequestBodyJsonDepthLimit",
        Kind::One(|cx, value| small(cx, value).map(Setting::RequestBodyJsonDepthLimit)),
    ),
    ("SecResponseBodyLimit", Kind::One(|cx, value| number(cx, value).map(Setting::ResponseBodyLimit))),
    (
        "SecResponseBodyLimitAction",
        Kind::One(|cx, value| limit_action(cx, value).map(Setting::ResponseBodyLimitAction)),
    ),
    ("SecResponseBodyMimeType", Kind::MimeTypes),
    ("SecResponseBodyMimeTypesClear", Kind::ClearMimeTypes),
    ("SecArgumentsLimit", Kind::One(|cx, value| small(cx, value).map(Setting::ArgumentsLimit))),
    ("SecArgumentSeparator", Kind::One(argument_separator)),
    (
        "SecCookieFormat",
        Kind::One(|cx, value| {
            one_of(cx, value, CookieFormat::from_name, CookieFormat::ALL, CookieFormat::name)
                .map(Setting::CookieFormat)
        }),
    ),
    ("SecUnicodeMapFile", Kind::UnicodeMap),
    ("SecCollectionTimeout", Kind::One(|cx, value| number(cx, value).map(Setting::CollectionTimeout))),
    ("SecUploadFileLimit", Kind::One(|cx, value| small(cx, value).map(Setting::UploadFileLimit))),
    (
        "SecParseXmlIntoArgs",
        Kind::One(|cx, value| {
            one_of(cx, value, XmlIntoArgs::from_name, XmlIntoArgs::ALL, XmlIntoArgs::name)
                .map(Setting::ParseXmlIntoArgs)
        }),
    ),
    ("SecComponentSignature", Kind::One(|_, value| Some(Setting::ComponentSignature(value.value())))),
    ("SecServerSignature", Kind::One(|_, value| Some(Setting::ServerSignature(value.value())))),
    ("SecWebAppId", Kind::One(|_, value| Some(Setting::WebAppId(value.value())))),
    ("SecAuditEngine", Kind::Host),
    ("SecAuditLog", Kind::Host),
    ("SecAuditLog2", Kind::Host),
    ("SecAuditLogDirMode", Kind::Host),
    ("SecAuditLogFileMode", Kind::Host),
    ("SecAuditLogFormat", Kind::Host),
    ("SecAuditLogParts", Kind::Host),
    ("SecAuditLogPrefix", Kind::Host),
    ("SecAuditLogRelevantStatus", Kind::Host),
    ("SecAuditLogStorageDir", Kind::Host),
    ("SecAuditLogType", Kind::Host),
    ("SecDataDir", Kind::Host),
    ("SecDebugLog", Kind::Host),
    ("SecDebugLogLevel", Kind::Host),
    ("SecSensorId", Kind::Host),
    ("SecStatusEngine", Kind::Host),
    ("SecTmpDir", Kind::Host),
    ("SecTmpSaveUploadedFiles", Kind::Host),
    ("SecUploadDir", Kind::Host),
    ("SecUploadFileMode", Kind::Host),
    ("SecUploadKeepFiles", Kind::Host),
    ("SecCacheTransformations", Kind::Idle("each transformation of a value is computed once in any case")),
    ("SecPcreMatchLimit", Kind::Idle(LINEAR)),
    ("SecPcreMatchLimitRecursion", Kind::Idle(LINEAR)),
    ("SecRequestBodyInMemoryLimit", Kind::Idle("bodies are held in memory up to their limit")),
    ("SecRulePerfTime", Kind::Idle("rules share their scans, so that there is no time of a single rule")),
    ("SecConnEngine", Kind::OffOnly("connections are limited by the gate's listeners")),
    ("SecContentInjection", Kind::OffOnly("answers are not rewritten by rules")),
    ("SecDisableBackendCompression", Kind::OffOnly("what is asked of upstreams is the host's affair")),
    ("SecHashEngine", Kind::OffOnly(NO_HASH)),
    (
        "SecInterceptOnError",
        Kind::OffOnly("a fault of the engine is answered as the host's configuration says"),
    ),
    ("SecRuleInheritance", Kind::OffOnly("rule sets are composed by the host's configuration")),
    ("SecStreamInBodyInspection", Kind::OffOnly("whole bodies are judged")),
    ("SecStreamOutBodyInspection", Kind::OffOnly("whole bodies are judged")),
    (
        "SecXmlExternalEntity",
        Kind::OffOnly("external entities read files and call servers on the attacker's behalf"),
    ),
    ("SecChrootDir", Kind::Refused("the process is confined by the host")),
    ("SecConnReadStateLimit", Kind::Refused("connections are limited by the gate's listeners")),
    ("SecConnWriteStateLimit", Kind::Refused("connections are limited by the gate's listeners")),
    ("SecCookieV0Separator", Kind::Refused("cookies are separated by `;`")),
    ("SecGeoLookupDb", Kind::Refused(NO_LOOKUP)),
    ("SecGsbLookupDb", Kind::Refused("the service behind it has ended")),
    ("SecGuardianLog", Kind::Refused("no outside program is fed by rules")),
    ("SecHashKey", Kind::Refused(NO_HASH)),
    ("SecHashMethodPm", Kind::Refused(NO_HASH)),
    ("SecHashMethodRx", Kind::Refused(NO_HASH)),
    ("SecHashParam", Kind::Refused(NO_HASH)),
    ("SecHttpBlKey", Kind::Refused(NO_LOOKUP)),
    ("SecRemoteRules", Kind::Refused(NO_REMOTE)),
    ("SecRemoteRulesFailAction", Kind::Refused(NO_REMOTE)),
    ("SecRuleScript", Kind::Refused("rules do not start programs; write the condition as `SecRule`")),
    ("SecUnicodeCodePage", Kind::Refused("write `SecUnicodeMapFile FILE CODEPAGE`")),
];

/// Names of all settings, for hints.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().map(|(name, _)| *name)
}

/// What a settings directive says. The outer `None` means that no setting has this name; the inner one that it was
/// reported, or has no effect.
pub(crate) fn setting(
    cx: &mut Context<'_>,
    name: Piece<'_>,
    rest: Piece<'_>,
    words: &[Word<'_>],
) -> Option<Option<Setting>> {
    let (spelling, kind) = SETTINGS.iter().find(|(known, _)| name.is(known))?;
    Some(match kind {
        Kind::One(read) => match words {
            [one] if !one.text.is_empty() => read(cx, one.text.trim()),
            _ => cx.error(rest, format!("`{spelling}` takes one argument"), ""),
        },
        Kind::Host if words.is_empty() => cx.error(name, format!("`{spelling}` takes an argument"), ""),
        Kind::Host => {
            cx.note(
                Level::Note,
                name,
                format!("`{spelling}` is for the host to follow"),
                "the gate's own configuration decides on records and files",
            );
            Some(Setting::Host { name: spelling, value: rest.trim().bytes.into() })
        }
        Kind::Idle(why) => {
            cx.note(Level::Note, name, format!("`{spelling}` has no effect"), why);
            None
        }
        Kind::Refused(why) => cx.error(name, format!("`{spelling}` is refused"), why),
        Kind::OffOnly(why) => match words {
            [one] if one.text.is("Off") || one.text.is("false") || one.text.is("0") => None,
            _ => cx.error(name, format!("`{spelling}` can only be `Off`"), why),
        },
        Kind::MimeTypes => mime_types(cx, rest, words),
        Kind::ClearMimeTypes if words.is_empty() => Some(Setting::ResponseBodyMimeTypesClear),
        Kind::ClearMimeTypes => cx.error(rest, format!("`{spelling}` takes no argument"), ""),
        Kind::UnicodeMap => map_file(cx, rest, words),
    })
}

fn number(cx: &mut Context<'_>, value: Piece<'_>) -> Option<u64> {
    value.number().or_else(|| cx.error(value, "expected a whole number", ""))
}

fn small(cx: &mut Context<'_>, value: Piece<'_>) -> Option<u32> {
    value.number().or_else(|| cx.error(value, "expected a whole number below 4294967296", ""))
}

fn limit_action(cx: &mut Context<'_>, value: Piece<'_>) -> Option<LimitAction> {
    one_of(cx, value, LimitAction::from_name, LimitAction::ALL, LimitAction::name)
}

fn argument_separator(cx: &mut Context<'_>, value: Piece<'_>) -> Option<Setting> {
    match *value.value() {
        [one] => Some(Setting::ArgumentSeparator(one)),
        _ => cx.error(value, "expected one character", ""),
    }
}

fn mime_types(cx: &mut Context<'_>, rest: Piece<'_>, words: &[Word<'_>]) -> Option<Setting> {
    let types: Vec<Box<[u8]>> = words
        .iter()
        .flat_map(|word| word.text.bytes.split(u8::is_ascii_whitespace))
        .filter(|word| !word.is_empty())
        .map(|word| word.to_ascii_lowercase().into())
        .collect();
    if types.is_empty() {
        return cx.error(rest, "expected media types", "`text/plain text/html application/json`");
    }
    Some(Setting::ResponseBodyMimeTypes(types))
}

fn map_file(cx: &mut Context<'_>, rest: Piece<'_>, words: &[Word<'_>]) -> Option<Setting> {
    let [path, code_page] = words else {
        return cx.error(
            rest,
            "expected a file and a code page",
            "`SecUnicodeMapFile unicode.mapping 20127`",
        );
    };
    let Some(number) = code_page.text.number() else {
        return cx.error(code_page.text, "expected the number of a code page", "");
    };
    let name = String::from_utf8_lossy(&path.text.value()).into_owned();
    let read = cx.files.read(&relative_to(cx.file_name, &name));
    match read.and_then(|bytes| UnicodeMap::parse(&bytes, number)) {
        Ok(map) => Some(Setting::UnicodeMap(map)),
        Err(reason) => cx.error(path.text, format!("cannot use `{name}`: {reason}"), ""),
    }
}
